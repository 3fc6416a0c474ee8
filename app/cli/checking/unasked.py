"""Workloads that the chart's webhooks are not asked about, and why.

They are judged, because they run somewhere; but nobody warns of them or denies them.
"""

from __future__ import annotations

from typing import Final

from app.cli.checking.manifests import Manifest
from app.scheduling.kinds import POD

NAMESPACES: Final = ("kube-system", "kube-node-lease", "kube-public")
"""The chart leaves these out, whatever its values say, and the webhook's own."""

OWN: Final = "imagecompat"
"""The webhook's own namespace, unless its settings name another."""

_MIRROR: Final = "kubernetes.io/config.mirror"


def why(manifest: Manifest, namespace: str, own: str = OWN) -> str:
    """In words; empty for what the webhook is asked about.

    Args:
        manifest: the workload.
        namespace: where it is, or goes.
        own: the webhook's own namespace.
    """
    if namespace in {*NAMESPACES, own}:
        return f"the webhook is not asked about namespace {namespace}"
    if manifest.is_live and manifest.kind == POD and _is_marked(manifest):
        return f"{manifest.label} mirrors a static Pod: the webhook leaves it alone"
    return ""


def _is_marked(manifest: Manifest) -> bool:
    metadata = manifest.object.get("metadata")
    notes = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(notes, dict) and _MIRROR in notes
