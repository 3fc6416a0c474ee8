"""The settings file is looked at again and again; what changed is taken up.

1. Every `server.checkSeconds`, and at once after SIGHUP, all files are read: the
   settings, and those that they name for registries. What counts is their content.
2. A content that is new is read again a moment later, and taken only if it is still
   the same: an editor may be in the middle of writing it.
3. If it is invalid, the settings that hold go on to hold: the log, metrics and
   `/readyz` say what is wrong and where. A file that is not there any more, or one
   that the settings name and that cannot be used, is no different.
4. Of a valid one the live settings are taken up, all at once; those that need a new
   process (`settings.life`) are reported until one starts.

One change is finished before the next is looked at. Leaving `running` gives up one
that is under way.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from app.bootstrap.files import Sight, Wanted
from app.bootstrap.settings_state import SettingsState
from app.settings import life
from app.settings.life import Change, Life
from app.settings.loading import Refused
from app.telemetry import Metrics, log_event, log_exception, log_warning

SETTLE_SECONDS: Final = 0.2
"""From seeing a new content to seeing it again."""

MAX_LOOKS: Final = 10
"""At a content that changes all the time; then it waits for the next check."""

_DOCKER_CONFIG: Final = "registry.dockerConfig"


class Files(Protocol):
    """See `files.SettingsFiles`."""

    @property
    def path(self) -> Path | None:
        """Of the settings file."""
        ...

    def look(self) -> Sight:
        """What the files say now; may block."""
        ...


class Target(Protocol):
    """See `switch.Switch`."""

    @property
    def wanted(self) -> Wanted:
        """The settings that hold."""
        ...

    async def to(self, wanted: Wanted) -> None:
        """Puts others in their place."""
        ...


class Ticks:
    """Says when to look: after some seconds, or when told to hurry."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked = asyncio.Event()

    def hurry(self) -> None:
        """Somebody wants it now."""
        self._asked.set()

    async def next(self) -> bool:
        """Waits for the next look; whether somebody asked for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await self._asked.wait()
        is_asked = self._asked.is_set()
        self._asked.clear()
        return is_asked


@dataclass(slots=True)
class Reloading:
    """Keeps a process at what its settings file says.

    Attributes:
        files: to look at.
        target: what takes the settings up.
        state: what is told of the file.
        metrics: count.
        ticks: when to look.
        pause: waits so many seconds.
        now: the time.
    """

    files: Files
    target: Target
    state: SettingsState
    metrics: Metrics
    ticks: Ticks
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _digest: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks at the files until left."""
        loop = asyncio.get_running_loop()
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            loop.add_signal_handler(signal.SIGHUP, self.ticks.hurry)
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            if is_main:
                loop.remove_signal_handler(signal.SIGHUP)

    async def _watch(self) -> None:
        while True:
            is_asked = await self.ticks.next()
            try:
                await self.check(is_asked=is_asked)
            except Exception:  # noqa: BLE001 - the next look may go better
                self.metrics.count("config_reloads_total", result="failed")
                log_exception("reloading the settings failed")

    async def check(self, *, is_asked: bool = False) -> None:
        """Looks once; takes up what is new.

        Args:
            is_asked: say what is found even if nothing is.
        """
        sight = await self._settled(is_asked=is_asked)
        if sight is None:
            return
        if isinstance(sight.said, Refused):
            self._refuse(sight.said)
        else:
            await self._take(sight.said)
        self._digest = sight.digest

    async def _settled(self, *, is_asked: bool) -> Sight | None:
        """What the files say, if it is new and stays; `None` if not."""
        sight = await asyncio.to_thread(self.files.look)
        if sight.digest == self._digest:
            return sight if is_asked else None
        for _ in range(MAX_LOOKS):
            await self.pause(SETTLE_SECONDS)
            before, sight = sight, await asyncio.to_thread(self.files.look)
            if sight.digest == before.digest:
                return sight
        return None

    def _refuse(self, refused: Refused) -> None:
        self.metrics.count("config_reloads_total", result="invalid")
        self.state.found(refused.lines)
        log_warning("settings refused", faults=refused.lines)

    async def _take(self, wanted: Wanted) -> None:
        held = self.target.wanted
        found = life.changes(held.settings, wanted.settings)
        live = life.needing(found, Life.LIVE)
        later = tuple(one.name for one in life.needing(found, Life.PROCESS))
        files = wanted.files.changed(held.files)
        is_changed = bool(live or files)
        if is_changed:
            settings = life.taken_up(held.settings, wanted.settings)
            await self.target.to(Wanted(settings, wanted.files))
            self.state.taken(self.now())
        self.state.found((), later)
        if self._digest or is_changed or later:  # the first look is at what we have
            result = "applied" if is_changed else "unchanged"
            self.metrics.count("config_reloads_total", result=result)
            self._say(live, later, files)

    def _say(
        self, live: tuple[Change, ...], later: tuple[str, ...], files: tuple[str, ...]
    ) -> None:
        fields: dict[str, object] = {"changed": [one.told() for one in live]}
        if files:
            fields["files"] = files
        if _DOCKER_CONFIG in files:
            fields["credentials"] = "changed"
        if later:
            fields["restart_needed"] = later
        is_same = not live and not files
        log_event("settings unchanged" if is_same else "settings applied", **fields)


def reloading(
    files: Files, target: Target, metrics: Metrics, seconds: float
) -> Reloading:
    """Looks at the files every so many seconds."""
    state = SettingsState(files.path, metrics, datetime.now(UTC))
    return Reloading(files, target, state, metrics, Ticks(seconds))
