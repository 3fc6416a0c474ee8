"""Sets that ask for flags of amd64 and for flags of arm64: no node has both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from app.compat.lint import cpuid
from app.compat.lint.problem import Problems, found, shown
from app.compat.lint.written import CompatibilitySet, Rule, Term, Text

_ONLY: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"amd64": cpuid.AMD64 - cpuid.ARM64, "arm64": cpuid.ARM64 - cpuid.AMD64}
)
"""Architecture -> flags that the other has not."""

_Needs: TypeAlias = Mapping[str, Text]
"""Architecture -> the first flag that asks for it."""


def check(one: CompatibilitySet) -> Problems:
    """Two architectures in one set; or in one alternative, which never matches then.

    A rule asks for an architecture if its matchFeatures do, or all its alternatives.
    """
    whole: dict[str, Text] = {}
    for rule in one.rules:
        for alternative in rule.alternatives:
            needs = _of_terms(alternative.terms)
            if _ONLY.keys() <= needs.keys():
                yield from _mixed(needs)
        for name, flag in _of_rule(rule).items():
            whole.setdefault(name, flag)
    if _ONLY.keys() <= whole.keys():
        yield from _mixed(whole)


def _of_rule(rule: Rule) -> _Needs:
    needs = dict(_of_terms(rule.terms))
    alternatives = [_of_terms(one.terms) for one in rule.alternatives]
    for name in _ONLY:
        if alternatives and all(name in one for one in alternatives):
            needs.setdefault(name, alternatives[0][name])
    return needs


def _of_terms(terms: Iterable[Term]) -> _Needs:
    needs: dict[str, Text] = {}
    for term in terms:
        if term.key == "cpu.cpuid":
            for name, flag in _of_term(term):
                needs.setdefault(name, flag)
    return needs


def _of_term(term: Term) -> Iterator[tuple[str, Text]]:
    """What must be there: each flag that must exist, and one of those of a list."""
    lists: list[tuple[Text, ...]] = [
        (one.name,) for one in term.expressions if one.op.text == "Exists"
    ]
    names = term.match_name
    if names is not None and names.op.text == "In" and names.values:
        lists.append(names.values)
    for flags in lists:
        for name, only in _ONLY.items():
            if all(one.text in only for one in flags):
                yield name, flags[0]


def _mixed(needs: _Needs) -> Problems:
    last, first = sorted(_ONLY, key=lambda name: _place(needs[name]), reverse=True)
    message = (
        f"{shown(needs[last].text)} is a flag of {last}, and"
        f" {shown(needs[first].text)} in line {needs[first].at.line} one of {first}: no"
        " node has both"
    )
    hint = "write a set, or an element of matchAny, for each architecture"
    yield found("mixed-architectures", needs[last].at, message, hint)


def _place(flag: Text) -> tuple[int, int]:
    return flag.at.line, flag.at.column
