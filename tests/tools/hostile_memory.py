"""Registries in memory that misbehave request by request, without a socket.

Time is the event loop's: run it on a `virtual.VirtualLoop`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from aiohttp.test_utils import make_mocked_request

from app.demo.registry import Registry
from app.oci.failure import TooLargeError, unavailable
from app.oci.registry.transport import Answer, Request

Act: TypeAlias = Callable[[Request, Answer], Awaitable[Answer]]


@dataclass(frozen=True)
class Fault:
    """What becomes of one request.

    Attributes:
        name: for whoever reads a failing example.
        act: gets the request and the right answer; gives another, or raises.
        excuses: outcomes that it may cause, beside `Unavailable`; a registry that says
            so is believed.
    """

    name: str
    act: Act = field(repr=False)
    excuses: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return self.name


@dataclass
class MemoryTransport:
    """Implements `oci.transport.Transport`.

    Attributes:
        registries: host -> what answers there.
        plan: what becomes of the next requests, in order; then nothing goes wrong.
        by_kind: what becomes of every request of a kind, as `Logged.kind` names them.
        only: the host where all that goes wrong; empty for every one.
        applied: faults so far.
        sent: (host, path, authorization) of every request.
        under_way: requests that wait now.
    """

    registries: Mapping[str, Registry]
    plan: list[Fault | None] = field(default_factory=list)
    by_kind: dict[str, Fault] = field(default_factory=dict)
    only: str = ""
    applied: list[Fault] = field(default_factory=list)
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    under_way: int = 0

    async def send(self, request: Request) -> Answer:
        """See `oci.transport.Transport`."""
        parts = urlsplit(request.url)
        authorization = request.headers.get("Authorization", "")
        self.sent.append((parts.netloc, parts.path, authorization))
        planned = self.plan.pop(0) if self.plan else None
        self.under_way += 1
        try:
            async with asyncio.timeout(request.seconds):
                answer = await self._right(request)
                kind = _kind(request.method, parts.path)
                is_hit = self.only in {"", parts.netloc}
                for fault in (planned, self.by_kind.get(kind)):
                    if fault is not None and is_hit:
                        self.applied.append(fault)
                        answer = await fault.act(request, answer)
        except TimeoutError as error:
            raise unavailable("Timeout", "no answer in time") from error
        finally:
            self.under_way -= 1
        if len(answer.body) > request.most_bytes:
            raise TooLargeError("an answer is too large")
        return answer

    async def _right(self, request: Request) -> Answer:
        parts = urlsplit(request.url)
        registry = self.registries.get(parts.netloc)
        if registry is None or parts.scheme != registry.scheme:
            raise unavailable("NoSuchHost", "nobody is there")
        mocked = make_mocked_request(
            request.method,
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            headers=dict(request.headers),
        )
        response = await registry._handle(mocked)
        body = getattr(response, "body", b"") or b""
        is_read = response.status == 200 and request.method == "GET"
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            tuple(response.headers.getall("WWW-Authenticate", ())),
            body if is_read else b"",
        )

    async def close(self) -> None:
        """Nothing is open."""


def _kind(method: str, path: str) -> str:
    if method == "HEAD":
        return "resolve"
    kinds = (
        ("/manifests/", "manifest"),
        ("/blobs/", "blob"),
        ("/referrers/", "referrers"),
    )
    return next((kind for part, kind in kinds if part in path), "token")


# Faults ------------------------------------------------------------------------------

LIES: Final = frozenset(
    {"Missing", "PlatformAbsent", "ImageNotFound", "Invalid", "Unauthorized", "Older"}
)
"""What one can be made to believe by whoever runs the registry; `Older`: that a newer
artifact is not there."""

NOT_THERE: Final = frozenset(
    {"Missing", "PlatformAbsent", "ImageNotFound", "Invalid", "Older"}
)


def fails(reason: str) -> Fault:
    """No answer comes, at once."""

    async def act(_request: Request, _answer: Answer) -> Answer:
        raise unavailable(reason, "it fails")

    return Fault(reason, act)


async def _hang(_request: Request, answer: Answer) -> Answer:
    await asyncio.Event().wait()
    return answer


async def _flood(request: Request, answer: Answer) -> Answer:
    is_read = answer.status == 200 and request.method == "GET"
    return replace(answer, body=bytes(request.most_bytes + 1) if is_read else b"")


async def _flip(_request: Request, answer: Answer) -> Answer:
    """As long as it should be, and another."""
    flipped = answer.body[:-1] + bytes([answer.body[-1] ^ 1]) if answer.body else b""
    return replace(answer, body=flipped)


FLIP: Final = Fault("flip", _flip, LIES)
HANG: Final = Fault("hang", _hang)
FLOOD: Final = Fault("flood", _flood, frozenset({"Invalid"}))


def late(seconds: float) -> Fault:
    """The right answer, later; a drip is nothing else to whoever needs it whole."""

    async def act(_request: Request, answer: Answer) -> Answer:
        await asyncio.sleep(seconds)
        return answer

    return Fault(f"late({seconds})", act)


def status(
    code: int,
    *,
    headers: Mapping[str, str] | None = None,
    challenges: tuple[str, ...] = (),
) -> Fault:
    """Another status; its body is not read."""
    kinds = {401: {"Unauthorized"}, 403: {"Unauthorized"}, 404: NOT_THERE}

    async def act(_request: Request, _answer: Answer) -> Answer:
        return Answer(code, dict(headers or {}), challenges)

    excuses = frozenset(kinds.get(code, ()))
    return Fault(f"status({code}, {headers}, {challenges})", act, excuses)


def body(content: bytes) -> Fault:
    """The right headers with another body."""

    async def act(request: Request, answer: Answer) -> Answer:
        is_read = answer.status == 200 and request.method == "GET"
        return replace(answer, body=content if is_read else b"")

    return Fault(f"body({content[:40]!r})", act, LIES)


def header(name: str, value: str) -> Fault:
    """The right answer with another header."""

    async def act(_request: Request, answer: Answer) -> Answer:
        return replace(answer, headers={**answer.headers, name: value})

    return Fault(f"header({name}: {value[:80]!r})", act, LIES)


def redirect(location: str, code: int) -> Fault:
    """Leads elsewhere; `{path}` is the request's own, and `nowhere` is a 404."""

    async def act(request: Request, _answer: Answer) -> Answer:
        parts = urlsplit(request.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return Answer(code, {"location": location.format(path=path)})

    is_known = "nowhere" in location
    return Fault(
        f"redirect({location!r}, {code})", act, NOT_THERE if is_known else frozenset()
    )
