"""NFD's quirks, each with a case that shows it and a test of NFD's answer.

The numbers are those of NFD's behaviour at v0.19.0 as this project counts them;
each entry says what is odd.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

EXISTS = {"op": "Exists"}


@dataclass(frozen=True, slots=True)
class Quirk:
    """One quirk.

    Attributes:
        make: a case that should show it.
        is_hit: whether NFD's answer does.
    """

    make: Callable[[random.Random], Json]
    is_hit: Callable[[Json], bool]


def _attributes(**values: str) -> Json:
    return _features(attributes={"dom.attr": {"elements": values}})


def _features(
    flags: Json | None = None,
    attributes: Json | None = None,
    instances: Json | None = None,
) -> Json:
    return {
        "flags": flags or {},
        "attributes": attributes or {},
        "instances": instances or {},
    }


def _case(features: Json, *sets: list[Json]) -> Json:
    compatibilities = [{"rules": rules} for rules in sets]
    return {"spec": {"compatibilities": compatibilities}, "features": features}


def _rule(*terms: Json, **more: Any) -> Json:
    return {"name": "r", "matchFeatures": list(terms), **more}


def _term(
    feature: str, expressions: Json | None = None, name: Json | None = None
) -> Json:
    term: Json = {"feature": feature}
    if expressions is not None:
        term["matchExpressions"] = expressions
    if name is not None:
        term["matchName"] = name
    return term


def _rules(answer: Json) -> list[Json]:
    return [rule for one in answer["report"] or () for rule in one["rules"] or ()]


def _rows(answer: Json) -> list[Json]:
    return [
        row for rule in _rules(answer) for row in rule.get("matchedExpressions") or ()
    ]


def _word(chance: random.Random) -> str:
    return chance.choice(("y", "m", "8086", "a b", "é"))


def _null_expression(chance: random.Random) -> Json:
    """2: a null expression crashes NFD."""
    return _case(_attributes(k=_word(chance)), [_rule(_term("dom.attr", {"k": None}))])


def _one_error_spoils_all(chance: random.Random) -> Json:
    """4: an error in one set takes the whole report."""
    word = _word(chance)
    good = [_rule(_term("dom.attr", {"k": {"op": "In", "value": [word]}}))]
    bad = [_rule(_term("dom.attr", {"k": {"op": chance.choice(("Near", "In"))}}))]
    return _case(_attributes(k=word), *chance.choice(((good, bad), (bad, good))))


def _after_a_failed_term(chance: random.Random) -> Json:
    """5: after a failed term, one with only matchName is reported as failed."""
    failing = _term("dom.attr", {"k": {"op": "In", "value": ["other"]}})
    name = chance.choice((EXISTS, {"op": "In", "value": ["k"]}, {"op": "Near"}))
    return _case(_attributes(k="v"), [_rule(failing, _term("dom.attr", name=name))])


def _variables_of_a_failed_rule(chance: random.Random) -> Json:
    """6: a rule whose matchAny failed publishes its variables, unless failFast."""
    failing = {"matchFeatures": [_term("dom.attr", {"k": {"op": "DoesNotExist"}})]}
    key = chance.choice(("a", "b"))
    first = _rule(_term("dom.attr", {"k": EXISTS}), matchAny=[failing], vars={key: "v"})
    second = _rule(_term("rule.matched", {key: EXISTS}))
    if chance.random() < 0.3:
        spec = {"featureGroupRules": [first, second]}
        return {"mode": "group", "spec": spec, "features": _attributes(k="v")}
    return _case(_attributes(k="v"), [first, second])


def _upper_case_feature(chance: random.Random) -> Json:
    """7: with a capital in the feature's name every row is reported as failed."""
    feature = chance.choice(("Dom.attr", "dom.Attr", "DOM.ATTR"))
    return _case(_attributes(k="v"), [_rule(_term(feature, {"k": EXISTS}))])


def _rows_that_differ_in_type(chance: random.Random) -> Json:
    """8: rows that differ only in type share their status."""
    first: Json = {"op": "Ge", "value": ["0"]}
    second = {**first, "type": "version"}
    failing = _term("dom.attr", {"5": {"op": "In", "value": ["other"]}})
    pair = [_term("dom.attr", name=first), _term("dom.attr", name=second)]
    chance.shuffle(pair)
    features = _features(attributes={"dom.attr": {"elements": {"5": "v"}}})
    return _case(features, [_rule(pair[0], failing, pair[1])])


def _absent_in_one_kind(chance: random.Random) -> Json:
    """9: DoesNotExist must hold in flags and attributes, but one row says it does."""
    key = chance.choice(("k", "AVX"))
    features = _features(
        flags={"dom.attr": {"elements": {"other": {}}}},
        attributes={"dom.attr": {"elements": {key: "v"}}},
    )
    return _case(features, [_rule(_term("dom.attr", {key: {"op": "DoesNotExist"}}))])


def _different_instances(chance: random.Random) -> Json:
    """10: expressions that hold on different instances are all reported true."""
    word = _word(chance)
    elements = [{"attributes": {"a": word}}, {"attributes": {"b": word}}]
    chance.shuffle(elements)
    features = _features(instances={"pci.device": {"elements": elements}})
    wanted = {"op": "In", "value": [word]}
    return _case(features, [_rule(_term("pci.device", {"a": wanted, "b": wanted}))])


def _not_in_of_nothing(chance: random.Random) -> Json:
    """11: NotIn is false where the name is missing, and on every flag."""
    features = chance.choice(
        (
            _attributes(other="v"),
            _features(flags={"dom.attr": {"elements": {"k": {}}}}),
        )
    )
    wanted = {"op": "NotIn", "value": [_word(chance)]}
    return _case(features, [_rule(_term("dom.attr", {"k": wanted}))])


def _version_of_a_kernel(chance: random.Random) -> Json:
    """12: a kernel's version with an underscore is no version, but an error."""
    version = chance.choice(("5.14.0-362.8.1.el9_3.x86_64", "1.2.3-01"))
    wanted = {"op": "Ge", "value": ["5.0"], "type": "version"}
    return _case(
        _attributes(full=version), [_rule(_term("dom.attr", {"full": wanted}))]
    )


def _variables_leak(chance: random.Random) -> Json:
    """15: a set's variables reach the sets after it, unless a tag leaves it out."""
    key = chance.choice(("a", "b"))
    case = _case(
        _attributes(k="v"),
        [{"name": "first", "vars": {key: "v"}}],
        [_rule(_term("rule.matched", {key: EXISTS}))],
    )
    if chance.random() < 0.3:
        sets = case["spec"]["compatibilities"]
        sets[0]["tag"], sets[1]["tag"] = "no", "yes"
        case["tags"] = ["yes"]
    return case


def _coerced(chance: random.Random) -> Json:
    """18: a bare y in YAML is the text true, and cannot equal y."""
    scalar, text = chance.choice((("y", "y"), ("0200", "0200"), ("1.10", "1.10")))
    spec = (
        "compatibilities:\n- rules:\n  - name: r\n    matchFeatures:\n"
        "    - feature: dom.attr\n      matchExpressions:\n"
        f"        k: {{op: In, value: [{scalar}]}}\n"
    )
    return {"spec": spec, "features": _attributes(k=text)}


def _random_with_fail_fast(chance: random.Random) -> Json:
    """20: with failFast an error and a mismatch race in the order of a Go map."""
    bad = {"a": {"op": "Near"}, "b": {"op": "In", "value": [_word(chance) + "x"]}}
    spec = {"featureGroupRules": [_rule(_term("dom.attr", bad))]}
    return {"mode": "group", "spec": spec, "features": _attributes(a="v", b="v")}


def _line_without_value(chance: random.Random) -> Json:
    """21: a template's line without = is an error."""
    template = chance.choice(("key", "a=b\nkey\n", "{{ range .dom.attr }}x{{ end }}"))
    rule = _rule(_term("dom.attr", {"k": EXISTS}), varsTemplate=template)
    return _case(_attributes(k="v"), [rule])


def _typo(chance: random.Random) -> Json:
    """23: the text of a bad pattern has a typo."""
    wanted = {"op": "InRegexp", "value": ["^a", chance.choice(("(", "[", "*"))]}
    return _case(_attributes(k="v"), [_rule(_term("dom.attr", {"k": wanted}))])


def _first_is_match(answer: Json) -> bool:
    return bool(_rules(answer)[0]["isMatch"])


def _all_true(rows: list[Json]) -> bool:
    return bool(rows) and all(row["isMatch"] for row in rows)


def _all_false(rows: list[Json]) -> bool:
    return bool(rows) and not any(row["isMatch"] for row in rows)


def _is_leak(answer: Json) -> bool:
    rules = _rules(answer)
    return bool(rules) and rules[-1]["isMatch"] == (len(rules) == 2)


def _is_sixth(answer: Json) -> bool:
    report = answer["report"]
    if report and "rules" in report[0]:
        return [rule["isMatch"] for rule in _rules(answer)] == [False, True]
    return [rule["isMatch"] for rule in report or ()] == [False, False]


QUIRKS: Final[Mapping[str, Quirk]] = MappingProxyType(
    {
        "2": Quirk(_null_expression, lambda a: a["error_kind"] == "panic"),
        "4": Quirk(
            _one_error_spoils_all,
            lambda a: a["error_kind"] == "eval" and a["report"] is None,
        ),
        "5": Quirk(
            _after_a_failed_term,
            lambda a: a["error"] is None and _all_false(_rows(a)),
        ),
        "6": Quirk(_variables_of_a_failed_rule, _is_sixth),
        "7": Quirk(
            _upper_case_feature, lambda a: _first_is_match(a) and _all_false(_rows(a))
        ),
        "8": Quirk(
            _rows_that_differ_in_type,
            lambda a: (
                [row["isMatch"] for row in _rows(a)].count(True) == 2
                and not _first_is_match(a)
            ),
        ),
        "9": Quirk(
            _absent_in_one_kind,
            lambda a: not _first_is_match(a) and _all_true(_rows(a)),
        ),
        "10": Quirk(
            _different_instances,
            lambda a: not _first_is_match(a) and _all_true(_rows(a)),
        ),
        "11": Quirk(
            _not_in_of_nothing, lambda a: a["error"] is None and not _first_is_match(a)
        ),
        "12": Quirk(
            _version_of_a_kernel, lambda a: "not a version" in (a["error"] or "")
        ),
        "15": Quirk(_variables_leak, _is_leak),
        "18": Quirk(_coerced, lambda a: a["error"] is None and not a["fits"]),
        "20": Quirk(_random_with_fail_fast, lambda a: not a["fits"]),
        "21": Quirk(_line_without_value, lambda a: a["error_kind"] == "eval"),
        "23": Quirk(_typo, lambda a: "expressiom" in (a["error"] or "")),
    }
)
"""Number -> quirk. The others concern registries, reports or cannot be copied."""
