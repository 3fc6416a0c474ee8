"""The parse tree of a template.

`str(node)` is the node as Go's error texts show it. `position` counts code points
of the template's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from app.compat.template import runes
from app.compat.template.strconv import quote


@dataclass(slots=True, eq=False)
class Node:
    """What all nodes have."""

    position: int


@dataclass(slots=True, eq=False)
class Identifier(Node):
    """The name of a function."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True, eq=False)
class Dot(Node):
    """The cursor."""

    def __str__(self) -> str:
        return "."


@dataclass(slots=True, eq=False)
class Nil(Node):
    """The constant nil."""

    def __str__(self) -> str:
        return "nil"


@dataclass(slots=True, eq=False)
class Field(Node):
    """Fields of the cursor: `.a.b`.

    Attributes:
        names: without dots.
        keys: the names as map keys.
    """

    names: tuple[str, ...]
    keys: tuple[bytes, ...]

    def __str__(self) -> str:
        return "." + ".".join(self.names)


@dataclass(slots=True, eq=False)
class Variable(Node):
    """A variable, perhaps with fields: `$x.a.b`; `name` has its dollar sign."""

    name: str
    names: tuple[str, ...] = ()
    keys: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.name, *self.names))


@dataclass(slots=True, eq=False)
class Bool(Node):
    """The constant true or false."""

    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(slots=True, eq=False)
class Number(Node):
    """A number constant, as every type that can hold it; `None` where none can.

    Attributes:
        text: as written.
        ideal: its value where no type is asked for: int, float or complex; `None`
            if it overflows int.
    """

    text: str
    integer: int | None
    unsigned: int | None
    real: float | None
    ideal: int | float | complex | None

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True, eq=False)
class String(Node):
    """A string constant: its value, and how it was written."""

    value: bytes
    quoted: str

    def __str__(self) -> str:
        return self.quoted


@dataclass(slots=True, eq=False)
class Chain(Node):
    """Fields of a term: `(pipeline).a.b`."""

    term: Node
    names: tuple[str, ...]
    keys: tuple[bytes, ...]

    def __str__(self) -> str:
        term = f"({self.term})" if isinstance(self.term, Pipe) else str(self.term)
        return ".".join((term, *self.names))


@dataclass(slots=True, eq=False)
class Command(Node):
    """An operand with its arguments."""

    args: list[Node]

    def __str__(self) -> str:
        return " ".join(
            f"({arg})" if isinstance(arg, Pipe) else str(arg) for arg in self.args
        )


@dataclass(slots=True, eq=False)
class Pipe(Node):
    """Commands, each fed with the result of the one before; and what gets the last.

    Attributes:
        is_assignment: the variables exist already.
        declared: names of variables.
        commands: at least one.
    """

    is_assignment: bool = False
    declared: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    def __str__(self) -> str:
        text = " | ".join(map(str, self.commands))
        if not self.declared:
            return text
        sign = "=" if self.is_assignment else ":="
        return f"{', '.join(self.declared)} {sign} {text}"


@dataclass(slots=True, eq=False)
class Text(Node):
    """Text to copy."""

    value: bytes


@dataclass(slots=True, eq=False)
class Action(Node):
    """A pipeline whose value is printed, unless it declares variables.

    Attributes:
        field: what is printed, if it is a field of the cursor and nothing else.
    """

    pipe: Pipe
    field: Field | None = None

    def __post_init__(self) -> None:
        """Finds out whether it is the action of most templates."""
        commands = self.pipe.commands
        if len(commands) == 1 and not self.pipe.declared:
            first, *others = commands[0].args
            if isinstance(first, Field) and not others and len(first.keys) == 1:
                self.field = first


@dataclass(slots=True, eq=False)
class Branch(Node):
    """`if` or `with`, with its `else if` or `else with` branches.

    Attributes:
        sets_dot: it is `with`.
        clauses: pipeline and body of each branch, in order.
        otherwise: the body of `else`.
    """

    sets_dot: bool
    clauses: list[tuple[Pipe, Body]] = field(default_factory=list)
    otherwise: Body | None = None


@dataclass(slots=True, eq=False)
class Range(Node):
    """A loop."""

    pipe: Pipe
    body: Body
    otherwise: Body | None


@dataclass(slots=True, eq=False)
class Break(Node):
    """Leaves the loop."""


@dataclass(slots=True, eq=False)
class Continue(Node):
    """Goes on with the next element."""


@dataclass(slots=True, eq=False)
class Call(Node):
    """Runs another template; `pipe` gives its cursor, `None` stands for nil."""

    name: bytes
    pipe: Pipe | None

    def __str__(self) -> str:
        pipe = f" {self.pipe}" if self.pipe is not None else ""
        return f"{{{{template {quote(self.name).decode()}{pipe}}}}}"


@dataclass(slots=True, eq=False)
class End(Node):
    """The end of a list; never in a tree."""

    def __str__(self) -> str:
        return "{{end}}"


@dataclass(slots=True, eq=False)
class Else(Node):
    """The other end of a list; never in a tree."""

    def __str__(self) -> str:
        return "{{else}}"


Body: TypeAlias = tuple[Node, ...]
"""Nodes to execute in order."""

Trees: TypeAlias = Mapping[bytes, Body]
"""Templates by name; the main one has no name."""


def is_empty(body: Body) -> bool:
    """Tells whether a template holds nothing but white space."""
    return all(
        isinstance(node, Text) and not node.value.decode().strip(runes.SPACE_TEXT)
        for node in body
    )
