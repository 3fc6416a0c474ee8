"""Certificates of our own: the shell, on objects in memory and virtual time."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from app.certificates.own import SelfCertificates
from app.certificates.pair import Unusable
from app.certificates.rotation import Plan
from app.certificates.store import Place
from app.errors import ClusterError
from tests.tools.certifying import NAMES, Recorder, careless, handshake
from tests.tools.fakeobjects import (
    FakeObjects,
    VirtualTime,
    configuration,
    forbidden,
)

SECRETS = "/api/v1/namespaces/imagecompat/secrets"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
MUTATING = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
PLAN = Plan(
    names=NAMES,
    authority_seconds=9000,
    leaf_seconds=900,
    renew_at=2 / 3,
    publish_seconds=60,
)


class World:
    """An installation whose Secret is empty."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.objects = FakeObjects(self.time)
        self.objects.put(SECRETS, "tls", {"kind": "Secret"})
        self.objects.put(VALIDATING, "hooks", configuration(b"", b""))
        self.objects.put(MUTATING, "hooks", configuration(b""))
        self.told: list[Recorder] = []

    @asynccontextmanager
    async def replica(self, plan: Plan = PLAN) -> AsyncIterator[SelfCertificates]:
        self.told.append(Recorder())
        made = SelfCertificates(
            self.objects,
            plan,
            secret=Place(SECRETS, "tls"),
            configurations=[Place(VALIDATING, "hooks"), Place(MUTATING, "hooks")],
            observer=self.told[-1],
            clock=self.time.clock(),
        )
        async with made.running():
            yield made

    def data(self) -> dict[str, bytes]:
        found = self.objects.objects[SECRETS, "tls"]["data"]
        return {key: base64.b64decode(value) for key, value in found.items()}

    def bundles(self) -> set[str]:
        return {
            one["clientConfig"].get("caBundle", "")
            for kind in (VALIDATING, MUTATING)
            for one in self.objects.objects[kind, "hooks"]["webhooks"]
        }

    def events(self) -> list[object]:
        return [one["event"] for told in self.told for one in told.lines]

    def rotations(self, result: str = "made") -> list[str]:
        seen = [one for told in self.told for one in told.seen]
        return [one[0] for one in seen if one[1:] == (result,) and one[0] != "reload"]


@pytest.fixture
def world() -> World:
    return World()


def served(one: SelfCertificates) -> bytes:
    return handshake(one.context(), careless())


def leaf(one: SelfCertificates) -> object:
    return one.status()["fingerprint"] if one.status()["subject"] else None


async def test_a_first_start_serves_and_publishes(world: World) -> None:
    async with world.replica() as one:
        assert ("certificate: none yet",) == one.problems()
        await world.time.until(lambda: not one.problems())
        await one.available()
        assert world.time.seconds == 0
        assert ["authority", "leaf", "bundle", "bundle"] == world.rotations()
        (bundle,) = world.bundles()
        assert base64.b64encode(world.data()["ca.crt"]).decode() == bundle
        assert served(one)
        assert () == one.warnings()
        assert ("published", True) == world.told[0].seen[-1]
    assert "Helm" not in repr(world.events())


async def test_replicas_at_once_agree(world: World) -> None:
    async with AsyncExitStack() as stack:
        several = [await stack.enter_async_context(world.replica()) for _ in range(4)]
        await world.time.until(lambda: not any(one.problems() for one in several))
        assert 1 == len({served(one) for one in several})
    assert 1 == world.rotations().count("authority")
    assert world.rotations("lost")


async def test_leaves_and_authorities_are_renewed_in_time(world: World) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        seen = {leaf(one)}
        for _ in range(80):
            await world.time.passes(100)
            seen.add(leaf(one))
            assert ((), ()) == (one.problems(), one.warnings())
        status = one.status()
    assert 2 == world.rotations().count("authority")
    assert 2 == status["authorities"]
    assert 13 <= len(seen) <= 16
    ends = [one[2] for one in world.told[0].seen if one[:2] == ("expiry", "leaf")]
    assert sorted(ends) == ends


async def test_the_status_says_what_is_served(world: World) -> None:
    async with world.replica() as one:
        assert {
            "mode": "self",
            "secret": "tls",
            "subject": None,
            "issuerFingerprint": None,
            "authorities": 0,
            "published": False,
            "missingConfigurations": [],
            "lastRotation": None,
            "lastError": None,
        } == one.status()
        await world.time.until(lambda: not one.problems())
        status = dict(one.status())
    assert 64 == len(str(status.pop("fingerprint")))
    assert 64 == len(str(status.pop("issuerFingerprint")))
    assert str(status.pop("issuer")).startswith("CN=imagecompat authority ")
    assert {
        "mode": "self",
        "secret": "tls",
        "subject": f"CN={NAMES[0]},O=imagecompat",
        "names": list(NAMES),
        "notBefore": "2026-11-21T11:00:00+00:00",
        "notAfter": "2026-11-21T12:15:00+00:00",
        "authorities": 1,
        "published": True,
        "missingConfigurations": [],
        "lastRotation": "2026-11-21T12:00:00+00:00",
        "lastError": None,
    } == status


async def test_a_secret_that_is_made_carries_the_marks_of_its_release(
    world: World,
) -> None:
    """Helm leaves alone what does not; nobody has been seen when it is made."""
    marks = {
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "r", "other": "x"},
    }
    hooks = configuration(b"")
    world.objects.put(VALIDATING, "hooks", {**hooks, "metadata": marks})
    world.objects.delete(MUTATING, "hooks")
    world.objects.delete(SECRETS, "tls")
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
    found = world.objects.objects[SECRETS, "tls"]["metadata"]
    assert marks["labels"] == found["labels"]
    assert {"meta.helm.sh/release-name": "r"} == found["annotations"]


async def test_without_a_view_of_configurations_a_secret_is_made_all_the_same(
    world: World,
) -> None:
    world.objects.delete(SECRETS, "tls")
    world.objects.faults["get hooks"] = forbidden("get hooks")
    async with world.replica() as one:
        await world.time.until(lambda: leaf(one) is not None)
        assert 2 == len(one.problems())


async def test_a_watch_that_ends_in_time_is_no_failure(world: World) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        await world.time.passes(60)
        world.objects.end_watches()
        await world.time.settle()
        assert () == one.warnings()
        assert 2 == world.objects.calls.count("watch tls")


async def test_a_lost_race_is_no_failure(world: World) -> None:
    """Somebody writes the Secret between our look and our write."""

    def somebody() -> None:
        world.objects.put(SECRETS, "tls", {"kind": "Secret", "data": {}})

    world.objects.before_write = somebody
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        assert () == one.warnings()
    assert ["authority", "leaf"] == world.rotations("lost")
    assert [] == world.rotations("failed")


async def test_a_missing_secret_is_created(world: World) -> None:
    world.objects.delete(SECRETS, "tls")
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
    assert "create tls" in world.objects.calls
    assert "Opaque" == world.objects.objects[SECRETS, "tls"]["type"]


async def test_a_deleted_secret_stays_away_for_a_while(world: World) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        before = leaf(one)
        world.objects.delete(SECRETS, "tls")
        await world.time.passes(29)
        assert (SECRETS, "tls") not in world.objects.objects
        assert ((), before) == (one.problems(), leaf(one))
        await world.time.until(lambda: leaf(one) != before)
        assert 30 <= world.time.seconds
        assert () == one.problems()


async def test_without_any_configuration_a_deleted_secret_stays_away(
    world: World,
) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        world.objects.delete(VALIDATING, "hooks")
        world.objects.delete(MUTATING, "hooks")
        world.objects.delete(SECRETS, "tls")
        await world.time.passes(500)
        assert {} == world.objects.objects
        assert () == one.problems()
        assert 2 == len(_list(one.status()["missingConfigurations"]))


def _list(found: object) -> list[object]:
    assert isinstance(found, list)
    return found


async def test_damage_is_told_and_counted_where_a_leaf_is_refused(world: World) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        before = leaf(one)
        found = world.objects.objects[SECRETS, "tls"]
        broken = {**found["data"], "tls.key": base64.b64encode(b"x").decode()}
        world.objects.put(SECRETS, "tls", {**found, "data": broken})
        await world.time.until(lambda: leaf(one) != before)
        found = world.objects.objects[SECRETS, "tls"]
        twice = base64.b64encode(world.data()["ca.crt"] * 2).decode()
        doubled = {**found["data"], "ca.crt": twice}
        world.objects.put(SECRETS, "tls", {**found, "data": doubled})
        await world.time.settle()
    assert 2 == world.events().count("certificate secret damaged")
    assert ["taken", "broken", "taken"] == world.told[0].reloads()


async def test_a_leaf_is_refused_for_as_long_as_the_secret_is_broken(
    world: World,
) -> None:
    """Also where somebody puts the same one back before we have repaired it."""
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        assert world.told[0].is_refused is False
        before, found = leaf(one), world.objects.objects[SECRETS, "tls"]
        broken = {**found["data"], "tls.crt": base64.b64encode(b"x").decode()}
        world.objects.faults["merge"] = forbidden("merge tls")
        world.objects.put(SECRETS, "tls", {**found, "data": broken})
        await world.time.passes(5)
        assert world.told[0].is_refused is True
        world.objects.put(SECRETS, "tls", found)
        await world.time.settle()
        assert world.told[0].is_refused is False
        assert before == leaf(one)


async def test_a_repair_of_ours_ends_the_refusal(world: World) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        found = world.objects.objects[SECRETS, "tls"]
        broken = {**found["data"], "tls.crt": base64.b64encode(b"x").decode()}
        world.objects.put(SECRETS, "tls", {**found, "data": broken})
        before = leaf(one)
        await world.time.until(lambda: leaf(one) != before)
        await world.time.settle()
        assert world.told[0].is_refused is False


async def test_data_that_is_no_base64_is_damage(world: World) -> None:
    world.objects.put(SECRETS, "tls", {"data": {"ca.crt": "%%%"}})
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
    assert "certificate secret damaged" in world.events()


async def test_a_configuration_that_fails_does_not_hold_up_the_other(
    world: World,
) -> None:
    world.objects.put(VALIDATING, "broken", configuration(b""))
    world.objects.faults["patch hooks"] = forbidden("patch hooks")
    async with world.replica() as one:
        await world.time.passes(440)
        before = leaf(one)
        await world.time.passes(440)
        assert before != leaf(one)
        text = "patch hooks: the API server answered 403: no"
        assert text == one.status()["lastError"].split("; ")[0]  # type: ignore[attr-defined]
        assert f"certificate: rotation fails: {text}" in one.warnings()
        assert 2 == len(one.problems())
        del world.objects.faults["patch hooks"]
        await world.time.until(lambda: not one.problems() and not one.warnings())
    assert "certificate recovered" in world.events()
    assert 2 == world.events().count("certificate failure")


async def test_who_undoes_what_we_do_does_not_make_us_run_hot(world: World) -> None:
    """An injector that was not told to leave `caBundle` alone, for example."""
    patched = world.objects.patch
    is_undone = True

    async def undoing(*args: Any, **more: Any) -> bytes | None:
        done = await patched(*args, **more)
        if is_undone:
            world.objects.put(VALIDATING, "hooks", configuration(b"", b""))
        return done

    world.objects.patch = undoing  # type: ignore[method-assign]
    async with world.replica() as one:
        await world.time.passes(300)
        tries = world.objects.calls.count("patch hooks")
        assert 10 <= tries <= 25
        await world.time.until(lambda: leaf(one) is not None)
        is_undone = False
        await world.time.until(lambda: not one.problems())
        await world.time.passes(120)
        world.objects.put(VALIDATING, "hooks", configuration(b"", b""))
        before = world.time.seconds
        await world.time.until(lambda: not one.problems())
        assert before == world.time.seconds


async def test_pauses_grow_but_not_beyond_a_minute(world: World) -> None:
    world.objects.faults["merge"] = forbidden("merge tls")
    async with world.replica() as one:
        await world.time.passes(600)
        tries = world.objects.calls.count("merge tls")
        assert 20 <= tries <= 30
        assert (
            "certificate: none yet: merge tls: the API server answered 403: no",
        ) == one.problems()
        assert () == one.warnings()
    assert 1 == world.events().count("certificate failure")


async def test_what_cannot_be_watched_is_polled(world: World) -> None:
    world.objects.faults["watch"] = forbidden("watch")
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        world.objects.put(VALIDATING, "hooks", configuration(b""))
        await world.time.until(lambda: "" not in world.bundles())
        assert 3 == len(one.status()["lastError"].split("; "))  # type: ignore[attr-defined]


async def test_watches_that_end_at_once_are_a_failure(world: World) -> None:
    world.objects.watch_ends = True
    async with world.replica() as one:
        await world.time.passes(60)
        assert world.objects.calls.count("watch tls") < 12
        assert "it ends at once" in str(one.status()["lastError"])
        assert () == one.problems()


@pytest.mark.parametrize("verb", ["get", "watch", "merge", "patch"])
async def test_a_fault_of_ours_ends_nothing(world: World, verb: str) -> None:
    world.objects.faults[verb] = ZeroDivisionError("ours")
    async with world.replica() as one:
        await world.time.passes(10)
        assert "ours" in str(one.status()["lastError"])
        del world.objects.faults[verb]
        await world.time.until(lambda: not one.problems() and not one.warnings())
    failures = [x for x in world.told[0].lines if x["event"] == "certificate failure"]
    assert {"error"} == {one["level"] for one in failures}


async def test_an_answer_that_is_no_object_is_a_failure(world: World) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        world.objects.tell(SECRETS, "tls", b"[]")
        await world.time.until(one.warnings)
        assert "cannot be read" in one.warnings()[0]
        await world.time.until(lambda: not one.warnings())


async def test_an_event_that_is_older_than_our_write_is_left_out(
    world: World,
) -> None:
    """Else readiness would flicker, and the old leaf come back."""
    async with world.replica() as one:
        empty = json.dumps(world.objects.objects[VALIDATING, "hooks"]).encode()
        await world.time.until(lambda: not one.problems())
        tries = len(world.objects.calls)
        world.objects.tell(VALIDATING, "hooks", empty)
        await world.time.settle()
        assert () == one.problems()
        assert tries == len(world.objects.calls)


async def test_the_end_of_a_leaf_is_warned_of_and_then_a_problem(
    world: World,
) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        for verb in ("get", "watch", "merge", "create", "patch"):
            world.objects.faults[verb] = ClusterError("Timeout", f"{verb}: silence")
        await world.time.passes(870)
        assert "certificate: it ends at 2026-11-21T12:15:00+00:00" in one.warnings()
        assert () == one.problems()
        await world.time.passes(31)
        ended = "certificate: it ended at 2026-11-21T12:15:00+00:00"
        assert (ended,) == one.problems()
        assert served(one)


async def test_a_leaf_that_tls_refuses_keeps_what_is_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        before = served(one)
        serving = one._serving
        refusal = Unusable("Refused", "TLS refuses the pair: NO")
        monkeypatch.setattr(serving, "take", lambda _: refusal)
        await world.time.passes(610)
        assert world.told[0].is_refused is True
        assert before == served(one)
        assert before == serving.pair.leaf.public_bytes(Encoding.DER)  # type: ignore[union-attr]
    assert 1 == world.events().count("certificate refused")


async def test_no_key_is_told(world: World) -> None:
    async with world.replica() as one:
        await world.time.until(lambda: not one.problems())
        told: list[Any] = [world.told, one.status(), vars(one), vars(one._replica)]
        told += [one.problems(), one.warnings(), vars(one._serving)]
        text = repr(told)
        keys = world.data()["ca.key"] + world.data()["tls.key"]
    lines = [line for line in keys.decode().splitlines() if "-" not in line]
    assert lines
    assert not [line for line in lines if line in text]


async def test_without_configurations_there_is_nothing_to_publish(
    world: World,
) -> None:
    made = SelfCertificates(
        world.objects,
        replace(PLAN),
        secret=Place(SECRETS, "tls"),
        configurations=(),
        clock=world.time.clock(),
    )
    async with made.running():
        await world.time.until(lambda: not made.problems())
        before = leaf(made)
        await world.time.until(lambda: leaf(made) != before)
