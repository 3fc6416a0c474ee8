"""The features of one node, and how several NodeFeature objects become one.

A *feature* (`kernel.config`) is of up to three kinds, and one name may be
published as several kinds at once:

* flags: a set of element names,
* attributes: element name -> value,
* instances: a sequence of attribute maps, in the order they were published.

`None` in place of elements is Go's nil map: NFD tells it from an empty one
(`matchExpressions: {}` holds for the latter only).

Feature sets are shared between nodes and never changed after creation; a
caller that merges gets new sets where two objects publish the same feature, and
the very same set everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias, TypeVar

from app.compat.template import runes
from app.errors import ConfigError

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


INVALID_FEATURES: Final = "InvalidFeatures"
"""Reason of the error for what does not have the shape of features."""

_EMPTY: Final[Mapping[str, object]] = {}
_Set = TypeVar("_Set")


def merge(features: Iterable[Features]) -> Features:
    """One view of what several objects say of a node, as nfd-master makes it.

    Flags are united, attributes of later objects win, instances are appended
    (`feature.go#L117` of NFD's API at v0.19.0). Null elements add nothing.
    """
    merged, *others = list(features) or [Features()]
    for other in others:
        merged = Features(
            _merged(merged.flags, other.flags, _unite),
            _merged(merged.attributes, other.attributes, _overwrite),
            _merged(merged.instances, other.instances, tuple.__add__),
        )
    return merged


def _merged(
    one: Mapping[str, _Set],
    other: Mapping[str, _Set],
    combine: Callable[[_Set, _Set], _Set],
) -> Mapping[str, _Set]:
    if not one or not other:
        return one or other
    merged = dict(one)
    for feature, added in other.items():
        known = merged.get(feature)
        # An empty known set may be null, which is not the same as empty.
        if added or known is None:
            merged[feature] = combine(known, added) if known else added
    return merged


def _unite(one: Flags, other: Flags) -> Flags:
    return (one or frozenset()) | (other or frozenset())


def _overwrite(one: Attributes, other: Attributes) -> Attributes:
    return {**(one or {}), **(other or {})}


def from_json(value: object) -> Features:
    """Reads features in the shape of a NodeFeature's `spec.features`.

    As in Go, null and absent are the same, unknown keys are passed over, and
    text that is no Unicode gets U+FFFD.

    Raises:
        ConfigError: a value has the wrong type; reason `InvalidFeatures`, and the
            message names its place.
    """
    top = _mapping(value, "features")
    return Features(
        flags=_sets(top, "flags", _flags),
        attributes=_sets(top, "attributes", _attributes),
        instances=_sets(top, "instances", _instances),
    )


def _sets(
    top: Mapping[str, object], kind: str, read: Callable[[object, str], _Set]
) -> dict[str, _Set]:
    sets: dict[str, _Set] = {}
    for name, value in _mapping(top.get(kind), kind).items():
        place = f"{kind}[{name}]"
        elements = _mapping(value, place).get("elements")
        sets[runes.clean(name)] = read(elements, f"{place}.elements")
    return sets


def _flags(value: object, place: str) -> Flags:
    if value is None:
        return None
    elements = _mapping(value, place)
    for name, nothing in elements.items():
        _mapping(nothing, f"{place}[{name}]")
    return frozenset(map(runes.clean, elements))


def _attributes(value: object, place: str) -> Attributes:
    return None if value is None else _texts(value, place)


def _instances(value: object, place: str) -> Instances:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        _refuse(value, place, "a list")
    return tuple(
        _texts(
            _mapping(element, f"{place}[{index}]").get("attributes"),
            f"{place}[{index}].attributes",
        )
        for index, element in enumerate(value)
    )


def _texts(value: object, place: str) -> Mapping[str, str]:
    return {
        runes.clean(name): _text(text, f"{place}[{name}]")
        for name, text in _mapping(value, place).items()
    }


def _text(value: object, place: str) -> str:
    if isinstance(value, str):
        return runes.clean(value)
    return "" if value is None else _refuse(value, place, "a string")


def _mapping(value: object, place: str) -> Mapping[str, object]:
    if value is None:
        return _EMPTY
    if not isinstance(value, Mapping):
        _refuse(value, place, "an object")
    return value


def _refuse(value: object, place: str, wanted: str) -> NoReturn:
    got = type(value).__name__
    raise ConfigError(INVALID_FEATURES, f"{place}: got {got}, expected {wanted}")
