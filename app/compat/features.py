"""The features of one node, and how several NodeFeature objects become one.

A *feature* (`kernel.config`) is of up to three kinds, and one name may be
published as several kinds at once:

* flags: a set of element names,
* attributes: element name -> value,
* instances: a sequence of attribute maps, in the order they were published.

`None` in place of elements is Go's nil map: NFD tells it from an empty one
(`matchExpressions: {}` holds for the latter only).

Feature sets are shared between nodes and never changed after creation; a
caller that merges gets new sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Flags: TypeAlias = frozenset[str] | None
"""Names of the elements; `None` is Go's nil map."""

Attributes: TypeAlias = Mapping[str, str] | None
"""Element name -> value; `None` is Go's nil map."""

Instances: TypeAlias = tuple[Mapping[str, str], ...]
"""One attribute map an instance, in published order."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of one node.

    Attributes:
        flags: feature name -> element names.
        attributes: feature name -> element name -> value.
        instances: feature name -> attribute maps.
    """

    flags: Mapping[str, Flags] = field(default_factory=dict)
    attributes: Mapping[str, Attributes] = field(default_factory=dict)
    instances: Mapping[str, Instances] = field(default_factory=dict)
