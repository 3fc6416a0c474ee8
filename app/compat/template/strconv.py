"""Go's strconv: numbers and quoted strings, from text and to text."""

from __future__ import annotations

import re
from typing import Final

from app.compat.template import runes

INT64_MAX: Final = (1 << 63) - 1
UINT64_MAX: Final = (1 << 64) - 1

_PREFIXES: Final = {"x": 16, "o": 8, "b": 2}
_DIGITS: Final = {
    base: re.compile(f"[{digits}]+", re.IGNORECASE)
    for base, digits in ((2, "01"), (8, "0-7"), (10, "0-9"), (16, "0-9a-f"))
}
_DECIMAL: Final = re.compile(
    r"[+-]?(?:[0-9_]*[0-9][0-9_]*\.?[0-9_]*|[0-9_]*\.[0-9_]*[0-9][0-9_]*)"
    r"(?:[eE][+-]?[0-9][0-9_]*)?"
)
_HEXADECIMAL: Final = re.compile(
    r"([+-]?)0[xX]([0-9a-fA-F_]*)(?:\.([0-9a-fA-F_]*))?[pP]([+-]?[0-9][0-9_]*)"
)
_SPECIAL: Final = re.compile(r"[+-]?(?:inf|infinity)|nan", re.IGNORECASE)

_MANTISSA_BITS: Final = 52
_EXPONENT_CAP: Final = 10_000
"""Exponents beyond are the same: 0 or infinity (texts are bounded elsewhere)."""

_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_ESCAPED: Final = {
    value: f"\\{key}" for key, value in _ESCAPES.items() if key not in "'\""
}
_HEX_ESCAPES: Final = {"x": 2, "u": 4, "U": 8}
_BYTE: Final = 0x7F


class NumberSyntaxError(ValueError):
    """The text is no number of the wanted kind."""


class NumberRangeError(ValueError):
    """The number does not fit; `args[0]` is the nearest one."""


def underscores_stand_right(text: str) -> bool:
    """Tells whether each underscore is between digits or after a base prefix."""
    text = text[1:] if text[:1] in {"+", "-"} else text
    digits = "0-9"
    before = "^"
    if text[:1] == "0" and text[1:2].lower() in _PREFIXES:
        digits = "0-9a-fA-F" if text[1] in "xX" else digits
        before = "0"
        text = text[2:]
    marks = before + re.sub(f"[{digits}]", "0", text)
    return re.search(r"(?:^|[^0_])_|__|_(?:[^0_]|$)", marks) is None


def parse_uint(text: str, base: int = 0, maximum: int = UINT64_MAX) -> int:
    """Reads an unsigned integer as strconv.ParseUint(text, base, 64) does.

    Raises:
        NumberSyntaxError: it is no such text.
        NumberRangeError: it is larger than `maximum`.
    """
    digits = text
    actual = base or 10
    if base == 0:
        if text[:1] == "0":
            actual = _PREFIXES.get(text[1:2].lower(), 8)
            skip = 2 if text[1:2].lower() in _PREFIXES and len(text) > 2 else 1  # noqa: PLR2004 - a prefix and a digit
            digits = text[skip:] or text
            actual = actual if skip > 1 else 8
        digits = digits.replace("_", "")
    if not _DIGITS[actual].fullmatch(digits):
        raise NumberSyntaxError
    if base == 0 and "_" in text and not underscores_stand_right(text):
        raise NumberSyntaxError
    number = int(digits[-80:], actual) if len(digits.lstrip("0")) <= 80 else maximum + 1  # noqa: PLR2004 - more than 64 bits in any base
    if number > maximum:
        raise NumberRangeError(maximum)
    return number


def parse_int(text: str, base: int = 0) -> int:
    """Reads a signed integer as strconv.ParseInt(text, base, 64) does.

    Raises:
        NumberSyntaxError: it is no such text.
        NumberRangeError: it needs more than 64 bits.
    """
    negative = text[:1] == "-"
    digits = text[1:] if text[:1] in {"+", "-"} else text
    try:
        number = parse_uint(digits, base, INT64_MAX + negative)
    except NumberRangeError as e:
        raise NumberRangeError(-e.args[0] if negative else e.args[0]) from None
    return -number if negative else number


def parse_float(text: str) -> float:
    """Reads a number as strconv.ParseFloat(text, 64) does.

    Raises:
        NumberSyntaxError: it is no such text.
        NumberRangeError: it is too large.
    """
    if _SPECIAL.fullmatch(text):
        return float(text)
    hexadecimal = _HEXADECIMAL.fullmatch(text)
    if not hexadecimal and not _DECIMAL.fullmatch(text):
        raise NumberSyntaxError
    if "_" in text and not underscores_stand_right(text):
        raise NumberSyntaxError
    if hexadecimal:
        number = _hexadecimal(*hexadecimal.groups(""))
    else:
        number = float(text.replace("_", ""))
    if number in {float("inf"), float("-inf")}:
        raise NumberRangeError(number)
    return number


def _hexadecimal(sign: str, whole: str, fraction: str, exponent: str) -> float:
    whole, fraction = whole.replace("_", ""), fraction.replace("_", "")
    if not whole and not fraction:
        raise NumberSyntaxError
    power = exponent.replace("_", "")
    scale = max(-_EXPONENT_CAP, min(_EXPONENT_CAP, int(power[:7])))
    try:
        return float.fromhex(f"{sign}0x{whole}.{fraction}p{scale}")
    except OverflowError:
        return float(f"{sign}inf")


def _unquote_escape(text: str, at: int, quote: str) -> tuple[bytes, int]:
    """Reads the escape whose backslash stands before `at`; `None` is never made.

    Returns:
        The bytes it stands for, and where the text goes on.
    """
    letter = text[at : at + 1]
    if letter in {"'", '"'} and letter != quote:
        raise NumberSyntaxError
    if letter and letter in _ESCAPES:
        return _ESCAPES[letter].encode(), at + 1
    size = _HEX_ESCAPES.get(letter, 0)
    base = 16 if size else 8
    digits = text[at + 1 : at + 1 + size] if size else text[at : at + 3]
    if len(digits) != (size or 3) or not _DIGITS[base].fullmatch(digits):
        raise NumberSyntaxError
    code = int(digits, base)
    end = at + 1 + size if size else at + 3
    if size in {0, 2}:
        if code > 0xFF:  # noqa: PLR2004 - an octal escape is one byte
            raise NumberSyntaxError
        return bytes((code,)), end
    if code > runes.MAX_RUNE or 0xD800 <= code < 0xE000:  # noqa: PLR2004 - surrogates
        raise NumberSyntaxError
    return chr(code).encode(), end


def unquote(text: str) -> bytes:
    """Reads a string literal with its quotes, as strconv.Unquote does.

    Raises:
        NumberSyntaxError: it is no such literal.
    """
    body = text[1:-1]
    if text[0] == "`":
        return body.replace("\r", "").encode()
    if "\\" not in body:
        return body.encode()
    parts: list[bytes] = []
    at = 0
    while (slash := body.find("\\", at)) >= 0:
        parts.append(body[at:slash].encode())
        piece, at = _unquote_escape(body, slash + 1, '"')
        parts.append(piece)
    parts.append(body[at:].encode())
    return b"".join(parts)


def unquote_char(text: str) -> tuple[int, str]:
    r"""Reads the first rune of a character literal whose opening quote is gone.

    Returns:
        The rune's number (that of the byte for `\x` and octal escapes), and the
        text behind it.

    Raises:
        NumberSyntaxError: it is no such literal.
    """
    if text[0] == "'":
        raise NumberSyntaxError
    if text[0] != "\\":
        return ord(text[0]), text[1:]
    piece, end = _unquote_escape(text, 1, "'")
    code = piece[0] if len(piece) == 1 else ord(piece.decode())
    return code, text[end:]


def _quoted_rune(rune: str, quote: str, *, ascii_only: bool) -> str:
    if rune in {quote, "\\"}:
        return f"\\{rune}"
    if runes.is_print(rune) and (not ascii_only or rune.isascii()):
        return rune
    if rune in _ESCAPED:
        return _ESCAPED[rune]
    code = ord(rune)
    if code < ord(" ") or code == _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits


def quote(data: bytes, *, ascii_only: bool = False) -> bytes:
    """Writes a double-quoted literal, as strconv.Quote (or QuoteToASCII) does."""
    parts = [
        f"\\x{ord(rune) & 0xFF:02x}"
        if "\ud800" <= rune <= "\udfff"
        else _quoted_rune(rune, '"', ascii_only=ascii_only)
        for rune in runes.escaped(data)
    ]
    return f'"{"".join(parts)}"'.encode()


def quote_text(text: str) -> str:
    """`quote` for texts of our own making."""
    return quote(runes.to_bytes(text)).decode()


def quote_rune(code: int, *, ascii_only: bool) -> bytes:
    """Writes a character literal, as strconv.QuoteRune (or …ToASCII) does."""
    body = _quoted_rune(runes.char(code), "'", ascii_only=ascii_only)
    return f"'{body}'".encode()


def can_backquote(data: bytes) -> bool:
    """Tells what strconv.CanBackquote tells."""
    text = runes.escaped(data)
    return not any(
        "\ud800" <= rune <= "\udfff"
        or rune in {"`", "\x7f", "\ufeff"}
        or (rune < " " and rune != "\t")
        for rune in text
    )


def shortest(number: float) -> tuple[str, int]:
    """The fewest digits that read back as `number` (finite, its sign aside).

    Returns:
        The digits without zeros at their ends (`"0"` for zero), and how many of
        them stand before the decimal point (negative: zeros behind it).
    """
    mantissa, _, exponent = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    return (digits, point) if digits else ("0", 1)


def format_shortest(number: float, low: int = -4, high: int = 6) -> str:
    """Writes a finite number with the fewest digits.

    Args:
        number: what to write.
        low: exponents below are written as such.
        high: so are exponents from here on (fmt uses 6, JSON 21).
    """
    digits, point = shortest(number)
    sign = "-" if str(number)[0] == "-" else ""
    exponent = point - 1
    if exponent < low or exponent >= high:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{exponent:+03d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    whole = digits[:point].ljust(point, "0")
    return f"{sign}{whole}.{digits[point:]}" if digits[point:] else f"{sign}{whole}"


def _special(number: float) -> str | None:
    if number != number:  # noqa: PLR0124 - not a number
        return "NaN"
    if number in {float("inf"), float("-inf")}:
        return "+Inf" if number > 0 else "-Inf"
    return None


def format_float(number: float, verb: str, precision: int) -> str:
    """Writes a number as strconv.FormatFloat(number, verb, precision, 64) does.

    Args:
        number: what to write.
        verb: one of `b`, `e`, `E`, `f`, `g`, `G`, `x`, `X`.
        precision: -1 for as many digits as needed (not with `e` and `f`).
    """
    special = _special(number)
    if special is not None:
        return special
    match verb:
        case "b":
            return _binary(number)
        case "x" | "X":
            text = _hex(number, precision)
            return text.upper() if verb == "X" else text
    if precision < 0:
        text = format_shortest(number, high=6)
        return text.upper() if verb == "G" else text
    return f"{number:.{precision}{verb}}"


def _binary(number: float) -> str:
    mantissa, exponent = _split(number)
    sign = "-" if str(number)[0] == "-" else ""
    return f"{sign}{mantissa}p{exponent - _MANTISSA_BITS:+d}"


def _split(number: float) -> tuple[int, int]:
    """Mantissa of 53 bits and the exponent of its leading bit, as stored."""
    text = abs(number).hex()
    lead, _, rest = text.removeprefix("0x").partition(".")
    fraction, _, exponent = rest.partition("p")
    mantissa = int(lead + fraction.ljust(13, "0")[:13], 16)
    return mantissa, int(exponent) if number else -1022


def _hex(number: float, precision: int) -> str:
    sign = "-" if str(number)[0] == "-" else ""
    mantissa, exponent = _split(number)
    if mantissa == 0:
        exponent = 0
    else:
        shift = _MANTISSA_BITS + 1 - mantissa.bit_length()
        mantissa, exponent = mantissa << shift, exponent - shift
    kept = _MANTISSA_BITS // 4
    if 0 <= precision < kept:
        drop = _MANTISSA_BITS - precision * 4
        half, rest = 1 << (drop - 1), mantissa & ((1 << drop) - 1)
        mantissa >>= drop
        mantissa += rest > half or (rest == half and mantissa & 1)
        if mantissa >> (precision * 4) > 1:
            mantissa, exponent = mantissa >> 1, exponent + 1
        kept = precision
    lead, fraction = mantissa >> (kept * 4), mantissa & ((1 << (kept * 4)) - 1)
    digits = f"{fraction:0{kept}x}" if kept else ""
    digits = digits.rstrip("0") if precision < 0 else digits.ljust(precision, "0")
    return f"{sign}0x{lead}{f'.{digits}' if digits else ''}p{exponent:+03d}"
