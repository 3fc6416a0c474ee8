"""Which of a Pod's own credentials count for an image.

Their fingerprint is a part of every key under which something is remembered: what
one credential earned serves nobody who does not hold the same. Pods without secrets
for an image share.

What secrets of some content open is remembered for a while: they are parsed, and
matched with an image, once and not for each review.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from app.errors import ConfigError
from app.oci.cache import TimedCache
from app.oci.credentials import NOTHING, Keyring
from app.oci.credentials.pull_secrets import keyring_of
from app.oci.reference import Reference
from app.oci.ways.ways import Ways
from app.ports import NOBODY, Puller, PullSecret, PullSecrets

_SECONDS: Final = 300.0
KEYRINGS_BYTES: Final = 16 << 20
_TEXTS_TO_OBJECTS: Final = 4
"""A keyring takes several times what its text does."""
MAX_RINGS: Final = 256
"""Images whose fingerprints one Pod's secrets remember."""

_Content: TypeAlias = tuple[tuple[str, str, frozenset[tuple[str, bytes]]], ...]
"""Name, for faults name it; type; and content of each secret."""


@dataclass(frozen=True, slots=True, eq=False)
class Opener:
    """What a Pod's secrets open.

    Attributes:
        keyring: of all of them.
        fault: why they open nothing, as the kubelet would say; `None` if they do.
        rings: name of a repository -> fingerprint of what counts for it, of some.
    """

    keyring: Keyring = NOTHING
    fault: ConfigError | None = None
    rings: dict[str, str] = field(default_factory=dict, repr=False)


NO_OPENER: Final = Opener()
"""Of Pods without secrets."""


class Rings:
    """Reads the secrets of Pods, and tells which of them count.

    Args:
        secrets: reads them.
        ways: by which an image is asked for; a mirror has credentials of its own.
        clock: in seconds, monotonic.
    """

    def __init__(
        self, secrets: PullSecrets, ways: Ways, clock: Callable[[], float]
    ) -> None:
        self._secrets: Final = secrets
        self._ways: Final = ways
        self._openers: Final[TimedCache[_Content, Opener]] = TimedCache(
            clock, most_bytes=KEYRINGS_BYTES
        )

    def at_hand(self, puller: Puller) -> Opener | None:
        """What the Pod's secrets open; `None` if they would have to be read."""
        if puller is NOBODY:
            return NO_OPENER
        found = self._secrets.at_hand(puller)
        return None if found is None else self._opener(found)

    async def read(self, puller: Puller, *, deadline_seconds: float) -> Opener:
        """The same, read within the deadline; those that come later are left out."""
        left = max(deadline_seconds, 0.0)
        return self._opener(await self._secrets.read(puller, deadline_seconds=left))

    def ring(self, opener: Opener, image: Reference) -> str:
        """The fingerprint of what counts for an image; `""` for nothing."""
        if opener is NO_OPENER or not opener.keyring.entries:
            return ""
        known = opener.rings.get(image.name)
        if known is None:
            if len(opener.rings) >= MAX_RINGS:
                opener.rings.clear()
            found = self._ways.rings(image, opener.keyring)
            known = hashlib.sha256(found.encode()).hexdigest() if found else ""
            opener.rings[image.name] = known
        return known

    def _opener(self, secrets: tuple[PullSecret, ...]) -> Opener:
        if not secrets:
            return NO_OPENER
        content = tuple(
            (one.name, one.type, frozenset(one.data.items())) for one in secrets
        )
        known = self._openers.get(content)
        if known is None:
            known = _opened(secrets)
            size = sum(len(value) for one in secrets for value in one.data.values())
            size *= _TEXTS_TO_OBJECTS
            self._openers.put(content, known, seconds=_SECONDS, content_bytes=size)
        return known


def _opened(secrets: tuple[PullSecret, ...]) -> Opener:
    try:
        return Opener(keyring_of(secrets))
    except ConfigError as error:
        return Opener(fault=error)
