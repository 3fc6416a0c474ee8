"""The state of a run, as text/template's exec.go keeps it.

Before a node is evaluated it becomes the current one: error texts name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from app.compat.template.limits import Meter, too_costly
from app.compat.template.nodes import Node, Trees
from app.compat.template.runes import clean, escaped
from app.compat.template.strconv import quote
from app.compat.template.values import Function, Value
from app.errors import SpecError

FAILED: Final = "TemplateFailed"


@dataclass(slots=True)
class Frame:
    """One running template: its name and its variables, the newest last."""

    name: bytes
    variables: list[tuple[str, Value]]


class State:
    """The state of one run."""

    __slots__ = ("frame", "functions", "meter", "nesting", "node", "text", "trees")

    def __init__(
        self,
        text: str,
        trees: Trees,
        functions: Mapping[str, Function],
        meter: Meter,
        data: Value,
    ) -> None:
        self.text: Final = text
        self.trees: Final = trees
        self.functions: Final = functions
        self.meter: Final = meter
        self.frame = Frame(b"", [("$", data)])
        self.nesting = 0
        self.node = Node(0)

    # Errors and bounds.

    def fail(self, text: str) -> NoReturn:
        """Raises Go's error text about the current node."""
        raise self.failure(text)

    def failure(self, text: str) -> SpecError:
        """The error about the current node, for callers that raise it."""
        before = self.text[: self.node.position]
        line = before.count("\n") + 1
        column = len(before[before.rfind("\n") + 1 :].encode())
        name = escaped(quote(self.frame.name))
        message = (
            f"template: :{line}:{column}: executing {name} at <{self.node}>: {text}"
        )
        return SpecError(FAILED, clean(message), line=line, column=column + 1)

    def enter(self) -> None:
        """Counts one more level of nesting."""
        self.nesting += 1
        limit = self.meter.limits.nesting
        if self.nesting > limit:
            too_costly(f"execution nested deeper than {limit}")

    def leave(self) -> None:
        """Counts one level less."""
        self.nesting -= 1

    # Variables.

    def find_variable(self, name: str) -> int:
        """The position of the newest variable of this name."""
        variables = self.frame.variables
        index = len(variables) - 1
        while variables[index][0] != name:
            index -= 1
            if index < 0:
                self.fail(f"undefined variable: {name}")
        self.meter.work(len(variables) - index)
        return index

    def set_variable(self, name: str, value: Value) -> None:
        """Sets the newest variable of this name."""
        self.frame.variables[self.find_variable(name)] = (name, value)
