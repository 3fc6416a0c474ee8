"""Reads the records of a suite's file, and collects all that is wrong with them.

YAML is read as specs are (YAML 1.1, `compat.yaml11`), because that knows where each
value stands. A value of another kind than expected becomes a problem, and `None`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, TypeAlias

from app.cli.suites.suite import Place
from app.compat import yaml11
from app.compat.limits import Limits
from app.compat.yaml11 import Value
from app.compat.yaml_nodes import ScalarNode
from app.errors import SpecError

MAX_ECHO: Final = 40
"""Characters of a wrong value that are shown."""

Record: TypeAlias = Mapping[str, Value]

_KINDS: Final = {
    dict: "a mapping",
    list: "a list",
    str: "text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "nothing",
}


@dataclass(slots=True)
class Reader:
    """Reads values of one file.

    Attributes:
        file: its path, for places.
        problems: what is wrong so far, each with its place.
    """

    file: str
    problems: list[str] = field(default_factory=list)

    def root(self, content: bytes, limits: Limits) -> Value | None:
        """What a file holds; `None` with a problem if it is no YAML."""
        try:
            return yaml11.read(content, limits).root
        except SpecError as error:
            place = Place(self.file, error.line or 1, error.column or 1)
            self.add(place, error.message)
            return None

    def place(self, value: Value, *, key: bool = False) -> Place:
        """Where a value stands, or its key."""
        at = value.key if key and value.key is not None else value
        return Place(self.file, at.line + 1, at.column + 1)

    def add(self, place: Place, text: str) -> None:
        """Notes a problem."""
        self.problems.append(f"{place}: {text}")

    def wrong(self, value: Value, what: str, expected: str, *, hint: str = "") -> None:
        """Notes that a value is none that was expected."""
        text = f"{what}: expected {expected}, got {_got(value)}{hint}"
        self.add(self.place(value), text)

    def record(self, value: Value, what: str, known: Collection[str]) -> Record | None:
        """A mapping with no other keys than these."""
        if not isinstance(value.data, dict):
            self.wrong(value, what, "a mapping")
            return None
        for key, entry in value.data.items():
            if key not in known:
                self.add(
                    self.place(entry, key=True),
                    f"{what}: unknown key {_cut(key)!r}{_hint(key, known)}",
                )
        return value.data

    def items(self, record: Record, key: str) -> Sequence[Value]:
        """A list; none if the key is absent."""
        value = record.get(key)
        if value is None:
            return ()
        if not isinstance(value.data, list):
            self.wrong(value, key, "a list")
            return ()
        return value.data

    def text(self, record: Record, key: str, *, given: str = "") -> str | None:
        """Text that is not empty.

        Args:
            record: where it stands.
            key: its name.
            given: what stands there if the key is absent.
        """
        value = record.get(key)
        return given if value is None else self.text_of(value, key)

    def text_of(self, value: Value, what: str) -> str | None:
        """Text that is not empty, of a value."""
        if isinstance(value.data, str) and value.data:
            return value.data
        is_unquoted = isinstance(value.data, bool | int | float)
        self.wrong(value, what, "text", hint=": quote it" if is_unquoted else "")
        return None

    def texts(self, record: Record, key: str) -> tuple[str, ...] | None:
        """A list of texts; one text is a list of one; none if the key is absent.

        Returns:
            `None` if one of them is none.
        """
        value = record.get(key)
        if value is None:
            return ()
        given = value.data if isinstance(value.data, list) else [value]
        found = [self.text_of(one, key) for one in given]
        texts = tuple(one for one in found if one is not None)
        return texts if len(texts) == len(found) else None

    def is_name(self, key: str, entry: Value, what: str) -> bool:
        """Whether the key of an entry is text as it is written: `n` is a boolean."""
        node = entry.key
        if not isinstance(node, ScalarNode) or node.value == key:
            return True
        text = f"{what}: expected text, got {_cut(node.value)}, which means {_cut(key)}"
        self.add(self.place(entry, key=True), f"{text} in YAML: quote it")
        return False


def plain(value: Value) -> object:
    """A value in Python's own types."""
    if isinstance(value.data, dict):
        return {key: plain(one) for key, one in value.data.items()}
    if isinstance(value.data, list):
        return [plain(one) for one in value.data]
    return value.data


def near(word: str, known: Collection[str]) -> str:
    """`; did you mean X?`, or nothing."""
    found = get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _hint(key: str, known: Collection[str]) -> str:
    return near(key, known) or f": expected one of {', '.join(sorted(known))}"


def _got(value: Value) -> str:
    data = value.data
    kind = _KINDS.get(type(data), "something else")
    if data == "":
        return "nothing"
    if data is None or isinstance(data, bool | dict | list):
        return kind
    return f"{kind} ({_cut(str(data))})"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_ECHO else f"{text[:MAX_ECHO]}..."
