"""A transport that answers from a table, and what registries say.

Tests of `app.oci` ask through it: no socket, no sleep.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.oci.credentials import Credential, Entry, Keyring
from app.oci.failure import LookupFailedError
from app.oci.images import reference
from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE, OCI_INDEX, OCI_MANIFEST
from app.oci.limits import Limits
from app.oci.registry.client import RemoteSource, Shared
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.transport import Answer, Request

HOST = "r.example"
BASE = f"https://{HOST}/v2/org/app"
TOKEN = f"https://{HOST}/token"
SCOPE = "scope=repository%3Aorg%2Fapp%3Apull"
CANARY = "canary-7f3a"
GOOD = Credential("good", f"good-{CANARY}")
BAD = Credential("bad", f"bad-{CANARY}")

MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST}).encode()
INDEX = json.dumps(
    {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
).encode()
DIGEST = Digest.of(MANIFEST)
API = f"{BASE}/referrers/{DIGEST}"
FILTERED = f"{API}?artifactType=application%2F{ARTIFACT_TYPE[12:]}"
TAG = f"{BASE}/manifests/{DIGEST.fallback_tag}"

Reply = Answer | LookupFailedError | Callable[[Request], Answer]


@dataclass
class Table:
    """A transport: URL, or method and URL -> answer; 404 for what is not listed."""

    answers: dict[str, Reply] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        key = f"{request.method} {request.url}"
        reply = self.answers.get(key) or self.answers.get(request.url) or Answer(404)
        if isinstance(reply, LookupFailedError):
            raise reply
        return reply if isinstance(reply, Answer) else reply(request)

    async def close(self) -> None:
        return

    def urls(self) -> list[str]:
        return [f"{one.method} {one.url}" for one in self.asked]

    def sent_to(self, url: str) -> list[str]:
        """The credentials that went to a URL."""
        return [
            one.headers.get("Authorization", "")
            for one in self.asked
            if one.url == url or one.url.startswith(f"{url}?")
        ]


@dataclass
class Counts:
    """Implements `Observer`."""

    seen: list[tuple[str, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        self.seen.append((kind, outcome))
        self.seconds.append(seconds)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def keyring(*credentials: Credential) -> Keyring:
    return Keyring.of(Entry.of(HOST, one) for one in credentials)


def shared(table: Table, *credentials: Credential, **more: Any) -> Shared:
    """What lookups share; each request is sent once, if nothing else is said."""
    more.setdefault("policy", RegistryPolicy())
    more.setdefault("limits", Limits(retries=0))
    return Shared(table, operator=keyring(*credentials), **more)


def source(
    table: Table, image: str = f"{HOST}/org/app:1", *, by: Shared | None = None
) -> RemoteSource:
    by = by or shared(table)
    return RemoteSource(by, reference.parse(image), ends=by.clock() + 10)


def answer(
    body: bytes = b"",
    kind: str = OCI_MANIFEST,
    headers: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Answer:
    """An answer with a body, or the headers of one."""
    return Answer(status, {"content-type": kind, **(headers or {})}, body=body)


def listed(*descriptors: Mapping[str, object], link: str | None = None) -> Answer:
    """A page of referrers."""
    body = json.dumps({"mediaType": OCI_INDEX, "manifests": descriptors}).encode()
    return answer(body, OCI_INDEX, {} if link is None else {"link": link})


def descriptor(number: int) -> dict[str, object]:
    return {
        "digest": f"sha256:{number:064x}",
        "size": 1,
        "mediaType": OCI_MANIFEST,
        "artifactType": ARTIFACT_TYPE,
    }


HEAD = f"HEAD {BASE}/manifests/1"
GET = f"GET {BASE}/manifests/1"
DIGESTED = {"docker-content-digest": str(DIGEST)}


def challenged(realm: str = TOKEN, status: int = 401) -> Answer:
    return Answer(status, challenges=(f'Bearer realm="{realm}",service=""',))


def token(value: str = "t", seconds: int = 300) -> Answer:
    body = json.dumps({"token": value, "expires_in": seconds}).encode()
    return Answer(200, body=body)


def opens(*values: str, otherwise: Answer) -> Callable[[Request], Answer]:
    """Answers right to these credentials."""

    def reply(request: Request) -> Answer:
        is_open = request.headers.get("Authorization", "") in values
        return answer(MANIFEST, headers=DIGESTED) if is_open else otherwise

    return reply
