"""A suite as values: what its file says, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.compat.features import Features
from app.compat.outcome import UnpublishedFeatures

API_VERSION: Final = "imagecompat.dev/v1alpha1"
KIND: Final = "SpecTest"


class Answer(StrEnum):
    """What can be expected of a spec on a node."""

    FITS = "fits"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"
    ERROR = "error"
    """NFD would give an error and no answer: for the spec, or for a rule of it."""


class SpecSource(StrEnum):
    """Where a suite's spec comes from; the key that says so."""

    FILE = "file"
    RECIPE = "recipe"
    IMAGE = "image"
    INLINE = "inline"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecEntry:
    """A spec of a suite.

    Attributes:
        name: by which tests call it.
        place: of its entry.
        source: where its text comes from.
        target: path, recipe or image; empty for an inline one.
        content: the text of an inline one.
        platform: of an image, as it was written; `None` for what it names itself.
    """

    name: str
    place: Place
    source: SpecSource
    target: str = ""
    content: bytes = b""
    platform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEntry:
    """A node of a suite, or a file with some.

    Attributes:
        name: by which tests call it; empty for those of a file, by their own names.
        place: of its entry.
        path: of a file or folder; empty for an inline one.
        features: of an inline one.
    """

    name: str
    place: Place
    path: str = ""
    features: Features | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of a spec on a node; `None` is not looked at.

    Attributes:
        answer: fits, does not fit, unknown, or an error.
        score: highest weight among the sets that fit; 0 if none has one.
        chosen: the set that is meant: its tag, or `#2`. Where the spec fits, the
            one that gives the score; else the one whose rules are looked at.
        failing: names of the rules that do not match, in any order; of the set that
            lacks least, unless one is chosen.
        reason: stands in one of the reasons, or in the error.
    """

    answer: Answer
    score: int | None = None
    chosen: str | None = None
    failing: tuple[str, ...] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One spec on one node.

    Attributes:
        spec: its name in the suite.
        node: its name in the suite.
        place: of what expects something.
        expected: what.
        name: of the test, empty if it has none.
        tags: that select sets; all sets if there are none.
    """

    spec: str
    node: str
    place: Place
    expected: Expected
    name: str = ""
    tags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is called: `cuda on gpu-a`, after the test's own name."""
        title = f"{self.spec} on {self.node}"
        return f"{self.name}: {title}" if self.name else title


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One file.

    Attributes:
        file: its path as it was given.
        name: as the file says, else its path.
        unpublished: what a term is whose feature no node of the suite publishes.
        specs: in the file's order.
        nodes: in the file's order.
        cases: in the file's order.
        broken: `spec` or `node`, and the name of an entry that cannot be used; empty
            where that cannot be told.
    """

    file: str
    name: str
    unpublished: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN
    specs: tuple[SpecEntry, ...] = ()
    nodes: tuple[NodeEntry, ...] = ()
    cases: tuple[Case, ...] = ()
    broken: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What a spec is on a node.

    Attributes:
        answer: fits, does not fit or unknown; error if the spec cannot be read.
        score: as in `Expected`; 0 if it does not fit.
        chosen: the set that gives the score, or that lacks least: its tag, else
            `#2`; empty if none was judged.
        number: of that set, from 1; 0 for none.
        failing: rules that keep that set from fitting, by name, each once.
        reasons: why, a line each.
        errors: why NFD gives an error instead of an answer, a line each.
    """

    answer: Answer
    score: int = 0
    chosen: str = ""
    number: int = 0
    failing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a case.

    Attributes:
        case: the case.
        got: what was found out.
        differences: what differs from what is expected, a line each; none if it
            passed.
    """

    case: Case
    got: Got
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of a suite."""

    suite: Suite
    results: tuple[Result, ...] = field(default=())
