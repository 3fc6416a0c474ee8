"""Answers about Pods, remembered by shape.

Bounded twice: in answers, and in the size of a shape, which anyone may write.
What was asked for lately stays: answers live in two halves, and when the younger
is full, the older is dropped but for what was asked for meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Generic, TypeAlias, TypeVar

from app.scheduling.candidates import Options
from app.scheduling.placement import Placement

T = TypeVar("T")

MAX_REMEMBERED: Final = 1024
"""Answers that are kept; even, for there are two halves."""

MAX_SHAPE_BYTES: Final = 16_384
"""An estimate of what a Placement takes; the answer to a larger one is not kept."""

_PART_BYTES: Final = 64

_Key: TypeAlias = tuple[Placement, int, bool]


class Memo(Generic[T]):
    """Placement, options and whether the Pod runs -> answer.

    Options are known again by identity: equal ones are others.
    """

    def __init__(self) -> None:
        # An entry holds its options, so that no others can come by their id.
        self._young: dict[_Key, tuple[Options, T]] = {}
        self._old: dict[_Key, tuple[Options, T]] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(
        self, placement: Placement, options: Options, *, is_running: bool
    ) -> T | None:
        """The answer; `None` if it is not known."""
        key = (placement, id(options), is_running)
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.pop(key, None)
            if entry is None:
                return None
            self._keep(key, entry)
        return entry[1]

    def put(
        self, placement: Placement, options: Options, answer: T, *, is_running: bool
    ) -> None:
        """Remembers an answer that was not known, if its shape is small."""
        if is_small(placement):
            self._keep((placement, id(options), is_running), (options, answer))

    def clear(self) -> None:
        """Forgets all answers."""
        self._young.clear()
        self._old.clear()

    def _keep(self, key: _Key, entry: tuple[Options, T]) -> None:
        if len(self._young) >= MAX_REMEMBERED // 2:
            self._young, self._old = {}, self._young
        self._young[key] = entry


def is_small(placement: Placement) -> bool:
    """Whether a placement takes no more than `MAX_SHAPE_BYTES`, by estimate."""
    left = MAX_SHAPE_BYTES
    for text in _parts(placement):
        left -= len(text) + _PART_BYTES
        if left < 0:
            return False
    return True


def _parts(placement: Placement) -> Iterator[str]:
    """All texts that a Pod's author chooses, and an empty one for each that holds."""
    yield from (placement.node_name, placement.scheduler_name, placement.os)
    for pair in placement.node_selector:
        yield from pair
    for each in placement.tolerations:
        yield from (each.key, each.operator, each.value, each.effect)
    for term in placement.required_terms or ():
        yield ""
        for requirements in (term.match_expressions, term.match_fields):
            for one in requirements:
                yield from (one.key, one.operator)
                yield from one.values
