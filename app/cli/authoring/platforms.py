"""What a platform asks of a CPU, in the words of NFD's feature `cpu.cpuid`.

* amd64: levels of the x86-64 psABI; a flag for each since NFD 0.19, and the flags
  that it stands for (klauspost/cpuid v2.4.0 `cpuid.go#L575`), named as NFD does.
* arm64: what is mandatory in a version of the architecture and reported by the
  kernel (Linux `Documentation/arch/arm64/elf_hwcaps.rst`; NFD
  `source/cpu/cpuid_linux_arm64.go` at v0.19.0).
* arm: what the ABIs of Go and Debian of that version need; ppc64le: what GOPPC64
  stands for; s390x and 386: what tells them from others (`source/cpu/cpuid_*.go`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.cli.authoring.draft import Term, Terms, rule, said
from app.ports import Platform

_EXISTS: Final = "{op: Exists}"
_CPUID: Final = "cpu.cpuid"

LEVELS: Final[Mapping[str, tuple[str, ...]]] = {
    "v1": ("CMOV", "CMPXCHG8", "FXSR", "MMX", "SSE", "SSE2", "X87"),
    "v2": ("CX16", "LAHF", "POPCNT", "SSE3", "SSSE3", "SSE4", "SSE42"),
    "v3": (
        *("POPCNT", "SSE42", "AVX", "AVX2", "BMI1", "BMI2"),
        *("F16C", "FMA3", "LZCNT", "MOVBE", "OSXSAVE"),
    ),
    "v4": (
        *("AVX2", "BMI2", "FMA3", "LZCNT", "MOVBE"),
        *("AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"),
    ),
}
"""Level of x86-64 -> flags that tell it from the level below."""

_ARMV8: Final = ("FP", "ASIMD")
_ARMV81: Final = (*_ARMV8, "CRC32", "ATOMICS", "ASIMDRDM")
_ARMV82: Final = (*_ARMV81, "DCPOP")
_FLAGS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "arm64": {
        "v8": _ARMV8,
        "v8.0": _ARMV8,
        "v8.1": _ARMV81,
        "v8.2": _ARMV82,
        "v9": (*_ARMV82, "SVE", "SVE2"),
        "v9.0": (*_ARMV82, "SVE", "SVE2"),
    },
    "arm": {
        "v5": ("HALF", "THUMB", "FASTMUL", "EDSP"),
        "v6": ("HALF", "THUMB", "FASTMUL", "EDSP", "VFP"),
        "v7": ("HALF", "THUMB", "FASTMUL", "EDSP", "VFP", "VFPv3"),
    },
    "ppc64le": {
        "power8": ("ARCH_2_07", "VSX"),
        "power9": ("ARCH_3_00", "VSX"),
        "power10": ("ARCH_3_1", "VSX", "MMA"),
    },
    "s390x": {"z/Architecture": ("ZARCH", "STFLE")},
    "386": {"i686": ("CMOV", "CMPXCHG8", "X87")},
}
"""Architecture -> variant -> flags."""

_BARE: Final = {
    "amd64": "v1",
    "arm64": "v8",
    "arm": "v7",
    "ppc64le": "power8",
    "s390x": "z/Architecture",
    "386": "i686",
}
"""What is meant where no variant is named; of arm as containerd has it."""

_VARIANT: Final = re.compile(r"(?:v|power)([0-9]{1,4})(?:\.([0-9]{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a part of a configuration asks for.

    Attributes:
        rules: lines of rules.
        notes: what could not be made a rule, and why.
    """

    rules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def ask(platform: Platform, level: str = "") -> Asked:
    """What a platform asks for.

    Args:
        platform: of a manifest.
        level: of x86-64 that its programs need, if more is known than the platform
            says: `v3`.
    """
    if not platform.os:
        text = "It names no platform, so there is no rule for its CPU."
        return Asked(notes=(text,))
    if platform.os != "linux":
        text = "NFD runs on Linux only, so no rule can match a node of"
        return Asked(notes=(f"{text} {said(platform.os)}.",))
    if platform.architecture == "amd64":
        return _amd64(platform.variant, level)
    if platform.architecture in _FLAGS:
        return _others(platform.architecture, platform.variant)
    text = "has no flags in NFD, so there is no rule for it."
    return Asked(notes=(f"Architecture {said(platform.architecture)} {text}",))


def _amd64(variant: str, level: str) -> Asked:
    wanted, notes = _known("amd64", variant, LEVELS)
    return Asked(_level(max(wanted, level)), notes)


def _level(level: str) -> tuple[str, ...]:
    flag = f"X86_64_{level.upper()}"
    why = [f"{flag} exists from NFD 0.19 on; older workers publish the single flags."]
    if level == "v1":
        why = [
            "Every x86-64 CPU has these; no arm64 machine does.",
            "Raise it to v2, v3 or v4 if the image was built for that (GOAMD64).",
            *why,
        ]
    alternatives = [_terms([flag]), _terms(LEVELS[level])]
    name = f"x86-64-{level} instructions"
    return rule(name, why=why, any_of=alternatives)


def _others(architecture: str, variant: str) -> Asked:
    wanted, notes = _known(architecture, variant, _FLAGS[architecture])
    why = ["Other architectures publish other names."]
    if architecture in {"arm", "arm64"}:
        why.append("These are what the kernel offers to programs (HWCAP).")
    if architecture == "arm":
        why.append(
            "An arm64 machine that can run 32-bit programs does not match, either."
        )
    flags = _FLAGS[architecture][wanted]
    name = f"{architecture} {wanted}"
    return Asked(rule(name, why=why, any_of=[_terms(flags)]), notes)


def _known(
    architecture: str, variant: str, flags: Mapping[str, tuple[str, ...]]
) -> tuple[str, tuple[str, ...]]:
    """The variant whose flags are known, and a note if it is not the one wanted.

    Of another one it is the nearest below it, which every later CPU can do, too; the
    lowest if none is; what is meant without a variant if it has no number.
    """
    wanted = variant or _BARE[architecture]
    if wanted in flags:
        return wanted, ()
    number = _number(wanted)
    taken = _BARE[architecture]
    if number is not None:
        below = [one for one in flags if (_number(one) or ()) <= number]
        taken = max(below, key=_order) if below else min(flags, key=_order)
    text = f"Variant {said(wanted)} of {architecture} has no list of flags here"
    return taken, (f"{text}: {taken} is asked for.",)


def _number(variant: str) -> tuple[int, ...] | None:
    """`v8.2` -> 8, 2; `power9` -> 9, 0; `None` for what has no number."""
    found = _VARIANT.fullmatch(variant)
    return None if found is None else (int(found[1]), int(found[2] or 0))


def _order(variant: str) -> tuple[int, ...]:
    return _number(variant) or ()


def _terms(flags: Iterable[str]) -> Terms:
    return (Term(_CPUID, dict.fromkeys(flags, _EXISTS)),)
