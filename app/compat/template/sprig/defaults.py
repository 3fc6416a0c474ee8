"""sprig's functions about what is empty, and what counts instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from app.compat.template import runes
from app.compat.template.sprig.lists import is_empty
from app.compat.template.values import (
    ANY,
    BOOL,
    STRING,
    Function,
    GoError,
    Value,
    pure,
)


def default(fallback: Value, *given: Value) -> Value:
    """The first given value, unless it is empty."""
    if not given or is_empty(given[0]):
        return fallback
    return given[0]


def coalesce(*values: Value) -> Value:
    """The first value that is not empty."""
    return next((value for value in values if not is_empty(value)), None)


def fail(text: bytes) -> NoReturn:
    """Stops the template."""
    raise GoError(runes.escaped(text))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "all": pure(lambda *values: not any(map(is_empty, values)), variadic=ANY),
    "any": pure(lambda *values: not all(map(is_empty, values)), variadic=ANY),
    "coalesce": Function(lambda _m, *values: coalesce(*values), (), ANY, boxed=True),
    "default": pure(default, ANY, variadic=ANY),
    "empty": pure(is_empty, ANY),
    "fail": pure(fail, STRING),
    "ternary": pure(lambda yes, no, which: yes if which else no, ANY, ANY, BOOL),
}
"""By name."""
