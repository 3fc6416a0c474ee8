"""A fault, and what the functions that look for faults have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.cli.installed.asking import Unread
from app.cli.installed.configurations import (
    MUTATING,
    VALIDATING,
    Configuration,
    Hook,
)
from app.cli.installed.release import Replica
from app.cli.installed.survey import Survey
from app.status import Status

REINSTALL: Final = "helm upgrade --install, with your values"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault.

    Attributes:
        reason: one CamelCase word, stable over versions.
        problem: what is wrong.
        do: what to do about it.
    """

    reason: str
    problem: str
    do: str


def replicas(survey: Survey) -> tuple[Replica, ...]:
    """Every replica that was found."""
    return () if isinstance(survey.replicas, Unread) else survey.replicas


def statuses(survey: Survey) -> Iterator[tuple[str, Status]]:
    """Name and document of every replica that answered."""
    for one in survey.answering:
        if one.status is not None:
            yield one.name, one.status


def of(survey: Survey, kind: str) -> tuple[Configuration, ...]:
    """The configurations of a kind; empty where they were not read."""
    found = (survey.configurations or {}).get(kind, ())
    return () if isinstance(found, Unread) else found


def is_read(survey: Survey, kind: str) -> bool:
    """Whether the configurations of a kind were read."""
    found = (survey.configurations or {}).get(kind)
    return found is not None and not isinstance(found, Unread)


def hooks(survey: Survey) -> Iterator[tuple[Configuration, Hook]]:
    """Every webhook of ours with its configuration."""
    for kind in (VALIDATING, MUTATING):
        for one in of(survey, kind):
            for hook in one.hooks:
                yield one, hook
