"""What platforms ask of a CPU, on recorded hosts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.authoring import draft, platforms
from app.cli.authoring.draft import Draft, Set
from app.cli.authoring.platforms import Asked
from app.compat import features, matching, parse
from app.compat.features import Features
from app.ports import Platform

HOSTS = {
    path.stem: features.from_json(json.loads(path.read_bytes()))
    for path in sorted((Path(__file__).parents[3] / "data" / "hosts").iterdir())
}
ARM = {"ubuntu2204-eks-graviton3"}
OLD = {"flatcar-metal-ivybridge"}
V4 = {
    *("amzn2-eks-m5", "azurelinux3-aks", "bottlerocket-eks", "cos-gke-n2"),
    *("rhel9-metal-dpdk", "rhel9-rt-edge", "talos-metal-genoa"),
    *("ubuntu2204-metal-x710", "ubuntu2404-metal-h100"),
}


def fitting(asked: Asked, hosts: dict[str, Features] = HOSTS) -> set[str]:
    content = draft.text(Draft((), (Set(rules=asked.rules),)))
    spec = parse.read_for_admission(content.encode())
    return {
        name for name, one in hosts.items() if matching.fits(matching.judge(spec, one))
    }


def named(value: object) -> str:
    """A set has no order, so that its text is no name of a test."""
    return str(value) if isinstance(value, Platform) else ""


def linux(architecture: str, variant: str = "") -> Platform:
    return Platform("linux", architecture, variant)


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (linux("amd64"), HOSTS.keys() - ARM),
        (linux("amd64", "v1"), HOSTS.keys() - ARM),
        (linux("amd64", "v2"), HOSTS.keys() - ARM),
        (linux("amd64", "v3"), HOSTS.keys() - ARM - OLD),
        (linux("amd64", "v4"), V4),
        (linux("386"), HOSTS.keys() - ARM),
        (linux("arm64"), ARM),
        (linux("arm64", "v8"), ARM),
        (linux("arm64", "v8.2"), ARM),
        (linux("arm64", "v9"), set()),
        (linux("arm", "v7"), set()),
        (linux("ppc64le"), set()),
        (linux("s390x"), set()),
    ],
    ids=named,
)
def test_a_platform_asks_for_its_cpu(platform: Platform, expected: set[str]) -> None:
    """The same hosts as the recipes x86-64-v2, v3 and v4 (its first set)."""
    asked = platforms.ask(platform)
    assert () == asked.notes
    assert expected == fitting(asked)


@pytest.mark.parametrize("level", sorted(platforms.LEVELS))
def test_a_level_s_own_flag_is_enough_and_so_are_the_single_ones(level: str) -> None:
    """Workers before 0.19 have the single flags only."""
    own, known = f"X86_64_{level.upper()}", frozenset(platforms.LEVELS[level])
    hosts = {
        "new": Features(flags={"cpu.cpuid": frozenset({own})}),
        "old": Features(flags={"cpu.cpuid": known}),
        **{
            f"without {one}": Features(flags={"cpu.cpuid": known - {one}})
            for one in known
        },
    }
    asked = platforms.ask(linux("amd64", level))
    assert {"new", "old"} == fitting(asked, hosts)


@pytest.mark.parametrize(
    ("platform", "flags"),
    [
        (linux("arm64", "v9"), "FP ASIMD CRC32 ATOMICS ASIMDRDM DCPOP SVE SVE2"),
        (linux("arm", "v5"), "HALF THUMB FASTMUL EDSP"),
        (linux("arm", "v6"), "HALF THUMB FASTMUL EDSP VFP"),
        (linux("arm"), "HALF THUMB FASTMUL EDSP VFP VFPv3"),
        (linux("ppc64le", "power9"), "ARCH_3_00 VSX"),
        (linux("s390x"), "ZARCH STFLE"),
    ],
    ids=named,
)
def test_each_flag_counts(platform: Platform, flags: str) -> None:
    known = frozenset(flags.split())
    hosts = {"all": Features(flags={"cpu.cpuid": known})}
    for one in known:
        hosts[one] = Features(flags={"cpu.cpuid": known - {one}})
    assert {"all"} == fitting(platforms.ask(platform), hosts)


def test_what_the_distribution_needs_raises_the_level() -> None:
    raised = platforms.ask(linux("amd64"), "v3")
    assert platforms.ask(linux("amd64", "v3")) == raised
    assert platforms.ask(linux("amd64", "v4")) == platforms.ask(
        linux("amd64", "v4"), "v3"
    )


def test_that_holds_for_a_variant_that_nobody_knows_too() -> None:
    asked = platforms.ask(linux("amd64", "haswell"), "v3")
    assert platforms.ask(linux("amd64", "v3")).rules == asked.rules
    (note,) = asked.notes
    assert "Variant haswell of amd64 has no list of flags here" in note


@pytest.mark.parametrize(
    ("architecture", "variant", "taken"),
    [
        ("arm64", "v8.3", "v8.2"),
        ("arm64", "v8.9", "v8.2"),
        ("arm64", "v8.10", "v8.2"),
        ("arm64", "v9.1", "v9"),
        ("arm64", "v10", "v9"),
        ("arm64", "v7", "v8"),
        ("arm64", "armv8", "v8"),
        ("arm", "v8", "v7"),
        ("arm", "v4", "v5"),
        ("amd64", "v5", "v4"),
        ("amd64", "v0", "v1"),
        ("amd64", "v3x", "v1"),
        ("ppc64le", "power11", "power10"),
        ("ppc64le", "power7", "power8"),
        ("s390x", "z13", "z/Architecture"),
        ("386", "sse2", "i686"),
    ],
)
def test_of_a_variant_without_flags_the_nearest_below_is_asked_for(
    architecture: str, variant: str, taken: str
) -> None:
    asked = platforms.ask(linux(architecture, variant))
    assert platforms.ask(linux(architecture, taken)) == replace(asked, notes=())
    text = f"Variant {variant} of {architecture} has no list of flags here"
    assert (f"{text}: {taken} is asked for.",) == asked.notes


@pytest.mark.parametrize(
    ("platform", "note", "hosts"),
    [
        (Platform("windows", "amd64"), "NFD runs on Linux only", None),
        (Platform("", ""), "It names no platform", None),
        (linux("riscv64"), "Architecture riscv64 has no flags in NFD", None),
        (
            linux("amd64", "v9"),
            "Variant v9 of amd64 has no list of flags here: v4 is",
            V4,
        ),
        (linux("arm64", "v8.7"), "Variant v8.7 of arm64 has no list", ARM),
        (linux("a\nb"), "Architecture a?b has", None),
    ],
)
def test_what_cannot_be_asked_for_is_noted(
    platform: Platform, note: str, hosts: set[str] | None
) -> None:
    asked = platforms.ask(platform)
    (found,) = asked.notes
    assert note in found
    assert bool(asked.rules) is (hosts is not None)
    if hosts is not None:
        assert hosts == fitting(asked)
