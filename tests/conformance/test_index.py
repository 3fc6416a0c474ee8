"""The index against the corpus: all its cases are the nodes of one cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import replay

CORPUS = Path(__file__).parent / "cases" / "nfd-corpus.jsonl.gz"


def test_the_index_agrees_with_matching_and_nfd(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert replay.main(["--engine", "index", str(CORPUS)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "42 not applicable (modes group and rule)",
        "963 passed, 0 failed",
    ]


def test_a_wrong_answer_of_the_index_is_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The comparison can fail: against matching, against NFD, and on a bad spec."""
    answer: dict[str, object] = dict.fromkeys(("error", "error_kind"))
    answer |= {"report": [], "fits": True}
    case: replay.Case = {
        "id": "x",
        "spec": {"compatibilities": [{"rules": [{"name": "r"}]}]},
        "features": {},
        "expected": answer,
    }
    assert list(replay.index_differences([case])) == [None]
    wrong = {**case, "expected": {**answer, "fits": False}}
    assert "NFD fits False" in str(next(replay.index_differences([wrong])))
    no_spec = {**case, "spec": "["}
    assert list(replay.index_differences([no_spec])) == ["x: no spec"]
    monkeypatch.setattr(replay, "_outcomes", lambda _found, _number: [])
    assert "wanted" in str(next(replay.index_differences([case])))
