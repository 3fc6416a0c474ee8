"""Values that an element never has, or not on every node."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from app.compat.limits import LIMITS
from app.compat.lint import near
from app.compat.lint.expressions import ORDER, VALUED
from app.compat.lint.features import FEATURES, Element, Form, Kind, element
from app.compat.lint.problem import Problems, found, shown
from app.compat.lint.written import Expression, Spec, Term, Text

VENDOR_IDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "genuineintel": "Intel",
        "authenticamd": "AMD",
        "hygongenuine": "Hygon",
        "arm limited": "ARM",
        "amperecomputing": "Ampere",
    }
)
"""What a processor calls its vendor, in lower case -> what NFD does."""

MAYBE_EMPTY: Final = frozenset(
    {"nvidia.com/cuda.driver-version.revision", "nvidia.com/cuda.driver.rev"}
)
"""Labels of GPU Feature Discovery that may hold the empty text."""

_HEX: Final = re.compile("[0-9a-f]+")
_LITERAL: Final = re.compile(r"(?:[A-Za-z0-9_ /:-]|\\\.)+")
_PCI_DIGITS: Final = 4
_USB_DIGITS: Final[Mapping[str, int]] = MappingProxyType({"class": 2})


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
        yield from _unanchored(one)


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
    elif known is None or known.kind is Kind.NUMBER or _is_open(term.key):
        return
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
    look = _VALUES.get(known.kind, _listed)
    look = _OF_FEATURE.get(term.key, look)
    for value in one.values:
        if not value.is_coerced or look is not _option:
            yield from look(term, name, value, known)


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


def _listed(term: Term, name: Text, value: Text, known: Element) -> Problems:
    if not known.values or value.text in known.values:
        return
    meant = VENDOR_IDS.get(value.text.lower(), near.nearest(value.text, known.values))
    few = len(known.values) <= _FEW
    expected = f": expected {' or '.join(map(shown, known.values))}" if few else ""
    message = f"{term.key} {shown(name.text)} never is {shown(value.text)}{expected}"
    hint = f"write {shown(meant)}" if meant else ""
    yield found("impossible-value", value.at, message, hint)


_FEW: Final = 4


def _option(term: Term, name: Text, value: Text, _known: Element) -> Problems:
    """Values of kernel options; one that is off is absent."""
    full = f"{term.key} {shown(name.text)}"
    if value.text in {"n", "is not set", ""}:
        message = f"{full} never is {shown(value.text)}: what is off is absent"
        yield found("config-off", value.at, message, "write {op: DoesNotExist}")
    elif value.text in {"true", "false", "Y", "M", "yes", "no"}:
        message = f'{full} never is {shown(value.text)}: expected "y" or "m"'
        yield found("impossible-value", value.at, message, 'write ["y", "m"]')


def _pci_id(term: Term, name: Text, value: Text, _known: Element) -> Problems:
    if len(value.text) == _PCI_DIGITS and _HEX.fullmatch(value.text):
        return
    plain = value.text.lower().removeprefix("0x")
    message = (
        f"{shown(value.text)} is no {term.key} {name.text}: expected four hexadecimal"
        " digits in lower case, without 0x"
    )
    is_id = len(plain) <= _PCI_DIGITS and _HEX.fullmatch(plain)
    hint = f'write "{plain:0>4}"' if is_id and not value.is_coerced else ""
    if len(plain) == _PCI_DIGITS + 2 and name.text == "class":
        hint = f'write "{plain[:4]}", without the programming interface'
    yield found("pci-id", value.at, message, hint or _quoted_source(value))


def _usb_id(_term: Term, name: Text, value: Text, _known: Element) -> Problems:
    digits = _USB_DIGITS.get(name.text, _PCI_DIGITS)
    if len(value.text) == digits and _HEX.fullmatch(value.text):
        return
    plain = value.text.lower().removeprefix("0x")
    message = (
        f"{shown(value.text)} is no usb.device {name.text}: expected {digits}"
        " hexadecimal digits in lower case, without 0x"
    )
    is_id = len(plain) <= digits and _HEX.fullmatch(plain) and not value.is_coerced
    hint = f'write "{plain:0>{digits}}"' if is_id else _quoted_source(value)
    yield found("usb-id", value.at, message, hint)


def _quoted_source(value: Text) -> str:
    return f"write {shown(value.source)}, quoted" if value.is_coerced else ""


_Look = Callable[[Term, Text, Text, Element], Problems]
_VALUES: Final[Mapping[Kind, _Look]] = MappingProxyType(
    {Kind.PCI_ID: _pci_id, Kind.USB_ID: _usb_id}
)
_OF_FEATURE: Final[Mapping[str, _Look]] = MappingProxyType({"kernel.config": _option})


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
        yield from _unanchored(names)


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


def _unanchored(one: Expression) -> Problems:
    for value in one.values:
        is_read = len(value.text) <= LIMITS.pattern_bytes
        if is_read and _LITERAL.fullmatch(value.text):
            message = f"the pattern {shown(value.text)} is found in longer texts, too"
            hint = f'write op: In, or "^{value.text}$"'
            yield found("unanchored-pattern", value.at, message, hint)
