"""Registries of this process behind an event loop of their own, for tests that wait."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager

from app.demo.registry import Registry

START_SECONDS = 20.0


@contextmanager
def serving(
    registries: Sequence[Registry], *, tls: ssl.SSLContext | None = None
) -> Iterator[None]:
    """All of them serve while entered, with TLS or without; each has an `address`."""
    loop = asyncio.new_event_loop()
    over = asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for one in registries:
                await stack.enter_async_context(one.serving(tls=tls))
            ready.set()
            await over.wait()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=work, name="registries")
    thread.start()
    try:
        assert ready.wait(START_SECONDS)
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
