"""Everything that `imagecompat status` looks at, gathered in one go.

The API server is asked for what is needed and no more: names of Namespaces and
NodeFeatures, never the NodeFeatures themselves, which are large.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from app.admission.policy import MODE_KEY
from app.cli.installed import configurations, release
from app.cli.installed.asking import (
    METADATA_LIST,
    Api,
    Metadata,
    NamedList,
    Unread,
    fetch,
    fetch_labels,
    fetch_names,
)
from app.cli.installed.configurations import MUTATING, VALIDATING, Configuration
from app.cli.installed.diagnosis import ready_endpoints
from app.cli.installed.release import Deployment, Replica
from app.status import Rules

FEATURES: Final = "/apis/nfd.k8s-sigs.io/v1alpha1"
DEFAULT_TRUSTED: Final = ("node-feature-discovery",)
DEFAULT_IGNORED: Final = "type=virtual-kubelet"
"""As the settings have it, for where no replica tells."""


_FOREIGN_LIMIT: Final = "50"
"""Enough to name the namespaces; how many objects there are is of no interest."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A Namespace that chooses a mode by label."""

    namespace: str
    mode: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen; `None` where nobody asked, `Unread` where it was refused.

    Attributes:
        namespace: where the release is.
        release: its name.
        replicas: what each Pod tells of itself, by name.
        deployment: of the release.
        configurations: with a webhook of ours, by kind.
        endpoints: addresses of the Service that take requests.
        labelled: Namespaces that choose a mode, by name.
        is_kind_there: whether the NodeFeature CRD is installed.
        untrusted: namespaces whose NodeFeatures do not count, though
            nfd-master may honour them, sorted.
        nodes: names of nodes without features, sorted.
    """

    namespace: str
    release: str
    replicas: tuple[Replica, ...] | Unread
    deployment: Deployment | Unread | None = None
    configurations: dict[str, tuple[Configuration, ...] | Unread] | None = None
    endpoints: int | Unread | None = None
    labelled: tuple[Labelled, ...] | Unread | None = None
    is_kind_there: bool | Unread | None = None
    untrusted: tuple[str, ...] | Unread | None = None
    nodes: tuple[str, ...] | Unread | None = None

    @property
    def answering(self) -> tuple[Replica, ...]:
        """The replicas whose document was read."""
        found = () if isinstance(self.replicas, Unread) else self.replicas
        return tuple(one for one in found if one.status is not None)


async def survey(
    api: Api, *, namespace: str, name: str, nodes: bool, ignore: str | None
) -> Survey:
    """Looks at a release and at what it depends on.

    Args:
        api: whom to ask.
        namespace: where the release is.
        name: of the release.
        nodes: name the nodes without features.
        ignore: but for those with these labels; `None` for what a replica says.

    Raises:
        ClusterError: there is no way to the API server.
    """
    pods = await release.find_pods(api, namespace, name)
    replicas = (
        pods
        if isinstance(pods, Unread)
        else await release.read_replicas(api, namespace, pods)
    )
    trusted = _trusted(replicas)
    deployment, validating, mutating, labelled, kind, untrusted = await asyncio.gather(
        release.find_deployment(api, namespace, name),
        configurations.find(api, VALIDATING),
        configurations.find(api, MUTATING),
        _labelled(api),
        _kind(api),
        _untrusted(api, trusted),
    )
    return Survey(
        namespace,
        name,
        replicas,
        deployment,
        {VALIDATING: validating, MUTATING: mutating},
        await _endpoints(api, validating),
        labelled,
        kind,
        untrusted,
        await _nodes(api, trusted, _ignored(replicas, ignore)) if nodes else None,
    )


def _trusted(replicas: tuple[Replica, ...] | Unread) -> tuple[str, ...]:
    """The trusted namespaces by a replica's own word, else the default."""
    told = (rules.trusted_namespaces for rules in _rules(replicas))
    return next(filter(None, told), DEFAULT_TRUSTED)


def _ignored(replicas: tuple[Replica, ...] | Unread, asked: str | None) -> str:
    """The selector of nodes that nobody describes: as asked, else as told."""
    told = (rules.nodes_ignore for rules in _rules(replicas))
    return next((one for one in (asked, *told) if one is not None), DEFAULT_IGNORED)


def _rules(replicas: tuple[Replica, ...] | Unread) -> tuple[Rules, ...]:
    """What decides, by each replica's own word."""
    found = () if isinstance(replicas, Unread) else replicas
    return tuple(one.status.rules for one in found if one.status is not None)


async def _labelled(api: Api) -> tuple[Labelled, ...] | Unread:
    found = await fetch_labels(api, "/api/v1/namespaces", {"labelSelector": MODE_KEY})
    if isinstance(found, Unread):
        return found
    return tuple(Labelled(one.name, one.labels.get(MODE_KEY, "")) for one in found)


async def _kind(api: Api) -> bool | Unread:
    found = await fetch(api, FEATURES, shape=Metadata)
    if isinstance(found, Unread):
        return False if found.is_absent else found
    return True


async def _untrusted(api: Api, trusted: tuple[str, ...]) -> tuple[str, ...] | Unread:
    query = {
        "fieldSelector": ",".join(f"metadata.namespace!={one}" for one in trusted),
        "limit": _FOREIGN_LIMIT,
    }
    path = f"{FEATURES}/nodefeatures"
    found = await fetch(api, path, query, shape=NamedList, accept=METADATA_LIST)
    if isinstance(found, Unread):
        return () if found.is_absent else found
    return tuple(sorted({one.metadata.namespace for one in found.items or []}))


async def _endpoints(
    api: Api, found: tuple[Configuration, ...] | Unread
) -> int | Unread | None:
    """Of the Service that the first webhook calls."""
    if isinstance(found, Unread):
        return None
    services = [hook.service for one in found for hook in one.hooks if hook.service]
    return await ready_endpoints(api, services[0]) if services else None


async def _nodes(
    api: Api, trusted: tuple[str, ...], ignore: str
) -> tuple[str, ...] | Unread:
    """Nodes without a NodeFeature of their name in a trusted namespace."""
    known: set[str] = set()
    for namespace in trusted:
        path = f"{FEATURES}/namespaces/{namespace}/nodefeatures"
        found = await fetch_names(api, path)
        if isinstance(found, Unread):
            if found.is_absent:
                continue
            return found
        known |= set(found)
    nodes = await fetch_names(api, "/api/v1/nodes")
    if isinstance(nodes, Unread):
        return nodes
    ignored: set[str] = set()
    if ignore:
        left = await fetch_names(api, "/api/v1/nodes", {"labelSelector": ignore})
        if isinstance(left, Unread):
            return left
        ignored = set(left)
    return tuple(sorted(set(nodes) - known - ignored))
