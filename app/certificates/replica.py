"""One replica: what it has seen, what it serves, and what it would do next.

No I/O: the caller brings what it saw and the time, and carries out the steps.
`own` does that against a real API server, the property test against a simulated
one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from app.certificates import holding as holdings
from app.certificates import rotation
from app.certificates.authority import Chance
from app.certificates.holding import Configuration, Holding
from app.certificates.rotation import Plan, Served, Step, View


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time.

    Attributes:
        time: by the API server's clock, which judges certificates.
        seconds: on a clock that never goes back.
    """

    time: datetime
    seconds: float


class Replica:
    """See the module.

    Attributes:
        serving: what new handshakes get.
        holding: what the Secret was last seen to hold; `None` before it was seen.
        is_absent: whether there is no Secret.
    """

    def __init__(
        self,
        plan: Plan,
        configurations: Sequence[str],
        *,
        recreate_seconds: float,
        chance: Chance | None = None,
    ) -> None:
        """Has seen nothing yet.

        Args:
            plan: what certificates shall be like.
            configurations: names of those whose `caBundle` is ours.
            recreate_seconds: how long a Secret stays away before it is made again,
                while there is something to serve. When everything is uninstalled,
                it must not come back; without any configuration it never does.
            chance: keys and serial numbers.
        """
        self.serving: Served | None = None
        self.holding: Holding | None = None
        self.is_absent = False
        self._plan: Final = plan
        self._names: Final = tuple(configurations)
        self._recreate_seconds: Final = recreate_seconds
        self._chance: Final = chance or Chance()
        self._configurations: dict[str, Configuration | None] = {}
        self._trusted_since: dict[x509.Certificate, float] = {}
        self._absent_since = 0.0

    def saw_secret(self, data: Mapping[str, bytes] | None, at: Moment) -> None:
        """The Secret's data; `None` where there is no Secret."""
        if data is None and not self.is_absent:
            self._absent_since = at.seconds
        self.is_absent = data is None
        name = self._plan.names[0]
        self.holding = holdings.read(data or {}, name=name, now=at.time)
        self._note_trust(at)

    def saw_configuration(
        self, name: str, found: Configuration | None, at: Moment
    ) -> None:
        """A configuration; `None` where there is none of that name."""
        self._configurations[name] = found
        self._note_trust(at)

    def steps(self, at: Moment) -> Iterator[Step]:
        """What can be done, the most urgent first; nothing before all was seen."""
        if self.holding is not None and self._absent_seconds(at) <= 0:
            yield from rotation.steps(self._view(at), self._plan, at.time, self._chance)

    def chosen(self, at: Moment) -> Served | None:
        """What shall be served from now on, if that is something else."""
        return rotation.choose(self._view(at), self.serving, self._plan, at.time)

    def pause_seconds(self, at: Moment) -> float:
        """How long nothing is due, if nothing else happens."""
        left = self._absent_seconds(at)
        due = rotation.pause_seconds(self._view(at), self._plan, at.time)
        return min(left, due) if left > 0 else due

    def configuration(self, name: str) -> Configuration | None:
        """What was last seen of it; `None` where there is none."""
        return self._configurations.get(name)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Configurations of which nothing is known yet."""
        return tuple(one for one in self._names if one not in self._configurations)

    @property
    def missing(self) -> tuple[str, ...]:
        """Configurations that do not exist."""
        found = self._configurations
        return tuple(one for one in self._names if one in found and not found[one])

    @property
    def untrusting(self) -> tuple[str, ...]:
        """Configurations that do not trust what is served, the unseen among them."""
        if self.serving is None:
            return self._names
        issuer, found = self.serving.issuer, self._existing()
        return (
            *self.unseen,
            *(n for n, one in found.items() if not one.trusts(issuer)),
        )

    def _absent_seconds(self, at: Moment) -> float:
        """How long a Secret that is gone shall stay away yet."""
        if not self.is_absent or self.serving is None:
            return 0.0
        if self._names and self.missing == self._names:
            return math.inf
        return self._absent_since + self._recreate_seconds - at.seconds

    def _existing(self) -> dict[str, Configuration]:
        return {name: one for name, one in self._configurations.items() if one}

    def _note_trust(self, at: Moment) -> None:
        """Since when each authority has been in every `caBundle` without a break."""
        found, bundle = self._existing().values(), (self.holding or Holding()).bundle
        trusted = [
            one
            for one in bundle
            if not self.unseen and all(each.trusts(one) for each in found)
        ]
        since = self._trusted_since
        self._trusted_since = {one: since.get(one, at.seconds) for one in trusted}

    def _view(self, at: Moment) -> View:
        since = self._trusted_since.items()
        return View(
            self.holding or Holding(),
            self._existing(),
            {one: at.seconds - start for one, start in since},
        )
