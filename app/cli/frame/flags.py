"""`--plain-http=true`: values of flags, as Go's programs take them.

NFD's own flags are such (pflag, `strconv.ParseBool`), and scripts write them so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

_VALUES: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


def plain(arguments: Sequence[str], parameters: Iterable[Any]) -> list[str]:
    """The arguments with flags that have a value as flags that have none.

    The last one counts. What is no such value stays, and is refused later.

    Args:
        arguments: as typed.
        parameters: of the command.
    """
    flags = {
        name
        for one in parameters
        if one.param_type_name == "option" and one.is_flag
        for name in one.opts
        if name.startswith("--")
    }
    found: list[str] = []
    for place, word in enumerate(arguments):
        if word == "--":
            return [*found, *arguments[place:]]
        name, equals, value = word.partition("=")
        if not equals or name not in flags or value not in _VALUES:
            found.append(word)
            continue
        found = [one for one in found if one != name]
        if _VALUES[value]:
            found.append(name)
    return found
