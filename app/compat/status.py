"""NFD's report on one node, and its JSON: byte for byte what NFD prints.

The shapes are those of `node-validator/types.go`, the rules those of
`node-validator.go#L98` at v0.19.0. The report marks each expression by looking
for an equal one among those that matched, and is kept as it is:

* a term whose `feature` is not all lower case is never found;
* `type` is not compared, so expressions that differ in it share a mark;
* an expression that only an instance satisfies, or only the flags, is marked as
  matching even where the rule as a whole does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.compat.gotext import json_string, lower
from app.compat.matching import Results, RuleResult, SetResult
from app.compat.operators import EVALUATION, described
from app.compat.spec import MatchExpression
from app.compat.terms import TermResult
from app.errors import SpecError

MATCH_EXPRESSION: Final = "matchExpression"
MATCH_NAME: Final = "matchName"


@dataclass(frozen=True, slots=True)
class MatchedExpression:
    """One expression of a rule, and whether NFD holds it to match.

    Attributes:
        feature: the feature as the spec writes it.
        name: name of the element; `""` for `matchName`.
        expression: `None` if the spec says null.
        matcher_type: `matchExpression` or `matchName`.
        is_match: NFD's mark.
    """

    feature: str
    name: str
    expression: MatchExpression | None
    matcher_type: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """NFD's ProcessedRuleStatus.

    Attributes:
        name: name of the rule.
        is_match: whether the rule matches.
        matched_expressions: all expressions of `matchFeatures`, sorted.
        matched_any: the same for each element of `matchAny`.
    """

    name: str
    is_match: bool
    matched_expressions: tuple[MatchedExpression, ...] = ()
    matched_any: tuple[tuple[MatchedExpression, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class CompatibilityStatus:
    """NFD's CompatibilityStatus: one set."""

    rules: tuple[RuleStatus, ...]
    description: str = ""
    weight: int = 0
    tag: str = ""


def report(results: Sequence[SetResult]) -> tuple[CompatibilityStatus, ...]:
    """What NFD reports of `results`.

    Raises:
        SpecError: a rule could not be evaluated; then NFD reports nothing. The
            first rule's error, in NFD's words, with reason `EvaluationError`.
    """
    for result in results:
        for rule in result.rules:
            if rule.error is not None:
                raise SpecError(EVALUATION, rule.error)
    return tuple(
        CompatibilityStatus(
            rules=tuple(map(_rule_status, result.rules)),
            description=result.compatibility.description,
            weight=result.compatibility.weight,
            tag=result.compatibility.tag,
        )
        for result in results
    )


def to_json(statuses: Sequence[CompatibilityStatus]) -> str:
    """The report as `nfd compat validate-node --output-json` prints it."""
    return _array(map(_set_json, statuses))


# Marking expressions ------------------------------------------------------------


def _rule_status(result: RuleResult) -> RuleStatus:
    return RuleStatus(
        name=result.rule.name,
        is_match=result.is_match,
        matched_expressions=_expressions(result.features),
        matched_any=tuple(map(_expressions, result.any)),
    )


def _expressions(results: Results) -> tuple[MatchedExpression, ...]:
    rows = [row for result in results for row in _rows(result, results)]
    return tuple(sorted(rows, key=_order))


def _order(row: MatchedExpression) -> tuple[str, str, str]:
    text = "" if row.expression is None else described(row.expression)
    return row.feature, row.name, text


def _rows(result: TermResult, results: Results) -> Iterator[MatchedExpression]:
    term = result.term
    twins = [other for other in results if lower(other.term.feature) == term.feature]
    for name, expression in sorted((term.match_expressions or {}).items()):
        is_match = any(
            name in twin.satisfied and _is_equal(expression, _named(twin, name))
            for twin in twins
        )
        yield MatchedExpression(
            term.feature, name, expression, MATCH_EXPRESSION, is_match
        )
    if term.match_name is not None:
        is_match = any(
            twin.is_name_match and _is_equal(term.match_name, twin.term.match_name)
            for twin in twins
        )
        yield MatchedExpression(term.feature, "", term.match_name, MATCH_NAME, is_match)


def _named(result: TermResult, name: str) -> MatchExpression | None:
    return (result.term.match_expressions or {}).get(name)


def _is_equal(one: MatchExpression | None, other: MatchExpression | None) -> bool:
    return (
        one is not None
        and other is not None
        and one.op == other.op
        and one.value == other.value
    )


# JSON ---------------------------------------------------------------------------


def _array(items: Iterable[str]) -> str:
    return f"[{','.join(items)}]"


def _object(*members: tuple[str, str | None]) -> str:
    """An object of those members that have a value, in this order."""
    texts = (f'"{key}":{value}' for key, value in members if value is not None)
    return f"{{{','.join(texts)}}}"


def _text(value: str) -> str | None:
    return json_string(value) if value else None


def _bool(value: bool) -> str:  # noqa: FBT001 - a value to write
    return "true" if value else "false"


def _set_json(status: CompatibilityStatus) -> str:
    return _object(
        ("rules", _array(map(_rule_json, status.rules)) if status.rules else "null"),
        ("description", _text(status.description)),
        ("weight", str(status.weight) if status.weight else None),
        ("tag", _text(status.tag)),
    )


def _rule_json(status: RuleStatus) -> str:
    rows = status.matched_expressions
    elements = (
        _object(("matchedExpressions", _rows_json(e))) for e in status.matched_any
    )
    return _object(
        ("name", json_string(status.name)),
        ("isMatch", _bool(status.is_match)),
        ("matchedExpressions", _rows_json(rows) if rows else None),
        ("matchedAny", _array(elements) if status.matched_any else None),
    )


def _rows_json(rows: Sequence[MatchedExpression]) -> str:
    return _array(map(_row_json, rows)) if rows else "null"


def _row_json(row: MatchedExpression) -> str:
    return _object(
        ("feature", json_string(row.feature)),
        ("name", json_string(row.name)),
        ("expression", _expression_json(row.expression)),
        ("matcherType", json_string(row.matcher_type)),
        ("isMatch", _bool(row.is_match)),
    )


def _expression_json(expression: MatchExpression | None) -> str:
    if expression is None:
        return "null"
    values = _array(map(json_string, expression.value)) if expression.value else None
    return _object(
        ("op", json_string(expression.op)),
        ("value", values),
        ("type", _text(expression.type)),
    )
