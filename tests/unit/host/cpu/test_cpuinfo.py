import pytest

from app.host.cpu import cpuinfo

TWO = """
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R): a: b
flags\t\t: fpu vme

processor\t: 1
vendor_id\t: AuthenticAMD
bogus
"""


def test_the_first_processor_counts() -> None:
    found = cpuinfo.first_processor(TWO)
    assert {
        "processor": "0",
        "vendor_id": "GenuineIntel",
        "model name": "Intel(R): a: b",
        "flags": "fpu vme",
    } == found


def test_of_a_field_that_stands_twice_the_first_counts() -> None:
    assert {"a": "1"} == cpuinfo.first_processor("a: 1\na: 2")
    assert {} == cpuinfo.first_processor("")


@pytest.mark.parametrize(
    ("text", "machine"),
    [
        (TWO, "x86_64"),
        ("processor: 0\nCPU implementer\t: 0x41\n", "aarch64"),
        ("processor: 0\ncpu: POWER9\n", None),
        ("", None),
    ],
)
def test_the_kind_of_processor_shows(text: str, machine: str | None) -> None:
    assert machine == cpuinfo.machine_of(text)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("25", 25),
        ("0x41", 0x41),
        ("", 0),
        ("many", 0),
        ("-3", 0),
        ("9" * 5000, 10**20 - 1),
    ],
)
def test_a_number_is_decimal_or_not(value: str, number: int) -> None:
    assert number == cpuinfo.number({"a": value}, "a")
    assert 0 == cpuinfo.number({}, "a")


def test_lines_and_spaces_are_those_of_go() -> None:
    text = "a\x1c: 1\x0b\nb: x\x1cc: y\x85d: z\x1f\n"
    found = cpuinfo.first_processor(text)
    assert {"a\x1c": "1", "b": "x\x1cc: y\x85d: z\x1f"} == found
