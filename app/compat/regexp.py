"""Patterns of `InRegexp`: found in a text exactly where Go's `regexp` finds them.

The engine is RE2, whose C++ form reads nearly the same syntax as Go's. What it
reads otherwise never reaches it:

* `RE2_ONLY`: RE2 takes it, Go (1.26) does not: the pattern is invalid, as NFD
  says.
* `GO_ONLY`: Go takes it, RE2 does not, or gives it another meaning: refused by
  name, because a wrong answer is worse than none.

Both lists were found by comparing tens of thousands of patterns; the tables of
`tests/conformance/test_regexp.py` keep them true. Matching takes time linear in
the text, whatever the pattern; how much at the most is `Pattern.price`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

import re2

from app.compat.template import runes
from app.errors import SpecError

INVALID: Final = "InvalidPattern"
"""Reason of the error for a pattern that Go does not take either."""

UNSUPPORTED: Final = "UnsupportedPattern"
"""Reason of the error for a pattern or text where Go and RE2 differ."""

MAX_PATTERN_BYTES: Final = 16 * 1024
"""For whoever evaluates a spec that was read without limits."""

MAX_HEIGHT: Final = 1000
"""How high a pattern's tree may grow in Go."""

_NEVER_TOO_HIGH_BYTES: Final = 1000
"""A shorter pattern cannot reach that height: no byte adds more than one."""

MAX_MEMORY_BYTES: Final = 256 * 1024
"""For the program of one pattern and what matching remembers.

To compile the worst one takes some 10 ms, in which no other thread runs."""

MAX_CLASSES: Final = 32
r"""Unicode classes (`\pL`) that a pattern may name: each takes 0.1 ms to read."""

MAX_COMPILED: Final = 128
"""Patterns that stay compiled: at most 32 MiB, were each as bad as can be."""

# What it costs, measured: an operator call is a microsecond, nearly.

SEARCH: Final = 1
"""Calls of a search in the shortest text, besides the operator's own."""

INSTRUCTIONS_PER_CALL: Final = 128
"""Instructions of a program that a search passes in one call, for each byte.

RE2 mostly reads a byte in a nanosecond, whatever the program. Where its states do
not fit into memory it takes 2 to 10 ns for each byte and instruction."""

_TOO_LARGE: Final = 8_192
"""Instructions that count as compiled if they turn out to be too many."""

READ_PER_BYTE: Final = 4
"""Calls that reading a byte of a pattern takes."""

READ_PER_CLASS: Final = 128
r"""Calls that reading a Unicode class (`\pL`) takes."""

_MAX_RUNE_BYTES: Final = 4

MAX_REMEMBERED: Final = 512
"""Texts whose answer a compiled pattern remembers: names of flags and modules are
the same from node to node."""

MAX_REMEMBERED_TEXT: Final = 64
"""Characters of a text that is worth remembering; names are shorter."""

GO_ONLY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "class": "a class name that only Go knows; write the short Unicode name",
        "other": "the class C, which in Go holds unassigned characters too",
        "surrogate": r"a surrogate (\x{D800} to \x{DFFF}), which is no character",
        "height": "a long pattern with so many groups that Go may not take it",
        "size": "a pattern that needs more memory than is granted",
        "classes": f"a pattern with more than {MAX_CLASSES} Unicode classes",
        "length": f"a pattern of more than {MAX_PATTERN_BYTES} bytes",
        "text": "a text with characters that changed between Unicode 15.0 and 15.1",
    }
)
"""What is refused -> how the refusal names it."""

RE2_ONLY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "byte": r"\C",
        "group": "a group name that is not ASCII",
        "repeat": "a repeat count of ten digits, which is literal text in RE2",
        "class": r"a class name with an underscore, as in \p{Old_Italic}",
    }
)
"""What is invalid although RE2 would take it -> what it looks like."""

CLASSES: Final = frozenset(
    """
    Any Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S
    Sc Sk Sm So Z Zl Zp Zs
    Adlam Ahom Arabic Armenian Avestan Balinese Bamum Batak Bengali Bhaiksuki
    Bopomofo Brahmi Braille Buginese Buhid Carian Chakma Cham Cherokee Chorasmian
    Common Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari Dogra Duployan
    Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati
    Gurmukhi Han Hangul Hanunoo Hatran Hebrew Hiragana Inherited Javanese Kaithi
    Kannada Katakana Kawi Kharoshthi Khmer Khojki Khudawadi Lao Latin Lepcha Limbu
    Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen
    Medefaidrin Miao Modi Mongolian Mro Multani Myanmar Nabataean Nandinagari Newa
    Nko Nushu Ogham Oriya Osage Osmanya Palmyrene Phoenician Rejang Runic Samaritan
    Saurashtra Sharada Shavian Siddham Sinhala Sogdian Soyombo Sundanese Syriac
    Tagalog Tagbanwa Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh
    Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Yezidi Yi
    """.split()  # noqa: SIM905 - a table of words reads best as words
)
"""Unicode classes that both know by this name, with the same members."""

_GO_ALIASES: Final = frozenset(
    """
    Any Assigned Ascii Lc C Cn Casedletter Closepunctuation Combiningmark
    Connectorpunctuation Control Currencysymbol Dashpunctuation Decimalnumber
    Enclosingmark Finalpunctuation Format Initialpunctuation Letter Letternumber
    Lineseparator Lowercaseletter Mark Mathsymbol Modifierletter Modifiersymbol
    Nonspacingmark Number Openpunctuation Other Otherletter Othernumber
    Otherpunctuation Othersymbol Paragraphseparator Privateuse Punctuation Separator
    Spaceseparator Spacingmark Surrogate Symbol Titlecaseletter Unassigned
    Uppercaseletter Cntrl Digit Punct
    """.split()  # noqa: SIM905 - a table of words reads best as words
)
"""What Go also takes, once spaces, `_` and `-` are gone and case is evened out."""

_CHANGED: Final = re.compile(
    "[\u0390\u03b0\u1fd3\u1fe3\u2ffc-\u2fff\u31ef\ufb05\ufb06\U0002ebf0-\U0002ee5d]"
)
"""Characters whose class or case is not the same in Go's and RE2's tables."""

_FOLDS: Final = re.compile(r"\(\?[a-zA-Z]*i")
_REPEAT: Final = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
_GROUP: Final = re.compile(r"\(\?P?<([^>]*)>")
_POSIX: Final = re.compile(r"\[:\^?[a-z]+:\]")
_MAX_COUNT_DIGITS: Final = 9

_CLASS: Final = re.compile(r"\\[pP]")

Spend: TypeAlias = Callable[[int], None]
"""Counts work, in operator calls; raises `SpecError` where it is too much."""


def free(_calls: int) -> None:
    """Counts nothing: for whoever has no bound."""


class Vetted:
    """What a pattern is, before an engine reads it.

    Attributes:
        source: the pattern, as the engine reads it.
    """

    __slots__ = ("_is_sensitive", "source")

    def __init__(self, pattern: str) -> None:
        """Reads a pattern for what the two engines take differently.

        Raises:
            SpecError: `INVALID` or `UNSUPPORTED`.
        """
        self.source: Final = runes.to_bytes(pattern)
        if len(self.source) > MAX_PATTERN_BYTES:
            raise _unsupported("length")
        _scan(pattern)
        if _classes(self.source) > MAX_CLASSES:
            raise _unsupported("classes")
        if len(self.source) > _NEVER_TOO_HIGH_BYTES:
            _check_height(pattern)
        self._is_sensitive: Final = bool(
            _CLASS.search(pattern) or _FOLDS.search(pattern)
        )

    def vouch(self, text: str) -> None:
        """Refuses the few texts with characters that Go and RE2 class differently.

        Raises:
            SpecError: `UNSUPPORTED`.
        """
        if self._is_sensitive and not text.isascii() and _CHANGED.search(text):
            raise _unsupported("text")

    def engine(self, *, has_groups: bool) -> re2._Regexp:
        """The compiled pattern.

        Raises:
            SpecError: `INVALID`, or `UNSUPPORTED`: it is too large.
        """
        options = re2.Options()
        options.log_errors = False
        options.max_mem = MAX_MEMORY_BYTES
        options.never_capture = not has_groups
        try:
            # Not `re2.compile`, which keeps what it has compiled.
            return re2._Regexp(self.source, options)  # noqa: SLF001 - see above
        except re2.error as error:
            if b"too large" in error.args[0]:
                raise _unsupported("size") from None
            raise _invalid() from error


class Pattern:
    """A compiled pattern: called, it tells whether it is found in a text.

    That raises `SpecError` with reason `UNSUPPORTED` for texts as of `Vetted.vouch`.

    Attributes:
        size: of its program, in instructions.
    """

    __slots__ = ("_engine", "_remembered", "_vetted", "size")

    def __init__(self, vetted: Vetted) -> None:
        self._vetted: Final = vetted
        self._engine: Final = vetted.engine(has_groups=False)
        self._remembered: Final = lru_cache(maxsize=MAX_REMEMBERED)(self._search)
        self.size: Final[int] = self._engine.programsize

    def __call__(self, text: str) -> bool:
        """Whether it is found."""
        is_short = len(text) <= MAX_REMEMBERED_TEXT
        return self._remembered(text) if is_short else self._search(text)

    def price(self, text: str) -> int:
        """What one search costs at the most, in operator calls."""
        size = len(text) if text.isascii() else _MAX_RUNE_BYTES * len(text)
        return SEARCH + self.size * (size + 1) // INSTRUCTIONS_PER_CALL

    def _search(self, text: str) -> bool:
        self._vetted.vouch(text)
        return self._engine.search(runes.clean(text).encode()) is not None


class _Kept:
    """A pattern, compiled when it is first needed, or why it cannot be."""

    __slots__ = ("_pattern", "found")

    def __init__(self, pattern: str) -> None:
        self._pattern: Final = pattern
        self.found: Pattern | tuple[str, str] | None = None

    def read(self, spend: Spend) -> Pattern | tuple[str, str]:
        """The pattern, or reason and message of the error; compiles."""
        spend(price_of_reading(runes.to_bytes(self._pattern)))
        found: Pattern | tuple[str, str]
        try:
            found = Pattern(Vetted(self._pattern))
        except SpecError as error:
            found = error.reason, error.message
        self.found = found
        spend(_size(found))
        return found


_kept = lru_cache(maxsize=MAX_COMPILED)(_Kept)


def compiled(pattern: str, spend: Spend = free) -> Pattern:
    """A pattern, compiled unless it still is.

    Args:
        pattern: the pattern.
        spend: counts what compiling costs, in operator calls.

    Raises:
        SpecError: reason `INVALID` (Go takes it no more than we do), `UNSUPPORTED`
            (Go does), or what `spend` raises.
    """
    kept = _kept(pattern)
    found = kept.found or kept.read(spend)
    if isinstance(found, Pattern):
        return found
    raise SpecError(*found)


def forget() -> None:
    """Gives up what is compiled."""
    _kept.cache_clear()


def price_of_reading(source: bytes) -> int:
    """What reading a pattern costs at the most, in operator calls.

    Compiling it counts one for each instruction besides.
    """
    return READ_PER_BYTE * len(source) + READ_PER_CLASS * _classes(source)


def _size(found: Pattern | tuple[str, str]) -> int:
    """Instructions that were compiled."""
    if isinstance(found, Pattern):
        return found.size
    return _TOO_LARGE if GO_ONLY["size"] in found else 0


def _classes(source: bytes) -> int:
    return source.count(rb"\p") + source.count(rb"\P")


def _invalid() -> SpecError:
    return SpecError(INVALID, "not a regular expression")


def _unsupported(what: str) -> SpecError:
    return SpecError(UNSUPPORTED, GO_ONLY[what])


# Reading a pattern for what the two engines take differently --------------------


def _scan(pattern: str) -> None:
    """Walks over a pattern once, from construct to construct."""
    at = 0
    class_from: int | None = None
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at = _escape(pattern, at, is_class=class_from is not None)
        elif class_from is None:
            at, class_from = _outside_class(pattern, at, char)
        else:
            at, class_from = _inside_class(pattern, at, class_from)


def _outside_class(pattern: str, at: int, char: str) -> tuple[int, int | None]:
    if char == "[":
        first = at + (2 if pattern.startswith("^", at + 1) else 1)
        return first, first
    if char == "(":
        group = _GROUP.match(pattern, at)
        if group and not group[1].isascii():
            raise _invalid()
    if char == "{":
        repeat = _REPEAT.match(pattern, at)
        if repeat and any(_is_over_long(count) for count in repeat.groups("")):
            raise _invalid()
    return at + 1, None


def _is_over_long(count: str) -> bool:
    return len(count) > _MAX_COUNT_DIGITS and count[0] != "0"


def _inside_class(pattern: str, at: int, first: int) -> tuple[int, int | None]:
    """Steps over one part of `[...]`, whose content starts at `first`."""
    if pattern[at] == "]" and at > first:
        return at + 1, None
    posix = _POSIX.match(pattern, at)
    return (posix.end() if posix else at + 1), first


def _escape(pattern: str, at: int, *, is_class: bool) -> int:
    """Checks the escape at `at`; tells where the pattern goes on."""
    letter = pattern[at + 1 : at + 2]
    if letter == "Q" and not is_class:
        end = pattern.find("\\E", at + 2)
        return len(pattern) if end < 0 else end + 2
    if letter == "C":
        raise _invalid()
    if letter in {"p", "P"}:
        return _unicode_class(pattern, at + 2)
    if letter == "x" and pattern.startswith("{", at + 2):
        return _code_point(pattern, at + 3)
    return at + 2


def _code_point(pattern: str, at: int) -> int:
    end = pattern.find("}", at)
    digits = pattern[at:end]
    if re.fullmatch("[0-9A-Fa-f]+", digits) and 0xD800 <= int(digits, 16) <= 0xDFFF:  # noqa: PLR2004 - the surrogates
        raise _unsupported("surrogate")
    return at


def _unicode_class(pattern: str, at: int) -> int:
    r"""Checks the name behind `\p` or `\P`."""
    name, end = pattern[at : at + 1], at + 1
    if name == "{":
        close = pattern.find("}", at)
        if close < 0:
            raise _invalid()
        name, end = pattern[at + 1 : close], close + 1
    name = name.removeprefix("^")
    if name in CLASSES:
        return end
    evened = re.sub("[_ -]", "", name)
    evened = evened[:1].upper() + evened[1:].lower() if evened.isascii() else ""
    if evened == "C":
        raise _unsupported("other")
    if evened in CLASSES or evened in _GO_ALIASES:
        raise _unsupported("class")
    raise _invalid()


def _check_height(pattern: str) -> None:
    r"""Refuses a long pattern whose tree is, or may be, too high for Go.

    A capturing group adds one to the height, with what it holds at most four; Go
    folds alternatives with a common prefix (`a|ab|abc`), two for each. Parentheses
    in classes and quotes count too, which only makes the bound wider.
    """
    depth = captures = deepest = most_captures = 0
    open_captures: list[bool] = []
    skeleton = re.sub(r"\\.", "", pattern, flags=re.DOTALL)
    for at, char in enumerate(skeleton):
        if char == "(":
            is_capture = not skeleton.startswith("?", at + 1)
            open_captures.append(is_capture)
            depth, captures = depth + 1, captures + is_capture
        elif char == ")" and open_captures:
            depth, captures = depth - 1, captures - open_captures.pop()
        deepest = max(deepest, depth)
        most_captures = max(most_captures, captures)
    if most_captures >= MAX_HEIGHT and "[" not in pattern and r"\Q" not in pattern:
        raise _invalid()
    longest = max(map(len, re.split(r"[()|]", skeleton)))
    folded = min(skeleton.count("|"), longest * (deepest + 1))
    if 4 * deepest + 2 * folded + 3 > MAX_HEIGHT:
        raise _unsupported("height")
