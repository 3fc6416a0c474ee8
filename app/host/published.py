"""What one source publishes."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.compat.features import Attributes, Flags, Instances


@dataclass(frozen=True, slots=True)
class Published:
    """Features of one source, named without it (`cpuid` of `cpu`).

    Attributes:
        flags: feature -> names of elements.
        attributes: feature -> name of an element -> value.
        instances: feature -> attribute maps, in NFD's order.
    """

    flags: dict[str, Flags] = field(default_factory=dict)
    attributes: dict[str, Attributes] = field(default_factory=dict)
    instances: dict[str, Instances] = field(default_factory=dict)
