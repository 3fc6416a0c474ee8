"""What judging a spec on all nodes may cost.

A spec is hostile input, and there may be 15,000 nodes: work is counted in operator
calls. What takes longer counts as several, looking at a set or an element as a part
of one:

* searching a pattern, and compiling it: `regexp`;
* operands of an expression, and errors that quote long values: `operators`;
* steps of templates: here, and `template.limits`.

A call is a microsecond or less, so that the bound is one to three seconds of one
core, whatever a spec asks for; `bench/bounds.py` measures that.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from app.compat.operators import Check
from app.errors import SpecError

TOO_COSTLY: Final = "TooCostly"
"""Reason of the error for a spec that asks for too much work."""

MAX_CALLS: Final = 2_000_000
"""Operator calls for one spec and one refresh."""

LOOKS_PER_CALL: Final = 16
"""Sets or elements that cost as much to look at as one operator call."""

CALLS_PER_STEP: Final = 2
"""What a step of a template counts, in operator calls: measured, most take one
microsecond, and a few nearly three."""

STEPS_PER_CHARACTER: Final = 2
"""What parsing a template counts for each character, in steps."""

Verdict: TypeAlias = bool | None
"""Whether an expression holds; `None` if it cannot be evaluated."""


class Budget:
    """What one refresh of one spec, or one look at a node, may still cost.

    Attributes:
        calls: operator calls so far; dear ones count as several.
        patterns: what templates have compiled.
    """

    def __init__(self, limit: int = MAX_CALLS, where: str = "this cluster") -> None:
        self.calls = 0
        self.patterns: Final[set[bytes]] = set()
        self._limit: Final = limit
        self._where: Final = where
        self._looks = 0
        self._parsed: Final[set[str]] = set()

    @property
    def steps(self) -> int:
        """Steps of templates that are left."""
        spent = self.calls + self._looks // LOOKS_PER_CALL
        return max(self._limit - spent, 0) // CALLS_PER_STEP

    def call(self, count: int = 1) -> None:
        """Counts operator calls.

        Raises:
            SpecError: `TooCostly`.
        """
        self.calls += count
        self._check()

    def look(self, count: int) -> None:
        """Counts sets or elements that are looked at without an operator.

        Raises:
            SpecError: `TooCostly`.
        """
        self._looks += count
        self._check()

    def spend(self, count: int) -> None:
        """Counts other work, in operator calls.

        Raises:
            SpecError: `TooCostly`.
        """
        self.look(count * LOOKS_PER_CALL)

    def run(self, steps: int) -> None:
        """Counts steps of a template.

        Raises:
            SpecError: `TooCostly`.
        """
        self.spend(steps * CALLS_PER_STEP)

    def parse(self, text: str) -> None:
        """Counts the parsing of a template, the first time that it is seen.

        Raises:
            SpecError: `TooCostly`.
        """
        if text not in self._parsed:
            self._parsed.add(text)
            self.run(len(text) * STEPS_PER_CHARACTER)

    def _check(self) -> None:
        if self.calls + self._looks // LOOKS_PER_CALL > self._limit:
            wanted = f"more than {self._limit:,} operator calls on {self._where}"
            raise SpecError(TOO_COSTLY, f"spec is too costly: it needs {wanted}")

    def judge(self, check: Check, value: str | None, *, exists: bool) -> Verdict:
        """One operator call, or several if it costs more.

        Raises:
            SpecError: `TooCostly`.
        """
        self.call()
        try:
            return check(exists, value, self.call)
        except SpecError as error:
            if error.reason == TOO_COSTLY:
                raise
            return None
