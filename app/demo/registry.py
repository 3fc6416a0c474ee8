"""A registry in this process: the distribution API over what Python puts into it.

It answers right unless told otherwise: `Registry.api` chooses between the ways in
which real registries differ, `Registry.faults` lets one kind of request go wrong,
and `Registry.auth` asks for credentials. `Registry.log` shows what was asked.

Source: OCI distribution-spec v1.1; distribution `docs/spec/auth/token.md`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, TypeAlias

from aiohttp import web

from app.demo.content import INDEX_TYPE, Descriptor, Repository, encode
from app.demo.faults import Fault, Reply, status

_PATH: Final = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs|referrers)/(.+)")
_PAGE: Final = "after"


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
        filtered: whether that applies the filter, and says so.
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
class Basic:
    """Asks for a user and a password.

    Attributes:
        users: user -> password.
    """

    users: Mapping[str, str]


@dataclass
class Bearer:
    """Asks for a token of a token server, which is this registry too.

    Attributes:
        users: user -> password, for the token server.
        is_open: whether the token server serves anonymous clients.
        seconds: how long a token lasts.
        realm: named in challenges; `None` for `/token` of this registry.
        now: the clock, in seconds.
        issued: token -> (repository, when it expires); all of them are kept.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    is_open: bool = True
    seconds: float = 300.0
    realm: str | None = None
    now: Callable[[], float] = time.monotonic
    issued: dict[str, tuple[str, float]] = field(default_factory=dict)

    def issue(self, repository: str) -> str:
        """A new token for one repository."""
        token = f"token-{len(self.issued)}-{repository.replace('/', '-')}"
        self.issued[token] = (repository, self.now() + self.seconds)
        return token

    def accepts(self, token: str, repository: str) -> bool:
        """Whether a token opens a repository now."""
        of, ends = self.issued.get(token, ("", 0.0))
        return of == repository and self.now() < ends


Auth: TypeAlias = Basic | Bearer


@dataclass(frozen=True, slots=True)
class Logged:
    """One request, as it came in.

    Attributes:
        kind: `resolve`, `manifest`, `blob`, `referrers`, `token` or `other`.
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


@dataclass
class Registry:
    """What the server serves; may be changed while it runs.

    Attributes:
        repositories: name -> content.
        api: which of the ways of real registries.
        auth: what it asks for; `None` for nothing.
        faults: kind of request (as in `Logged`, `all` for each) -> what goes wrong.
        log: every request, in order.
        address: `127.0.0.1:PORT`, once it serves.
        scheme: `http` or `https`.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    api: Api = field(default_factory=Api)
    auth: Auth | None = None
    faults: dict[str, Fault] = field(default_factory=dict)
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
        self, *, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Registry]:
        """Serves on a free port of 127.0.0.1 until left."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
            self.address = f"127.0.0.1:{runner.addresses[0][1]}"
            self.scheme = "http" if tls is None else "https"
            yield self
        finally:
            await runner.cleanup()

    # Answering ------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        kind = _kind(request)
        self.log.append(
            Logged(kind, request.method, request.path_qs, dict(request.headers))
        )
        answer: Reply | web.StreamResponse = self._reply(request)
        for key in (kind, "all"):
            fault = self.faults.get(key)
            if fault is not None and isinstance(answer, Reply):
                answer = await fault(request, answer)
        return answer.response() if isinstance(answer, Reply) else answer

    def _reply(self, request: web.Request) -> Reply:
        if _kind(request) == "token":
            return self._token(request)
        found = _PATH.fullmatch(request.path)
        if found is None:
            return _error(404, "NAME_UNKNOWN")
        name, kind, wanted = found.groups()
        challenge = self._challenge(request, name)
        if challenge is not None:
            return replace(
                _error(401, "UNAUTHORIZED"), headers={"WWW-Authenticate": challenge}
            )
        repository = self.repositories.get(name)
        if repository is None:
            return _error(404, "NAME_UNKNOWN")
        if kind == "referrers":
            return self._referrers(request, repository, wanted)
        if kind == "blobs":
            return _content(repository.blobs.get(wanted), "application/octet-stream")
        return self._manifest(request, repository, wanted)

    def _manifest(
        self, request: web.Request, repository: Repository, wanted: str
    ) -> Reply:
        if request.method == "HEAD" and not self.api.head:
            return _error(405, "UNSUPPORTED")
        digest = repository.tags.get(wanted, wanted)
        if digest not in repository.types:
            return _error(404, "MANIFEST_UNKNOWN")
        reply = _content(repository.blobs.get(digest), repository.types[digest])
        if not self.api.digest_header:
            return reply
        headers = {**reply.headers, "Docker-Content-Digest": digest}
        return replace(reply, headers=headers)

    def _referrers(
        self, request: web.Request, repository: Repository, subject: str
    ) -> Reply:
        api = self.api
        if not api.referrers:
            return _error(404, "NOT_FOUND")
        wanted = request.query.get("artifactType")
        listed = repository.referrers(subject)
        headers = {"Content-Type": INDEX_TYPE}
        if api.filtered and wanted:
            listed = [one for one in listed if one["artifactType"] == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        start = int(request.query.get(_PAGE, "0"))
        size = api.page_descriptors or len(listed) or 1
        if start + size < len(listed):
            more = request.rel_url.update_query({_PAGE: str(start + size)})
            headers["Link"] = f'<{more}>; rel="next"'
        page = listed[start : start + size]
        manifests = [_typed(one, api.types, repository) for one in page]
        value = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests}
        return Reply(200, headers, encode(value))

    # Credentials ----------------------------------------------------------------

    def _challenge(self, request: web.Request, name: str) -> str | None:
        """What is still wanted for a repository; `None` for nothing."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if self.auth is None:
            return None
        if isinstance(self.auth, Basic):
            is_open = scheme == "Basic" and _opens(value, self.auth.users)
            return None if is_open else 'Basic realm="registry"'
        if scheme == "Bearer" and self.auth.accepts(value, name):
            return None
        realm = self.auth.realm or f"{self.scheme}://{self.address}/token"
        scope = f"repository:{name}:pull,push"
        return f'Bearer realm="{realm}",service="registry",scope="{scope}"'

    def _token(self, request: web.Request) -> Reply:
        auth = self.auth
        if not isinstance(auth, Bearer):
            return _error(404, "NOT_FOUND")
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        is_known = scheme == "Basic" and _opens(value, auth.users)
        if not (is_known or (auth.is_open and not scheme)):
            return _error(401, "UNAUTHORIZED")
        scope = re.fullmatch(r"repository:(.+):pull", request.query.get("scope", ""))
        if scope is None:
            return _error(400, "DENIED")
        answer = {"token": auth.issue(scope[1]), "expires_in": int(auth.seconds)}
        return Reply(
            200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
        )


_KINDS: Final = {"manifests": "manifest", "blobs": "blob", "referrers": "referrers"}


def _kind(request: web.Request) -> str:
    found = _PATH.fullmatch(request.path)
    if found is None:
        return "token" if request.path == "/token" else "other"
    if found["kind"] == "manifests" and request.method == "HEAD":
        return "resolve"
    return _KINDS[found["kind"]]


def _content(content: bytes | None, media_type: str) -> Reply:
    if content is None:
        return _error(404, "BLOB_UNKNOWN")
    return Reply(200, {"Content-Type": media_type}, content)


def _error(code: int, word: str) -> Reply:
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


def _opens(value: str, users: Mapping[str, str]) -> bool:
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return users.get(user) == password


@asynccontextmanager
async def failing_registry() -> AsyncIterator[str]:
    """Yields `127.0.0.1:PORT` of a registry that answers 503 to everything."""
    async with Registry(faults={"all": status(503)}).serving() as registry:
        yield registry.address
