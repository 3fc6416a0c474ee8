"""Whether a pattern is found in names with a dash only.

The kernel's names of loaded modules have none: `^vfio-pci$` is found in no name,
`^vfio(-|_)pci$` and `^vfio[-_]pci$` are. The pattern is read once, from left to
right, in time linear in its length, whatever it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      (?P<flags>\(\?[A-Za-z-]*\))
    | (?P<open>\((?:\?(?:P?<[A-Za-z0-9_]*>|[A-Za-z-]*:?))?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<optional>[?*]|\{0(?=[,}]))
    | (?P<dash>\[\\?-\]|\\?-|\\x2[dD])
    | (?P<other>\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]?|\\.|.)
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass(slots=True)
class _Group:
    """What is known of a group so far.

    Attributes:
        every: whether each alternative that has ended needs a dash.
        needed: dashes that the present alternative needs.
        is_last: whether the last part of it is one of them.
    """

    every: bool = True
    needed: int = 0
    is_last: bool = False

    def add(self, *, needs: bool) -> None:
        self.needed += needs
        self.is_last = needs

    def end(self) -> None:
        self.every = self.every and self.needed > 0
        self.needed, self.is_last = 0, False


@dataclass(slots=True)
class _Reading:
    """The groups that are open, the whole pattern being the first."""

    open: list[_Group] = field(default_factory=lambda: [_Group()])

    def take(self, kind: str | None) -> None:
        """Takes the next part of a pattern."""
        group = self.open[-1]
        match kind:
            case "open":
                self.open.append(_Group())
            case "close" if len(self.open) > 1:
                group.end()
                self.open.pop()
                self.open[-1].add(needs=group.every)
            case "bar":
                group.end()
            case "optional":
                group.needed -= group.is_last
                group.is_last = False
            case _:
                group.add(needs=kind == "dash")


def needs_dash(pattern: str) -> bool:
    """Whether no text without a dash can hold what the pattern looks for."""
    reading = _Reading()
    for part in _TOKEN.finditer(pattern):
        reading.take(part.lastgroup)
    whole = reading.open[0]
    whole.end()
    return whole.every
