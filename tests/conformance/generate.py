"""Makes conformance cases at random, without NFD's answers.

A case is a line of the corpus (see `replay.py`) without `expected`, and what it
aims at: a *probe* of one operator on one kind of element, one of NFD's quirks
(`quirks.py`), or a part of the language (tags, merge, templates, YAML). `live.py`
asks NFD, and counts an aim as hit by what NFD answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from tests.conformance import quirks, templates, yamltext
from tests.conformance.node_features import Features
from tests.conformance.vocabulary import (
    ATTRIBUTES,
    BOOLEAN,
    EQUALITY,
    FLAGS,
    INTERVAL,
    KINDS,
    MISSING,
    NAMES,
    ODD_PATTERNS,
    ODD_WORDS,
    OPERATORS,
    ORDER,
    PATTERNS,
    PRESENCE,
    RULE_NAMES,
    TOKENS,
    WORDS,
)
from tests.conformance.yamltext import Raw

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Case:
    """One question to NFD, and what it is meant to try."""

    line: Json
    aims: tuple[str, ...] = ()


class Generator(Features):
    """Random cases; the same seed makes the same ones."""

    def case(self, number: int) -> Case:
        """The next case."""
        names = tuple(SHAPES)
        weights = [share for _, share in SHAPES.values()]
        (name,) = self.random.choices(names, weights)
        case = SHAPES[name][0](self)
        line = {"id": f"{name}/{number}", "group": name, **case.line}
        return Case(line, (*case.aims, f"shape {name}"))

    # Expressions

    def expression(
        self, actual: str | None = None, *, op: str | None = None, type_: str = ""
    ) -> Json:
        """An expression, often one that is true of `actual`."""
        if op is None:
            op = self.operator_for(actual)
        found: Json = {"op": op}
        if not op and self.chance(0.5):
            found = {}
        values = self.operands(op, type_, actual)
        if values or self.chance(0.1):
            found["value"] = values
        if type_ or self.chance(0.02):
            found["type"] = type_
        return found

    def operator_for(self, actual: str | None) -> str:
        """Ordering a value that is no number is an error: seldom wanted."""
        is_number = actual is not None and re.fullmatch(r"[+-]?[0-9]+", actual)
        orders = (*ORDER, *INTERVAL)
        op = self.pick(OPERATORS)
        if op in orders and not is_number and self.chance(0.9):
            op = self.pick(("In", "In", "NotIn", "InRegexp", "Exists"))
        return op

    def operands(self, op: str, type_: str, actual: str | None) -> list[str]:
        if self.chance(0.015):
            return self.some(lambda: self.value(op, type_), 0, 3)
        if op in PRESENCE or op in BOOLEAN:
            return []
        if op in EQUALITY:
            return self.words(actual)
        if op == "InRegexp":
            patterns = [self.usual(PATTERNS, ODD_PATTERNS, 0.1)]
            if self.chance(0.15):
                patterns.append("".join(self.some(lambda: self.pick(TOKENS), 1, 5)))
            if actual is not None and self.chance(0.5):
                patterns.append(re.escape(actual[:3]))
            return patterns
        count = 1 if op in ORDER else 2
        operands = [self.value(op, type_) for _ in range(count)]
        if op in INTERVAL and type_ == "version" and self.chance(0.4):
            operands = [*self.pick((("0", "99"), ("v1", "5.15"), ("1.2", "6.0.0")))]
        if op in INTERVAL and not type_ and self.chance(0.8):
            operands = [
                *self.pick((("-5", "300"), ("0", "9"), ("5", "6"), ("1", "10")))
            ]
        return operands

    def words(self, actual: str | None) -> list[str]:
        words = self.some(lambda: self.usual(WORDS, ODD_WORDS), 1, 3)
        if actual is not None and self.chance(0.5):
            words.insert(self.random.randint(0, len(words)), actual)
        return words

    # Rules

    def term(self, features: Json) -> Json:
        """A term on something that exists, most of the time."""
        names = sorted({name for kind in features.values() for name in kind})
        feature = self.pick(names) if names and self.chance(0.9) else self.pick(MISSING)
        found: Json = {"feature": self.spelled(feature)}
        if self.chance(0.8):
            found["matchExpressions"] = self.expressions(features, feature)
        if self.chance(0.3):
            known = sorted(_elements(features, feature))
            actual = self.pick(known) if known else None
            op = self.pick(("In", "InRegexp", "Exists", "NotIn", "", "IsTrue"))
            found["matchName"] = self.expression(actual, op=op)
        return found

    def spelled(self, feature: str) -> str:
        return self.usual((feature,), (feature.upper(), feature.title()), 0.06)

    def expressions(self, features: Json, feature: str) -> Json:
        known = _elements(features, feature)
        found: Json = {}
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 2, 3))):
            name = (
                self.pick(sorted(known)) if known and self.chance(0.85) else self.name()
            )
            type_ = "version" if self.chance(0.04) else ""
            found[name] = self.expression(known.get(name), type_=type_)
        return found

    def rule(self, features: Json, *, has_before: bool = False) -> Json:
        """A rule; with `has_before` it may ask for what earlier ones published."""
        found: Json = {"name": self.pick(RULE_NAMES)}
        if self.chance(0.8):
            found["matchFeatures"] = self.some(lambda: self.term(features), 0, 2)
        if self.chance(0.3):
            found["matchAny"] = [
                {"matchFeatures": self.some(lambda: self.term(features), 0, 2)}
                for _ in range(self.random.randint(0, 2))
            ]
        if has_before and self.chance(0.5):
            matched = {self.pick(NAMES[:3]): self.expression(op=self.pick(PRESENCE))}
            term = {"feature": "rule.matched", "matchExpressions": matched}
            found.setdefault("matchFeatures", []).append(term)
        if self.chance(0.35):
            found["vars"] = {self.name(): self.any_value()}
        if self.chance(0.15):
            found["varsTemplate"] = templates.on_rule(self.random, found)
        return found

    def rules(self, features: Json, most: int = 3) -> list[Json]:
        count = self.random.randint(1, most)
        return [self.rule(features, has_before=index > 0) for index in range(count)]

    # Shapes

    def probe(
        self, kind: str | None = None, op: str | None = None, type_: str | None = None
    ) -> Case:
        """One operator on one kind of element: NFD's answer is the operator's."""
        kind = kind or self.pick(KINDS)
        op = op if op is not None else self.usual(OPERATORS, ("Near", "EXISTS"), 0.03)
        if type_ is None:
            is_order = op in (*ORDER, *INTERVAL)
            type_ = self.pick(("", "", "version")) if is_order else ""
        names = self.some(self.name, 1, 2)
        if kind == "name":
            names = [self.value(op, type_) for _ in range(self.pick((1, 1, 2)))]
        elements = {name: self.value(op, type_) for name in names}
        name = names[0] if self.chance(0.85) else "absent"
        actual = name if kind == "name" else elements.get(name)
        expression = self.expression(actual, op=op, type_=type_)
        self.spoil(expression)
        part: Json = {"matchName": expression}
        if kind != "name":
            part = {"matchExpressions": {name: expression}}
        rule = {"name": "probe", "matchFeatures": [{"feature": "dom.feat", **part}]}
        features = _one_kind(kind, elements)
        line = {"spec": _spec([{"rules": [rule]}]), "features": features}
        known = op if op in OPERATORS else "invalid"
        suffix = " version" if type_ == "version" else ""
        return Case(line, (f"probe {kind} {known}{suffix}",))

    def spoil(self, expression: Json) -> None:
        """Makes some of a probe's expressions erroneous."""
        if self.chance(0.12):
            most = self.pick((0, 1, 3))
            expression["value"] = self.some(lambda: self.pick(WORDS), 0, most)
        if self.chance(0.03):
            expression["type"] = self.pick(("version", "Version", "x"))

    def sets(self) -> Case:
        """Sets of rules, with tags, merged features, variables."""
        features = self.features()
        line: Json = {"features": features}
        aims = []
        if self.chance(0.15):
            line["merge"] = self.some(self.features, 1, 2)
            aims.append("merge")
        sets = [
            self.compatibility(features) for _ in range(self.pick((0, 1, 1, 1, 2, 3)))
        ]
        line["spec"] = _spec(sets)
        if self.chance(0.25):
            line["tags"] = self.some(lambda: self.pick(("min", "best", "")), 1, 2)
            aims.append("tags")
        return Case(line, tuple(aims))

    def compatibility(self, features: Json) -> Json:
        found: Json = {"rules": self.rules(features)}
        if self.chance(0.05):
            found["rules"] = self.pick(([], None))
        if self.chance(0.5):
            found["tag"] = self.pick(("min", "best", "", "<b>"))
        if self.chance(0.4):
            found["weight"] = self.pick((0, 1, 100, -5, 2**31))
        if self.chance(0.3):
            found["description"] = self.pick(RULE_NAMES)
        return found

    def yaml(self) -> Case:
        """A spec as text: scalars that YAML coerces, anchors, duplicates."""
        case = self.sets()
        scalar, aims = self.pick(yamltext.SCALARS), ["yaml"]
        text, style = yamltext.write(
            self.random, self.coerced(case.line["spec"], scalar)
        )
        features = case.line["features"]
        elements = features["attributes"].setdefault("coerced.one", {"elements": {}})
        elements["elements"] = dict.fromkeys(("k1", "true"), yamltext.READ[scalar])
        return Case({**case.line, "spec": text}, (*case.aims, *aims, *style))

    def coerced(self, spec: Json, scalar: Raw) -> Json:
        """The spec with `scalar` where text is expected."""
        key = self.pick(("k1", Raw("true"), Raw("yes")))
        expression = {"op": self.pick(("In", "NotIn")), "value": [scalar]}
        term = {"feature": "coerced.one", "matchExpressions": {key: expression}}
        rule = {"name": self.pick((scalar, "r")), "matchFeatures": [term]}
        return {
            **spec,
            "compatibilities": [*spec["compatibilities"], {"rules": [rule]}],
        }

    def broken(self) -> Case:
        """A text that is no spec, or hardly one."""
        text = self.pick(yamltext.BROKEN)
        return Case({"spec": text, "features": self.features()}, ("broken yaml",))

    def template(self) -> Case:
        """A rule with a template, and one that shows what it made."""
        features = self.features()
        features["attributes"]["t.attr"] = {"elements": self.values() or {"k1": "v1"}}
        term = {"feature": "t.attr", "matchExpressions": {}}
        if features["attributes"]["t.attr"]["elements"]:
            known = sorted(features["attributes"]["t.attr"]["elements"])
            term["matchExpressions"] = {name: {"op": "Exists"} for name in known}
        text, aims = templates.make(self.random, "t", "attr")
        made = {"name": "made", "matchFeatures": [term], "varsTemplate": text}
        probe = {
            key: {"op": "InRegexp", "value": [self.usual(PATTERNS, ("^.$",), 0.3)]}
            for key in self.some(lambda: self.pick(("out", "out", "k1")), 1, 1)
        }
        seen = {"feature": "rule.matched", "matchExpressions": probe}
        rules = [made, {"name": "seen", "matchFeatures": [seen]}]
        if self.chance(0.6):
            # nfd-master prints the variables, so the text itself is compared.
            return Case(
                {"mode": "rule", "spec": {"rules": rules}, "features": features}, aims
            )
        return Case({"spec": _spec([{"rules": rules}]), "features": features}, aims)

    def quirk(self, name: str | None = None) -> Case:
        """One of NFD's quirks, on purpose."""
        name = name or self.pick(sorted(quirks.QUIRKS))
        return Case(quirks.QUIRKS[name].make(self.random), (f"quirk {name}",))

    def group(self) -> Case:
        """Rules of a NodeFeatureGroup, as nfd-master runs them."""
        features = self.features()
        spec = {"featureGroupRules": self.rules(features)}
        return Case({"mode": "group", "spec": spec, "features": features})

    def node_rule(self) -> Case:
        """Rules of a NodeFeatureRule: labels and the like."""
        features = self.features()
        rules = self.rules(features)
        for rule in rules:
            for key in ("labels", "annotations", "extendedResources"):
                if self.chance(0.3):
                    rule[key] = {self.name() or "l": self.dynamic() for _ in range(2)}
            if self.chance(0.1):
                rule["labelsTemplate"] = templates.on_rule(self.random, rule)
            if self.chance(0.1):
                taint = {"key": "k", "effect": self.pick(("NoSchedule", "x"))}
                rule["taints"] = [taint | self.pick(({}, {"value": "v"}))]
        return Case({"mode": "rule", "spec": {"rules": rules}, "features": features})

    def dynamic(self) -> str:
        target = f"@{self.pick(ATTRIBUTES + FLAGS)}.{self.name()}"
        return self.pick((self.any_value(), target, "@", "@a", "@kernel.config"))


SHAPES: Mapping[str, tuple[Callable[[Generator], Case], int]] = {
    "probe": (Generator.probe, 34),
    "sets": (Generator.sets, 24),
    "quirk": (Generator.quirk, 12),
    "yaml": (Generator.yaml, 9),
    "template": (Generator.template, 9),
    "group": (Generator.group, 5),
    "rule": (Generator.node_rule, 5),
    "broken": (Generator.broken, 2),
}
"""Shape -> how to make it, and its share in hundred cases."""


def _spec(sets: list[Json]) -> Json:
    return {"version": "v1alpha1", "compatibilities": sets}


def _one_kind(kind: str, elements: Mapping[str, str]) -> Json:
    flags: Json = {"dom.feat": {"elements": {name: {} for name in elements}}}
    attributes = {"dom.feat": {"elements": dict(elements)}}
    instances = {"dom.feat": {"elements": [{"attributes": dict(elements)}]}}
    return {
        "flags": flags if kind == "flag" else {},
        "attributes": attributes if kind in ("attribute", "name") else {},
        "instances": instances if kind == "instance" else {},
    }


def _elements(features: Json, feature: str) -> dict[str, str | None]:
    """Name -> a value it has, `None` for a flag; of all kinds together."""
    flags = features["flags"].get(feature, {}).get("elements") or {}
    attributes = features["attributes"].get(feature, {}).get("elements") or {}
    found: dict[str, str | None] = dict.fromkeys(flags)
    for one in features["instances"].get(feature, {}).get("elements") or ():
        found |= one["attributes"]
    return found | attributes
