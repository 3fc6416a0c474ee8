"""All parts, joined."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from app import __version__
from app.bootstrap.certificates import from_files
from app.bootstrap.connecting import LazyConnection
from app.bootstrap.expiries import Expiries
from app.bootstrap.health import AlwaysReady, Health, Readiness
from app.bootstrap.observers import ClusterObserver
from app.bootstrap.options import options
from app.bootstrap.registries import registries
from app.certificates.files import FileCertificates
from app.checker import Checker
from app.kube.cluster import KubeCluster
from app.oci.artifacts import LayoutsFirst
from app.oci.layout import LayoutArtifacts
from app.ports import Cluster
from app.settings import Settings
from app.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Wired:
    """What the webhook serves; implements `webhook.application.Parts`.

    Attributes:
        reviewer: answers reviews.
        health: decides `/readyz`.
        certificates: what the HTTPS port shows; looked after while the webhook runs,
            inside `running`.
        metrics: what `/metrics` prints.
        running: entered while the application serves; starts the watches.
        refresh: brings gauges up to date.
    """

    reviewer: Checker
    health: Health
    certificates: FileCertificates
    metrics: Metrics
    running: Callable[[], AbstractAsyncContextManager[None]]
    refresh: Callable[[], None]


def wire(settings: Settings) -> Wired:
    """The webhook on a real cluster.

    Raises:
        ConfigError: a setting names a file or a selector that cannot be used.
    """
    metrics = Metrics()
    connection = LazyConnection(settings.cluster)
    cluster = KubeCluster(
        connection,
        trusted_namespaces=settings.cluster.trusted_namespaces,
        observer=ClusterObserver(metrics),
    )

    @asynccontextmanager
    async def watching() -> AsyncIterator[None]:
        await connection.open()
        try:
            await cluster.start()
            yield
        finally:
            await cluster.stop()
            await connection.close()

    def refresh() -> None:
        status = cluster.status()
        metrics.set("nodes", status.known, state="known")
        metrics.set("nodes", status.nodes - status.known, state="unknown")
        metrics.set("cluster_stale_seconds", cluster.stale_seconds())
        for resource, seconds in cluster.silences().items():
            heard = max(time.time() - seconds, 0.0)
            name = "watch_last_event_timestamp_seconds"
            metrics.set(name, heard, resource=resource)
        metrics.set("ready", float(cluster.ready()))
        metrics.set("node_feature_kind_absent", float(status.is_kind_absent))
        metrics.set("node_feature_data_missing", float(status.is_data_missing))

    return _assemble(settings, cluster, metrics, Readiness(cluster), watching, refresh)


def wire_on(settings: Settings, cluster: Cluster) -> Wired:
    """The webhook on a cluster that is there already: the demo's, a test's."""
    metrics = Metrics()

    @asynccontextmanager
    async def nothing() -> AsyncIterator[None]:
        yield

    def refresh() -> None:
        metrics.set("cluster_stale_seconds", cluster.stale_seconds())

    return _assemble(settings, cluster, metrics, AlwaysReady(), nothing, refresh)


def _assemble(
    settings: Settings,
    cluster: Cluster,
    metrics: Metrics,
    health: Health,
    watching: Callable[[], AbstractAsyncContextManager[None]],
    refresh: Callable[[], None],
) -> Wired:
    metrics.set("build_info", 1, version=__version__)
    found = registries(settings.registry, metrics)
    layouts = LayoutArtifacts(settings.registry.layout_root)
    artifacts = LayoutsFirst(layouts, found)

    chosen = options(settings)
    expiries = Expiries(chosen.exemptions)
    checker = Checker(cluster, artifacts, metrics, chosen)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        expiries.report()
        try:
            async with watching(), checker.running():
                yield
        finally:
            await found.close()

    def refreshed() -> None:
        expiries.report()
        checker.refresh()
        refresh()

    certificates = from_files(settings.server, metrics)
    return Wired(checker, health, certificates, metrics, running, refreshed)
