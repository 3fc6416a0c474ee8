"""camelcase, kebabcase and snakecase, as huandu/xstrings v1.5.0 has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from app.compat.template import runes
from app.compat.template.values import STRING, Function, slow


def is_connector(rune: str) -> bool:
    """Tells hyphens, underscores and white space."""
    return rune in "-_" or rune in runes.SPACES


def camelcase(data: bytes) -> bytes:
    """`some_words` as `SomeWords`; leading connectors stay."""
    text = runes.to_text(data)
    head = 0
    while head < len(text) and is_connector(text[head]):
        head += 1
    if head == len(text):
        # xstrings writes a text of connectors only, and its last one again.
        return (text + text[-1:]).encode()
    shown = [text[:head]]
    is_first_upper = runes.is_upper(text[head])
    rune = runes.upper(text[head])
    for following in text[head + 1 :]:
        before, rune = rune, following
        if is_connector(before) and not is_connector(rune):
            is_first_upper = runes.is_upper(rune)
            rune = runes.upper(rune)
            continue
        if not is_connector(before) and is_first_upper:
            is_first_upper = runes.is_upper(rune)
            rune = runes.lower(rune) if is_first_upper else rune
        shown.append(before)
    shown.append(rune)
    return "".join(shown).encode()


class Word(Enum):
    """What a word is made of."""

    INVALID = 0
    NUMBER = 1
    UPPER = 2
    LETTERS = 3
    CONNECTOR = 4
    PUNCTUATION = 5
    OTHER = 6


_CONTINUES: Final = frozenset({Word.LETTERS, Word.NUMBER})
_LETTERS: Final = frozenset({Word.LETTERS})
_SILENT: Final = frozenset({Word.CONNECTOR, Word.PUNCTUATION})
_IDEOGRAPHS: Final = (
    ("\u3400", "\u4d85"),
    ("\u4e00", "\u9fcc"),
    ("\U00020000", "\U0002b81d"),
)
"""Letters that xstrings does not count as alphabet."""


def _is_alphabet(rune: str) -> bool:
    if not runes.is_letter(rune):
        return False
    return not any(first <= rune <= last for first, last in _IDEOGRAPHS)


def _is_other(rune: str) -> bool:
    return not (
        is_connector(rune)
        or _is_alphabet(rune)
        or runes.is_number(rune)
        or runes.is_punct(rune)
    )


def _is_small(rune: str) -> bool:
    return _is_alphabet(rune) and not runes.is_upper(rune)


_CLASSES: Final[tuple[tuple[Word, Callable[[str], bool]], ...]] = (
    (Word.CONNECTOR, is_connector),
    (Word.PUNCTUATION, runes.is_punct),
    (Word.UPPER, runes.is_upper),
    (Word.LETTERS, _is_alphabet),
    (Word.NUMBER, runes.is_number),
)
_RUNS: Final[Mapping[Word, Callable[[str], bool]]] = {
    Word.CONNECTOR: is_connector,
    Word.PUNCTUATION: runes.is_punct,
    Word.LETTERS: _is_small,
    Word.NUMBER: runes.is_number,
    Word.OTHER: _is_other,
}


class _Words:
    """Cuts a text into words; what is no valid rune belongs to the word around it."""

    def __init__(self, data: bytes) -> None:
        self.text = runes.escaped(data)
        self.at = 0

    def is_done(self) -> bool:
        return self.at >= len(self.text)

    def _valid(self, at: int, before: str) -> tuple[str, int]:
        """The next valid rune (`before` if there is none) and where it ends."""
        while at < len(self.text):
            rune = self.text[at]
            at += 1
            if runes.clean(rune) != runes.ERROR:
                return rune, at
        return before, at

    def _run(self, at: int, rune: str, belongs: Callable[[str], bool]) -> int:
        while at < len(self.text):
            rune, end = self._valid(at, rune)
            if not belongs(rune):
                break
            at = end
        return at

    def next(self) -> tuple[Word, str]:
        """The next word and what it is; `INVALID` at the end of the text."""
        start = self.at
        rune, at = self._valid(start, runes.ERROR)
        if rune == runes.ERROR:
            self.at = at
            return Word.INVALID, self.text[start:at]
        kind = next((k for k, belongs in _CLASSES if belongs(rune)), Word.OTHER)
        if kind is Word.UPPER:
            self.at = self._upper(at, rune)
        else:
            self.at = self._run(at, rune, _RUNS[kind])
        return kind, self.text[start : self.at]

    def _upper(self, at: int, rune: str) -> int:
        """Where a word ends that begins with an upper case letter before `at`."""
        if at >= len(self.text):
            return at
        rune, end = self._valid(at, rune)
        if not runes.is_upper(rune):
            return self._run(end, rune, _is_small) if _is_alphabet(rune) else at
        last, at = at, end
        while at < len(self.text):
            rune, end = self._valid(at, rune)
            if not runes.is_upper(rune):
                return last if _is_alphabet(rune) else at
            last, at = at, end
        return at


class _Lower:
    """Writes words in lower case with connectors between."""

    def __init__(self, data: bytes, connector: str) -> None:
        self.words = _Words(data)
        self.connector = connector
        self.shown: list[str] = []
        self.kind: Word
        self._next()

    def text(self) -> bytes:
        while not self.words.is_done():
            if self.kind is not Word.CONNECTOR:
                self._write(self.kind, self.word)
            before, last = self.kind, self.word
            self._next()
            match before:
                case Word.NUMBER:
                    self._continue()
                case Word.CONNECTOR:
                    self._write(before, last)
                case Word.PUNCTUATION:
                    pass
                case _:
                    self._behind_letters()
        self._write(self.kind, self.word)
        return runes.to_bytes("".join(self.shown))

    def _next(self) -> None:
        self.kind, self.word = self.words.next()

    def _connect(self, *silent: Word) -> None:
        if self.kind not in _SILENT and self.kind not in silent:
            self.shown.append(self.connector)

    def _continue(self) -> None:
        """Letters and numbers behind a number belong to it."""
        while self.kind in _CONTINUES:
            self._write(self.kind, self.word)
            self._next()
        self._connect(Word.INVALID)

    def _behind_letters(self) -> None:
        if self.kind is not Word.NUMBER:
            self._connect()
            return
        if self.words.is_done():
            return
        number = self.word
        self._next()
        if self.kind not in _LETTERS:
            self._write(Word.NUMBER, number)
            self._connect()
            return
        self.shown.append(self.connector)
        self._write(Word.NUMBER, number)
        self._continue()

    def _write(self, kind: Word, word: str) -> None:
        if kind not in {Word.UPPER, Word.CONNECTOR}:
            self.shown.append(word)
            return
        for rune in runes.clean(word):
            if is_connector(rune):
                self.shown.append(self.connector)
            else:
                self.shown.append(runes.lower(rune) if runes.is_upper(rune) else rune)


def snakecase(data: bytes) -> bytes:
    """`FirstName` as `first_name`."""
    return _Lower(data, "_").text()


def kebabcase(data: bytes) -> bytes:
    """`FirstName` as `first-name`."""
    return _Lower(data, "-").text()


FUNCTIONS: Final[Mapping[str, Function]] = {
    "camelcase": slow(camelcase, STRING, steps=4),
    "kebabcase": slow(kebabcase, STRING, steps=4),
    "snakecase": slow(snakecase, STRING, steps=4),
}
"""By name."""
