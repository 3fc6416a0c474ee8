"""Pull secrets, and who has them without an API server."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.ports import Pulled, Puller, PullSecret, UnreadSecret

HOST = "registry.example"


def config(auths: Mapping[str, object]) -> bytes:
    return json.dumps({"auths": auths}).encode()


def secret(user: str, password: str, *, host: str = HOST) -> PullSecret:
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    kind = "kubernetes.io/dockerconfigjson"
    return PullSecret(user, kind, {".dockerconfigjson": config({host: {"auth": auth}})})


BROKEN = PullSecret(
    "broken", "kubernetes.io/dockerconfigjson", {".dockerconfigjson": b"{"}
)


@dataclass
class Secrets:
    """Implements `PullSecrets`: namespace -> its secrets.

    Attributes:
        held: reading waits here while it is not set.
        is_at_hand: whether nothing has to be read.
        given: the time that each reading was given, in seconds.
        asked: how often they were asked for without waiting.
    """

    of: Mapping[str, Pulled] = field(default_factory=dict)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    is_at_hand: bool = True
    given: list[float] = field(default_factory=list)
    asked: int = 0

    def at_hand(self, puller: Puller) -> Pulled | None:
        self.asked += 1
        return self.of.get(puller.namespace, ()) if self.is_at_hand else None

    async def read(self, puller: Puller, *, deadline_seconds: float) -> Pulled:
        self.given.append(deadline_seconds)
        try:
            await asyncio.wait_for(self.held.wait(), deadline_seconds)
        except TimeoutError:
            return (UnreadSecret(puller.namespace, is_late=True),)
        self.is_at_hand = True
        return self.of.get(puller.namespace, ())
