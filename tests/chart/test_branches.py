"""The files of values reach every branch of every template.

A branch that is not reached is not tested by any of the other files here: they all
go through `FILES`. Each branch of a copy of the chart gets a probe that stops the
rendering; a probe that was reached is taken out, until everything renders.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.chart import rendering
from tests.chart.rendering import CHART, FILES, MONITORING

ACTION: Final = re.compile(r"{{-?\s*(?:if|else|with|range)\b.*?}}", re.DOTALL)
COMMENT: Final = re.compile(r"{{-?\s*/\*.*?\*/\s*-?}}", re.DOTALL)
REACHED: Final = re.compile(r"reached-(\d+)-")

ELSEWHERE: Final = frozenset({"_checks.tpl", "NOTES.txt"})
"""What refuses values, and what is only said: `test_templates`, `test_notes`."""


class Probed:
    """A copy of the chart with probes.

    Attributes:
        chart: its folder.
        left: number of each probe that was not reached yet -> its place.
    """

    def __init__(self, folder: Path) -> None:
        self.chart: Final = folder / "imagecompat"
        shutil.copytree(CHART, self.chart)
        self.left: Final[dict[int, str]] = {}
        self._texts: Final[dict[Path, str]] = {}
        for path in sorted((self.chart / "templates").rglob("*")):
            if path.is_file() and path.name not in ELSEWHERE:
                self._texts[path] = self._probed(path)
                self._write(path)

    def reached(self, said: str) -> bool:
        """Takes the probe out that Helm names; false if it names none."""
        found = REACHED.search(said)
        if found is None or self.left.pop(int(found[1]), None) is None:
            return False
        for path, text in self._texts.items():
            if f"reached-{found[1]}-" in text:
                self._texts[path] = text.replace(_probe(int(found[1])), "")
                self._write(path)
        return True

    def _probed(self, path: Path) -> str:
        text = COMMENT.sub("", path.read_text())
        return ACTION.sub(lambda found: found[0] + self._new(path, found[0]), text)

    def _new(self, path: Path, action: str) -> str:
        number = len(self.left)
        self.left[number] = f"{path.name}: {' '.join(action.split())}"
        return _probe(number)

    def _write(self, path: Path) -> None:
        path.write_text(self._texts[path])


def _probe(number: int) -> str:
    return f'{{{{ fail "reached-{number}-" }}}}'


def refusals(probed: Probed) -> Iterator[str]:
    """What Helm says instead of rendering, file by file, until all render."""
    options: tuple[dict[str, Any], ...]
    options = ({}, {"api_versions": (MONITORING,)}, {"release": "another-name"})
    for file in FILES:
        for one in options:
            while True:
                try:
                    rendering.fresh(file, chart=probed.chart, **one)
                    break
                except rendering.RenderError as error:
                    yield str(error)


def test_every_branch_of_every_template_is_reached(tmp_path: Path) -> None:
    probed = Probed(tmp_path)
    assert len(probed.left) > 60
    for said in refusals(probed):
        assert probed.reached(said), said
    assert {} == probed.left
