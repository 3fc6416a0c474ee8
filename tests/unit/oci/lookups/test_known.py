"""Which names are known, and which ones belong together."""

from typing import Any

import pytest

from app.oci.cache import ENTRY_BYTES
from app.oci.lookups import known
from app.oci.lookups.known import KNOWN_SECONDS, Known, zone


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("h1.evil.example", "evil.example"),
        ("a.b.c.evil.example:5000", "evil.example"),
        ("EVIL.example.", "evil.example"),
        ("registry.good.co.uk", "co.uk"),
        ("localhost:5000", "localhost"),
        ("203.0.113.7:5000", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("[2001:db8::1]:5000", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_names_of_one_owner_are_one_zone(host: str, expected: str) -> None:
    assert expected == zone(host)


def test_a_name_that_answered_is_known_for_six_hours(clock: Any) -> None:
    names = Known(clock)
    assert "r.example" not in names
    names.learn("r.example")
    clock.now += KNOWN_SECONDS - 0.1
    assert "r.example" in names
    clock.now += 0.1
    assert "r.example" not in names


def test_a_name_that_does_not_answer_is_unknown_again(clock: Any) -> None:
    names = Known(clock)
    names.learn("r.example")
    names.forget("r.example")
    assert "r.example" not in names
    names.forget("r.example")


def test_names_are_bounded_and_the_last_ones_kept(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "KNOWN_BYTES", 3 * (ENTRY_BYTES + 10))
    names = Known(clock)
    for number in range(9):
        names.learn(f"{number}.example")
    assert 3 == len(names)
    assert "8.example" in names
