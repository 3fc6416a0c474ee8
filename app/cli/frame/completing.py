"""What a shell offers when somebody presses the tab key.

A shell asks `imagecompat __complete WORD...`, where the last word is the one that is
being typed. The answer is what programs made with cobra give, kubectl among them: a
line for each value, with a tab before its help, and a last line `:0` if names of files
may stand there, `:4` if not.

Names of commands come from the table; for anything else the command's module is
loaded, and no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from app.cli import commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.cli.commands import Row

WORDS: Final = "__complete"
"""As the first word: complete the words that follow."""

LINE: Final = "__complete_line"
"""As the first word: complete one line, as bash has it up to the cursor."""

FILES: Final = ":0"
NO_FILES: Final = ":4"

_TOP: Final = (
    ("--help", "Show this; after a command, its own help."),
    ("--version", "Print the version."),
)
_BREAKS: Final = "=:"
"""What ends a word for bash, though not for us."""


class Offer(NamedTuple):
    """What may stand in a place.

    Attributes:
        values: each with its help, which may be empty.
        files: whether names of files may, too.
    """

    values: tuple[tuple[str, str], ...] = ()
    files: bool = False


def answer(how: str, words: Sequence[str]) -> str:
    """What is printed for a shell.

    Args:
        how: `WORDS` or `LINE`.
        words: after that.
    """
    if how == LINE:
        words, typed = _split(words[0] if words else "")
        found = offer(words)
        cut = max(typed.rfind(one) for one in _BREAKS) + 1
        lines = [value[cut:] for value, _ in found.values]
    else:
        found = offer(words)
        lines = [f"{value}\t{help_line}" for value, help_line in found.values]
    lines.append(FILES if found.files else NO_FILES)
    return "".join(f"{line}\n" for line in lines)


def offer(words: Sequence[str]) -> Offer:
    """What may stand in the place of the last word.

    Args:
        words: after the program's name; the last may be empty.
    """
    *before, typed = words or [""]
    if not before:
        known = [(one.name, one.help) for one in commands.COMMANDS]
        return _starting([*known, *(_TOP if typed.startswith("-") else ())], typed)
    row = commands.find(before[0])
    return Offer() if row is None else _in_command(row, before[1:], typed)


def _in_command(row: Row, before: Sequence[str], typed: str) -> Offer:
    import typer  # noqa: PLC0415 - not for names of commands

    from app.cli.frame import loading  # noqa: PLC0415

    command = loading.load(row)
    context = typer.Context(command, info_name=row.name, help_option_names=_help())
    parameters = command.get_params(context)
    options = {name: one for one in parameters for name in _names(one)}
    place = _walk(before, options)
    if place.waiting is not None:
        return _values(place.waiting, context, typed)
    if place.is_past_options or not typed.startswith("-"):
        arguments = [one for one in parameters if one.param_type_name == "argument"]
        return _argument(arguments, place.arguments, context, typed)
    name, equals, value = typed.partition("=")
    if equals and name in options:
        found = _values(options[name], context, value)
        values = tuple((f"{name}={one}", text) for one, text in found.values)
        return Offer(values, files=found.files)
    free = {
        name: getattr(one, "help", None) or ""
        for name, one in options.items()
        if (one.multiple or one not in place.given)
        and (name.startswith("--") or typed != "--")
    }
    return _starting(sorted(free.items()), typed)


def _help() -> list[str]:
    return ["-h", "--help"]


class _Place(NamedTuple):
    """Where the cursor is: which option waits for a value, how many arguments."""

    waiting: Any
    given: list[Any]
    arguments: int
    is_past_options: bool


def _walk(before: Sequence[str], options: dict[str, Any]) -> _Place:
    waiting, given, arguments, is_past = None, [], 0, False
    for word in before:
        if waiting is not None:
            waiting = None
        elif is_past or not word.startswith("-") or word == "-":
            arguments += 1
        elif word == "--":
            is_past = True
        else:
            name, equals, _ = word.partition("=")
            option = options.get(name)
            given += [option] if option is not None else []
            if option is not None and not equals and not option.is_flag:
                waiting = option
    return _Place(waiting, given, arguments, is_past)


def _argument(arguments: list[Any], number: int, context: Any, typed: str) -> Offer:  # noqa: ANN401
    """For the argument of a number; the last one may take several."""
    if number < len(arguments):
        return _values(arguments[number], context, typed)
    if arguments and arguments[-1].nargs == -1:
        return _values(arguments[-1], context, typed)
    return Offer()


def _values(parameter: Any, context: Any, typed: str) -> Offer:  # noqa: ANN401
    items = parameter.shell_complete(context, typed)
    values = tuple((str(one.value), one.help or "") for one in items)
    choices = getattr(parameter.type_descriptor, "choices", None)
    return Offer(values, files=not choices)


def _names(parameter: Any) -> list[str]:  # noqa: ANN401
    is_option = parameter.param_type_name == "option"
    return [*parameter.opts, *parameter.secondary_opts] if is_option else []


def _starting(known: Sequence[tuple[str, str]], typed: str) -> Offer:
    return Offer(tuple(one for one in known if one[0].startswith(typed)))


def _split(line: str) -> tuple[list[str], str]:
    """The words after the program's name, and the last one as bash has it."""
    import shlex  # noqa: PLC0415 - bash alone needs it

    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # a quote that is not closed yet
        words.append(lexer.token)
    if not line or line[-1].isspace():
        words.append("")
    return words[1:], words[-1]
