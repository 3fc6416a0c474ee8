"""Patterns are found where Go finds them: recorded answers of Go 1.26.

How the answers were recorded: `regexp_patterns.py`.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from app.compat import dialects, regexp
from app.errors import SpecError

RECORDED = Path(__file__).parent / "cases" / "go-regexp.jsonl.gz"
AT_LEAST = 500

Answer = list[bool] | None
"""Whether each input matches; `None` if the pattern is invalid."""


def read() -> list[dict[str, Any]]:
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


CASES = read()


def ours(pattern: str, inputs: list[str]) -> Answer:
    try:
        found = regexp.compiled(pattern)
    except SpecError as error:
        if error.reason != dialects.INVALID:
            raise
        return None
    return [found(text) for text in inputs]


def test_there_are_enough_patterns_of_both_sorts() -> None:
    valid = sum(case["ok"] for case in CASES)
    assert valid >= AT_LEAST
    assert len(CASES) - valid >= AT_LEAST


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case["pattern"]))
def test_a_pattern_is_found_where_go_finds_it(case: dict[str, Any]) -> None:
    wanted = case["matches"] if case["ok"] else None
    assert wanted == ours(case["pattern"], case["inputs"])


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        *(
            (rf"\p{{{name}}}", "class")
            for name in ("Letter", "lu", "LC", "ASCII", "L_")
        ),
        *((rf"\p{{{name}}}", "class") for name in ("greek", "Assigned", "Cn", "digit")),
        (r"\pl", "class"),
        (r"\p{Uppercase_Letter}", "class"),
        (r"\p{Upper-case letter}", "class"),
        (r"[^\p{Lowercase Letter}]", "class"),
        (r"\pC", "other"),
        (r"\P{C}", "other"),
        (r"^\x{D800}", "surrogate"),
        (r"[\x{dfff}]", "surrogate"),
        (r"\pL{1000}", "size"),
        (r"[^\pL]{1000}", "size"),
        ("(" * 999 + ")" * 999, "height"),
        ("a" * (dialects.MAX_PATTERN_BYTES + 1), "length"),
    ],
)
def test_what_only_go_takes_is_refused(pattern: str, what: str) -> None:
    with pytest.raises(SpecError) as caught:
        ours(pattern, [])
    assert caught.value.message == dialects.GO_ONLY[what]
