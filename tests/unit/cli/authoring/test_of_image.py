"""First specs from what images say of themselves."""

from __future__ import annotations

import pytest

from app.cli.authoring import draft, of_image, userland
from app.compat import parse
from app.oci.writing.configurations import Configuration
from app.ports import Platform

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64", "v8")
CUDA = {"NVIDIA_REQUIRE_CUDA": "cuda>=12.4,brand=tesla", "SECRET": "canary"}


def test_each_platform_has_a_set() -> None:
    found = of_image.draft("r/a:1", [Configuration(AMD, CUDA), Configuration(ARM)])
    spec = parse.read_for_admission(draft.text(found).encode())
    first, second = spec.compatibilities
    assert ("linux/amd64", "linux/arm64/v8") == (first.description, second.description)
    assert ["x86-64-v1 instructions", "NVIDIA GPU", "NVIDIA_REQUIRE_CUDA"] == [
        rule.name for rule in first.rules
    ]
    assert ["arm64 v8"] == [rule.name for rule in second.rules]
    notes = [one for one in found.comments if "brand" in one]
    assert ["Note: linux/amd64: NVIDIA_REQUIRE_CUDA: brand is left"] == [
        one[:53] for one in notes
    ]


def test_what_is_no_requirement_is_not_repeated() -> None:
    text = draft.text(of_image.draft("r/a:1", [Configuration(AMD, CUDA)]))
    assert "canary" not in text
    assert "SECRET" not in text


def test_platforms_that_ask_for_the_same_share_a_set() -> None:
    v8 = Configuration(Platform("linux", "arm64"))
    found = of_image.draft("r/a:1", [Configuration(ARM), v8, v8])
    (only,) = found.sets
    assert "linux/arm64/v8, linux/arm64" == only.description


def test_a_platform_without_a_rule_says_that_every_node_fits() -> None:
    found = of_image.draft("r/a:1", [Configuration(Platform("linux", "riscv64"))])
    assert "Note: No rule: every node fits." in found.comments
    assert () == found.sets[0].rules
    nothing = of_image.draft("r/a:1", [Configuration(Platform("", ""))])
    assert "any platform" == nothing.sets[0].description


def test_the_image_s_name_cannot_leave_its_comment() -> None:
    found = of_image.draft("r/a\nversion: x", [Configuration(AMD)])
    assert draft.text(found).startswith("# What: a first spec of r/a?version: x, made")


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("com.redhat.component", "ubi9-container", "v2"),
        ("com.redhat.component", "ubi9-minimal-container", "v2"),
        ("com.redhat.component", "ubi10-container", "v3"),
        ("com.redhat.component", "ubi8-container", ""),
        ("com.redhat.component", "ubi90-container", ""),
        ("com.redhat.component", "xubi9-container", ""),
        ("org.opencontainers.image.base.name", "r.example/ubi10/ubi:10.0", "v3"),
        ("org.opencontainers.image.base.name", "docker.io/library/almalinux:9", "v2"),
        ("org.opencontainers.image.base.name", "quay.io/centos/centos:stream10", "v3"),
        ("org.opencontainers.image.base.name", "docker.io/library/debian:12", ""),
        ("maintainer", "ubi9", ""),
    ],
)
def test_the_distribution_inside_tells_the_level_of_the_cpu(
    name: str, value: str, level: str
) -> None:
    assert (level, name if level else "") == userland.level({name: value})
    found = of_image.draft("r/a:1", [Configuration(AMD, {}, {name: value})])
    rules = "\n".join(found.sets[0].rules)
    assert f"x86-64-{level or 'v1'} instructions" in rules
    assert bool(level) is any(name in one for one in found.comments)


def test_a_label_tells_nothing_of_another_architecture() -> None:
    labels = {"com.redhat.component": "ubi9-container"}
    found = of_image.draft("r/a:1", [Configuration(ARM, {}, labels)])
    assert not any("com.redhat" in one for one in found.comments)
