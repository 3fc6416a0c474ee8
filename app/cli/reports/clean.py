"""Texts of specs, registries and nodes, made fit for a document that people open."""

from __future__ import annotations

import re
from typing import Final

_FORBIDDEN: Final = re.compile(
    "[^\t\n -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
"""What XML 1.0 forbids or discourages, and what changes the order of a text."""


def cleaned(text: str) -> str:
    """`text` with a question mark for each such character; lines stay lines."""
    return _FORBIDDEN.sub("?", text)
