"""Registries in memory, behind the real client and its caches.

Only the network is left out: `RegistryArtifacts` looks up, verifies, chooses and
remembers as ever. What an image carries follows from its name, so that a load can
name images that nobody has seen yet:

    registry.example.com/bench/NAME:1      the spec called NAME
    registry.example.com/bench/NAME:new-7  the same with another digest for each tag
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from app.demo.content import INDEX_TYPE, Repository, digest_of
from app.oci.credentials import Keyring
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.client import Shared
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.transport import Answer, Request

REGISTRY: Final = "registry.example.com"
_PATH: Final = re.compile(r"/v2/bench/([^/]+)/(manifests|blobs|referrers)/(.+)")

Specs = Mapping[str, bytes]
"""Name -> the spec's bytes; empty bytes for an image without an artifact."""


def image(name: str, tag: str = "1") -> str:
    """The reference of an image that carries the spec `name`."""
    return f"{REGISTRY}/bench/{name}:{tag}"


class _Observer:
    """Counts nothing."""

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        """One request."""

    def cache(self, result: str) -> None:
        """One question to the cache."""

    def evicted(self, cache: str) -> None:
        """An entry went for want of room."""


@dataclass
class MemoryTransport:
    """Implements `oci.transport.Transport` on repositories in memory.

    Attributes:
        specs: name -> the spec that its images carry.
        repositories: made when they are asked for.
        forgets: whether a repository is dropped when its blob has been read, so that
            only the client's memory grows.
    """

    specs: Specs
    forgets: bool = False
    repositories: dict[str, Repository] = field(default_factory=dict)

    async def send(self, request: Request) -> Answer:
        """What a registry with the referrers API answers."""
        match = _PATH.fullmatch(urlsplit(request.url).path)
        if match is None or match[1] not in self.specs:
            return Answer(404)
        name, kind, what = match.groups()
        repository = self.repositories.setdefault(name, Repository())
        answer = _REPLIES[kind](self, repository, name, what)
        if request.method == "HEAD":
            return Answer(answer.status, answer.headers)
        return answer

    async def close(self) -> None:
        """Nothing is open."""

    def manifest(self, repository: Repository, name: str, what: str) -> Answer:
        """By tag or digest; a tag that was never asked for is made."""
        if ":" not in what and what not in repository.tags:
            self._make(repository, name, what)
        digest = repository.tags.get(what, what)
        if digest not in repository.types:
            return Answer(404)
        return _content(repository.types[digest], repository.blobs[digest])

    def blob(self, repository: Repository, name: str, what: str) -> Answer:
        """By digest."""
        del name
        if what not in repository.blobs:
            return Answer(404)
        content = repository.blobs[what]
        if self.forgets:
            self.repositories.clear()
        return _content("application/octet-stream", content)

    def referrers(self, repository: Repository, name: str, what: str) -> Answer:
        """All of a digest, on one page."""
        del name
        listed = repository.referrers(what)
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": listed}
        return _content(INDEX_TYPE, json.dumps(index).encode())

    def _make(self, repository: Repository, name: str, tag: str) -> None:
        subject = repository.image("amd64", f"{name}:{tag}")
        repository.tag(subject, tag)
        spec = self.specs[name]
        if spec:
            mark = b"" if tag == "1" else f"# {tag}\n".encode()
            repository.attach(subject, mark + spec, created="2026-03-01T00:00:00Z")


_REPLIES: Final[
    Mapping[str, Callable[[MemoryTransport, Repository, str, str], Answer]]
] = {
    "manifests": MemoryTransport.manifest,
    "blobs": MemoryTransport.blob,
    "referrers": MemoryTransport.referrers,
}


def _content(kind: str, body: bytes) -> Answer:
    headers = {
        "content-type": kind,
        "content-length": str(len(body)),
        "docker-content-digest": digest_of(body),
    }
    return Answer(200, headers, body=body)


def artifacts(specs: Specs, *, forgets: bool = False) -> RegistryArtifacts:
    """The real lookup, with its caches, on registries in memory."""
    policy, limits = RegistryPolicy(), Limits()
    shared = Shared(
        transport=MemoryTransport(specs, forgets),
        policy=policy,
        operator=Keyring(),
        limits=limits,
        observer=_Observer(),
    )
    return RegistryArtifacts(shared, observer=_Observer())
