"""The rules of NodeFeatureRules on one node: what nfd-master would publish.

A rule that matches creates labels, annotations, extended resources and taints;
one that cannot be evaluated is passed over (`rule.go#L64` and
`nfd-master.go#L1087` at v0.19.0). Labels and variables of each rule are seen by
the rules after it. What a rule says is given as written: prefixes and NFD's
checks of names and values are not applied. `resolve` looks up dynamic values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.compat.features import Features
from app.compat.matching import Variables, View, run
from app.compat.nodefeaturerule import Rule, Taint
from app.errors import SpecError


@dataclass(frozen=True, slots=True)
class NodeRuleResult:
    """What became of one rule; without a match it creates nothing.

    Attributes:
        rule: the rule.
        is_match: whether it matches; false with an error.
        error: why it could not be evaluated, in NFD's words; `None` if it was.
        labels: those of `labelsTemplate`, then the static ones, which win.
        annotations: as the rule states them.
        vars: those of `varsTemplate`, then the static ones, which win.
        taints: as the rule states them.
        extended_resources: as the rule states them.
    """

    rule: Rule
    is_match: bool
    error: str | None = None
    labels: Variables = field(default_factory=dict)
    annotations: Variables = field(default_factory=dict)
    vars: Variables = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    extended_resources: Variables = field(default_factory=dict)


def judge_rules(
    rules: Iterable[Rule], features: Features
) -> tuple[NodeRuleResult, ...]:
    """Evaluates rules on one node, in order (objects sorted by their names)."""
    view = View(features)
    return tuple(_judge(rule, view) for rule in rules)


def _judge(rule: Rule, view: View) -> NodeRuleResult:
    try:
        templates = (rule.labels_template, rule.vars_template)
        ran = run(rule, templates, view, fail_fast=True)
        result = NodeRuleResult(rule, is_match=ran.is_match)
        if ran.outputs is not None:
            labels, variables = ran.outputs
            result = NodeRuleResult(
                rule,
                is_match=ran.is_match,
                labels={**labels, **rule.labels},
                annotations=rule.annotations,
                vars={**variables, **rule.vars},
                taints=rule.taints,
                extended_resources=rule.extended_resources,
            )
        view.publish(result.labels)
        view.publish(result.vars)
    except SpecError as error:
        return NodeRuleResult(rule, is_match=False, error=error.message)
    return result


def resolve(values: Mapping[str, str], features: Features) -> dict[str, str]:
    """Replaces dynamic values: `@cpu.model.id` by that attribute of the node.

    The element's name may hold dots. A value that cannot be looked up is left out,
    as nfd-master does with labels and extended resources (`nfd-master.go#L556`).
    """
    found = {name: _dynamic(value, features) for name, value in values.items()}
    return {name: value for name, value in found.items() if value is not None}


def _dynamic(value: str, features: Features) -> str | None:
    if not value.startswith("@"):
        return value
    domain, _, rest = value[1:].partition(".")
    feature, _, element = rest.partition(".")
    attributes = features.attributes.get(f"{domain}.{feature}")
    return None if attributes is None else attributes.get(element)
