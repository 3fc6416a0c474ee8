"""Reads a format of Go's fmt: text, directives, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from app.compat.template import runes
from app.compat.template.gofmt_scalars import Flags
from app.compat.template.values import Number, Value

_LARGEST: Final = 1_000_000
"""Widths and precisions beyond are errors in Go."""

_FLAGS: Final = {"#": "sharp", "0": "zero", "+": "plus", "-": "minus", " ": "space"}
_FLAG_RUN: Final = re.compile(r"[#0+\- ]*")
_DIGITS: Final = re.compile(r"[0-9]*")


@dataclass(frozen=True, slots=True)
class Directive:
    """One operand to print.

    Attributes:
        flags: with width and precision resolved.
        operand: index of the operand; it exists.
        verb: one rune.
    """

    flags: Flags
    operand: int
    verb: str


Piece: TypeAlias = bytes | Directive | int
"""Text to copy, an operand to print, or (last) how many operands are left over."""


def scan(template: bytes, operands: Sequence[Value]) -> Iterator[Piece]:
    """Reads a format, piece by piece."""
    return _Scanner(runes.escaped(template), operands).pieces()


class _Scanner:
    def __init__(self, text: str, operands: Sequence[Value]) -> None:
        self.text = text
        self.operands = operands
        self.at = 0
        self.number = 0
        self.is_reordered = False
        self.is_good = True
        self.after_index = False
        self.flags = Flags()

    def pieces(self) -> Iterator[Piece]:
        while self.at < len(self.text):
            percent = self.text.find("%", self.at)
            end = len(self.text) if percent < 0 else percent
            if end > self.at:
                yield runes.to_bytes(self.text[self.at : end])
            self.at = end + 1
            if percent >= 0:
                yield from self._directive()
        left = len(self.operands) - self.number
        if not self.is_reordered and left > 0:
            yield left

    def _directive(self) -> Iterator[Piece]:
        self.is_good = True
        self.after_index = False
        run = _FLAG_RUN.match(self.text, self.at)
        given = run.group() if run else ""
        self.at += len(given)
        self.flags = Flags(**{_FLAGS[flag]: True for flag in given})
        self._index()
        yield from self._width()
        yield from self._precision()
        if not self.after_index:
            self._index()
        if self.at >= len(self.text):
            yield b"%!(NOVERB)"
            return
        verb = runes.clean(self.text[self.at])
        self.at += 1
        yield self._verb(verb)

    def _verb(self, verb: str) -> Piece:
        if verb == "%":
            return b"%"
        if not self.is_good:
            return f"%!{verb}(BADINDEX)".encode()
        if self.number >= len(self.operands):
            return f"%!{verb}(MISSING)".encode()
        flags = self.flags
        if verb in "vw":
            flags = replace(
                flags, sharp_v=flags.sharp, plus_v=flags.plus, sharp=False, plus=False
            )
        self.number += 1
        return Directive(flags, self.number - 1, verb)

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _index(self) -> None:
        """Reads `[n]`, if it is there."""
        self.after_index = False
        if self._peek() != "[":
            return
        self.is_reordered = True
        close = self.text.find("]", self.at)
        if close < 0 or len(self.text) - self.at < 3:  # noqa: PLR2004 - "[n]"
            self.at += 1
            self.is_good = False
            return
        digits = self.text[self.at + 1 : close]
        self.at = close + 1
        number = _small(digits)
        if number is None:
            self.is_good = False
            return
        self.after_index = True
        if 1 <= number <= len(self.operands):
            self.number = number - 1
        else:
            self.is_good = False

    def _number(self) -> int | None:
        """Reads digits; a number that is too large eats the rest of the format."""
        match = _DIGITS.match(self.text, self.at)
        digits = match.group() if match else ""
        if not digits:
            return None
        number = _small(digits)
        self.at = len(self.text) if number is None else self.at + len(digits)
        return number

    def _star(self) -> int | None:
        """Takes the next operand as width or precision."""
        self.at += 1
        self.after_index = False
        if self.number >= len(self.operands):
            return None
        operand = self.operands[self.number]
        self.number += 1
        if isinstance(operand, Number):
            operand = operand.number
        if type(operand) is not int or abs(operand) > _LARGEST:
            return None
        return operand

    def _width(self) -> Iterator[Piece]:
        if self._peek() != "*":
            self.flags.width = self._number()
            if self.after_index and self.flags.width is not None:
                self.is_good = False
            return
        width = self._star()
        if width is None:
            yield b"%!(BADWIDTH)"
            return
        if width < 0:
            self.flags.minus, self.flags.zero = True, False
        self.flags.width = abs(width)

    def _precision(self) -> Iterator[Piece]:
        if self._peek() != "." or self.at + 1 >= len(self.text):
            return
        self.at += 1
        if self.after_index:
            self.is_good = False
        self._index()
        if self._peek() != "*":
            self.flags.precision = self._number() or 0
            return
        precision = self._star()
        if precision is None or precision < 0:
            yield b"%!(BADPREC)"
            return
        self.flags.precision = precision


def _small(digits: str) -> int | None:
    """A number that Go accepts, `None` for no digits or too many."""
    if not digits.isascii() or not digits.isdecimal():
        return None
    number = int(digits.lstrip("0")[:9] or "0")
    return number if number // 10 <= _LARGEST else None
