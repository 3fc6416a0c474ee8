"""First specs from what images say of themselves."""

from __future__ import annotations

import pytest

from app.cli.authoring import draft, of_image, userland
from app.compat import parse
from app.errors import ConfigError
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


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Configuration(Platform("linux", "riscv64")), id="no flags"),
        pytest.param(Configuration(Platform("windows", "amd64")), id="windows"),
        pytest.param(Configuration(Platform("windows", "amd64"), CUDA), id="with GPU"),
        pytest.param(Configuration(Platform("linux", "riscv64"), CUDA), id="GPU alone"),
    ],
)
def test_a_platform_that_has_no_words_gets_no_set(other: Configuration) -> None:
    """Sets are alternatives: nodes of the others would fit it, whatever they are."""
    v3 = Configuration(Platform("linux", "amd64", "v3"))
    found = of_image.draft("r/a:1", [v3, other, Configuration(ARM)])
    spec = parse.read_for_admission(draft.text(found).encode())
    described = [one.description for one in spec.compatibilities]
    assert ["linux/amd64/v3", "linux/arm64/v8"] == described
    level, *_ = spec.compatibilities[0].rules
    assert "x86-64-v3 instructions" == level.name
    attach = "Note: imagecompat attach-spec IMAGE --spec FILE --platform"
    assert (
        f"Note: there is no set for {other.platform}.",
        "Note: if this is attached to the whole image, no node of these fits it.",
        "Note: so attach it to the other platforms only, once for each:",
        f"{attach} linux/amd64/v3",
        f"{attach} linux/arm64/v8",
    ) == found.comments[-5:]


def test_where_all_platforms_have_a_set_nothing_is_said_of_others() -> None:
    found = of_image.draft("r/a:1", [Configuration(AMD), Configuration(ARM)])
    assert not any("no set" in one for one in found.comments)


@pytest.mark.parametrize(
    ("platform", "why"),
    [
        (Platform("linux", "riscv64"), "Architecture riscv64 has no flags in NFD"),
        (Platform("windows", "amd64"), "NFD runs on Linux only"),
        (Platform("", ""), "It names no platform"),
    ],
)
def test_of_an_image_that_says_nothing_no_spec_is_made(
    platform: Platform, why: str
) -> None:
    nothing = of_image.draft("r/a:1", [Configuration(platform)])
    assert () == nothing.sets
    with pytest.raises(ConfigError) as caught:
        of_image.refuse_nothing("r/a:1", nothing)
    assert "NothingToAsk" == caught.value.reason
    start = f"r/a:1: nothing that it says of itself can be asked of a node: {why}"
    assert caught.value.message.startswith(start)
    assert "--template" in caught.value.message


@pytest.mark.parametrize(
    ("platform", "has_set"),
    [
        (Platform("linux", "riscv64"), 1),
        (Platform("", ""), 1),
        (Platform("windows", "amd64"), 0),
    ],
)
def test_what_it_needs_of_a_driver_is_asked_of_any_linux(
    platform: Platform, has_set: int
) -> None:
    """An image for one platform: no other's nodes can take its set for theirs."""
    found = of_image.draft("r/a:1", [Configuration(platform, CUDA)])
    assert has_set == len(found.sets)
    named = str(platform) if platform.os else "any platform"
    assert [named] * has_set == [one.description for one in found.sets]


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
