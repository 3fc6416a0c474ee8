"""The operator's own credentials, which serve every Pod.

In this order: the entries of the Docker config file, the helper that it names for the
registry, the kubelet's plugins. A program is run only when what comes before it was
refused, and never for a registry that asks for nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Protocol

from app.oci.credentials.keyring import NOTHING, Credential, Keyring
from app.oci.images.reference import Reference


class Source(Protocol):
    """Programs that give credentials."""

    async def lookup(self, image: Reference) -> tuple[Credential, ...]:
        """What to try for an image, in order; raises nothing."""
        ...


class Operator:
    """Implements `Offers`.

    Args:
        keyring: of the Docker config file.
        helpers: that it names; `None` for none.
        plugins: of the kubelet's kind; `None` for none.
    """

    def __init__(
        self,
        keyring: Keyring = NOTHING,
        helpers: Source | None = None,
        plugins: Source | None = None,
    ) -> None:
        self._keyring: Final = keyring
        self._programs: Final = tuple(
            one for one in (helpers, plugins) if one is not None
        )

    async def offers(self, image: Reference) -> AsyncIterator[Credential]:
        """See `Offers`; none twice."""
        seen = set[Credential]()
        async for credential in self._keyring.offers(image):
            seen.add(credential)
            yield credential
        for source in self._programs:
            for credential in await source.lookup(image):
                if credential not in seen:
                    seen.add(credential)
                    yield credential
