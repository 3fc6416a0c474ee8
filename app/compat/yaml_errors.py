"""What is wrong with a YAML text, in the words of goyaml.v2.

goyaml.v2 and libyaml name most faults alike, as one is a translation of the
other. goyaml.v2 counts lines in its own way, which is kept in the messages
(`decode.go#L124` of go.yaml.in/yaml/v2 v2.4.3): a fault in the first line has no
line, one found by the parser is a line too early. `SpecError.line` is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError
from yaml.scanner import ScannerError

from app.compat.limits import Limits
from app.errors import SpecError

TOO_COSTLY = "TooCostly"
INVALID_YAML = "InvalidYaml"


class Place(Protocol):
    """Anything that knows where it stands in the text; both count from 0."""

    @property
    def line(self) -> int:
        """The line."""

    @property
    def column(self) -> int:
        """The character in the line."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the text; both count from 0."""

    line: int
    column: int


def refusal(problem: str, place: Place | None) -> SpecError:
    """NFD's error for a text that goyaml.v2 refuses with `problem`."""
    return invalid("yaml: " + problem, place)


def invalid(problem: str, place: Place | None) -> SpecError:
    """NFD's error for YAML that cannot become JSON."""
    return SpecError(
        INVALID_YAML,
        "error converting YAML to JSON: " + problem,
        line=None if place is None else place.line + 1,
        column=None if place is None else place.column + 1,
    )


def scanner_error(problem: str, place: Place) -> SpecError:
    """A fault in a token."""
    where = f"line {place.line + 1}: " if place.line else ""
    return refusal(where + problem, place)


def parser_error(problem: str, place: Place) -> SpecError:
    """A token where none of its kind may stand."""
    where = f"line {place.line}: " if place.line else ""
    return refusal(where + problem, place)


def from_libyaml(error: MarkedYAMLError) -> SpecError:
    """The error of goyaml.v2 for what libyaml found."""
    problem = str(error.problem)
    mark = error.problem_mark
    if mark is None:  # pragma: no cover - libyaml marks every problem
        return refusal(problem, None)
    if isinstance(error, ScannerError):
        return scanner_error(problem, mark)
    return parser_error(problem, mark)


def from_reader(error: ReaderError, content: bytes) -> SpecError:
    """The error of goyaml.v2 for bytes that are no text."""
    before = content[: error.position]
    start = before.rfind(b"\n") + 1
    column = len(before[start:].decode("utf-8", "replace"))
    return refusal(error.reason, Position(before.count(b"\n"), column))


def too_many_nodes(limits: Limits, place: Place) -> SpecError:
    """The bound on nodes is reached."""
    return too_costly(f"more than {limits.nodes} YAML nodes, aliases expanded", place)


def too_deep(limits: Limits, place: Place) -> SpecError:
    """The bound on nesting is reached."""
    return too_costly(
        f"more than {limits.depth} sequences and mappings inside each other", place
    )


def too_costly(problem: str, place: Place | None) -> SpecError:
    """A spec that is larger than we are willing to read."""
    return SpecError(
        TOO_COSTLY,
        f"too costly: {problem}",
        line=None if place is None else place.line + 1,
        column=None if place is None else place.column + 1,
    )
