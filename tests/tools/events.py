"""The lines of the log, as the code writes them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

APP = Path(__file__).resolve().parent.parent.parent / "app"

LEVELS = {
    "log_event": "info",
    "log_warning": "warning",
    "log_exception": "error",
    "said": "info",
    "warned": "warning",
    "erred": "error",
}
"""Who writes a line -> its level."""


@dataclass(frozen=True, order=True)
class Event:
    """A kind of line: its words, its levels and the fields that are given by name."""

    name: str
    level: str
    fields: tuple[str, ...] = ()


@cache
def written() -> dict[str, Event]:
    """Every event of the package, by its words."""
    found: dict[str, Event] = {}
    for path in sorted(APP.rglob("*.py")):
        for one in _events(ast.parse(path.read_text())):
            known = found.get(one.name, one)
            fields = tuple(dict.fromkeys((*known.fields, *one.fields)))
            levels = dict.fromkeys((*known.level.split(" or "), one.level))
            found[one.name] = Event(one.name, " or ".join(levels), fields)
    return found


def _events(tree: ast.AST) -> Iterator[Event]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (level := _level(node.func)) is not None:
            fields = tuple(word.arg for word in node.keywords if word.arg)
            for name in _words(node.args[0]) if node.args else ():
                yield Event(name, level, _meant(fields))


def _level(func: ast.expr) -> str | None:
    match func:
        case (
            ast.Name(id=name) | ast.Attribute(attr="said" | "warned" | "erred" as name)
        ):
            return LEVELS.get(name)
        case ast.Attribute(value=ast.Call(func=ast.Name(id="logger")), attr=level):
            return level
    return None


def _words(argument: ast.expr) -> Iterator[str]:
    """The texts that an argument may be."""
    match argument:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from _words(one)
            yield from _words(other)


def _meant(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Without what is meant for Python's logging."""
    return tuple(one for one in fields if one not in {"extra", "exc_info"})
