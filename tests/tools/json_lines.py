"""Logs of one JSON object a line, read while somebody writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects so far; empty when the file is not there yet.

    A last line that has no end yet is left for the next time: where it crosses a
    page of the file, a reader sees the one part before the other.
    """
    text = path.read_text() if path.exists() else ""
    *whole, _ = text.split("\n")
    return [json.loads(line) for line in whole]
