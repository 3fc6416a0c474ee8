"""Where the patterns of Go's `regexp` and of RE2 differ; no engine is asked.

* `RE2_ONLY`: RE2 takes it, Go (1.26) does not: the pattern is invalid, as NFD
  says.
* `GO_ONLY`: Go takes it, RE2 does not, or gives it another meaning: refused by
  name, because a wrong answer is worse than none.

Both lists were found by comparing tens of thousands of patterns; the tables of
`tests/conformance/test_regexp.py` keep them true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

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

MAX_CLASSES: Final = 32
r"""Unicode classes (`\pL`) that a pattern may name: each takes 0.1 ms to read."""

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


def require_agreement(pattern: str, source: bytes) -> None:
    """Reads a pattern for what the two engines take differently.

    Args:
        pattern: as text.
        source: as the engine reads it.

    Raises:
        SpecError: `INVALID` or `UNSUPPORTED`.
    """
    if len(source) > MAX_PATTERN_BYTES:
        raise unsupported("length")
    _scan(pattern)
    if classes(source) > MAX_CLASSES:
        raise unsupported("classes")
    if len(source) > _NEVER_TOO_HIGH_BYTES:
        _check_height(pattern)


def is_sensitive(pattern: str) -> bool:
    """Whether what it finds depends on the tables of Unicode."""
    return bool(_CLASS.search(pattern) or _FOLDS.search(pattern))


def has_changed(text: str) -> bool:
    """Whether a text has characters that Go and RE2 class differently."""
    return not text.isascii() and bool(_CHANGED.search(text))


def classes(source: bytes) -> int:
    r"""How many Unicode classes (`\pL`) a pattern names."""
    return source.count(rb"\p") + source.count(rb"\P")


def invalid() -> SpecError:
    """Go does not take it either."""
    return SpecError(INVALID, "not a regular expression")


def unsupported(what: str) -> SpecError:
    """Go and RE2 differ, for a reason of `GO_ONLY`."""
    return SpecError(UNSUPPORTED, GO_ONLY[what])


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
            raise invalid()
    if char == "{":
        repeat = _REPEAT.match(pattern, at)
        if repeat and any(_is_over_long(count) for count in repeat.groups("")):
            raise invalid()
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
        raise invalid()
    if letter in {"p", "P"}:
        return _unicode_class(pattern, at + 2)
    if letter == "x" and pattern.startswith("{", at + 2):
        return _code_point(pattern, at + 3)
    return at + 2


def _code_point(pattern: str, at: int) -> int:
    end = pattern.find("}", at)
    digits = pattern[at:end]
    if re.fullmatch("[0-9A-Fa-f]+", digits) and 0xD800 <= int(digits, 16) <= 0xDFFF:  # noqa: PLR2004 - the surrogates
        raise unsupported("surrogate")
    return at


def _unicode_class(pattern: str, at: int) -> int:
    r"""Checks the name behind `\p` or `\P`."""
    name, end = pattern[at : at + 1], at + 1
    if name == "{":
        close = pattern.find("}", at)
        if close < 0:
            raise invalid()
        name, end = pattern[at + 1 : close], close + 1
    name = name.removeprefix("^")
    if name in CLASSES:
        return end
    evened = re.sub("[_ -]", "", name)
    evened = evened[:1].upper() + evened[1:].lower() if evened.isascii() else ""
    if evened == "C":
        raise unsupported("other")
    if evened in CLASSES or evened in _GO_ALIASES:
        raise unsupported("class")
    raise invalid()


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
        raise invalid()
    longest = max(map(len, re.split(r"[()|]", skeleton)))
    folded = min(skeleton.count("|"), longest * (deepest + 1))
    if 4 * deepest + 2 * folded + 3 > MAX_HEIGHT:
        raise unsupported("height")
