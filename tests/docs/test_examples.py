"""Runs what the documentation shows.

Two comments before a fenced block make it an example:

* `<!-- file: NAME -->` writes the block to NAME in the page's own folder;
* `<!-- run -->` runs each `$ command` of the block in that folder and compares
  what is printed (standard output and error together) with the lines below it.
  A line `...` stands for any lines; `... ` inside a line for any text.
  A last line `[exit N]` expects that exit status instead of 0. `$ kubectl` is
  what the demo prints, not a command.

Commands see this project's `imagecompat`, `oras` where a page runs it, and nothing
of the developer's settings.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tools import needed

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = re.compile(
    r"<!-- (?:file: (?P<file>[\w./-]+)|(?P<run>run)) -->\n+"
    r"```\w*\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
TOOLS = {"oras": "oras", "helm": "helm4"}
"""Programs of others that pages run -> what we call the tool."""

EXIT = re.compile(r"\[exit (\d+)\]")


@dataclass(frozen=True)
class Command:
    """One command of a page, and what it must print."""

    text: str
    expected: str
    status: int


def commands(block: str) -> list[Command]:
    """The commands of a block, in order."""
    found: list[Command] = []
    for part in re.split(r"^\$ (?!kubectl )", block, flags=re.MULTILINE)[1:]:
        text, _, rest = part.partition("\n")
        while text.endswith("\\"):
            line, _, rest = rest.partition("\n")
            text = text[:-1] + line
        lines = rest.rstrip("\n").split("\n") if rest.strip() else []
        last = EXIT.fullmatch(lines[-1]) if lines else None
        status = int(last[1]) if last else 0
        found.append(Command(text, "\n".join(lines[:-1] if last else lines), status))
    return found


def matches(expected: str, got: str) -> bool:
    """Whether `got` is `expected`, dots standing for anything."""
    pattern = "".join(
        r"(?:[^\n]*\n)*" if line == "..." else re.escape(line) + r"\n"
        for line in expected.strip("\n").split("\n")
    )
    pattern = pattern.replace(r"\.\.\.\ ", r"[^\n]*")
    return re.fullmatch(pattern, got.strip("\n") + "\n") is not None


def pages() -> list[Path]:
    """Every page with at least one example."""
    every = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in every if EXAMPLE.search(page.read_text())]


def environment(home: Path, tools: Path) -> dict[str, str]:
    """A clean environment in which our command is found first, then these."""
    folders = [Path(sys.executable).parent, tools]
    path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
    keep = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}
    return {**keep, "PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_do_what_it_says(
    page: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ran, text = 0, page.read_text()
    shown = [name for name in TOOLS if f"\n$ {name} " in text]
    tools = tmp_path_factory.mktemp("tools")
    found = needed.programs(*(TOOLS[name] for name in shown))
    for name, program in zip(shown, found, strict=True):
        (tools / name).symlink_to(program)
    for example in EXAMPLE.finditer(text):
        if example["file"]:
            target = tmp_path / example["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(example["text"])
            continue
        for command in commands(example["text"]):
            done = subprocess.run(
                ["bash", "-c", command.text],
                cwd=tmp_path,
                env=environment(tmp_path, tools),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert command.status == done.returncode, done.stdout
            assert matches(command.expected, done.stdout), (
                f"$ {command.text}\nwanted:\n{command.expected}\ngot:\n{done.stdout}"
            )
            ran += 1
    assert ran, "a page with examples runs at least one command"


def test_the_readme_has_examples() -> None:
    assert ROOT / "README.md" in pages()


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        pytest.param("a\nb", "a\nb\n", True, id="equal"),
        pytest.param("a\nb", "a\nc\n", False, id="different"),
        pytest.param("a\n...\nd", "a\nb\nc\nd", True, id="lines left out"),
        pytest.param("a\n...", "b", False, id="what stands before the dots counts"),
        pytest.param("took ... s", "took 0.5 s", True, id="text left out"),
        pytest.param("a.c", "abc", False, id="a dot is a dot"),
    ],
)
def test_dots_stand_for_anything_and_nothing_else_does(
    expected: str, got: str, same: bool
) -> None:
    assert same == matches(expected, got)
