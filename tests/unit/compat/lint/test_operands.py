"""Values that an element never has, or not on every node."""

from __future__ import annotations

import pytest

from app.compat.lint import lint
from tests.unit.compat.lint.examples import codes, of_expressions, of_names, only


@pytest.mark.parametrize("feature", ["cpu.cpuid", "kernel.loadedmodule"])
@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ('{op: In, value: ["true"]}', "write {op: Exists}"),
        ('{op: NotIn, value: ["x"]}', "write {op: DoesNotExist}"),
        ("{op: IsTrue}", "write {op: Exists}"),
        ("{op: IsFalse}", "write {op: DoesNotExist}"),
        ('{op: Gt, value: ["1"]}', "write {op: Exists}"),
    ],
)
def test_a_flag_has_no_value(feature: str, expression: str, hint: str) -> None:
    problem = only(of_expressions(feature, f"AVX: {expression}"))
    assert ("value-of-flag", hint) == (problem.code, problem.hint)


@pytest.mark.parametrize("op", ["Exists", "DoesNotExist"])
def test_a_flag_is_there_or_not(op: str) -> None:
    assert [] == codes(of_expressions("cpu.cpuid", f"AVX: {{op: {op}}}"))


def test_one_element_of_cpuid_has_a_value() -> None:
    spec = of_expressions("cpu.cpuid", 'AVX10_VERSION: {op: Ge, value: ["2"]}')
    assert [] == codes(spec)


@pytest.mark.parametrize(
    ("feature", "name", "expression", "expected"),
    [
        ("kernel.version", "full", '{op: Ge, value: ["5"]}', ["number-elsewhere"]),
        (
            "kernel.version",
            "full",
            '{op: Ge, type: version, value: ["5"]}',
            ["version-elsewhere"],
        ),
        (
            "system.osrelease",
            "VERSION_ID",
            '{op: Ge, value: ["9"]}',
            ["number-elsewhere"],
        ),
        ("system.osrelease", "VERSION_ID", '{op: Ge, type: version, value: ["9"]}', []),
        (
            "system.osrelease",
            "VERSION",
            '{op: Ge, type: version, value: ["9"]}',
            ["version-elsewhere"],
        ),
        ("system.osrelease", "VERSION_ID.major", '{op: Ge, value: ["9"]}', []),
        ("kernel.selinux", "enabled", '{op: Gt, value: ["0"]}', ["number-elsewhere"]),
        ("pci.device", "device", '{op: Gt, value: ["1017"]}', ["number-elsewhere"]),
        ("cpu.topology", "socket_count", '{op: Gt, value: ["1"]}', []),
        ("cpu.topology", "socket_count", '{op: Gt, type: version, value: ["1"]}', []),
        ("memory.hugepages", "hugepages-1Gi", '{op: Gt, value: ["7"]}', []),
        ("kernel.config", "NR_CPUS", '{op: Gt, value: ["7"]}', []),
        ("local.label", "x", '{op: Gt, value: ["7"]}', []),
        ("vendor.example/x", "x", '{op: Gt, value: ["7"]}', []),
        (
            "local.label",
            "nvidia.com/cuda.driver.rev",
            '{op: Gt, value: ["7"]}',
            ["number-elsewhere"],
        ),
        (
            "local.label",
            "nvidia.com/cuda.driver-version.revision",
            '{op: Gt, value: ["7"]}',
            ["number-elsewhere"],
        ),
        (
            "local.label",
            "nvidia.com/cuda.driver-version.full",
            '{op: Ge, type: version, value: ["550"]}',
            [],
        ),
        (
            "local.label",
            "nvidia.com/cuda.driver.rev",
            '{op: Ge, type: version, value: ["7"]}',
            [],
        ),
    ],
)
def test_what_can_be_compared_on_every_node(
    feature: str, name: str, expression: str, expected: list[str]
) -> None:
    assert expected == codes(of_expressions(feature, f"{name}: {expression}"))


@pytest.mark.parametrize(
    ("feature", "name", "expression", "hint"),
    [
        (
            "cpu.model",
            "vendor_id",
            '{op: In, value: ["GenuineIntel"]}',
            'write "Intel"',
        ),
        ("cpu.model", "vendor_id", '{op: In, value: ["AuthenticAMD"]}', 'write "AMD"'),
        ("cpu.model", "vendor_id", '{op: In, value: ["intel"]}', 'write "Intel"'),
        ("cpu.model", "vendor_id", '{op: NotIn, value: ["Frobozz"]}', ""),
        ("kernel.selinux", "enabled", '{op: In, value: ["enforcing"]}', ""),
        ("kernel.selinux", "enabled", '{op: In, value: ["True"]}', 'write "true"'),
        ("kernel.selinux", "enabled", '{op: In, value: ["1"]}', ""),
        ("storage.block", "rotational", '{op: In, value: ["false"]}', ""),
        ("cpu.pstate", "status", '{op: In, value: ["on"]}', ""),
        ("cpu.security", "sgx.enabled", "{op: IsFalse}", "write {op: DoesNotExist}"),
        ("kernel.config", "KVM", "{op: IsTrue}", 'write {op: In, value: ["y", "m"]}'),
        ("cpu.topology", "socket_count", "{op: IsTrue}", "write In"),
        ("pci.device", "class", "{op: IsTrue}", "write In"),
        ("kernel.config", "KVM", '{op: In, value: ["yes"]}', 'write ["y", "m"]'),
        ("kernel.config", "KVM", '{op: In, value: ["true"]}', 'write ["y", "m"]'),
    ],
)
def test_a_value_that_an_element_never_has(
    feature: str, name: str, expression: str, hint: str
) -> None:
    problem = only(of_expressions(feature, f"{name}: {expression}"))
    assert ("impossible-value", hint) == (problem.code, problem.hint)


@pytest.mark.parametrize(
    ("feature", "name", "expression"),
    [
        ("cpu.model", "vendor_id", '{op: In, value: ["Intel", "AMD", "Ampere"]}'),
        ("cpu.model", "vendor_id", '{op: InRegexp, value: ["^(Intel|AMD)$"]}'),
        ("kernel.selinux", "enabled", "{op: IsTrue}"),
        ("kernel.selinux", "enabled", "{op: IsFalse}"),
        ("kernel.selinux", "enabled", '{op: In, value: ["true"]}'),
        ("kernel.config", "KVM", '{op: In, value: ["y", "m"]}'),
        ("kernel.config", "HZ", '{op: In, value: ["1000"]}'),
        ("cpu.security", "sgx.enabled", "{op: IsTrue}"),
        ("local.label", "x", "{op: IsTrue}"),
        ("pci.device", "class", '{op: In, value: ["0b40"]}'),
        ("pci.device", "class", '{op: InRegexp, value: ["^03"]}'),
        ("usb.device", "class", '{op: In, value: ["ff"]}'),
        ("usb.device", "vendor", '{op: In, value: ["1d6b"]}'),
        ("usb.device", "serial", '{op: In, value: ["ABC"]}'),
        ("vendor.example/x", "x", '{op: In, value: ["ABC"]}'),
    ],
)
def test_a_value_that_an_element_may_have(
    feature: str, name: str, expression: str
) -> None:
    assert [] == codes(of_expressions(feature, f"{name}: {expression}"))


@pytest.mark.parametrize(
    ("system", "minor", "expected"),
    [
        ("ubuntu", "4", ["leading-zero"]),
        ("ubuntu", "04", []),
        ("ubuntu", "10", []),
        ("rhel", "4", []),
    ],
)
def test_minor_versions_of_ubuntu_have_two_digits(
    system: str, minor: str, expected: list[str]
) -> None:
    named = f"ID: {{op: In, value: [{system}]}}"
    numbered = f'VERSION_ID.minor: {{op: In, value: ["{minor}"]}}'
    spec = of_expressions("system.osrelease", f"{named}\n{numbered}")
    assert expected == codes(spec)


@pytest.mark.parametrize("value", ["n", "is not set", ""])
def test_a_kernel_option_that_is_off_is_absent(value: str) -> None:
    spec = of_expressions("kernel.config", f'KVM: {{op: In, value: ["{value}"]}}')
    assert ["config-off"] == codes(spec)


def test_an_option_that_yaml_coerces_is_told_once() -> None:
    spec = of_expressions("kernel.config", "KVM: {op: In, value: [y]}")
    assert ["coerced-value"] == codes(spec)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("vendor", '"10DE"', 'write "10de"'),
        ("vendor", '"0x10de"', 'write "10de"'),
        ("class", '"300"', 'write "0300"'),
        ("class", '"030000"', 'write "0300", without the programming interface'),
        ("device", '"ConnectX"', ""),
        ("device", '"NVMe"', ""),
    ],
)
def test_an_id_of_pci_is_four_digits(name: str, value: str, hint: str) -> None:
    problem = only(
        of_expressions("pci.device", f"{name}: {{op: In, value: [{value}]}}")
    )
    assert ("pci-id", hint) == (problem.code, problem.hint)


@pytest.mark.parametrize(
    ("feature", "name", "code"),
    [("pci.device", "class", "pci-id"), ("usb.device", "vendor", "usb-id")],
)
def test_an_unquoted_id_wants_quotes(feature: str, name: str, code: str) -> None:
    spec = of_expressions(feature, f"{name}: {{op: In, value: [0300]}}")
    problems = [one for one in lint(spec) if one.code == code]
    assert ['write "0300", quoted'] == [one.hint for one in problems]
    assert ["coerced-value", code] == codes(spec)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("class", "0xFF", 'write "ff"'),
        ("class", "e", 'write "0e"'),
        ("vendor", "1D6B", 'write "1d6b"'),
        ("device", "xyz", ""),
    ],
)
def test_an_id_of_usb_is_so_many_digits(name: str, value: str, hint: str) -> None:
    spec = of_expressions("usb.device", f'{name}: {{op: In, value: ["{value}"]}}')
    assert ("usb-id", hint) == (only(spec).code, only(spec).hint)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{op: Exists}", []),
        ('{op: In, value: ["AVX"]}', []),
        ("{op: DoesNotExist}", ["names-operator"]),
        ('{op: Gt, value: ["1"]}', ["names-operator"]),
        ("{op: IsTrue}", ["names-operator"]),
        ('{op: NotIn, value: ["AVX"]}', ["names-operator"]),
        ('{op: InRegexp, value: ["AVX512"]}', ["unanchored-pattern"]),
        ('{op: InRegexp, value: ["^AVX512"]}', []),
        ('{op: InRegexp, value: ["AVX512(F|BW)$"]}', []),
    ],
)
def test_what_can_be_asked_of_names(expression: str, expected: list[str]) -> None:
    assert expected == codes(of_names("cpu.cpuid", expression))


def test_patterns_on_names_of_others_are_left_alone() -> None:
    spec = of_names("vendor.example/x", '{op: InRegexp, value: ["a"]}')
    assert [] == codes(spec)


@pytest.mark.parametrize(
    ("feature", "name", "pattern", "expected"),
    [
        ("system.osrelease", "ID", "rhel", ["unanchored-pattern"]),
        ("system.osrelease", "ID", "^rhel$", []),
        ("system.osrelease", "NAME", "Linux", []),
        ("kernel.version", "full", "generic", []),
        ("pci.device", "device", "101", ["unanchored-pattern"]),
    ],
)
def test_a_pattern_that_looks_like_a_name(
    feature: str, name: str, pattern: str, expected: list[str]
) -> None:
    spec = of_expressions(feature, f'{name}: {{op: InRegexp, value: ["{pattern}"]}}')
    assert expected == codes(spec)
