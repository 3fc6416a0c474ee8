"""Cuts the text of a template into tokens, as text/template's lexer does.

Positions count code points of the text; `Token.line` counts from 1. An error is a
token like any other: the parser decides what to say of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from app.compat.template import runes
from app.compat.template.strconv import quote_text
from app.compat.template.tokens import KEYWORDS, Kind, Token

_WORDS: Final[Mapping[str, Kind]] = {
    **KEYWORDS,
    "true": Kind.BOOL,
    "false": Kind.BOOL,
}
_LEFT: Final = "{{"
_RIGHT: Final = "}}"
_SPACE: Final = " \t\r\n"

_ASCII_WORD: Final = re.compile(r"[A-Za-z0-9_]*")
_SPACES: Final = re.compile(r"[ \t\r\n]*")
_STRING: Final = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_CHARACTER: Final = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_DIGIT_RUNS: Final = {
    "0123456789": re.compile(r"[0-9_]*"),
    "x": re.compile(r"[0-9a-fA-F_]*"),
    "o": re.compile(r"[0-7_]*"),
    "b": re.compile(r"[01_]*"),
}
_DECIMAL: Final = "0123456789"
_EXPONENTS: Final = {_DECIMAL: "eE", "x": "pP"}


class Lexer:
    """Gives the tokens of a text, one by one; the last one repeats."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.start = 0
        self.is_inside = False
        self.parens = 0
        self._counted = 0
        self._line = 1

    def next(self) -> Token:
        """The next token."""
        token = self._inside() if self.is_inside else self._text()
        while token is None:
            token = self._text()
        return token

    def _line_of(self, position: int) -> int:
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def _emit(self, kind: Kind) -> Token:
        start = self.start
        self.start = self.at
        return Token(kind, start, self.text[start : self.at], self._line_of(start))

    def _error(self, text: str) -> Token:
        token = Token(Kind.ERROR, self.start, text, self._line_of(self.start))
        self.at = self.start = len(self.text)
        self.is_inside = False
        return token

    def _skip(self, count: int) -> None:
        self.at += count
        self.start = self.at

    def _peek(self, ahead: int = 0) -> str:
        """A character, `""` behind the end."""
        return self.text[self.at + ahead : self.at + ahead + 1]

    def _spaces(self) -> int:
        """How many spaces stand here."""
        match = _SPACES.match(self.text, self.at)
        return len(match.group()) if match else 0

    # Outside of actions.

    def _text(self) -> Token | None:
        """Text up to the next action, else that action's beginning.

        Returns:
            A token; `None` if a comment, or text of spaces only, was skipped.
        """
        found = self.text.find(_LEFT, self.at)
        end = len(self.text) if found < 0 else found
        if end == self.at:
            return self._emit(Kind.EOF) if found < 0 else self._left()
        content = self.text[self.at : end]
        if found >= 0 and self._trims_left(found + len(_LEFT)):
            content = content.rstrip(_SPACE)
        self.at += len(content)
        token = self._emit(Kind.TEXT) if content else None
        self._skip(end - self.at)
        return token

    def _trims_left(self, at: int) -> bool:
        return self.text[at : at + 1] == "-" and self._is_space(at + 1)

    def _is_space(self, at: int) -> bool:
        letter = self.text[at : at + 1]
        return letter != "" and letter in _SPACE

    def _left(self) -> Token | None:
        self.at += len(_LEFT)
        marker = 2 if self._trims_left(self.at) else 0
        if self.text.startswith("/*", self.at + marker):
            self._skip(marker)
            return self._comment()
        token = self._emit(Kind.LEFT_DELIM)
        self.is_inside = True
        self.parens = 0
        self._skip(marker)
        return token

    def _comment(self) -> Token | None:
        close = self.text.find("*/", self.at + 2)
        if close < 0:
            return self._error("unclosed comment")
        self.at = close + 2
        size = self._right_size()
        if not size:
            return self._error("comment ends before closing delimiter")
        self._skip(size)
        if size > len(_RIGHT):
            self._skip(self._spaces())
        return None

    def _right_size(self) -> int:
        """Length of the closing delimiter that stands here; 0 if none does."""
        if (
            self._is_space(self.at)
            and self._peek(1) == "-"
            and self.text.startswith(_RIGHT, self.at + 2)
        ):
            return 2 + len(_RIGHT)
        return len(_RIGHT) if self.text.startswith(_RIGHT, self.at) else 0

    # Inside of actions.

    def _inside(self) -> Token:
        size = self._right_size()
        if size:
            if self.parens:
                return self._error("unclosed left paren")
            return self._right(size)
        letter = self._peek()
        if letter == "":
            return self._error("unclosed action")
        handler = _HANDLERS.get(letter)
        if handler is not None:
            return handler(self)
        if runes.is_word(letter):
            return self._identifier()
        self.at += 1
        if letter.isascii() and runes.is_print(letter):
            return self._emit(Kind.CHAR)
        return self._error(f"unrecognized character in action: {_named(letter)}")

    def _right(self, size: int) -> Token:
        trims = size > len(_RIGHT)
        if trims:
            self._skip(2)
        self.at += len(_RIGHT)
        token = self._emit(Kind.RIGHT_DELIM)
        if trims:
            self._skip(self._spaces())
        self.is_inside = False
        return token

    def _space(self) -> Token:
        # The last space may belong to a delimiter that trims.
        self.at += self._spaces() - 1
        if not self._right_size():
            self.at += 1
        return self._emit(Kind.SPACE)

    def _single(self) -> Token:
        kind = _SINGLES[self._peek()]
        self.at += 1
        return self._emit(kind)

    def _declare(self) -> Token:
        if self._peek(1) != "=":
            return self._error("expected :=")
        self.at += 2
        return self._emit(Kind.DECLARE)

    def _open(self) -> Token:
        self.parens += 1
        return self._single()

    def _close(self) -> Token:
        self.parens -= 1
        if self.parens < 0:
            return self._error("unexpected right paren")
        return self._single()

    def _quoted(self) -> Token:
        match = _STRING.match(self.text, self.at)
        if match is None:
            return self._error("unterminated quoted string")
        self.at = match.end()
        return self._emit(Kind.STRING)

    def _raw(self) -> Token:
        close = self.text.find("`", self.at + 1)
        if close < 0:
            return self._error("unterminated raw quoted string")
        self.at = close + 1
        return self._emit(Kind.RAW_STRING)

    def _character(self) -> Token:
        match = _CHARACTER.match(self.text, self.at)
        if match is None:
            return self._error("unterminated character constant")
        self.at = match.end()
        return self._emit(Kind.CHAR_CONSTANT)

    def _word(self) -> str:
        """Goes behind the letters and digits that stand here.

        Returns:
            `""`, or the text of the error if no terminator follows.
        """
        while True:
            match = _ASCII_WORD.match(self.text, self.at)
            self.at = match.end() if match else self.at
            letter = self._peek()
            if letter == "" or letter.isascii() or not runes.is_word(letter):
                break
            self.at += 1
        if self._at_terminator():
            return ""
        return f"bad character {_named(self._peek())}"

    def _at_terminator(self) -> bool:
        letter = self._peek()
        return letter in " \t\r\n.,|:)(" or self.text.startswith(_RIGHT, self.at)

    def _identifier(self) -> Token:
        error = self._word()
        if error:
            return self._error(error)
        word = self.text[self.start : self.at]
        return self._emit(_WORDS.get(word, Kind.IDENTIFIER))

    def _dot(self) -> Token:
        following = self._peek(1)
        if following == "" or following in _DECIMAL:
            return self._number()
        self.at += 1
        if self._at_terminator():
            return self._emit(Kind.DOT)
        return self._named(Kind.FIELD)

    def _variable(self) -> Token:
        self.at += 1
        return self._named(Kind.VARIABLE)

    def _named(self, kind: Kind) -> Token:
        if self._at_terminator():
            return self._emit(kind)
        error = self._word()
        return self._error(error) if error else self._emit(kind)

    def _number(self) -> Token:
        kind = Kind.NUMBER
        is_number = self._scan_number()
        if is_number and self._peek() in {"+", "-"}:
            kind = Kind.COMPLEX
            is_number = self._scan_number() and self.text[self.at - 1] == "i"
        if is_number:
            return self._emit(kind)
        shown = quote_text(self.text[self.start : self.at])
        return self._error(f"bad number syntax: {shown}")

    def _accept(self, letters: str) -> bool:
        letter = self._peek()
        if letter == "" or letter not in letters:
            return False
        self.at += 1
        return True

    def _accept_digits(self, digits: str) -> None:
        match = _DIGIT_RUNS[digits].match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _scan_number(self) -> bool:
        """Goes behind what may be a number; the parser looks closer."""
        self._accept("+-")
        digits = _DECIMAL
        if self._accept("0") and self._accept("xXoObB"):
            digits = self.text[self.at - 1].lower()
        self._accept_digits(digits)
        if self._accept("."):
            self._accept_digits(digits)
        if self._accept(_EXPONENTS.get(digits, "")):
            self._accept("+-")
            self._accept_digits(_DECIMAL)
        self._accept("i")
        letter = self._peek()
        if letter != "" and runes.is_word(letter):
            self.at += 1
            return False
        return True


def _named(letter: str) -> str:
    """A rune as `%#U` prints it."""
    shown = f" '{letter}'" if runes.is_print(letter) else ""
    return f"U+{ord(letter):04X}{shown}"


_SINGLES: Final = {
    "=": Kind.ASSIGN,
    "|": Kind.PIPE,
    "(": Kind.LEFT_PAREN,
    ")": Kind.RIGHT_PAREN,
}

_HANDLERS: Final[Mapping[str, Callable[[Lexer], Token]]] = {
    **dict.fromkeys(_SPACE, Lexer._space),  # noqa: SLF001 - the table of the class
    **dict.fromkeys("+-0123456789", Lexer._number),  # noqa: SLF001 - as above
    "=": Lexer._single,  # noqa: SLF001 - as above
    "|": Lexer._single,  # noqa: SLF001 - as above
    ":": Lexer._declare,  # noqa: SLF001 - as above
    "(": Lexer._open,  # noqa: SLF001 - as above
    ")": Lexer._close,  # noqa: SLF001 - as above
    '"': Lexer._quoted,  # noqa: SLF001 - as above
    "`": Lexer._raw,  # noqa: SLF001 - as above
    "'": Lexer._character,  # noqa: SLF001 - as above
    "$": Lexer._variable,  # noqa: SLF001 - as above
    ".": Lexer._dot,  # noqa: SLF001 - as above
}
