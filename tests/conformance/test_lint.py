"""The author's reader and admission agree about every spec of the corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.compat import parse
from app.compat.lint import CODES, Family, lint
from app.errors import SpecError
from tests.conformance import replay

CASES = list(replay.read(Path(__file__).parent / "cases" / "nfd-corpus.jsonl.gz"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_spec_has_an_error_of_reading_exactly_if_it_is_refused(
    case: replay.Case,
) -> None:
    spec = case["spec"]
    content = (spec if isinstance(spec, str) else json.dumps(spec)).encode()
    found = {one.code for one in lint(content)}
    try:
        parse.read_for_admission(content)
    except SpecError:
        assert any(CODES[code] is Family.READING for code in found)
    else:
        assert not any(CODES[code] is Family.READING for code in found)
