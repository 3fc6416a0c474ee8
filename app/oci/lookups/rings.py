"""Which of a Pod's own credentials count for an image.

Their fingerprint is a part of every key under which something is remembered: what
one credential earned serves nobody who does not hold the same. Pods without secrets
for an image share.

What secrets of some content open is remembered for a while: they are parsed, and
matched with an image, once and not for each review. Those that hold too much are
neither read nor kept: their sizes tell.

Where a secret could not be read, nothing is asked for: what is answered without it
may be another thing than with it, and "could not look" is never "there is none".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import is_
from typing import Final

from app.errors import ConfigError
from app.oci.cache import TimedCache
from app.oci.credentials import NOTHING, Keyring
from app.oci.credentials.pull_secrets import Config, counted, opened
from app.oci.images.reference import Reference
from app.oci.lookups.patience import TIMEOUT
from app.oci.ways.ways import Ways
from app.ports import NOBODY, Pulled, Puller, PullSecret, PullSecrets, UnreadSecret

_SECONDS: Final = 300.0
KEYRINGS_BYTES: Final = 16 << 20
_TEXTS_TO_OBJECTS: Final = 4
"""A keyring takes several times what its text does."""
MAX_RINGS: Final = 256
"""Images whose fingerprints one Pod's secrets remember."""

SHARE: Final = 0.5
"""Of the time that is left, secrets take at the most this: the rest is for what needs
none of them."""


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
        self._openers: Final[TimedCache[tuple[Config, ...], Opener]] = TimedCache(
            clock, most_bytes=KEYRINGS_BYTES
        )
        self._last: tuple[Pulled, Opener] = (), NO_OPENER

    def at_hand(self, puller: Puller) -> Opener | None:
        """What the Pod's secrets open; `None` if they would have to be read."""
        if puller is NOBODY:
            return NO_OPENER
        found = self._secrets.at_hand(puller)
        return None if found is None else self._opener(found)

    async def read(self, puller: Puller, *, deadline_seconds: float) -> Opener:
        """The same, read within a share of the deadline."""
        left = max(deadline_seconds, 0.0) * SHARE
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

    def _opener(self, found: Pulled) -> Opener:
        """What secrets open; those of the last question are known without a look."""
        last, opener = self._last
        if len(last) != len(found) or not all(map(is_, last, found)):
            opener = self._opened(found)
            self._last = found, opener
        return opener

    def _opened(self, found: Pulled) -> Opener:
        for one in found:
            if isinstance(one, UnreadSecret):
                return Opener(fault=_unread(one))
        secrets = [one for one in found if isinstance(one, PullSecret)]
        try:
            content = counted(secrets)
        except ConfigError as error:
            return Opener(fault=_told(error))
        if not content:
            return NO_OPENER
        known = self._openers.get(content)
        if known is None:
            known = _read(content)
            size = sum(len(one.content) for one in content)
            size *= _TEXTS_TO_OBJECTS if known.fault is None else 1
            self._openers.put(content, known, seconds=_SECONDS, content_bytes=size)
        return known


def _read(content: tuple[Config, ...]) -> Opener:
    try:
        return Opener(opened(content))
    except ConfigError as error:
        return Opener(fault=_told(error))


def _told(error: ConfigError) -> ConfigError:
    """Without the frames that it came through: they hold what was read."""
    return ConfigError(error.reason, error.message)


def _unread(secret: UnreadSecret) -> ConfigError:
    name = f"{secret.kind} {secret.name}"
    if secret.is_late:
        return ConfigError(TIMEOUT, f"{name}: not read in time")
    return ConfigError("PullSecretUnread", f"{name}: the API server cannot be asked")
