"""Why a rule is unknown on a node, in words."""

from __future__ import annotations

from typing import Final, NamedTuple

from app.compat.outcome import Erred, Reason, Unpublished


class Doubt(NamedTuple):
    """One reason.

    Attributes:
        what: the feature, or what else it is about.
        want: what would have to be known.
        found: what is known.
        advice: what would change it; empty if nothing is known to.
    """

    what: str
    want: str
    found: str
    advice: str = ""


NO_DATA: Final = Doubt("NodeFeature", "published by NFD", "none", "run NFD")
"""Why all is unknown on a node of which nothing is published."""


def doubt(reason: Reason) -> Doubt:
    """A reason in words."""
    match reason:
        case Unpublished(feature=feature):
            return Doubt(
                feature,
                "a node that publishes it",
                "none does: it may be switched off in NFD",
                f"switch {feature} on in NFD",
            )
        case Erred(error=error):
            return Doubt("evaluation", "no error", error)
        case _:
            return Doubt("rule.matched", "known earlier rules", "an unknown one")
