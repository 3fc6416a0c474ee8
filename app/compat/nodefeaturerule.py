"""A NodeFeatureRule: its values, and its text read exactly as NFD does.

nfd-master makes labels, taints and more of these rules; image compatibility needs
them only to be compared with it, so that they stand beside `spec` and `parse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.compat import gojson, parse, rfc3339
from app.compat.gojson import ListOf, Parsed, Record, Struct, Text
from app.compat.limits import LIMITS, Limits
from app.compat.spec import FeatureMatcherTerm


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint that a NodeFeatureRule creates.

    Attributes:
        key: the taint's key, as written.
        value: its value; empty if absent.
        effect: as written; nfd-master checks it, the reader does not.
        time_added: RFC 3339 in UTC, as Go prints it; `None` if absent.
    """

    key: str = ""
    value: str = ""
    effect: str = ""
    time_added: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a NodeFeatureRule: what to publish on nodes that match.

    Attributes:
        name: for people; need not be unique.
        labels: labels to create.
        labels_template: a Go text/template that yields `key=value` lines.
        annotations: annotations to create.
        vars: static variables, published as `rule.matched`.
        vars_template: a Go text/template that yields `key=value` lines.
        taints: taints to create, in order.
        extended_resources: extended resources to create.
        match_features: terms that must all hold; empty if absent.
        match_any: alternatives, each a tuple of terms; empty if absent.
    """

    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    labels_template: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)
    vars_template: str = ""
    taints: tuple[Taint, ...] = ()
    extended_resources: Mapping[str, str] = field(default_factory=dict)
    match_features: tuple[FeatureMatcherTerm, ...] = ()
    match_any: tuple[tuple[FeatureMatcherTerm, ...], ...] = ()


def read(content: bytes, *, limits: Limits = LIMITS) -> tuple[Rule, ...]:
    """Reads the spec of a NodeFeatureRule (`rules`) as NFD does.

    Raises:
        SpecError: as `parse.read` does.
    """
    record = gojson.decode(_SPEC, parse.read_document(content, limits), limits)
    return parse.each(_rule, record.get("rules"))


# api/nfd/v1alpha1/types.go at v0.19.0.

_TAINTS: Final = ListOf(
    "[]v1.Taint",
    Struct(
        "v1.Taint",
        {
            "key": parse.TEXT,
            "value": parse.TEXT,
            "effect": Text("v1.TaintEffect"),
            "timeAdded": Parsed(rfc3339.normalise),
        },
    ),
)
_SPEC: Final = Struct(
    "v1alpha1.NodeFeatureRuleSpec",
    {
        "rules": ListOf(
            "[]v1alpha1.Rule",
            Struct(
                "v1alpha1.Rule",
                {
                    "name": parse.TEXT,
                    "labels": parse.TEXTS,
                    "labelsTemplate": parse.TEXT,
                    "annotations": parse.TEXTS,
                    "vars": parse.TEXTS,
                    "varsTemplate": parse.TEXT,
                    "taints": _TAINTS,
                    "extendedResources": parse.TEXTS,
                    "matchFeatures": parse.MATCHER,
                    "matchAny": parse.MATCH_ANY,
                },
            ),
            counted="rules",
        )
    },
)


def _rule(record: Record) -> Rule:
    return Rule(
        name=record.get("name", ""),
        labels=record.get("labels") or {},
        labels_template=record.get("labelsTemplate", ""),
        annotations=record.get("annotations") or {},
        vars=record.get("vars") or {},
        vars_template=record.get("varsTemplate", ""),
        taints=parse.each(_taint, record.get("taints")),
        extended_resources=record.get("extendedResources") or {},
        match_features=parse.each(parse.term, record.get("matchFeatures")),
        match_any=parse.each(parse.alternative, record.get("matchAny")),
    )


def _taint(record: Record) -> Taint:
    return Taint(
        key=record.get("key", ""),
        value=record.get("value", ""),
        effect=record.get("effect", ""),
        time_added=record.get("timeAdded"),
    )
