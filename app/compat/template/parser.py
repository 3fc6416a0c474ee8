"""Parses a template into trees, as text/template/parse does.

`Reader` gives tokens, `Pipelines` parses what stands in an action; actions, and the
templates that they define, are parsed here. Actions in actions are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.compat.template import nodes
from app.compat.template.limits import Limits, too_costly
from app.compat.template.nodes import Body, Node
from app.compat.template.pipelines import Pipelines
from app.compat.template.reader import Grammar
from app.compat.template.strconv import quote
from app.compat.template.tokens import Kind, Token


def parse(
    text: str, has_function: Callable[[str], bool], limits: Limits
) -> dict[bytes, Body]:
    """Parses a text without surrogates.

    Raises:
        SpecError: `InvalidTemplate` with Go's text, or `TooCostly`.
    """
    if len(text.encode()) > limits.template_bytes:
        too_costly(f"a text of more than {limits.template_bytes:,} bytes")
    grammar = Grammar(text, has_function, limits)
    _Tree(grammar, b"").parse()
    return grammar.trees


class _Tree(Pipelines):
    """Parses one template; `define` and `block` start another."""

    def __init__(self, grammar: Grammar, name: bytes) -> None:
        super().__init__(grammar)
        self.name = name
        self.body: list[Node] = []
        self.range_depth = 0

    # Templates.

    def parse(self) -> None:
        """Parses the main template, to the end of the text."""
        while self.peek().kind is not Kind.EOF:
            if self.peek().kind is Kind.LEFT_DELIM:
                delimiter = self.next()
                if self.next_non_space().kind is Kind.DEFINE:
                    self._definition()
                    continue
                self.tokens[1] = delimiter
                self.peeked = 2
            node = self.text_or_action()
            if isinstance(node, nodes.End | nodes.Else):
                self.fail(f"unexpected {node}")
            self.body.append(node)
        self._add()

    def _definition(self) -> None:
        tree = _Tree(self.grammar, b"")
        context = "define clause"
        name = tree.expect(context, Kind.STRING, Kind.RAW_STRING)
        tree.name = tree.unquoted(name.value)
        tree.expect(context, Kind.RIGHT_DELIM)
        tree.finish(context)

    def finish(self, context: str) -> None:
        """Parses the body of a definition, up to its end."""
        self._enter()
        body, end = self.items()
        self._leave()
        self.body = list(body)
        if not isinstance(end, nodes.End):
            self.fail(f"unexpected {end} in {context}")
        self._add()

    def _enter(self) -> None:
        self.grammar.depth += 1
        if self.grammar.depth > self.grammar.limits.depth:
            too_costly(f"actions nested deeper than {self.grammar.limits.depth}")

    def _leave(self) -> None:
        self.grammar.depth -= 1

    def _add(self) -> None:
        trees = self.grammar.trees
        body = tuple(self.body)
        if self.name not in trees or nodes.is_empty(trees[self.name]):
            trees[self.name] = body
        elif not nodes.is_empty(body):
            shown = quote(self.name).decode()
            self.fail(f"template: multiple definition of template {shown}")

    # Lists of nodes.

    def items(self) -> tuple[Body, Node]:
        """Parses nodes up to an `end` or `else`, which is returned beside them."""
        body: list[Node] = []
        while self.peek_non_space().kind is not Kind.EOF:
            node = self.text_or_action()
            if isinstance(node, nodes.End | nodes.Else):
                return tuple(body), node
            body.append(node)
        raise self.failure("unexpected EOF")

    def text_or_action(self) -> Node:
        token = self.next_non_space()
        if token.kind is Kind.TEXT:
            return nodes.Text(token.position, token.value.encode())
        if token.kind is not Kind.LEFT_DELIM:
            self.unexpected(token, "input")
        self.action_line = token.line
        node = self.action()
        self.action_line = 0
        return node

    def action(self) -> Node:
        token = self.next_non_space()
        control = _CONTROLS.get(token.kind)
        if control is not None:
            return control(self, token)
        self.backup()
        token = self.peek()
        pipe = self.pipeline("command", Kind.RIGHT_DELIM)
        return nodes.Action(token.position, pipe)

    # Controls; the keyword is read.

    def leave_loop(self, token: Token) -> Node:
        name = token.value
        after = self.next_non_space()
        if after.kind is not Kind.RIGHT_DELIM:
            self.unexpected(after, f"{{{{{name}}}}}")
        if not self.range_depth:
            self.fail(f"{{{{{name}}}}} outside {{{{range}}}}")
        make = nodes.Break if token.kind is Kind.BREAK else nodes.Continue
        return make(token.position)

    def end(self, token: Token) -> Node:
        self.expect("end", Kind.RIGHT_DELIM)
        return nodes.End(token.position)

    def otherwise(self, token: Token) -> Node:
        if self.peek_non_space().kind not in {Kind.IF, Kind.WITH}:
            self.expect("else", Kind.RIGHT_DELIM)
        return nodes.Else(token.position)

    def branch(self, token: Token) -> Node:
        mark = len(self.variables)
        context = token.value
        node = nodes.Branch(token.position, sets_dot=token.kind is Kind.WITH)
        self._enter()
        while True:
            pipe = self.pipeline(context, Kind.RIGHT_DELIM)
            body, after = self.items()
            node.clauses.append((pipe, body))
            if isinstance(after, nodes.End) or self.peek().kind is not token.kind:
                break
            self.next()
        if isinstance(after, nodes.Else):
            node.otherwise = self._else_body()
        self._leave()
        del self.variables[mark:]
        return node

    def _else_body(self) -> Body:
        body, after = self.items()
        if not isinstance(after, nodes.End):
            self.fail(f"expected end; found {after}")
        return body

    def loop(self, token: Token) -> Node:
        mark = len(self.variables)
        self._enter()
        pipe = self.pipeline("range", Kind.RIGHT_DELIM)
        self.range_depth += 1
        body, after = self.items()
        self.range_depth -= 1
        otherwise = self._else_body() if isinstance(after, nodes.Else) else None
        self._leave()
        del self.variables[mark:]
        return nodes.Range(token.position, pipe, body, otherwise)

    def block(self, _token: Token) -> Node:
        context = "block clause"
        token = self.next_non_space()
        name = self._template_name(token, context)
        pipe = self.pipeline(context, Kind.RIGHT_DELIM)
        _Tree(self.grammar, name).finish(context)
        return nodes.Call(token.position, name, pipe)

    def template(self, _token: Token) -> Node:
        context = "template clause"
        token = self.next_non_space()
        name = self._template_name(token, context)
        pipe = None
        if self.next_non_space().kind is not Kind.RIGHT_DELIM:
            self.backup()
            pipe = self.pipeline(context, Kind.RIGHT_DELIM)
        return nodes.Call(token.position, name, pipe)

    def _template_name(self, token: Token, context: str) -> bytes:
        if token.kind not in {Kind.STRING, Kind.RAW_STRING}:
            self.unexpected(token, context)
        return self.unquoted(token.value)


_CONTROLS: Final[Mapping[Kind, Callable[[_Tree, Token], Node]]] = {
    Kind.BLOCK: _Tree.block,
    Kind.BREAK: _Tree.leave_loop,
    Kind.CONTINUE: _Tree.leave_loop,
    Kind.ELSE: _Tree.otherwise,
    Kind.END: _Tree.end,
    Kind.IF: _Tree.branch,
    Kind.RANGE: _Tree.loop,
    Kind.TEMPLATE: _Tree.template,
    Kind.WITH: _Tree.branch,
}
