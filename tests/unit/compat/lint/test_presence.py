"""What is not there, or is there more than once."""

from __future__ import annotations

import pytest

from tests.unit.compat.lint.examples import codes, of_expressions, of_sets, of_terms


@pytest.mark.parametrize(
    ("feature", "name", "expected"),
    [
        ("kernel.config", "KVM", ["absent-feature"]),
        ("kernel.kvm", "enabled", ["absent-feature"]),
        ("vendor.example/x", "z", ["absent-feature"]),
        ("fake.flag", "z", []),
        ("kernel.loadedmodule", "nouveau", ["absent-feature"]),
        ("cpu.cpuid", "AVX", []),
        ("local.label", "x", []),
        ("cpu.security", "sgx.enabled", []),
        ("pci.device", "sriov_totalvfs", ["any-instance"]),
        ("storage.block", "zoned", ["any-instance"]),
    ],
)
def test_does_not_exist(feature: str, name: str, expected: list[str]) -> None:
    assert expected == codes(of_expressions(feature, f"{name}: {{op: DoesNotExist}}"))


@pytest.mark.parametrize(
    ("feature", "expression", "expected"),
    [
        ("kernel.config", 'KVM: {op: NotIn, value: ["y"]}', ["absent-is-false"]),
        ("local.label", 'x: {op: NotIn, value: ["y"]}', ["absent-is-false"]),
        ("local.label", "x: {op: IsFalse}", ["absent-is-false"]),
        ("vendor.example/x", 'x: {op: NotIn, value: ["y"]}', ["absent-is-false"]),
        (
            "system.osrelease",
            'VARIANT_ID: {op: NotIn, value: ["y"]}',
            ["absent-is-false"],
        ),
        ("cpu.model", 'hypervisor: {op: NotIn, value: ["kvm"]}', ["absent-is-false"]),
        (
            "pci.device",
            'sriov_totalvfs: {op: NotIn, value: ["0"]}',
            ["absent-is-false"],
        ),
        ("pci.device", 'vendor: {op: NotIn, value: ["15b3"]}', []),
        ("system.osrelease", 'ID: {op: NotIn, value: ["rhel"]}', []),
        ("cpu.model", 'vendor_id: {op: NotIn, value: ["Intel"]}', []),
        ("kernel.selinux", "enabled: {op: IsFalse}", []),
        ("cpu.topology", "hardware_multithreading: {op: IsFalse}", []),
        ("cpu.cstate", "enabled: {op: IsFalse}", ["absent-is-false"]),
        ("cpu.security", "sgx.enabled: {op: IsFalse}", ["impossible-value"]),
        ("storage.block", "rotational: {op: IsFalse}", ["impossible-value"]),
        ("kernel.config", "KVM: {op: IsFalse}", ["impossible-value"]),
    ],
)
def test_what_must_not_be_is_asked_of_what_is_there(
    feature: str, expression: str, expected: list[str]
) -> None:
    assert expected == codes(of_expressions(feature, expression))


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        ('rotational: {op: In, value: ["0"]}', ["loop-devices"]),
        ('rotational: {op: Lt, value: ["1"]}', ["loop-devices"]),
        ('rotational: {op: Le, value: ["0"]}', ["loop-devices"]),
        ('rotational: {op: NotIn, value: ["1"]}', ["absent-is-false", "loop-devices"]),
        ('rotational: {op: InRegexp, value: ["^0$"]}', ["loop-devices"]),
        ('rotational: {op: In, value: ["1"]}', []),
        ("rotational: {op: Exists}", []),
        (
            'rotational: {op: In, value: ["0"]}\nname: {op: In, value: ["sda"]}',
            [],
        ),
        ('name: {op: InRegexp, value: ["^nvme"]}', []),
    ],
)
def test_loop_devices_do_not_rotate(expressions: str, expected: list[str]) -> None:
    assert expected == codes(of_expressions("storage.block", expressions))


LEVEL = "{feature: cpu.cpuid, matchExpressions: {X86_64_V3: {op: Exists}}}"
FLAGS = "{feature: cpu.cpuid, matchExpressions: {AVX2: {op: Exists}}}"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(f"matchFeatures: [{LEVEL}]", 1, id="alone"),
        pytest.param(
            f"matchAny: [{{matchFeatures: [{LEVEL}]}}, {{matchFeatures: [{FLAGS}]}}]",
            0,
            id="with an alternative",
        ),
        pytest.param(
            f"matchAny: [{{matchFeatures: [{LEVEL}]}}, {{matchFeatures: [{LEVEL}]}}]",
            2,
            id="in every alternative",
        ),
        pytest.param(f"matchFeatures: [{FLAGS}]", 0, id="flags"),
    ],
)
def test_levels_of_amd64_are_new(rule: str, expected: int) -> None:
    found = codes(of_sets(f"- rules: [{{name: a, {rule}}}]"))
    assert ["newer-nfd"] * expected == found


def test_not_every_kernel_release_can_be_split() -> None:
    spec = of_expressions(
        "kernel.version",
        'major: {op: In, value: ["6"]}\nminor: {op: Ge, value: ["1"]}',
    )
    assert ["not-on-every-host"] == codes(spec)
    assert [] == codes(of_expressions("kernel.version", "major: {op: Exists}"))


@pytest.mark.parametrize("name", ["major", "minor", "revision"])
def test_each_part_of_a_release_may_be_absent(name: str) -> None:
    spec = of_expressions("kernel.version", f"{name}: {{op: Ge, value: ['1']}}")
    assert ["not-on-every-host"] == codes(spec)


MAJOR = "{feature: kernel.version, matchExpressions: {major: {op: Ge, value: ['6']}}}"
OTHER = "{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}"


@pytest.mark.parametrize(
    ("required", "alternatives", "expected"),
    [
        (MAJOR, [OTHER], ["not-on-every-host"]),
        (OTHER, [MAJOR, MAJOR], ["not-on-every-host"]),
        (OTHER, [MAJOR, OTHER], []),
    ],
)
def test_an_alternative_helps_only_where_it_stands_for_the_version(
    required: str, alternatives: list[str], expected: list[str]
) -> None:
    inner = ", ".join(f"{{matchFeatures: [{one}]}}" for one in alternatives)
    rule = f"{{name: r, matchFeatures: [{required}], matchAny: [{inner}]}}"
    assert expected == codes(of_sets(f"- rules: [{rule}]"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[X86_64_V3]", ["newer-nfd"]),
        ("[X86_64_V3, X86_64_V4]", ["newer-nfd"]),
        ("[X86_64_V3, AVX2]", []),
    ],
)
def test_a_level_in_a_list_of_names_is_new_too(names: str, expected: list[str]) -> None:
    spec = of_terms(f"- {{feature: cpu.cpuid, matchName: {{op: In, value: {names}}}}}")
    assert expected == codes(spec)


def test_the_only_flag_with_a_value_may_be_absent() -> None:
    spec = of_expressions("cpu.cpuid", "AVX10_VERSION: {op: NotIn, value: ['1']}")
    assert ["absent-is-false"] == codes(spec)


@pytest.mark.parametrize("feature", ["kernel.kvm", "memory.hugepages"])
def test_what_an_older_nfd_lacks_is_not_false(feature: str) -> None:
    assert ["absent-is-false"] == codes(
        of_expressions(feature, "enabled: {op: IsFalse}")
    )


def test_an_alternative_makes_up_for_kernels_that_cannot_be_split() -> None:
    spec = of_sets(
        """\
- rules:
  - name: Linux 6
    matchAny:
    - matchFeatures:
      - feature: kernel.version
        matchExpressions: {major: {op: Ge, value: ["6"]}}
    - matchFeatures:
      - feature: kernel.version
        matchExpressions: {full: {op: InRegexp, value: ['^[6-9]']}}
"""
    )
    assert [] == codes(spec)


ONE = "{feature: %s, matchExpressions: {%s: {op: Exists}}}"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("pci.device", "vendor"), ("pci.device", "class"), ["split-instances"]),
        (("pci.device", "vendor"), ("pci.device", "vendor"), []),
        (("pci.device", "vendor"), ("usb.device", "class"), []),
        (("local.label", "a"), ("local.label", "b"), []),
        (("vendor.example/x", "a"), ("vendor.example/x", "b"), []),
    ],
)
def test_two_terms_may_mean_two_devices(
    first: tuple[str, str], second: tuple[str, str], expected: list[str]
) -> None:
    assert expected == codes(of_terms(f"- {ONE % first}\n- {ONE % second}"))


def test_a_device_that_nothing_is_asked_of_is_no_other() -> None:
    spec = of_terms(f"- feature: pci.device\n- {ONE % ('pci.device', 'vendor')}")
    assert [] == codes(spec)


def test_other_terms_are_left_alone() -> None:
    assert [] == codes(of_terms("- feature: kernel.version\n- feature: cpu.model"))
