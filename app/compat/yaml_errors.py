"""What is wrong with a YAML text, in the words of goyaml.v2.

goyaml.v2 and libyaml name most faults alike, as one is a translation of the
other. goyaml.v2 counts lines in its own way, which is kept in the messages
(`decode.go#L124` of go.yaml.in/yaml/v2 v2.4.3): a fault in the first line has no
line, one found by the parser is a line too early. `SpecError.line` is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, cast

from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError
from yaml.scanner import ScannerError

from app.compat.limits import Limits
from app.compat.spelling import decode
from app.errors import SpecError

TOO_COSTLY: Final = "TooCostly"
INVALID_YAML: Final = "InvalidYaml"

_FOUND_TOO_LATE: Final = frozenset(
    {
        "could not find expected ':'",
        "found unexpected document indicator",
        "found unexpected end of stream",
    }
)
"""Problems that libyaml notes lines after the key or quote that has them."""


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


def scanner_error(problem: str, place: Place, start: Place | None = None) -> SpecError:
    """A fault in a token; `start` is where the token starts, if that says more."""
    where = f"line {place.line + 1}: " if place.line else ""
    return refusal(where + problem, start or place)


def parser_error(problem: str, place: Place) -> SpecError:
    """A token where none of its kind may stand."""
    where = f"line {place.line}: " if place.line else ""
    return refusal(where + problem, place)


def from_libyaml(error: MarkedYAMLError) -> SpecError:
    """The error of goyaml.v2 for what libyaml found."""
    problem, place = str(error.problem), cast("Place", error.problem_mark)
    if isinstance(error, ScannerError):
        start = error.context_mark if problem in _FOUND_TOO_LATE else None
        return scanner_error(problem, place, start)
    return parser_error(problem, place)


def from_reader(error: ReaderError, content: bytes) -> SpecError:
    """The error of goyaml.v2 for bytes that are no text."""
    before = decode(content[: error.position])
    column = len(before) - (before.rfind("\n") + 1)
    return refusal(error.reason, Position(before.count("\n"), column))


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
