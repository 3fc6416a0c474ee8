"""Programs that only write down how they were called, and answer from a table.

For scripts that drive Docker and its like: `Fakes` makes a folder for `PATH` that
holds nothing else, so what a script calls is seen, in order, with its arguments.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PROGRAM: Final = """\
#!{python} -IS
import json, re, sys
folder = {folder!r}
line = " ".join([sys.argv[0].rpartition("/")[2], *sys.argv[1:]])
with open(folder + "/calls.jsonl", "a") as calls:
    calls.write(json.dumps({{"line": line, "stdin": sys.stdin.read()}}) + "\\n")
with open(folder + "/answers.json") as answers:
    table = json.load(answers)
for pattern, status, output in table:
    if re.search(pattern, line):
        print(output, end="", file=sys.stderr if status else sys.stdout)
        sys.exit(status)
"""


@dataclass
class Fakes:
    """A folder of fake programs.

    Attributes:
        folder: an empty folder of our own.
        answers: pattern of the whole command line -> status and output; the first
            that matches counts, and without one a program says nothing, status 0.
    """

    folder: Path
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """What to put on `PATH`."""
        return self.folder / "bin"

    def add(self, *names: str) -> None:
        """Makes programs."""
        self.path.mkdir(exist_ok=True)
        text = _PROGRAM.format(python=sys.executable, folder=str(self.folder))
        for name in names:
            program = self.path / name
            program.write_text(text)
            program.chmod(0o755)

    def first(self, pattern: str, status: int, output: str) -> None:
        """Puts an answer before all others."""
        others = {key: one for key, one in self.answers.items() if key != pattern}
        self.answers = {pattern: (status, output)} | others

    def arm(self) -> None:
        """Puts the answers in place."""
        table = [[key, *value] for key, value in self.answers.items()]
        (self.folder / "answers.json").write_text(json.dumps(table))

    @property
    def calls(self) -> list[str]:
        """Every command line so far, in order."""
        return [call["line"] for call in self._calls()]

    def stdin(self, beginning: str) -> str:
        """What the first such command was given on its standard input."""
        found = (one for one in self._calls() if one["line"].startswith(beginning))
        return next(found)["stdin"]

    def _calls(self) -> list[dict[str, str]]:
        path = self.folder / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]
