"""A Pod that was judged, with everything that the answer was made of."""

from __future__ import annotations

from dataclasses import dataclass

from app.admission.review import Response
from app.admission.verdict import Decision
from app.checker.gathering import Gathered, Gathering
from app.checker.subject import Subject


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What `Checker.validate` answers, and why.

    Attributes:
        gathering: that found it out; its indexes say what the bits stand for.
        asked: the Pod.
        gathered: what was found out.
        decision: what that amounts to.
        response: what the API server would be told.
    """

    gathering: Gathering
    asked: Subject
    gathered: Gathered
    decision: Decision
    response: Response
