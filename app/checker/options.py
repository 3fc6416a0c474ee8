"""What an admin decides about reviews."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.admission.exemption import Exemption
from app.admission.message import Detail
from app.admission.policy import Policy
from app.compat.outcome import UnpublishedFeatures
from app.scheduling import candidates


@dataclass(frozen=True, slots=True)
class Options:
    """What an admin decides about reviews.

    Attributes:
        policy: actions and modes.
        tags: only compatibility sets with one of these count; empty for all.
        detail: how much a text tells of the cluster.
        annotate: whether Pods are annotated.
        candidates: which nodes count.
        exemptions: what is left alone.
        unpublished: what a feature is that no known node publishes.
        max_reviews: at the same time; more are answered by `policy.on_overload`.
    """

    policy: Policy = field(default_factory=Policy)
    tags: tuple[str, ...] = ()
    detail: Detail = Detail.FULL
    annotate: bool = True
    candidates: candidates.Options = field(default_factory=candidates.Options)
    exemptions: tuple[Exemption, ...] = ()
    unpublished: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN
    max_reviews: int = 512
