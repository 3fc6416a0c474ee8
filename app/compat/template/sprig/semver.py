"""sprig's functions on versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.template.limits import Meter
from app.compat.template.sprig.constraints import holds, parse_constraints
from app.compat.template.sprig.versions import POINTER, parse
from app.compat.template.values import STRING, Function, Pointer, slow


def semver(data: bytes) -> Pointer:
    """The version, whose parts are methods: `(semver "1.2.3").Major`."""
    return Pointer(POINTER, parse(data))


_COST: Final = 32
"""Steps of one comparison: its patterns take their time."""


def semver_compare(meter: Meter, constraint: bytes, data: bytes) -> bool:
    """Whether a version satisfies a constraint."""
    meter.step(_COST + len(constraint))
    groups = parse_constraints(constraint)
    return holds(groups, parse(data))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "semver": slow(semver, STRING),
    "semverCompare": Function(semver_compare, (STRING, STRING)),
}
"""By name."""
