"""What a template may cost, and the meter that counts it.

A template comes with an image, so it is hostile input. Every piece of work is
counted in *steps*: a node that is executed, an iteration, three for a call, and
besides 64 bytes of text or 64 elements that a call reads or builds (each of them
where a call looks at it on its own). What is built is bounded before it is built.

A step mostly takes a microsecond, and never three: whoever adds a function measures
it on long texts and lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NoReturn

from app.errors import SpecError

TOO_COSTLY: Final = "TooCostly"

UNIT: Final = 64
"""Bytes or elements that cost one step."""

CALL: Final = 3
"""Steps of a call, its work aside."""

KEPT_PATTERNS: Final = 64
"""Patterns that stay compiled."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one parse and one execution.

    Attributes:
        template_bytes: size of the template's text.
        steps: pieces of work of one execution.
        output_bytes: text that an execution may write.
        depth: nesting of actions and of parentheses, each, in the text, and of
            template calls.
        nesting: nesting of actions, parentheses and template calls together
            while executing.
        string_bytes: text that one function may build.
        elements: elements of one list or dict.
        value_depth: nesting of lists and dicts that is printed, compared, copied
            or written as JSON.
    """

    template_bytes: int = 65_536
    steps: int = 100_000
    output_bytes: int = 65_536
    depth: int = 32
    nesting: int = 96
    string_bytes: int = 65_536
    elements: int = 10_000
    value_depth: int = 64


LIMITS: Final = Limits()


def too_costly(what: str) -> NoReturn:
    """Raises the error of a template that goes beyond a bound."""
    raise SpecError(TOO_COSTLY, f"template is too costly: {what}")


class Meter:
    """Counts the work of one execution against its limits.

    Args:
        limits: the bounds.
        steps: how many steps are granted, if fewer than the bound.
        patterns: those that earlier runs have compiled; this one adds its own.
    """

    __slots__ = ("granted", "limits", "patterns", "steps")

    def __init__(
        self,
        limits: Limits = LIMITS,
        steps: int | None = None,
        patterns: set[bytes] | None = None,
    ) -> None:
        self.patterns: Final = set() if patterns is None else patterns
        self.limits: Final = limits
        self.granted: Final = min(
            limits.steps, limits.steps if steps is None else steps
        )
        self.steps = self.granted

    @property
    def spent(self) -> int:
        """Steps so far; more than were granted if they did not suffice."""
        return self.granted - self.steps

    def step(self, count: int = 1) -> None:
        """Counts work.

        Raises:
            SpecError: `TooCostly`, no step is left.
        """
        self.steps -= count
        if self.steps < 0:
            too_costly(f"more than {self.granted:,} steps")

    def work(self, size: int) -> None:
        """Counts work on `size` bytes or elements."""
        self.step(size // UNIT)

    def slow(self, size: int) -> None:
        """Counts work that looks at every byte or element on its own."""
        self.step(size)

    def is_new(self, source: bytes) -> bool:
        """Whether a pattern counts as compiled now; notes that it is."""
        if source in self.patterns:
            return False
        if len(self.patterns) >= KEPT_PATTERNS:
            self.patterns.clear()
        self.patterns.add(source)
        return True

    def text(self, size: int) -> None:
        """Checks that one function may build `size` bytes, and counts them."""
        if size > self.limits.string_bytes:
            too_costly(f"a text of more than {self.limits.string_bytes:,} bytes")
        self.work(size)

    def listing(self, size: int) -> None:
        """Checks that a list or dict may hold `size` elements, and counts them."""
        if size > self.limits.elements:
            too_costly(f"more than {self.limits.elements:,} elements")
        self.work(size)

    def nested(self, depth: int) -> None:
        """Checks how deep lists and dicts are nested; counts one step."""
        if depth > self.limits.value_depth:
            too_costly(f"values nested deeper than {self.limits.value_depth}")
        self.step()

    def join(self, separator: bytes, parts: Iterable[bytes]) -> bytes:
        """Joins, once the size of the result is known to be within bounds."""
        pieces = list(parts)
        size = sum(map(len, pieces)) + len(separator) * (len(pieces) - 1)
        self.text(max(size, 0))
        self.work(len(pieces))
        return separator.join(pieces)
