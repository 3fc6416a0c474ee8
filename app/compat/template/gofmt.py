"""Go's fmt: what print, printf and println make of values.

A `Printer` writes into a buffer with a bound. `scan` reads the directives of a
format; `gofmt_scalars` writes numbers and texts; this module knows the rest: which
verb fits which type, how maps and slices nest, and what a mistake looks like
(`%!d(string=hi)`).

What prints an address in Go (`%p` of a map) is refused: it is never the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.compat.template.gofmt_scalars import Flags, Scalars
from app.compat.template.gofmt_scan import Directive, scan
from app.compat.template.limits import Meter
from app.compat.template.refusal import refuse
from app.compat.template.values import (
    SIGNED,
    Map,
    Number,
    Pointer,
    Slice,
    Struct,
    Value,
    type_of,
    unbox,
)

_STRINGABLE: Final = frozenset("vsxXq")


class Printer(Scalars):
    """Writes values as Go's fmt does."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter.limits.string_bytes)
        self.meter: Final = meter
        self.is_erring = False

    def argument(self, value: Value, verb: str) -> None:
        """Writes one operand (not boxed)."""
        self.meter.step()
        if value is None:
            if verb in {"T", "v"}:
                self.pad(b"<nil>")
            else:
                self.bad_verb(value, verb)
        elif verb == "T":
            self.plain_text(type_of(value).name.encode())
        elif verb == "p":
            self._address(value, verb)
        else:
            self.value(value, verb, 0)

    def value(self, value: Value, verb: str, depth: int) -> None:
        """Writes a value at some depth inside an operand."""
        self.meter.step()
        match value:
            case bytes():
                self._text(value, verb)
            case bool():
                self._bool(value, verb)
            case float():
                self._float(value, verb)
            case int() | Number():
                self._integer(value, verb)
            case complex():
                self._complex(value, verb)
            case None:
                self._nil()
            case _:
                self._composite(value, verb, depth)

    def bad_verb(self, value: Value, verb: str) -> None:
        """Writes that a verb does not fit a value."""
        self.meter.step(2)
        outer, self.is_erring = self.is_erring, True
        self.write(b"%!" + verb.encode() + b"(")
        if value is None:
            self.write(b"<nil>")
        else:
            self.write(type_of(value).name.encode() + b"=")
            self.argument(value, "v")
        self.write(b")")
        self.is_erring = outer

    def _nil(self) -> None:
        self.write(b"interface {}(nil)" if self.flags.sharp_v else b"<nil>")

    def _bool(self, value: bool, verb: str) -> None:  # noqa: FBT001 - the operand
        if verb in "tv":
            self.pad(b"true" if value else b"false")
        else:
            self.bad_verb(value, verb)

    def _text(self, value: bytes, verb: str) -> None:
        if verb not in _STRINGABLE:
            self.bad_verb(value, verb)
            return
        if verb in "qxX" or self.flags.sharp_v:
            self.meter.slow(len(value))
        self.meter.work(len(value))
        self.text(value, verb)

    def _integer(self, value: int | Number, verb: str) -> None:
        number = value.number if isinstance(value, Number) else value
        is_signed = type_of(value).kind in SIGNED
        if not self.integer(number, verb, is_signed=is_signed):
            self.bad_verb(value, verb)

    def _float(self, value: float, verb: str) -> None:
        if not self.float(value, verb):
            self.bad_verb(value, verb)

    def _complex(self, value: complex, verb: str) -> None:
        if not self.complex(value, verb):
            self.bad_verb(value, verb)

    def _composite(self, value: Value, verb: str, depth: int) -> None:
        self.meter.nested(depth)
        if verb == "w" and not self.is_erring:
            self.bad_verb(value, verb)
            return
        if self._by_method(value, verb):
            return
        match value:
            case Map():
                self._map(value, verb, depth)
            case Slice():
                self._slice(value, verb, depth)
            case Struct():
                self._struct(value, verb, depth)
            case _:
                self._pointer(value, verb, depth)

    def _by_method(self, value: Value, verb: str) -> bool:
        """Writes what the String method gives, where it counts."""
        if self.is_erring or self.flags.sharp_v or verb not in _STRINGABLE:
            return False
        target = value.target if isinstance(value, Pointer) else value
        if not isinstance(target, Struct):
            return False
        self.text(target.text(), verb)
        return True

    def _open(self, value: Map | Slice, plain: bytes) -> bool:
        """Writes what comes before the elements; tells whether there are any."""
        if not self.flags.sharp_v:
            self.write(plain)
            return True
        self.write(value.type.name.encode() + (b"(nil)" if value.is_nil else b"{"))
        return not value.is_nil

    def _separate(self, index: int) -> None:
        if index:
            self.write(b", " if self.flags.sharp_v else b" ")

    def _map(self, value: Map, verb: str, depth: int) -> None:
        if not self._open(value, b"map["):
            return
        for index, key in enumerate(value.keys()):
            self._separate(index)
            self.value(key, verb, depth + 1)
            self.write(b":")
            self.value(value.entries[key], verb, depth + 1)
        self.write(b"}" if self.flags.sharp_v else b"]")

    def _slice(self, value: Slice, verb: str, depth: int) -> None:
        if not self._open(value, b"["):
            return
        self.meter.slow(len(value))
        for index, item in enumerate(value.values()):
            self._separate(index)
            self.value(item, verb, depth + 1)
        self.write(b"}" if self.flags.sharp_v else b"]")

    def _struct(self, value: Struct, verb: str, depth: int) -> None:
        if self.flags.sharp_v:
            self.write(value.type.name.encode())
        self.write(b"{")
        for index, (name, field) in enumerate(value.fields().items()):
            self._separate(index)
            if self.flags.plus_v or self.flags.sharp_v:
                self.write(name.encode() + b":")
            self.value(field, verb, depth + 1)
        self.write(b"}")

    def _pointer(self, value: Pointer, verb: str, depth: int) -> None:
        if depth == 0:
            self.write(b"&")
            self.value(value.target, verb, depth + 1)
        else:
            self._address(value, verb)

    def _address(self, value: Value, verb: str) -> None:
        if isinstance(value, Map | Slice | Pointer):
            refuse(f"printf %{verb}", "it prints an address of memory")
        self.bad_verb(value, verb)


def sprint(meter: Meter, values: Sequence[Value]) -> bytes:
    """Go's fmt.Sprint: a space between two values that are no strings."""
    printer = Printer(meter)
    after_text = True
    for value in values:
        is_text = isinstance(value, bytes)
        if not is_text and not after_text:
            printer.write(b" ")
        printer.argument(value, "v")
        after_text = is_text
    return bytes(printer.buffer)


def sprintln(meter: Meter, values: Sequence[Value]) -> bytes:
    """Go's fmt.Sprintln: a space between all values, a newline at the end."""
    printer = Printer(meter)
    for index, value in enumerate(values):
        if index:
            printer.write(b" ")
        printer.argument(value, "v")
    printer.write(b"\n")
    return bytes(printer.buffer)


def sprintf(meter: Meter, template: bytes, values: Sequence[Value]) -> bytes:
    """Go's fmt.Sprintf."""
    printer = Printer(meter)
    meter.work(len(template))
    extra = 0
    for piece in scan(template, values):
        meter.step(4)
        if isinstance(piece, bytes):
            printer.write(piece)
        elif isinstance(piece, Directive):
            printer.flags = piece.flags
            printer.argument(values[piece.operand], piece.verb)
        else:
            extra = piece
    if extra:
        printer.flags = Flags()
        _write_extra(printer, values[len(values) - extra :])
    return bytes(printer.buffer)


def _write_extra(printer: Printer, values: Sequence[Value]) -> None:
    printer.write(b"%!(EXTRA ")
    for index, value in enumerate(values):
        if index:
            printer.write(b", ")
        if value is None:
            printer.write(b"<nil>")
        else:
            printer.write(type_of(value).name.encode() + b"=")
            printer.argument(value, "v")
    printer.write(b")")


def show(meter: Meter, value: Value, verb: str = "v") -> bytes:
    """One valid reflected value by one verb, as Go's error texts show it."""
    printer = Printer(meter)
    printer.value(unbox(value), verb, 0)
    return bytes(printer.buffer)
