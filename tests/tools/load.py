"""Admissions at a steady rate, each with the answer that it must get.

Pods are created with `dryRun=All`: they go through all of admission, and nothing is
stored. An answer that was not expected is a failure, with its message.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import aiohttp

from tests.tools.servers import ADMIN_TOKEN, ApiServer

CLIENT_SECONDS: Final = 40.0
"""Longer than the API server takes to give up."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A Pod, and what must become of it.

    Attributes:
        image: of its only container.
        code: what its denial must say (`[IC101]`); empty if it must be admitted.
        namespace: where.
    """

    image: str
    code: str = ""
    namespace: str = "default"

    def body(self) -> bytes:
        """The Pod."""
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"generateName": "load-"},
                "spec": {"containers": [{"name": "main", "image": self.image}]},
            }
        ).encode()


@dataclass
class Result:
    """What came of it.

    Attributes:
        admitted: how many were, as they had to.
        denied: the same.
        failures: everything else, with the second after the start.
        warnings: how often which was given; digits are one `#`.
        slowest_seconds: the longest answer.
    """

    admitted: int = 0
    denied: int = 0
    failures: list[str] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0

    def causes(self) -> dict[str, int]:
        """The failures without their time and numbers, and how often each was."""
        plain = (re.sub(r"\d+", "#", one.partition(": ")[2]) for one in self.failures)
        return dict(Counter(plain))

    def __str__(self) -> str:
        return (
            f"{self.admitted} admitted, {self.denied} denied, "
            f"{len(self.failures)} failed, slowest {self.slowest_seconds:.2f} s"
        )


class Load:
    """`with Load(...) as load:` asks in the background; then `load.result` is whole.

    Attributes:
        result: what came of it so far.
        asked: questions so far.
        in_flight: those that wait for their answer.
    """

    def __init__(
        self, server: ApiServer, asks: Sequence[Ask], *, per_second: float = 20.0
    ) -> None:
        """Prepares it.

        Args:
            server: whom.
            asks: what, in turn.
            per_second: how often, however long answers take.
        """
        self.result: Final = Result()
        self.asked = 0
        self.in_flight = 0
        self._server: Final = server
        self._asks: Final = itertools.cycle([(ask, ask.body()) for ask in asks])
        self._gap: Final = 1 / per_second
        self._stopping: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._work, name="load")
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def run_for(self, seconds: float) -> None:
        """Lets it go on for a while."""
        time.sleep(seconds)

    def _work(self) -> None:
        asyncio.run(self._ask_all())

    async def _ask_all(self) -> None:
        tls = ssl.create_default_context(cafile=str(self._server.ca))
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=tls),
                timeout=aiohttp.ClientTimeout(total=CLIENT_SECONDS),
                headers={
                    "Authorization": f"Bearer {ADMIN_TOKEN}",
                    "Content-Type": "application/json",
                },
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            due = time.monotonic()
            while not self._stopping.is_set():
                ask, body = next(self._asks)
                group.create_task(self._ask(session, ask, body))
                due += self._gap
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _ask(self, session: aiohttp.ClientSession, ask: Ask, body: bytes) -> None:
        path = f"/api/v1/namespaces/{ask.namespace}/pods?dryRun=All"
        started = time.monotonic()
        self.asked += 1
        self.in_flight += 1
        try:
            async with session.post(self._server.url + path, data=body) as response:
                said = await response.json()
                status = response.status
                warnings = response.headers.getall("Warning", [])
        except (aiohttp.ClientError, TimeoutError) as error:
            status, said, warnings = 0, {"message": repr(error)}, []
        finally:
            self.in_flight -= 1
        self._count(ask, status, str(said.get("message", "")))
        took = time.monotonic() - started
        self.result.slowest_seconds = max(self.result.slowest_seconds, took)
        self.result.warnings.update(warnings)

    def _count(self, ask: Ask, status: int, message: str) -> None:
        if status == 201 and not ask.code:
            self.result.admitted += 1
        elif status == 403 and ask.code and ask.code in message:
            self.result.denied += 1
        else:
            after = time.monotonic() - self._started
            self.result.failures.append(f"{after:.1f} s: {status}: {message}")
