"""Laws of first specs: always valid, and what NVIDIA's toolkit would say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.cli.authoring import draft, nvidia, of_image
from app.cli.authoring.draft import MAX_SETS, Draft, Set
from app.compat import matching, parse
from app.compat.features import Features
from app.errors import ConfigError
from app.oci.writing.configurations import Configuration
from app.ports import Platform
from app.recipes import NAMED

NUMBERS = some.integers(0, 13)
VERSIONS = some.tuples(NUMBERS, some.integers(0, 3))
OPERATORS = some.sampled_from(["=", "!=", "<", "<=", ">", ">="])
CONDITIONS = some.tuples(
    some.sampled_from(["cuda", "driver", "arch"]), OPERATORS, VERSIONS
)
REQUIREMENTS = some.lists(
    some.lists(CONDITIONS, min_size=1, max_size=3), min_size=1, max_size=3
)

TEXTS = some.text(max_size=20)
ENVIRONMENTS = some.dictionaries(
    some.one_of(
        some.sampled_from(
            ["NVIDIA_REQUIRE_CUDA", "NVIDIA_DRIVER_CAPABILITIES", "CUDA_VERSION"]
        ),
        TEXTS.map(lambda text: f"NVIDIA_REQUIRE_{text}"),
    ),
    some.one_of(
        TEXTS, some.from_regex(r"(cuda|brand|x)(>=|<|=)[0-9.]{1,6}[ ,]?.{0,9}")
    ),
    max_size=4,
)
PLATFORMS = some.builds(
    Platform,
    some.one_of(some.just("linux"), TEXTS),
    some.one_of(some.sampled_from(["amd64", "arm64", "arm", "s390x"]), TEXTS),
    some.one_of(some.sampled_from(["", "v2", "v4", "v8", "v9"]), TEXTS),
)
CONFIGURATIONS = some.builds(
    Configuration,
    PLATFORMS,
    ENVIRONMENTS,
    some.dictionaries(some.just("com.redhat.component"), TEXTS),
)


@given(TEXTS, some.lists(CONFIGURATIONS, min_size=1, max_size=4))
def test_what_an_image_says_becomes_a_valid_spec(
    name: str, found: list[Configuration]
) -> None:
    """However odd it is; and all comments stay comments."""
    drafted = of_image.draft(name, found)
    if not drafted.sets:
        assert any(one.startswith("Note: ") for one in drafted.comments)
        with pytest.raises(ConfigError, match="no compatibility sets"):
            draft.text(drafted)
        return
    content = draft.text(drafted)
    spec = parse.read_for_admission(content.encode())
    assert [
        len([r for r in one.rules if r.startswith("- name:")]) for one in drafted.sets
    ] == [len(one.rules) for one in spec.compatibilities]
    assert content.replace("\n", "").isprintable()


@given(
    some.lists(some.sampled_from(sorted(NAMED)), min_size=1, max_size=4, unique=True)
)
def test_templates_together_are_a_valid_spec(names: list[str]) -> None:
    drafts = {name: draft.read(NAMED[name].content) for name in names}
    merged = draft.merge(drafts)
    spec = parse.read_for_admission(draft.text(merged).encode())
    assert MAX_SETS >= len(spec.compatibilities)
    weights = [one.weight for one in spec.compatibilities]
    assert sorted(weights, reverse=True) == weights


def _holds(have: tuple[int, int], operator: str, want: tuple[int, int]) -> bool:
    return {
        "=": have == want,
        "!=": have != want,
        "<": have < want,
        "<=": have <= want,
        ">": have > want,
        ">=": have >= want,
    }[operator]


@given(REQUIREMENTS, VERSIONS, VERSIONS, VERSIONS)
def test_a_rule_says_what_nvidia_s_toolkit_says(
    requirement: list[list[tuple[str, str, tuple[int, int]]]],
    cuda: tuple[int, int],
    driver: tuple[int, int],
    arch: tuple[int, int],
) -> None:
    """Alternatives of conditions, each on one version."""
    have = {"cuda": cuda, "driver": driver, "arch": arch}
    expected = any(
        all(_holds(have[name], operator, want) for name, operator, want in alternative)
        for alternative in requirement
    )
    value = " ".join(
        ",".join(
            f"{name}{operator}{major}.{minor}" for name, operator, (major, minor) in one
        )
        for one in requirement
    )
    asked = nvidia.ask({"NVIDIA_REQUIRE_CUDA": value})
    if not asked.rules:
        assert any("at most" in note for note in asked.notes)
        return
    labels = {
        "nvidia.com/cuda.runtime-version.full": "{}.{}".format(*cuda),
        "nvidia.com/cuda.driver-version.full": "{}.{}".format(*driver),
        "nvidia.com/gpu.compute.major": str(arch[0]),
        "nvidia.com/gpu.compute.minor": str(arch[1]),
    }
    node = Features(
        attributes={"local.label": labels},
        instances={"pci.device": ({"vendor": "10de", "class": "0302"},)},
    )
    content = draft.text(Draft((), (Set(rules=asked.rules),)))
    results = matching.judge(parse.read(content.encode()), node)
    assert expected is matching.fits(results)
