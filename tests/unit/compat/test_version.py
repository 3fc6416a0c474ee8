"""Versions and numbers are those of Masterminds semver and strconv.Atoi."""

from __future__ import annotations

import pytest

from app.compat.version import MAX_VERSION_BYTES, number, version


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("5.15.0-1034-aws", (5, 15, 0), id="the-pre-release-is-dropped"),
        pytest.param("1.2.3+meta", (1, 2, 3), id="metadata-is-dropped"),
        pytest.param("1.2.3-rc.1+b.2", (1, 2, 3), id="both-are-dropped"),
        pytest.param("v1.2", (1, 2, 0), id="what-is-missing-is-zero"),
        pytest.param("7", (7, 0, 0), id="one-number"),
        pytest.param("01.02", (1, 2, 0), id="leading-zeros-are-fine"),
        pytest.param("1.2.3-0a", (1, 2, 3), id="a-zero-before-letters-is-fine"),
        pytest.param("1.2.3-0", (1, 2, 3), id="a-lone-zero-is-fine"),
        pytest.param("1.2.3-01", None, id="a-padded-number-in-a-pre-release"),
        pytest.param("1.2.3-a.01.b", None, id="a-padded-number-between-dots"),
        pytest.param("1.2.3-01a", (1, 2, 3), id="a-padded-number-with-a-letter"),
        pytest.param(f"{2**64 - 1}", (2**64 - 1, 0, 0), id="64-bits"),
        pytest.param(f"1.{2**64}", None, id="65-bits"),
        pytest.param("V1", None, id="only-a-small-v"),
        pytest.param("1.2.3.4", None, id="four-numbers"),
        pytest.param("1.2\n", None, id="a-line-feed"),
        pytest.param("1..2", None, id="an-empty-number"),
        pytest.param("1.2-", None, id="an-empty-pre-release"),
        pytest.param("", None, id="nothing"),
        pytest.param("٣.1", None, id="digits-of-another-script"),
        pytest.param("5.14.0-362.8.1.el9_3.x86_64", None, id="rhel-has-an-underscore"),
    ],
)
def test_versions_are_read_as_semver_coerces_them(
    text: str, wanted: tuple[int, int, int] | None
) -> None:
    assert wanted == version(text)


def test_a_version_has_at_most_256_bytes() -> None:
    longest = "1.2.3-" + "a" * (MAX_VERSION_BYTES - 6)
    assert version(longest) == (1, 2, 3)
    assert version(longest + "a") is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("0", 0, id="zero"),
        pytest.param("-0", 0, id="minus-zero"),
        pytest.param("+1", 1, id="a-plus"),
        pytest.param("-12", -12, id="a-minus"),
        pytest.param("007", 7, id="leading-zeros"),
        pytest.param("0" * 5000 + "1", 1, id="thousands-of-zeros"),
        pytest.param("9223372036854775807", 2**63 - 1, id="largest"),
        pytest.param("9223372036854775808", None, id="one-too-large"),
        pytest.param("-9223372036854775808", -(2**63), id="smallest"),
        pytest.param("-9223372036854775809", None, id="one-too-small"),
        pytest.param("1" * 5000, None, id="thousands-of-digits"),
        *(
            pytest.param(text, None, id=f"not-{text!r}")
            for text in (
                ["", " 1", "1 ", "1_000", "0x10", "1e3", "1.0", "1\n", "+", "--1", "٣"]
            )
        ),
    ],
)
def test_numbers_are_read_as_atoi_reads_them(text: str, wanted: int | None) -> None:
    assert wanted == number(text)
