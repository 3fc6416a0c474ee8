"""Workloads of a cluster, by the names that kubectl takes.

`deploy/web`, `pods/web-0`, `deployment.apps/web`; or all of a namespace or of the
cluster. What another workload of the table made is left out there, because its owner
is judged; so are Pods that have ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import msgspec

from app.cli.checking.manifests import LIVE, MAX_OBJECTS, Found, Manifest
from app.cli.installed.asking import PAGE_LIMIT, Api, Unread, fetch
from app.errors import ClusterError, ConfigError
from app.scheduling import podspec
from app.scheduling.kinds import KINDS, POD, Kind

_SHORT: Final[Mapping[str, str]] = {
    "po": "Pod",
    "rc": "ReplicationController",
    "deploy": "Deployment",
    "rs": "ReplicaSet",
    "sts": "StatefulSet",
    "ds": "DaemonSet",
    "cj": "CronJob",
}
"""kubectl's short names."""

_NAMES: Final[Mapping[str, Kind]] = {
    **{short: KINDS[name] for short, name in _SHORT.items()},
    **{name.lower(): kind for name, kind in KINDS.items()},
    **{f"{name.lower()}s": kind for name, kind in KINDS.items()},
}
"""Short name, singular or plural -> kind."""

_ENDED: Final = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class Named:
    """One object that was typed."""

    kind: Kind
    name: str


class _ListMetadata(msgspec.Struct):
    more: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    metadata: _ListMetadata = msgspec.field(default_factory=_ListMetadata)
    items: list[dict[str, Any]] | None = None


class _Object(msgspec.Struct):
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    spec: dict[str, Any] = msgspec.field(default_factory=dict)


class _Labels(msgspec.Struct):
    labels: dict[str, str] = msgspec.field(default_factory=dict)


class _Namespace(msgspec.Struct):
    metadata: _Labels = msgspec.field(default_factory=_Labels)


def parse(texts: Sequence[str]) -> tuple[Named, ...]:
    """What was typed.

    Raises:
        ConfigError: it is not `TYPE/NAME`, or TYPE runs no images.
    """
    return tuple(map(_named, texts))


def _named(text: str) -> Named:
    kind, slash, name = text.partition("/")
    resource, _, group = kind.lower().partition(".")
    found = _NAMES.get(resource)
    if not (slash and name) or "/" in name:
        wanted = "expected TYPE/NAME (deploy/web), or -f FILE for a manifest"
        raise ConfigError("InvalidObject", f"{text}: {wanted}")
    if found is None or (group and group.rpartition(".")[2] != found.group):
        known = ", ".join(f"{one.lower()}s" for one in KINDS)
        text = f"{text}: no type that runs images; expected one of {known}"
        raise ConfigError("InvalidObject", text)
    return Named(found, name)


async def read(api: Api, named: Sequence[Named], namespace: str, into: Found) -> None:
    """Takes in the objects that were typed.

    Raises:
        ConfigError: there is no such object.
        ClusterError: it cannot be read.
    """
    for one in named:
        path = f"{_path(one.kind, namespace)}/{one.name}"
        found = await fetch(api, path, shape=_Object)
        if isinstance(found, Unread):
            _refuse(f"{one.kind.name} {namespace}/{one.name}", found)
        _keep(one.kind, {"metadata": found.metadata, "spec": found.spec}, into)


async def read_all(api: Api, namespace: str | None, into: Found) -> None:
    """Takes in every workload.

    Args:
        api: of the cluster.
        namespace: `None` for all.
        into: what to put them into.

    Raises:
        ClusterError: they cannot be read.
    """
    for kind in KINDS.values():
        query = {"limit": str(PAGE_LIMIT)}
        while True:
            page = await fetch(api, _path(kind, namespace), query, shape=_Page)
            if isinstance(page, Unread):
                where = f"in namespace {namespace}" if namespace else "in the cluster"
                _refuse(f"{kind.name}s {where}", page)
            for item in page.items or []:
                into.objects += 1
                if into.objects > MAX_OBJECTS:
                    text = f"more than {MAX_OBJECTS} workloads: name a namespace (-n)"
                    raise ConfigError("TooManyObjects", text)
                if not _is_left_out(kind, item):
                    _keep(kind, item, into)
            if not page.metadata.more:
                break
            query["continue"] = page.metadata.more


async def read_namespaces(
    api: Api, names: Sequence[str]
) -> tuple[dict[str, Mapping[str, str]], list[str]]:
    """The labels of Namespaces, and a note for each that cannot be read.

    One that is not there has no labels yet.
    """
    found: dict[str, Mapping[str, str]] = {}
    notes: list[str] = []
    for name in names:
        one = await fetch(api, f"/api/v1/namespaces/{name}", shape=_Namespace)
        if not isinstance(one, Unread):
            found[name] = one.metadata.labels
        elif not one.is_absent:
            text = f"namespace {name}: its mode is not known: {one.message}"
            notes.append(text)
    return found, notes


async def read_runtime_classes(
    api: Api, names: Sequence[str], into: Found
) -> tuple[list[str], list[str]]:
    """Takes in RuntimeClasses.

    Returns:
        Those that are not there, and a note for each that cannot be read.
    """
    absent, notes = [], []
    for name in names:
        path = f"/apis/node.k8s.io/v1/runtimeclasses/{name}"
        one = await fetch(api, path, shape=dict[str, Any])
        if not isinstance(one, Unread):
            into.runtime_classes[name] = one
        elif one.is_absent:
            absent.append(name)
        else:
            notes.append(f"RuntimeClass {name}: cannot be read: {one.message}")
    return absent, notes


def _path(kind: Kind, namespace: str | None) -> str:
    root = f"/apis/{kind.group}/v1" if kind.group else "/api/v1"
    where = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{where}/{kind.name.lower()}s"


def _keep(kind: Kind, value: Mapping[str, Any], into: Found) -> None:
    metadata = value.get("metadata") or {}
    name, namespace = str(metadata.get("name")), str(metadata.get("namespace", ""))
    node = _chosen(metadata, value) if kind == POD else ""
    if node:
        value = {**value, "spec": {**value["spec"], "nodeName": ""}}
    into.manifests.append(Manifest(kind, namespace, name, LIVE, value, node))


def _chosen(metadata: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    """The node that the scheduler chose for a Pod; empty for none.

    What somebody wrote into a Pod its `managedFields` name; a binding is not there.
    """
    spec = value.get("spec")
    node = spec.get("nodeName") if isinstance(spec, Mapping) else None
    for one in metadata.get("managedFields") or ():
        fields = one.get("fieldsV1") or {}
        if "f:nodeName" in (fields.get("f:spec") or {}):
            return ""
    return node if isinstance(node, str) else ""


def _is_left_out(kind: Kind, item: Mapping[str, Any]) -> bool:
    status = item.get("status")
    phase = status.get("phase") if isinstance(status, Mapping) else ""
    is_over = not kind.is_template and phase in _ENDED
    return is_over or podspec.of(kind, item).is_owned


def _refuse(what: str, why: Unread) -> NoReturn:
    if why.is_absent:
        raise ConfigError("NoSuchObject", f"there is no {what}")
    raise ClusterError(why.reason, f"{what}: cannot be read: {why.message}")


def namespaces_of(found: Found, default: str) -> Iterator[str]:
    """The namespaces of workloads, each once."""
    yield from dict.fromkeys(one.namespace or default for one in found.manifests)
