"""Makes the features of a node at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from tests.conformance.vocabulary import (
    ATTRIBUTES,
    BOOLEAN,
    FLAGS,
    INSTANCES,
    INTERVAL,
    MATCHED,
    MIXED,
    NAMES,
    NUMBERS,
    ODD_FEATURES,
    ODD_NAMES,
    ODD_NUMBERS,
    ODD_VERSIONS,
    ODD_WORDS,
    ORDER,
    VERSIONS,
    WORDS,
)

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")


class Features:
    """Random choices, and features made by them; the same seed, the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    # Choices

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, options: Sequence[T]) -> T:
        return self.random.choice(options)

    def usual(self, options: Sequence[T], odd: Sequence[T], share: float = 0.15) -> T:
        return self.pick(odd if self.chance(share) else options)

    def name(self) -> str:
        return self.usual(NAMES, ODD_NAMES)

    def some(self, make: Callable[[], T], least: int, most: int) -> list[T]:
        return [make() for _ in range(self.random.randint(least, most))]

    # Features

    def value(self, op: str, type_: str) -> str:
        """A value that suits an operator, most of the time."""
        if op in (*ORDER, *INTERVAL):
            if type_ == "version":
                return self.usual(VERSIONS, ODD_VERSIONS)
            return self.usual(NUMBERS, ODD_NUMBERS)
        if op in BOOLEAN:
            return self.pick(("true", "false", "True", "1"))
        return self.usual(WORDS, ODD_WORDS)

    def any_value(self) -> str:
        return self.pick(
            (
                self.usual(WORDS, ODD_WORDS),
                self.usual(NUMBERS, ODD_NUMBERS, 0.05),
                self.usual(VERSIONS, ODD_VERSIONS, 0.05),
            )
        )

    def features(self) -> Json:
        """Flags, attributes and instances; some names are of several kinds."""
        flags = self.chosen(FLAGS) + self.chosen(MIXED)
        attributes = self.chosen(ATTRIBUTES) + self.chosen(MIXED)
        instances = self.chosen(INSTANCES) + self.chosen(MIXED)
        for kind in (flags, attributes, instances):
            if self.chance(0.06):
                kind.append(self.pick(ODD_FEATURES))
        found: Json = {
            "flags": {name: {"elements": self.flags()} for name in flags},
            "attributes": {name: {"elements": self.values()} for name in attributes},
            "instances": {
                name: {
                    "elements": [
                        {"attributes": self.values() or {}}
                        for _ in range(self.random.randint(0, 3))
                    ]
                }
                for name in instances
            },
        }
        if found["attributes"].get(MATCHED, {}).get("elements", {}) is None:
            # NFD crashes on writing there; ours is an error of one rule.
            found["attributes"][MATCHED]["elements"] = {}
        return found

    def chosen(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if self.chance(0.7)]

    def flags(self) -> Json | None:
        if self.chance(0.05):
            return None
        return {name: {} for name in self.some(self.name, 0, 4)}

    def values(self) -> Json | None:
        if self.chance(0.05):
            return None
        return {name: self.any_value() for name in self.some(self.name, 0, 4)}
