"""What was typed, as a command's argument: text, paths, numbers, choices.

typer converts with pydantic, whose import alone takes as long as all else that a
small command does; it is left to do so for kinds that this module does not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import typer

_KINDS: Final[Mapping[type, str]] = {
    bool: "true or false",
    str: "text",
    Path: "a path",
    int: "a whole number",
    float: "a number",
}
"""What is converted by calling it -> how it is called in an error."""

_UNKNOWN_CHECKS: Final = ("parser", "exists", "resolve_path", "formats", "clamp")
"""Of typer's, which nobody here needs."""


def lighten(parameters: Iterable[Any]) -> None:
    """Lets each parameter of a command whose kind is known be converted here."""
    for one in parameters:
        found = of(one)
        if found is not None:
            one.__dict__["get_runtime_param"] = found.itself


def of(parameter: Any) -> Converter | None:  # noqa: ANN401 - typer exports no class
    """Converts the values of a parameter; `None` if its kind is not known."""
    described = getattr(parameter, "type_descriptor", None)
    if described is None:
        return None
    if any(getattr(described.parameter_info, one, None) for one in _UNKNOWN_CHECKS):
        return None
    kind = described.annotation
    if get_origin(kind) is list:
        (kind,) = get_args(kind)
    if not isinstance(kind, type):
        return None
    if issubclass(kind, Enum):
        return Converter(_choice(kind))
    if kind in _KINDS:
        info = described.parameter_info
        return Converter(_plain(kind, least=info.min, most=info.max))
    return None


class Converter:
    """Has the one method that typer asks its own converters for.

    Args:
        convert: one value; raises `ValueError` with what is expected.
    """

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self._convert: Final = convert

    def itself(self) -> Converter:
        """What typer calls to get a parameter's converter."""
        return self

    def coerce(self, value: Any, param: Any, ctx: typer.Context) -> Any:  # noqa: ANN401
        """The value of a parameter, or its values where it may be given often.

        Raises:
            typer.BadParameter: it is none.
        """
        is_many = param.multiple or param.nargs == -1
        if value is None:
            return () if is_many else None
        try:
            if is_many:
                return [self._convert(one) for one in value]
            return self._convert(value)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from error


def _choice(kind: type[Enum]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:  # noqa: ANN401
        try:
            return kind(value)
        except ValueError:
            words = [str(one.value) for one in kind]
            text = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
            raise ValueError(f"expected {text}, got {value}") from None

    return convert


def _plain(
    kind: Callable[[Any], Any], *, least: float | None, most: float | None
) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:  # noqa: ANN401
        try:
            found = kind(value)
        except ValueError:
            found = None
        is_wrong = found is None or (isinstance(found, float) and math.isnan(found))
        below = not is_wrong and least is not None and found < least
        above = not is_wrong and most is not None and found > most
        if is_wrong or below or above:
            raise ValueError(f"expected {_range(kind, least, most)}, got {value}")
        return found

    return convert


def _range(kind: Any, least: float | None, most: float | None) -> str:  # noqa: ANN401
    bounds = [
        *([f"from {least}"] if least is not None else []),
        *([f"to {most}"] if most is not None else []),
    ]
    return " ".join([_KINDS[kind], *bounds])
