"""What was found of one spec."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.compat import parse
from app.compat.lint import Problem, Severity, lint
from app.errors import SpecError


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """One spec and its problems.

    Attributes:
        name: the file, or the image and the platform.
        problems: in order of their places; those of the artifact first, which have
            line 0.
        sets: how many there are; 0 if it cannot be read.
        rules: how many, in all sets.
        lines: of its text.
    """

    name: str
    problems: tuple[Problem, ...]
    sets: int = 0
    rules: int = 0
    lines: tuple[str, ...] = field(default=(), repr=False)

    def count(self, severity: Severity) -> int:
        """How many problems of one kind there are."""
        return sum(one.severity is severity for one in self.problems)

    @property
    def is_valid(self) -> bool:
        """Whether there are no errors."""
        return self.count(Severity.ERROR) == 0


def of_content(
    content: bytes, name: str, of_artifact: Iterable[Problem] = ()
) -> Linted:
    """What is found of a spec's bytes."""
    problems = (*of_artifact, *lint(content))
    sets = rules = 0
    try:
        spec = parse.read(content)
    except SpecError:
        pass  # `problems` say so, with every place
    else:
        sets = len(spec.compatibilities)
        rules = sum(len(one.rules) for one in spec.compatibilities)
    lines = tuple(content.decode(errors="replace").splitlines())
    return Linted(name=name, problems=problems, sets=sets, rules=rules, lines=lines)
