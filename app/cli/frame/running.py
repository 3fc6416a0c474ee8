"""Runs a command line from its first word to an exit status.

1. The front page, the version and names of commands that do not exist are answered
   from a table, without typer.
2. Any other command line loads typer and the one module of its command.
3. Whatever goes wrong is one line on standard error and an exit status: see
   `app.cli.output`. An exception that nobody foresaw is a bug of ours; it says so,
   and `IMAGECOMPAT_DEBUG=1` prints its traceback.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from app.cli import commands
from app.cli.frame import completing, overview, streams

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = "imagecompat"
PLUGIN: Final = "kubectl-imagecompat"
"""What kubectl runs for `kubectl imagecompat`."""

DEBUG: Final = "IMAGECOMPAT_DEBUG"
INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""

_BAD_INPUT: Final = 2
_COULD_NOT_FIND_OUT: Final = 3


def run(words: Sequence[str]) -> int:
    """Runs a command line; its exit status.

    Args:
        words: how the program was called, then its arguments.
    """
    streams.prepare()
    try:
        status = _run(_program(words[0] if words else NAME), list(words[1:]))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        streams.drop(sys.stdout)
        return streams.PIPE_CLOSED
    except OSError as error:
        if os.environ.get(DEBUG):
            raise
        streams.drop(sys.stdout)
        return _fail(_of_system(error), _COULD_NOT_FIND_OUT)
    return status


def _program(path: str) -> str:
    """The program as its user calls it, for texts of help."""
    is_plugin = os.path.basename(path) == PLUGIN  # noqa: PTH119 - pathlib is slow
    return f"kubectl {NAME}" if is_plugin else NAME


def _run(program: str, arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in {completing.WORDS, completing.LINE}:
        sys.stdout.write(completing.answer(first, arguments[1:]))
        return 0
    if not arguments or first in {"-h", "--help"}:
        (sys.stdout if first else sys.stderr).write(overview.page(program))
        return 0 if first else _BAD_INPUT
    if first == "--version":
        from app import __version__  # noqa: PLC0415 - of a package that is loaded

        sys.stdout.write(f"{NAME} {__version__}\n")
        return 0
    row = commands.find(first)
    if row is None:
        return _fail(overview.unknown(first), _BAD_INPUT)
    return _command(row, program, arguments[1:])


def _command(row: commands.Row, program: str, arguments: list[str]) -> int:
    import typer  # noqa: PLC0415 - takes longer than all above

    if row.is_server:
        streams.allow_closed()
    from app.cli import output  # noqa: PLC0415
    from app.cli.frame import loading, usage  # noqa: PLC0415
    from app.errors import ImagecompatError  # noqa: PLC0415

    try:
        command = loading.load(row)
        try:
            with command.make_context(f"{program} {row.name}", arguments) as context:
                command.invoke(context)
        except typer.TyperException as error:
            return _fail(usage.line(error, command), _BAD_INPUT)
    except typer.Exit as ended:
        return ended.exit_code
    except ImagecompatError as error:
        sys.stderr.write(f"{output.told(error)}\n")
        return output.exit_code(error)
    except typer.Abort:
        return INTERRUPTED
    except OSError:
        raise
    except Exception as error:
        if os.environ.get(DEBUG) or row.is_server:
            raise
        return _fail(_bug(error), _COULD_NOT_FIND_OUT)
    return 0


def _bug(error: Exception) -> str:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{said}: this is a bug of {NAME}; {DEBUG}=1 prints where"


def _of_system(error: OSError) -> str:
    what = f"{error.filename}: " if error.filename else ""
    return f"{what}{error.strerror or type(error).__name__}"


def _fail(text: str, status: int) -> int:
    from app.cli.output import safe  # noqa: PLC0415

    sys.stderr.write(f"{safe(f'{NAME}: {text}')}\n")
    return status
