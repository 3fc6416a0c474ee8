"""One uvicorn server over TLS."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import uvicorn
import uvloop

from app.errors import ConfigError
from app.settings import ServerSettings
from app.webhook import interpreter
from app.webhook.application import Parts, create_app

_POLL_SECONDS: Final = 0.01
_SETTLE_SECONDS: Final = 2.0
"""From the first sync until its nodes are surely in the indexes."""


def make_server(parts: Parts, settings: ServerSettings) -> uvicorn.Server:
    """A server that is ready to run, once `parts.running` is entered.

    Raises:
        ConfigError: certificate or key are missing or do not belong together.
    """
    certificate, key = _pair(settings)
    config = uvicorn.Config(
        create_app(parts, settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_keep_alive=settings.keep_alive_seconds,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        text = f"server.certificate {certificate}, server.privateKey {key}: {error}"
        raise ConfigError("InvalidCertificate", text) from error
    return uvicorn.Server(config)


def _pair(settings: ServerSettings) -> tuple[Path, Path]:
    if settings.certificate is None or settings.private_key is None:
        text = "server.certificate and server.privateKey are needed: two PEM files"
        raise ConfigError("MissingCertificate", text)
    return settings.certificate, settings.private_key


def serve(parts: Parts, settings: ServerSettings) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        ConfigError: the address cannot be had, or the parts do not start.
    """
    server = make_server(parts, settings)
    interpreter.tune()
    with _listening(settings) as listener:
        uvloop.run(_until_told(parts, server, listener))


async def _until_told(
    parts: Parts, server: uvicorn.Server, listener: socket.socket
) -> None:
    """Ends with status 0 when told to; uvicorn would end by the signal itself."""

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    async with parts.running():
        settling = asyncio.create_task(_settled_when_ready(parts))
        try:
            await _started(server._serve([listener]))  # noqa: SLF001 - signals are ours
        finally:
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)


async def _settled_when_ready(parts: Parts) -> None:
    """Keeps the collector away from the cluster, once that is taken in."""
    while parts.health.problems():  # noqa: ASYNC110 - no event there
        await asyncio.sleep(_POLL_SECONDS)
    await asyncio.sleep(_SETTLE_SECONDS)
    interpreter.settle()


@asynccontextmanager
async def serving(parts: Parts, settings: ServerSettings) -> AsyncIterator[int]:
    """Serves inside the running loop until left; yields the TCP port.

    Raises:
        ConfigError: as for `serve`.
    """
    server = make_server(parts, settings)
    with _listening(settings) as listener:
        async with parts.running():
            running = _started(server._serve([listener]))  # noqa: SLF001 - no signals
            task = asyncio.create_task(running)
            while not (server.started or task.done()):  # noqa: ASYNC110 - no event there
                await asyncio.sleep(_POLL_SECONDS)
            try:
                if not task.done():
                    yield listener.getsockname()[1]
            finally:
                server.should_exit = True
                await task


async def _started(serving: Coroutine[None, None, None]) -> None:
    """Turns uvicorn's way to give up, an exit of the process, into an error."""
    try:
        await serving
    except SystemExit as error:
        text = "the server did not start; its log says why"
        raise ConfigError("NotServing", text) from error


@contextmanager
def _listening(settings: ServerSettings) -> Iterator[socket.socket]:
    where = (settings.host, settings.port)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(where)
        except OSError as error:
            text = f"server.host {where[0]}, server.port {where[1]}: {error.strerror}"
            raise ConfigError("AddressInUse", text) from error
        yield listener
