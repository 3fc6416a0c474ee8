"""Takes values and constants as arguments of Go's types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.compat.template import nodes
from app.compat.template.nodes import Node
from app.compat.template.state import State
from app.compat.template.values import (
    ANY,
    MISSING,
    NILLABLE,
    REFLECTED,
    STRING,
    Type,
    Value,
    type_of,
    unbox,
    zero,
)


class Arguments(State):
    """What needs no evaluation."""

    __slots__ = ()

    def validate(self, value: Value, kind: Type | None) -> Value:
        """A reflected value as argument of a type (`None`: as it is)."""
        if kind is STRING and type(value) is bytes:
            return value
        if value is None:
            return self._nil_argument(kind, "invalid value; expected")
        if kind is REFLECTED or kind is None:
            return value
        if kind is ANY:
            return unbox(value)
        inner = unbox(value)
        value = value if inner is None else inner
        found = type_of(value)
        if found is not kind:
            self.fail(f"wrong type for value; expected {kind}; got {found}")
        return value

    def _nil_argument(self, kind: Type | None, problem: str) -> Value:
        if kind is None or kind is REFLECTED or kind is ANY:
            return None
        if kind.kind not in NILLABLE:
            self.fail(f"{problem} {kind}")
        return unbox(zero(kind))

    def no_function(self, args: Sequence[Node], final: Value) -> None:
        """Checks that what is no function is given no arguments."""
        if len(args) > 1 or final is not MISSING:
            self.fail(f"can't give argument to non-function {args[0]}")

    def constant(self, dot: Value, node: Node) -> Value:
        """The value of a constant, or the cursor."""
        match node:
            case nodes.Dot():
                return dot
            case nodes.Bool() | nodes.String():
                return node.value
            case nodes.Number():
                if node.ideal is None:
                    self.fail(f"{node.text} overflows int")
                return node.ideal
        raise self.failure("nil is not a command")

    def literal(self, dot: Value, kind: Type | None, node: Node) -> Value:
        """The value of a constant as argument of a type (`None`: as it is)."""
        if kind is STRING and type(node) is nodes.String:
            return node.value
        if type(node) is nodes.Nil:
            return self._nil_argument(kind, "cannot assign nil to")
        if kind is None or kind is ANY or kind is REFLECTED:
            return self.constant(dot, node)
        match kind.kind, node:
            case "bool", nodes.Bool():
                return node.value
            case "int", nodes.Number() if node.integer is not None:
                return node.integer
            case "float64", nodes.Number() if node.real is not None:
                return node.real
        wanted = _EXPECTED.get(kind.kind)
        if wanted is None:
            self.fail(f"can't handle {node} for arg of type {kind}")
        raise self.failure(f"expected {wanted}; found {node}")


_EXPECTED: Final = {
    "bool": "bool",
    "string": "string",
    "int": "integer",
    "float64": "float",
}
