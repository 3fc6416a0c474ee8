"""Executes a template, as text/template's exec.go does.

`Execution` walks the nodes; `Evaluation` below it turns pipelines, commands and
arguments into values, and checks their types as Go's reflection does. Before a
node is evaluated it becomes the current one: error texts name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from app.compat.template import nodes
from app.compat.template.evaluate import Evaluation
from app.compat.template.gofmt import show, sprint
from app.compat.template.limits import too_costly
from app.compat.template.nodes import Body, Node
from app.compat.template.state import Frame
from app.compat.template.strconv import quote
from app.compat.template.values import (
    SIGNED,
    UNSIGNED,
    Map,
    Number,
    Slice,
    Value,
    is_true,
    kind_of,
    unbox,
)


class Jump(Enum):
    """How a body of nodes ended, other than at its end."""

    BREAK = "break"
    CONTINUE = "continue"


class Execution(Evaluation):
    """One run of a template."""

    __slots__ = ("calls", "limit", "output")

    def run(self, data: Value) -> bytes:
        """Executes the main template."""
        self.output = bytearray()
        self.limit = self.meter.limits.output_bytes
        self.calls = 0
        self.walk_body(data, self.trees[b""])
        return bytes(self.output)

    def write(self, data: bytes) -> None:
        """Appends to the output, within its bound."""
        self.output += data
        if len(self.output) > self.limit:
            too_costly(f"more than {self.limit:,} bytes of output")

    def walk_body(self, dot: Value, body: Body) -> Jump | None:
        """Executes nodes in order, up to a jump; all of them are counted."""
        self.meter.step(len(body))
        for node in body:
            self.node = node
            if type(node) is nodes.Text:
                self.write(node.value)
                continue
            jump = _WALKERS[type(node)](self, dot, node)
            if jump is not None:
                return jump
        return None

    def walk_action(self, dot: Value, node: nodes.Action) -> None:
        """Prints a value, unless variables took it."""
        field = node.field
        if field is not None and isinstance(dot, Map):
            value = dot.find(field.names[0], field.keys[0])
            if type(value) is bytes:
                self.meter.step()
                self.write(value)
                return
        value = self.pipeline(dot, node.pipe)
        if type(value) is bytes and not node.pipe.declared:
            self.write(value)
        elif not node.pipe.declared:
            self.write(b"<no value>" if value is None else sprint(self.meter, [value]))

    def walk_break(self, _dot: Value, _node: Node) -> Jump:
        """Leaves the loop."""
        return Jump.BREAK

    def walk_continue(self, _dot: Value, _node: Node) -> Jump:
        """Goes on with the loop."""
        return Jump.CONTINUE

    def walk_branch(self, dot: Value, node: nodes.Branch) -> Jump | None:
        """Executes the first branch whose value is true."""
        variables = self.frame.variables
        mark = len(variables)
        self.enter()
        jump = None
        for pipe, body in node.clauses:
            value = self.pipeline(dot, pipe)
            if is_true(unbox(value)):
                jump = self.walk_body(value if node.sets_dot else dot, body)
                break
        else:
            if node.otherwise is not None:
                jump = self.walk_body(dot, node.otherwise)
        self.leave()
        del variables[mark:]
        return jump

    def walk_range(self, dot: Value, node: nodes.Range) -> Jump | None:
        """Runs a loop, or what stands for an empty one."""
        variables = self.frame.variables
        mark = len(variables)
        self.enter()
        value = unbox(self.pipeline(dot, node.pipe))
        jump = None
        if not self._iterate(node, value) and node.otherwise is not None:
            jump = self.walk_body(dot, node.otherwise)
        self.leave()
        del variables[mark:]
        return jump

    def _iterate(self, node: nodes.Range, value: Value) -> bool:
        """Runs the loop; tells whether there was anything to run over."""
        match value:
            case Slice():
                return self._iterate_slice(node, value)
            case Map():
                return self._iterate_map(node, value)
            case None:
                return False
        if kind_of(value) not in SIGNED | UNSIGNED:
            self.fail(f"range can't iterate over {self.shown(value)}")
        return self._iterate_integer(node, value)

    def _iterate_slice(self, node: nodes.Range, value: Slice) -> bool:
        iterate = self._iteration if node.pipe.declared else self._plain_iteration
        for index in range(len(value)):
            if iterate(node, index, value.at(index)):
                break
        return len(value) > 0

    def _iterate_map(self, node: nodes.Range, value: Map) -> bool:
        keys = value.keys()
        self.meter.work(len(keys))
        pairs = [(key, value.at(key)) for key in keys]
        for key, item in pairs:
            if self._iteration(node, key, item):
                break
        return bool(pairs)

    def _iterate_integer(self, node: nodes.Range, value: int | Number) -> bool:
        if len(node.pipe.declared) > 1:
            shown = self.shown(value)
            self.fail(f"can't use {shown} to iterate over more than one variable")
        count = value.number if isinstance(value, Number) else value
        for index in range(count):
            item = Number(value.type, index) if isinstance(value, Number) else index
            if self._iteration(node, None, item):
                break
        return count > 0

    def _iteration(self, node: nodes.Range, index: Value, item: Value) -> bool:
        """Runs the loop's body once; tells whether it asked to leave."""
        if node.pipe.declared:
            self._set_loop_variables(node.pipe, index, item)
        return self._plain_iteration(node, index, item)

    def _plain_iteration(self, node: nodes.Range, _index: Value, item: Value) -> bool:
        self.meter.step()
        variables = self.frame.variables
        mark = len(variables)
        jump = self.walk_body(item, node.body)
        if len(variables) > mark:
            del variables[mark:]
        return jump is Jump.BREAK

    def _set_loop_variables(self, pipe: nodes.Pipe, index: Value, item: Value) -> None:
        pair = [item] if len(pipe.declared) == 1 else [index, item]
        if pipe.is_assignment:
            for name, part in zip(pipe.declared, pair, strict=True):
                self.set_variable(name, part)
            return
        variables = self.frame.variables
        for offset, part in enumerate(reversed(pair), start=1):
            variables[-offset] = (variables[-offset][0], part)

    def walk_call(self, dot: Value, node: nodes.Call) -> None:
        """Executes another template; variables do not go with it."""
        body = self.trees.get(node.name)
        if body is None:
            self.fail(f"template {quote(node.name).decode()} not defined")
        value = self.pipeline(dot, node.pipe) if node.pipe is not None else None
        self.calls += 1
        limit = self.meter.limits.depth
        if self.calls > limit:
            too_costly(f"template calls nested deeper than {limit}")
        self.enter()
        caller, self.frame = self.frame, Frame(node.name, [("$", value)])
        self.walk_body(value, body)
        self.frame = caller
        self.leave()
        self.calls -= 1

    def shown(self, value: Value) -> str:
        """A value inside an error text."""
        return show(self.meter, value).decode("utf-8", "surrogateescape")


_WALKERS: Final[Mapping[type[Node], Callable[..., Jump | None]]] = {
    nodes.Action: Execution.walk_action,
    nodes.Break: Execution.walk_break,
    nodes.Continue: Execution.walk_continue,
    nodes.Branch: Execution.walk_branch,
    nodes.Range: Execution.walk_range,
    nodes.Call: Execution.walk_call,
}
