import asyncio

import pytest

from app.cli.checking import images as images_module
from app.cli.checking.images import OFFLINE, Images, canonical, spec
from app.ports import ImageNotFound, Resolved
from tests.tools.doubles import AMD64, ARM64, FakeArtifacts, resolved, wants_module

NGINX = "docker.io/library/nginx:1"
SPEC = wants_module("a").encode()
TOLD: list[tuple[str, int, int]] = []


def told(what: str, done: int, total: int) -> None:
    TOLD.append((what, done, total))


@pytest.fixture(autouse=True)
def _silence() -> None:
    TOLD.clear()


def test_a_given_spec_holds_for_every_platform_and_asks_nobody() -> None:
    found = Images(None, {"nginx:1": SPEC}).at_hand(NGINX, [AMD64, ARM64])
    assert Resolved("", {AMD64: spec(SPEC), ARM64: spec(SPEC)}) == found


def test_images_are_known_by_any_of_their_names() -> None:
    images = Images(None, {NGINX: SPEC})
    assert images.has_spec("nginx:1")
    assert not images.has_spec("nginx:2")
    assert [] == images.unused(["nginx:1"])
    assert [NGINX] == images.unused(["nginx:2"])


def test_what_is_no_reference_goes_by_its_text() -> None:
    assert "A FILE" == canonical("A FILE")


def test_offline_nobody_is_asked() -> None:
    assert OFFLINE == Images(None, {}).at_hand("nginx:1", [AMD64])


async def test_every_image_is_looked_up_once() -> None:
    source = FakeArtifacts({"a": resolved("x"), "b": ImageNotFound("gone")})
    images = Images(source, {"c": SPEC})
    await images.look_up(["a", "b", "c"], {AMD64, ARM64}, told)
    await images.look_up(["a", "b", "c"], {AMD64}, told)
    await images.find("a", [AMD64], deadline_seconds=1.0)
    assert [("a", (AMD64, ARM64)), ("b", (AMD64, ARM64))] == source.asked
    assert resolved("x") == images.at_hand("a", [ARM64])
    assert ImageNotFound("gone") == images.at_hand("b", [ARM64])
    assert [("looking up a", 0, 2), ("looking up b", 0, 2)] == TOLD


async def test_a_platform_that_was_not_asked_for_is_looked_up_again() -> None:
    source = FakeArtifacts({"a": resolved("x")})
    images = Images(source, {})
    await images.look_up(["a"], {AMD64}, told)
    assert images.at_hand("a", [ARM64]) is None
    await images.find("a", [ARM64], deadline_seconds=1.0)
    assert [("a", (AMD64,)), ("a", (AMD64, ARM64))] == source.asked


async def test_workloads_on_different_platforms_do_not_take_turns_in_asking() -> None:
    source = FakeArtifacts({"a": resolved("x")})
    images = Images(source, {})
    for platform in (AMD64, ARM64, AMD64, ARM64):
        await images.find("a", [platform], deadline_seconds=1.0)
    assert 2 == len(source.asked)


@pytest.mark.parametrize("at_once", [1, 3])
async def test_only_so_many_are_looked_up_at_once(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(images_module, "AT_ONCE", at_once)
    running = most = 0

    class Slow(FakeArtifacts):
        async def find(self, image: str, *_: object, **__: object) -> Resolved:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            running -= 1
            return resolved(image)

    await Images(Slow(), {}).look_up([f"i{n}" for n in range(9)], [AMD64], told)
    assert at_once == most
