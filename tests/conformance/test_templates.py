"""Templates give what Go 1.26 with sprig v3.3.0 gave, error texts included.

The cases are recorded (`tests/tools/go/template`): no Go is needed here.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from app.compat.template import engine
from app.errors import SpecError

CASES = Path(__file__).parent / "cases" / "go-templates.jsonl.gz"
KINDS = {
    "output": "output",
    "InvalidTemplate": "parse_error",
    "TemplateFailed": "exec_error",
}


@pytest.fixture(scope="module")
def recorded() -> tuple[Any, list[dict[str, str]]]:
    """The data that all templates got, and the templates with Go's answers."""
    first, *lines = gzip.decompress(CASES.read_bytes()).decode().splitlines()
    return json.loads(first)["data"], [json.loads(line) for line in lines]


def answer(text: str, data: Any) -> tuple[str, str]:
    """Our answer, in the words of the record."""
    try:
        return "output", engine.parse(text).execute(data)
    except SpecError as e:
        return KINDS.get(e.reason, e.reason), e.message


@pytest.mark.parametrize(
    ("kind", "at_least"),
    [
        pytest.param("output", 1_500, id="outputs"),
        pytest.param("exec_error", 1_500, id="failures"),
        pytest.param("parse_error", 500, id="texts-that-are-no-template"),
    ],
)
def test_templates_answer_as_go_did(
    recorded: tuple[Any, list[dict[str, str]]], kind: str, at_least: int
) -> None:
    data, cases = recorded
    of_kind = [case for case in cases if kind in case]
    differences = [
        (case, ours)
        for case in of_kind
        if (ours := answer(case["template"], data)) != (kind, case[kind])
    ]

    assert [] == differences
    assert at_least <= len(of_kind)
