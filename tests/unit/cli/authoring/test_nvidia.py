"""NVIDIA's variables as rules on what GPU Feature Discovery writes."""

from __future__ import annotations

import pytest

from app.cli.authoring import nvidia
from app.cli.authoring.nvidia import MAX_ALTERNATIVES, MAX_CONDITIONS
from app.cli.authoring.platforms import Asked
from app.compat.features import Features
from tests.unit.cli.authoring.test_platforms import HOSTS, fitting

DRIVERS = {
    "10de": ({"vendor": "10de", "class": "0302"},),
    "none": ({"vendor": "8086", "class": "0300"},),
}


def gpu(cuda: str, driver: str, arch: str, vendor: str = "10de") -> Features:
    major, _, minor = arch.partition(".")
    labels = {
        "nvidia.com/cuda.runtime-version.full": cuda,
        "nvidia.com/cuda.driver-version.full": driver,
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": minor,
    }
    return Features(
        attributes={"local.label": labels},
        instances={"pci.device": DRIVERS[vendor]},
    )


CASES = [
    ("cuda>=12.4", "12.4 12.5 13.0", "12.3 11.8"),
    ("cuda>12.4", "12.5", "12.4 12.3"),
    ("cuda<12.4", "12.3", "12.4"),
    ("cuda<=12.4", "12.4 12.3", "12.5"),
    ("cuda=12.4", "12.4 12.4.0", "12.5 12.3"),
    ("cuda!=12.4", "12.3 12.5", "12.4"),
    ("cuda>=v12.4", "12.4", "12.3"),
    ("cuda>=12", "12.0 13.1", "11.8"),
    ("cuda<11 cuda>=12.4", "10.2 12.4", "11.8 12.3"),
    ("cuda>=11,cuda<12", "11.0 11.8", "10.2 12.0"),
    ("cuda>=11,,cuda<12 ,", "11.0", "12.0"),
    ("foo=1 cuda>=12", "12.0", "11.0"),
    ("cuda>=12,foo=1", "12.0", "11.0"),
]


@pytest.mark.parametrize(("value", "good", "bad"), CASES)
def test_cuda_is_what_the_driver_supports(value: str, good: str, bad: str) -> None:
    asked = nvidia.ask({"NVIDIA_REQUIRE_CUDA": value})
    hosts = {one: gpu(one, "500.1", "8.0") for one in f"{good} {bad}".split()}
    assert set(good.split()) == fitting(asked, hosts)


@pytest.mark.parametrize(
    ("value", "good", "bad"),
    [
        ("driver>=470,driver<471", "470.57.02 470.256.02", "471.0 469.1 535.1.05"),
        ("driver>=550.54.15", "550.54.15 550.163.01 570.1.1", "550.54.14 535.1.1"),
    ],
)
def test_driver_is_its_version(value: str, good: str, bad: str) -> None:
    asked = nvidia.ask({"NVIDIA_REQUIRE_CUDA": value})
    hosts = {one: gpu("12.4", one, "8.0") for one in f"{good} {bad}".split()}
    assert set(good.split()) == fitting(asked, hosts)


@pytest.mark.parametrize(
    ("value", "good", "bad"),
    [
        ("arch>=8.0", "8.0 8.6 9.0", "7.5"),
        ("arch>=8.6", "8.6 8.9 9.0", "8.0 7.5"),
        ("arch>8.6", "8.9 9.0", "8.6 8.0"),
        ("arch<8.6", "8.0 7.5", "8.6 9.0"),
        ("arch<8", "7.5", "8.0"),
        ("arch<=8.6", "8.6 7.5", "8.9 9.0"),
        ("arch=8.6", "8.6", "8.0 9.6"),
        ("arch!=8.6", "8.0 9.6", "8.6"),
        ("arch>=8,arch<9", "8.0 8.9", "7.5 9.0"),
        ("arch=9.0,cuda>=12", "9.0", "8.0"),
    ],
)
def test_arch_is_the_compute_capability(value: str, good: str, bad: str) -> None:
    asked = nvidia.ask({"NVIDIA_REQUIRE_X": value})
    hosts = {one: gpu("12.4", "550.1", one) for one in f"{good} {bad}".split()}
    assert set(good.split()) == fitting(asked, hosts)


def test_cuda_s_own_images_fit_the_hosts_that_can_run_them() -> None:
    value = (
        "cuda>=12.4 brand=tesla,driver>=470,driver<471 brand=unknown,driver>=470,"
        "driver<471 brand=nvidia,driver>=470,driver<471 brand=tesla,driver>=525,"
        "driver<526 brand=tesla,driver>=535,driver<536 brand=titan,driver>=535,"
        "driver<536"
    )
    asked = nvidia.ask({"NVIDIA_REQUIRE_CUDA": value})
    assert {"amzn2023-eks-p5", "ubuntu2404-metal-h100"} == fitting(asked)
    assert [
        "NVIDIA_REQUIRE_CUDA: brand is left out, so any will do: no feature says it."
    ] == list(asked.notes)
    assert 4 == sum("- matchFeatures:" in line for line in asked.rules)
    old = {"old": gpu("11.4", "470.57", "8.0"), "between": gpu("12.0", "526.1", "8.0")}
    assert {"old"} == fitting(asked, old)


def test_all_variables_must_hold_and_a_gpu_be_there() -> None:
    asked = nvidia.ask({"NVIDIA_REQUIRE_A": "cuda>=12", "NVIDIA_REQUIRE_B": "arch>=9"})
    hosts = {
        "good": gpu("12.4", "550", "9.0"),
        "arch": gpu("12.4", "550", "8.0"),
        "cuda": gpu("11.4", "550", "9.0"),
        "none": gpu("12.4", "550", "9.0", "none"),
    }
    assert {"good"} == fitting(asked, hosts)


def test_an_old_image_says_its_version_only() -> None:
    hosts = {"8.0": gpu("8.0", "375.1", "6.0"), "7.5": gpu("7.5", "352.1", "5.0")}
    asked = nvidia.ask({"CUDA_VERSION": "8.0.61"})
    assert {"8.0"} == fitting(asked, hosts)
    both = {"CUDA_VERSION": "8.0.61", "NVIDIA_REQUIRE_CUDA": "cuda>=7.5"}
    assert {"8.0", "7.5"} == fitting(nvidia.ask(both), hosts)
    assert () == nvidia.ask({"CUDA_VERSION": "latest"}).rules


def test_an_image_without_these_variables_asks_for_nothing() -> None:
    for environment in ({}, {"PATH": "/bin"}, {"NVIDIA_REQUIRE_CUDA": " "}):
        assert Asked() == nvidia.ask(environment)
    assert "none" in DRIVERS
    assert HOSTS.keys() == fitting(nvidia.ask({}))


@pytest.mark.parametrize("word", ["1", "t", "T", "TRUE", "true", "True"])
def test_who_turns_the_check_off_asks_for_nothing(word: str) -> None:
    environment = {"NVIDIA_REQUIRE_CUDA": "cuda>=12", "NVIDIA_DISABLE_REQUIRE": word}
    asked = nvidia.ask(environment)
    assert () == asked.rules
    (note,) = asked.notes
    assert "NVIDIA_DISABLE_REQUIRE is set" in note
    assert "NVIDIA_REQUIRE_CUDA" in note
    assert nvidia.ask({**environment, "NVIDIA_DISABLE_REQUIRE": "no"}).rules
    assert () == nvidia.ask({"NVIDIA_DISABLE_REQUIRE": word}).notes


@pytest.mark.parametrize(
    ("name", "value", "note", "has_rule"),
    [
        ("NVIDIA_REQUIRE_CUDA", "brand=tesla", "holds on any GPU", False),
        ("NVIDIA_REQUIRE_CUDA", "cuda>=12 brand=a", "holds on any GPU", False),
        ("NVIDIA_REQUIRE_CUDA", "cuda>=12 cuda", "cuda is no condition", False),
        ("NVIDIA_REQUIRE_CUDA", "cuda>=12,brand=a", "brand is left out", True),
        ("NVIDIA_REQUIRE_CUDA", "cuda>=12 foo=1", "foo=1 is left out", True),
        ("NVIDIA_REQUIRE_CUDA", "foo=1", "foo=1 is left out", False),
        ("NVIDIA_REQUIRE_CUDA", "cuda>=x,arch>=8", "cuda>=x is left out", True),
        ("NVIDIA_REQUIRE_CUDA", "arch>=8.0.1,cuda>=1", "arch>=8.0.1 is left", True),
        ("NVIDIA_REQUIRE_CUDA", "cuda>=12.4.1.1,arch>=8", "its value is no", True),
        ("NVIDIA_REQUIRE_JETPACK", "csv-mounts=all", "nothing of Jetpack", False),
        ("NVIDIA_REQUIRE_JETPACK_HOST_MOUNTS", "x", "nothing of Jetpack", False),
        ("NVIDIA_DRIVER_CAPABILITIES", "video", "CAPABILITIES=video: not", False),
        ("NVIDIA_REQUIRE_A\n", "cuda>=12,brand=\x1b", "NVIDIA_REQUIRE_A?: brand", True),
    ],
)
def test_what_cannot_be_asked_for_is_noted(
    name: str, value: str, note: str, *, has_rule: bool
) -> None:
    asked = nvidia.ask({name: value})
    assert any(note in one for one in asked.notes)
    assert has_rule is bool(asked.rules)
    assert all(line.isprintable() for line in (*asked.notes, *asked.rules))


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (1, False)])
def test_alternatives_are_bounded(more: int, *, is_taken: bool) -> None:
    value = " ".join(f"cuda={number}" for number in range(MAX_ALTERNATIVES + more))
    asked = nvidia.ask({"NVIDIA_REQUIRE_CUDA": value})
    assert is_taken is bool(asked.rules)
    assert is_taken is not any("33 alternatives" in one for one in asked.notes)


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (1, False)])
def test_conditions_are_bounded(more: int, *, is_taken: bool) -> None:
    value = ",".join(["cuda>=1"] * (MAX_CONDITIONS + more))
    assert is_taken is bool(nvidia.ask({"NVIDIA_REQUIRE_CUDA": value}).rules)


@pytest.mark.parametrize(("count", "is_taken"), [(10, True), (11, False), (200, False)])
def test_choices_within_one_alternative_are_bounded(
    count: int, *, is_taken: bool
) -> None:
    """Each condition is two choices; all are the same two here."""
    value = ",".join(["cuda!=12"] * count)
    asked = nvidia.ask({"NVIDIA_REQUIRE_CUDA": value})
    assert is_taken is bool(asked.rules)
    assert is_taken is not any("too many choices" in one for one in asked.notes)
