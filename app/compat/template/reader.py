"""Reads the tokens of a template, up to three ahead, as parse.Tree does.

Error texts name the line of the token that was read last, as Go's do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from app.compat.template.lexer import Lexer
from app.compat.template.limits import Limits
from app.compat.template.nodes import Body
from app.compat.template.runes import clean
from app.compat.template.strconv import NumberSyntaxError, unquote
from app.compat.template.tokens import Kind, Token
from app.errors import SpecError

INVALID: Final = "InvalidTemplate"


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


class Reader:
    """Reads the tokens of one template."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        nothing = Token(Kind.EOF, 0, "", 0)
        self.tokens = [nothing, nothing, nothing]
        self.peeked = 0
        self.action_line = 0

    def next(self) -> Token:
        """The next token."""
        if self.peeked:
            self.peeked -= 1
        else:
            self.tokens[0] = self.grammar.lexer.next()
        return self.tokens[self.peeked]

    def backup(self) -> None:
        """Puts the last token back."""
        self.peeked += 1

    def peek(self) -> Token:
        """The next token, which stays."""
        token = self.next()
        self.backup()
        return token

    def next_non_space(self) -> Token:
        """The next token that is no white space."""
        token = self.next()
        while token.kind is Kind.SPACE:
            token = self.next()
        return token

    def peek_non_space(self) -> Token:
        """The same; it stays, and white space before it goes."""
        token = self.next_non_space()
        self.backup()
        return token

    # Errors.

    def failure(self, text: str) -> SpecError:
        """The error about the line that was read last."""
        line = self.tokens[0].line
        return SpecError(INVALID, clean(f"template: :{line}: {text}"), line=line)

    def fail(self, text: str) -> NoReturn:
        """Raises the error about the line that was read last."""
        raise self.failure(text)

    def unexpected(self, token: Token, context: str) -> NoReturn:
        """Raises the error of a token that may not stand where it does."""
        if token.kind is not Kind.ERROR:
            self.fail(f"unexpected {token} in {context}")
        extra = ""
        if self.action_line not in {0, token.line}:
            extra = f" in action started at :{self.action_line}"
            if token.value.endswith(" action"):
                extra = extra.removeprefix(" in action")
        self.fail(f"{token}{extra}")

    def expect(self, context: str, *kinds: Kind) -> Token:
        """Reads a token of one of some kinds."""
        token = self.next_non_space()
        if token.kind not in kinds:
            self.unexpected(token, context)
        return token

    def unquoted(self, text: str) -> bytes:
        """The value of a string literal."""
        try:
            return unquote(text)
        except NumberSyntaxError:
            self.fail("invalid syntax")
