"""Which names are known: those that settings name, and those that answered lately.

Image references are anybody's input, and a domain has as many names as its owner
wants. So nobody's unknown names may take all of something that is bounded: they have
a part of it together, and each `zone` a part of that. The rest is left to known ones.

What is remembered is bounded, too. Who makes us forget a name that answered only
makes it share with the others again.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from app.oci.cache import TimedCache

KNOWN_SECONDS: Final = 6 * 3600.0
"""A name that did not answer for so long is unknown again."""
KNOWN_BYTES: Final = 4 << 20


class Known:
    """Names that answered lately.

    Args:
        clock: in seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._answered: Final[TimedCache[str, bool]] = TimedCache(
            clock, most_bytes=KNOWN_BYTES
        )

    def __len__(self) -> int:
        """How many names answered lately."""
        return len(self._answered)

    def __contains__(self, name: str) -> bool:
        return self._answered.get(name) is not None

    def learn(self, name: str) -> None:
        """It has answered."""
        self._answered.put(
            name, value=True, seconds=KNOWN_SECONDS, content_bytes=len(name)
        )

    def forget(self, name: str) -> None:
        """It has not, though it had the time."""
        self._answered.drop(name)


@lru_cache(maxsize=4096)
def zone(host: str) -> str:
    """What all names of one owner have in common, roughly: the last two labels.

    Below a public suffix of two labels (`co.uk`) the names of several owners share a
    zone. An address is a zone of its own.

    Args:
        host: with its port if it has one.
    """
    name = host.rstrip("]") if host.endswith("]") else host.rpartition(":")[0] or host
    name = name.strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return ".".join(name.split(".")[-2:])
