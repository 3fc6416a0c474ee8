"""A figure, and the line that it is printed as."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Better: TypeAlias = Literal["lower", "higher"]

_DIGITS: Final = 4
"""Digits of a number that are printed; machines do not repeat more."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement.

    Attributes:
        name: stable over versions; begins with the name of its row.
        value: what was measured; `None` if it could not be, and `note` says why.
        unit: of the value.
        goal: the value that is still fine; `None` where there is none.
        beside: what else was measured in the same run, or is known of peers; the
            names say the unit.
        better: which side of the goal is fine.
        note: what a reader must know of this one run; mostly empty.
    """

    name: str
    value: float | None
    unit: str
    goal: float | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
    better: Better = "lower"
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; `None` without a goal or a value."""
        if self.goal is None or self.value is None:
            return None
        if self.better == "higher":
            return self.value >= self.goal
        return self.value <= self.goal


Row: TypeAlias = Callable[[], Iterable[Figure] | AsyncIterator[Figure]]
"""Measures what belongs together, in a process of its own."""

Rows: TypeAlias = Mapping[str, Row]
"""Name -> row; what a module of measurements calls `ROWS`."""


def line(figure: Figure) -> str:
    """The figure as one line of JSON."""
    return json.dumps(
        {
            "name": figure.name,
            "value": _rounded(figure.value),
            "unit": figure.unit,
            "goal": figure.goal,
            "met": figure.is_met,
            "better": figure.better,
            "beside": {name: _rounded(each) for name, each in figure.beside.items()},
            "note": figure.note,
        }
    )


def show(figure: Figure) -> None:
    """Prints the line, at once."""
    print(line(figure), flush=True)


def _rounded(value: float | None) -> float | None:
    if value is None or value == int(value):
        return value
    return float(f"{value:.{_DIGITS}g}")
