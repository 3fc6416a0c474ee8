"""Parsed specs by digest: the same bytes are read once, valid or not."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from app.compat import parse
from app.compat.spec import Spec
from app.errors import SpecError
from app.ports import Found

MAX_SPECS: Final = 1024
"""Specs and errors that are remembered; a spec is some tens of kilobytes."""


class Specs:
    """A bounded memory of what specs say."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Spec | SpecError] = OrderedDict()

    def read(self, found: Found) -> Spec:
        """The spec of an artifact.

        Raises:
            SpecError: it is invalid or too costly; remembered too.
        """
        known = self._known.get(found.spec_digest)
        if known is None:
            known = _read(found.content)
            self._known[found.spec_digest] = known
            if len(self._known) > MAX_SPECS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(found.spec_digest)
        if isinstance(known, SpecError):
            raise known
        return known


def _read(content: bytes) -> Spec | SpecError:
    try:
        return parse.read_for_admission(content)
    except SpecError as error:
        return error
