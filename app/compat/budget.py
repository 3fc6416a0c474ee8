"""What judging a spec on all nodes may cost.

A spec is hostile input, and there may be 15,000 nodes: work is counted in operator
calls, and looking at a set or an element as a part of one.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from app.compat.operators import Check
from app.errors import SpecError

TOO_COSTLY: Final = "TooCostly"
"""Reason of the error for a spec that asks for too much work."""

MAX_TEMPLATE_CALLS: Final = 20_000
"""What one run of a template counts that may take all steps it is granted."""

_TEMPLATE_CALLS: Final = 50
_CHARS_PER_CALL: Final = 32
_ACTION: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_WORD: Final = re.compile(r"(?<![.$\w])[A-Za-z_]\w*")
_HIDES: Final = re.compile(r"[\"'`]|/\*")
_CHEAP: Final = frozenset(
    """
    range end if else with and or not eq ne len lower upper trim quote
    """.split()  # noqa: SIM905 - a table of words reads best as words
)
"""What costs no more than the text and the data that it is used on."""

MAX_CALLS: Final = 2_000_000
"""Operator calls for one spec and one refresh."""

LOOKS_PER_CALL: Final = 16
"""Sets or elements that cost as much to look at as one operator call."""

Verdict: TypeAlias = bool | None
"""Whether an expression holds; `None` if it cannot be evaluated."""


class Budget:
    """What one refresh of one spec may still cost.

    Attributes:
        calls: operator calls so far.
    """

    def __init__(self, limit: int = MAX_CALLS) -> None:
        self.calls = 0
        self._limit: Final = limit
        self._looks = 0

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

    def _check(self) -> None:
        if self.calls + self._looks // LOOKS_PER_CALL > self._limit:
            wanted = f"more than {self._limit:,} operator calls on this cluster"
            raise SpecError(TOO_COSTLY, f"spec is too costly: it needs {wanted}")

    def judge(self, check: Check, value: str | None, *, exists: bool) -> Verdict:
        """One operator call."""
        self.call()
        try:
            return check(exists, value)
        except SpecError:
            return None


def template_calls(text: str, elements: int) -> int:
    """What one run of a template counts, in operator calls.

    A template that only walks over its data once costs what both are long. For
    any other, where quotes or comments may hide what it does, the worst is assumed.
    """
    words = [word for action in _ACTION.findall(text) for word in _WORD.findall(action)]
    is_plain = not _HIDES.search(text) and _CHEAP.issuperset(words)
    if not is_plain or words.count("range") > 1:
        return MAX_TEMPLATE_CALLS
    return _TEMPLATE_CALLS + (1 + elements) * (1 + len(text) // _CHARS_PER_CALL)
