"""What all lookups of a process share: the way out, and habits of registries."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app.oci.cache import TimedCache
from app.oci.credentials import NOTHING, Offers
from app.oci.limits import Limits
from app.oci.registry import breaker
from app.oci.registry.auth import Challenge, TokenCache
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.sending import Chance, Observer, Sender, Silent
from app.oci.registry.transport import Transport
from app.oci.ways.ways import Ways

_HABITS_BYTES: Final = 4 << 20


@dataclass(slots=True)
class Shared:
    """What all lookups of a process share.

    Attributes:
        transport: sends one request.
        policy: what the operator allows.
        operator: the operator's own credentials.
        limits: every bound.
        observer: counts requests.
        clock: in seconds, monotonic.
        ways: that lead to a registry.
        circuits: told which hosts are left alone.
        chance: time and randomness of retries; made of `clock` where it is not given.
        sender: sends requests through `transport`.
        tokens: authorization headers that worked.
        challenges: registry host and what it serves (`Way.place`) -> what it accepts.
        without_api: what a host serves, and repository -> whether there is no
            referrers API. Some registries have it for some repositories only.
    """

    transport: Transport
    policy: RegistryPolicy
    operator: Offers = NOTHING
    limits: Limits = field(default_factory=Limits)
    observer: Observer = field(default_factory=Silent)
    clock: Callable[[], float] = time.monotonic
    ways: Ways = field(default_factory=Ways)
    circuits: breaker.Observer | None = None
    chance: Chance | None = None
    sender: Sender = field(init=False)
    tokens: TokenCache = field(init=False)
    challenges: TimedCache[tuple[str, str], tuple[Challenge, ...]] = field(init=False)
    without_api: TimedCache[tuple[str, str], bool] = field(init=False)

    def __post_init__(self) -> None:
        """Makes what fills up with use."""
        self.sender = Sender(
            self.transport,
            self.observer,
            circuits=self.circuits,
            chance=self.chance or Chance(self.clock),
            limits=self.limits,
        )
        self.tokens = TokenCache(self.clock)
        self.challenges = TimedCache(self.clock, most_bytes=_HABITS_BYTES)
        self.without_api = TimedCache(self.clock, most_bytes=_HABITS_BYTES)
