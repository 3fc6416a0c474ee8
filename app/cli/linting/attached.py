"""The specs that are attached to an image, each with what is odd about its artifact.

All of them that count are checked: that of the index, and those of its platforms.
What counts is admission's own choice (`oci.writing.listing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from app.cli.linting.linted import Linted, of_content
from app.cli.specs.opening import Opener
from app.compat.lint import Problem, Severity
from app.oci.writing import listing
from app.oci.writing.listing import ImageSpecs, Listed, State, SubjectSpecs
from app.oci.writing.showing import failed
from app.oci.writing.store import Failed
from app.ports import Doubt, Found, Invalid, Missing

CODES: Final[Mapping[str, Severity]] = MappingProxyType(
    {
        "artifact-missing": Severity.ERROR,
        "artifact-invalid": Severity.ERROR,
        "artifact-broken": Severity.WARNING,
        "artifact-elsewhere": Severity.WARNING,
        "artifact-gone": Severity.WARNING,
        "artifact-tie": Severity.WARNING,
        "artifact-undated": Severity.WARNING,
        "artifact-unused": Severity.WARNING,
        "date-differs": Severity.WARNING,
        "date-in-future": Severity.WARNING,
    }
)
"""Every problem that an artifact may have, beside those of its spec."""

_STATES: Final[Mapping[State, tuple[str, str]]] = MappingProxyType(
    {
        State.BROKEN: ("artifact-broken", "does not count and cannot be read"),
        State.DANGLING: ("artifact-gone", "is listed, but gone"),
        State.OTHER_SUBJECT: (
            "artifact-elsewhere",
            "is listed here, and attached to something else",
        ),
        State.TIE_LOST: (
            "artifact-tie",
            "has the same date as the one that counts, which has the smaller digest",
        ),
        State.SUPERSEDED: (
            "artifact-unused",
            "is the index's, and each platform has one of its own",
        ),
        State.OTHER_VARIANT: (
            "artifact-unused",
            "is attached to a manifest that no node runs",
        ),
    }
)
"""Why an artifact does not count, where its author should know -> code and words."""

DOUBTS: Final[Mapping[Doubt, str]] = MappingProxyType(
    {
        Doubt.FUTURE: "date-in-future",
        Doubt.DATES_DIFFER: "date-differs",
        Doubt.GONE: "artifact-gone",
    }
)
"""What is odd about an artifact that counts -> code."""

Outcome: TypeAlias = Linted | Failed


async def check(opener: Opener, image: str, *, now: datetime) -> Sequence[Outcome]:
    """Every spec of an image that counts somewhere; what could not be read, too."""
    listed = await listing.list_specs(
        opener.open(image), opener.limits, now=now, progress=opener.progress
    )
    if isinstance(listed, Failed):
        return (listed,)
    found = tuple(specs(listed))
    return found or (Linted(name=image, problems=(_missing(),)),)


def specs(image: ImageSpecs) -> Iterator[Outcome]:
    """What is found of each manifest and index with artifacts."""
    for subject in image.subjects:
        name = f"{image.image}{_where(image, subject)}"
        outcome = subject.outcome
        others = tuple(_of_artifacts(subject))
        match outcome:
            case Found():
                odd = (*_of_found(outcome), *others)
                yield of_content(outcome.content, name, odd)
            case Invalid():
                text = f"{outcome.detail} ({outcome.reason})"
                yield Linted(
                    name=name, problems=(_problem("artifact-invalid", text), *others)
                )
            case Missing():
                if others:
                    yield Linted(name=name, problems=others)
            case _:
                yield failed(name, outcome)


def _where(image: ImageSpecs, subject: SubjectSpecs) -> str:
    if not image.is_index:
        return ""
    return f" ({subject.platform or 'index'})"


def _of_found(outcome: Found) -> Iterator[Problem]:
    for doubt in outcome.doubts:
        yield _problem(DOUBTS[doubt], f"the artifact that counts: {doubt.value}")
    if outcome.created is None:
        text = "the artifact has no date: any other that has one beats it"
        hint = "attach it with org.opencontainers.image.created, as attach-spec does"
        yield _problem("artifact-undated", text, hint)


def _of_artifacts(subject: SubjectSpecs) -> Iterator[Problem]:
    for one in subject.artifacts:
        yield from _of_artifact(one, subject)


def _of_artifact(one: Listed, subject: SubjectSpecs) -> Iterator[Problem]:
    is_chosen = isinstance(subject.outcome, Invalid) and one is subject.artifacts[0]
    if one.state in _STATES and not is_chosen:
        code, words = _STATES[one.state]
        yield _problem(code, f"{one.digest} {words}")


def _missing() -> Problem:
    text = "no compatibility spec is attached to the image"
    return _problem("artifact-missing", text, "imagecompat attach-spec")


def _problem(code: str, message: str, hint: str = "") -> Problem:
    return Problem(CODES[code], code, 0, 0, "", message, hint)
