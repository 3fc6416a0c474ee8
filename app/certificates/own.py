"""The certificate that we make ourselves, shared by the replicas in a Secret.

The shell around `replica`: one watch for the Secret and one for each webhook
configuration tell it what there is, and one loop carries out its steps.

* A step that cannot be carried out (no answer, 403, a full etcd) is tried again
  after a pause that doubles up to half a minute; the other steps do not wait for it,
  and what is served goes on.
* A step that another replica was quicker with is no failure: look again.
* A step that somebody undoes at once is done again, but ever more slowly.
* Time is the API server's, whose verdict counts.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, NoReturn

from app.certificates import store
from app.certificates.files import SOON_SHARE, pair_status
from app.certificates.holding import Configuration, Holding
from app.certificates.pair import Unusable, fingerprint
from app.certificates.replica import Moment, Replica
from app.certificates.retries import Retries
from app.certificates.rotation import Hold, Plan, Publish, Served, Step, renewal
from app.certificates.serving import Serving
from app.certificates.store import Marks, Objects, Place
from app.certificates.watching import Clock, Observer, Result, SilentObserver
from app.errors import ClusterError

RECREATE_SECONDS: Final = 30.0
"""How long a deleted Secret stays away; an uninstalled process is gone by then."""

LONGEST_PAUSE_SECONDS: Final = 60.0
"""Clocks are compared again after that."""

SHORTEST_SECONDS: Final = 0.01
"""Of a rest; what is due in less is due."""

SHORT_WATCH_SECONDS: Final = 1.0
"""A watch that ends sooner counts as a failure: nothing else slows the loop."""

SOON_AT: Final = 1 - SOON_SHARE
"""Share of its life after which a leaf's end is warned of."""

_SECRET: Final = "secret"  # noqa: S105 - what is being done

_Saw = Callable[[bytes | None], None]
"""Takes in an object; `None` where there is none."""


class SelfCertificates:
    """Implements the webhook's `Certificates` on certificates of our own."""

    def __init__(
        self,
        objects: Objects,
        plan: Plan,
        *,
        secret: Place,
        configurations: Sequence[Place],
        observer: Observer | None = None,
        clock: Clock | None = None,
        recreate_seconds: float = RECREATE_SECONDS,
    ) -> None:
        """Prepares; nothing is asked yet.

        Args:
            objects: the way to the API server, open when `running` is entered.
            plan: what certificates shall be like.
            secret: where replicas share them.
            configurations: webhook configurations whose `caBundle` is ours.
            observer: is told what happens.
            clock: time and chance.
            recreate_seconds: how long a deleted Secret stays away.
        """
        self._objects: Final = objects
        self._secret: Final = secret
        self._places: Final = {str(one): one for one in configurations}
        self._observer: Final = observer or SilentObserver()
        self._clock: Final = clock or Clock()
        self._retries: Final = Retries(self._clock)
        self._replica: Final = Replica(
            plan, tuple(self._places), recreate_seconds=recreate_seconds
        )
        self._serving: Final = Serving()
        self._changed: Final = asyncio.Event()
        self._versions: dict[str, str] = {}
        self._marks = Marks()
        self._refused: Unusable | None = None
        self._taken_at: datetime | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watches Secret and configurations, and keeps them as they should be."""
        follows = [self._follow(_SECRET, self._secret, self._saw_secret)]
        for name, place in self._places.items():
            follows.append(self._follow(name, place, self._saw_configuration(name)))
        tasks = [asyncio.create_task(one) for one in (*follows, self._keep())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def available(self) -> None:
        """Returns once there is a certificate to serve."""
        await self._serving.available()

    def context(self) -> ssl.SSLContext:
        """The listener's; each handshake gets the newest certificate."""
        return self._serving.context

    def problems(self) -> tuple[str, ...]:
        """Why nobody, or not everybody, can be served; empty when ready."""
        serving = self._replica.serving
        if serving is None:
            failures = tuple(sorted(self._retries.failures.values()))
            return tuple(f"certificate: none yet: {one}" for one in failures) or (
                "certificate: none yet",
            )
        if serving.pair.not_after <= self._objects.now():
            return (f"certificate: it ended at {serving.pair.not_after.isoformat()}",)
        return tuple(
            f"certificate: not trusted by the caBundle of {one}"
            for one in self._replica.untrusting
        )

    def warnings(self) -> tuple[str, ...]:
        """What a person should look at, though we serve."""
        serving = self._replica.serving
        if serving is None:
            return ()
        found = [
            f"certificate: rotation fails: {why}"
            for _, why in sorted(self._retries.failures.items())
        ]
        if self._objects.now() >= renewal(serving.pair.leaf, SOON_AT):
            ends = serving.pair.not_after.isoformat()
            found.append(f"certificate: it ends at {ends}")
        return tuple(found)

    def status(self) -> Mapping[str, object]:
        """What `/statusz` shows; no keys."""
        replica, serving, at = self._replica, self._replica.serving, self._taken_at
        holding = replica.holding or Holding()
        failures = [why for _, why in sorted(self._retries.failures.items())]
        return {
            "mode": "self",
            "secret": self._secret.name,
            **pair_status(None if serving is None else serving.pair),
            "issuerFingerprint": serving and fingerprint(serving.issuer),
            "authorities": len(holding.bundle),
            "published": not replica.untrusting,
            "missingConfigurations": list(replica.missing),
            "lastRotation": None if at is None else at.isoformat(),
            "lastError": "; ".join(failures) or None,
        }

    async def _follow(self, what: str, place: Place, saw: _Saw) -> NoReturn:
        """Sees an object as it is and as it changes, for good."""
        is_short = False
        while True:
            started = self._clock.monotonic()
            try:
                await self._look(place, saw)
                async with self._objects.watch(place.collection, place.name) as events:
                    if not is_short:
                        self._went_well(what)
                    async for event in events:
                        if not self._is_old(what, event):
                            saw(event)
                is_short = self._clock.monotonic() - started < SHORT_WATCH_SECONDS
                if is_short:
                    self._failed(what, f"watch {place}: it ends at once")
                else:
                    self._went_well(what)
            except ClusterError as error:
                self._failed(what, error.message)
            except Exception as error:  # noqa: BLE001 - nobody would look again
                self._erred(what, f"watch {place}: {error!r}")
            await self._clock.sleep(self._retries.wait_seconds(what))

    async def _look(self, place: Place, saw: _Saw) -> None:
        saw(await self._objects.get(place.collection, place.name))

    async def _look_at_configurations(self) -> None:
        """Whose release we are is written on them; else, the Secret has no marks."""
        for name, place in self._places.items():
            with suppress(ClusterError):
                await self._look(place, self._saw_configuration(name))

    def _is_old(self, what: str, event: bytes | None) -> bool:
        """Whether an event tells what was before a write of ours."""
        known = self._versions.get(what, "")
        version = "" if event is None else store.version_of(event)
        is_comparable = known.isdecimal() and version.isdecimal()
        return is_comparable and int(version) < int(known)

    def _saw_secret(self, content: bytes | None) -> None:
        before = self._replica.holding
        self._note_version(_SECRET, content)
        data = None if content is None else store.secret_data(content)
        self._replica.saw_secret(data, self._now())
        holding = self._replica.holding
        if holding and holding.flaws and (not before or before.flaws != holding.flaws):
            if _lacks_leaf(holding):
                self._observer.reloaded("broken")
            flaws = list(holding.flaws)
            self._observer.warned("certificate secret damaged", flaws=flaws)

    def _saw_configuration(self, name: str) -> _Saw:
        def saw(content: bytes | None) -> None:
            self._note_version(name, content)
            found = None if content is None else store.configuration(content)
            if content is not None:
                self._marks = store.marks(content)
            self._replica.saw_configuration(name, found, self._now())

        return saw

    def _note_version(self, what: str, content: bytes | None) -> None:
        self._changed.set()
        if content is None:
            self._versions.pop(what, None)
        else:
            self._versions[what] = store.version_of(content)

    async def _keep(self) -> NoReturn:
        """Carries out what is due; rests when nothing is."""
        while True:
            self._changed.clear()
            try:
                self._serve()
                step = self._next()
                if step is None:
                    await self._rest()
                else:
                    await self._carry_out(step)
                self._went_well("rotation")
            except Exception as error:  # noqa: BLE001 - nobody would go on
                self._erred("rotation", repr(error))
                await self._clock.sleep(self._retries.wait_seconds("rotation"))

    def _next(self) -> Step | None:
        """The most urgent step that does not have to wait."""
        for step in self._replica.steps(self._now()):
            if not self._retries.is_blocked(_write(step)):
                return step
        return None

    async def _rest(self) -> None:
        """Until something changes or is due."""
        due = self._replica.pause_seconds(self._now())
        seconds = min(due, LONGEST_PAUSE_SECONDS, *self._retries.waits())
        waits = [
            asyncio.ensure_future(self._clock.sleep(max(seconds, SHORTEST_SECONDS))),
            asyncio.ensure_future(self._changed.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    async def _carry_out(self, step: Step) -> None:
        what = _write(step)
        try:
            is_done = await self._written(step)
        except ClusterError as error:
            self._count(step, "failed")
            self._failed(what, error.message)
            return
        self._count(step, "made" if is_done else "lost")
        if is_done:
            self._went_well(what)
            self._retries.done(what)
        else:
            self._retries.lost(what)

    async def _written(self, step: Step) -> bool:
        """Carries out a step; whether it was not too late."""
        saw: _Saw
        if isinstance(step, Hold):
            place, saw = self._secret, self._saw_secret
            version = self._versions.get(_SECRET)
            if version is None and self._replica.unseen:
                await self._look_at_configurations()
            found = await store.hold(
                self._objects,
                place,
                step.holding,
                version=version,
                made_with=self._marks,
            )
        else:
            name = step.configuration
            place, saw = self._places[name], self._saw_configuration(name)
            seen = self._replica.configuration(name) or Configuration("", ())
            found = await store.publish(self._objects, place, seen, step.bundle)
        if found is None:
            await self._look(place, saw)
            return False
        saw(found)
        return True

    def _serve(self) -> None:
        """Takes the Secret's leaf into use, if it is time."""
        chosen = self._replica.chosen(self._now())
        refused = None if chosen is None else self._serving.take(chosen.pair)
        if chosen is not None and refused is None:
            self._replica.serving = chosen
            self._taken_at = self._objects.now()
            self._tell_taken(chosen)
        elif refused is not None and refused != self._refused:
            self._observer.reloaded("broken")
            self._observer.warned("certificate refused", detail=refused.text)
        self._refused = refused
        self._report()

    def _tell_taken(self, chosen: Served) -> None:
        self._observer.reloaded("taken")
        self._observer.said(
            "certificate taken",
            fingerprint=chosen.pair.fingerprint,
            issuer=fingerprint(chosen.issuer),
            notAfter=chosen.pair.not_after.isoformat(),
        )

    def _report(self) -> None:
        """Brings gauges up to date."""
        replica = self._replica
        if replica.serving is not None:
            self._observer.expiry("leaf", replica.serving.pair.not_after)
        if replica.holding and replica.holding.bundle:
            newest = replica.holding.bundle[-1]
            self._observer.expiry("authority", newest.not_valid_after_utc)
        is_damaged = _lacks_leaf(replica.holding)
        self._observer.refused(is_refused=is_damaged or self._refused is not None)
        self._observer.published(is_published=not replica.untrusting)

    def _count(self, step: Step, result: Result) -> None:
        if isinstance(step, Publish):
            self._observer.rotated("bundle", result)
            if result == "made":
                self._observer.said("caBundle published", configuration=_write(step))
            return
        for one in step.makes:
            self._observer.rotated(one, result)
        if result == "made":
            self._observer.said("certificate made", what=list(step.makes))

    def _failed(self, what: str, why: str) -> None:
        if self._retries.failed(what, why):
            self._observer.warned("certificate failure", what=what, detail=why)

    def _erred(self, what: str, why: str) -> None:
        """The same, by an exception of ours that is being handled."""
        if self._retries.failed(what, why):
            self._observer.erred("certificate failure", what=what, detail=why)

    def _went_well(self, what: str) -> None:
        if self._retries.went_well(what):
            self._observer.said("certificate recovered", what=what)

    def _now(self) -> Moment:
        return Moment(self._objects.now(), self._clock.monotonic())


def _lacks_leaf(holding: Holding | None) -> bool:
    """Whether the Secret has no leaf that can be used since something is broken."""
    return holding is not None and holding.leaf is None and bool(holding.flaws)


def _write(step: Step) -> str:
    """What a step writes."""
    return f"write {_SECRET if isinstance(step, Hold) else step.configuration}"
