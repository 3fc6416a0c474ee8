"""sprig's functions about types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.template.sprig.equality import deep_equal
from app.compat.template.values import (
    ANY,
    STRING,
    Function,
    Value,
    kind_of,
    pure,
    type_of,
)


def type_name(value: Value) -> bytes:
    """The type, as `%T` prints it."""
    return b"<nil>" if value is None else type_of(value).name.encode()


def kind_name(value: Value) -> bytes:
    """The kind, as reflect prints it."""
    return kind_of(value).encode()


FUNCTIONS: Final[Mapping[str, Function]] = {
    "deepEqual": Function(deep_equal, (ANY, ANY)),
    "kindIs": pure(lambda name, v: name == kind_name(v), STRING, ANY),
    "kindOf": pure(kind_name, ANY),
    "typeIs": pure(lambda name, v: name == type_name(v), STRING, ANY),
    "typeIsLike": pure(
        lambda name, v: type_name(v) in {name, b"*" + name}, STRING, ANY
    ),
    "typeOf": pure(type_name, ANY),
}
"""By name."""
