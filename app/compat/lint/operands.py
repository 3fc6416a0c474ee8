"""Values that an element never has, or not on every node."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from app.compat.limits import LIMITS
from app.compat.lint import impossible
from app.compat.lint.expressions import ORDER, VALUED
from app.compat.lint.features import FEATURES, Element, Form, Kind, element
from app.compat.lint.problem import Problems, found, shown
from app.compat.lint.written import Expression, Spec, Term, Text

MAYBE_EMPTY: Final = frozenset(
    {"nvidia.com/cuda.driver-version.revision", "nvidia.com/cuda.driver.rev"}
)
"""Labels of GPU Feature Discovery that may hold the empty text."""

_LITERAL: Final = re.compile(r"(?:[A-Za-z0-9_ /:-]|\\\.)+")


def check(spec: Spec) -> Problems:
    """Problems of values, by the element that they are compared with."""
    for rule in spec.rules:
        for term in rule.every:
            for one in term.expressions:
                yield from _expression(term, one.name, one)
            if term.match_name is not None:
                yield from _names(term, term.match_name)


def _expression(term: Term, name: Text, one: Expression) -> Problems:
    known = element(term.key, name.text)
    feature = FEATURES.get(term.key)
    if feature is not None and feature.form is Form.FLAG:
        if known is None or known.kind is Kind.TEXT:
            yield from _of_flag(term, name, one)
        return
    if one.op.text in ORDER:
        yield from _order(term, name, one, known)
    elif known is not None:
        yield from _equality(term, name, one, known)
    if one.op.text == "InRegexp" and _is_a_name(term.key, name.text):
        yield from _unanchored(one, lambda text: _can_be(known, name.text, text))
    if one.op.text == "InRegexp" and (term.key, name.text) == _FULL:
        yield from _plus(one)


_FULL: Final = ("kernel.version", "full")
_PLUS: Final = re.compile(r"\\\+(?![?*{])|\[\+\]")


def _plus(one: Expression) -> Problems:
    """NFD publishes a `+` of a kernel's release as `_`, or not at all."""
    for value in one.values:
        if "|" not in value.text and _PLUS.search(value.text):
            message = (
                f'kernel.version "full" never holds a +: found {shown(value.text)}'
            )
            hint = "write _ for it; at the end NFD leaves it out"
            yield found("impossible-value", value.at, message, hint)


def _can_be(known: Element | None, name: str, text: str) -> bool:
    """Whether a text may be a whole value, and not only its beginning."""
    if known is None or known.kind not in {Kind.PCI_ID, Kind.USB_ID}:
        return True
    return len(text) == impossible.digits(known.kind, name)


def _of_flag(term: Term, name: Text, one: Expression) -> Problems:
    if one.op.text in VALUED:
        message = f"elements of {term.key} have no value: {one.op.text} never matches"
        hint = "write {op: Exists}"
        if one.op.text in {"NotIn", "IsFalse"}:
            hint = "write {op: DoesNotExist}"
        yield found("value-of-flag", name.at, message, hint)


# Order --------------------------------------------------------------------------


def _order(term: Term, name: Text, one: Expression, known: Element | None) -> Problems:
    full = f"{term.key} {shown(name.text)}"
    is_version = one.type.text == "version"
    if name.text in MAYBE_EMPTY and not is_version:
        message = f"{full} may be empty, and comparing that is an error"
        hint = "compare the full version, with type: version"
        yield found("number-elsewhere", name.at, message, hint)
    elif known is None or _is_open(term.key):
        return
    elif known.kind is Kind.NUMBER:
        yield from _version_of_number(full, one, is_version=is_version)
    elif is_version and known.kind is not Kind.VERSION:
        message = f"{full} is no version on every node, and comparing is an error there"
        hint = _VERSION_HINTS.get((term.key, name.text), "write InRegexp")
        yield found("version-elsewhere", name.at, message, hint)
    elif not is_version:
        message = f"{full} is no number on every node, and comparing is an error there"
        hint = "write In or InRegexp"
        if known.kind is Kind.VERSION:
            hint = "add type: version"
        hint = _NUMBER_HINTS.get((term.key, name.text), hint)
        yield found("number-elsewhere", name.at, message, hint)


def _version_of_number(full: str, one: Expression, *, is_version: bool) -> Problems:
    """A version that is compared with one of its parts: 5 is less than 5.14."""
    dotted = next((value for value in one.values if "." in value.text), None)
    if is_version and dotted is not None:
        message = f"{full} is one number, and no version as {shown(dotted.text)}"
        hint = impossible.PARTS if full.startswith("kernel.version ") else ""
        yield found("version-elsewhere", dotted.at, message, hint)


def _is_open(key: str) -> bool:
    """Whether nothing is known of the values of a feature's elements."""
    return not FEATURES[key].elements


_VERSION_HINTS: Final = MappingProxyType(
    {
        ("kernel.version", "full"): (
            'releases as "5.14.0-427.el9_4.x86_64" and "6.6.134.1-2.azl3" are no'
            " versions: write InRegexp on full"
        )
    }
)
_NUMBER_HINTS: Final = MappingProxyType(
    {("kernel.version", "full"): "write InRegexp on full, or compare major"}
)


# Equality -----------------------------------------------------------------------


def _equality(term: Term, name: Text, one: Expression, known: Element) -> Problems:
    wanted = _IMPLIED.get(one.op.text)
    if wanted is not None:
        yield from _implied(term, name, one, known, wanted)
    if one.op.text not in {"In", "NotIn"}:
        return
    if (term.key, name.text) == ("system.osrelease", "VERSION_ID.minor"):
        yield from _minor(term, one)
    if (term.key, name.text) == ("system.osrelease", "ID"):
        yield from _rhcos(one)
    for value in one.values:
        yield from impossible.look(term, name, value, known)


_IMPLIED: Final[Mapping[str, str]] = MappingProxyType(
    {"IsTrue": "true", "IsFalse": "false"}
)


def _implied(
    term: Term, name: Text, one: Expression, known: Element, wanted: str
) -> Problems:
    """IsTrue and IsFalse on what never is `true` or `false`."""
    full = f"{term.key} {shown(name.text)}"
    if known.kind is Kind.ONLY_TRUE and wanted == "false":
        message = f"{full} is absent where it is not true: IsFalse never matches"
        yield found("impossible-value", one.op.at, message, "write {op: DoesNotExist}")
    elif term.key == "kernel.config" or known.kind in {Kind.NUMBER, Kind.PCI_ID}:
        message = f'{full} never is "{wanted}": {one.op.text} never matches'
        hint = 'write {op: In, value: ["y", "m"]}'
        if term.key != "kernel.config":
            hint = "write In"
        yield found("impossible-value", one.op.at, message, hint)


def _rhcos(one: Expression) -> Problems:
    """What was "rhcos" is "rhel" now."""
    if "rhcos" in one.operands and "rhel" not in one.operands:
        at = one.values[one.operands.index("rhcos")].at
        message = 'ID is "rhel" instead of "rhcos" since OpenShift 4.19'
        hint = 'add "rhel", or ask for OPENSHIFT_VERSION: {op: Exists}'
        yield found("not-on-every-host", at, message, hint)


def _minor(term: Term, one: Expression) -> Problems:
    """Ubuntu's minor version has two digits: 22.04 is 22 and 04."""
    is_ubuntu = any(
        other.name.text == "ID" and other.operands == ("ubuntu",)
        for other in term.expressions
    )
    for value in one.values:
        if is_ubuntu and len(value.text) == 1:
            message = f"Ubuntu's minor version is never {shown(value.text)}"
            yield found("leading-zero", value.at, message, f'write "0{value.text}"')


# Names --------------------------------------------------------------------------


def _names(term: Term, names: Expression) -> Problems:
    if names.op.text == "DoesNotExist":
        message = "matchName with DoesNotExist never matches"
        hint = "write matchExpressions: {NAME: {op: DoesNotExist}}"
        yield found("names-operator", names.op.at, message, hint)
    elif names.op.text in ORDER | {"IsTrue", "IsFalse"}:
        message = f"matchName with {names.op.text} compares names, not values"
        yield found("names-operator", names.op.at, message, "write matchExpressions")
    elif names.op.text == "NotIn":
        message = "matchName with NotIn matches if any other name is there"
        hint = "write matchExpressions: {NAME: {op: DoesNotExist}}"
        yield found("names-operator", names.op.at, message, hint)
    elif names.op.text == "InRegexp" and term.key in FEATURES:
        feature = FEATURES[term.key]
        yield from _unanchored(names, lambda text: feature.element(text) is not None)


_IDENTIFIERS: Final = frozenset(
    {
        ("system.osrelease", "ID"),
        ("system.osrelease", "VARIANT_ID"),
        ("cpu.model", "vendor_id"),
        ("cpu.model", "hypervisor"),
        *(("pci.device", name) for name in ("class", "vendor", "device")),
        *(("usb.device", name) for name in ("class", "vendor", "device")),
    }
)
"""Elements whose value is one word."""


def _is_a_name(feature: str, name: str) -> bool:
    return (feature, name) in _IDENTIFIERS


def _unanchored(one: Expression, is_whole: Callable[[str], bool]) -> Problems:
    """Patterns that are words.

    Args:
        one: the expression.
        is_whole: whether a word may be all that it is compared with.
    """
    for value in one.values:
        is_read = len(value.text) <= LIMITS.pattern_bytes
        if is_read and _LITERAL.fullmatch(value.text):
            message = f"the pattern {shown(value.text)} is found in longer texts, too"
            hint = f'write "^{value.text}", if that is how it begins'
            if is_whole(value.text):
                hint = f'write op: In, or "^{value.text}$"'
            yield found("unanchored-pattern", value.at, message, hint)
