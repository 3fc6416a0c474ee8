"""Settings in, wired objects out: the only module that knows every concrete class."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from app import __version__
from app.admission.exemption import Exemption, expired
from app.checker import Checker, Options
from app.errors import ClusterError, ConfigError
from app.kube.cluster import KubeCluster
from app.kube.connection import Connection
from app.kube.transport import Response
from app.oci import credentials
from app.oci.artifacts import LayoutsFirst, RegistryArtifacts
from app.oci.client import Shared
from app.oci.credentials import MAX_CONFIG_BYTES, Keyring
from app.oci.guard import HostPolicy, RegistryPolicy
from app.oci.layout import LayoutArtifacts
from app.oci.limits import Limits
from app.oci.transport import AiohttpTransport
from app.ports import Cluster
from app.scheduling import candidates, selector
from app.scheduling.taints import TRANSIENT
from app.settings import ClusterSettings, RegistrySettings, Settings
from app.telemetry import Metrics, log_event


class Health(Protocol):
    """Says whether reviews can be judged."""

    def problems(self) -> tuple[str, ...]:
        """What keeps us from being ready; empty when ready."""
        ...


@dataclass(frozen=True, slots=True)
class Wired:
    """What the webhook serves; implements `webhook.application.Parts`.

    Attributes:
        reviewer: answers reviews.
        health: decides `/readyz`.
        metrics: what `/metrics` prints.
        running: entered while the application serves; starts the watches.
        refresh: brings gauges up to date.
    """

    reviewer: Checker
    health: Health
    metrics: Metrics
    running: Callable[[], AbstractAsyncContextManager[None]]
    refresh: Callable[[], None]


def wire(settings: Settings) -> Wired:
    """The webhook on a real cluster.

    Raises:
        ConfigError: a setting names a file or a selector that cannot be used.
    """
    metrics = Metrics()
    connection = _LazyConnection(settings.cluster)
    cluster = KubeCluster(
        connection,
        trusted_namespaces=settings.cluster.trusted_namespaces,
        observer=_ClusterObserver(metrics),
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
        metrics.set("ready", float(cluster.ready()))
        metrics.set("node_feature_kind_absent", float(status.is_kind_absent))
        metrics.set("node_feature_data_missing", float(status.is_data_missing))

    return _assemble(settings, cluster, metrics, _Readiness(cluster), watching, refresh)


def wire_on(settings: Settings, cluster: Cluster) -> Wired:
    """The webhook on a cluster that is there already: the demo's, a test's."""
    metrics = Metrics()

    @asynccontextmanager
    async def nothing() -> AsyncIterator[None]:
        yield

    def refresh() -> None:
        metrics.set("cluster_stale_seconds", cluster.stale_seconds())

    return _assemble(settings, cluster, metrics, _AlwaysReady(), nothing, refresh)


def _assemble(
    settings: Settings,
    cluster: Cluster,
    metrics: Metrics,
    health: Health,
    watching: Callable[[], AbstractAsyncContextManager[None]],
    refresh: Callable[[], None],
) -> Wired:
    metrics.set("build_info", 1, version=__version__)
    registries = _registries(settings.registry, metrics)
    layouts = LayoutArtifacts(settings.registry.layout_root)
    artifacts = LayoutsFirst(layouts, registries)

    chosen = options(settings)
    expiries = _Expiries(chosen.exemptions)
    checker = Checker(cluster, artifacts, metrics, chosen)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        expiries.report()
        try:
            async with watching(), checker.running():
                yield
        finally:
            await registries.close()

    def refreshed() -> None:
        expiries.report()
        checker.refresh()
        refresh()

    return Wired(checker, health, metrics, running, refreshed)


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


class _Expiries:
    """Tells of each exemption that it has expired: once, when that is noticed."""

    def __init__(self, exemptions: Sequence[Exemption]) -> None:
        self._left = tuple(exemptions)

    def report(self) -> None:
        """Writes a line for each that has expired since the last time."""
        now = datetime.now(UTC)
        for one in expired(self._left, now=now):
            log_event(
                "exemption expired",
                owner=one.owner,
                reason=one.reason,
                expires=one.expires,
                namespaces=one.namespaces,
                images=one.images,
                service_accounts=one.service_accounts,
            )
        self._left = tuple(one for one in self._left if not one.has_expired(now))


def _registries(settings: RegistrySettings, metrics: Metrics) -> RegistryArtifacts:
    policy = RegistryPolicy(
        hosts={
            host: HostPolicy(one.plain_http, one.private, one.loopback)
            for host, one in settings.hosts.items()
        },
        refused=_api_server_addresses(os.environ),
        realms={host: one.token_servers for host, one in settings.hosts.items()},
    )
    limits = Limits()
    observer = _RegistryObserver(metrics)
    shared = Shared(
        transport=AiohttpTransport(policy, limits),
        policy=policy,
        keyring=_keyring(settings.docker_config),
        limits=limits,
        observer=observer,
    )
    return RegistryArtifacts(shared, observer=observer)


def _api_server_addresses(environment: Mapping[str, str]) -> frozenset[str]:
    """Where the kubelet says that the API server is; no registry is there."""
    return frozenset(filter(None, [environment.get("KUBERNETES_SERVICE_HOST")]))


def _keyring(path: Path | None) -> Keyring:
    if path is None:
        return Keyring()
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
        return credentials.read(content)
    except OSError as error:
        text = f"registry.dockerConfig {path}: cannot be read: {error.strerror}"
        raise ConfigError("InvalidDockerConfig", text) from error
    except ConfigError as error:
        text = f"registry.dockerConfig {path}: {error.message}"
        raise ConfigError(error.reason, text) from error


class _LazyConnection:
    """Opens the connection when the application starts: it needs its event loop."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None

    async def open(self) -> None:
        """Reads the configuration.

        Raises:
            ConfigError: there is no usable one.
        """
        self._connection = await Connection.open(
            kubeconfig=self._settings.kubeconfig, context=self._settings.context
        )

    async def close(self) -> None:
        """Closes every connection."""
        if self._connection is not None:
            await self._connection.close()

    async def renew(self) -> None:
        """See `kube.transport.Transport`."""
        await self._opened().renew()

    def get(
        self, path: str, query: Mapping[str, str]
    ) -> AbstractAsyncContextManager[Response]:
        """See `kube.transport.Transport`."""
        return self._opened().get(path, query)

    def _opened(self) -> Connection:
        if self._connection is None:
            raise ClusterError("NotConnected", "the connection is not open yet")
        return self._connection


class _Readiness:
    """Ready after the first full sync, and then for good."""

    def __init__(self, cluster: KubeCluster) -> None:
        self._cluster = cluster

    def problems(self) -> tuple[str, ...]:
        """What the first sync still lacks."""
        return () if self._cluster.ready() else self._cluster.problems()


class _AlwaysReady:
    """A cluster in memory needs no sync."""

    def problems(self) -> tuple[str, ...]:
        """None, ever."""
        return ()


class _RegistryObserver:
    """Counts what goes to registries, and what caches save."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def request(self, kind: str, outcome: str) -> None:
        """One request."""
        self._metrics.count("registry_requests_total", kind=kind, outcome=outcome)

    def cache(self, result: str) -> None:
        """One question to the cache."""
        self._metrics.count("registry_lookups_total", result=result)


class _ClusterObserver:
    """Counts what the watches do, and logs what changes."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def counted(self, resource: str, event: str) -> None:
        """One more event."""
        self._metrics.count("watch_events_total", resource=resource, event=event)

    def synced(self, resource: str, objects: int) -> None:
        """A list has been taken in."""
        log_event("synced", resource=resource, objects=objects)

    def failed(self, resource: str, reason: str, detail: str) -> None:
        """A try failed for another reason than the one before."""
        log_event("watch failed", resource=resource, reason=reason, detail=detail)

    def recovered(self, resource: str) -> None:
        """A watch is open again."""
        log_event("watch recovered", resource=resource)

    def installed(self, resource: str, *, is_installed: bool) -> None:
        """An optional kind turns out to be installed, or not to be."""
        log_event("kind installed" if is_installed else "kind absent", kind=resource)
