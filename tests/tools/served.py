"""`imagecompat serve` as a process of its own, and clients that see every byte.

The API server's address leads nowhere unless a test says otherwise: the process
serves all the same, and answers every review that no node is known.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from app.demo import certificates
from tests.tools.json_lines import json_lines
from tests.tools.servers import free_port

END_SECONDS: Final = 60.0
"""What has not happened then will not."""

_ENVIRONMENT: Final = {k: v for k, v in os.environ.items() if "KUBE" not in k}


def review(uid: str = "u-1", image: str = "!", **metadata: object) -> bytes:
    """The creation of a Pod as the API server sends it."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", **metadata},
        "spec": {"containers": [{"name": "main", "image": image}]},
    }
    return json.dumps(
        {
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "request": {
                "uid": uid,
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "namespace": "default",
                "operation": "CREATE",
                "userInfo": {"username": "somebody"},
                "object": pod,
            },
        },
        separators=(",", ":"),
    ).encode()


def request(body: bytes, *, granted: str = "10s", path: str = "/v1/validate") -> bytes:
    """A whole request."""
    return head(len(body), granted=granted, path=path) + body


def head(length: int, *, granted: str = "10s", path: str = "/v1/validate") -> bytes:
    """Its request line and headers."""
    lines = (
        f"POST {path}?timeout={granted} HTTP/1.1",
        "Host: imagecompat.imagecompat.svc",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether it is the last on its connection."""
        return self.headers.get("connection") == "close"

    @property
    def uid(self) -> str:
        """Of the review that it answers."""
        return str(json.loads(self.body)["response"]["uid"])


@dataclass
class Client:
    """One connection; `open` makes it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext | None = None) -> Client:
        """Connects; with TLS if there is a context."""
        name = "localhost" if context is not None else None
        made = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=name
        )
        return cls(*made)

    def send(self, content: bytes) -> None:
        """Sends bytes."""
        self.writer.write(content)

    async def answer(self, seconds: float = END_SECONDS) -> Answer:
        """The next answer.

        Raises:
            asyncio.IncompleteReadError: the connection has ended.
        """
        async with asyncio.timeout(seconds):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (line.split(": ", 1) for line in lines[1:] if line)
            headers = {key.lower(): value for key, value in pairs}
            length = int(headers.get("content-length", "0"))
            body = await self.reader.readexactly(length)
        return Answer(int(lines[0].split()[1]), headers, body)

    async def ask(self, body: bytes | None = None, *, granted: str = "10s") -> Answer:
        """Sends a review and waits for its answer."""
        self.send(request(review() if body is None else body, granted=granted))
        return await self.answer()

    async def is_closed(self, seconds: float = END_SECONDS) -> bool:
        """Whether the other side ends the connection in time, and says nothing."""
        try:
            async with asyncio.timeout(seconds):
                return await self.reader.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    async def close(self) -> None:
        """Ends it."""
        self.writer.transport.abort()
        await asyncio.sleep(0)


@dataclass
class Webhook:
    """A process that serves.

    Attributes:
        process: to be signalled and waited for.
        log: what it writes.
        context: trusts its certificate.
    """

    process: subprocess.Popen[bytes]
    log: Path
    context: ssl.SSLContext
    _serving: dict[str, Any] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Of HTTPS; waits until it is open."""
        return int(self._line()["port"])

    @property
    def status_port(self) -> int:
        """Of health and metrics; waits until HTTPS is open."""
        return int(self._line()["status_port"])

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Lines of the log that tell of an event."""
        return [one for one in json_lines(self.log) if one["event"] == event]

    def _line(self) -> dict[str, Any]:
        if not self._serving:
            self.wait_for(lambda: self.lines("serving"))
            self._serving.update(self.lines("serving")[0])
        return self._serving

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Waits until something holds, while the process runs."""
        ends = time.monotonic() + END_SECONDS
        while not holds():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.02)

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        """Status and body of a GET to the status port."""
        url = f"http://127.0.0.1:{port or self.status_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=END_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        """A sample of `/metrics`, by its name with labels; 0 if there is none."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(f"imagecompat_{name} "):
                return float(line.split()[-1])
        return 0.0

    def tell(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Waits for its end; its status."""
        return self.process.wait(timeout=END_SECONDS)


def settings(folder: Path, **sections: Mapping[str, object]) -> dict[str, Any]:
    """Settings for a process on free ports, and an API server that is away."""
    server = {
        "host": "127.0.0.1",
        "port": 0,
        "statusPort": 0,
        "drainSeconds": 0,
        "shutdownSeconds": 10,
        "checkSeconds": 0.1,
        "certificate": str(folder / "tls.crt"),
        "privateKey": str(folder / "tls.key"),
    }
    cluster = {"kubeconfig": str(_kubeconfig(folder))}
    given = {name: dict(section) for name, section in sections.items()}
    return {
        **given,
        "server": {**server, **given.get("server", {})},
        "cluster": {**cluster, **given.get("cluster", {})},
    }


def _kubeconfig(folder: Path) -> Path:
    path = folder / "kubeconfig"
    url = f"https://127.0.0.1:{free_port()}"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "away",
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": "us"}}],
        "clusters": [{"name": "away", "cluster": {"server": url}}],
        "users": [{"name": "us", "user": {"token": "t"}}],
    }
    path.write_text(json.dumps(content))
    return path


@contextmanager
def started(
    folder: Path,
    values: Mapping[str, Any],
    command: Sequence[str] = ("-m", "app", "serve", "--config"),
) -> Iterator[Webhook]:
    """A process that has just been started; killed at the end if it still runs."""
    authority = folder / "ca.crt"
    if not authority.exists():
        certificates.write_pair(folder)
    (folder / "settings.yaml").write_text(json.dumps(values))
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *command, folder / "settings.yaml"],
            stdout=out,
            stderr=out,
            env=_ENVIRONMENT,
        )
    try:
        yield Webhook(process, log, ssl.create_default_context(cafile=str(authority)))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def webhook(folder: Path, **sections: Mapping[str, object]) -> Iterator[Webhook]:
    """The same, on settings that differ in these sections."""
    with started(folder, settings(folder, **sections)) as one:
        yield one


@asynccontextmanager
async def clients(one: Webhook, count: int) -> AsyncIterator[list[Client]]:
    """Connections to it."""
    port = one.port
    made = [await Client.open(port, one.context) for _ in range(count)]
    try:
        yield made
    finally:
        for client in made:
            await client.close()
