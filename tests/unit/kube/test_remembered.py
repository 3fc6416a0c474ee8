"""What is remembered: for how long, how many, and how much."""

from app.kube.remembered import Remembered
from tests.tools.scripted import FakeTime


def remembered(
    time: FakeTime, *, most: int = 3, most_bytes: int = 10
) -> Remembered[str, int]:
    return Remembered(time.clock(), most=most, most_bytes=most_bytes)


def test_a_value_holds_until_its_time() -> None:
    time = FakeTime()
    known = remembered(time)
    known.put("a", 1, seconds=10.0, size_bytes=1)
    time.now += 9.9
    assert 1 == known.get("a")
    time.now += 0.1
    assert None is known.get("a")
    assert 0 == len(known)


def test_the_least_recently_used_goes_first() -> None:
    known = remembered(FakeTime())
    for at, name in enumerate("abc"):
        known.put(name, at, seconds=10.0, size_bytes=0)
    known.get("a")
    known.put("d", 3, seconds=10.0, size_bytes=0)
    assert [0, None, 2, 3] == [known.get(name) for name in "abcd"]


def test_bytes_are_bounded_and_given_back() -> None:
    known = remembered(FakeTime())
    known.put("a", 1, seconds=10.0, size_bytes=5)
    known.put("a", 2, seconds=10.0, size_bytes=5)
    known.put("b", 3, seconds=10.0, size_bytes=5)
    assert [2, 3] == [known.get(name) for name in "ab"]
    known.put("c", 4, seconds=10.0, size_bytes=1)
    assert [None, 3, 4] == [known.get(name) for name in "abc"]


def test_what_is_larger_than_all_may_be_is_not_kept() -> None:
    known = remembered(FakeTime())
    known.put("a", 1, seconds=10.0, size_bytes=10)
    assert 1 == known.get("a")
    known.put("b", 1, seconds=10.0, size_bytes=11)
    assert None is known.get("b")
