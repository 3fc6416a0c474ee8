"""How Go's fmt writes texts and numbers: flags, width and precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.compat.template import runes, strconv
from app.compat.template.limits import too_costly

_BASES: Final = {"v": 10, "d": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}
_PREFIXES: Final = {2: "0b", 16: "0x"}
_FORMATS: Final = {2: "b", 8: "o", 10: "d", 16: "x"}
_DEFAULT_PRECISION: Final = {"f": 6, "F": 6, "e": 6, "E": 6}
_FLOAT_VERBS: Final = frozenset("vbgGxXfFeE")
_SHARP_DIGITS: Final = frozenset("gGx")
_UINT64: Final = 1 << 64


@dataclass(slots=True)
class Flags:
    """What stands between `%` and the verb; `None` means not given.

    `sharp_v` and `plus_v` are `#` and `+` of the verb `v`.
    """

    width: int | None = None
    precision: int | None = None
    minus: bool = False
    plus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    plus_v: bool = False
    sharp_v: bool = False


class Scalars:
    """Writes texts and numbers into a buffer with a bound."""

    def __init__(self, limit: int) -> None:
        self.limit: Final = limit
        self.buffer: Final = bytearray()
        self.flags = Flags()

    def write(self, data: bytes) -> None:
        """Appends.

        Raises:
            SpecError: `TooCostly`, the buffer is full.
        """
        self.room(len(data))
        self.buffer.extend(data)

    def room(self, size: int) -> None:
        """Checks, before it is built, that `size` more bytes may be written."""
        if len(self.buffer) + size > self.limit:
            too_costly(f"a text of more than {self.limit:,} bytes")

    def padding(self, size: int) -> None:
        """Writes `size` fill bytes; zeros are only ever on the left."""
        if size <= 0:
            return
        self.room(size)
        flags = self.flags
        self.buffer.extend((b"0" if flags.zero and not flags.minus else b" ") * size)

    def pad(self, data: bytes) -> None:
        """Writes data at the wanted width, which counts runes."""
        missing = (self.flags.width or 0) - len(runes.escaped(data))
        if self.flags.minus:
            self.write(data)
            self.padding(missing)
        else:
            self.padding(missing)
            self.write(data)

    def pad_with_spaces(self, data: bytes) -> None:
        """`pad`, but never with zeros."""
        zero, self.flags.zero = self.flags.zero, False
        self.pad(data)
        self.flags.zero = zero

    def _cut(self, data: bytes) -> bytes:
        """The first `precision` runes."""
        if self.flags.precision is None:
            return data
        return runes.to_bytes(runes.escaped(data)[: self.flags.precision])

    def plain_text(self, data: bytes) -> None:
        """Writes as `%s`."""
        self.pad(self._cut(data))

    def text(self, data: bytes, verb: str) -> None:
        """Writes as one of `%v`, `%s`, `%x`, `%X`, `%q`."""
        if verb in "xX":
            self._hex_text(data, verb)
        elif verb == "q" or (verb == "v" and self.flags.sharp_v):
            self._quoted(self._cut(data))
        else:
            self.plain_text(data)

    def _quoted(self, data: bytes) -> None:
        if self.flags.sharp and strconv.can_backquote(data):
            self.pad(b"`" + data + b"`")
        else:
            self.pad(strconv.quote(data, ascii_only=self.flags.plus))

    def _hex_text(self, data: bytes, verb: str) -> None:
        flags = self.flags
        if flags.precision is not None:
            data = data[: flags.precision]
        if not data:
            self.padding(flags.width or 0)
            return
        prefix = ("0x" if flags.sharp else "") if verb == "x" else ""
        prefix = "0X" if flags.sharp and verb == "X" else prefix
        digits = data.hex() if verb == "x" else data.hex().upper()
        if flags.space:
            pairs = (digits[at : at + 2] for at in range(0, len(digits), 2))
            shown = " ".join(prefix + pair for pair in pairs)
        else:
            shown = prefix + digits
        self.pad(shown.encode())

    def integer(self, number: int, verb: str, *, is_signed: bool) -> bool:
        """Writes an integer; tells whether the verb fits."""
        base = _BASES.get(verb)
        if base is not None:
            if verb == "v" and self.flags.sharp_v and not is_signed:
                self._go_syntax(number)
            else:
                self._based(number, base, verb)
            return True
        match verb:
            case "c":
                self.pad(runes.char(number).encode())
            case "q":
                self.pad(strconv.quote_rune(number, ascii_only=self.flags.plus))
            case "U":
                self._unicode(number % _UINT64)
            case _:
                return False
        return True

    def _go_syntax(self, number: int) -> None:
        sharp, self.flags.sharp = self.flags.sharp, True
        self._based(number, 16, "v")
        self.flags.sharp = sharp

    def _sign(self, *, negative: bool) -> str:
        if negative:
            return "-"
        if self.flags.plus:
            return "+"
        return " " if self.flags.space else ""

    def _zeros(self, *, negative: bool) -> int:
        """How many digits there must be at least."""
        flags = self.flags
        if flags.precision is not None:
            return flags.precision
        if not flags.zero or flags.minus or flags.width is None:
            return 0
        return flags.width - (negative or flags.plus or flags.space)

    def _based(self, number: int, base: int, verb: str) -> None:
        flags = self.flags
        if flags.precision == 0 and number == 0:
            zero, flags.zero = flags.zero, False
            self.padding(flags.width or 0)
            flags.zero = zero
            return
        zeros = self._zeros(negative=number < 0)
        self.room(zeros)
        digits = format(abs(number), _FORMATS[base]).rjust(zeros, "0")
        if flags.sharp:
            digits = _PREFIXES.get(base, "") + digits
            if base == 8 and digits[0] != "0":  # noqa: PLR2004 - octal
                digits = "0" + digits
        if verb == "X":
            digits = digits.upper()
        if verb == "O":
            digits = "0o" + digits
        self.pad_with_spaces((self._sign(negative=number < 0) + digits).encode())

    def _unicode(self, number: int) -> None:
        zeros = max(self.flags.precision or 4, 4)
        self.room(zeros)
        shown = f"U+{number:0{zeros}X}"
        if self.flags.sharp and number <= runes.MAX_RUNE:
            rune = chr(number)
            shown += f" '{rune}'" if runes.is_print(rune) else ""
        self.pad_with_spaces(shown.encode())

    def float(self, number: float, verb: str) -> bool:
        """Writes a float64; tells whether the verb fits."""
        if verb not in _FLOAT_VERBS:
            return False
        precision = self.flags.precision
        if precision is None:
            precision = _DEFAULT_PRECISION.get(verb, -1)
        self.room(precision)
        form = {"v": "g", "F": "f"}.get(verb, verb)
        shown = strconv.format_float(number, form, precision)
        if shown[0] not in "+-":
            shown = "+" + shown
        if self.flags.space and shown[0] == "+" and not self.flags.plus:
            shown = " " + shown[1:]
        if shown[1] in "IN":
            self._special(shown)
            return True
        if self.flags.sharp and form != "b":
            shown = _with_point(shown, form, precision)
        self._signed(shown)
        return True

    def _special(self, shown: str) -> None:
        flags = self.flags
        if shown[1] == "N" and not flags.space and not flags.plus:
            shown = shown[1:]
        self.pad_with_spaces(shown.encode())

    def _signed(self, shown: str) -> None:
        flags = self.flags
        if not flags.plus and shown[0] == "+":
            self.pad(shown[1:].encode())
        elif flags.zero and not flags.minus and (flags.width or 0) > len(shown):
            self.write(shown[:1].encode())
            self.padding((flags.width or 0) - len(shown))
            self.write(shown[1:].encode())
        else:
            self.pad(shown.encode())

    def complex(self, number: complex, verb: str) -> bool:
        """Writes a complex128; tells whether the verb fits."""
        if verb not in _FLOAT_VERBS:
            return False
        plus = self.flags.plus
        self.write(b"(")
        self.float(number.real, verb)
        self.flags.plus = True
        self.float(number.imag, verb)
        self.write(b"i)")
        self.flags.plus = plus
        return True


def _with_point(shown: str, form: str, precision: int) -> str:
    """Adds the decimal point and the zeros that `#` asks for."""
    exponent_marks = "pP" if form in "xX" else "eEpP"
    cut = next((i for i, c in enumerate(shown) if c in exponent_marks), len(shown))
    body, tail = shown[:cut], shown[cut:]
    missing = 0
    if form in _SHARP_DIGITS:
        missing = 6 if precision == -1 else precision
    significant = body[1:].replace(".", "").lstrip("0")
    missing -= len(significant)
    if "." not in body:
        missing -= body[1:] == "0"
        body += "."
    return body + "0" * max(missing, 0) + tail
