"""All parts, joined."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import app.compat.varstemplate  # noqa: F401 - at the start, not in a first review
from app import __version__
from app.bootstrap import registry_files
from app.bootstrap.certificates import Certificates, certificates
from app.bootstrap.connecting import LazyConnection
from app.bootstrap.expiries import Expiries
from app.bootstrap.files import SettingsFiles, Unwatched, Wanted
from app.bootstrap.health import AlwaysReady, Health, Readiness
from app.bootstrap.observers import ClusterObserver
from app.bootstrap.options import options
from app.bootstrap.pull_secrets import pull_secrets
from app.bootstrap.registries import Sources, sources
from app.bootstrap.reloading import reloading
from app.bootstrap.settings_state import SettingsHealth
from app.bootstrap.statuses import status
from app.bootstrap.switch import Switch
from app.checker import Checker
from app.kube.cluster import KubeCluster
from app.ports import Cluster
from app.settings.sections import Settings
from app.status import Status
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
        job_seconds: for how long the worker thread is in one job.
        status: what `/statusz` tells of the parts.
    """

    reviewer: Checker
    health: Health
    certificates: Certificates
    metrics: Metrics
    running: Callable[[], AbstractAsyncContextManager[None]]
    refresh: Callable[[], None]
    job_seconds: Callable[[], float] = lambda: 0.0
    status: Callable[[], Status] = Status


def wire(settings: Settings, file: Path | None = None) -> Wired:
    """The webhook on a real cluster.

    Args:
        settings: of the file, the environment and defaults.
        file: that they were read from, to be watched; `None` for none.

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
        counted = cluster.status()
        metrics.set("nodes", counted.known, state="known")
        metrics.set("nodes", counted.nodes - counted.known, state="unknown")
        metrics.set("cluster_stale_seconds", cluster.stale_seconds())
        for resource, seconds in cluster.silences().items():
            heard = max(time.time() - seconds, 0.0)
            name = "watch_last_event_timestamp_seconds"
            metrics.set(name, heard, resource=resource)
        metrics.set("node_feature_kind_absent", float(counted.is_kind_absent))
        metrics.set("node_feature_data_missing", float(counted.is_data_missing))

    served = certificates(settings, metrics, connection)
    around = _Around(cluster, Readiness(cluster), watching, refresh, connection)
    return _assemble(settings, SettingsFiles(file), around, metrics, served)


def wire_on(settings: Settings, cluster: Cluster) -> Wired:
    """The webhook on a cluster that is there already: the demo's, a test's."""
    metrics = Metrics()

    @asynccontextmanager
    async def nothing() -> AsyncIterator[None]:
        yield

    def refresh() -> None:
        metrics.set("cluster_stale_seconds", cluster.stale_seconds())

    served = certificates(settings, metrics, None)
    around = _Around(cluster, AlwaysReady(), nothing, refresh)
    return _assemble(settings, None, around, metrics, served)


@dataclass(frozen=True, slots=True)
class _Around:
    """A cluster, and what else depends on its kind.

    Attributes:
        cluster: whose nodes count.
        health: decides `/readyz`.
        watching: entered while the application serves.
        refresh: brings gauges of the cluster up to date.
        connection: to its API server; `None` for none.
    """

    cluster: Cluster
    health: Health
    watching: Callable[[], AbstractAsyncContextManager[None]]
    refresh: Callable[[], None]
    connection: LazyConnection | None = None


def _reviewing(
    settings: Settings, around: _Around, metrics: Metrics
) -> tuple[Checker, Switch]:
    """What answers reviews, and what exchanges its settings."""
    wanted = Wanted(settings, registry_files.read(settings.registry))

    def make(wanted: Wanted) -> Sources:
        registry = wanted.settings.registry
        secrets = pull_secrets(registry.pull_secrets, around.connection, metrics)
        return sources(registry, wanted.files, metrics, secrets)

    found = make(wanted)
    checker = Checker(around.cluster, found.port, metrics, options(settings))
    return checker, Switch(checker, found, wanted, make, gc.freeze)


def _assemble(
    settings: Settings,
    files: SettingsFiles | None,
    around: _Around,
    metrics: Metrics,
    served: Certificates,
) -> Wired:
    metrics.set("build_info", 1, version=__version__)
    checker, switch = _reviewing(settings, around, metrics)
    expiries = Expiries(lambda: checker.options.exemptions)
    watched = files if files is not None else Unwatched(switch.wanted)
    looking = reloading(watched, switch, metrics, settings.server.check_seconds)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        expiries.report()
        try:
            async with around.watching(), checker.running(), looking.running():
                yield
        finally:
            await switch.close()

    def refreshed() -> None:
        expiries.report()
        checker.refresh()
        for cache, filled in switch.sources.caches().items():
            metrics.set("cache_entries", len(filled), cache=cache)
            metrics.set("cache_bytes", filled.size_bytes, cache=cache)
        for state, count in switch.sources.registries.circuits().items():
            metrics.set("registry_circuits", count, state=state.value)
        around.refresh()

    def told() -> Status:
        return status(
            checker.state(),
            held=switch.wanted.settings.cluster,
            cluster=around.cluster,
            images=len(switch.sources.registries),
            settings=looking.state.status(),
        )

    return Wired(
        reviewer=checker,
        health=SettingsHealth(around.health, looking.state),
        certificates=served,
        metrics=metrics,
        running=running,
        refresh=refreshed,
        job_seconds=checker.job_seconds,
        status=told,
    )
