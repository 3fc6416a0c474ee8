"""A `WhatIf` as values, and all that is wrong with its file, each with its place.

It is read as suites are (`app.cli.suites.fields`), which know where each value stands.
What says nothing is refused, too: a step without effect is a mistake in what was typed,
and would answer another question than the one that was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from app.cli.suites.fields import Reader, Record
from app.cli.suites.suite import Place
from app.compat.limits import Limits
from app.compat.yaml11 import Value

KIND: Final = "WhatIf"
MAX_BYTES: Final = 1 << 20
"""Of a `WhatIf`; what is larger is a file of nodes."""

LIMITS: Final = Limits(bytes=MAX_BYTES, nodes=100_000)

_CHANGES: Final = ("attributes", "flags", "instances", "unpublish", "labels")
_STEP: Final = ("nodes", "remove", *_CHANGES)
_WHICH: Final = ("names", "selector", "all")

_Set = TypeVar("_Set")


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """The nodes of a step; one of these.

    Attributes:
        place: where that is said.
        names: of nodes.
        selector: of labels.
        every: all that are there.
    """

    place: Place
    names: tuple[str, ...] = ()
    selector: str = ""
    every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What becomes of some nodes.

    Attributes:
        nodes: which.
        remove: they go; then nothing else is said.
        attributes: feature -> element -> value, or `None` for what goes.
        flags: feature -> element -> whether it is published.
        instances: feature -> all its devices.
        unpublish: feature that goes -> where that is said.
        labels: key -> value, or `None` for what goes.
    """

    nodes: Which
    remove: bool
    attributes: Mapping[str, Mapping[str, str | None]]
    flags: Mapping[str, Mapping[str, bool]]
    instances: Mapping[str, tuple[Mapping[str, str], ...]]
    unpublish: Mapping[str, Place]
    labels: Mapping[str, str | None]

    @property
    def has_features(self) -> bool:
        """Whether it changes features of nodes."""
        return bool(self.attributes or self.flags or self.instances or self.unpublish)


def read(content: bytes, file: str) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """The steps of a file, and all that is wrong with it, each with its place.

    Args:
        content: of the file.
        file: its path, for places.
    """
    reader = Reader(file)
    root = reader.root(content, LIMITS)
    if root is None:
        return (), tuple(reader.problems)
    top = reader.record(root, KIND, ("apiVersion", "kind", "steps"))
    if top is None:
        return (), tuple(reader.problems)
    values = reader.items(top, "steps")
    if not values and not reader.problems:
        wanted = "steps: expected a list with at least one"
        reader.add(reader.place(top.get("steps", root)), wanted)
    found = tuple(_step(value, reader) for value in values)
    return tuple(one for one in found if one is not None), tuple(reader.problems)


def _step(value: Value, reader: Reader) -> Step | None:
    record = reader.record(value, "step", _STEP)
    if record is None:
        return None
    which = _which(value, record, reader)
    remove = _boolean(record, "remove", reader)
    _refuse_idle(value, record, reader, remove=remove)
    attributes = _sets(record, "attributes", reader, _text_or_null)
    flags = _sets(record, "flags", reader, _is_on)
    if which is None:
        return None
    return Step(
        nodes=which,
        remove=remove,
        attributes=attributes,
        flags=flags,
        instances=_instances(record, reader),
        unpublish=_unpublished(record, reader),
        labels=_each(record, "labels", reader, _text_or_null),
    )


def _refuse_idle(value: Value, record: Record, reader: Reader, *, remove: bool) -> None:
    given = [key for key in _CHANGES if key in record]
    if not given and "remove" not in record:
        words = ", ".join(("remove", *_CHANGES))
        reader.add(reader.place(value), f"step: expected one of {words}, got none")
    elif not given and not remove:
        place = reader.place(record["remove"])
        reader.add(place, "remove: expected true, or another change")
    elif given and remove:
        place = reader.place(record[given[0]], key=True)
        text = f"{given[0]}: says nothing of nodes that go (remove: true)"
        reader.add(place, text)


# Which nodes ----------------------------------------------------------------------


def _which(value: Value, step: Record, reader: Reader) -> Which | None:
    wanted = "expected one of names, selector, all: true"
    nodes = step.get("nodes")
    if nodes is None:
        reader.add(reader.place(value), f"nodes: {wanted}, got nothing")
        return None
    record = reader.record(nodes, "nodes", _WHICH)
    if record is None:
        return None
    given = [key for key in _WHICH if key in record]
    if len(given) != 1:
        got = " and ".join(given) or "none of them"
        reader.add(reader.place(nodes), f"nodes: {wanted}, got {got}")
        return None
    place = reader.place(record[given[0]])
    if given == ["all"]:
        every = _boolean(record, "all", reader)
        if record["all"].data is False:
            reader.add(place, f"nodes: {wanted}, got all: false")
        return Which(place=place, every=every)
    if given == ["selector"]:
        selector = reader.text(record, "selector")
        return None if selector is None else Which(place=place, selector=selector)
    names = reader.texts(record, "names")
    if not names and record["names"].data == []:
        reader.add(place, "names: expected at least one node, got none")
    return None if names is None else Which(place=place, names=names)


# What becomes of them -------------------------------------------------------------


def _boolean(record: Record, key: str, reader: Reader) -> bool:
    value = record.get(key)
    return False if value is None else _is_on(value, key, reader)


def _is_on(value: Value, what: str, reader: Reader) -> bool:
    if not isinstance(value.data, bool):
        reader.wrong(value, what, "true or false")
    return value.data is True


def _text_or_null(value: Value, what: str, reader: Reader) -> str | None:
    if value.data is None or isinstance(value.data, str):
        return value.data
    is_unquoted = isinstance(value.data, bool | int | float)
    hint = ": quote it" if is_unquoted else ""
    reader.wrong(value, what, "text or null", hint=hint)
    return None


def _each(
    record: Record, key: str, reader: Reader, read: Callable[[Value, str, Reader], _Set]
) -> dict[str, _Set]:
    """A mapping with at least one entry; none if the key is absent."""
    value = record.get(key)
    if value is None:
        return {}
    if not isinstance(value.data, dict):
        reader.wrong(value, key, "a mapping")
        return {}
    if not value.data:
        reader.add(reader.place(value), f"{key}: expected at least one entry, got none")
    return {name: read(one, name, reader) for name, one in value.data.items()}


def _sets(
    record: Record, key: str, reader: Reader, read: Callable[[Value, str, Reader], _Set]
) -> dict[str, dict[str, _Set]]:
    sets = _each(record, key, reader, lambda value, *_: value)
    return {name: _each(sets, name, reader, read) for name in sets}


def _instances(
    record: Record, reader: Reader
) -> dict[str, tuple[Mapping[str, str], ...]]:
    sets = _each(record, "instances", reader, lambda value, *_: value)
    return {
        name: tuple(
            {
                key: text
                for key, one in device.items()
                if (text := _text_or_null(one, key, reader)) is not None
            }
            for value in reader.items(sets, name)
            if (device := reader.record(value, name, _Any())) is not None
        )
        for name in sets
    }


class _Any(frozenset[str]):
    """Every key."""

    def __contains__(self, _: object) -> bool:
        return True


def _unpublished(record: Record, reader: Reader) -> dict[str, Place]:
    value = record.get("unpublish")
    if value is not None and value.data == []:
        reader.add(reader.place(value), "unpublish: expected at least one, got none")
    values = reader.items(record, "unpublish")
    found = {reader.text_of(one, "unpublish"): reader.place(one) for one in values}
    return {name: place for name, place in found.items() if name is not None}
