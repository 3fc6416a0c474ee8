"""A log that somebody still writes is read line by whole line."""

from __future__ import annotations

from pathlib import Path

from tests.tools.json_lines import json_lines


def test_a_line_without_its_end_is_left_for_the_next_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert [] == json_lines(log)
    log.write_text('{"event":"one"}\n{"event":"re')
    assert [{"event": "one"}] == json_lines(log)
    with log.open("a") as end:
        end.write('view"}\n')
    assert [{"event": "one"}, {"event": "review"}] == json_lines(log)
