"""Hosts that fail are left alone for a while, and tried again with one request."""

from dataclasses import dataclass, field

import pytest

from app.oci import breaker
from app.oci.breaker import Breaker, State, Way

WAY = Way("r.example", "r.example")
OTHER = Way("s.example", "s.example")


@dataclass
class Told:
    """Implements `Observer`."""

    events: list[tuple[str, Way]] = field(default_factory=list)

    def opened(self, way: Way) -> None:
        self.events.append(("opened", way))

    def closed(self, way: Way) -> None:
        self.events.append(("closed", way))


@dataclass
class Scene:
    """A breaker that opens for 30 s after 3 failures, a clock, and what was told."""

    now: float = 100.0
    told: Told = field(default_factory=Told)

    def __post_init__(self) -> None:
        self.breaker = Breaker(3, 30.0, lambda: self.now, self.told)

    def fail(self, times: int, way: Way = WAY) -> None:
        for _ in range(times):
            assert self.breaker.admits(way)
            self.breaker.failed(way)

    @property
    def state(self) -> State:
        found = [state for state, count in self.breaker.states().items() if count]
        return found[0] if found else State.CLOSED


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(
    ("failures", "state"), [(0, "closed"), (2, "closed"), (3, "open")]
)
def test_so_many_failures_in_a_row_open_a_circuit(
    failures: int, state: str, scene: Scene
) -> None:
    scene.fail(failures)
    assert state == scene.state
    assert (state == "closed") is scene.breaker.admits(WAY)
    assert (state == "closed") is scene.breaker.is_closed(WAY)


def test_an_answer_between_makes_the_row_begin_anew(scene: Scene) -> None:
    scene.fail(2)
    scene.breaker.answered(WAY)
    scene.fail(2)
    assert State.CLOSED is scene.state


def test_what_tells_nothing_of_a_host_ends_no_row(scene: Scene) -> None:
    scene.fail(2)
    scene.breaker.released(WAY)
    scene.breaker.released(OTHER)
    scene.fail(1)
    assert State.OPEN is scene.state


def test_another_host_is_asked_meanwhile(scene: Scene) -> None:
    scene.fail(3)
    assert not scene.breaker.admits(WAY)
    assert scene.breaker.admits(OTHER)


def test_a_registry_that_redirects_to_where_it_fails_hurts_only_itself(
    scene: Scene,
) -> None:
    scene.fail(3, Way("evil.example", "r.example"))
    assert scene.breaker.admits(WAY)


@pytest.mark.parametrize(
    ("later", "state"), [(0.0, "open"), (29.9, "open"), (30.0, "half open")]
)
def test_an_open_circuit_is_tried_after_its_time(
    later: float, state: str, scene: Scene
) -> None:
    scene.fail(3)
    scene.now += later
    assert state == scene.state
    assert (state == "half open") is scene.breaker.admits(WAY)
    assert not scene.breaker.admits(WAY), "by one request only"


def test_a_probe_that_is_answered_closes_the_circuit(scene: Scene) -> None:
    scene.fail(3)
    scene.now += 30
    assert scene.breaker.admits(WAY)
    scene.breaker.answered(WAY)
    assert State.CLOSED is scene.state
    scene.fail(2)
    assert State.CLOSED is scene.state, "the row begins anew"


def test_a_probe_that_fails_opens_the_circuit_for_as_long_again(scene: Scene) -> None:
    scene.fail(3)
    scene.now += 30
    scene.fail(1)
    states = []
    for later in (29.9, 0.1):
        scene.now += later
        states.append(scene.state)
    assert [State.OPEN, State.HALF_OPEN] == states


def test_a_probe_that_told_nothing_lets_the_next_one_through(scene: Scene) -> None:
    scene.fail(3)
    scene.now += 30
    assert scene.breaker.admits(WAY)
    scene.breaker.released(WAY)
    assert scene.breaker.admits(WAY)


def test_requests_that_were_under_way_do_not_keep_a_circuit_open(scene: Scene) -> None:
    """They fail late, one after the other, and say nothing new."""
    scene.fail(3)
    scene.now += 29
    scene.breaker.failed(WAY)
    scene.now += 1
    assert scene.breaker.admits(WAY)


def test_changes_are_told_once(scene: Scene) -> None:
    scene.fail(3)
    scene.breaker.failed(WAY)
    scene.now += 30
    scene.fail(1)
    scene.now += 30
    assert scene.breaker.admits(WAY)
    scene.breaker.answered(WAY)
    scene.breaker.answered(WAY)
    assert [("opened", WAY), ("closed", WAY)] == scene.told.events


def test_a_breaker_needs_no_observer() -> None:
    found = Breaker(1, 1.0, lambda: 0.0)
    found.failed(WAY)
    found.answered(WAY)
    assert found.admits(WAY)


def test_hosts_that_answer_take_no_room(scene: Scene) -> None:
    for number in range(100):
        way = Way(f"{number}.example", "r.example")
        assert scene.breaker.admits(way)
        scene.breaker.answered(way)
    assert 0 == len(scene.breaker)


def test_hosts_that_fail_are_bounded_and_the_last_ones_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "MAX_CIRCUITS", 2)
    ways = [Way(f"{number}.example", "r.example") for number in range(3)]
    for way in ways[:2]:
        scene.fail(3, way)
    assert 2 == len(scene.breaker)
    scene.fail(3, ways[2])
    assert [True, False, False] == [scene.breaker.admits(way) for way in ways]
