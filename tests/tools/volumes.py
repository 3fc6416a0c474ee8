"""The volumes of a Pod as folders, kept up to date as the kubelet does.

ConfigMap, Secret, emptyDir and projected (ConfigMap, Secret, downward API, service
account token), with `items`, `optional` and the `..data` link that changes all files
of a folder at once.
"""

from __future__ import annotations

import base64
import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.tools.client import Client
from tests.tools.servers import ApiServer

ACCOUNT_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
ROOT_CA: Final = "kube-root-ca.crt"
"""A ConfigMap that the controller manager writes, which no test runs."""

_numbers: Final = itertools.count()
_Files = dict[str, bytes]


class NotYetError(Exception):
    """A Secret or ConfigMap that the Pod needs is not there."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The Pod: what the volumes are for, and what the downward API tells."""

    namespace: str
    name: str
    spec: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)


def mounted_account(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The Pod's spec as the admission plugin ServiceAccount leaves it."""
    found = dict(spec)
    has_own = any(
        mount["mountPath"] == ACCOUNT_PATH
        for container in spec["containers"]
        for mount in container.get("volumeMounts", ())
    )
    if has_own or spec.get("automountServiceAccountToken") is False:
        return found
    sources: list[dict[str, Any]] = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": ROOT_CA}},
        {
            "downwardAPI": {
                "items": [
                    {
                        "path": "namespace",
                        "fieldRef": {"fieldPath": "metadata.namespace"},
                    }
                ]
            }
        },
    ]
    volume = {"name": "kube-api-access", "projected": {"sources": sources}}
    mount = {"name": "kube-api-access", "mountPath": ACCOUNT_PATH, "readOnly": True}
    found["volumes"] = [*spec.get("volumes", ()), volume]
    found["containers"] = [
        {**one, "volumeMounts": [*one.get("volumeMounts", ()), mount]}
        for one in spec["containers"]
    ]
    return found


class Volumes:
    """The folders of one Pod's volumes."""

    def __init__(
        self,
        server: ApiServer,
        subject: Subject,
        folder: Path,
        *,
        changed: Callable[[str], str] = str,
    ) -> None:
        """Prepares them; `sync` fills them.

        Args:
            server: where Secrets and ConfigMaps are.
            subject: the Pod.
            folder: for one folder per volume.
            changed: what becomes of the text of a ConfigMap.
        """
        self._server: Final = server
        self._subject: Final = subject
        self._folder: Final = folder
        self._changed: Final = changed
        self._written: Final[dict[str, _Files]] = {}
        self._token: str | None = None

    def folder(self, name: str) -> Path:
        """Where a volume is."""
        return self._folder / name

    def sync(self, client: Client) -> None:
        """Brings all folders up to date.

        Raises:
            NotYetError: something that is not optional is missing.
        """
        for volume in self._subject.spec.get("volumes", ()):
            name: str = volume["name"]
            folder = self.folder(name)
            folder.mkdir(parents=True, exist_ok=True)
            if "emptyDir" in volume:
                continue
            files = dict(self._files(client, volume))
            if self._written.get(name) != files:
                write(folder, files)
                self._written[name] = files

    def _files(
        self, client: Client, volume: Mapping[str, Any]
    ) -> Iterator[tuple[str, bytes]]:
        if "projected" in volume:
            sources: Sequence[Mapping[str, Any]] = volume["projected"]["sources"]
        elif "secret" in volume:
            one = volume["secret"]
            sources = [{"secret": {**one, "name": one["secretName"]}}]
        else:
            sources = [volume]
        for source in sources:
            yield from self._source(client, source)

    def _source(
        self, client: Client, source: Mapping[str, Any]
    ) -> Iterator[tuple[str, bytes]]:
        if "serviceAccountToken" in source:
            wanted = source["serviceAccountToken"]
            yield wanted["path"], self._account_token(client, wanted).encode()
        elif "downwardAPI" in source:
            for item in source["downwardAPI"]["items"]:
                yield item["path"], self._field(item["fieldRef"]["fieldPath"]).encode()
        elif "configMap" in source:
            wanted = source["configMap"]
            yield from chosen(wanted, self._config_map(client, wanted["name"]))
        elif "secret" in source:
            wanted = source["secret"]
            yield from chosen(wanted, self._secret(client, wanted["name"]))
        else:
            raise NotImplementedError(f"a volume of {sorted(source)}")

    def _config_map(self, client: Client, name: str) -> _Files | None:
        if name == ROOT_CA:
            return {"ca.crt": self._server.ca.read_bytes()}
        namespace = self._subject.namespace
        found = client.find(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        if found is None:
            return None
        texts: Mapping[str, str] = found.get("data") or {}
        files = {key: self._changed(text).encode() for key, text in texts.items()}
        for key, text in (found.get("binaryData") or {}).items():
            files[key] = base64.b64decode(text)
        return files

    def _secret(self, client: Client, name: str) -> _Files | None:
        namespace = self._subject.namespace
        found = client.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        if found is None:
            return None
        texts: Mapping[str, str] = found.get("data") or {}
        return {key: base64.b64decode(text) for key, text in texts.items()}

    def _account_token(self, client: Client, wanted: Mapping[str, Any]) -> str:
        """One for the Pod's life, which is short here."""
        if self._token is None:
            account = self._subject.spec.get("serviceAccountName", "default")
            spec: dict[str, Any] = {
                "expirationSeconds": wanted.get("expirationSeconds", 3600)
            }
            if "audience" in wanted:
                spec["audiences"] = [wanted["audience"]]
            kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
            path = f"/api/v1/namespaces/{self._subject.namespace}/serviceaccounts"
            answer = client.call(
                "POST", f"{path}/{account}/token", {**kind, "spec": spec}
            )
            self._token = str(answer["status"]["token"])
        return self._token

    def _field(self, path: str) -> str:
        known = {
            "metadata.namespace": self._subject.namespace,
            "metadata.name": self._subject.name,
        }
        return known[path]


def chosen(
    wanted: Mapping[str, Any], files: _Files | None
) -> Iterator[tuple[str, bytes]]:
    """What `items` and `optional` leave of a Secret or ConfigMap."""
    optional = wanted.get("optional", False)
    if files is None:
        if optional:
            return
        raise NotYetError(f"{wanted['name']} is not there")
    items = wanted.get("items")
    if items is None:
        yield from files.items()
        return
    for item in items:
        if item["key"] in files:
            yield item["path"], files[item["key"]]
        elif not optional:
            raise NotYetError(f"{wanted['name']} has no {item['key']}")


def write(folder: Path, files: _Files) -> None:
    """All files of the folder change at once: they are links through `..data`."""
    version = folder / f"..{next(_numbers)}"
    for name, content in files.items():
        path = version / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    version.mkdir(exist_ok=True)
    link = folder / "..data"
    before = link.resolve() if link.is_symlink() else None
    fresh = folder / "..data_tmp"
    fresh.symlink_to(version.name)
    fresh.replace(link)
    tops = {Path(name).parts[0] for name in files}
    for top in tops:
        if not (folder / top).is_symlink():
            (folder / top).symlink_to(Path("..data") / top)
    for one in folder.iterdir():
        if not one.name.startswith("..") and one.name not in tops:
            one.unlink()
    if before is not None:
        shutil.rmtree(before)
