"""A registry in this process: the distribution API over what Python puts into it.

It answers right unless told otherwise: `Registry.api` chooses between the ways in
which real registries differ, `Registry.faults` lets one kind of request go wrong,
and `Registry.auth` asks for credentials. `Registry.log` shows what was asked.

Source: OCI distribution-spec v1.1; distribution `docs/spec/auth/token.md`.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, TypeAlias

from aiohttp import web

from app.demo import registry_auth
from app.demo.content import INDEX_TYPE, Descriptor, Repository, encode
from app.demo.faults import Fault, Reply, status
from app.demo.registry_auth import Auth, Basic, Bearer

__all__ = ["READING", "Api", "Auth", "Basic", "Bearer", "Call", "Handler", "Logged"]
__all__ += ["Registry", "Types", "error", "failing_registry"]

_PATH: Final = re.compile(
    r"/v2/(?P<name>.+)/(?P<kind>blobs/uploads|manifests|blobs|referrers)/(?P<wanted>.*)"
)
_PAGE: Final = "after"
_READING: Final = frozenset({"GET", "HEAD"})
_ACTIONS: Final = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}


class Types(Enum):
    """What descriptors of referrers say their artifact type is."""

    RIGHT = "right"
    CONFIG = "config"
    """The config's media type, as go-containerregistry's registry says."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Api:
    """In which of the ways of real registries this one answers.

    Attributes:
        head: whether HEAD is served; else 405.
        digest_header: whether answers carry `Docker-Content-Digest`.
        referrers: whether there is a referrers API; else 404.
        filtered: whether that applies the filter, to what it takes for the types,
            and says so.
        types: what its descriptors say.
        page_descriptors: how many of them one page holds; `None` for all.
    """

    head: bool = True
    digest_header: bool = True
    referrers: bool = True
    filtered: bool = True
    types: Types = Types.RIGHT
    page_descriptors: int | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """One request, as it came in.

    Attributes:
        kind: `resolve`, `manifest`, `blob`, `upload`, `referrers`, `token`, `other`.
        method: HTTP method.
        path: with its query.
        headers: name -> value.
    """

    kind: str
    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def authorization(self) -> str:
        """What was sent as credential; empty for none."""
        return self.headers.get("Authorization", "")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may go on, for a handler.

    Attributes:
        request: as it came in; its body has been read.
        name: of the repository.
        repository: its content; a request that writes makes it.
        wanted: the tag, digest or upload that the path ends with; may be empty.
        body: that was sent.
    """

    request: web.Request
    name: str
    repository: Repository
    wanted: str
    body: bytes


Handler: TypeAlias = "Callable[[Registry, Call], Reply]"
"""Answers one method on one kind of path."""


@dataclass
class Registry:
    """What the server serves; may be changed while it runs.

    Attributes:
        repositories: name -> content.
        api: which of the ways of real registries.
        auth: what it asks for; `None` for nothing.
        faults: kind of request (as in `Logged`, `all` for each) -> what goes wrong.
        handlers: method and kind of path (`manifests`, `blobs`, `blobs/uploads`,
            `referrers`) -> what answers; reading only unless more is put in.
        log: every request, in order.
        address: `HOST:PORT`, once it serves.
        scheme: `http` or `https`.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    api: Api = field(default_factory=Api)
    auth: Auth | None = None
    faults: dict[str, Fault] = field(default_factory=dict)
    handlers: dict[tuple[str, str], Handler] = field(
        default_factory=lambda: dict(READING)
    )
    log: list[Logged] = field(default_factory=list)
    address: str = ""
    scheme: str = "http"

    def repository(self, name: str) -> Repository:
        """The repository `name`; made if it is not there."""
        return self.repositories.setdefault(name, Repository())

    def asked(self) -> list[str]:
        """The kinds of all requests, in order."""
        return [one.kind for one in self.log]

    @asynccontextmanager
    async def serving(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> AsyncIterator[Registry]:
        """Serves on an address of this machine until left; port 0 is a free one."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=tls).start()
            self.address = f"{host}:{runner.addresses[0][1]}"
            self.scheme = "http" if tls is None else "https"
            yield self
        finally:
            await runner.cleanup()

    # Answering ------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        kind = _kind(request.method, request.path)
        self.log.append(
            Logged(kind, request.method, request.path_qs, dict(request.headers))
        )
        body = await request.read() if request.can_read_body else b""
        answer: Reply | web.StreamResponse = self._reply(request, body)
        for key in (kind, "all"):
            fault = self.faults.get(key)
            if fault is not None and isinstance(answer, Reply):
                answer = await fault(request, answer)
        return answer.response() if isinstance(answer, Reply) else answer

    def _reply(self, request: web.Request, body: bytes) -> Reply:
        if _kind(request.method, request.path) == "token":
            return self._token(request)
        found = _PATH.fullmatch(request.path)
        if found is None:
            return error(404, "NAME_UNKNOWN")
        name = found["name"]
        refused = self._refused(request, name)
        if refused is not None:
            return refused
        handler = self.handlers.get((request.method, found["kind"]))
        if handler is None:
            return error(405, "UNSUPPORTED")
        if name not in self.repositories and request.method in _READING:
            return error(404, "NAME_UNKNOWN")
        repository = self.repository(name)
        return handler(self, Call(request, name, repository, found["wanted"], body))

    # Credentials ----------------------------------------------------------------

    def _refused(self, request: web.Request, name: str) -> Reply | None:
        """Asks for what is still wanted for a repository; `None` for nothing."""
        sent = request.headers.get("Authorization", "")
        action = _ACTIONS.get(request.method, "push")
        if self.auth is None or registry_auth.is_open(self.auth, sent, name, action):
            return None
        realm = f"{self.scheme}://{self.address}/token"
        wanted = registry_auth.challenge(self.auth, realm, name, action)
        return replace(error(401, "UNAUTHORIZED"), headers={"WWW-Authenticate": wanted})

    def _token(self, request: web.Request) -> Reply:
        if not isinstance(self.auth, Bearer):
            return error(404, "NOT_FOUND")
        sent = request.headers.get("Authorization", "")
        answer = registry_auth.token(self.auth, sent, request.query.get("scope", ""))
        if isinstance(answer, int):
            return error(answer, "DENIED")
        return Reply(
            200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
        )


# Reading ----------------------------------------------------------------------------


def _manifest(registry: Registry, call: Call) -> Reply:
    if call.request.method == "HEAD" and not registry.api.head:
        return error(405, "UNSUPPORTED")
    repository = call.repository
    digest = repository.tags.get(call.wanted, call.wanted)
    if digest not in repository.types:
        return error(404, "MANIFEST_UNKNOWN")
    reply = _content(repository.blobs.get(digest), repository.types[digest])
    if not registry.api.digest_header:
        return reply
    headers = {**reply.headers, "Docker-Content-Digest": digest}
    return replace(reply, headers=headers)


def _blob(_registry: Registry, call: Call) -> Reply:
    content = call.repository.blobs.get(call.wanted)
    return _content(content, "application/octet-stream")


def _referrers(registry: Registry, call: Call) -> Reply:
    api, repository, query = registry.api, call.repository, call.request.query
    if not api.referrers:
        return error(404, "NOT_FOUND")
    wanted = query.get("artifactType")
    every = repository.referrers(call.wanted)
    listed = [_typed(one, api.types, repository) for one in every]
    headers = {"Content-Type": INDEX_TYPE}
    if api.filtered and wanted:
        listed = [one for one in listed if one.get("artifactType") == wanted]
        headers["OCI-Filters-Applied"] = "artifactType"
    start = int(query.get(_PAGE, "0"))
    size = api.page_descriptors or len(listed) or 1
    if start + size < len(listed):
        more = call.request.rel_url.update_query({_PAGE: str(start + size)})
        headers["Link"] = f'<{more}>; rel="next"'
    page = listed[start : start + size]
    value = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": page}
    return Reply(200, headers, encode(value))


READING: Final[Mapping[tuple[str, str], Handler]] = {
    ("HEAD", "manifests"): _manifest,
    ("GET", "manifests"): _manifest,
    ("HEAD", "blobs"): _blob,
    ("GET", "blobs"): _blob,
    ("GET", "referrers"): _referrers,
}
"""Method and kind of path -> what answers; what is not here is answered 405."""


_KINDS: Final = {
    "manifests": "manifest",
    "blobs": "blob",
    "blobs/uploads": "upload",
    "referrers": "referrers",
}


def _kind(method: str, path: str) -> str:
    """What `Logged.kind` says, and `Registry.faults` goes by."""
    found = _PATH.fullmatch(path)
    if found is None:
        return "token" if path == "/token" else "other"
    if found["kind"] == "manifests" and method == "HEAD":
        return "resolve"
    return _KINDS[found["kind"]]


def _content(content: bytes | None, media_type: str) -> Reply:
    if content is None:
        return error(404, "BLOB_UNKNOWN")
    return Reply(200, {"Content-Type": media_type}, content)


def error(code: int, word: str) -> Reply:
    """An error as registries send it."""
    value = {"errors": [{"code": word, "message": word.lower()}]}
    return Reply(code, {"Content-Type": "application/json"}, encode(value))


def _typed(one: Descriptor, types: Types, repository: Repository) -> Descriptor:
    """A descriptor as a registry with this habit gives it."""
    if types is Types.RIGHT:
        return one
    kept = {key: value for key, value in one.items() if key != "artifactType"}
    if types is Types.NONE:
        return kept
    manifest = json.loads(repository.blobs[str(one["digest"])])
    return {**kept, "artifactType": manifest["config"]["mediaType"]}


@asynccontextmanager
async def failing_registry() -> AsyncIterator[str]:
    """Yields `127.0.0.1:PORT` of a registry that answers 503 to everything."""
    async with Registry(faults={"all": status(503)}).serving() as registry:
        yield registry.address
