"""Names of modules, of GPU labels and of AMX."""

from __future__ import annotations

import pytest

from app.compat import regexp, yaml11
from app.compat.limits import LIMITS
from app.compat.lint import gfd, names, written
from tests.unit.compat.lint.examples import codes, of_expressions, of_names, only


@pytest.mark.parametrize("feature", ["kernel.loadedmodule", "kernel.enabledmodule"])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vfio.ko", "write vfio"),
        ("vfio.ko.xz", "write vfio"),
        ("vfio.ko.zst", "write vfio"),
        ("vfio.ko.gz", "write vfio"),
    ],
)
def test_a_module_is_not_called_as_its_file(feature: str, name: str, hint: str) -> None:
    problem = only(of_expressions(feature, f"{name}: {{op: Exists}}"))
    assert ("unknown-element", hint) == (problem.code, problem.hint)


def test_a_module_may_hold_ko() -> None:
    assert [] == codes(of_expressions("kernel.loadedmodule", "ko: {op: Exists}"))


@pytest.mark.parametrize("name", ["vfio_pci_core", "vfio_pci", "usb_storage"])
def test_a_module_whose_file_has_a_dash_may_be_built_in(name: str) -> None:
    found = codes(of_expressions("kernel.enabledmodule", f"{name}: {{op: Exists}}"))
    assert ["module-built-in"] == found


@pytest.mark.parametrize(("length", "expected"), [(256, ["module-dash"]), (257, [])])
def test_no_module_has_a_longer_name(length: int, expected: list[str]) -> None:
    name = "-" * length
    assert expected == codes(
        of_expressions("kernel.loadedmodule", f"'{name}': {{op: Exists}}")
    )


@pytest.mark.parametrize("feature", ["local.label", "local.feature"])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("nvidia.com/gpu.cuont", "nvidia.com/gpu.count"),
        (
            "nvidia.com/cuda.driver-version.mayor",
            "nvidia.com/cuda.driver-version.major",
        ),
        ("nvidia.com/mig_capable", "nvidia.com/mig.capable"),
    ],
)
def test_a_label_that_is_nearly_one_of_gfd(feature: str, name: str, hint: str) -> None:
    problem = only(of_expressions(feature, f"{name}: {{op: Exists}}"))
    assert ("unknown-element", f'did you mean "{hint}"?') == (
        problem.code,
        problem.hint,
    )


@pytest.mark.parametrize(
    "name",
    [
        *(f"{gfd.PREFIX}{one}" for one in gfd.LABELS),
        *("nvidia.com/mig-1g.5gb.count", "nvidia.com/mig-1g.10gb.engines.copy"),
        *("nvidia.com/zzz", "example.com/gpu.cuont"),
    ],
)
def test_other_labels_are_left_alone(name: str) -> None:
    assert [] == codes(of_expressions("local.label", f"{name}: {{op: Exists}}"))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^AMX", ["cpuid-false-positive"]),
        ("^AMX[A-Z]", ["cpuid-false-positive"]),
        ("^AMX(FP8|TILE)$", ["cpuid-false-positive"]),
        ("^AMX(TILE|INT8)$", []),
        ("^AVX512", []),
        ("^[A-Z0-9]+$", []),
        ("^AMX(", ["invalid-pattern"]),
    ],
)
def test_a_pattern_that_is_found_in_the_false_positive(
    pattern: str, expected: list[str]
) -> None:
    spec = of_names("cpu.cpuid", f"{{op: InRegexp, value: ['{pattern}']}}")
    assert expected == codes(spec)


@pytest.mark.parametrize(("calls", "expected"), [(100_000, 1), (1, 0)])
def test_looking_for_amx_takes_bounded_work(
    calls: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MAX_CALLS", calls)
    content = of_names("cpu.cpuid", "{op: InRegexp, value: ['^AMX[A-Z]']}")
    spec = written.read(yaml11.read(content, LIMITS).root, written.Sources(None))
    regexp.forget()
    assert expected == len(list(names.check(spec)))


@pytest.mark.parametrize("name", ["hugepages-1G", "hugepages-1GB", "hugepages-1gi"])
def test_a_size_of_huge_pages_has_a_nearest(name: str) -> None:
    problem = only(of_expressions("memory.hugepages", f"{name}: {{op: Exists}}"))
    assert ("unknown-element", 'did you mean "hugepages-1Gi"?') == (
        problem.code,
        problem.hint,
    )


@pytest.mark.parametrize(("length", "hint"), [(256, True), (257, False)])
def test_no_option_has_a_longer_name(length: int, hint: bool) -> None:
    name = "a" * length
    problem = only(of_expressions("kernel.config", f"? {name}\n: {{op: Exists}}"))
    assert hint == bool(problem.hint)
