"""Hosts that fail are left alone for a while, and tried again with one request."""

from dataclasses import dataclass, field

import pytest

from app.oci.registry import breaker
from app.oci.registry.breaker import Breaker, State, Way

WAY = Way("r.example", "r.example")
OTHER = Way("s.example", "s.example")
IN_A = Way("r.example", "r.example", repository="team/a")
IN_B = Way("r.example", "r.example", repository="team/b")


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


def test_a_repository_that_fails_is_left_alone_and_no_other_one(scene: Scene) -> None:
    """However often it fails: who makes a path fail, hurts nobody else."""
    for _ in range(3):
        assert scene.breaker.admits(IN_A)
        scene.breaker.faulted(IN_A)
    assert [("opened", IN_A)] == scene.told.events
    assert [False, True, True] == [scene.breaker.admits(w) for w in (IN_A, IN_B, WAY)]


@pytest.mark.parametrize(("repositories", "is_open"), [(2, False), (3, True)])
def test_so_many_repositories_that_fail_in_a_row_are_their_hosts_failure(
    repositories: int, is_open: bool, scene: Scene
) -> None:
    for _ in range(2):
        for number in range(repositories):
            scene.breaker.faulted(WAY._replace(repository=f"r{number}"))
    assert is_open is not scene.breaker.admits(IN_B)


def test_failures_of_a_host_and_of_its_repositories_count_together(
    scene: Scene,
) -> None:
    scene.breaker.failed(IN_A)
    scene.breaker.faulted(IN_A)
    assert scene.breaker.is_closed(IN_B)
    scene.breaker.failed(IN_A)
    assert not scene.breaker.is_closed(IN_B)


def test_one_repository_alone_never_stands_for_its_host() -> None:
    found = Breaker(1, 30.0, lambda: 0.0)
    found.faulted(IN_A)
    assert [False, True] == [found.admits(IN_A), found.admits(IN_B)]
    found.faulted(IN_B)
    assert not found.admits(WAY._replace(repository="c"))


def test_an_answer_of_one_repository_makes_its_hosts_row_begin_anew(
    scene: Scene,
) -> None:
    for name in ("r1", "r2"):
        scene.breaker.faulted(WAY._replace(repository=name))
    scene.breaker.answered(IN_B)
    scene.breaker.faulted(IN_A)
    assert scene.breaker.is_closed(IN_B)
    assert 4 == len(scene.breaker), "three repositories, and the host"


def test_what_one_mirror_serves_of_a_registry_says_nothing_of_another(
    scene: Scene,
) -> None:
    mine = Way("mirror.example", "mirror.example", "?ns=evil.example", "a")
    for number in range(9):
        scene.breaker.failed(mine)
        scene.breaker.faulted(mine._replace(repository=f"r{number}"))
    assert not scene.breaker.admits(mine)
    assert scene.breaker.admits(mine._replace(place="?ns=docker.io"))


def test_repositories_are_told_apart_up_to_a_bound() -> None:
    """From then on they are several in any case, and each failure counts."""
    found = Breaker(breaker.MAX_FAULTY + 2, 30.0, lambda: 0.0)
    for number in range(breaker.MAX_FAULTY):
        found.faulted(WAY._replace(repository=f"r{number}"))
    assert breaker.MAX_FAULTY == len(found._circuits[WAY].faulty)
    found.faulted(IN_A)
    assert found.is_closed(IN_B)
    found.faulted(IN_A)
    assert not found.is_closed(IN_B)
    assert breaker.MAX_FAULTY + 2 == len(found), "repositories, and the host"


def test_the_host_is_left_alone_by_lookups_of_all_repositories(scene: Scene) -> None:
    for name in ("a", "b", "c"):
        assert scene.breaker.admits(WAY._replace(repository=name))
        scene.breaker.failed(WAY._replace(repository=name))
    assert not scene.breaker.admits(IN_A)
    assert [("opened", WAY)] == scene.told.events


def test_the_probe_of_a_host_may_be_about_any_repository(scene: Scene) -> None:
    scene.fail(3)
    scene.now += 30
    assert [True, False] == [scene.breaker.admits(IN_A), scene.breaker.admits(IN_B)]
    scene.breaker.answered(IN_A)
    assert scene.breaker.admits(IN_B)


def test_a_probe_that_fails_for_its_repository_only_lets_the_next_one_through(
    scene: Scene,
) -> None:
    """Else a repository that always fails would keep a host closed that is well."""
    scene.fail(3)
    scene.now += 30
    for way in (IN_A, IN_A, IN_B):
        assert scene.breaker.admits(way)
        scene.breaker.faulted(way)
    third = WAY._replace(repository="c")
    assert scene.breaker.admits(third)
    scene.breaker.faulted(third)
    assert not scene.breaker.admits(WAY), "three in a row"


def test_a_repository_that_is_left_alone_takes_no_probe_of_its_host(
    scene: Scene,
) -> None:
    scene.fail(3)
    scene.now += 30
    for _ in range(3):
        scene.breaker.faulted(IN_A)
    assert not scene.breaker.admits(IN_A)
    assert scene.breaker.admits(IN_B)


@pytest.mark.parametrize("end", ["failed", "released", "answered", "faulted"])
def test_a_repositorys_probe_ends_however_its_request_ends(
    end: str, scene: Scene
) -> None:
    for _ in range(3):
        scene.breaker.faulted(IN_A)
    scene.now += 30
    assert [True, False] == [scene.breaker.admits(IN_A), scene.breaker.admits(IN_A)]
    getattr(scene.breaker, end)(IN_A)
    scene.now += 30
    assert scene.breaker.admits(IN_A)


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
    for _ in range(3):
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
