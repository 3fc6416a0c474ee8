"""Results as a table, JSON or YAML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from enum import Enum

import pytest
import yaml

from app.cli.specs import printing
from app.cli.specs.options import Format
from app.oci.writing.store import Failed
from app.ports import Unauthorized


class State(Enum):
    GOOD = "good"


@dataclass(frozen=True)
class Inner:
    spec_digest: str
    content: bytes


@dataclass(frozen=True)
class Result:
    state: State
    inner: tuple[Inner, ...]
    by_name: dict[str, int]
    day: date
    none: None = None


RESULT = Result(State.GOOD, (Inner("d", b"\xff!"),), {"a_b": 1}, date(2026, 1, 2))
PLAIN = {
    "state": "good",
    "inner": [{"specDigest": "d", "content": "\N{REPLACEMENT CHARACTER}!"}],
    "byName": {"a_b": 1},
    "day": "2026-01-02",
    "none": None,
}


def test_a_result_is_plain_with_camel_case_fields() -> None:
    assert PLAIN == printing.plain(RESULT)


def test_what_a_port_answers_says_what_it_is() -> None:
    found = printing.plain(Unauthorized("no"))
    assert {"kind": "Unauthorized", "detail": "no"}.items() <= found.items()


def test_json_and_yaml_say_the_same() -> None:
    content = printing.plain([RESULT])
    assert [PLAIN] == json.loads(printing.document(content, Format.JSON))
    assert [PLAIN] == yaml.safe_load(printing.document(content, Format.YAML))
    assert printing.document(content, Format.JSON).endswith("]\n")


def test_a_table_has_no_lines_and_no_blanks_at_the_end() -> None:
    text = printing.table(("ONE", "TWO"), [("a", "b"), ("longer", "")])
    assert "ONE     TWO\na       b\nlonger\n" == text


def test_a_registrys_text_cannot_colour_or_move_anything() -> None:
    text = printing.table(("ONE",), [("[red]\x1b[31m\rx",)])
    assert "ONE\n[red]?[31m?x\n" == text


def test_a_digest_is_cut_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "sha256:" + "0123456789ab" * 5 + "cdef"
    assert digest == printing.short(digest)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "sha256:0123456789ab" == printing.short(digest)


def test_a_failure_is_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printing.report([Failed("r/app", "Timeout", "no\nanswer")])
    out, err = capsys.readouterr()
    assert ("", "imagecompat: r/app: no?answer (Timeout)\n") == (out, err)
