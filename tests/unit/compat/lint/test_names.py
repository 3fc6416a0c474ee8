"""Names of features and elements."""

from __future__ import annotations

import pytest

from app.compat.lint import Problem, lint, near
from tests.unit.compat.lint.examples import (
    codes,
    of_expressions,
    of_names,
    of_terms,
    only,
)


@pytest.mark.parametrize(
    ("feature", "code", "hint"),
    [
        (
            "kernel.loadedmodules",
            "unknown-feature",
            'did you mean "kernel.loadedmodule"?',
        ),
        ("kernel.nosuch", "unknown-feature", ""),
        ("krnel.version", "unknown-feature", 'did you mean "kernel.version"?'),
        (
            "kernel.version.full",
            "unknown-feature",
            '"kernel.version" is the feature, "full" an element of it',
        ),
        ("cpuid", "feature-without-dot", 'did you mean "cpu.cpuid"?'),
        ("gpu", "feature-without-dot", ""),
        ("pci_device", "feature-without-dot", 'did you mean "pci.device"?'),
        (
            "feature.node.kubernetes.io/cpu-cpuid.AVX",
            "unknown-feature",
            "labels cpu-cpuid.AVX are element AVX of feature cpu.cpuid",
        ),
        ('""', "no-feature", "this term never matches"),
    ],
)
def test_a_feature_that_nfd_does_not_publish(
    feature: str, code: str, hint: str
) -> None:
    found = [one for one in _problems(feature) if one.code != "feature-case"]
    assert [(code, hint)] == [(one.code, one.hint) for one in found]


def _problems(feature: str) -> tuple[Problem, ...]:
    return lint(of_terms(f"- feature: {feature}"))


@pytest.mark.parametrize(
    "feature",
    [
        *("vendor.example/gpu.model", "acme.gpu", "local.feature"),
        *("fake.flag", "x.y"),
    ],
)
def test_features_of_others_are_not_ours_to_judge(feature: str) -> None:
    assert () == _problems(feature)


def test_custom_rules_make_no_features() -> None:
    (problem,) = _problems("custom.rdma")
    assert "unknown-feature" == problem.code
    assert problem.hint.startswith("NFD's custom rules make labels")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("amd.com/gpu.vram", ["labels-only"]),
        ("gpu.intel.com/family", ["labels-only"]),
        ("feature.node.kubernetes.io/cpu-cpuid.AVX", ["labels-only"]),
        ("nvidia.com/gpu.count", []),
    ],
)
def test_some_labels_are_no_features(name: str, expected: list[str]) -> None:
    spec = of_expressions("local.label", f"{name}: {{op: Exists}}")
    assert expected == codes(spec)


def test_upper_case_in_a_feature_is_warned_of_and_found() -> None:
    spec = of_expressions("CPU.CPUID", "AVX2: {op: Exists}")
    assert ("feature-case", 'write "cpu.cpuid"') == (only(spec).code, only(spec).hint)


@pytest.mark.parametrize(
    ("feature", "name", "hint"),
    [
        ("pci.device", "vendr", 'did you mean "vendor"?'),
        ("pci.device", "Vendor", 'did you mean "vendor"?'),
        ("pci.device", "driver", "it has class, device, iommu/intel-iommu/version,"),
        ("cpu.pstate", "scaling", 'did you mean "scaling_governor"?'),
        ("kernel.version", "Full", 'did you mean "full"?'),
        ("memory.hugepages", "hugepages-2MiB", ""),
        ("system.osrelease", "id", 'did you mean "ID"?'),
        ("cpu.cpuid", "AVX3", 'did you mean "AVX"?'),
        ("cpu.cpuid", "NOSUCHFLAG", ""),
        ("system.dmiid", "serial", ""),
    ],
)
def test_an_element_that_a_feature_lacks(feature: str, name: str, hint: str) -> None:
    problem = only(of_expressions(feature, f"{name}: {{op: Exists}}"))
    assert "unknown-element" == problem.code
    assert problem.hint.startswith(hint)


@pytest.mark.parametrize(
    ("feature", "name"),
    [
        ("memory.hugepages", "hugepages-1Gi"),
        ("system.osrelease", "MY_FIELD"),
        ("pci.device", "iommu_group/type"),
        ("cpu.cpuid", "AVX10_VERSION"),
        ("local.label", "vendor.example/x-y"),
        ("cpu.cpuid", "ALTIVEC"),
    ],
)
def test_an_element_that_a_feature_has(feature: str, name: str) -> None:
    assert [] == codes(of_expressions(feature, f"{name}: {{op: Exists}}"))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("FMA", "FMA3"),
        ("SSE4_1", "SSE4"),
        ("SSE4.2", "SSE42"),
        ("avx2", "AVX2"),
        ("avx512_vnni", "AVX512VNNI"),
        ("avx512f", "AVX512F"),
        ("pclmulqdq", "CLMUL"),
        ("NEON", "ASIMD"),
        ("aes", "AESNI"),
        ("vmx", "VMX"),
        ("lahf_lm", "LAHF"),
    ],
)
def test_a_flag_that_nfd_calls_otherwise(name: str, meant: str) -> None:
    problem = only(of_expressions("cpu.cpuid", f'"{name}": {{op: Exists}}'))
    assert ("cpuid-name", f"write {meant}") == (problem.code, problem.hint)


def test_aes_is_a_flag_of_arm64() -> None:
    (problem,) = lint(of_expressions("cpu.cpuid", "AES: {op: Exists}"))
    assert "cpuid-name" == problem.code
    assert [] == codes(
        of_expressions("cpu.cpuid", "AES: {op: Exists}\nASIMD: {op: Exists}")
    )


def test_amxfp8_is_a_false_positive() -> None:
    found = codes(of_expressions("cpu.cpuid", "AMXFP8: {op: Exists}"))
    assert ["cpuid-false-positive"] == found


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^AMX", ["cpuid-false-positive"]),
        ("AMX.*", ["cpuid-false-positive"]),
        ("^AMX(TILE|INT8)$", []),
        ("^AVX512", []),
    ],
)
def test_a_pattern_that_finds_amxfp8(pattern: str, expected: list[str]) -> None:
    spec = of_names("cpu.cpuid", f'{{op: InRegexp, value: ["{pattern}"]}}')
    assert expected == codes(spec)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('{op: In, value: ["vfio-pci"]}', ["module-dash"]),
        ('{op: In, value: ["vfio_pci"]}', []),
        ('{op: InRegexp, value: ["^vfio-pci$"]}', ["module-dash"]),
        ('{op: InRegexp, value: ["^vfio[-_]pci$"]}', []),
        ("{op: Exists}", []),
    ],
)
def test_names_of_loaded_modules_have_no_dash(
    expression: str, expected: list[str]
) -> None:
    assert expected == codes(of_names("kernel.loadedmodule", expression))


@pytest.mark.parametrize(
    ("name", "kind"), [("vfio-pci", "built in"), ("kvm_intel", "loaded")]
)
def test_one_spelling_finds_an_enabled_module_only_here_or_there(
    name: str, kind: str
) -> None:
    problem = only(of_expressions("kernel.enabledmodule", f"{name}: {{op: Exists}}"))
    assert "module-built-in" == problem.code
    assert problem.message.endswith(f"only where the module is {kind}")
    assert "[-_]" in problem.hint


def test_both_spellings_of_an_enabled_module_find_it() -> None:
    both = '{op: In, value: ["vfio-pci", "vfio_pci"]}'
    assert [] == codes(of_names("kernel.enabledmodule", both))


def test_both_spellings_at_once_are_two_conditions() -> None:
    spec = of_expressions(
        "kernel.enabledmodule", "vfio-pci: {op: Exists}\nvfio_pci: {op: Exists}"
    )
    assert ["module-built-in"] * 2 == codes(spec)


def test_a_module_whose_file_has_no_dash_has_one_name() -> None:
    assert [] == codes(of_expressions("kernel.enabledmodule", "kvm: {op: Exists}"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CONFIG_KVM", "write KVM"),
        ("kvm", "write KVM"),
        ("KVM-INTEL", ""),
    ],
)
def test_a_name_that_no_kernel_option_has(name: str, hint: str) -> None:
    problem = only(of_expressions("kernel.config", f"{name}: {{op: Exists}}"))
    assert ("config-name", hint) == (problem.code, problem.hint)


@pytest.mark.parametrize("name", ["KVM", "CRYPTO_SHA256", "SND_SOC_MT6359_ACCDETx"])
def test_a_name_that_a_kernel_option_may_have(name: str) -> None:
    assert [] == codes(of_expressions("kernel.config", f"{name}: {{op: Exists}}"))


def test_the_nearest_name_wins() -> None:
    known = ["alpha", "beta_max", "beta_min"]
    assert "beta_max" == near.nearest("BETA-MAX", known)
    assert "beta_min" == near.nearest("beta_mn", known)
    assert "alpha" == near.nearest("alp", known)
    assert "" == near.nearest("bet", known)
    assert "" == near.nearest("-", known)
    assert "" == near.nearest("gamma_ray", known)
    assert "" == near.nearest("a" * 49, ["a" * 49])


def test_of_thousands_of_names_none_is_compared() -> None:
    known = [f"name-{number}" for number in range(512)]
    assert "name-77" == near.nearest("nmae-77", known)
    assert "" == near.nearest("nmae-77", [*known, "other"])
    assert "name-77" == near.nearest("NAME-77", [*known, "other"])
