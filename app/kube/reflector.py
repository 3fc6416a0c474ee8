"""Keeps one kind of objects current: list, then watch, for as long as we run.

What is asked next depends on what is known:

1. No version is known: a *streaming list* (KEP-3157), which goes on as the watch.
   A server that refuses it (400, 422) or does not finish it three times is asked
   for a *paged list* from then on, in pages of up to 8 MiB.
2. A version is known: a watch from there, with bookmarks. Its clean end is
   followed by the next one, and so is an open watch that falls silent, for there
   may be nothing to tell; a fault on the way is too, after a pause.
3. 410, as a status or inside the watch: the version is forgotten, (1).
4. 401, or a fault of TLS: credentials are loaded again.
5. 403: the missing verbs are named, and the server is asked twice a minute.
6. 404 for an optional kind: it is not installed, so there are no objects; the
   same.

What was found is handed over whole when a list ends, so nobody sees half a list,
and the old view serves until then.

An object that cannot be read at all, because its line exceeds 8 MiB (etcd's own
default is 1.5 MiB) or is no object, is *lost*: it is counted, the rest goes on,
and the view `is_incomplete`, which counts as stale for whoever decides, but not as
unready. Lost in a list, the object is not there. Lost in a watch, it may hide a
change of what we hold, so a new list follows: at once, or at the end of the watch
where the last such list is not five minutes old. An incomplete list is followed
by another one at the same pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Generic, NoReturn, TypeVar

from app.errors import ClusterError, ImagecompatError
from app.kube import decode
from app.kube.backoff import Backoff, Clock
from app.kube.decode import DECODE_ERRORS, Decode, Raw
from app.kube.lines import LineSplitter
from app.kube.observer import Observer
from app.kube.pages import Pages
from app.kube.resource import Resource, Sink
from app.kube.transport import (
    FORBIDDEN,
    GONE,
    NOT_FOUND,
    TIMEOUT,
    TLS_FAILURE,
    TRUNCATED,
    UNAUTHORIZED,
    RefusedError,
    Response,
    Transport,
    require_ok,
)

T = TypeVar("T")

MAX_LINE_BYTES: Final = 8 << 20
"""Of one event; NodeFeatures of 0.8 MiB were seen."""

SLICE_SECONDS: Final = 0.005
"""How long events are taken in before others may run."""

WATCH_SECONDS: Final = (300, 600)
"""A watch ends by itself between these, so that servers can be taken away."""

SHORT_WATCH_SECONDS: Final = 1.0
"""A watch that ends sooner, and empty, is a fault: nothing else slows a loop."""

RESYNC_SECONDS: Final = 300.0
"""Between two lists that are made because an object was lost."""

SLOW_RETRY_SECONDS: Final = 30.0
"""Between two tries where somebody must act first: install a kind, grant a verb."""

UNFINISHED_STREAMS: Final = 3
"""So many streaming lists may break off before pages are tried."""

OVERSIZED: Final = "oversized"
MALFORMED: Final = "malformed"
UNREADABLE: Final = "unreadable"
SILENT: Final = "silent"

_INCOMPLETE: Final = "Incomplete"
_UNSUPPORTED: Final = frozenset({"BadRequest", "Invalid"})
_RESTART: Final = frozenset({GONE, _INCOMPLETE})
_RENEW: Final = frozenset({UNAUTHORIZED, TLS_FAILURE})


class Reflector(Generic[T]):
    """List and watch of one resource, into one sink.

    Attributes:
        resource: what is watched.
        is_ready: whether a first list was taken in and a watch follows it, or the
            kind is known not to be installed. Never taken back.
        is_absent: whether the kind is not installed.
        is_incomplete: whether an object of this kind was lost.
        missing_verbs: what RBAC does not let us do.
        failure: the reason of the last try's failure, `None` once one goes well.
        current_at: when our view was last known to be the server's, `None` before.
    """

    def __init__(
        self,
        resource: Resource,
        take: Decode[T],
        sink: Sink[T],
        transport: Transport,
        *,
        observer: Observer,
        clock: Clock,
    ) -> None:
        self.resource: Final = resource
        self.is_ready = False
        self.is_absent = False
        self.is_incomplete = False
        self.missing_verbs: tuple[str, ...] = ()
        self.failure: str | None = None
        self.current_at: float | None = None
        self._decode: Final[Decode[T]] = take
        self._sink: Final[Sink[T]] = sink
        self._transport: Final = transport
        self._observer: Final = observer
        self._clock: Final = clock
        self._backoff: Final = Backoff(clock)
        self._pages: Final = Pages(resource, transport)
        self._version: str | None = None
        self._building: dict[str, T] | None = None
        self._whole_at: str | None = None
        self._is_building_lossy = False
        self._is_streaming = True
        self._is_open = False
        self._unfinished = 0
        self._events = 0
        self._resynced_at = -RESYNC_SECONDS
        self._slice_ends_at = 0.0

    async def run(self) -> NoReturn:
        """Lists and watches until it is cancelled."""
        while True:
            self._is_open = False
            try:
                await self._advance()
            except ClusterError as error:
                await self._clock.sleep(await self._recover(error))

    async def _advance(self) -> None:
        """One request, or one list of pages; returns if it ended well."""
        if self._version is not None:
            await self._watch(self._version)
        elif self._is_streaming:
            await self._stream()
        else:
            await self._list()
            return
        if self.is_incomplete and self._may_resync():
            self._version = None

    async def _stream(self) -> None:
        """A streaming list, and the watch that it becomes."""
        self._begin()
        await self._follow(
            {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        )
        if self._building is not None:
            raise ClusterError(TRUNCATED, "a streaming list ended early")

    async def _watch(self, version: str) -> None:
        started = self._clock.now()
        self._events = 0
        await self._follow({"resourceVersion": version})
        is_short = self._clock.now() - started < SHORT_WATCH_SECONDS
        if is_short and not self._events:
            raise ClusterError("ShortWatch", "a watch ended at once, without events")

    async def _follow(self, query: Mapping[str, str]) -> None:
        """Takes in events until the server ends the watch."""
        seconds = round(self._clock.uniform(*WATCH_SECONDS))
        whole = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
            **query,
        }
        async with self._transport.get(self.resource.path, whole) as response:
            await require_ok(response)
            self._is_open, opened_at = True, self._clock.now()
            if self._building is None:
                self._watching()
            try:
                await self._hear(response)
            except ClusterError as error:
                if not self._is_silence(error, opened_at):
                    raise
                self._count(SILENT)

    async def _hear(self, response: Response) -> None:
        lines = LineSplitter(MAX_LINE_BYTES)
        async for chunk in response.chunks():
            for line in lines.feed(chunk):
                self._event(line)
                if self._whole_at is not None:
                    await self._finish(self._whole_at)
                    self._unfinished = 0
                    self._watching()
                await self._breathe()
            if self._building is None:
                self.current_at = self._clock.now()
        if lines.is_inside_line:
            raise ClusterError(TRUNCATED, "a watch ended inside an event")

    def _is_silence(self, error: ClusterError, opened_at: float) -> bool:
        """Whether a watch ends since there was nothing to tell."""
        is_short = self._clock.now() - opened_at < SHORT_WATCH_SECONDS
        return error.reason == TIMEOUT and self._building is None and not is_short

    async def _list(self) -> None:
        self._begin()
        token = ""
        while True:
            part = await self._pages.fetch(token)
            for raw in part.items:
                self._take_initial(raw)
                await self._breathe()
            if part.lost:
                self._lose(OVERSIZED)
            token = part.token
            if not token:
                break
        await self._finish(part.version)

    def _event(self, line: bytes | None) -> None:
        """Takes in one line; an unreadable one is lost, a refusal is raised."""
        if line is None:
            self._lose(OVERSIZED)
            return
        try:
            kind, raw = decode.event(line)
            match kind:
                case "ADDED" | "MODIFIED" | "DELETED":
                    self._change(kind, raw)
                case "BOOKMARK":
                    self._bookmark(raw)
                case "ERROR":
                    status = decode.status(raw)
                    raise RefusedError(status.code, status.message)
                case _:
                    self._count("unknown")
        except DECODE_ERRORS:
            self._lose(MALFORMED)

    def _change(self, kind: str, raw: Raw) -> None:
        self._events += 1
        if self._building is not None and kind != "DELETED":
            self._take_initial(raw)
            return
        item = self._decode(raw)
        self._count(kind.lower() if item.is_readable else UNREADABLE)
        if self._building is not None:
            self._building.pop(item.key, None)
            return
        if kind == "DELETED":
            self._sink.remove(item.key)
        else:
            self._sink.put(item.key, item.value)
        self._version = item.version or self._version

    def _take_initial(self, raw: Raw) -> None:
        """One object of a list."""
        try:
            item = self._decode(raw)
        except DECODE_ERRORS:
            self._lose(MALFORMED)
            return
        self._count("listed" if item.is_readable else UNREADABLE)
        if self._building is not None:
            self._building[item.key] = item.value

    def _bookmark(self, raw: Raw) -> None:
        version, ends_list = decode.bookmark(raw)
        self._events += 1
        self._count("bookmark")
        if self._building is None:
            self._version = version or self._version
        elif ends_list:
            self._whole_at = version

    def _lose(self, event: str) -> None:
        """An object could not be read; in a watch, a new list may have to follow."""
        self._count(event)
        if self._building is not None:
            self._is_building_lossy = True
            return
        self.is_incomplete = True
        if self._may_resync():
            raise ClusterError(_INCOMPLETE, "an event could not be read")

    def _may_resync(self) -> bool:
        """Whether a list that a lost object asks for may be made now; it is noted."""
        now = self._clock.now()
        if now - self._resynced_at < RESYNC_SECONDS:
            return False
        self._resynced_at = now
        return True

    def _begin(self) -> None:
        self._building = {}
        self._is_building_lossy = False
        self._whole_at = None
        self._count("list")

    async def _finish(self, version: str) -> None:
        """A list is whole: it becomes what everybody sees."""
        objects, self._building = self._building or {}, None
        self._whole_at = None
        for _ in self._sink.replace(objects):
            await asyncio.sleep(0)
        self._version = version
        self.is_incomplete = self._is_building_lossy
        now = self._clock.now()
        if self.is_incomplete:
            self._resynced_at = now
        self.current_at = now
        if self.is_absent:
            self.is_absent = False
            self._observer.installed(self.resource.name, is_installed=True)
        self._observer.synced(self.resource.name, len(objects))

    def _watching(self) -> None:
        """A watch is open behind a whole list."""
        self.is_ready = True
        self.current_at = self._clock.now()
        self.missing_verbs = ()
        if self.failure is not None:
            self.failure = None
            self._observer.recovered(self.resource.name)

    async def _recover(self, error: ClusterError) -> float:
        """Draws the conclusions from a failure; how long to wait, in seconds."""
        was_listing, self._building = self._building is not None, None
        was_streaming = was_listing and self._is_streaming
        self._count(error.reason)
        if was_streaming and error.reason in _UNSUPPORTED:
            self._is_streaming = False
            return 0.0
        if was_streaming and self._is_open:
            self._unfinished += 1
            self._is_streaming = self._unfinished < UNFINISHED_STREAMS
        if error.reason == NOT_FOUND and self.resource.is_optional:
            return self._absent()
        if self.failure != error.reason:
            self.failure = error.reason
            self._observer.failed(self.resource.name, error.reason, error.message)
        if error.reason in _RESTART:
            self._version = None
        if error.reason in _RENEW:
            await self._renew()
        if error.reason == FORBIDDEN:
            is_list = was_listing and not was_streaming
            self.missing_verbs = (
                ("list",) if is_list else await self._pages.unwatchable()
            )
            return self._slow()
        asked = error.retry_after_seconds if isinstance(error, RefusedError) else None
        return self._backoff.pause_seconds(
            at_least=min(asked or 0.0, SLOW_RETRY_SECONDS)
        )

    def _absent(self) -> float:
        """The kind is not installed, so there are no objects of it."""
        if not self.is_absent:
            self.is_absent = True
            self._observer.installed(self.resource.name, is_installed=False)
        self._version = None
        for _ in self._sink.replace({}):
            pass
        self.is_ready = True
        self.is_incomplete = False
        self.missing_verbs = ()
        self.failure = None
        self.current_at = self._clock.now()
        return self._slow()

    async def _renew(self) -> None:
        try:
            await self._transport.renew()
        except ImagecompatError as error:
            self._observer.failed(self.resource.name, error.reason, error.message)

    def _slow(self) -> float:
        return self._clock.uniform(SLOW_RETRY_SECONDS, SLOW_RETRY_SECONDS * 1.5)

    def _count(self, event: str) -> None:
        self._observer.counted(self.resource.name, event)

    async def _breathe(self) -> None:
        """Lets others run if this went on for long."""
        if self._clock.now() >= self._slice_ends_at:
            await self._clock.sleep(0)
            self._slice_ends_at = self._clock.now() + SLICE_SECONDS
