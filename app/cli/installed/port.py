"""One replica's `/statusz` at an address, after `kubectl port-forward`."""

from __future__ import annotations

from typing import Final

import aiohttp

from app.cli.installed.release import Replica, document
from app.cli.installed.survey import Survey
from app.errors import ClusterError, ConfigError

SECONDS: Final = 10.0
MAX_BYTES: Final = 4 << 20


async def read(url: str) -> Survey:
    """A survey of that replica alone.

    Raises:
        ConfigError: `url` is no address.
        ClusterError: nobody answers there, or not as we do.
    """
    address = f"{url.rstrip('/')}/statusz"
    if not address.startswith(("http://", "https://")):
        raise ConfigError("InvalidUrl", f"--url {url}: expected http://HOST:PORT")
    body = await _get(address)
    try:
        found = document(body)
    except ValueError as error:
        text = f"{address}: this is no status of ours: {error}"
        raise ClusterError("UnexpectedAnswer", text) from error
    return Survey("", url, (Replica(url, found.ready, found),))


async def _get(address: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(address, allow_redirects=False) as answer,
        ):
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MAX_BYTES:
                    text = f"{address}: more than {MAX_BYTES} bytes"
                    raise ClusterError("UnexpectedAnswer", text)
            if answer.status != 200:  # noqa: PLR2004 - HTTP's
                text = f"{address}: answered {answer.status}"
                raise ClusterError("UnexpectedAnswer", text)
            return bytes(body)
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        text = f"{address}: no answer: {str(error) or type(error).__name__}"
        raise ClusterError("Unreachable", text) from error
