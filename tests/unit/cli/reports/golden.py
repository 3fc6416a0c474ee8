"""What reports are printed as, kept in `golden/`.

`PYTHONPATH=. python tests/unit/cli/reports/golden.py` writes it again; read the
difference before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from app.cli.reports import document, html, junit, printing
from tests.tools.shown_reports import REPORTS

FOLDER: Final = Path(__file__).resolve().parent / "golden"


class Form(NamedTuple):
    """A report as a table."""

    name: str
    width: int
    colour: bool
    every_node: bool

    @property
    def file(self) -> str:
        """Where it is kept."""
        colour = "-colour" if self.colour else ""
        every = "-every-node" if self.every_node else ""
        return f"{self.name}-{self.width}{every}{colour}.txt"

    def printed(self) -> str:
        """What is printed now."""
        return printing.text(
            REPORTS[self.name],
            width=self.width,
            colour=self.colour,
            every_node=self.every_node,
        )


FORMS: Final = [
    Form(name, width, colour, every_node)
    for name in REPORTS
    for width in (80, 120)
    for colour in (False, True)
    for every_node in (False, True)
    if not every_node or (name == "several" and not colour)
]

DOCUMENTS: Final[dict[str, Callable[[], str]]] = {
    "what-if.json": lambda: document.json(REPORTS["what-if"]),
    "what-if.yaml": lambda: document.yaml(REPORTS["what-if"]),
    "several.xml": lambda: junit.of_report(REPORTS["several"]),
    "what-if.html": lambda: html.page(REPORTS["what-if"]),
}


def main() -> None:
    """Writes all of it."""
    for form in FORMS:
        (FOLDER / form.file).write_text(form.printed())
    for name, printed in DOCUMENTS.items():
        (FOLDER / name).write_text(printed())


if __name__ == "__main__":
    main()
