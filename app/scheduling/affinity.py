"""The required node affinity of a Pod as one test of a node.

Terms are alternatives; all of a term must hold. An empty term and an invalid one
never hold, and spoil no other. Without any term that can hold, no node passes.

`matchFields` knows one field, `metadata.name`, and the operators `In` and `NotIn`
with exactly one value. Names are gathered in sets, so that one term a node (as
some controllers write) costs no more than a look-up.

Source: `nodeaffinity.go`, k8s.io/component-helpers v0.35.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.scheduling.node import Node
from app.scheduling.placement import NodeTerm
from app.scheduling.selector import Requirement, Test, as_test

NAME_FIELD: Final = "metadata.name"


def any_term(terms: Iterable[NodeTerm]) -> Test:
    """Whether one of the terms holds on a node."""
    names: set[str] = set()
    others: frozenset[str] | None = None
    tests: list[Test] = []
    for term in terms:
        labels, fields = all_of(term.match_expressions), _names(term.match_fields)
        if labels is None or fields is None or term == NodeTerm():
            continue
        if term.match_expressions:
            tests.append(_both(labels, *fields))
        elif fields[0] is not None:
            names |= fields[0] - fields[1]
        else:
            others = fields[1] if others is None else others & fields[1]
    if others is not None:
        tests.append(_both(_always, None, others))
    if not tests:
        return lambda node: node.name in names
    if len(tests) == 1 and not names:
        return tests[0]
    return lambda node: node.name in names or any(test(node) for test in tests)


def all_of(requirements: Iterable[Requirement]) -> Test | None:
    """All requirements as one test of a node; `None` if one of them is invalid."""
    tests = [as_test(requirement) for requirement in requirements]
    valid = [test for test in tests if test is not None]
    if len(valid) < len(tests):
        return None
    if len(valid) == 1:
        return valid[0]

    def matches(node: Node) -> bool:
        for test in valid:  # noqa: SIM110 (a generator costs more than the tests)
            if not test(node):
                return False
        return True

    return matches


def _always(_: Node) -> bool:
    return True


def _both(labels: Test, names: frozenset[str] | None, others: frozenset[str]) -> Test:
    if names is not None:
        wanted = names - others
        return lambda node: node.name in wanted and labels(node)
    if others:
        return lambda node: node.name not in others and labels(node)
    return labels


def _names(
    fields: Iterable[Requirement],
) -> tuple[frozenset[str] | None, frozenset[str]] | None:
    """The names that a term wants (`None` for any) and those that it does not.

    `None` if a requirement is invalid or holds on no node. A node has no field
    but its name: every other one reads as empty (`fields.Set.Get`).
    """
    names: frozenset[str] | None = None
    others: set[str] = set()
    for field in fields:
        if len(field.values) != 1 or field.operator not in ("In", "NotIn"):
            return None
        one, is_in = frozenset(field.values), field.operator == "In"
        if field.key != NAME_FIELD:
            if is_in != ("" in one):
                return None
        elif is_in:
            names = one if names is None else names & one
        else:
            others |= one
    return names, frozenset(others)
