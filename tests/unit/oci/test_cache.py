import pytest

from app.oci.cache import ENTRY_BYTES, TimedCache


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def cache(time: Time) -> TimedCache[str, int]:
    """Room for three entries of ten bytes."""
    return TimedCache(time, most_bytes=3 * (ENTRY_BYTES + 10))


def put(cache: TimedCache[str, int], *keys: str) -> None:
    for key in keys:
        cache.put(key, len(key), seconds=60, content_bytes=10)


def kept(cache: TimedCache[str, int], keys: str) -> str:
    return "".join(key for key in keys if cache.get(key) is not None)


def test_an_entry_holds_until_its_time(cache: TimedCache[str, int], time: Time) -> None:
    put(cache, "a")
    time.now += 59.9
    assert 1 == cache.get("a")
    time.now += 0.1
    assert cache.get("a") is None
    assert 0 == len(cache)
    assert 0 == cache.size_bytes


def test_what_was_never_put_is_not_there(cache: TimedCache[str, int]) -> None:
    assert cache.get("a") is None


def test_as_many_bytes_as_the_bound_are_kept(cache: TimedCache[str, int]) -> None:
    put(cache, "a", "b", "c")
    assert "abc" == kept(cache, "abc")


def test_one_byte_more_ends_the_oldest(cache: TimedCache[str, int]) -> None:
    put(cache, "a", "b")
    cache.put("c", 1, seconds=60, content_bytes=11)
    assert "bc" == kept(cache, "abc")


def test_what_was_used_last_stays_longest(cache: TimedCache[str, int]) -> None:
    put(cache, "a", "b", "c")
    assert 1 == cache.get("a")
    put(cache, "d")
    assert "acd" == kept(cache, "abcd")


def test_an_entry_as_large_as_the_bound_is_kept_and_a_larger_one_is_not(
    cache: TimedCache[str, int],
) -> None:
    put(cache, "a")
    most = 3 * (ENTRY_BYTES + 10) - ENTRY_BYTES
    cache.put("b", 1, seconds=60, content_bytes=most + 1)
    assert "a" == kept(cache, "ab")
    cache.put("b", 1, seconds=60, content_bytes=most)
    assert "b" == kept(cache, "ab")


def test_a_value_that_is_too_large_still_takes_its_forerunner_away(
    cache: TimedCache[str, int],
) -> None:
    put(cache, "a")
    cache.put("a", 2, seconds=60, content_bytes=1 << 20)
    assert cache.get("a") is None


def test_putting_again_replaces_and_counts_once(cache: TimedCache[str, int]) -> None:
    put(cache, "a", "a", "a", "b", "c")
    assert "abc" == kept(cache, "abc")


def test_dropping_frees_its_room(cache: TimedCache[str, int]) -> None:
    put(cache, "a", "b", "c")
    cache.drop("b")
    cache.drop("unknown")
    put(cache, "d")
    assert "acd" == kept(cache, "abcd")


def test_what_ended_and_was_used_least_leaves_as_others_come(
    cache: TimedCache[str, int], time: Time
) -> None:
    """Names that nobody asks for again take no room for long."""
    put(cache, "a", "b")
    time.now += 60
    put(cache, "c")
    assert 1 == len(cache)
    assert ENTRY_BYTES + 10 == cache.size_bytes


def test_what_still_holds_stays_as_others_come(
    cache: TimedCache[str, int], time: Time
) -> None:
    put(cache, "a")
    time.now += 59.9
    put(cache, "b")
    assert "ab" == kept(cache, "ab")


def test_what_ends_at_once_does_not_take_itself_away(
    cache: TimedCache[str, int],
) -> None:
    """It is not there to be had, and no harm is done."""
    cache.put("a", 1, seconds=0, content_bytes=10)
    assert cache.get("a") is None


def test_what_ended_is_not_said_to_have_gone_for_want_of_room(time: Time) -> None:
    evicted: list[None] = []
    cache: TimedCache[str, int] = TimedCache(
        time, most_bytes=2 * (ENTRY_BYTES + 10), evicted=lambda: evicted.append(None)
    )
    put(cache, "a", "b")
    time.now += 60
    put(cache, "c", "d")
    assert [] == evicted
    put(cache, "e")
    assert [None] == evicted
