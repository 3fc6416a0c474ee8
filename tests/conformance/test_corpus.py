"""Every case of the corpus, as NFD v0.19.0 itself answered it.

The format is described in `replay.py`. A case's id says what it is about.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance import replay

CASES = list(replay.read(Path(__file__).parent / "cases" / "nfd-corpus.jsonl.gz"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_corpus_is_answered_as_nfd_answers_it(case: replay.Case) -> None:
    assert replay.difference(case) is None


def test_the_corpus_is_whole() -> None:
    assert len(CASES) == 1005
    assert len({case["id"] for case in CASES}) == len(CASES)


def test_a_wrong_answer_is_a_difference() -> None:
    """The comparison itself can fail, in each of its ways."""
    agreed = next(case for case in CASES if case["expected"]["report"])
    wrong = dict(agreed, expected=dict(agreed["expected"], fits="neither"))
    assert replay.difference(wrong) is not None
    wrong = dict(agreed, expected=dict(agreed["expected"], report=[]))
    assert replay.difference(wrong) is not None
    for kind, exact in (("eval", True), ("eval", False), ("panic", True)):
        answer = {"error": "x", "error_kind": kind, "report": None, "fits": False}
        wrong = dict(agreed, expected=answer, error_exact=exact)
        assert replay.difference(wrong) is not None


def test_replaying_a_file_prints_differences_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cases.jsonl"
    answer = '{"error": null, "error_kind": null, "report": [], "fits": %s}'
    line = '{"id": "%s", "spec": "", "features": {}, "expected": %s}\n'
    path.write_text(line % ("good", answer % "false") + line % ("bad", answer % "true"))
    assert replay.main([str(path)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert ("bad", "1 passed, 1 failed") == (printed[0], printed[-1])
    path.write_text(line % ("good", answer % "false"))
    assert replay.main([str(path)]) == 0


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"pattern": "a"}\n')
    with pytest.raises(SystemExit, match="no case of the corpus"):
        replay.main([str(path)])
