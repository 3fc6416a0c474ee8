"""Parses a template into trees, as text/template/parse does.

Error texts name the line of the token that was read last, as Go's do. Nesting is
bounded: actions in actions, and parentheses in parentheses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from app.compat.template import nodes, numbers
from app.compat.template.lexer import Lexer
from app.compat.template.limits import Limits, too_costly
from app.compat.template.nodes import Body, Node, Pipe
from app.compat.template.runes import clean
from app.compat.template.strconv import (
    NumberSyntaxError,
    quote,
    quote_text,
    unquote,
)
from app.compat.template.tokens import Kind, Token
from app.errors import SpecError

INVALID: Final = "InvalidTemplate"

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


class Grammar:
    """What the parsers of one text share.

    Attributes:
        lexer: gives the tokens.
        has_function: tells whether a function is known; refuses by raising.
        limits: bounds of nesting.
        trees: the templates that are defined so far.
        depth: how deep actions are nested where we are.
    """

    def __init__(
        self, text: str, has_function: Callable[[str], bool], limits: Limits
    ) -> None:
        self.lexer: Final = Lexer(text)
        self.has_function: Final = has_function
        self.limits: Final = limits
        self.trees: Final[dict[bytes, Body]] = {}
        self.depth = 0


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


class _Tree:
    """Parses one template; `define` and `block` start another."""

    def __init__(self, grammar: Grammar, name: bytes) -> None:
        self.grammar = grammar
        self.name = name
        self.body: list[Node] = []
        nothing = Token(Kind.EOF, 0, "", 0)
        self.tokens = [nothing, nothing, nothing]
        self.peeked = 0
        self.variables = ["$"]
        self.action_line = 0
        self.range_depth = 0
        self.parens = 0

    # Tokens.

    def next(self) -> Token:
        if self.peeked:
            self.peeked -= 1
        else:
            self.tokens[0] = self.grammar.lexer.next()
        return self.tokens[self.peeked]

    def backup(self) -> None:
        self.peeked += 1

    def peek(self) -> Token:
        token = self.next()
        self.backup()
        return token

    def next_non_space(self) -> Token:
        token = self.next()
        while token.kind is Kind.SPACE:
            token = self.next()
        return token

    def peek_non_space(self) -> Token:
        token = self.next_non_space()
        self.backup()
        return token

    # Errors.

    def failure(self, text: str) -> SpecError:
        line = self.tokens[0].line
        return SpecError(INVALID, clean(f"template: :{line}: {text}"), line=line)

    def fail(self, text: str) -> NoReturn:
        raise self.failure(text)

    def unexpected(self, token: Token, context: str) -> NoReturn:
        if token.kind is not Kind.ERROR:
            self.fail(f"unexpected {token} in {context}")
        extra = ""
        if self.action_line not in {0, token.line}:
            extra = f" in action started at :{self.action_line}"
            if token.value.endswith(" action"):
                extra = extra.removeprefix(" in action")
        self.fail(f"{token}{extra}")

    def expect(self, context: str, *kinds: Kind) -> Token:
        token = self.next_non_space()
        if token.kind not in kinds:
            self.unexpected(token, context)
        return token

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

    def unquoted(self, text: str) -> bytes:
        """The value of a string literal."""
        try:
            return unquote(text)
        except NumberSyntaxError:
            self.fail("invalid syntax")

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

    # Pipelines.

    def pipeline(self, context: str, end: Kind) -> Pipe:
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
        token = self.next_non_space()
        make = _TERMS.get(token.kind)
        if make is not None:
            return make(self, token)
        self.backup()
        return None

    def identifier(self, token: Token) -> Node:
        if not self.grammar.has_function(token.value):
            self.fail(f"function {quote_text(token.value)} not defined")
        return nodes.Identifier(token.position, token.value)

    def variable(self, token: Token) -> Node:
        if token.value not in self.variables:
            self.fail(f"undefined variable {quote_text(token.value)}")
        return nodes.Variable(token.position, token.value)

    def field(self, token: Token) -> Node:
        name = token.value[1:]
        return nodes.Field(token.position, (name,), (name.encode(),))

    def number(self, token: Token) -> Node:
        try:
            return _NUMBERS[token.kind](token.position, token.value)
        except numbers.ConstantError as e:
            self.fail(str(e))

    def parenthesis(self, _token: Token) -> Node:
        if self.parens >= self.grammar.limits.depth:
            too_costly(f"parentheses nested deeper than {self.grammar.limits.depth}")
        self.parens += 1
        pipe = self.pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
        self.parens -= 1
        return pipe

    def string(self, token: Token) -> Node:
        value = self.unquoted(token.value)
        return nodes.String(token.position, value, token.value)


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

_TERMS: Final[Mapping[Kind, Callable[[_Tree, Token], Node]]] = {
    Kind.IDENTIFIER: _Tree.identifier,
    Kind.DOT: lambda _tree, token: nodes.Dot(token.position),
    Kind.NIL: lambda _tree, token: nodes.Nil(token.position),
    Kind.VARIABLE: _Tree.variable,
    Kind.FIELD: _Tree.field,
    Kind.BOOL: lambda _tree, token: nodes.Bool(token.position, token.value == "true"),
    Kind.CHAR_CONSTANT: _Tree.number,
    Kind.COMPLEX: _Tree.number,
    Kind.NUMBER: _Tree.number,
    Kind.LEFT_PAREN: _Tree.parenthesis,
    Kind.STRING: _Tree.string,
    Kind.RAW_STRING: _Tree.string,
}
