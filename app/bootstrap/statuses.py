"""What `/statusz` tells of the parts; the webhook adds its own state."""

from __future__ import annotations

import math

from app.checker.record import Remembered, State
from app.kube.cluster import KubeCluster, WatchState
from app.ports import Cluster, Snapshot
from app.settings.sections import ClusterSettings
from app.status import Caches, Decided, Load, Nodes, Rules, SettingsFile, Status, Watch


def status(
    state: State,
    *,
    held: ClusterSettings = ClusterSettings(),  # noqa: B008 - frozen
    cluster: Cluster | None = None,
    images: int = 0,
    settings: SettingsFile = SettingsFile(),  # noqa: B008 - frozen
) -> Status:
    """The parts of the document that are known here.

    Args:
        state: of the checker.
        held: the settings that hold now.
        cluster: whose nodes are counted; one on a real API server has watches, too.
        images: whose artifacts are known.
        settings: what is known of their file.
    """
    seen = cluster.snapshot() if cluster is not None else Snapshot()
    known = len(seen.features)
    watches = cluster.watches() if isinstance(cluster, KubeCluster) else ()
    return Status(
        rules=_rules(state, held),
        nodes=Nodes(known, len(seen.nodes) - known),
        watches=tuple(map(_watch, watches)),
        caches=Caches(
            images=images,
            specs=state.specs,
            answers_bytes=state.answers_bytes,
            evaluations_waiting=state.evaluations_waiting,
        ),
        load=Load(reviews=state.reviews),
        settings=settings,
        decisions=tuple(map(_decided, state.decisions)),
    )


def _rules(state: State, held: ClusterSettings) -> Rules:
    options = state.options
    return Rules(
        mode=options.policy.mode,
        namespace_modes=options.policy.namespace_modes,
        pod_modes=options.policy.pod_modes,
        nodes_may_appear=options.policy.nodes_may_appear,
        nodes_may_appear_now=state.nodes_may_appear,
        annotate=options.annotate,
        trusted_namespaces=held.trusted_namespaces,
        nodes_ignore=held.nodes_ignore,
        exemptions=state.exemptions,
    )


def _watch(one: WatchState) -> Watch:
    silent = one.silent_seconds
    return Watch(
        resource=one.resource,
        namespace=one.namespace,
        is_synced=one.is_ready,
        silent_seconds=round(silent, 3) if math.isfinite(silent) else None,
        problem=one.problem,
    )


def _decided(one: Remembered) -> Decided:
    return Decided(
        time=one.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        kind=one.kind,
        namespace=one.namespace,
        operation=one.operation,
        decision=one.decision,
        mode=one.mode,
        codes=one.codes,
        not_judged=one.not_judged,
        candidates=one.candidates,
        fits=one.fits,
        unknown=one.unknown,
        dry_run=one.is_dry_run,
        seconds=one.seconds,
    )
