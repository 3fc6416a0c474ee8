"""One uvicorn server over TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from app.errors import ConfigError
from app.settings import ServerSettings

_POLL_SECONDS: Final = 0.01


def make_server(app: FastAPI, settings: ServerSettings) -> uvicorn.Server:
    """A server that is ready to run.

    Raises:
        ConfigError: certificate or key are missing or do not belong together.
    """
    certificate, key = _pair(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
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


@asynccontextmanager
async def serving(app: FastAPI, settings: ServerSettings) -> AsyncIterator[int]:
    """Serves inside the running loop; yields the TCP port."""
    server = make_server(app, settings)
    task = asyncio.create_task(server._serve())  # noqa: SLF001 - no signal handlers
    try:
        while not server.started:
            if task.done():
                task.result()
                raise ConfigError("NotServing", "the server ended while starting")
            await asyncio.sleep(_POLL_SECONDS)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
