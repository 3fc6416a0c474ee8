"""What would make a node have what it lacks, in few words for whoever runs it.

A table by feature; what a vendor publishes is told by the expression. Nothing here
knows a distribution: names of packages and commands are the admin's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from app.compat.explain import MAX_TEXT, Need, Part, want
from app.compat.gotext import lower
from app.compat.matching import RULE_MATCHED
from app.compat.spec import MatchExpression

_ABSENCE: Final = frozenset({"DoesNotExist", "IsFalse", "NotIn"})
"""Operators that hold where an element is not there, or off."""

_Advice: TypeAlias = Callable[[str, bool, str], str]
"""Name of the element, whether it is wanted at all, the expression in words -> text."""


def _pair(present: str, absent: str) -> _Advice:
    """One text where something is wanted, another where it must go."""
    return lambda name, is_wanted, text: (present if is_wanted else absent).format(
        name=name, want=text
    )


def _one(text: str) -> _Advice:
    return _pair(text, text)


_FEATURES: Final[Mapping[str, _Advice]] = {
    "kernel.loadedmodule": _pair("load kernel module {name}", "unload module {name}"),
    "kernel.enabledmodule": _pair(
        "load kernel module {name}, or boot a kernel with it",
        "boot a kernel without module {name}",
    ),
    "kernel.config": _pair(
        "boot a kernel built with CONFIG_{name}: {want}",
        "boot a kernel built with CONFIG_{name}: {want}",
    ),
    "kernel.version": _one("boot another kernel ({name}: {want})"),
    "kernel.selinux": _pair("enable SELinux", "disable SELinux"),
    "memory.hugepages": _pair("reserve huge pages", "give huge pages back"),
    "memory.swap": _pair("turn swap on", "turn swap off"),
    "cpu.hardware_multithreading": _one("change it in the firmware"),
    "cpu.security": _one("change {name} in the firmware, if the CPU has it"),
    "system.osrelease": _one("run another operating system ({name}: {want})"),
    "system.dmiid": _one("cannot be changed: machine"),
}
"""Feature -> advice on one of its elements."""

_NAMED: Final[Mapping[str, str]] = {
    "kernel.loadedmodule": "load a kernel module: {want}",
    "kernel.enabledmodule": "load a kernel module, or boot a kernel with it: {want}",
    "kernel.config": "boot a kernel built with an option: {want}",
}
"""Feature -> advice where the names of its elements are matched."""

_WHOLE: Final[Mapping[str, str]] = {
    "kernel.loadedmodule": "load a kernel module",
    "kernel.enabledmodule": "load a kernel module",
    "kernel.selinux": "boot a kernel with SELinux",
    "memory.hugepages": "reserve huge pages",
    "memory.swap": "turn swap on",
}
"""Feature -> advice where no element in particular is wanted."""

_DOMAINS: Final[Mapping[str, str]] = {
    "cpu": "cannot be changed: CPU",
    "pci": "cannot be changed: devices",
    "usb": "cannot be changed: devices",
    "network": "cannot be changed: devices",
    "storage": "cannot be changed: devices",
    "memory": "cannot be changed: memory",
    "kernel": "boot another kernel",
    "system": "run another operating system",
}
"""Domain of NFD's own -> advice on whatever else it publishes."""

_VENDOR: Final = _pair(
    "publish {name} by a label or a feature file", "stop publishing {name}"
)
_INSTALL: Final = "install {name}: {want}"
_INSTALL_DRIVER: Final = "install a driver ({name}: {want})"
_DRIVER: Final = "driver"
"""In the names by which vendors publish a driver's version."""


def advice(need: Need) -> str:
    """What would change it on a node; `""` if nothing is known to."""
    feature = lower(need.feature)
    if need.part is Part.RULE or feature == RULE_MATCHED:
        return ""
    domain = feature.partition(".")[0]
    if need.part is Part.NAME and feature in _NAMED:
        return _cut(_NAMED[feature].format(want=need.want))
    if need.part is not Part.ELEMENT:
        text = _WHOLE.get(feature) or _DOMAINS.get(domain)
        return _cut(text or f"publish {need.feature}")
    ((name, expression),) = need.expressions
    of_feature = _FEATURES.get(feature)
    if of_feature is None:
        if domain in _DOMAINS:
            return _DOMAINS[domain]
        of_feature = _of_vendor(name, expression)
    is_wanted = expression is None or expression.op not in _ABSENCE
    return _cut(of_feature(name, is_wanted, want(expression)))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."


def _of_vendor(name: str, expression: MatchExpression | None) -> _Advice:
    """What somebody else than NFD publishes: a version is that of software."""
    if _DRIVER in name.lower():
        return _one(_INSTALL_DRIVER)
    if expression is not None and expression.type == "version":
        return _one(_INSTALL)
    return _VENDOR
