"""Options that several commands share, given to a command as one value.

A command takes one argument, `reach: Reach`, and says nothing more about it:
`spread` gives it an option for each field of `Reach` instead, and puts what was
typed into one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, ClassVar, Protocol, get_type_hints


class Group(Protocol):
    """A dataclass whose fields are options of typer, all with a default."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def check(self) -> None:
        """Raises `ConfigError` where options exclude each other, or need another."""
        ...


def spread(
    command: Callable[..., None], name: str, kind: type[Group]
) -> Callable[..., None]:
    """The command with an option for each field of `kind` instead of one argument.

    Args:
        command: takes everything by keyword.
        name: of the argument.
        kind: of the argument.
    """
    own = inspect.signature(command, eval_str=True)
    kinds = get_type_hints(kind, include_extras=True)
    added = [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default,
            annotation=kinds[one.name],
        )
        for one in fields(kind)
    ]

    @wraps(command)
    def called(**given: Any) -> None:  # noqa: ANN401 - what typer read
        group = kind(**{one.name: given.pop(one.name) for one in fields(kind)})
        group.check()
        command(**{name: group}, **given)

    kept = [one for key, one in own.parameters.items() if key != name]
    merged = own.replace(parameters=[*kept, *added])
    called.__dict__["__signature__"] = merged  # what `inspect.signature` looks for
    return called
