"""What we know of the cluster: three kinds of objects, kept by reflectors.

Nodes and Namespaces are watched as a whole; NodeFeatures in the trusted
namespaces only, one watch each, so that what others write costs us nothing and a
Role is enough.

*Ready* is: every watch has taken in its first list. It is never taken back: a
watch that is lost later makes us stale, and the policy for that decides, whereas
all replicas turning unready at once would take the webhook away. The NodeFeature
CRD may be absent: then nothing is known of any node, and it is picked up when it
appears.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from app.errors import ClusterError, ConfigError
from app.kube import decode
from app.kube.backoff import Clock
from app.kube.decode import DECODE_ERRORS
from app.kube.features import FeatureSets, NodeFeature
from app.kube.observer import Observer, SilentObserver
from app.kube.reflector import SLOW_RETRY_SECONDS, Reflector
from app.kube.resource import Resource
from app.kube.snapshot import Store
from app.kube.transport import Transport, read, require_ok
from app.ports import Namespace, Snapshot
from app.scheduling.node import Node

NODES: Final = Resource("nodes", "/api/v1/nodes", page_limit=200)
NAMESPACES: Final = Resource("namespaces", "/api/v1/namespaces", page_limit=500)

MAX_OBJECT_BYTES: Final = 2 << 20
"""Of one Namespace; etcd's own limit is 1.5 MiB."""

_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""What a Namespace may be called."""


def node_features(namespace: str) -> Resource:
    """The NodeFeature objects of one namespace."""
    return Resource(
        "nodefeatures",
        f"/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/{namespace}/nodefeatures",
        page_limit=20,
        namespace=namespace,
        is_optional=True,
    )


@dataclass(frozen=True, slots=True)
class Status:
    """What gauges show.

    Attributes:
        nodes: how many nodes there are.
        known: how many of them have features.
        feature_sets: how many distinct feature sets are held.
        namespaces: how many Namespaces there are.
        is_kind_absent: whether the NodeFeature CRD is not installed.
        is_data_missing: whether there are nodes, and the CRD, but not a single
            NodeFeature in a trusted namespace: NFD runs elsewhere, or not at all.
    """

    nodes: int
    known: int
    feature_sets: int
    namespaces: int
    is_kind_absent: bool
    is_data_missing: bool


@dataclass(frozen=True, slots=True)
class WatchState:
    """How one watch is.

    Attributes:
        resource: what is watched.
        namespace: empty for all.
        is_ready: whether the first list has been taken in.
        silent_seconds: since our view was last known to be the server's; infinity
            if it is not known at all.
        problem: what is wrong now; empty if nothing is.
    """

    resource: str
    namespace: str
    is_ready: bool
    silent_seconds: float
    problem: str


class KubeCluster:
    """Implements `app.ports.Cluster` on a real API server.

    `start` before anything is asked, `stop` in the same event loop.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        trusted_namespaces: Sequence[str],
        observer: Observer | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepares the watches; nothing is asked yet.

        Args:
            transport: the way to the API server; whoever opened it closes it.
            trusted_namespaces: NodeFeatures count only from these; the first is
                NFD's own.
            observer: is told what happens.
            clock: time and chance.

        Raises:
            ConfigError: there is no trusted namespace, or one is no namespace name.
        """
        trusted = tuple(dict.fromkeys(trusted_namespaces))
        for name in trusted:
            if not _DNS_LABEL.fullmatch(name):
                raise ConfigError("TrustedNamespaces", f"{name!r}: no namespace name")
        if not trusted:
            raise ConfigError("TrustedNamespaces", "no namespace is trusted")
        self._transport: Final = transport
        self._clock: Final = clock or Clock()
        self._observer: Final = observer or SilentObserver()
        self._store: Final = Store(trusted)
        self._sets: Final = FeatureSets()
        self._namespaces: Final[dict[str, Namespace]] = {}
        self._features: Final = [self._watch_features(name) for name in trusted]
        self._reflectors: Final[Sequence[Reflector[Any]]] = (
            self._watch_nodes(),
            *self._features,
            self._watch_namespaces(),
        )
        self._tasks: list[asyncio.Task[NoReturn]] = []

    def _watch_nodes(self) -> Reflector[Node]:
        return Reflector(
            NODES,
            decode.node,
            _Nodes(self._store),
            self._transport,
            observer=self._observer,
            clock=self._clock,
        )

    def _watch_features(self, namespace: str) -> Reflector[NodeFeature]:
        return Reflector(
            node_features(namespace),
            self._sets.decode,
            _Features(self._store, namespace),
            self._transport,
            observer=self._observer,
            clock=self._clock,
        )

    def _watch_namespaces(self) -> Reflector[Namespace]:
        return Reflector(
            NAMESPACES,
            decode.namespace,
            _Namespaces(self._namespaces),
            self._transport,
            observer=self._observer,
            clock=self._clock,
        )

    async def start(self) -> None:
        """Begins to watch; returns at once."""
        self._tasks = [
            asyncio.create_task(self._keep(one), name=f"watch {one.resource}")
            for one in self._reflectors
        ]

    async def stop(self) -> None:
        """Ends the watches; what is known stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _keep(self, reflector: Reflector[Any]) -> NoReturn:
        """Runs a reflector; a fault of ours must not end the watch for good."""
        while True:
            try:
                await reflector.run()
            except Exception as error:  # noqa: BLE001 - the view would stop silently
                name = reflector.resource.name
                self._observer.counted(name, "crash")
                self._observer.failed(name, "Internal", repr(error))
                await self._clock.sleep(SLOW_RETRY_SECONDS)

    def ready(self) -> bool:
        """Whether the first sync of everything is done; never taken back."""
        return all(one.is_ready for one in self._reflectors)

    def problems(self) -> tuple[str, ...]:
        """What is wrong now, for a person; empty if nothing is."""
        return tuple(text for one in self._reflectors for text in _problems(one))

    def watches(self) -> tuple[WatchState, ...]:
        """How each watch is."""
        now = self._clock.now()
        return tuple(
            WatchState(
                resource=one.resource.name,
                namespace=one.resource.namespace or "",
                is_ready=one.is_ready,
                silent_seconds=_stale_seconds(one, now),
                problem="; ".join(_problems(one)),
            )
            for one in self._reflectors
        )

    def status(self) -> Status:
        """The state in numbers."""
        snapshot = self.snapshot()
        is_absent = any(one.is_absent for one in self._features)
        return Status(
            nodes=len(snapshot.nodes),
            known=len(snapshot.features),
            feature_sets=len(self._sets),
            namespaces=len(self._namespaces),
            is_kind_absent=is_absent,
            is_data_missing=self.ready()
            and bool(snapshot.nodes)
            and not is_absent
            and not self._store.objects,
        )

    def snapshot(self) -> Snapshot:
        """The newest view; cheap, memory only."""
        return self._store.snapshot()

    def stale_seconds(self) -> float:
        """How long ago our view was last known to be the server's, in seconds.

        The largest over all watches; infinity before the first sync, and while an
        object is lost that could not be read.
        """
        now = self._clock.now()
        return max(_stale_seconds(one, now) for one in self._reflectors)

    def silences(self) -> Mapping[str, float]:
        """Resource -> how long ago its watch was last heard, in seconds.

        The longest where several watches share a resource; infinity before the
        first list.
        """
        now, found = self._clock.now(), dict[str, float]()
        for one in self._reflectors:
            heard, name = one.current_at, one.resource.name
            silence = math.inf if heard is None else now - heard
            found[name] = max(silence, found.get(name, 0.0))
        return found

    async def namespace(
        self, name: str, *, deadline_seconds: float
    ) -> Namespace | None:
        """The Namespace, from memory, else by one GET; `None` if not to be had."""
        known = self._namespaces.get(name)
        if known is not None or not _DNS_LABEL.fullmatch(name):
            return known
        try:
            async with asyncio.timeout(deadline_seconds):
                return await self._get_namespace(name)
        except (ClusterError, TimeoutError, *DECODE_ERRORS):
            return None

    async def _get_namespace(self, name: str) -> Namespace:
        path = f"{NAMESPACES.path}/{name}"
        async with self._transport.get(path, {}) as response:
            await require_ok(response)
            body = await read(response, limit_bytes=MAX_OBJECT_BYTES)
        return decode.namespace(body).value


def _problems(reflector: Reflector[Any]) -> list[str]:
    resource = reflector.resource
    found = [
        f"RBAC does not allow: {verb} {resource}" for verb in reflector.missing_verbs
    ]
    if reflector.failure and not reflector.missing_verbs:
        found.append(f"{resource}: {reflector.failure}")
    elif not reflector.is_ready and not reflector.missing_verbs:
        found.append(f"{resource}: first list not complete")
    if reflector.is_incomplete:
        found.append(f"{resource}: an object could not be read")
    return found


def _stale_seconds(reflector: Reflector[Any], now: float) -> float:
    if reflector.current_at is None or reflector.is_incomplete:
        return math.inf
    return now - reflector.current_at


class _Nodes:
    """Puts Nodes into the store."""

    def __init__(self, store: Store) -> None:
        self._store: Final = store

    def replace(self, objects: Mapping[str, Node]) -> Iterator[None]:
        return self._store.replace_nodes(objects)

    def put(self, key: str, value: Node) -> None:  # noqa: ARG002 - a Node has its name
        self._store.put_node(value)

    def remove(self, key: str) -> None:
        self._store.remove_node(key)


class _Features:
    """Puts the NodeFeatures of one namespace into the store."""

    def __init__(self, store: Store, namespace: str) -> None:
        self._store: Final = store
        self._namespace: Final = namespace

    def replace(self, objects: Mapping[str, NodeFeature]) -> Iterator[None]:
        return self._store.replace_features(self._namespace, objects.values())

    def put(self, key: str, value: NodeFeature) -> None:  # noqa: ARG002 - it has both
        self._store.put_feature(value)

    def remove(self, key: str) -> None:
        namespace, _, name = key.partition("/")
        self._store.remove_feature(namespace, name)


class _Namespaces:
    """Keeps Namespaces by name."""

    def __init__(self, namespaces: dict[str, Namespace]) -> None:
        self._namespaces: Final = namespaces

    def replace(self, objects: Mapping[str, Namespace]) -> Iterator[None]:
        self._namespaces.clear()
        self._namespaces.update(objects)
        yield

    def put(self, key: str, value: Namespace) -> None:
        self._namespaces[key] = value

    def remove(self, key: str) -> None:
        self._namespaces.pop(key, None)
