"""Results as a table, JSON or YAML; standard output is one document, or nothing."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

from app import ports
from app.cli.output import safe
from app.cli.specs.options import Format
from app.oci.writing.store import Failed

_WIDTH: Final = 4096
"""Of what is no terminal: lines are cut by who reads them, not by us."""

_SHORT: Final = 19
"""Of a digest in a table on a terminal: its algorithm and twelve digits."""


def plain(value: object) -> Any:  # noqa: ANN401 - JSON
    """A result in JSON's types, with its fields in camelCase; bytes are text.

    What a port answers is one of several kinds; `kind` says which.
    """
    if is_dataclass(value):
        kind = type(value)
        of = {"kind": kind.__name__} if kind.__module__ == ports.__name__ else {}
        named = {_camel(f.name): plain(getattr(value, f.name)) for f in fields(value)}
        return {**of, **named}
    match value:
        case Enum():
            return value.value
        case bytes():
            return value.decode(errors="replace")
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def document(content: object, output: Format) -> str:
    """JSON or YAML, with the end of its last line."""
    import msgspec  # noqa: PLC0415 - fast --help

    if output is Format.YAML:
        import yaml  # noqa: PLC0415

        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table without lines; texts of registries cannot colour or move anything."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    is_terminal = sys.stdout.isatty()
    found = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        found.add_column(column, overflow="fold")
    for row in rows:
        found.add_row(*(Text(safe(cell)) for cell in row))
    written = io.StringIO()
    width = shutil.get_terminal_size().columns if is_terminal else _WIDTH
    Console(file=written, width=width, no_color=True, highlight=False).print(found)
    return "".join(f"{one.rstrip()}\n" for one in written.getvalue().splitlines())


def short(digest: str) -> str:
    """A digest in a table: whole, unless it is read on a terminal."""
    return digest[:_SHORT] if sys.stdout.isatty() else digest


def report(failures: Iterable[Failed]) -> None:
    """One line on standard error for each."""
    for one in failures:
        text = f"imagecompat: {one.image}: {one.detail} ({one.reason})"
        print(safe(text), file=sys.stderr)  # noqa: T201


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)
