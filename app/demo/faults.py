"""Ways in which a registry can misbehave, one function each.

A fault takes the request and the reply that would have been right, and gives
another reply, or sends an answer itself.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from aiohttp import web

_CHUNK: Final = bytes(64 << 10)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is sent.

    Attributes:
        status: HTTP status.
        headers: name -> value.
        body: sent for GET; of a HEAD only its length is told.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def response(self) -> web.Response:
        """As aiohttp sends it."""
        return web.Response(status=self.status, headers=self.headers, body=self.body)


Fault: TypeAlias = Callable[[web.Request, Reply], Awaitable[Reply | web.StreamResponse]]


def status(code: int, headers: Mapping[str, str] | None = None) -> Fault:
    """Answers `code`, with an error body as registries send it."""
    body = b'{"errors":[{"code":"UNKNOWN","message":"a secret of the registry"}]}'

    async def fault(_request: web.Request, _reply: Reply) -> Reply:
        kind = {"Content-Type": "application/json"}
        return Reply(code, {**kind, **(headers or {})}, body)

    return fault


def redirect(location: str, code: int = 307) -> Fault:
    """Redirects to `location`; `{path}` in it is the request's own."""

    async def fault(request: web.Request, _reply: Reply) -> Reply:
        return Reply(code, {"Location": location.format(path=request.path_qs)})

    return fault


def header(name: str, value: str | None) -> Fault:
    """The right answer with another header, or without it (`None`)."""

    async def fault(_request: web.Request, reply: Reply) -> Reply:
        kept = {k: v for k, v in reply.headers.items() if k.lower() != name.lower()}
        return replace(reply, headers=kept if value is None else {**kept, name: value})

    return fault


def body(content: bytes) -> Fault:
    """The right headers with another body."""

    async def fault(_request: web.Request, reply: Reply) -> Reply:
        return replace(reply, body=content)

    return fault


async def compressed(_request: web.Request, reply: Reply) -> Reply:
    """The right answer as gzip, though nobody asked for that."""
    headers = {**reply.headers, "Content-Encoding": "gzip"}
    return replace(reply, headers=headers, body=gzip.compress(reply.body))


async def hang(_request: web.Request, reply: Reply) -> Reply:
    """Never answers."""
    await asyncio.Event().wait()
    return reply


async def endless(request: web.Request, reply: Reply) -> web.StreamResponse:
    """A body that has no end, and no length."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    while True:
        await response.write(_CHUNK)


def drip(seconds: float) -> Fault:
    """The right answer, one byte at a time, each after `seconds`."""

    async def fault(request: web.Request, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        for at in range(len(reply.body)):
            await response.write(reply.body[at : at + 1])
            await asyncio.sleep(seconds)
        await response.write_eof()
        return response

    return fault


def late(seconds: float) -> Fault:
    """The right answer, after `seconds` in which nothing comes."""

    async def fault(_request: web.Request, reply: Reply) -> Reply:
        await asyncio.sleep(seconds)
        return reply

    return fault


def claims(length: int) -> Fault:
    """Says that its body has `length` bytes, and sends the right one; then silence."""

    async def fault(request: web.Request, reply: Reply) -> Reply:
        if request.transport is None:
            return reply
        lines = [f"HTTP/1.1 {reply.status} OK", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        request.transport.write(head + reply.body)
        await asyncio.Event().wait()
        return reply

    return fault


def bomb(size: int) -> Fault:
    """Zeros as gzip: a thousandth of `size` on the way, `size` for who unpacks it."""
    packed = gzip.compress(bytes(size))

    async def fault(_request: web.Request, reply: Reply) -> Reply:
        headers = {**reply.headers, "Content-Encoding": "gzip"}
        return replace(reply, headers=headers, body=packed)

    return fault


def headers(count: int, size: int) -> Fault:
    """The right answer after `count` headers of `size` bytes."""

    async def fault(_request: web.Request, reply: Reply) -> Reply:
        more = {f"X-{number}": "x" * size for number in range(count)}
        return replace(reply, headers={**reply.headers, **more})

    return fault


async def endless_pages(request: web.Request, reply: Reply) -> Reply:
    """The right page, and always another one."""
    at = int(request.query.get("page", "0")) + 1
    link = f'<{request.rel_url.update_query({"page": str(at)})}>; rel="next"'
    return replace(reply, headers={**reply.headers, "Link": link})


async def cut_off(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Promises more bytes than it sends."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body) + 1
    await response.prepare(request)
    await response.write(reply.body)
    if request.transport is not None:
        request.transport.close()
    return response


async def no_http(request: web.Request, reply: Reply) -> Reply:
    """Sends bytes that are no HTTP, and hangs up."""
    if request.transport is not None:
        request.transport.write(b"\x00\x01SSH-2.0\r\n\r\n")
        request.transport.close()
    return reply
