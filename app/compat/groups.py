"""The rules of a NodeFeatureGroup on one node, as nfd-master runs them.

A node belongs to a group if any of its rules matches. A rule that cannot be
evaluated is passed over. Variables of each rule are seen by the rules after it
(`nfd-master.go#L832` at v0.19.0). nfd-master stops a rule at its first failing
term; within a term Go picks an expression at random, we take sorted order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.compat.features import Features
from app.compat.matching import RuleResult, View, judge_rule
from app.compat.spec import GroupRule


def judge_group(
    rules: Iterable[GroupRule], features: Features
) -> tuple[RuleResult, ...]:
    """Evaluates every rule of a group on one node, in order."""
    view = View(features)
    return tuple(judge_rule(rule, view, fail_fast=True) for rule in rules)


def belongs(results: Sequence[RuleResult]) -> bool:
    """Whether the node is a member of the group."""
    return any(result.is_match for result in results)
