from __future__ import annotations

import pytest

from app.scheduling.candidates import Options
from app.scheduling.memo import MAX_REMEMBERED, MAX_SHAPE_BYTES, Memo, is_small
from app.scheduling.placement import NodeTerm, Placement
from app.scheduling.selector import Requirement
from app.scheduling.taints import Toleration

OPTIONS = Options()


def pod(number: int) -> Placement:
    return Placement(node_name=f"n{number}")


def remembered(memo: Memo[int], number: int) -> int | None:
    return memo.get(pod(number), OPTIONS, is_running=False)


def fill(memo: Memo[int], numbers: range) -> None:
    for number in numbers:
        memo.put(pod(number), OPTIONS, number, is_running=False)


def test_an_equal_placement_is_known_again() -> None:
    memo: Memo[int] = Memo()
    fill(memo, range(2))
    assert [0, 1, None] == [remembered(memo, number) for number in range(3)]


def test_other_options_and_a_running_pod_are_other_questions() -> None:
    memo: Memo[int] = Memo()
    fill(memo, range(1))
    assert memo.get(pod(0), Options(), is_running=False) is None
    assert memo.get(pod(0), OPTIONS, is_running=True) is None


def test_nothing_is_known_after_clear() -> None:
    memo: Memo[int] = Memo()
    fill(memo, range(MAX_REMEMBERED))
    memo.clear()
    assert [None, None] == [remembered(memo, 0), remembered(memo, MAX_REMEMBERED - 1)]


def test_as_many_answers_as_the_limit_are_kept() -> None:
    memo: Memo[int] = Memo()
    fill(memo, range(MAX_REMEMBERED))
    assert MAX_REMEMBERED == len(memo)
    fill(memo, range(MAX_REMEMBERED, MAX_REMEMBERED + 1))
    assert MAX_REMEMBERED // 2 + 1 == len(memo)
    assert MAX_REMEMBERED == remembered(memo, MAX_REMEMBERED)


def test_what_was_asked_for_meanwhile_outlives_what_was_not() -> None:
    memo: Memo[int] = Memo()
    fill(memo, range(MAX_REMEMBERED // 2 + 1))
    assert 0 == remembered(memo, 0)
    fill(memo, range(MAX_REMEMBERED // 2 + 1, MAX_REMEMBERED))
    assert [0, None] == [remembered(memo, 0), remembered(memo, 1)]


def shapes(size: int) -> list[Placement]:
    """Placements that take `size` bytes by estimate, each of another part."""
    requirement = Requirement("k" * (size - 64 * 7 - 17), "", ())
    text = "x" * (size - 64 * 3 - 17)
    return [
        Placement(node_name=text),
        Placement(os=text),
        Placement(node_selector=(("", text[: -64 * 2]),)),
        Placement(tolerations=(Toleration(value=text[: -64 * 4]),)),
        Placement(required_terms=(NodeTerm((requirement,)), NodeTerm())),
        Placement(required_terms=(NodeTerm((), (requirement,)), NodeTerm())),
        Placement(
            required_terms=(NodeTerm((Requirement("", "", (text[: -64 * 4],)),)),)
        ),
    ]


@pytest.mark.parametrize("part", range(7))
def test_a_shape_as_large_as_the_limit_is_kept_and_a_larger_one_not(part: int) -> None:
    assert is_small(shapes(MAX_SHAPE_BYTES)[part])
    assert not is_small(shapes(MAX_SHAPE_BYTES + 1)[part])
    memo: Memo[int] = Memo()
    memo.put(shapes(MAX_SHAPE_BYTES + 1)[part], OPTIONS, 1, is_running=False)
    assert 0 == len(memo)


def test_terms_that_ask_for_nothing_take_room_too() -> None:
    assert not is_small(Placement(required_terms=(NodeTerm(),) * MAX_SHAPE_BYTES))
