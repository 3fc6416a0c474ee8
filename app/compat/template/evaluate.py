"""Turns pipelines, commands and arguments into values.

Reflected values may be `Boxed`; the value of a pipeline never is, but the cursor
and variables may be, where a loop runs over a `[]interface {}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from app.compat.template import nodes
from app.compat.template.limits import Meter, too_costly
from app.compat.template.nodes import Node
from app.compat.template.runes import clean, escaped
from app.compat.template.strconv import quote, quote_text
from app.compat.template.values import (
    ANY,
    NILLABLE,
    REFLECTED,
    Boxed,
    Function,
    GoError,
    Map,
    Pointer,
    Slice,
    Struct,
    Type,
    Value,
    is_true,
    type_of,
    unbox,
    zero,
)
from app.errors import SpecError

FAILED: Final = "TemplateFailed"


class _Missing:
    """Stands for the final argument where there is none."""


MISSING: Final = _Missing()


@dataclass(slots=True)
class Frame:
    """One running template: its name and its variables, the newest last."""

    name: bytes
    variables: list[tuple[str, Value]]


class Evaluation:
    """The state of one run, and how it evaluates."""

    __slots__ = ("frame", "functions", "meter", "nesting", "node", "text", "trees")

    def __init__(
        self,
        text: str,
        trees: nodes.Trees,
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

    def _find(self, name: str) -> int:
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
        self.frame.variables[self._find(name)] = (name, value)

    # Pipelines and commands.

    def pipeline(self, dot: Value, pipe: nodes.Pipe) -> Value:
        """The value of a pipeline, unboxed; sets its variables."""
        self.node = pipe
        value: Value = MISSING
        for command in pipe.commands:
            value = unbox(self.command(dot, command, value))
        for name in pipe.declared:
            if pipe.is_assignment:
                self.set_variable(name, value)
            else:
                self.frame.variables.append((name, value))
        return value

    def command(self, dot: Value, command: nodes.Command, final: Value) -> Value:
        """The reflected value of a command; `final` is the one before's, if any."""
        self.meter.step()
        first = command.args[0]
        match first:
            case nodes.Field():
                self.node = first
                return self.fields(dot, dot, first, command.args, final)
            case nodes.Chain():
                return self.chain(dot, first, command.args, final)
            case nodes.Identifier():
                return self.function(dot, first, command, command.args, final)
            case nodes.Pipe():
                self._no_function(command.args, final)
                return self.parenthesis(dot, first)
            case nodes.Variable():
                return self.variable(dot, first, command.args, final)
        self.node = first
        self._no_function(command.args, final)
        return self._constant(dot, first)

    def parenthesis(self, dot: Value, pipe: nodes.Pipe) -> Value:
        """The value of a pipeline in parentheses."""
        self.enter()
        value = self.pipeline(dot, pipe)
        self.leave()
        return value

    def _no_function(self, args: Sequence[Node], final: Value) -> None:
        if len(args) > 1 or final is not MISSING:
            self.fail(f"can't give argument to non-function {args[0]}")

    def _constant(self, dot: Value, node: Node) -> Value:
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

    # Fields.

    def variable(
        self, dot: Value, node: nodes.Variable, args: Sequence[Node], final: Value
    ) -> Value:
        """The reflected value of a variable, or of its fields."""
        self.node = node
        value = self.frame.variables[self._find(node.name)][1]
        if not node.keys:
            self._no_function(args, final)
            return value
        return self.fields(dot, value, node, args, final)

    def chain(
        self, dot: Value, node: nodes.Chain, args: Sequence[Node], final: Value
    ) -> Value:
        """The reflected value of the fields of a term."""
        self.node = node
        value = self.argument(dot, None, node.term)
        return self.fields(dot, value, node, args, final)

    def fields(
        self,
        dot: Value,
        receiver: Value,
        node: nodes.Field | nodes.Variable | nodes.Chain,
        args: Sequence[Node],
        final: Value,
    ) -> Value:
        """Goes along a chain of fields; arguments are the last one's.

        Args:
            dot: the cursor, for arguments.
            receiver: where the chain starts.
            node: the chain.
            args: nodes of the command, the first one being the chain.
            final: the value before in the pipeline, if any.
        """
        last = len(node.keys) - 1
        for index, key in enumerate(node.keys):
            is_last = index == last
            given, behind = (args, final) if is_last else ((), MISSING)
            value = unbox(receiver)
            if isinstance(value, Pointer | Struct):
                kind = type_of(receiver)
                method = self._method(value, kind, key)
                name = key.decode()
                receiver = self.call(dot, method, node, name, given, behind)
                continue
            receiver = self._entry(receiver, value, key)
            if len(given) > 1 or behind is not MISSING:
                self.fail(f"{key.decode()} is not a method but has arguments")
            receiver = self._value(receiver, key)
        return receiver

    def _entry(self, receiver: Value, value: Value, key: bytes) -> Map:
        """The map that has a field, perhaps."""
        name = key.decode()
        if receiver is None:
            self.fail(f"nil data; no entry for key {quote_text(name)}")
        kind = type_of(receiver)
        if value is None:
            self.fail(f"nil pointer evaluating {kind}.{name}")
        if not isinstance(value, Map):
            self.fail(f"can't evaluate field {name} in type {kind}")
        return value

    def _value(self, entries: Map, key: bytes) -> Value:
        """The reflected value of a key."""
        if key not in entries.entries:
            self.fail(f"map has no entry for key {quote_text(key.decode())}")
        return entries.at(key)

    def _method(self, value: Pointer | Struct, kind: Type, key: bytes) -> Function:
        """A method of a struct, bound to it; its fields are not exported."""
        target = value.target if isinstance(value, Pointer) else value
        name = key.decode()
        method = target.methods.get(key)
        if method is None and isinstance(value, Pointer):
            method = target.pointer_methods.get(key)
        if method is not None:
            call = method.call
            return Function(
                lambda meter, *rest: call(meter, target, *rest), method.params
            )
        if name in target.fields():
            self.fail(f"{name} is an unexported field of struct type {kind}")
        raise self.failure(f"can't evaluate field {name} in type {kind}")

    # Functions.

    def function(
        self,
        dot: Value,
        node: nodes.Identifier,
        command: Node,
        args: Sequence[Node],
        final: Value,
    ) -> Value:
        """The result of a function of the table."""
        self.node = node
        special = _SPECIAL.get(node.name)
        if special is not None:
            return special(self, dot, node, command, args, final)
        function = self.functions[node.name]
        return self.call(dot, function, command, node.name, args, final)

    def call(
        self,
        dot: Value,
        function: Function,
        where: Node,
        name: str,
        args: Sequence[Node],
        final: Value,
    ) -> Value:
        """Evaluates the arguments and calls.

        Args:
            dot: the cursor.
            function: what to call.
            where: the node that an error of the function names.
            name: the function's.
            args: nodes of the command; the first one is the function.
            final: the last argument, if it comes through the pipeline.
        """
        given = args[1:]
        self._check_count(function, name, len(given), final)
        params, variadic = function.params, function.variadic
        values: list[Value] = []
        for index, node in enumerate(given):
            kind = params[index] if index < len(params) else variadic
            values.append(self.argument(dot, kind, node))
        if final is not MISSING:
            kind = params[len(values)] if len(values) < len(params) else variadic
            values.append(self.validate(final, kind))
        return self._guarded(function, where, name, values)

    def _check_count(
        self, function: Function, name: str, given: int, final: Value
    ) -> None:
        count = given + (final is not MISSING)
        wanted = len(function.params)
        text = f"wrong number of args for {name}: want"
        if function.variadic is not None:
            if count < wanted:
                self.fail(f"{text} at least {wanted} got {given}")
        elif count != wanted:
            self.fail(f"{text} {wanted} got {count}")

    def _guarded(
        self, function: Function, where: Node, name: str, values: Sequence[Value]
    ) -> Value:
        meter = self.meter
        meter.step()
        for value in values:
            if isinstance(value, bytes):
                meter.work(len(value))
        try:
            result = function.call(meter, *values)
        except GoError as e:
            self.node = where
            self.fail(f"error calling {name}: {e}")
        if isinstance(result, bytes):
            meter.text(len(result))
        elif isinstance(result, Slice | Map):
            meter.listing(len(result))
        return result

    # Arguments.

    def validate(self, value: Value, kind: Type | None) -> Value:
        """A reflected value as argument of a type (`None`: as it is)."""
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

    def argument(self, dot: Value, kind: Type | None, node: Node) -> Value:
        """The value of a node as argument of a type (`None`: as it is)."""
        self.node = node
        match node:
            case nodes.Dot():
                return self.validate(dot, kind)
            case nodes.Nil():
                return self._nil_argument(kind, "cannot assign nil to")
            case nodes.Field():
                value = self.fields(dot, dot, node, (), MISSING)
            case nodes.Variable():
                value = self.variable(dot, node, (), MISSING)
            case nodes.Pipe():
                value = self.parenthesis(dot, node)
            case nodes.Identifier():
                value = self.function(dot, node, node, (), MISSING)
                if node.name in self.functions and self.functions[node.name].boxed:
                    value = Boxed(value)
            case nodes.Chain():
                value = self.chain(dot, node, (), MISSING)
            case _:
                return self._literal(dot, kind, node)
        return self.validate(value, kind)

    def _literal(self, dot: Value, kind: Type | None, node: Node) -> Value:
        if kind is None or kind is ANY or kind is REFLECTED:
            return self._constant(dot, node)
        match kind.kind, node:
            case "bool", nodes.Bool():
                return node.value
            case "string", nodes.String():
                return node.value
            case "int", nodes.Number() if node.integer is not None:
                return node.integer
            case "float64", nodes.Number() if node.real is not None:
                return node.real
        wanted = _EXPECTED.get(kind.kind)
        if wanted is None:
            self.fail(f"can't handle {node} for arg of type {kind}")
        raise self.failure(f"expected {wanted}; found {node}")

    # Functions that evaluate their arguments in their own way.

    def short_circuit(
        self,
        dot: Value,
        node: nodes.Identifier,
        _command: Node,
        args: Sequence[Node],
        final: Value,
    ) -> Value:
        """`and` and `or`: the first argument that decides, or the last one."""
        given = args[1:]
        if not given and final is MISSING:
            self.fail(f"wrong number of args for {node.name}: want at least 1 got 0")
        value: Value = None
        for arg in given:
            value = self.argument(dot, REFLECTED, arg)
            if is_true(unbox(value)) == (node.name == "or"):
                return value
        return value if final is MISSING else final

    def call_builtin(
        self,
        dot: Value,
        node: nodes.Identifier,
        command: Node,
        args: Sequence[Node],
        final: Value,
    ) -> Value:
        """`call`: fails, because no template of ours ever sees a function."""
        given = args[1:]
        if not given and final is MISSING:
            self.fail(f"wrong number of args for {node.name}: want at least 1 got 0")
        values = [self.argument(dot, REFLECTED, arg) for arg in given]
        callee = str(given[0]) if given else _as_text(final)
        value = unbox(values[0] if values else final)
        self.node = command
        if value is None:
            self.fail("error calling call: call of nil")
        kind = type_of(value)
        self.fail(f"error calling call: non-function {callee} of type {kind}")


def _as_text(value: Value) -> str:
    """A value as reflect.Value.String gives it."""
    if isinstance(value, bytes):
        return escaped(value)
    return f"<{'invalid' if value is None else type_of(value)} Value>"


_EXPECTED: Final = {
    "bool": "bool",
    "string": "string",
    "int": "integer",
    "float64": "float",
}
_SPECIAL: Final[Mapping[str, Callable[..., Value]]] = {
    "and": Evaluation.short_circuit,
    "or": Evaluation.short_circuit,
    "call": Evaluation.call_builtin,
}
