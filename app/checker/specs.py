"""Parsed specs by digest: the same bytes are read once, valid or not."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, TypeAlias

from app.compat import parse
from app.compat.spec import Spec
from app.errors import SpecError

MAX_SPECS: Final = 1024
"""Specs and errors that are remembered; a spec is some tens of kilobytes."""

Parsed: TypeAlias = Spec | SpecError
"""A spec, or why it is invalid or too costly."""


def read(content: bytes) -> Parsed:
    """What an artifact's content says; may take long, and touches nothing else."""
    try:
        return parse.read_for_admission(content)
    except SpecError as error:
        return error


class Specs:
    """A bounded memory of what specs say; those asked for last stay."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Parsed] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def known(self, digest: str) -> Parsed | None:
        """What the spec of this digest says; `None` if it was not kept."""
        known = self._known.get(digest)
        if known is not None:
            self._known.move_to_end(digest)
        return known

    def keep(self, digest: str, parsed: Parsed) -> None:
        """Remembers what a spec says."""
        self._known[digest] = parsed
        self._known.move_to_end(digest)
        if len(self._known) > MAX_SPECS:
            self._known.popitem(last=False)
