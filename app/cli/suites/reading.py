"""A suite's file into values; the format is in docs/reference/test-suites.md.

Everything that is wrong is found at once, each with its place. What can be seen only
when nodes and specs were loaded is left to `loading`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from app.cli.suites.fields import Reader, Record, near, plain
from app.cli.suites.suite import (
    API_VERSION,
    KIND,
    Answer,
    Case,
    Expected,
    NodeEntry,
    Place,
    SpecEntry,
    SpecSource,
    Suite,
)
from app.compat import features
from app.compat.limits import Limits
from app.compat.outcome import UnpublishedFeatures
from app.compat.yaml11 import Value
from app.errors import ConfigError

LIMITS: Final = Limits(bytes=4 << 20, nodes=500_000)
"""A suite is its author's own; these only keep a mistake from taking for ever."""

_TOP: Final = (
    *("apiVersion", "kind", "name", "unpublishedFeatures"),
    *("specs", "nodes", "tests", "matrix"),
)
_SPEC: Final = ("name", *SpecSource, "platform")
_NODE: Final = ("name", "file", "features")
_TEST: Final = (
    *("name", "spec", "node", "nodes", "tags"),
    *("expect", "score", "set", "failing", "reason"),
)
_Entry = TypeVar("_Entry", SpecEntry, NodeEntry)
_MATRIX: Final = ("name", "nodes", "tags", "specs")
_CELLS: Final[Mapping[object, Expected]] = {
    True: Expected(answer=Answer.FITS, score=0),
    False: Expected(answer=Answer.DOES_NOT_FIT),
    **{one.value: Expected(answer=one) for one in Answer},
}
_CELL: Final = "yes, no, a score, fits, does not fit, unknown or error"


def read(content: bytes, file: str) -> tuple[Suite, tuple[str, ...]]:
    """The suite of a file, and all that is wrong with it, each with its place.

    Args:
        content: of the file.
        file: its path, for places.
    """
    reader = Reader(file)
    root = reader.root(content, LIMITS)
    if root is None:
        return Suite(file=file, name=file), tuple(reader.problems)
    suite = _suite(root, reader)
    return suite, tuple(reader.problems)


def _suite(root: Value, reader: Reader) -> Suite:
    top = reader.record(root, "suite", _TOP)
    if top is None:
        return Suite(file=reader.file, name=reader.file)
    for key, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        if key not in top:
            reader.add(reader.place(root), f"{key}: expected {wanted}, got nothing")
        elif top[key].data != wanted:
            reader.wrong(top[key], key, wanted)
    broken: set[tuple[str, str]] = set()
    suite = Suite(
        file=reader.file,
        name=reader.text(top, "name", given=reader.file) or reader.file,
        unpublished=_unpublished(top, reader),
        specs=tuple(_entries(top, ("spec", _SPEC), _spec, reader, broken)),
        nodes=tuple(_entries(top, ("node", _NODE), _node, reader, broken)),
        cases=(*_tests(top, reader), *_matrices(top, reader)),
        broken=frozenset(broken),
    )
    if not suite.cases and not reader.problems:
        text = "no tests: expected a list `tests` or `matrix` with at least one"
        reader.add(reader.place(root), text)
    return suite


def _unpublished(top: Record, reader: Reader) -> UnpublishedFeatures:
    value = top.get("unpublishedFeatures")
    if value is None or value.data == UnpublishedFeatures.UNKNOWN:
        return UnpublishedFeatures.UNKNOWN
    # A bare `no` is a boolean in YAML.
    if value.data is False or value.data == UnpublishedFeatures.NO:
        return UnpublishedFeatures.NO
    reader.wrong(value, "unpublishedFeatures", "unknown or no")
    return UnpublishedFeatures.UNKNOWN


# Specs and nodes ----------------------------------------------------------------


def _entries(
    top: Record,
    kind: tuple[str, tuple[str, ...]],
    make: Callable[[Value, Record, Reader], _Entry | None],
    reader: Reader,
    broken: set[tuple[str, str]],
) -> Iterator[_Entry]:
    """The entries of a list that can be used; what cannot goes to `broken`.

    Args:
        top: the suite.
        kind: what one is called, and the fields that it may have.
        make: of one.
        reader: of the file.
        broken: kind and name of what nobody can refer to.
    """
    name, fields = kind
    taken: set[str] = set()
    if not _is_list(top, f"{name}s"):
        broken.add((name, ""))
    for value in reader.items(top, f"{name}s"):
        record = reader.record(value, name, fields)
        entry = None if record is None else make(value, record, reader)
        if entry is None:
            broken.add((name, _given(record)))
        elif not entry.name or _is_new(entry.name, entry.place, taken, reader):
            yield entry


def _is_list(top: Record, key: str) -> bool:
    return key not in top or isinstance(top[key].data, list)


def _given(record: Record | None) -> str:
    """The name of an entry that cannot be used; empty if it has none, either."""
    name = record.get("name") if record is not None else None
    return name.data if name is not None and isinstance(name.data, str) else ""


def _spec(value: Value, record: Record, reader: Reader) -> SpecEntry | None:
    source = _source(value, record, reader)
    name = _name(value, record, reader)
    platform = reader.text(record, "platform")
    if source is None or name is None:
        return None
    if platform and source is not SpecSource.IMAGE:
        reader.add(reader.place(record["platform"], key=True), "only an image has one")
    place, given = reader.place(value), record[source]
    if source is SpecSource.INLINE:
        content = _inline(given, reader)
        if content is None:
            return None
        return SpecEntry(name=name, place=place, source=source, content=content)
    target = reader.text_of(given, source)
    if target is None:
        return None
    return SpecEntry(
        name=name,
        place=place,
        source=source,
        target=target,
        platform=platform or None,
    )


def _source(value: Value, record: Record, reader: Reader) -> SpecSource | None:
    found = [one for one in SpecSource if one in record]
    if len(found) == 1:
        return found[0]
    wanted = f"one of {', '.join(SpecSource)}"
    got = " and ".join(found) or "none of them"
    reader.add(reader.place(value), f"spec: expected {wanted}, got {got}")
    return None


def _inline(value: Value, reader: Reader) -> bytes | None:
    """The text of a spec; a mapping is the JSON that NFD would make of it."""
    if isinstance(value.data, str):
        return value.data.encode()
    if isinstance(value.data, dict):
        return json.dumps(plain(value)).encode()
    reader.wrong(value, "inline", "a spec, as a mapping or as text")
    return None


def _node(value: Value, record: Record, reader: Reader) -> NodeEntry | None:
    place = reader.place(value)
    given = [key for key in ("file", "features") if key in record]
    if len(given) != 1:
        got = " and ".join(given) or "neither"
        reader.add(place, f"node: expected file or features, got {got}")
        return None
    if given == ["file"]:
        name, path = reader.text(record, "name"), reader.text(record, "file")
        if name is None or path is None:
            return None
        return NodeEntry(name=name, place=place, path=path)
    name = _name(value, record, reader)
    try:
        known = features.from_json(plain(record["features"]))
    except ConfigError as error:
        reader.add(reader.place(record["features"]), f"features: {error.message}")
        return None
    if name is None:
        return None
    return NodeEntry(name=name, place=place, features=known)


def _name(value: Value, record: Record, reader: Reader) -> str | None:
    if "name" in record:
        return reader.text(record, "name")
    reader.add(reader.place(value), "name: expected text, got nothing")
    return None


def _is_new(name: str, place: Place, taken: set[str], reader: Reader) -> bool:
    if name in taken:
        reader.add(place, f"name: there is another {name}")
        return False
    taken.add(name)
    return True


# Tests --------------------------------------------------------------------------


def _tests(top: Record, reader: Reader) -> Iterator[Case]:
    for value in reader.items(top, "tests"):
        record = reader.record(value, "test", _TEST)
        if record is None:
            continue
        given = [reader.texts(record, key) for key in ("node", "nodes")]
        nodes = tuple(name for names in given if names for name in names)
        if not nodes and None not in given:
            reader.add(reader.place(value), "test: expected node or nodes, got neither")
        if "spec" not in record:
            reader.add(reader.place(value), "spec: expected text, got nothing")
        spec = reader.text(record, "spec")
        expected = _expected(value, record, reader)
        name, tags = reader.text(record, "name"), reader.texts(record, "tags")
        if spec and expected is not None:
            for node in nodes:
                yield Case(
                    spec=spec,
                    node=node,
                    place=reader.place(value),
                    expected=expected,
                    name=name or "",
                    tags=tags or (),
                )


def _expected(value: Value, record: Record, reader: Reader) -> Expected | None:
    words = ", ".join(Answer)
    if "expect" not in record:
        reader.add(reader.place(value), f"expect: expected one of {words}, got nothing")
        return None
    said = record["expect"]
    answer = next((one for one in Answer if one == said.data), None)
    if answer is None:
        reader.wrong(said, "expect", f"one of {words}")
        return None
    score = record.get("score")
    if score is not None and (type(score.data) is not int or score.data < 0):
        reader.wrong(score, "score", "a whole number from 0")
        return None
    _refuse_idle(record, answer, reader)
    return Expected(
        answer=answer,
        score=None if score is None else _number(score),
        chosen=reader.text(record, "set") or None,
        failing=reader.texts(record, "failing") if "failing" in record else None,
        reason=reader.text(record, "reason") or None,
    )


_IDLE: Final = {
    Answer.FITS: ("failing", "reason"),
    Answer.DOES_NOT_FIT: ("score",),
    Answer.UNKNOWN: ("score",),
    Answer.ERROR: ("score", "set", "failing"),
}
"""Keys that say nothing beside an answer."""


def _refuse_idle(record: Record, answer: Answer, reader: Reader) -> None:
    for key in _IDLE[answer]:
        if key in record:
            place = reader.place(record[key], key=True)
            reader.add(place, f"{key}: says nothing where `expect` is `{answer}`")


def _number(value: Value) -> int:
    return value.data if isinstance(value.data, int) else 0


def _matrices(top: Record, reader: Reader) -> Iterator[Case]:
    for value in reader.items(top, "matrix"):
        record = reader.record(value, "matrix", _MATRIX)
        if record is None:
            continue
        nodes = reader.texts(record, "nodes")
        rows = record.get("specs")
        if rows is None or not isinstance(rows.data, dict):
            place = rows or value
            reader.add(reader.place(place), "specs: expected a mapping of rows")
            continue
        name, tags = reader.text(record, "name"), reader.texts(record, "tags")
        for spec, row in rows.data.items():
            if not reader.is_name(spec, row, "spec"):
                continue
            for node, cell in _row(nodes, row, reader):
                expected = _cell(cell, reader)
                if expected is not None:
                    yield Case(
                        spec=spec,
                        node=node,
                        place=reader.place(cell),
                        expected=expected,
                        name=name or "",
                        tags=tags or (),
                    )


def _row(
    nodes: tuple[str, ...] | None, row: Value, reader: Reader
) -> Iterator[tuple[str, Value]]:
    """The cells of a row: a mapping by node, or a list in the order of `nodes`.

    Args:
        nodes: `None` if they cannot be read, so that no list can be told from wrong.
        row: by nodes, or in their order.
        reader: notes what is wrong.
    """
    if isinstance(row.data, dict):
        for node, cell in row.data.items():
            if reader.is_name(node, cell, "node"):
                yield node, cell
    elif not isinstance(row.data, list):
        reader.wrong(row, "row", "a list of cells, or a mapping of nodes to cells")
    elif nodes is None:
        return
    elif len(row.data) != len(nodes):
        text = f"row: expected {len(nodes)} cells, one for each of nodes, got"
        reader.add(reader.place(row), f"{text} {len(row.data)}")
    else:
        yield from zip(nodes, row.data, strict=True)


def _cell(value: Value, reader: Reader) -> Expected | None:
    data = value.data
    if type(data) is int and data > 0:
        return Expected(answer=Answer.FITS, score=data)
    found = _CELLS.get(data) if isinstance(data, str | bool) else None
    if found is None:
        hint = near(data, [str(one) for one in Answer]) if isinstance(data, str) else ""
        reader.wrong(value, "cell", f"{_CELL}{hint}")
    return found
