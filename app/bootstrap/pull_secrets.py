"""Who reads the pull secrets of Pods, as the settings allow it."""

from __future__ import annotations

from app.bootstrap.way_observers import PullSecretObserver
from app.kube.objects import SendingTransport
from app.kube.secrets import KubePullSecrets
from app.settings.registry import PullSecretSettings, SecretReading
from app.telemetry import Metrics


def pull_secrets(
    settings: PullSecretSettings, connection: SendingTransport | None, metrics: Metrics
) -> KubePullSecrets | None:
    """Reads what is allowed; `None` where that is nothing.

    Args:
        settings: which Secrets may be read.
        connection: to the API server; `None` for none.
        metrics: count what becomes of each.
    """
    if connection is None or settings.read is SecretReading.NONE:
        return None
    return KubePullSecrets(
        connection,
        read=settings.read.value,
        names=settings.names,
        namespaces=settings.namespaces,
        seconds=settings.seconds,
        observer=PullSecretObserver(metrics),
    )
