"""What is wrong with a spec that was just written; above all, that nothing fits it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from app.cli.linting import linted, printing
from app.compat.lint import Problem

_NEVER: Final = frozenset({"contradiction", "mixed-architectures"})
"""What a set can have only by being joined of parts that exclude each other: each
part, a recipe or a platform, is one that some node fits."""

_SET: Final = re.compile(r"\$\.compatibilities\[([0-9]+)\]")


def problems(text: str, name: str) -> tuple[tuple[str, ...], bool]:
    """What is wrong with a spec, a line each, and whether no node can ever fit it.

    Args:
        text: the spec.
        name: of its file, for the lines.
    """
    found = linted.of_content(text.encode(), name)
    lines = tuple(printing.lines(found, excerpt=False))
    return lines, bool(found.sets) and len(_never(found.problems)) == found.sets


def _never(found: Sequence[Problem]) -> set[str]:
    """The sets that no node can fit."""
    places = [_SET.match(one.path) for one in found if one.code in _NEVER]
    return {one[1] for one in places if one is not None}
