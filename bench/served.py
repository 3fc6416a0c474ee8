"""The webhook as a process of its own, and what is done to it from outside.

`python -m bench.served` reads a `Setting` as JSON from its first line of standard
input, serves over TLS on loopback, and then does what each further line asks for
(`{"do": "monitor"}`); every answer is one line of JSON on standard output. `serving`
starts one and talks to it. Its log goes to a file, as a container's does.

The server is the real one: FastAPI, uvicorn, TLS, `Checker`, the indexes, the
registry client with its caches, and the store that watches fill. The cluster's
events are put into that store, registries are in memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from app.admission.review import Response, Review
from app.bootstrap.certificates import from_files
from app.bootstrap.wiring import Wired
from app.checker import Checker, Options
from app.demo import certificates
from app.ports import Cluster
from app.settings.sections import ServerSettings
from app.telemetry import Metrics, configure_logging
from app.webhook import interpreter
from app.webhook.server import serving as webhook_serving
from bench import attacks, registry, scene
from bench.client import Plan, pin
from bench.live import LiveCluster
from bench.loop import Monitor, Waits
from bench.sampling import Costs, Profile

CONNECTIONS: Final = 25
START_SECONDS: Final = 120.0
SETTLE_SECONDS: Final = 2.0
_ROOT: Final = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Setting:
    """What to serve.

    Attributes:
        folder: with `tls.crt` and `tls.key`; `serving` makes it.
        nodes: how many of the cluster *pools*.
        answers: `checker`, or `echo` for the same app that only reads the review
            and gives its uid back.
        cpu: the core that the server stays on; `None` for any.
        switch_seconds: how long a thread keeps the interpreter when another wants
            it; `None` for what the server sets itself.
        is_monitored: whether the steps of tasks are timed, which takes time itself.
    """

    folder: str = ""
    nodes: int = 5_000
    answers: str = "checker"
    cpu: int | None = 0
    switch_seconds: float | None = None
    is_monitored: bool = False


class _Echo:
    """Allows whatever was asked; implements `webhook.application.Reviewer`."""

    async def validate(self, request: Review, *, deadline_seconds: float) -> Response:
        """Allowed."""
        del request, deadline_seconds
        return Response(allowed=True)

    mutate = validate


class _Ready:
    """Always."""

    def problems(self) -> tuple[str, ...]:
        """None."""
        return ()

    warnings = problems


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


def _checker(cluster: Cluster, metrics: Metrics) -> Checker:
    return Checker(
        cluster,
        registry.artifacts({**scene.specs(), **attacks.specs()}),
        metrics,
        Options(),
    )


def _wired(cluster: LiveCluster | None, settings: ServerSettings) -> Wired:
    metrics = Metrics()
    certificates = from_files(settings, metrics)
    if cluster is None:
        echo: Any = _Echo()
        return Wired(echo, _Ready(), certificates, metrics, _nothing, lambda: None)
    checker = _checker(cluster, metrics)
    return Wired(
        checker, _Ready(), certificates, metrics, checker.running, lambda: None
    )


@dataclass
class _Tasks:
    """What can be asked of the process."""

    cluster: LiveCluster
    monitor: Monitor = field(default_factory=Monitor)
    profile: Profile = field(default_factory=Profile)
    churning: asyncio.Task[None] | None = None
    burning: threading.Event | None = None

    async def do(self, what: str, arguments: Mapping[str, Any]) -> object:
        """One thing; its answer."""
        known: dict[str, Callable[..., Awaitable[object]]] = {
            "monitor": self._monitor,
            "waits": self._waits,
            "churn": self._churn,
            "burn": self._burn,
            "calm": self._calm,
            "change": self._change,
            "relist": self._relist,
            "profile": self._profile,
            "costs": self._costs,
        }
        return await known[what](**arguments)

    async def _monitor(self) -> None:
        self.monitor.start()

    async def _waits(self) -> object:
        return asdict(await self.monitor.stop())

    async def _churn(self, every_seconds: float) -> None:
        async def churn() -> None:
            while True:
                self.cluster.change(1)
                await asyncio.sleep(every_seconds)

        self.churning = asyncio.create_task(churn())

    async def _burn(self) -> None:
        """A thread that never waits, as an evaluation does not."""
        self.burning = threading.Event()
        stop = self.burning

        def burn() -> None:
            while not stop.is_set():
                sum(range(1_000))

        threading.Thread(target=burn, daemon=True).start()

    async def _calm(self) -> None:
        if self.burning is not None:
            self.burning.set()
        if self.churning is not None:
            self.churning.cancel()

    async def _change(self, count: int) -> None:
        self.cluster.change(count)

    async def _relist(self) -> None:
        await self.cluster.relist()

    async def _profile(self) -> None:
        self.profile.start()

    async def _costs(self) -> object:
        return asdict(self.profile.stop())


async def _serve(setting: Setting) -> None:
    folder = Path(setting.folder)
    settings = ServerSettings(
        host="127.0.0.1",
        port=0,
        status_port=0,
        requests_per_connection=1_000_000_000,  # the client connects once
        certificate=folder / "tls.crt",
        private_key=folder / "tls.key",
    )
    is_echo = setting.answers == "echo"
    cluster = LiveCluster(*scene.cluster(0 if is_echo else setting.nodes))
    wired = _wired(None if is_echo else cluster, settings)
    tasks = _Tasks(cluster)
    if setting.is_monitored:
        tasks.monitor.install()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    interpreter.tune()
    async with webhook_serving(wired, settings) as ports:
        if setting.switch_seconds is not None:
            sys.setswitchinterval(setting.switch_seconds)
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, interpreter.settle)
        print(json.dumps({"port": ports.https}), flush=True)
        while line := await reader.readline():
            asked = json.loads(line)
            answer = await tasks.do(asked.pop("do"), asked)
            print(json.dumps(answer), flush=True)
        await tasks.do("calm", {})


def main() -> None:
    """Serves until standard input ends."""
    setting = msgspec.json.decode(sys.stdin.readline(), type=Setting)
    pin(setting.cpu)
    configure_logging()
    uvloop.run(_serve(setting))


@dataclass(slots=True)
class Server:
    """A served webhook, from outside.

    Attributes:
        port: on loopback.
        authority: the CA's certificate.
        pid: of its process.
    """

    port: int
    authority: str
    pid: int
    _process: asyncio.subprocess.Process
    _log: Path

    def plan(
        self,
        bodies: tuple[str, ...],
        seconds: float,
        rate: float | None = None,
        connections: int = CONNECTIONS,
    ) -> Plan:
        """A load on this webhook, from the other core; as `client.Plan`."""
        return Plan(
            port=self.port,
            authority=self.authority,
            bodies=bodies,
            seconds=seconds,
            connections=connections,
            rate=rate,
            cpu=1,
        )

    async def waits(self) -> Waits:
        """What its monitor saw since it was told to watch."""
        return msgspec.convert(await self.ask("waits"), Waits)

    async def costs(self) -> Costs:
        """What its profile saw since it was told to sample."""
        return msgspec.convert(await self.ask("costs"), Costs)

    async def ask(self, do: str, **arguments: object) -> object:
        """What it answers to one line.

        Raises:
            RuntimeError: it has ended; with the end of its log.
        """
        assert self._process.stdin
        assert self._process.stdout
        asked = json.dumps({"do": do, **arguments})
        self._process.stdin.write(asked.encode() + b"\n")
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server has ended:\n{_tail(self._log)}")
        answer: object = json.loads(line)
        return answer


@asynccontextmanager
async def serving(setting: Setting | None = None) -> AsyncIterator[Server]:
    """A webhook that serves until left."""
    with tempfile.TemporaryDirectory(prefix="imagecompat-bench-") as name:
        folder, log = Path(name), Path(name) / "log"
        authority = certificates.write_pair(folder)
        whole = replace(setting or Setting(), folder=name)
        with log.open("wb") as error:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bench.served",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=error,
                cwd=_ROOT,
                limit=16 << 20,
            )
        try:
            port = await _port(process, whole, log)
            yield Server(port, str(authority), process.pid, process, log)
        finally:
            await _ended(process)


async def _port(process: asyncio.subprocess.Process, whole: Setting, log: Path) -> int:
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(asdict(whole)).encode() + b"\n")
    async with asyncio.timeout(START_SECONDS):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"the server did not start:\n{_tail(log)}")
    port: int = json.loads(line)["port"]
    return port


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ends it by the end of its input, else by its id."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _tail(log: Path) -> str:
    time.sleep(0.1)
    return log.read_text(errors="replace")[-2000:]


if __name__ == "__main__":
    main()
