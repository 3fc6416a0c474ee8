"""The text of a spec into values, exactly as NFD reads it.

NFD reads a compatibility artifact's layer with `sigs.k8s.io/yaml`
(`pkg/client-nfd/compat/artifact-client/client.go#L131` at v0.19.0): YAML 1.1,
never strict, then Go's JSON decoding. JSON text takes the same way. So unknown
keys are ignored, keys match in any case, and `value: [y]` is `["true"]`.

1. The text becomes YAML nodes (`yaml_nodes`),
2. then values of YAML 1.1, aliases and merge keys expanded (`yaml11`),
3. then Go's structs by way of JSON (`gojson`; the types stand here),
4. then the dataclasses of `spec`.

What NFD refuses is a `SpecError` with NFD's own message. On top come bounds
(`limits`), and for admission two checks that NFD lacks: `read_for_admission`.
NodeFeatureRules, which are read the same way, are in `nodefeaturerule`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar, cast

from app.compat import gojson, gotext, govalue, yaml11, yaml_errors
from app.compat.gojson import (
    INVALID_SPEC,
    Integer,
    Items,
    ListOf,
    MapOf,
    Pointer,
    Record,
    Struct,
    Text,
)
from app.compat.limits import LIMITS, Limits
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.compat.yaml11 import Document, Value
from app.errors import SpecError

_Built = TypeVar("_Built")


def read(content: bytes, *, limits: Limits = LIMITS) -> Spec:
    """Reads a compatibility spec as NFD does.

    Raises:
        SpecError: `InvalidYaml` or `InvalidSpec` with NFD's message, `TooCostly`
            beyond the limits; with the place where it is known.
    """
    return _spec(gojson.decode(SPEC, read_document(content, limits), limits))


def read_for_admission(content: bytes, *, limits: Limits = LIMITS) -> Spec:
    """Reads a compatibility spec that is to decide about Pods.

    A spec without sets, or with a key that NFD does not know at its top, asks
    for nothing NFD would see: a misspelled `compatibilities` must not pass.

    Raises:
        SpecError: as `read` does, and `InvalidSpec` for these two.
    """
    document = read_document(content, limits)
    spec = _spec(gojson.decode(SPEC, document, limits))
    _refuse_unknown_keys(document.root)
    if not spec.compatibilities:
        raise SpecError(
            INVALID_SPEC,
            'the spec has no compatibility sets: expected a list "compatibilities"'
            " with at least one",
            line=document.root.line + 1,
            column=document.root.column + 1,
        )
    return spec


def read_group(content: bytes, *, limits: Limits = LIMITS) -> tuple[GroupRule, ...]:
    """Reads the spec of a NodeFeatureGroup (`featureGroupRules`) as NFD does.

    Raises:
        SpecError: as `read` does.
    """
    record = gojson.decode(_GROUP_SPEC, read_document(content, limits), limits)
    return each(_group_rule, record.get("featureGroupRules"))


def read_document(content: bytes, limits: Limits) -> Document:
    """The YAML of any of NFD's types.

    Raises:
        SpecError: `InvalidYaml`, or `TooCostly` beyond the limits.
    """
    if len(content) > limits.bytes:
        raise yaml_errors.too_costly(
            f"{len(content)} bytes of text, at most {limits.bytes} are allowed", None
        )
    return yaml11.read(content, limits)


def _refuse_unknown_keys(root: Value) -> None:
    known = " or ".join(f'"{name}"' for name in SPEC.fields)
    entries = cast("dict[str, Value]", root.data or {})
    for key, value in entries.items():
        if gojson.fold(key) not in SPEC.folded:
            place = value.key or value
            raise SpecError(
                INVALID_SPEC,
                f"unknown key {gotext.quoted(govalue.clip(key))} at the top of the"
                f" spec: expected {known}",
                line=place.line + 1,
                column=place.column + 1,
            )


def _check_patterns(record: Record, value: Value, limits: Limits) -> None:
    if record.get("op") != "InRegexp":
        return
    for pattern in record.get("value") or ():
        found = len(pattern.encode())
        if found > limits.pattern_bytes:
            raise yaml_errors.too_costly(
                f"a pattern of {found} bytes, at most {limits.pattern_bytes} are"
                " allowed",
                value,
            )


# The types of NFD v0.19.0: api/image-compatibility/v1alpha1/spec.go and
# api/nfd/v1alpha1/types.go.

TEXT: Final = Text()
TEXTS: Final = MapOf("map[string]string", TEXT)

EXPRESSION: Final = Struct(
    "v1alpha1.MatchExpression",
    {
        "op": Text("v1alpha1.MatchOp"),
        "value": ListOf("v1alpha1.MatchValue", TEXT, counted="values"),
        "type": Text("v1alpha1.ValueType"),
    },
    check=_check_patterns,
)
_EXPRESSIONS: Final = MapOf("v1alpha1.MatchExpressionSet", Pointer(EXPRESSION))
_TERM: Final = Struct(
    "v1alpha1.FeatureMatcherTerm",
    {
        "feature": TEXT,
        "matchExpressions": Pointer(_EXPRESSIONS),
        "matchName": Pointer(EXPRESSION),
    },
)
MATCHER: Final = ListOf("v1alpha1.FeatureMatcher", _TERM, counted="terms")
MATCH_ANY: Final = ListOf(
    "[]v1alpha1.MatchAnyElem",
    Struct("v1alpha1.MatchAnyElem", {"matchFeatures": MATCHER}),
)
_GROUP_RULES: Final = ListOf(
    "[]v1alpha1.GroupRule",
    Struct(
        "v1alpha1.GroupRule",
        {
            "name": TEXT,
            "vars": TEXTS,
            "varsTemplate": TEXT,
            "matchFeatures": MATCHER,
            "matchAny": MATCH_ANY,
        },
    ),
    counted="rules",
)
SPEC: Final = Struct(
    "v1alpha1.Spec",
    {
        "version": TEXT,
        "compatibilities": ListOf(
            "[]v1alpha1.Compatibility",
            Struct(
                "v1alpha1.Compatibility",
                {
                    "rules": _GROUP_RULES,
                    "weight": Integer(),
                    "tag": TEXT,
                    "description": TEXT,
                },
            ),
        ),
    },
)
_GROUP_SPEC: Final = Struct(
    "v1alpha1.NodeFeatureGroupSpec", {"featureGroupRules": _GROUP_RULES}
)


def _spec(record: Record) -> Spec:
    return Spec(
        version=record.get("version", ""),
        compatibilities=each(_compatibility, record.get("compatibilities")),
    )


def _compatibility(record: Record) -> Compatibility:
    return Compatibility(
        rules=each(_group_rule, record.get("rules")),
        weight=record.get("weight", 0),
        tag=record.get("tag", ""),
        description=record.get("description", ""),
    )


def _group_rule(record: Record) -> GroupRule:
    return GroupRule(
        name=record.get("name", ""),
        vars=record.get("vars") or {},
        vars_template=record.get("varsTemplate", ""),
        match_features=each(term, record.get("matchFeatures")),
        match_any=each(alternative, record.get("matchAny")),
    )


def alternative(record: Record) -> tuple[FeatureMatcherTerm, ...]:
    """An element of `matchAny`."""
    return each(term, record.get("matchFeatures"))


def term(record: Record) -> FeatureMatcherTerm:
    """A term of `matchFeatures`."""
    decoded: Mapping[str, Record | None] | None = record.get("matchExpressions")
    expressions = None
    if decoded is not None:
        expressions = {name: _expression(one) for name, one in decoded.items()}
    return FeatureMatcherTerm(
        feature=record.get("feature", ""),
        match_expressions=expressions,
        match_name=_expression(record.get("matchName")),
    )


def _expression(record: Record | None) -> MatchExpression | None:
    if record is None:
        return None
    return MatchExpression(
        op=record.get("op", ""),
        value=tuple(record.get("value") or ()),
        type=record.get("type", ""),
    )


def each(build: Callable[[Record], _Built], items: Items | None) -> tuple[_Built, ...]:
    """The values of a slice; nil gives none."""
    return tuple(build(item) for item in items or ())
