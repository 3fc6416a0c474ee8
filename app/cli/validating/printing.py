"""One node for a person: every expression with what is wanted and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from app.cli.output import safe
from app.cli.reports.grid import Line, Pen, Piece, Style, paragraph, table
from app.cli.reports.verdict import Verdict
from app.cli.walking import DEVICE, NAME, NO, UNKNOWN, YES, Check, Rule, Set, Term

HEADER: Final = ("RULE", "FEATURE", "WANTED", "FOUND", "RESULT")

_WORDS: Final = {YES: Style.GREEN, NO: Style.RED, UNKNOWN: Style.YELLOW}
_STYLES: Final = {
    Verdict.FITS: Style.GREEN_BOLD,
    Verdict.DOES_NOT_FIT: Style.RED_BOLD,
    Verdict.UNKNOWN: Style.YELLOW_BOLD,
}


def text(
    title: str, sets: Sequence[Set], notes: Sequence[str], *, width: int, colour: bool
) -> str:
    """A block for each set, without the verdict of all.

    Args:
        title: which spec, and which node.
        sets: as they were walked.
        notes: what could not be read.
        width: columns of the terminal.
        colour: whether results have colours.
    """
    pen = Pen(colour)
    blocks = [[pen(line, Style.BOLD) for line in _folded(title, width)]]
    blocks += [list(_set(one, width, pen)) for one in sets]
    if notes:
        blocks.append(
            [line for note in notes for line in _folded(note, width, "note: ")]
        )
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _folded(told: str, width: int, first: str = "") -> Iterator[str]:
    return paragraph(f"{first}{told}", width=width, indent="", first="")


def _set(one: Set, width: int, pen: Pen) -> Iterator[str]:
    verdict = pen(one.verdict, _STYLES[one.verdict])
    described = f": {safe(one.description)}" if one.description else ""
    yield f"set {safe(one.name)}, weight {one.weight}: {verdict}{described}"
    lines = [line for rule in one.rules for line in _rule(rule)]
    if lines:
        yield from table(HEADER, lines, "", width=width, pen=pen)


def _rule(one: Rule) -> Iterator[Line]:
    name = one.name
    if one.why_unknown and not (one.terms or one.any):
        yield _line(name, "", "evaluation", "; ".join(one.why_unknown), UNKNOWN)
        return
    for number, terms in enumerate(one.any, start=1):
        where = f"{name} ({number} of {len(one.any)} ways)"
        yield from _terms(where, terms)
    yield from _terms(name, one.terms)
    if not (one.terms or one.any):
        yield _line(name, "", "nothing", "", YES)


def _terms(where: str, terms: Sequence[Term]) -> Iterator[Line]:
    for term in terms:
        for check in term.checks:
            yield _line(
                where, _what(term, check), check.want, check.found, check.result
            )


def _what(term: Term, check: Check) -> str:
    is_element = check.what and check.what not in {NAME, DEVICE}
    return f"{term.feature}.{check.what}" if is_element else term.feature


def _line(rule: str, feature: str, want: str, found: str, result: str) -> Line:
    texts = (rule, feature, want, found)
    pieces = (*map(Piece, texts), Piece(result, _WORDS[result]))
    return Line(pieces)
