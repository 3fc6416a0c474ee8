"""Settings as what an admin decides about reviews."""

from __future__ import annotations

from app.checker import Options
from app.scheduling import candidates, selector
from app.scheduling.taints import TRANSIENT
from app.settings.sections import Settings


def options(settings: Settings) -> Options:
    """What the admin decides about reviews."""
    policy = settings.policy
    return Options(
        policy=policy.policy(),
        tags=policy.tags,
        detail=policy.messages,
        annotate=policy.annotate,
        candidates=candidates.Options(
            schedulers=settings.cluster.schedulers,
            ignore=selector.parse(settings.cluster.nodes_ignore),
            transient=TRANSIENT.extended(settings.cluster.transient_taints),
        ),
        exemptions=tuple(one.exemption() for one in policy.exemptions),
        unpublished=policy.unpublished_features,
        max_reviews=settings.server.max_reviews,
    )
