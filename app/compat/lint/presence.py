"""What NFD answers about what is not there, or is there more than once.

`NotIn` is false for a missing element, `DoesNotExist` for a missing feature; of
instances one is enough for everything (`expression.go#L98` and `#L490` at v0.19.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.compat.lint import cpuid
from app.compat.lint.expressions import VALUED
from app.compat.lint.features import (
    DOMAINS,
    FEATURES,
    Element,
    Feature,
    Form,
    Kind,
)
from app.compat.lint.problem import At, Problem, Problems, found, shown
from app.compat.lint.written import Expression, Rule, Spec, Term, Text


def check(spec: Spec) -> Problems:
    """Problems of what may be absent."""
    for rule in spec.rules:
        for term in rule.every:
            yield from _term(term)
        yield from _levels(rule)
        yield from _split(rule)
        yield from _kernel_numbers(rule)


def _term(term: Term) -> Problems:
    feature = FEATURES.get(term.key)
    for one in term.expressions:
        if one.op.text == "DoesNotExist":
            yield from _does_not_exist(term, one.name, feature)
        elif one.op.text in {"NotIn", "IsFalse"}:
            yield from _negative(term, one.name, one, feature)
    if term.key == "storage.block":
        yield from _loops(term)


def _does_not_exist(term: Term, name: Text, feature: Feature | None) -> Problems:
    key = shown(term.feature.text)
    if feature is None:
        if term.key and term.key.partition(".")[0] not in DOMAINS:
            message = f"false, not true, on a node that does not publish {key} at all"
            yield found("absent-feature", name.at, message, _ASK)
    elif feature.form is Form.INSTANCE:
        message = f"true if any instance of {key} lacks {shown(name.text)}"
        hint = "there is no way to say that no instance has it"
        yield found("any-instance", name.at, message, hint)
    elif feature.absent and term.key != "rule.matched":
        message = f"false, not true, without {key}: {feature.absent}"
        yield found("absent-feature", name.at, message, _ASK)


_ASK: Final = "ask for something that must be there, if that is not what you mean"


def _negative(
    term: Term, name: Text, one: Expression, feature: Feature | None
) -> Problems:
    known = None if feature is None else feature.element(name.text)
    if feature is not None and (known is None or _is_flag(feature, known)):
        return
    absent = "nodes that do not publish it"
    if feature is not None and known is not None:
        is_instance = feature.form is Form.INSTANCE
        absent = known.absent or ("" if is_instance else feature.absent)
    if one.op.text == "IsFalse" and known is not None and _never_false(term, known):
        return  # impossible-value
    if not absent:
        return
    full = f"{shown(term.feature.text)[1:-1]} {shown(name.text)}"
    message = f"{one.op.text} is false where {full} is absent: {absent}"
    hint = "add a matchAny with {op: DoesNotExist}, if absent is fine"
    if feature is not None and feature.form is Form.INSTANCE:
        hint = "only instances that have it are looked at"
    yield found("absent-is-false", name.at, message, hint)


def _is_flag(feature: Feature, known: Element) -> bool:
    return feature.form is Form.FLAG and known.kind is Kind.TEXT


def _never_false(term: Term, known: Element) -> bool:
    is_other = known.kind in {Kind.ONLY_TRUE, Kind.NUMBER, Kind.PCI_ID}
    return is_other or term.key == "kernel.config"


def _loops(term: Term) -> Problems:
    names = {one.name.text: one for one in term.expressions}
    rotational = names.get("rotational")
    if rotational is None or "name" in names:
        return
    if (rotational.op.text, rotational.operands) in _STILL:
        message = 'rotational "0" is no evidence of an SSD: loop devices have it, too'
        hint = 'ask for the name, too: {op: InRegexp, value: ["^(nvme|sd|vd)"]}'
        yield found("loop-devices", rotational.name.at, message, hint)


_STILL: Final = frozenset(
    {
        ("In", ("0",)),
        ("NotIn", ("1",)),
        ("Lt", ("1",)),
        ("Le", ("0",)),
        ("InRegexp", ("^0$",)),
        ("InRegexp", ("0",)),
    }
)
"""Ways to say that a device does not rotate."""


# What not every host has ---------------------------------------------------------


def _levels(rule: Rule) -> Problems:
    """Levels of amd64, which NFD publishes since 0.19, without an alternative."""
    required = [name for term in rule.terms for name in _asked(term)]
    by_alternative = [
        [name for term in one.terms for name in _asked(term)]
        for one in rule.alternatives
    ]
    if by_alternative and all(by_alternative):
        required += [name for names in by_alternative for name in names]
    for name in required:
        message = f"{shown(name.text)} is published since NFD 0.19 only"
        hint = "add an alternative (matchAny) with the flags of the level"
        yield found("newer-nfd", name.at, message, hint)


def _asked(term: Term) -> list[Text]:
    if term.key != "cpu.cpuid":
        return []
    names = [one.name for one in term.expressions if one.op.text == "Exists"]
    levels = [name for name in names if name.text in cpuid.LEVELS]
    listed = term.match_name
    if listed is not None and listed.op.text == "In":
        is_level = all(one in cpuid.LEVELS for one in listed.operands)
        levels += listed.values[:1] if is_level else ()
    return levels


def _split(rule: Rule) -> Problems:
    """Terms on one kind of device that ask for different elements.

    Each may be true of another device; together in one term they mean one.
    """
    before: dict[str, set[str]] = {}
    for term in rule.terms:
        feature = FEATURES.get(term.key)
        if feature is None or feature.form is not Form.INSTANCE or not term.expressions:
            continue
        names = {one.name.text for one in term.expressions}
        known = before.setdefault(term.key, set())
        if known and not known & names:
            message = (
                f"this may be true of another instance of {term.key} than the term"
                " before"
            )
            hint = "for one and the same put all expressions into one term"
            yield found("split-instances", term.at, message, hint)
        known |= names


def _kernel_numbers(rule: Rule) -> Problems:
    """Parts of the kernel's version, which NFD cannot tell of every release."""
    required = _parts(rule.terms)
    by_alternative = [_parts(one.terms) for one in rule.alternatives]
    if by_alternative and all(by_alternative):
        required += by_alternative[0]
    for term in rule.every:
        yield from _gone(term)
    for name in required[:1]:
        yield _not_everywhere(name.at, name.text)


def _parts(terms: Sequence[Term]) -> list[Text]:
    """The parts of the version that terms ask for."""
    return [
        one.name
        for term in terms
        if term.key == "kernel.version"
        for one in term.expressions
        if one.op.text in VALUED and one.name.text in _SPLIT
    ]


def _gone(term: Term) -> Problems:
    """RHEL_VERSION, which OpenShift had up to 4.18."""
    for one in term.expressions:
        is_gone = (term.key, one.name.text) == ("system.osrelease", "RHEL_VERSION")
        if is_gone and one.op.text in VALUED | {"Exists"}:
            message = "RHEL_VERSION is gone from OpenShift since 4.19"
            hint = "ask for OPENSHIFT_VERSION"
            yield found("not-on-every-host", one.name.at, message, hint)


_SPLIT: Final = frozenset({"major", "minor", "revision"})


def _not_everywhere(at: At, name: str) -> Problem:
    message = (
        f"kernel.version {shown(name)} is absent on Debian 13 and Azure Linux: NFD"
        " cannot split their releases"
    )
    hint = "write InRegexp on full"
    return found("not-on-every-host", at, message, hint)
