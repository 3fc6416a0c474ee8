"""Texts that NFD never publishes of an element, and what it publishes instead.

Each look gets a term, the element's name, one text that In or NotIn compares it
with, and what is known of the element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from app.compat.lint import near
from app.compat.lint.features import Element, Kind
from app.compat.lint.problem import Problems, found, shown
from app.compat.lint.written import Term, Text

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

HYPERVISORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("hyperv", "hyper-v", "microsoft", "azure"), "msvm"),
        **dict.fromkeys(("xen", "xenhvm"), "xenhvm"),
        **dict.fromkeys(("vmware", "esx", "esxi", "vsphere"), "vmware"),
        **dict.fromkeys(("kvm", "linux kvm", "linuxkvm"), "kvm"),
        **dict.fromkeys(("none", "no", "false", "baremetal", "bare-metal"), "none"),
    }
)
"""What people call a hypervisor, in lower case -> what NFD does."""

_HEX: Final = re.compile("[0-9a-f]+")
_PCI_DIGITS: Final = 4
_BASE_CLASS_DIGITS: Final = 2
_NUMBER: Final = re.compile("-?[0-9]+")
_NOT_OF_RELEASES: Final = re.compile("[^-A-Za-z0-9_.]")
_FEW: Final = 4
_LONGEST: Final = 1_024


def look(term: Term, name: Text, value: Text, known: Element) -> Problems:
    """Whether an element can have this value; nothing of one that nobody writes."""
    if len(value.text) > _LONGEST:
        return
    of_element = _OF_ELEMENT.get((term.key, name.text))
    of_kind = _OF_FEATURE.get(term.key, _OF_KIND.get(known.kind, _listed))
    yield from (of_element or of_kind)(term, name, value, known)


def _never(term: Term, name: Text, value: Text, why: str, hint: str) -> Problems:
    full = f"{term.key} {shown(name.text)}"
    message = f"{full} never is {shown(value.text)}{why}"
    yield found("impossible-value", value.at, message, hint)


def _listed(term: Term, name: Text, value: Text, known: Element) -> Problems:
    if not known.values or value.text in known.values:
        return
    meant = VENDOR_IDS.get(value.text.lower(), near.nearest(value.text, known.values))
    few = len(known.values) <= _FEW
    expected = f": expected {' or '.join(map(shown, known.values))}" if few else ""
    hint = f"write {shown(meant)}" if meant else ""
    yield from _never(term, name, value, expected, hint)


def _number(term: Term, name: Text, value: Text, known: Element) -> Problems:
    if known.values:
        yield from _listed(term, name, value, known)
    elif not _NUMBER.fullmatch(value.text):
        hint = ""
        if term.key == "kernel.version" and _is_dotted(value.text):
            hint = PARTS
        yield from _never(term, name, value, ": expected decimal digits", hint)


PARTS: Final = (
    "compare major and minor each, in alternatives (matchAny), or write InRegexp on"
    " full"
)
"""How a kernel of at least 5.14 is asked for."""


def _is_dotted(text: str) -> bool:
    return all(part.isdigit() for part in text.split("."))


def _option(term: Term, name: Text, value: Text, _known: Element) -> Problems:
    """Values of kernel options; one that is off is absent."""
    if value.is_coerced:
        return
    text = value.text
    if text in {"n", "is not set", ""}:
        full = f"{term.key} {shown(name.text)}"
        message = f"{full} never is {shown(text)}: what is off is absent"
        yield found("config-off", value.at, message, "write {op: DoesNotExist}")
    elif text in {"true", "false", "Y", "M", "yes", "no"}:
        yield from _never(
            term, name, value, ': expected "y" or "m"', 'write ["y", "m"]'
        )
    elif len(text) > 1 and text[0] == text[-1] == '"':
        why = ": NFD takes the quotes away"
        yield from _never(term, name, value, why, f"write {shown(text[1:-1])}")


def _release(term: Term, name: Text, value: Text, _known: Element) -> Problems:
    """Releases of kernels: NFD replaces characters, and trims what is at the ends."""
    published = _NOT_OF_RELEASES.sub("_", value.text).strip("-_.")
    if published != value.text:
        why = ": NFD turns other characters into _, and trims the ends"
        hint = f"write {shown(published)}" if published else ""
        yield from _never(term, name, value, why, hint)


def _identifier(term: Term, name: Text, value: Text, _known: Element) -> Problems:
    """Names of distributions, which os-release(5) wants in lower case."""
    lower = value.text.lower()
    if lower != value.text:
        why = ": it is in lower case"
        yield from _never(term, name, value, why, f"write {shown(lower)}")


def _hypervisor(term: Term, name: Text, value: Text, _known: Element) -> Problems:
    meant = HYPERVISORS.get(value.text.lower(), value.text.lower())
    if meant != value.text:
        yield from _never(term, name, value, "", f"write {shown(meant)}")


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
    if name.text == "class" and is_id and len(plain) == _BASE_CLASS_DIGITS:
        hint = f'for all of a base class write InRegexp, value: ["^{plain}"]'
    if len(plain) == _PCI_DIGITS + 2 and name.text == "class":
        hint = f'write "{plain[:4]}", without the programming interface'
    yield found("pci-id", value.at, message, _quoted_source(value) or hint)


def digits(kind: Kind, name: str) -> int:
    """Hexadecimal digits of an id: two of a class of USB, four of all others."""
    return 2 if (kind, name) == (Kind.USB_ID, "class") else _PCI_DIGITS


def _usb_id(_term: Term, name: Text, value: Text, _known: Element) -> Problems:
    digits_of_it = digits(Kind.USB_ID, name.text)
    if len(value.text) == digits_of_it and _HEX.fullmatch(value.text):
        return
    plain = value.text.lower().removeprefix("0x")
    message = (
        f"{shown(value.text)} is no usb.device {name.text}: expected {digits_of_it}"
        " hexadecimal digits in lower case, without 0x"
    )
    is_id = (
        len(plain) <= digits_of_it and _HEX.fullmatch(plain) and not value.is_coerced
    )
    hint = f'write "{plain:0>{digits_of_it}}"' if is_id else _quoted_source(value)
    yield found("usb-id", value.at, message, hint)


def _quoted_source(value: Text) -> str:
    return f"write {shown(value.source)}, quoted" if value.is_coerced else ""


_Look: TypeAlias = Callable[[Term, Text, Text, Element], Problems]
_OF_KIND: Final[Mapping[Kind, _Look]] = MappingProxyType(
    {Kind.PCI_ID: _pci_id, Kind.USB_ID: _usb_id, Kind.NUMBER: _number}
)
_OF_FEATURE: Final[Mapping[str, _Look]] = MappingProxyType({"kernel.config": _option})
_OF_ELEMENT: Final[Mapping[tuple[str, str], _Look]] = MappingProxyType(
    {
        ("kernel.version", "full"): _release,
        ("system.osrelease", "ID"): _identifier,
        ("system.osrelease", "VARIANT_ID"): _identifier,
        ("cpu.model", "hypervisor"): _hypervisor,
    }
)
