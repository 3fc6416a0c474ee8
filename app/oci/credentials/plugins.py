"""The kubelet's credential provider plugins, by the kubelet's protocol.

1. A plugin is asked for images that one of its `matchImages` matches.
2. It reads a CredentialProviderRequest from standard input, whose image is the name
   without tag and digest, and writes a CredentialProviderResponse of the same
   `apiVersion` to standard output.
3. An answer holds for the image, its registry or all images (`cacheKeyType`), as long
   as it says (`cacheDuration`), else as long as the file says; 0 is not at all.
4. The answers of all plugins for an image are one keyring, in the file's order: what
   they offer is ordered as entries of a Docker config file are.

What differs from the kubelet: a plugin has 10 seconds instead of a minute, and may
write 1 MiB; one that failed is left alone for a while; its environment is not ours
(`programs`); there are no ServiceAccount tokens.

Source: Kubernetes v1.35.4 `pkg/credentialprovider/plugin/plugin.go`,
`pkg/credentialprovider/plugin/plugins.go`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import msgspec

from app.oci import durations
from app.oci.cache import TimedCache
from app.oci.credentials.helpers import FAILED_SECONDS
from app.oci.credentials.keyring import Credential, Entry, Keyring
from app.oci.credentials.plugin_config import Plugin
from app.oci.credentials.programs import (
    Failure,
    Observer,
    Ran,
    Runner,
    Unobserved,
)
from app.oci.images.reference import Reference
from app.oci.joining import Joined

PLUGIN_SECONDS: Final = 10.0
PLUGIN_BYTES: Final = 1 << 20
MAX_ENTRIES: Final = 1000
"""Of one answer."""

_KNOWN_BYTES: Final = 8 << 20
_ENTRY_BYTES: Final = 1024
_GLOBAL: Final = ""
"""No image and no registry is called so."""

_Entries: TypeAlias = tuple[Entry, ...]
_CacheKeyType: TypeAlias = Literal["Image", "Registry", "Global"]


class _Auth(msgspec.Struct, forbid_unknown_fields=True):
    username: str = ""
    password: str = ""


class _Response(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    api_version: str
    kind: Literal["CredentialProviderResponse"]
    cache_key_type: _CacheKeyType
    cache_duration: str | None = None
    auth: Mapping[str, _Auth] | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """What a plugin answered.

    Attributes:
        outcome: as `Observer.program` names it.
        key_type: what the answer is for.
        seconds: how long it holds; 0 for not at all.
        entries: that it offers.
    """

    outcome: str
    key_type: _CacheKeyType = "Registry"
    seconds: float = FAILED_SECONDS
    entries: _Entries = ()


class Plugins:
    """Asks the plugins of a CredentialProviderConfig file.

    Args:
        plugins: in the file's order.
        programs: of their folder.
        observer: is told how they fare.
        clock: in seconds, monotonic.
    """

    def __init__(
        self,
        plugins: Sequence[Plugin],
        programs: Runner,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        watcher = observer or Unobserved()
        self._plugins: Final = tuple(
            _Asked(one, programs, watcher, clock) for one in plugins
        )

    async def lookup(self, image: Reference) -> tuple[Credential, ...]:
        """What all plugins for an image offer, in order."""
        asked = [one.entries(image) for one in self._plugins if one.is_for(image)]
        found = await asyncio.gather(*asked)
        return Keyring.of(entry for one in found for entry in one).lookup(image)


class _Asked:
    """One plugin, and what it answered."""

    def __init__(
        self,
        plugin: Plugin,
        programs: Runner,
        observer: Observer,
        clock: Callable[[], float],
    ) -> None:
        self._plugin: Final = plugin
        self._programs: Final = programs
        self._observer: Final = observer
        self._clock: Final = clock
        self._known: Final[TimedCache[str, _Entries]] = TimedCache(
            clock, most_bytes=_KNOWN_BYTES
        )
        self._runs: Final[Joined[str, _Entries]] = Joined()

    def is_for(self, image: Reference) -> bool:
        """Whether one of its patterns matches (1)."""
        whole = Entry.as_written(image.domain, Credential())
        return whole is not None and any(
            one.matches(whole.host, whole.port, f"/{image.repository}")
            for one in self._plugin.match
        )

    async def entries(self, image: Reference) -> _Entries:
        """What it answers for an image, now or before."""
        known = self._at_hand(image)
        if known is not None:
            return known
        return await self._runs.run(image.name, lambda: self._ask(image))

    def _at_hand(self, image: Reference) -> _Entries | None:
        """The narrowest answer that holds, as the kubelet looks for it (3)."""
        for key in (image.name, image.domain, _GLOBAL):
            known = self._known.get(key)
            if known is not None:
                return known
        return None

    async def _ask(self, image: Reference) -> _Entries:
        async with self._programs.turns:
            known = self._at_hand(image)  # another image's answer may be for this one
            if known is not None:
                return known
            started = self._clock()
            ran = await self._programs.run(
                self._plugin.name,
                self._plugin.arguments,
                _request(self._plugin, image),
                more=self._plugin.environment,
            )
        said = _read(ran, self._plugin)
        seconds = self._clock() - started
        self._observer.program(
            "plugin", self._plugin.name, said.outcome, seconds=seconds
        )
        if said.seconds > 0:
            keys = {"Image": image.name, "Registry": image.domain, "Global": _GLOBAL}
            size = _ENTRY_BYTES * len(said.entries)
            self._known.put(
                keys[said.key_type],
                said.entries,
                seconds=said.seconds,
                content_bytes=size,
            )
        return said.entries


def _request(plugin: Plugin, image: Reference) -> bytes:
    """A CredentialProviderRequest (2)."""
    request = {
        "kind": "CredentialProviderRequest",
        "apiVersion": plugin.api_version,
        "image": image.name,
    }
    return msgspec.json.encode(request) + b"\n"


def _read(ran: Ran, plugin: Plugin) -> _Said:
    """What a plugin says; one that fails counts as failing for the registry."""
    if isinstance(ran, Failure):
        return _Said(ran.value)
    if ran.status != 0:
        return _Said("failed")
    try:
        answer = msgspec.json.decode(ran.content, type=_Response)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Said("invalid")
    seconds = plugin.default_seconds
    if answer.cache_duration is not None:
        said = durations.seconds_of(answer.cache_duration)
        if said is None:
            return _Said("invalid")
        seconds = said
    auth = answer.auth or {}
    if answer.api_version != plugin.api_version or len(auth) > MAX_ENTRIES:
        return _Said("invalid")
    made = [
        Entry.of(key, Credential(one.username, one.password))
        for key, one in auth.items()
    ]
    entries = tuple(one for one in made if one is not None)
    return _Said(
        "given" if entries else "nothing", answer.cache_key_type, seconds, entries
    )
