"""Whatever a settings file holds, it is accepted, or refused line by line."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.settings import life
from app.settings.checking import check
from app.settings.life import Life
from app.settings.loading import Accepted, Refused, judge
from app.settings.sections import Settings

KNOWN = (
    Path(__file__).parent.parent / "unit" / "settings" / "settings-0.1.yaml"
).read_bytes()

KEYS = st.sampled_from(
    ("policy", "mode", "exemptions", "owner", "server", "port", "hosts", "<<", "tags")
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file, with a piece of it gone, doubled or replaced."""
    start = draw(st.integers(0, len(KNOWN)))
    end = draw(st.integers(start, min(start + 40, len(KNOWN))))
    piece = draw(
        st.sampled_from((b"", b"\n", b": ", b"- ", b"{", b"*a", b"&a ", b"!!x ", b"'"))
        | st.just(KNOWN[start:end] * 2)
        | st.binary(max_size=4)
    )
    return KNOWN[:start] + piece + KNOWN[end:]


TEXTS = (
    st.binary(max_size=40)
    | damaged()
    | VALUES.map(lambda value: yaml.safe_dump(value, allow_unicode=True).encode())
    | st.dictionaries(KEYS, VALUES, max_size=4).map(
        lambda v: yaml.safe_dump(v).encode()
    )
)


@given(text=TEXTS)
def test_a_text_is_accepted_or_refused_with_places_that_are_in_it(text: bytes) -> None:
    judged = judge(text, "f")
    if isinstance(judged, Accepted):
        assert isinstance(judged.settings, Settings)
        return
    assert isinstance(judged, Refused)
    assert judged.lines
    last = len(text.decode(errors="replace").splitlines()) + 1
    for fault, line in zip(judged.faults, judged.lines, strict=True):
        assert line.isprintable(), line
        assert line.startswith("f:")
        assert fault.place is None or 1 <= fault.place.line <= last


@given(text=TEXTS)
def test_what_is_checked_before_is_what_a_process_says(text: bytes) -> None:
    judged = judge(text, "f")
    (checked,) = check(text, "f")
    is_valid = isinstance(judged, Accepted)
    assert is_valid == (checked.settings is not None)
    if isinstance(judged, Refused):
        assert judged.lines == tuple(checked.fault_lines())
    assert all(line.isprintable() for line in checked.warning_lines())


@given(first=damaged(), second=damaged())
def test_what_is_taken_up_leaves_only_what_needs_a_process(
    first: bytes, second: bytes
) -> None:
    held, wanted = judge(first, "f"), judge(second, "f")
    if isinstance(held, Refused) or isinstance(wanted, Refused):
        return
    taken = life.taken_up(held.settings, wanted.settings)
    assert all(one.life is Life.PROCESS for one in life.changes(taken, wanted.settings))
    assert all(one.life is Life.LIVE for one in life.changes(held.settings, taken))
    assert taken == life.taken_up(taken, wanted.settings)
