"""Turns pipelines, commands and arguments into values.

Reflected values may be `Boxed`; the value of a pipeline never is, but the cursor
and variables may be, where a loop runs over a `[]interface {}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from app.compat.template import nodes
from app.compat.template.arguments import Arguments
from app.compat.template.limits import CALL
from app.compat.template.nodes import Node
from app.compat.template.runes import escaped
from app.compat.template.strconv import quote_text
from app.compat.template.values import (
    MISSING,
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
)


class Evaluation(Arguments):
    """How a run evaluates."""

    __slots__ = ()

    # Pipelines and commands.

    def pipeline(self, dot: Value, pipe: nodes.Pipe) -> Value:
        """The value of a pipeline, unboxed; sets its variables."""
        self.node = pipe
        value: Value = MISSING
        for command in pipe.commands:
            value = self.command(dot, command, value)
            if type(value) is Boxed:
                value = value.value
        if pipe.declared:
            self._declare(pipe, value)
        return value

    def _declare(self, pipe: nodes.Pipe, value: Value) -> None:
        for name in pipe.declared:
            if pipe.is_assignment:
                self.set_variable(name, value)
            else:
                self.frame.variables.append((name, value))

    def command(self, dot: Value, command: nodes.Command, final: Value) -> Value:
        """The reflected value of a command; `final` is the one before's, if any."""
        self.meter.step()
        args = command.args
        first = args[0]
        make = _COMMANDS.get(type(first))
        if make is not None:
            return make(self, dot, first, command, final)
        self.node = first
        self.no_function(args, final)
        return self.constant(dot, first)

    def field_command(
        self, dot: Value, node: nodes.Field, command: nodes.Command, final: Value
    ) -> Value:
        """The reflected value of fields of the cursor."""
        self.node = node
        return self.fields(dot, dot, node, command.args, final)

    def chain_command(
        self, dot: Value, node: nodes.Chain, command: nodes.Command, final: Value
    ) -> Value:
        """The reflected value of fields of a term."""
        return self.chain(dot, node, command.args, final)

    def function_command(
        self, dot: Value, node: nodes.Identifier, command: nodes.Command, final: Value
    ) -> Value:
        """The result of a function."""
        return self.function(dot, node, command, command.args, final)

    def pipe_command(
        self, dot: Value, node: nodes.Pipe, command: nodes.Command, final: Value
    ) -> Value:
        """The value of a pipeline in parentheses, which takes no arguments."""
        self.no_function(command.args, final)
        return self.parenthesis(dot, node)

    def variable_command(
        self, dot: Value, node: nodes.Variable, command: nodes.Command, final: Value
    ) -> Value:
        """The reflected value of a variable."""
        return self.variable(dot, node, command.args, final)

    def parenthesis(self, dot: Value, pipe: nodes.Pipe) -> Value:
        """The value of a pipeline in parentheses."""
        self.enter()
        value = self.pipeline(dot, pipe)
        self.leave()
        return value

    # Fields.

    def variable(
        self, dot: Value, node: nodes.Variable, args: Sequence[Node], final: Value
    ) -> Value:
        """The reflected value of a variable, or of its fields."""
        self.node = node
        value = self.frame.variables[self.find_variable(node.name)][1]
        if not node.keys:
            self.no_function(args, final)
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
        if len(args) <= 1 and final is MISSING:
            value = self._plain_fields(receiver, node)
            if value is not MISSING:
                return value
        last = len(node.keys) - 1
        for index, (name, key) in enumerate(zip(node.names, node.keys, strict=True)):
            is_last = index == last
            given, behind = (args, final) if is_last else ((), MISSING)
            value = unbox(receiver)
            if isinstance(value, Pointer | Struct):
                kind = type_of(receiver)
                method = self._method(value, kind, key)
                receiver = self.call(dot, method, node, name, given, behind)
                continue
            entries = self._entries(receiver, value, name)
            if len(given) > 1 or behind is not MISSING:
                self.fail(f"{name} is not a method but has arguments")
            receiver = entries.find(name, key)
            if receiver is MISSING:
                self.fail(f"map has no entry for key {quote_text(name)}")
        return receiver

    def _plain_fields(
        self, value: Value, node: nodes.Field | nodes.Variable | nodes.Chain
    ) -> Value:
        """Goes along maps; `MISSING` if that is not all there is to do."""
        for name, key in zip(node.names, node.keys, strict=True):
            if not isinstance(value, Map):
                return MISSING
            value = value.find(name, key)
        return value

    def _entries(self, receiver: Value, value: Value, name: str) -> Map:
        """The map that has a field, perhaps."""
        if receiver is None:
            self.fail(f"nil data; no entry for key {quote_text(name)}")
        kind = type_of(receiver)
        if value is None:
            self.fail(f"nil pointer evaluating {kind}.{name}")
        if not isinstance(value, Map):
            self.fail(f"can't evaluate field {name} in type {kind}")
        return value

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
        params, variadic = function.params, function.variadic
        size, wanted = len(given) + (final is not MISSING), len(params)
        if size < wanted or (size > wanted and variadic is None):
            self._wrong_count(function, name, len(given), size)
        values = [
            self.argument(dot, params[at] if at < wanted else variadic, node)
            for at, node in enumerate(given)
        ]
        if final is not MISSING:
            kind = params[size - 1] if size <= wanted else variadic
            values.append(self.validate(final, kind))
        return self._guarded(function, where, name, values)

    def _wrong_count(
        self, function: Function, name: str, given: int, size: int
    ) -> NoReturn:
        wanted = len(function.params)
        text = f"wrong number of args for {name}: want"
        if function.variadic is not None:
            self.fail(f"{text} at least {wanted} got {given}")
        self.fail(f"{text} {wanted} got {size}")

    def _guarded(
        self, function: Function, where: Node, name: str, values: Sequence[Value]
    ) -> Value:
        meter = self.meter
        meter.step(CALL)
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

    def argument(self, dot: Value, kind: Type | None, node: Node) -> Value:
        """The value of a node as argument of a type (`None`: as it is)."""
        self.node = node
        make = _ARGUMENTS.get(type(node))
        if make is None:
            return self.literal(dot, kind, node)
        return self.validate(make(self, dot, node), kind)

    def field_argument(self, dot: Value, node: nodes.Field) -> Value:
        """The reflected value of fields of the cursor."""
        value = self._plain_fields(dot, node)
        if value is MISSING:
            return self.fields(dot, dot, node, (), MISSING)
        return value

    def function_argument(self, dot: Value, node: nodes.Identifier) -> Value:
        """The reflected result of a function without arguments."""
        value = self.function(dot, node, node, (), MISSING)
        function = self.functions.get(node.name)
        is_boxed = function is not None and function.boxed
        return Boxed(value) if is_boxed else value

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


_COMMANDS: Final[Mapping[type[Node], Callable[..., Value]]] = {
    nodes.Chain: Evaluation.chain_command,
    nodes.Field: Evaluation.field_command,
    nodes.Identifier: Evaluation.function_command,
    nodes.Pipe: Evaluation.pipe_command,
    nodes.Variable: Evaluation.variable_command,
}
"""How a command is evaluated, by its first word; other words are constants."""

_ARGUMENTS: Final[Mapping[type[Node], Callable[..., Value]]] = {
    nodes.Chain: lambda run, dot, node: run.chain(dot, node, (), MISSING),
    nodes.Dot: lambda _run, dot, _node: dot,
    nodes.Field: Evaluation.field_argument,
    nodes.Identifier: Evaluation.function_argument,
    nodes.Pipe: Evaluation.parenthesis,
    nodes.Variable: lambda run, dot, node: run.variable(dot, node, (), MISSING),
}
"""How an argument is evaluated; others are literals."""

_SPECIAL: Final[Mapping[str, Callable[..., Value]]] = {
    "and": Evaluation.short_circuit,
    "or": Evaluation.short_circuit,
    "call": Evaluation.call_builtin,
}
