"""What lookups share, as one way to a registry sees it."""

from __future__ import annotations

import copy
from typing import Final

from app.oci.credentials import NOTHING, Keyring
from app.oci.registry.sending import Sender
from app.oci.registry.shared import Shared
from app.oci.registry.transport import Answer, Request
from app.oci.ways.way import Way


class _Marking(Sender):
    """Sends through another sender, with what belongs to a way's host."""

    def __init__(self, sender: Sender, way: Way) -> None:  # its own state is unused
        self._sender: Final = sender
        self._way: Final = way

    async def send(
        self,
        kind: str,
        request: Request,
        *,
        host: str,
        ends: float,
        place: str = "",
        repository: str = "",
    ) -> Answer:
        """See `Sender.send`; token servers on the way's host are meant, too."""
        return await self._sender.send(
            kind,
            self._way.marked(request),
            host=host,
            ends=ends,
            place=place,
            repository=repository,
        )


def shared_towards(shared: Shared, way: Way) -> Shared:
    """The same memory and sender, with the way's policy, headers and certificates.

    Who answers is not looked at where a `hosts.toml` says `skip_verify`: no
    credential is sent there.
    """
    view = copy.copy(shared)
    view.policy = way.policy(shared.policy)
    if way.trust is not None or way.headers or way.connect_seconds is not None:
        view.sender = _Marking(shared.sender, way)
    if not way.is_verified:
        view.operator = NOTHING
    return view


def keyring_towards(keyring: Keyring, way: Way) -> Keyring:
    """What a Pod's own credentials are on a way."""
    return keyring if way.is_verified else NOTHING
