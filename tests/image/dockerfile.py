"""Reads a Dockerfile as far as ours uses the language.

Stages, continued lines, comments, `ARG` before the first `FROM`, `${NAME}`. What it
does not know (a heredoc, `ADD`, `ONBUILD`, ...) it refuses, so that nothing in our
Dockerfile can pass unseen.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KNOWN: Final = frozenset(
    {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM"}
) | {"LABEL", "RUN", "USER", "WORKDIR"}
_PAIRS: Final = frozenset({"ENV", "LABEL"})
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its word in capitals, and the text behind it."""

    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """The text as words; of JSON form, its items."""
        if self.text.startswith("["):
            return [str(word) for word in json.loads(self.text)]
        return shlex.split(self.text)

    @property
    def flags(self) -> dict[str, str]:
        """`--name=value` before the other words."""
        found = (word for word in self.words if word.startswith("--"))
        return {
            name: value
            for name, _, value in (word[2:].partition("=") for word in found)
        }

    @property
    def operands(self) -> list[str]:
        """The words that are no flags; of COPY the last one is the target."""
        return [word for word in self.words if not word.startswith("--")]


@dataclass(frozen=True, slots=True)
class Stage:
    """From one `FROM` to the next."""

    name: str
    base: str
    instructions: tuple[Instruction, ...]

    def all(self, word: str) -> list[Instruction]:
        """Its instructions of one kind."""
        return [one for one in self.instructions if one.word == word]

    def pairs(self, word: str) -> dict[str, str]:
        """What all its `ENV` or `LABEL` set together."""
        assert word in _PAIRS
        found: dict[str, str] = {}
        for one in self.all(word):
            for pair in one.words:
                name, _, value = pair.partition("=")
                found[name] = value
        return found


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The arguments before the first stage, and the stages."""

    arguments: Mapping[str, str]
    stages: tuple[Stage, ...]

    @property
    def builder(self) -> Stage:
        return self.stages[0]

    @property
    def final(self) -> Stage:
        return self.stages[-1]


def read(path: Path) -> Dockerfile:
    """Reads a Dockerfile.

    Raises:
        ValueError: it uses what we do not know.
    """
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for one in _instructions(path.read_text()):
        if one.word not in KNOWN or "<<" in one.text:
            raise ValueError(f"{path.name}: not known here: {one.word} {one.text}")
        if one.word == "FROM":
            base, *rest = one.words
            name = rest[1] if rest else ""
            stages.append(Stage(name, _filled(base, arguments), ()))
        elif not stages:
            name, _, value = one.text.partition("=")
            arguments[name] = value
        else:
            last = stages[-1]
            stages[-1] = Stage(last.name, last.base, (*last.instructions, one))
    return Dockerfile(arguments, tuple(stages))


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        yield Instruction(word.upper(), rest.strip())


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1]], text)
