"""Files that change under a running server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from app.certificates.files import FileCertificates
from app.certificates.pair import Pair
from app.certificates.watching import Clock
from tests.tools.certifying import NOW, Recorder, Time, careless, handshake, leaf

OLD = leaf()
NEW = leaf()
ENDED = leaf(now=NOW - timedelta(days=2), days=1)
EARLY = leaf(now=NOW + timedelta(days=0.5))


class Folder:
    """A folder with a pair, as a mounted Secret by default."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.states = 0

    def swap(self, chain: bytes, key: bytes) -> None:
        """As the kubelet does: a new folder, then one link to it."""
        self.states += 1
        state = self.path / f"..{self.states}"
        state.mkdir()
        (state / "tls.crt").write_bytes(chain)
        (state / "tls.key").write_bytes(key)
        link = self.path / "..data_tmp"
        link.symlink_to(state.name)
        link.rename(self.path / "..data")
        for name in ("tls.crt", "tls.key"):
            file = self.path / name
            if not file.is_symlink():
                file.symlink_to(f"..data/{name}")

    def write(self, chain: bytes, key: bytes) -> None:
        """As a person does."""
        (self.path / "tls.crt").write_bytes(chain)
        (self.path / "tls.key").write_bytes(key)


class World:
    """Certificates on a folder."""

    def __init__(self, path: Path, **more: Any) -> None:
        self.folder = Folder(path)
        self.time = Time()
        self.told = Recorder()
        self.certificates = FileCertificates(
            path / "tls.crt",
            path / "tls.key",
            check_seconds=10,
            observer=self.told,
            clock=Clock(now=self.time, **more),
        )

    def served(self) -> bytes:
        return handshake(self.certificates.context(), careless())


def der(pair: Pair) -> bytes:
    return pair.leaf.public_bytes(Encoding.DER)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("how", [Folder.swap, Folder.write])
def test_a_new_pair_is_served(
    world: World, how: Callable[[Folder, bytes, bytes], None]
) -> None:
    how(world.folder, OLD.chain, OLD.key)
    world.certificates.check()
    assert der(OLD) == world.served()
    how(world.folder, NEW.chain, NEW.key)
    world.certificates.check()
    assert der(NEW) == world.served()
    assert ["taken", "taken"] == world.told.reloads()
    assert ((), ()) == (world.certificates.problems(), world.certificates.warnings())


def test_what_did_not_change_is_not_taken_again(world: World) -> None:
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    assert ["taken"] == world.told.reloads()


@pytest.mark.parametrize(
    ("said", "chain", "key"),
    [
        pytest.param("does not belong", NEW.chain, OLD.key, id="another key"),
        pytest.param("no PEM certificate", b"", b"", id="empty"),
        pytest.param("no PEM key", NEW.chain, NEW.key[:99], id="half a key"),
        pytest.param(
            "ended at 2026-11-20",
            ENDED.chain,
            ENDED.key,
            id="ended",
        ),
        pytest.param(
            "begins at 2026-11-21T23",
            EARLY.chain,
            EARLY.key,
            id="not yet good",
        ),
    ],
)
def test_a_broken_new_pair_keeps_the_old_one(
    world: World, said: str, chain: bytes, key: bytes
) -> None:
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    world.folder.swap(chain, key)
    world.certificates.check()
    world.certificates.check()
    assert der(OLD) == world.served()
    assert ["taken", "broken"] == world.told.reloads()
    assert world.told.is_refused is True
    assert () == world.certificates.problems()
    (warning,) = world.certificates.warnings()
    assert said in warning
    assert warning.endswith("the one before is kept")
    world.folder.swap(NEW.chain, NEW.key)
    world.certificates.check()
    assert world.told.is_refused is False
    assert der(NEW) == world.served()
    assert () == world.certificates.warnings()


def test_files_that_vanish_keep_what_is_served(world: World) -> None:
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    (world.folder.path / "..data").unlink()
    world.certificates.check()
    assert der(OLD) == world.served()
    (warning,) = world.certificates.warnings()
    assert "No such file or directory" in warning


def test_links_in_a_circle_are_a_warning(world: World) -> None:
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    link = world.folder.path / "..data"
    link.unlink()
    link.symlink_to("..data")
    world.certificates.check()
    assert der(OLD) == world.served()
    assert 1 == len(world.certificates.warnings())


def test_a_pair_of_the_future_is_taken_when_its_time_comes(world: World) -> None:
    later = leaf(now=NOW + timedelta(days=1))
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    world.folder.swap(later.chain, later.key)
    world.certificates.check()
    world.time.advance(days=1)
    world.certificates.check()
    assert der(later) == world.served()
    assert () == world.certificates.warnings()


def test_without_any_other_a_pair_of_the_future_is_taken(world: World) -> None:
    """The clock that is wrong may be ours."""
    later = leaf(now=NOW + timedelta(days=1))
    world.folder.swap(later.chain, later.key)
    world.certificates.check()
    assert der(later) == world.served()


def test_both_files_are_read_from_one_state(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A swap between the two reads is not seen as another key."""
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    world.folder.swap(NEW.chain, NEW.key)
    opened = Path.open
    swaps = [lambda: world.folder.swap(OLD.chain, OLD.key)]

    def swapping(path: Path, *rest: Any, **more: Any) -> Any:
        file = opened(path, *rest, **more)
        if path.name == "tls.crt" and swaps:
            swaps.pop()()
        return file

    monkeypatch.setattr(Path, "open", swapping)
    world.certificates.check()
    assert not swaps
    assert der(NEW) == world.served()
    assert ["taken", "taken"] == world.told.reloads()


def test_a_state_that_goes_away_while_it_is_read_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.folder.swap(OLD.chain, OLD.key)
    opened = Path.open
    faults = [FileNotFoundError(2, "No such file or directory", "tls.key")]

    def failing(path: Path, *rest: Any, **more: Any) -> Any:
        if path.name == "tls.key" and faults:
            raise faults.pop()
        return opened(path, *rest, **more)

    monkeypatch.setattr(Path, "open", failing)
    world.certificates.check()
    assert ["taken"] == world.told.reloads()


async def test_without_a_good_pair_it_waits_and_says_why(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert ("not read yet",) == tuple(
        one[-12:] for one in world.certificates.problems()
    )
    async with world.certificates.running():
        waiting = asyncio.create_task(world.certificates.available())
        (problem,) = world.certificates.problems()
        assert problem.endswith("No such file or directory")
        assert () == world.certificates.warnings()
        assert None is world.certificates.status()["subject"]
        assert not waiting.done()
        world.folder.write(OLD.chain, OLD.key)
        world.certificates.check()
        await waiting
    assert () == world.certificates.problems()


async def test_files_are_looked_at_again_and_again(tmp_path: Path) -> None:
    slept: list[float] = []
    pauses: asyncio.Queue[None] = asyncio.Queue()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await pauses.get()

    world = World(tmp_path, sleep=sleep)
    world.folder.swap(OLD.chain, OLD.key)
    async with world.certificates.running():
        assert der(OLD) == world.served()
        world.folder.swap(NEW.chain, NEW.key)
        while len(slept) < 2:
            pauses.put_nowait(None)
            await asyncio.sleep(0)
        assert der(NEW) == world.served()
    assert {10} == set(slept)


async def test_a_fault_of_ours_does_not_end_the_looking(tmp_path: Path) -> None:
    pauses: asyncio.Queue[None] = asyncio.Queue()

    async def sleep(_: float) -> None:
        await pauses.get()

    world = World(tmp_path, sleep=sleep)
    world.folder.swap(OLD.chain, OLD.key)
    async with world.certificates.running():
        world.folder.swap(NEW.chain, NEW.key)
        now = world.time.now
        world.time.now = None  # type: ignore[assignment]
        pauses.put_nowait(None)
        while len(world.told.lines) < 2:  # noqa: ASYNC110 - no event there
            await asyncio.sleep(0)
        assert "certificate check failed" == world.told.lines[-1]["event"]
        world.time.now = now
        pauses.put_nowait(None)
        while ["taken", "taken"] != world.told.reloads():  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert der(NEW) == world.served()


def test_the_end_of_a_certificate_is_warned_of_and_then_a_problem(
    world: World,
) -> None:
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    world.time.advance(days=80)
    assert () == world.certificates.warnings()
    world.time.advance(days=2)
    ends = "certificate: it ends at 2027-02-19T12:00:00+00:00"
    assert (ends,) == world.certificates.warnings()
    assert () == world.certificates.problems()
    world.time.advance(days=8)
    ended = "certificate: it ended at 2027-02-19T12:00:00+00:00"
    assert (ended,) == world.certificates.problems()
    assert () == world.certificates.warnings()


def test_the_status_says_what_is_served_and_what_went_wrong(world: World) -> None:
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    world.folder.swap(OLD.chain, NEW.key)
    world.certificates.check()
    status = world.certificates.status()
    assert {
        "mode": "files",
        "file": str(world.folder.path / "tls.crt"),
        "subject": "CN=imagecompat.imagecompat.svc,O=imagecompat",
        "names": ["imagecompat.imagecompat.svc", "imagecompat.imagecompat"],
        "notBefore": "2026-11-21T11:00:00+00:00",
        "notAfter": "2027-02-19T12:00:00+00:00",
        "fingerprint": OLD.fingerprint,
        "issuer": OLD.leaf.issuer.rfc4514_string(),
        "lastRotation": "2026-11-21T12:00:00+00:00",
        "lastError": "the key does not belong to the certificate",
    } == status


def test_nothing_that_is_told_holds_a_key(world: World) -> None:
    world.folder.swap(OLD.chain, OLD.key)
    world.certificates.check()
    world.folder.swap(OLD.key, NEW.key)
    world.certificates.check()
    told = repr((world.told, world.certificates.status(), vars(world.certificates)))
    told += repr(world.certificates.warnings())
    for key in (OLD.key, NEW.key):
        assert not [one for one in key.splitlines() if one.decode() in told]
