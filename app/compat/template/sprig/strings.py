"""sprig's functions on strings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.compat.template import runes, strconv
from app.compat.template.gofmt import sprint
from app.compat.template.limits import Meter
from app.compat.template.sprig.casting import to_bytes, to_strings
from app.compat.template.values import (
    ANY,
    INT,
    STRING,
    STRING_MAP,
    Function,
    GoError,
    Map,
    Slice,
    Value,
    pure,
    slow,
    strings,
)

_SHORTEST_ABBREVIATION: Final = 4
_SHORTEST_WITH_OFFSET: Final = 7
_ELLIPSIS: Final = b"..."
_BYTE_SPACES: Final = "".join(s for s in runes.SPACE_TEXT if ord(s) < 256)  # noqa: PLR2004 - Latin 1


def abbreviate(data: bytes, offset: int, width: int) -> bytes:
    """goutils.AbbreviateFull, for widths that it accepts."""
    if len(data) <= width:
        return data
    kept = width - len(_ELLIPSIS)
    offset = min(offset, len(data))
    if len(data) - offset < kept:
        offset = len(data) - kept
    if offset <= _SHORTEST_ABBREVIATION:
        return data[:kept] + _ELLIPSIS
    if offset + kept < len(data):
        return _ELLIPSIS + abbreviate(data[offset:], 0, kept)
    return _ELLIPSIS + data[len(data) - kept :]


def abbrev(width: int, data: bytes) -> bytes:
    """Cuts at `width` bytes, with dots at the end."""
    if width < _SHORTEST_ABBREVIATION:
        return data
    return abbreviate(data, 0, width)


def abbrevboth(left: int, right: int, data: bytes) -> bytes:
    """Cuts on both sides, with dots."""
    if right < _SHORTEST_ABBREVIATION or (left > 0 and right < _SHORTEST_WITH_OFFSET):
        return data
    return abbreviate(data, left, right)


def trunc(count: int, data: bytes) -> bytes:
    """The first `count` bytes, the last ones if it is negative."""
    if count < 0:
        return data[count:] if len(data) + count > 0 else data
    return data[:count]


def trim(data: bytes) -> bytes:
    """Cuts white space at both ends."""
    return runes.to_bytes(runes.escaped(data).strip(runes.SPACE_TEXT))


def trim_all(cutset: bytes, data: bytes) -> bytes:
    """Cuts any runes of `cutset` at both ends."""
    if runes.ERROR in runes.to_text(cutset):
        return _trim_invalid(runes.to_text(cutset), runes.escaped(data))
    return runes.to_bytes(runes.escaped(data).strip(runes.escaped(cutset)))


def _trim_invalid(cutset: str, text: str) -> bytes:
    """A cutset with U+FFFD cuts invalid bytes too."""
    kept = [index for index, rune in enumerate(text) if runes.clean(rune) not in cutset]
    return runes.to_bytes(text[kept[0] : kept[-1] + 1]) if kept else b""


def title(data: bytes) -> bytes:
    """Title case for each letter behind something that is no letter or digit."""
    shown: list[str] = []
    before = " "
    for rune in runes.to_text(data):
        shown.append(runes.title(rune) if _separates(before) else rune)
        before = rune
    return "".join(shown).encode()


def _separates(rune: str) -> bool:
    if rune.isascii():
        return not (rune.isalnum() or rune == "_")
    return rune in runes.SPACES


def untitle(data: bytes) -> bytes:
    """Lower case for the first letter of each word."""
    shown: list[str] = []
    is_first = True
    for rune in runes.to_text(data):
        is_space = rune in runes.SPACES
        shown.append(runes.lower(rune) if is_first and not is_space else rune)
        is_first = is_space
    return "".join(shown).encode()


def swapcase(data: bytes) -> bytes:
    """Upper to lower case and back; title case behind white space."""
    shown: list[str] = []
    is_first = True
    for rune in runes.to_text(data):
        if runes.is_upper(rune) or runes.is_title(rune):
            shown.append(runes.lower(rune))
            is_first = False
        elif runes.is_lower(rune):
            shown.append(runes.title(rune) if is_first else runes.upper(rune))
            is_first = False
        else:
            shown.append(rune)
            is_first = rune in runes.SPACES
    return "".join(shown).encode()


def substr(start: int, end: int, data: bytes) -> bytes:
    """The bytes from `start` to `end`; see sprig for what negative ones mean."""
    size = len(data)
    if start < 0:
        if not 0 <= end <= size:
            shown = f"[:{end}] with length {size}" if end >= 0 else f"[:{end}]"
            raise GoError(f"runtime error: slice bounds out of range {shown}")
        return data[:end]
    if end < 0 or end > size:
        if start > size:
            raise GoError(f"runtime error: slice bounds out of range [{start}:{size}]")
        return data[start:]
    if start > end:
        raise GoError(f"runtime error: slice bounds out of range [{start}:{end}]")
    return data[start:end]


def _repeated(meter: Meter, data: bytes, count: int) -> bytes:
    if count < 0:
        raise GoError("strings: negative Repeat count")
    meter.text(len(data) * count)
    return data * count


def repeat(meter: Meter, count: int, data: bytes) -> bytes:
    """The text, `count` times."""
    return _repeated(meter, data, count)


def nospace(data: bytes) -> bytes:
    """Cuts white space; goutils takes bytes for runes, and so do we."""
    text = data.decode("latin-1")
    kept = text.translate({ord(space): None for space in _BYTE_SPACES})
    return data if len(kept) == len(text) else kept.encode()


def initials(data: bytes) -> bytes:
    """The first byte of each word, read as a rune."""
    shown: list[str] = []
    is_first = True
    for rune in data.decode("latin-1"):
        is_space = rune in _BYTE_SPACES
        if is_first and not is_space:
            shown.append(rune)
        is_first = is_space
    return "".join(shown).encode()


def wrapped(
    meter: Meter, data: bytes, width: int, newline: bytes, *, breaks_words: bool
) -> bytes:
    """goutils.WrapCustom: lines of at most `width` bytes, cut at spaces."""
    width = max(width, 1)
    parts: list[bytes] = []
    at = 0
    while len(data) - at > width:
        meter.step()
        if data[at : at + 1] == b" ":
            at += 1
            continue
        space = data.rfind(b" ", at, at + width + 1)
        resume = space + 1
        if space < 0 and breaks_words:
            space = resume = at + width
        elif space < 0:
            space = data.find(b" ", at + width)
            space = len(data) if space < 0 else space
            resume = min(space + 1, len(data))
            if space == len(data):
                parts.append(data[at:])
                at = len(data)
                break
        parts.append(data[at:space] + newline)
        at = resume
    parts.append(data[at:])
    return meter.join(b"", parts)


def wrap(meter: Meter, width: int, data: bytes) -> bytes:
    """Breaks lines at spaces."""
    return wrapped(meter, data, width, b"\n", breaks_words=False)


def wrap_with(meter: Meter, width: int, newline: bytes, data: bytes) -> bytes:
    """Breaks lines with a given text, and long words too."""
    return wrapped(meter, data, width, newline or b"\n", breaks_words=True)


def quote(meter: Meter, *values: Value) -> bytes:
    """Each value that is not nil as a Go string literal."""
    texts = [to_bytes(meter, value) for value in values if value is not None]
    meter.slow(sum(map(len, texts)))
    return meter.join(b" ", (strconv.quote(text) for text in texts))


def squote(meter: Meter, *values: Value) -> bytes:
    """Each value that is not nil between apostrophes."""
    texts = (sprint(meter, [value]) for value in values if value is not None)
    return meter.join(b" ", (b"'" + text + b"'" for text in texts))


def cat(meter: Meter, *values: Value) -> bytes:
    """The values that are not nil, with spaces between."""
    texts = (sprint(meter, [value]) for value in values if value is not None)
    return meter.join(b" ", texts)


def indent(meter: Meter, spaces: int, data: bytes) -> bytes:
    """Puts spaces before each line."""
    pad = _repeated(meter, b" ", spaces)
    meter.text(len(data) + len(pad) * (data.count(b"\n") + 1))
    return pad + data.replace(b"\n", b"\n" + pad)


def nindent(meter: Meter, spaces: int, data: bytes) -> bytes:
    """`indent`, with a newline before."""
    return b"\n" + indent(meter, spaces, data)


def replace(meter: Meter, old: bytes, new: bytes, data: bytes) -> bytes:
    """Puts `new` for every `old`; an empty one stands between all runes."""
    if old == b"":
        meter.slow(len(data))
        pieces = [b"", *(runes.to_bytes(r) for r in runes.escaped(data)), b""]
        return meter.join(new, pieces)
    meter.text(len(data) + data.count(old) * (len(new) - len(old)))
    return data.replace(old, new)


def plural(one: bytes, many: bytes, count: int) -> bytes:
    """Tells one from many."""
    return one if count == 1 else many


def cut(meter: Meter, separator: bytes, data: bytes, count: int) -> list[bytes]:
    """Go's strings.SplitN; a negative `count` sets no bound."""
    if count == 0:
        return []
    if separator == b"":
        text = runes.escaped(data)
        meter.slow(len(text))
        if 0 < count < len(text):
            text, rest = text[: count - 1], [runes.to_bytes(text[count - 1 :])]
        else:
            rest = []
        meter.listing(len(text))
        return [runes.to_bytes(rune) for rune in text] + rest
    found = data.count(separator)
    meter.listing(min(found + 1, count) if count > 0 else found + 1)
    return data.split(separator, count - 1 if count > 0 else -1)


def split(meter: Meter, separator: bytes, data: bytes) -> Map:
    """The parts as `_0`, `_1` and so on."""
    return splitn(meter, separator, -1, data)


def splitn(meter: Meter, separator: bytes, count: int, data: bytes) -> Map:
    """At most `count` parts as `_0`, `_1` and so on."""
    parts = cut(meter, separator, data, count)
    entries = {b"_%d" % index: part for index, part in enumerate(parts)}
    return Map(STRING_MAP, entries)


def split_list(meter: Meter, separator: bytes, data: bytes) -> Slice:
    """The parts as a list."""
    return strings(cut(meter, separator, data, -1))


def join(meter: Meter, separator: bytes, value: Value) -> bytes:
    """The texts of a list's elements with a separator between."""
    return meter.join(separator, to_strings(meter, value).values())


def _cased(convert: Callable[[str], str]) -> Function:
    return pure(
        lambda data: convert(
            data.decode() if data.isascii() else runes.to_text(data)
        ).encode(),
        STRING,
    )


FUNCTIONS: Final[Mapping[str, Function]] = {
    "abbrev": pure(abbrev, INT, STRING),
    "abbrevboth": pure(abbrevboth, INT, INT, STRING),
    "cat": Function(cat, (), ANY),
    "contains": pure(lambda part, data: part in data, STRING, STRING),
    "hasPrefix": pure(lambda part, data: data.startswith(part), STRING, STRING),
    "hasSuffix": pure(lambda part, data: data.endswith(part), STRING, STRING),
    "hello": pure(lambda: b"Hello!"),
    "indent": Function(indent, (INT, STRING)),
    "initials": slow(initials, STRING),
    "join": Function(join, (STRING, ANY)),
    "lower": _cased(runes.lower),
    "nindent": Function(nindent, (INT, STRING)),
    "nospace": pure(nospace, STRING),
    "plural": pure(plural, STRING, STRING, INT),
    "quote": Function(quote, (), ANY),
    "repeat": Function(repeat, (INT, STRING)),
    "replace": Function(replace, (STRING, STRING, STRING)),
    "split": Function(split, (STRING, STRING)),
    "splitList": Function(split_list, (STRING, STRING)),
    "splitn": Function(splitn, (STRING, INT, STRING)),
    "squote": Function(squote, (), ANY),
    "substr": pure(substr, INT, INT, STRING),
    "swapcase": slow(swapcase, STRING),
    "title": slow(title, STRING),
    "toString": Function(to_bytes, (ANY,)),
    "toStrings": Function(to_strings, (ANY,)),
    "trim": pure(trim, STRING),
    "trimAll": slow(trim_all, STRING, STRING),
    "trimPrefix": pure(lambda part, data: data.removeprefix(part), STRING, STRING),
    "trimSuffix": pure(lambda part, data: data.removesuffix(part), STRING, STRING),
    "trimall": slow(trim_all, STRING, STRING),
    "trunc": pure(trunc, INT, STRING),
    "untitle": slow(untitle, STRING),
    "upper": _cased(runes.upper),
    "wrap": Function(wrap, (INT, STRING)),
    "wrapWith": Function(wrap_with, (INT, STRING, STRING)),
}
"""By name."""
