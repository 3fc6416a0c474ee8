"""A real browser, driven over the DevTools protocol on the loopback interface.

https://chromedevtools.github.io/devtools-protocol/ has the methods and events.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

START_SECONDS: Final = 60
ANSWER_SECONDS: Final = 60
MAX_MESSAGE_BYTES: Final = 64 << 20

FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)

_DOMAINS: Final = ("Page", "Runtime", "Log", "Network", "Audits", "Accessibility")

_WRONG: Final = frozenset(
    {"Log.entryAdded", "Runtime.exceptionThrown", "Audits.issueAdded"}
)
"""Events that tell of a fault of the page, or of what its policy forbade."""


@dataclass(slots=True)
class Page:
    """A tab.

    Attributes:
        connection: to the browser.
        session: of this tab.
        requests: addresses that it asked for.
        faults: what the browser found wrong with it.
    """

    connection: Connection
    session: str
    requests: list[str] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a method."""
        return await self.connection.ask(method, parameters, self.session)

    async def look(self, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Gives the tab a size and a colour scheme."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        await self.media("screen", dark=dark)

    async def media(self, kind: str, *, dark: bool = False) -> None:
        """What the page is shown on: `screen` or `print`."""
        scheme = {
            "name": "prefers-color-scheme",
            "value": "dark" if dark else "light",
        }
        await self.ask("Emulation.setEmulatedMedia", media=kind, features=[scheme])

    async def open(self, address: str) -> None:
        """Loads a page; what was heard of the former one is forgotten."""
        self.requests.clear()
        self.faults.clear()
        loaded = self.connection.next("Page.loadEventFired", self.session)
        found = await self.ask("Page.navigate", url=address)
        assert not found.get("errorText"), found
        await asyncio.wait_for(loaded, ANSWER_SECONDS)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression of JavaScript."""
        found = await self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def screenshot(self, path: Path) -> None:
        """Writes the whole page, as PNG."""
        found = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        _keep(path, base64.b64decode(found["data"]))

    def hear(self, method: str, parameters: dict[str, Any]) -> None:
        """An event of this tab."""
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        if method in _WRONG:
            self.faults.append(parameters)


class Connection:
    """Methods and events on one socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket: Final = socket
        self._answers: Final[dict[int, asyncio.Future[dict[str, Any]]]] = {}
        self._waiting: Final[dict[tuple[str, str], asyncio.Future[None]]] = {}
        self._pages: Final[dict[str, Page]] = {}
        self._number = 0

    async def ask(
        self, method: str, parameters: dict[str, Any], session: str = ""
    ) -> dict[str, Any]:
        """The result of a method.

        Raises:
            AssertionError: the browser refuses.
        """
        self._number += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._number] = answer
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        await self._socket.send_json(message)
        found: dict[str, Any] = await asyncio.wait_for(answer, ANSWER_SECONDS)
        assert "error" not in found, (method, found["error"])
        result: dict[str, Any] = found["result"]
        return result

    def next(self, method: str, session: str) -> asyncio.Future[None]:
        """Ends with the next such event of a tab."""
        heard = asyncio.get_running_loop().create_future()
        self._waiting[method, session] = heard
        return heard

    async def page(self) -> Page:
        """A new tab."""
        target = await self.ask("Target.createTarget", {"url": "about:blank"})
        attached = {"targetId": target["targetId"], "flatten": True}
        session = (await self.ask("Target.attachToTarget", attached))["sessionId"]
        page = self._pages[session] = Page(self, session)
        for domain in _DOMAINS:
            await page.ask(f"{domain}.enable")
        return page

    async def listen(self) -> None:
        """Until the browser hangs up."""
        async for message in self._socket:
            content = message.json()
            if "id" in content:
                self._answers.pop(content["id"]).set_result(content)
                continue
            method, session = content["method"], content.get("sessionId", "")
            if session in self._pages:
                self._pages[session].hear(method, content["params"])
            heard = self._waiting.pop((method, session), None)
            if heard is not None:
                heard.set_result(None)


@contextlib.asynccontextmanager
async def browser(program: Path) -> AsyncIterator[Connection]:
    """A browser with a profile of its own, which ends with it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        command = [str(program), *FLAGS, *as_root, f"--user-data-dir={folder}"]
        process = _start(command, Path(folder) / "stderr")
        try:
            address = await _address(Path(folder), process)
            async with (
                aiohttp.ClientSession() as client,
                client.ws_connect(address, max_msg_size=MAX_MESSAGE_BYTES) as socket,
                asyncio.TaskGroup() as tasks,
            ):
                connection = Connection(socket)
                listening = tasks.create_task(connection.listen())
                yield connection
                listening.cancel()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _start(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [*command, "about:blank"],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it listens: it writes its port and path into its profile."""
    async with asyncio.timeout(START_SECONDS):
        while process.poll() is None:
            lines = _lines(profile / "DevToolsActivePort")
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await asyncio.sleep(0.05)
    raise AssertionError(f"the browser ended: {_lines(profile / 'stderr')}")


def _lines(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines() if file.exists() else []
