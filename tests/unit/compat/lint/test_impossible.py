"""Texts that NFD never publishes, and what to write instead."""

from __future__ import annotations

import pytest

from app.compat.lint import lint
from app.compat.lint.features import FEATURES, element
from app.compat.lint.impossible import PARTS
from tests.unit.compat.lint.examples import codes, of_expressions, of_names, only

FULL, OS, MODEL = "kernel.version", "system.osrelease", "cpu.model"


def of(feature: str, name: str, op: str, *values: str) -> bytes:
    quoted = ", ".join(f"'{one}'" for one in values)
    return of_expressions(feature, f"{name}: {{op: {op}, value: [{quoted}]}}")


@pytest.mark.parametrize(
    ("feature", "name", "value", "hint"),
    [
        (FULL, "full", "6.12.55+", 'write "6.12.55"'),
        (FULL, "full", "6.12.55_", 'write "6.12.55"'),
        (FULL, "full", "6.12.74+deb13+1-amd64", 'write "6.12.74_deb13_1-amd64"'),
        (FULL, "full", "+", ""),
        (FULL, "major", "5.14", PARTS),
        (FULL, "major", "five", ""),
        (OS, "ID", "Ubuntu", 'write "ubuntu"'),
        (OS, "VARIANT_ID", "CoreOS", 'write "coreos"'),
        (MODEL, "hypervisor", "hyperv", 'write "msvm"'),
        (MODEL, "hypervisor", "KVM", 'write "kvm"'),
        (MODEL, "hypervisor", "xen", 'write "xenhvm"'),
        (MODEL, "family", "0x6", ""),
        (MODEL, "id", "two", ""),
        (MODEL, "vendor_id", "HygonGenuine", 'write "Hygon"'),
        (MODEL, "vendor_id", "AmpereComputing", 'write "Ampere"'),
        (MODEL, "vendor_id", "ARM Limited", 'write "ARM"'),
        (MODEL, "vendor_id", "AuthenticAMD", 'write "AMD"'),
        ("kernel.config", "LSM", '"yama"', 'write "yama"'),
        ("storage.block", "nr_zones", "none", ""),
        ("storage.block", "dax", "2", ""),
    ],
)
def test_what_an_element_never_is(
    feature: str, name: str, value: str, hint: str
) -> None:
    problem = next(
        one for one in lint(of(feature, name, "In", value)) if "never is" in one.message
    )
    assert ("impossible-value", hint) == (problem.code, problem.hint)


@pytest.mark.parametrize(
    ("feature", "name", "value"),
    [
        (FULL, "full", "6.12.55-cos_x.y"),
        (OS, "ID", "ubuntu"),
        (OS, "VERSION_ID.minor", "04"),
        (MODEL, "hypervisor", "kvm"),
        (MODEL, "hypervisor", "bhyve"),
        (MODEL, "family", "6"),
        ("kernel.config", "LSM", "yama"),
        ("kernel.config", "LSM", '"'),
        ("network.device", "speed", "-1"),
    ],
)
def test_what_an_element_may_be(feature: str, name: str, value: str) -> None:
    assert [] == codes(of(feature, name, "In", value))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("rhcos",), ["not-on-every-host"]),
        (("rhcos", "rhel"), []),
        (("rhel",), []),
    ],
)
def test_rhcos_calls_itself_rhel_now(
    values: tuple[str, ...], expected: list[str]
) -> None:
    assert expected == codes(of(OS, "ID", "In", *values))


@pytest.mark.parametrize(
    ("op", "expected"),
    [("Exists", ["not-on-every-host"]), ("DoesNotExist", [])],
)
def test_rhel_version_is_gone(op: str, expected: list[str]) -> None:
    assert expected == codes(of_expressions(OS, f"RHEL_VERSION: {{op: {op}}}"))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^6\.12\.55\+", ["impossible-value"]),
        ("^6[+]", ["impossible-value"]),
        (r"^6\+?", []),
        (r"^6\+|^5", []),
        ("^6[0-9]+", []),
    ],
)
def test_a_release_never_holds_a_plus(pattern: str, expected: list[str]) -> None:
    assert expected == codes(of(FULL, "full", "InRegexp", pattern))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("major", "5.14", ["not-on-every-host", "version-elsewhere"]),
        ("major", "5", ["not-on-every-host"]),
    ],
)
def test_a_part_of_a_version_is_one_number(
    name: str, value: str, expected: list[str]
) -> None:
    text = f"{name}: {{op: Ge, type: version, value: ['{value}']}}"
    found = lint(of_expressions(FULL, text))
    assert expected == [one.code for one in found]
    assert [PARTS] * (len(expected) - 1) == [one.hint for one in found[1:]]


def test_of_other_numbers_there_are_no_parts() -> None:
    text = "socket_count: {op: Ge, type: version, value: ['1.5']}"
    problem = only(of_expressions("cpu.topology", text))
    assert ("version-elsewhere", "") == (problem.code, problem.hint)


@pytest.mark.parametrize(
    ("feature", "name", "value", "hint"),
    [
        (FULL, "major", "5.14", PARTS),
        ("cpu.topology", "socket_count", "1.5", ""),
        ("local.label", "x", "1.5", "add type: version"),
        ("local.label", "x", "1.2.3.4", ""),
        (
            "local.label",
            "x",
            "9223372036854775808",
            "numbers are at most 9223372036854775807",
        ),
        ("local.label", "x", "two", ""),
    ],
)
def test_what_is_no_number_has_a_hint_of_its_own(
    feature: str, name: str, value: str, hint: str
) -> None:
    found = lint(of(feature, name, "Ge", value))
    assert [hint] == [one.hint for one in found if one.code == "not-a-number"]


@pytest.mark.parametrize(
    ("pattern", "has_hint"),
    [
        *[("(?=a)", True), ("(?!a)", True), ("(?<=a)", True), ("(?<!a)", True)],
        *[(r"(a)\1", True), ("(?>a)", True), ("a++", True)],
        *[("(", False), ("[a", False), ("*", False)],
    ],
)
def test_what_re2_lacks_is_told_where_it_is_asked_for(
    pattern: str, has_hint: bool
) -> None:
    problem = only(of("local.label", "x", "InRegexp", pattern))
    assert has_hint == ("lookahead" in problem.hint)


@pytest.mark.parametrize(
    ("op", "value", "hint"),
    [
        ("In", "03", 'for all of a base class write InRegexp, value: ["^03"]'),
        ("In", "0X03", 'for all of a base class write InRegexp, value: ["^03"]'),
        ("In", "300", 'write "0300"'),
        ("InRegexp", "03", 'write "^03", if that is how it begins'),
        ("InRegexp", "0300", 'write op: In, or "^0300$"'),
    ],
)
def test_a_class_of_two_digits_is_a_base_class(op: str, value: str, hint: str) -> None:
    assert hint == only(of("pci.device", "class", op, value)).hint


@pytest.mark.parametrize(
    ("name", "pattern", "hint"),
    [
        ("class", "0", 'write "^0", if that is how it begins'),
        ("class", "03", 'write op: In, or "^03$"'),
        ("vendor", "03", 'write "^03", if that is how it begins'),
        ("vendor", "1d6b", 'write op: In, or "^1d6b$"'),
    ],
)
def test_ids_of_usb_have_two_digits_or_four(name: str, pattern: str, hint: str) -> None:
    assert hint == only(of("usb.device", name, "InRegexp", pattern)).hint


@pytest.mark.parametrize(
    ("feature", "pattern", "hint"),
    [
        ("cpu.cpuid", "AVX", 'write op: In, or "^AVX$"'),
        ("cpu.cpuid", "AVX512VN", 'write "^AVX512VN", if that is how it begins'),
        ("kernel.loadedmodule", "kvm", 'write op: In, or "^kvm$"'),
    ],
)
def test_a_word_that_no_name_is_begins_one(
    feature: str, pattern: str, hint: str
) -> None:
    expression = f"{{op: InRegexp, value: ['{pattern}']}}"
    assert hint == only(of_names(feature, expression)).hint


def test_an_element_of_dmi_may_be_absent_and_so_may_all_of_them() -> None:
    known = element("system.dmiid", "sys_vendor")
    assert known is not None
    assert "hosts without it" == known.absent
    assert "hosts without DMI tables" == FEATURES["system.dmiid"].absent
    for expression, code in (
        ("sys_vendor: {op: DoesNotExist}", "absent-feature"),
        ('sys_vendor: {op: NotIn, value: ["x"]}', "absent-is-false"),
    ):
        assert [code] == codes(of_expressions("system.dmiid", expression))


@pytest.mark.parametrize(("length", "expected"), [(1_024, 1), (1_025, 0)])
def test_a_text_that_nobody_writes_is_not_looked_at(length: int, expected: int) -> None:
    assert expected == len(codes(of(FULL, "full", "In", "+" * length)))
