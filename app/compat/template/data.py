"""What a template is run on, with Go's types.

Texts become bytes when a template looks at them: most see few of the elements that
they are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from app.compat.template.runes import clean, to_bytes
from app.compat.template.values import (
    DOMAIN,
    DOMAINS,
    ELEMENT,
    ELEMENTS,
    MISSING,
    Map,
    Slice,
    Value,
)

Data: TypeAlias = Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]]
"""Domain -> feature -> matched elements, each as name -> value."""


class Element(Map):
    """A matched element; no function changes one."""

    __slots__ = ("source",)

    def __init__(self, source: Mapping[str, str]) -> None:
        self.type = ELEMENT  # type: ignore[misc] # in place of Map's own
        self.is_nil = False  # type: ignore[misc] # so is this
        self.source = source

    def __getattr__(self, name: str) -> dict[bytes, Value]:
        """All entries, when they are first asked for."""
        if name != "entries":
            raise AttributeError(name)
        entries: dict[bytes, Value] = {
            to_bytes(clean(key)): to_bytes(clean(value))
            for key, value in self.source.items()
        }
        self.entries = entries  # type: ignore[misc] # as above
        return entries

    def find(self, name: str, _key: bytes) -> Value:
        """The value of a key that is spelled as fields are."""
        value = self.source.get(name)
        return MISSING if value is None else to_bytes(clean(value))


def domains(data: Data) -> Map:
    """The data with Go's types."""
    entries = {
        to_bytes(clean(name)): _features(features) for name, features in data.items()
    }
    return Map(DOMAINS, entries)


def _features(features: Mapping[str, Sequence[Mapping[str, str]]]) -> Map:
    entries = {
        to_bytes(clean(name)): _elements(elements)
        for name, elements in features.items()
    }
    return Map(DOMAIN, entries)


def _elements(elements: Sequence[Mapping[str, str]]) -> Slice:
    result = Slice(ELEMENTS, list(map(Element, elements)))
    result.exact = False
    return result
