"""How sprig merges dicts: dario.cat/mergo v1.0.1 on `map[string]interface {}`."""

from __future__ import annotations

from app.compat.template.limits import Meter
from app.compat.template.refusal import refuse
from app.compat.template.values import (
    ANY,
    Map,
    Pointer,
    Slice,
    Struct,
    Value,
    is_true,
)


class MergeError(ValueError):
    """Two values do not go together; the text is mergo's."""


def merge_into(
    meter: Meter, target: Map, source: Map, *, over: bool, depth: int = 0
) -> None:
    """Takes into `target` what `source` has.

    Args:
        meter: counts the work.
        target: changed in place.
        source: its values are shared, not copied.
        over: whether values of `source` win; else they only fill empty ones.
        depth: of the two dicts.

    Raises:
        MergeError: the two cannot be merged.
    """
    meter.nested(depth)
    meter.work(len(source))
    for key, value in list(source.entries.items()):
        if value is None and source.type.elem is ANY:
            if over:
                target.entries[key] = None
            continue
        old = target.entries.get(key)
        if isinstance(value, Map | Pointer | Struct):
            _merge_nested(meter, old, value, over=over, depth=depth + 1)
        if _is_kept(old, value):
            if isinstance(value, Slice) and over:
                target.entries[key] = value
            continue
        if over or is_empty(old):
            target.entries[key] = value


def _is_kept(old: Value, value: Value) -> bool:
    """Whether the last step leaves the old value alone."""
    if is_empty(old):
        return False
    both_maps = isinstance(value, Map) and isinstance(old, Map)
    return isinstance(value, Slice) or both_maps


def is_empty(value: Value) -> bool:
    """The isEmptyValue of mergo: zeros, nil, and nothing inside."""
    return not is_true(value)


def _merge_nested(
    meter: Meter, old: Value, value: Value, *, over: bool, depth: int
) -> None:
    if isinstance(old, Pointer | Struct):
        if not isinstance(value, Map):
            refuse("merge", "it would merge two versions")
        if isinstance(old, Pointer) and not over:
            raise MergeError("src and dst must be of same type")
        return
    if not isinstance(old, Map) or old.is_nil or not isinstance(value, Map):
        return
    if old.type is not value.type:
        refuse("merge", "it would merge maps of different types")
    merge_into(meter, old, value, over=over, depth=depth)
