"""A figure, and how it is printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement; smaller is better where there is a goal.

    Attributes:
        name: stable over versions.
        value: what was measured.
        unit: of the value.
        goal: the most that is fine; `None` where there is none yet.
        beside: what else was measured in the same run.
    """

    name: str
    value: float
    unit: str
    goal: float | None
    beside: Mapping[str, float]

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; `None` without one."""
        return None if self.goal is None else self.value <= self.goal


def show(figure: Figure) -> None:
    """Prints one JSON line."""
    line = {**asdict(figure), "met": figure.is_met}
    line["value"] = round(figure.value, 3)
    line["beside"] = {name: round(value, 3) for name, value in figure.beside.items()}
    print(json.dumps(line), flush=True)
