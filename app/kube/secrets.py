"""Pull secrets of Pods: read one by one, and only those that the admin allowed.

1. A Secret is got by its name, never listed or watched, so that a Role with `get` is
   enough; of its data only a Docker config is kept.
2. What the settings do not allow is not asked for: neither one whose name is not
   listed (`named`), nor any of a namespace that is not listed (`namespaces`).
3. Of a workload's template that names no secret, those of its ServiceAccount count,
   as the API server copies them into a Pod (`serviceaccount/admission.go#L167`). A
   ServiceAccount is read where all Secrets of its namespace may be.
4. One that is not there, or forbidden, is left out: the kubelet goes on without it,
   too. One that could not be read (late, broken, too large, no answer) is told as
   such: without it another registry's answer would count than with it.
5. What was read before stands in for that, for a while after its time. That a Secret
   is gone or forbidden is an answer: nothing stands in for it.
6. One GET runs for everybody who asks for the same, at most `MAX_REQUESTS` at a
   time. It goes on behind a deadline: who asks next finds the answer.
7. An answer holds for a while, that there is nothing a shorter one; what is kept is
   bounded in number and bytes. Each is counted by what became of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.errors import ClusterError
from app.kube.backoff import Clock
from app.kube.decode import DECODE_ERRORS
from app.kube.docker_secrets import pull_secret, pull_secret_names
from app.kube.objects import Objects, SendingTransport
from app.kube.observer import Observer, SilentObserver
from app.kube.remembered import Remembered
from app.kube.transport import FORBIDDEN, TOO_LARGE
from app.ports import Pulled, Puller, PullSecret, UnreadSecret

MAX_SECRETS: Final = 32
"""Of one Pod, in its order; those beyond are left out."""
MAX_SECRET_BYTES: Final = 1 << 20
"""Of a Docker config; as large as a Secret can be."""
MAX_REQUESTS: Final = 16
"""At the same time."""
MAX_WAITING: Final = 512
"""Secrets under way or waiting for their turn; those beyond are not read."""
MAX_KNOWN: Final = 4096
"""Secrets that are remembered, with those that are not there."""
MAX_BYTES: Final = 32 << 20
"""Of all that are remembered."""

ABSENT_SECONDS: Final = 10.0
"""How long it holds at the most that a Secret is not there, or not for us."""
FAILED_SECONDS: Final = 2.0
"""How long it holds that the API server could not be asked."""
KEPT_SECONDS: Final = 600.0
"""For how long after its time what was read stands in (5)."""

EVERY: Final = "*"

_SECRETS: Final = "secrets"
_ACCOUNTS: Final = "serviceaccounts"
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""What may stand in a path; anything else has no object of that name."""

_ABSENT: Final = frozenset({"absent", FORBIDDEN})
"""Answers that leave a Secret out (4)."""
_BROKEN: Final = frozenset({"malformed", "oversized"})
"""To ask again soon would not mend it."""

Reading: TypeAlias = Literal["none", "named", "namespaces"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which Secrets the admin lets us read.

    Attributes:
        read: `named`: those in `names`; `namespaces`: all of `namespaces`.
        names: `NAMESPACE/NAME`.
        namespaces: `*` for every one.
    """

    read: Reading | str = "none"
    names: Collection[str] = frozenset()
    namespaces: Collection[str] = frozenset()

    def secret(self, namespace: str, name: str) -> bool:
        """Whether a Secret may be read."""
        if self.read == "named":
            return f"{namespace}/{name}" in self.names
        return self.account(namespace)

    def account(self, namespace: str) -> bool:
        """Whether ServiceAccounts of a namespace may be read (3)."""
        if self.read != "namespaces":
            return False
        return EVERY in self.namespaces or namespace in self.namespaces


@dataclass(frozen=True, slots=True)
class _Name:
    """An object; `kind` as RBAC spells it."""

    kind: str
    namespace: str
    name: str

    @property
    def collection(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{self.kind}"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is known of an object.

    Attributes:
        secret: it; `None` for none that counts.
        names: the secrets that a ServiceAccount names.
    """

    secret: PullSecret | UnreadSecret | None = None
    names: tuple[str, ...] = ()

    @property
    def is_read(self) -> bool:
        return not isinstance(self.secret, UnreadSecret)

    @property
    def size_bytes(self) -> int:
        texts = sum(map(len, self.names))
        data = self.secret.data.values() if isinstance(self.secret, PullSecret) else ()
        return texts + sum(map(len, data))


_NOTHING: Final = _Answer()


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer that is remembered; times are on the clock.

    Attributes:
        answer: it.
        ends: until then it holds.
        lasts: until then it stands in for one that cannot be had (5).
    """

    answer: _Answer
    ends: float
    lasts: float


class KubePullSecrets:
    """Implements `app.ports.PullSecrets` on a real API server; `close` it.

    Args:
        transport: the way to the API server; whoever opened it closes it.
        read: as for `Allowed`, like the two below.
        names: of Secrets.
        namespaces: of Secrets.
        seconds: how long a Secret that was read holds.
        observer: is told what becomes of each: `counted("secrets", EVENT)`.
        clock: time and chance.
    """

    def __init__(
        self,
        transport: SendingTransport,
        *,
        read: Reading | str = "none",
        names: Collection[str] = frozenset(),
        namespaces: Collection[str] = frozenset(),
        seconds: float = 60.0,
        observer: Observer | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._allowed: Final = Allowed(read, frozenset(names), frozenset(namespaces))
        self._objects: Final = Objects(transport)
        self._seconds: Final = seconds
        self._observer: Final = observer or SilentObserver()
        self._clock: Final = clock or Clock()
        self._known = Remembered[_Name, _Kept](
            self._clock, most=MAX_KNOWN, most_bytes=MAX_BYTES
        )
        self._flights: Final[dict[_Name, asyncio.Task[_Answer]]] = {}
        self._turns: Final = asyncio.Semaphore(MAX_REQUESTS)

    def __repr__(self) -> str:
        return f"KubePullSecrets({self._allowed.read!r}, {self.remembered} known)"

    @property
    def remembered(self) -> int:
        """How many objects are known now, with those that are not there."""
        return len(self._known)

    @property
    def memory(self) -> Remembered[_Name, _Kept]:
        """How full it is."""
        return self._known

    def inherit(self, other: KubePullSecrets) -> None:
        """Remembers what another one read, if both may read the same."""
        ours, theirs = (self._allowed, self._seconds), (other._allowed, other._seconds)
        if ours == theirs:
            self._known = other._known

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = list(self._flights.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def at_hand(self, puller: Puller) -> Pulled | None:
        """See `app.ports.PullSecrets`."""
        names = self._named(puller)
        if names is None:
            account = self._holding(self._account(puller))
            if account is None:
                return None
            if isinstance(account.secret, UnreadSecret):
                return (account.secret,)
            names = account.names
        wanted = self._wanted(puller, names, is_counted=True)
        answers = [self._holding(one) for one in wanted]
        if None in answers:
            return None
        return _secrets(one for one in answers if one is not None)

    async def read(self, puller: Puller, *, deadline_seconds: float) -> Pulled:
        """See `app.ports.PullSecrets`."""
        ends = self._clock.now() + deadline_seconds
        names = self._named(puller)
        if names is None:
            [account] = await self._all([self._account(puller)], ends)
            if isinstance(account.secret, UnreadSecret):
                return (account.secret,)
            names = account.names
        return _secrets(await self._all(self._wanted(puller, names), ends))

    # Which ones -----------------------------------------------------------------

    def _named(self, puller: Puller) -> tuple[str, ...] | None:
        """The secrets that a Pod names; `None` if its ServiceAccount says which."""
        if puller.secrets or not puller.service_account:
            return puller.secrets
        is_allowed = self._allowed.account(puller.namespace)
        is_name = _is_name(puller.namespace, puller.service_account)
        return None if is_allowed and is_name else ()

    def _account(self, puller: Puller) -> _Name:
        return _Name(_ACCOUNTS, puller.namespace, puller.service_account)

    def _wanted(
        self, puller: Puller, names: tuple[str, ...], *, is_counted: bool = False
    ) -> list[_Name]:
        """Those that may be asked for, in the Pod's order."""
        given = list(dict.fromkeys(filter(None, names)))
        wanted = [
            _Name(_SECRETS, puller.namespace, name)
            for name in given[:MAX_SECRETS]
            if self._allowed.secret(puller.namespace, name)
            and _is_name(puller.namespace, name)
        ]
        if is_counted:
            for _ in range(len(given) - len(wanted)):
                self._observer.counted(_SECRETS, "withheld")
        return wanted

    # Reading --------------------------------------------------------------------

    async def _all(self, wanted: Iterable[_Name], ends: float) -> list[_Answer]:
        """What is known of objects, or becomes known in time; in their order."""
        found: dict[_Name, _Answer] = {}
        flights: dict[_Name, asyncio.Task[_Answer]] = {}
        for one in wanted:
            known = self._holding(one)
            flight = self._flight(one) if known is None else None
            if flight is not None:
                flights[one] = flight
            found[one] = known or self._instead(one, is_late=flight is not None)
        if flights:
            left = max(ends - self._clock.now(), 0.0)
            await asyncio.wait(flights.values(), timeout=left)
        for one, flight in flights.items():
            if not flight.done():
                self._observer.counted(one.kind, "late")
                self._stand_in(one, FAILED_SECONDS)  # The next need not wait for it.
            elif not flight.cancelled():
                found[one] = flight.result()
        return list(found.values())

    def _flight(self, one: _Name) -> asyncio.Task[_Answer] | None:
        """The GET that is under way, or begins now; `None` if there is no room."""
        flight = self._flights.get(one)
        if flight is None and len(self._flights) < MAX_WAITING:
            flight = asyncio.create_task(self._get(one), name=f"get {one.kind}")
            self._flights[one] = flight
        if flight is None:
            self._observer.counted(one.kind, "overload")
        return flight

    async def _get(self, one: _Name) -> _Answer:
        try:
            async with self._turns:
                event, answer = await self._asked(one)
            self._observer.counted(one.kind, event)
            return self._keep(one, event, answer)
        finally:
            self._flights.pop(one, None)

    async def _asked(self, one: _Name) -> tuple[str, _Answer]:
        """What happened, as a word, and what is known since."""
        try:
            content = await self._objects.get(one.collection, one.name)
            if content is None:
                return "absent", _NOTHING
            return "read", _read(one, content)
        except ClusterError as error:
            event = "oversized" if error.reason == TOO_LARGE else error.reason
            return event, _NOTHING if event in _ABSENT else _unread(one)
        except DECODE_ERRORS:
            # What the library says may show a value: the word is all that is told.
            return "malformed", _unread(one)

    # Remembering ----------------------------------------------------------------

    def _holding(self, one: _Name) -> _Answer | None:
        kept = self._known.get(one)
        if kept is None or self._clock.now() >= kept.ends:
            return None
        return kept.answer

    def _instead(self, one: _Name, *, is_late: bool) -> _Answer:
        """What is told of an object that cannot be read now (5)."""
        kept = self._known.get(one)
        return _unread(one, is_late=is_late) if kept is None else kept.answer

    def _keep(self, one: _Name, event: str, answer: _Answer) -> _Answer:
        """Remembers an answer, or what stands in for it, and says which."""
        seconds = self._holds(event)
        instead = None if answer.is_read else self._stand_in(one, seconds)
        if instead is not None:
            return instead
        ends = self._clock.now() + seconds
        lasts = ends + KEPT_SECONDS if event == "read" else ends
        self._put(one, _Kept(answer, ends, lasts))
        return answer

    def _stand_in(self, one: _Name, seconds: float) -> _Answer | None:
        """Lets what was read before hold for a while longer, if there is any (5)."""
        kept = self._known.get(one)
        if kept is None:
            return None
        self._observer.counted(one.kind, "kept")
        ends = self._clock.now() + seconds  # It is forgotten when it lasts no more.
        self._put(one, _Kept(kept.answer, ends, kept.lasts))
        return kept.answer

    def _put(self, one: _Name, kept: _Kept) -> None:
        seconds = kept.lasts - self._clock.now()
        size = kept.answer.size_bytes
        self._known.put(one, kept, seconds=seconds, size_bytes=size)

    def _holds(self, event: str) -> float:
        if event == "read":
            return self._seconds
        is_answer = event in _ABSENT or event in _BROKEN
        at_most = ABSENT_SECONDS if is_answer else FAILED_SECONDS
        return min(self._seconds, at_most)


def _secrets(answers: Iterable[_Answer]) -> Pulled:
    return tuple(one.secret for one in answers if one.secret is not None)


def _unread(one: _Name, *, is_late: bool = False) -> _Answer:
    kind: Final = "Secret" if one.kind == _SECRETS else "ServiceAccount"
    return _Answer(UnreadSecret(one.name, kind, is_late))


def _is_name(namespace: str, name: str) -> bool:
    is_label = _LABEL.fullmatch(namespace) is not None
    return is_label and _SUBDOMAIN.fullmatch(name) is not None


def _read(one: _Name, content: bytes) -> _Answer:
    if one.kind == _ACCOUNTS:
        return _Answer(names=pull_secret_names(content, most=MAX_SECRETS))
    secret = pull_secret(one.name, content)
    if any(len(value) > MAX_SECRET_BYTES for value in secret.data.values()):
        raise ClusterError(TOO_LARGE, f"a Secret exceeds {MAX_SECRET_BYTES} bytes")
    return _Answer(secret)
