"""A Node for features that came without one: what its labels would say.

nfd-worker runs on Linux only, and publishes no architecture; the names of the
processor's flags tell it (NFD v0.19.0 `source/cpu/cpuid_*.go`), or the kernel's
configuration does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.features import Features
from app.scheduling.node import Node

_CPUID: Final = "cpu.cpuid"
_CONFIG: Final = "kernel.config"

_FLAGS: Final[Mapping[str, str]] = {
    "CMOV": "amd64",
    "SSE2": "amd64",
    "ASIMD": "arm64",
    "ZARCH": "s390x",
    "PPC64": "ppc64le",
}
"""A flag that every processor of an architecture has -> Go's word for that."""

_OPTIONS: Final[Mapping[str, str]] = {
    "X86_64": "amd64",
    "ARM64": "arm64",
    "S390": "s390x",
    "PPC64": "ppc64le",
}


def node(name: str, features: Features) -> Node:
    """A Node without taints, with the labels that every kubelet sets."""
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    arch = architecture(features)
    if arch is not None:
        labels["kubernetes.io/arch"] = arch
    return Node(name, labels=labels)


def architecture(features: Features) -> str | None:
    """The processor's, in Go's words; `None` if nothing tells it."""
    flags = features.flags.get(_CPUID) or frozenset()
    named = (arch for flag, arch in _FLAGS.items() if flag in flags)
    options = features.attributes.get(_CONFIG) or {}
    built = (arch for option, arch in _OPTIONS.items() if options.get(option) == "y")
    return next(named, None) or next(built, None)
