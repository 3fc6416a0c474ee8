"""Tables and paragraphs that fit a terminal.

A small writer of our own: importing rich takes longer than all else that
`validate-node` does. Widths are those of `compat.columns`: wide characters take
two columns. Texts are cleaned here, so none can colour or move the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from app.cli.output import safe
from app.compat.columns import width as columns_of

MIN_WIDTH: Final = 40
"""A narrower terminal folds the lines itself."""

GAP: Final = 2
"""Columns between two columns of a table."""

MIN_FIRST: Final = 12
"""The first column is folded down to this, before anything else gives way."""

MIN_COLUMN: Final = 7
"""Then the widest column is folded, down to this."""

MAX_FIRST: Final = 48
"""It is folded from here on, however wide the terminal is."""

MIN_NOTES: Final = 44
"""Notes that get less stand beneath their row instead."""

_INDENT: Final = "  "


class Style(StrEnum):
    """How a text looks, as the code that a terminal understands."""

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    GREEN = "32"
    RED = "31"
    YELLOW = "33"
    RED_BOLD = "1;31"
    GREEN_BOLD = "1;32"
    YELLOW_BOLD = "1;33"


@dataclass(frozen=True, slots=True)
class Pen:
    """Gives texts their style, or leaves them alone."""

    colour: bool

    def __call__(self, text: str, style: Style) -> str:
        """`text` in a style; nothing may follow it that has one itself."""
        if not self.colour or not style or not text:
            return text
        return f"\x1b[{style.value}m{text}\x1b[0m"


_Cell: TypeAlias = tuple[Style, list[str]]
"""A cell's lines, and how they look."""


class Piece(NamedTuple):
    """A cell of a table."""

    text: str
    style: Style = Style.PLAIN


class Line(NamedTuple):
    """A row of a table.

    Attributes:
        pieces: one for each column.
        notes: what is to be said of it: in a last column, or beneath.
    """

    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()


def fits(header: Sequence[str], lines: Sequence[Line], width: int) -> bool:
    """Whether a table needs no more than `width` columns, notes beneath."""
    first, *rest = _sizes(header, lines)
    return min(first, MIN_FIRST) + sum(GAP + size for size in rest) <= width


def table(
    header: Sequence[str], lines: Sequence[Line], notes: str, *, width: int, pen: Pen
) -> Iterator[str]:
    """Lines of a table: notes stand in a last column if there is room for them.

    Args:
        header: titles of the columns but the last.
        lines: the rows.
        notes: title of the last column.
        width: columns that the table may take.
        pen: gives titles and cells their style.
    """
    first, *rest = _sizes(header, lines)
    left = width - first - sum(GAP + size for size in rest)
    longest = max((columns_of(safe(n)) for one in lines for n in one.notes), default=0)
    room = left - GAP
    is_column = longest > 0 and (longest <= room or room >= MIN_NOTES)
    sizes = _narrowed([first, *rest], -left)
    titles = [Piece(title, Style.BOLD) for title in header]
    if is_column:
        titles.append(Piece(notes, Style.BOLD))
        sizes.append(room)
    yield from _row(_folded(titles, sizes), sizes, pen)
    for one in lines:
        cells = _folded(one.pieces, sizes)
        beneath: tuple[str, ...] = ()
        if is_column:
            told = (paragraph(note, width=room, first="") for note in one.notes)
            cells.append((Style.PLAIN, [line for note in told for line in note]))
        else:
            beneath = one.notes
        yield from _row(cells, sizes, pen)
        for note in beneath:
            yield from paragraph(note, width=width, indent="    ", first="  - ")


def paragraph(
    text: str, *, width: int, indent: str = _INDENT, first: str | None = None
) -> Iterator[str]:
    """A text folded at its spaces; what is longer than a line is split."""
    start = indent if first is None else first
    text = " ".join(safe(text).split())
    if len(start) + columns_of(text) <= width:
        yield f"{start}{text}".rstrip()
        return
    for number, line in enumerate(wrapped(text, width - len(indent))):
        yield f"{start if number == 0 else indent}{line}"


def wrapped(text: str, size: int) -> Iterator[str]:
    """Clean text in lines of at most `size` columns; one empty line for none."""
    line, used = "", 0
    for word in _words(text, size):
        taken = columns_of(word)
        if line and used + 1 + taken > size:
            yield line
            line, used = word, taken
        else:
            line = f"{line} {word}" if line else word
            used += taken + (1 if used else 0)
    yield line


def cut(text: str, size: int) -> str:
    """Clean text of at most `size` columns, of which three may be an ellipsis."""
    text = safe(text)
    if columns_of(text) <= size:
        return text
    while text and columns_of(text) > size - 3:
        text = text[:-1]
    return f"{text}..."


def shortened(text: str, size: int) -> str:
    """Clean text of at most `size` columns, without its middle.

    The end of an image's name, its tag, tells as much as its beginning.
    """
    text = safe(text)
    if columns_of(text) <= size:
        return text
    end = (size - 3) // 2
    tail = text[-end:]
    while columns_of(tail) > end:
        tail = tail[1:]
    return cut(text, size - columns_of(tail)) + tail


def _words(text: str, size: int) -> Iterator[str]:
    for word in text.split():
        part = ""
        for char in word if columns_of(word) > size else ():
            if part and columns_of(part + char) > size:
                yield part
                part = ""
            part += char
        yield part or word


def _sizes(header: Sequence[str], lines: Sequence[Line]) -> list[int]:
    rows = [header, *([piece.text for piece in one.pieces] for one in lines)]
    columns = zip(*rows, strict=True)
    first, *rest = (max(columns_of(safe(one)) for one in column) for column in columns)
    return [min(first, MAX_FIRST), *rest]


def _narrowed(sizes: list[int], over: int) -> list[int]:
    """`sizes` less `over` columns: of the first, then of whichever is the widest."""
    given = min(max(over, 0), max(sizes[0] - MIN_FIRST, 0))
    sizes[0] -= given
    for _ in range(over - given):
        widest = max(range(len(sizes)), key=sizes.__getitem__)
        if sizes[widest] <= MIN_COLUMN:
            break
        sizes[widest] -= 1
    return sizes


def _folded(pieces: Sequence[Piece], sizes: Sequence[int]) -> list[_Cell]:
    together = zip(pieces, sizes, strict=False)
    return [(one.style, list(wrapped(safe(one.text), size))) for one, size in together]


def _row(cells: Sequence[_Cell], sizes: Sequence[int], pen: Pen) -> Iterator[str]:
    """As many lines as the longest cell has."""
    for number in range(max(len(lines) for _, lines in cells)):
        line, space = "", ""
        for (style, lines), size in zip(cells, sizes, strict=True):
            text = lines[number] if number < len(lines) else ""
            if text:
                line += space + pen(text, style)
                space = ""
            space += " " * (size - columns_of(text) + GAP)
        yield line
