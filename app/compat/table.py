r"""NFD's report as the table that `nfd compat validate-node` prints, byte for byte.

NFD draws with go-pretty v6.8.2 in its light style. Not copied:

* Characters of a spec that control or turn what a terminal shows are printed escaped
  (`\x1b`, `\u202e`), the ends of a description's lines, too: what follows one could be
  taken for a verdict.
* A percent sign in a rule's name is printed as it is; NFD takes the name for a
  format (`50% free` becomes `50%! (MISSING)free`).
* A null expression is printed as `null`; NFD crashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.compat.columns import width
from app.compat.gotext import quoted, trimmed, upper
from app.compat.operators import described
from app.compat.status import CompatibilityStatus, MatchedExpression, RuleStatus

_BOLD: Final = "1"
_CYAN: Final = "36"
_WHITE: Final = "37"
_CYAN_BOLD: Final = "36;1"
_ON_GREEN: Final = "42"
_ON_RED: Final = "41"
_BRIGHT_GREEN: Final = "92"
_BRIGHT_RED: Final = "91"
_RESET: Final = "\x1b[0m"

_HEADER: Final = ("Feature", "Expression", "Matcher Type", "Status")
_ESCAPE: Final = re.compile("\x1b\\[([0-9;]*)m")
_CONTROL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


def render(report: Sequence[CompatibilityStatus], *, colour: bool) -> str:
    """The text that NFD prints; `""` for a report without sets.

    Args:
        report: what to print.
        colour: with ANSI colours, as NFD prints unless NO_COLOR is set.
    """
    pen = _Pen(colour)
    return "".join(
        _set(number, status, pen) for number, status in enumerate(report, start=1)
    )


@dataclass(frozen=True, slots=True)
class _Pen:
    """Colours text, or leaves it alone."""

    colour: bool

    def __call__(self, text: str, code: str) -> str:
        """`text` in a colour; colours inside it end where they end."""
        if not self.colour:
            return text
        start = f"\x1b[{code}m"
        painted = start + text.replace(_RESET, _RESET + start) + _RESET
        return painted.replace(start + _RESET, "")


def _set(number: int, status: CompatibilityStatus, pen: _Pen) -> str:
    parts = [
        pen(f"COMPATIBILITY SET #{number} ", _CYAN_BOLD),
        pen(f"Weight: {status.weight}", _CYAN),
    ]
    if status.tag:
        parts.append(pen(f"; Tag: {_shown(status.tag)}", _CYAN))
    description = _shown(status.description)
    parts.append("\n" + pen(f"Description: {description}", _WHITE) + "\n")
    parts += (_table(rule, pen) for rule in status.rules)
    return "".join(parts) + "\n"


def _escaped(found: re.Match[str]) -> str:
    return quoted(found.group())[1:-1]


def _shown(text: str) -> str:
    return _CONTROL.sub(_escaped, text)


# One rule -----------------------------------------------------------------------


def _table(rule: RuleStatus, pen: _Pen) -> str:
    blocks = [[_row(row, pen) for row in rows] for rows in _blocks(rule)]
    rows = [row for block in blocks for row in block]
    columns = list(zip(_HEADER, *rows, strict=True))
    widths = [len(str(len(rows)))]
    widths += [max(map(_width, column)) for column in columns]
    ends = _block_ends(blocks)
    lines = [
        *_title(rule, pen, sum(widths) + 3 * len(widths) - 1),
        _border("├┬┤", widths),
        _line(("", *_HEADER), widths),
        _border("├┼┤", widths),
    ]
    for number, row in enumerate(rows, start=1):
        lines.append(_line((str(number), *row), widths))
        if number in ends:
            lines.append(_border("├┼┤", widths))
    lines.append(_border("└┴┘", widths))
    return "".join(f"{line}\n" for line in lines)


def _blocks(rule: RuleStatus) -> Iterator[Sequence[MatchedExpression]]:
    yield rule.matched_expressions
    yield from rule.matched_any


def _block_ends(blocks: Sequence[Sequence[object]]) -> set[int]:
    """Numbers of the rows that a separator follows."""
    ends: set[int] = set()
    count = 0
    for block in blocks:
        ends.add(count)
        count += len(block)
    return ends - {0, count}


def _row(row: MatchedExpression, pen: _Pen) -> tuple[str, ...]:
    name = f"{row.feature}.{row.name}" if row.name else row.feature
    expression = "null" if row.expression is None else described(row.expression)
    status = pen("OK", _BRIGHT_GREEN) if row.is_match else pen("FAIL", _BRIGHT_RED)
    return _shown(name), expression, row.matcher_type, status


def _border(corners: str, widths: Sequence[int]) -> str:
    left, middle, right = list(corners)
    return left + middle.join("─" * (size + 2) for size in widths) + right


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    number, *texts = cells
    first, *sizes = widths
    padded = [f"{number:>{first}}"]
    padded += (_padded(text, size) for text, size in zip(texts, sizes, strict=True))
    return f"│ {' │ '.join(padded)} │"


def _padded(text: str, size: int) -> str:
    text = text.rstrip(" ")
    return text + " " * (size - _width(text))


def _width(text: str) -> int:
    return width(_ESCAPE.sub("", text))


# The title, which is wrapped where the table is narrower ------------------------


def _title(rule: RuleStatus, pen: _Pen, inner: int) -> Iterator[str]:
    verdict = pen(" OK ", _ON_GREEN) if rule.is_match else pen(" FAIL ", _ON_RED)
    name = _shown(upper(f"rule: {rule.name}"))
    title = pen(f"{name} - {verdict}", _BOLD)
    size = inner - 2
    yield f"┌{'─' * inner}┐"
    wrapped = title if _width(title) <= size else _wrapped(title, size)
    for line in wrapped.split("\n"):
        yield f"│ {_padded(trimmed(line), size)} │"


@dataclass(slots=True)
class _Wrap:
    """A title being wrapped: go-pretty's wrapHard, for what a title can hold.

    Escape sequences stand before its first word and around the verdict, so none
    of them is in a word that must be split.

    Attributes:
        size: columns of a line.
        text: what is written.
        used: columns of the current line.
        style: the escape sequence that a new line opens with.
    """

    size: int
    text: str = ""
    used: int = 0
    style: str = ""

    def break_line(self) -> None:
        """Ends the line and carries the style over."""
        self.text += (_RESET if self.style else "") + "\n" + self.style
        self.used = 0

    def add(self, word: str) -> None:
        """Adds a word that fits, or fills the line with it."""
        if self.used:
            self.text += " "
            self.used += 1
        if self.used + _width(word) <= self.size:
            self.text += word
            self.used += _width(word)
        else:
            self._split(word)

    def _split(self, word: str) -> None:
        for char in word:
            if self.used >= self.size:
                self.break_line()
            self.text += char
            self.used += width(char)


def _wrapped(title: str, size: int) -> str:
    wrap = _Wrap(size)
    codes: set[int] = set()
    words = title.split()
    for number, word in enumerate(words, start=1):
        for code in _ESCAPE.findall(word):
            codes = codes | {int(code)} if int(code) else set()
        if codes:
            wrap.style = f"\x1b[{';'.join(map(str, sorted(codes)))}m"
        wrap.add(word)
        if wrap.used == wrap.size and number < len(words):
            wrap.break_line()
    return wrap.text
