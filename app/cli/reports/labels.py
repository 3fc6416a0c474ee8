"""Short names of images, each different from the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

_DIGEST: Final = 8
"""Digits of a digest that are shown."""


def labels(images: Sequence[str]) -> list[str]:
    """The last part of each path, with its tag; more of the path where two are alike.

    `registry.example.com/ml/trainer:2.1` is `trainer:2.1`, a digest is cut to
    eight digits. What is still alike gets its number: `trainer:2.1 #2`.
    """
    parts = [_short(image).split("/") for image in images]
    sizes = [1] * len(parts)
    while True:
        names = ["/".join(p[-size:]) for p, size in zip(parts, sizes, strict=True)]
        counts = Counter(names)
        longer = [
            size + (counts[name] > 1 and size < len(one))
            for name, size, one in zip(names, sizes, parts, strict=True)
        ]
        if longer == sizes:
            break
        sizes = longer
    return [
        name if counts[name] == 1 else f"{name} #{number}"
        for number, name in enumerate(names, start=1)
    ]


def _short(image: str) -> str:
    name, _, digest = image.partition("@")
    if not digest:
        return name
    has_tag = ":" in name.rpartition("/")[2]
    short = digest.rpartition(":")[2][:_DIGEST]
    return name if has_tag else f"{name}@{short}"
