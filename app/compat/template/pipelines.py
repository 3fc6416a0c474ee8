"""Parses pipelines: variables, commands, operands and terms.

Parentheses in parentheses are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.compat.template import nodes, numbers
from app.compat.template.limits import too_costly
from app.compat.template.nodes import Node, Pipe
from app.compat.template.reader import Grammar, Reader
from app.compat.template.strconv import quote_text
from app.compat.template.tokens import Kind, Token

_OPERANDS: Final = frozenset(
    {
        Kind.BOOL,
        Kind.CHAR_CONSTANT,
        Kind.COMPLEX,
        Kind.DOT,
        Kind.FIELD,
        Kind.IDENTIFIER,
        Kind.NUMBER,
        Kind.NIL,
        Kind.RAW_STRING,
        Kind.STRING,
        Kind.VARIABLE,
        Kind.LEFT_PAREN,
    }
)
_LITERALS: Final = (nodes.Bool, nodes.String, nodes.Number, nodes.Nil, nodes.Dot)
_NOT_EXECUTABLE: Final = (
    nodes.Bool,
    nodes.Dot,
    nodes.Nil,
    nodes.Number,
    nodes.String,
)
_NUMBERS: Final[Mapping[Kind, Callable[[int, str], nodes.Number]]] = {
    Kind.CHAR_CONSTANT: numbers.read_char,
    Kind.COMPLEX: numbers.read_complex,
    Kind.NUMBER: numbers.read_number,
}


class Pipelines(Reader):
    """Parses the pipelines of one template."""

    def __init__(self, grammar: Grammar) -> None:
        super().__init__(grammar)
        self.variables = ["$"]
        self.parens = 0

    def pipeline(self, context: str, end: Kind) -> Pipe:
        """Parses commands, and the variables before them, up to a token."""
        pipe = Pipe(self.peek_non_space().position)
        while self._declares(pipe, context):
            pass
        while True:
            token = self.next_non_space()
            if token.kind is end:
                break
            if token.kind not in _OPERANDS:
                self.unexpected(token, context)
            self.backup()
            pipe.commands.append(self.command())
        self._check(pipe, context)
        return pipe

    def _declares(self, pipe: Pipe, context: str) -> bool:
        """Reads a variable to set; tells whether another one may follow."""
        variable = self.peek_non_space()
        if variable.kind is not Kind.VARIABLE:
            return False
        self.next()
        after = self.peek()
        sign = self.peek_non_space()
        is_comma = sign.kind is Kind.CHAR and sign.value == ","
        if sign.kind in {Kind.ASSIGN, Kind.DECLARE} or is_comma:
            self.next_non_space()
            pipe.declared.append(variable.value)
            self.variables.append(variable.value)
            if not is_comma:
                pipe.is_assignment = sign.kind is Kind.ASSIGN
                return False
            return self._declares_second(pipe, context)
        if after.kind is Kind.SPACE:
            self.tokens[1], self.tokens[2] = after, variable
            self.peeked = 3
        else:
            self.tokens[1] = variable
            self.peeked = 2
        return False

    def _declares_second(self, pipe: Pipe, context: str) -> bool:
        if context != "range" or len(pipe.declared) > 1:
            self.fail(f"too many declarations in {context}")
        following = {Kind.VARIABLE, Kind.RIGHT_DELIM, Kind.RIGHT_PAREN}
        if self.peek_non_space().kind not in following:
            self.fail("range can only initialize variables")
        return True

    def _check(self, pipe: Pipe, context: str) -> None:
        if not pipe.commands:
            self.fail(f"missing value for {context}")
        for stage, command in enumerate(pipe.commands[1:], start=2):
            if isinstance(command.args[0], _NOT_EXECUTABLE):
                self.fail(f"non executable command in pipeline stage {stage}")

    def command(self) -> nodes.Command:
        """Parses an operand and its arguments."""
        command = nodes.Command(self.peek_non_space().position, [])
        while True:
            self.peek_non_space()
            operand = self.operand()
            if operand is not None:
                command.args.append(operand)
            token = self.next()
            if token.kind is Kind.SPACE:
                continue
            if token.kind in {Kind.RIGHT_DELIM, Kind.RIGHT_PAREN}:
                self.backup()
            elif token.kind is not Kind.PIPE:
                self.unexpected(token, "operand")
            break
        return command

    def operand(self) -> Node | None:
        """Parses a term and the fields behind it; `None` if there is none."""
        node = self.term()
        if node is None or self.peek().kind is not Kind.FIELD:
            return node
        position = self.peek().position
        names: list[str] = []
        while self.peek().kind is Kind.FIELD:
            names.append(self.next().value[1:])
        if isinstance(node, _LITERALS):
            self.fail(f"unexpected . after term {quote_text(str(node))}")
        keys = [name.encode() for name in names]
        if isinstance(node, nodes.Field | nodes.Variable):
            node.position = position
            node.names = (*node.names, *names)
            node.keys = (*node.keys, *keys)
            return node
        return nodes.Chain(position, node, tuple(names), tuple(keys))

    def term(self) -> Node | None:
        """Parses a term; `None` if there is none."""
        token = self.next_non_space()
        make = _TERMS.get(token.kind)
        if make is not None:
            return make(self, token)
        self.backup()
        return None

    def identifier(self, token: Token) -> Node:
        """A function, which must be known."""
        if not self.grammar.has_function(token.value):
            self.fail(f"function {quote_text(token.value)} not defined")
        return nodes.Identifier(token.position, token.value)

    def variable(self, token: Token) -> Node:
        """A variable, which must be declared."""
        if token.value not in self.variables:
            self.fail(f"undefined variable {quote_text(token.value)}")
        return nodes.Variable(token.position, token.value)

    def field(self, token: Token) -> Node:
        """A field of the cursor."""
        name = token.value[1:]
        return nodes.Field(token.position, (name,), (name.encode(),))

    def number(self, token: Token) -> Node:
        """A number or character."""
        try:
            return _NUMBERS[token.kind](token.position, token.value)
        except numbers.ConstantError as e:
            self.fail(str(e))

    def parenthesis(self, _token: Token) -> Node:
        """Parses a pipeline in parentheses."""
        if self.parens >= self.grammar.limits.depth:
            too_costly(f"parentheses nested deeper than {self.grammar.limits.depth}")
        self.parens += 1
        pipe = self.pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
        self.parens -= 1
        return pipe

    def string(self, token: Token) -> Node:
        """A text."""
        value = self.unquoted(token.value)
        return nodes.String(token.position, value, token.value)


_TERMS: Final[Mapping[Kind, Callable[[Pipelines, Token], Node]]] = {
    Kind.IDENTIFIER: Pipelines.identifier,
    Kind.DOT: lambda _parser, token: nodes.Dot(token.position),
    Kind.NIL: lambda _parser, token: nodes.Nil(token.position),
    Kind.VARIABLE: Pipelines.variable,
    Kind.FIELD: Pipelines.field,
    Kind.BOOL: lambda _parser, token: nodes.Bool(token.position, token.value == "true"),
    Kind.CHAR_CONSTANT: Pipelines.number,
    Kind.COMPLEX: Pipelines.number,
    Kind.NUMBER: Pipelines.number,
    Kind.LEFT_PAREN: Pipelines.parenthesis,
    Kind.STRING: Pipelines.string,
    Kind.RAW_STRING: Pipelines.string,
}
