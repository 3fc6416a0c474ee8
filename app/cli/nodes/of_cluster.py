"""Nodes of a cluster: one paged list of Nodes, one of NodeFeatures each namespace.

With the rights of whoever runs the command: `list` on nodes, and on nodefeatures of
NFD's namespaces. Where only some nodes are wanted, the API server selects them.
Without the kind NodeFeature nothing is known of any node, which is a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from app.cli.installed import asking
from app.cli.nodes.known import KnownNodes
from app.cli.nodes.selecting import refuse_none, require
from app.errors import ClusterError
from app.kube import decode
from app.kube.cluster import node_features
from app.kube.decode import DECODE_ERRORS, Item, Raw
from app.kube.features import NODE_NAME_LABEL, FeatureSets
from app.kube.pages import Pages
from app.kube.resource import Resource
from app.kube.snapshot import Store
from app.kube.transport import (
    FORBIDDEN,
    GONE,
    NOT_FOUND,
    UNAUTHORIZED,
    RefusedError,
    Transport,
)
from app.scheduling import selector
from app.scheduling.node import Node

NFD_NAMESPACES: Final = ("node-feature-discovery",)
"""As the webhook's own setting `cluster.trusted_namespaces`."""

IDLE_SECONDS: Final = 30.0
"""A list of 500 nodes takes a busy API server some seconds."""

MAX_RESTARTS: Final = 3
"""A list that expires (410) while it is read begins anew."""

MOST_NAMED: Final = 16
"""More nodes than that are cheaper in one list of all."""

NODES: Final = Resource("nodes", "/api/v1/nodes", page_limit=250)

_NAME: Final = re.compile(r"[a-z0-9.-]{1,253}")
"""No node is called otherwise, and no other name is part of a query."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which nodes.

    Attributes:
        names: only these; none for all.
        selector: only those with such labels, as for `kubectl -l`.
        namespaces: whose NodeFeatures count; the first is NFD's own.
    """

    names: tuple[str, ...] = ()
    selector: str | None = None
    namespaces: tuple[str, ...] = NFD_NAMESPACES


async def read(
    wanted: Wanted, *, kubeconfig: Path | None, context: str | None
) -> KnownNodes:
    """The nodes of the cluster that kubectl would ask.

    Raises:
        ConfigError: there is no usable configuration, or no such node.
        ClusterError: the API server cannot be reached, takes no credential, or
            refuses a list; it names the verb.
    """
    async with asking.connected(
        kubeconfig=kubeconfig, context=context, idle_seconds=IDLE_SECONDS
    ) as connection:
        origin = f"cluster {context or connection.address}"
        return await gather(wanted, connection, origin)


async def gather(wanted: Wanted, transport: Transport, origin: str) -> KnownNodes:
    """The same over a way that is open."""
    if wanted.selector is not None:
        selector.parse(wanted.selector)  # or it is the API server that refuses it
    notes: list[str] = []
    store = Store(wanted.namespaces)
    nodes = await _nodes(wanted, transport, notes)
    require(wanted.names, nodes.keys(), origin)
    if wanted.selector is not None:
        refuse_none(nodes, wanted.selector)
    for item in nodes.values():
        store.put_node(item.value)
    some = nodes.keys() if wanted.names or wanted.selector else ()
    tied = f"{NODE_NAME_LABEL} in ({','.join(sorted(some))})"
    selectors = {"labelSelector": tied} if 0 < len(some) <= MOST_NAMED else {}
    sets = FeatureSets()
    for namespace in wanted.namespaces:
        resource = node_features(namespace)
        try:
            found = await _list(resource, transport, selectors, sets.decode, notes)
        except RefusedError as error:
            if error.reason != NOT_FOUND:
                raise
            text = "the kind NodeFeature is not installed: nothing is known of any node"
            notes.append(text)
            break
        for one in found:
            if not one.is_readable:
                notes.append(f"NodeFeature {one.key} cannot be read")
            store.put_feature(one.value)
    else:
        if not store.objects and nodes:
            where = ", ".join(wanted.namespaces)
            notes.append(f"no NodeFeature in {where}: name NFD's --nfd-namespace")
    return KnownNodes(store.snapshot(), origin, tuple(notes))


async def _nodes(
    wanted: Wanted, transport: Transport, notes: list[str]
) -> Mapping[str, Item[Node]]:
    labels = {} if wanted.selector is None else {"labelSelector": wanted.selector}
    names = sorted(set(wanted.names))
    fields: list[Mapping[str, str]] = [{}]
    if 0 < len(names) <= MOST_NAMED:
        fields = [
            {"fieldSelector": f"metadata.name={name}"}
            for name in names
            if _NAME.fullmatch(name)
        ]
    found = [
        one
        for field in fields
        for one in await _list(
            NODES, transport, {**labels, **field}, decode.node, notes
        )
    ]
    return {one.key: one for one in found if not names or one.key in names}


async def _list(
    resource: Resource,
    transport: Transport,
    selectors: Mapping[str, str],
    read_one: Callable[[Raw], Item[_T]],
    notes: list[str],
) -> list[Item[_T]]:
    """Every object of a collection."""
    for restart in range(MAX_RESTARTS + 1):
        try:
            return await _pages(
                Pages(resource, transport, selectors=selectors),
                resource,
                read_one,
                notes,
            )
        except RefusedError as error:
            if error.reason == GONE and restart < MAX_RESTARTS:
                continue
            explained = _explained(error, resource)
            if explained is None:
                raise
            raise explained from error
    raise AssertionError  # pragma: no cover - the last one returns or raises


async def _pages(
    pages: Pages,
    resource: Resource,
    read_one: Callable[[Raw], Item[_T]],
    notes: list[str],
) -> list[Item[_T]]:
    found: list[Item[_T]] = []
    token, lost = "", 0
    while True:
        part = await pages.fetch(token)
        lost += part.lost
        for raw in part.items:
            try:
                found.append(read_one(raw))
            except DECODE_ERRORS:
                lost += 1
        token = part.token
        if not token:
            if lost:
                notes.append(f"{lost} of the {resource} cannot be read")
            return found


def _explained(error: RefusedError, resource: Resource) -> ClusterError | None:
    """The refusal with what is missing; `None` if it says enough itself."""
    if error.reason == FORBIDDEN:
        return ClusterError(FORBIDDEN, f"no right to list {resource}: {error.message}")
    if error.reason == UNAUTHORIZED:
        text = f"the credentials are not accepted, or have expired: {error.message}"
        return ClusterError(UNAUTHORIZED, text)
    return None
