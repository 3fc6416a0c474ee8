"""Walks of `explaining`, printed: for a person, or as JSON and YAML."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from app.cli.checking.explaining import Explained, Image
from app.cli.output import safe
from app.cli.reports.formats import ReportFormat
from app.cli.reports.grid import MIN_WIDTH, paragraph
from app.cli.specs import printing
from app.cli.specs.options import Format
from app.cli.walking import Check, Rule, Set, Term
from app.compat.columns import width as columns_of
from app.errors import ConfigError

_DOCUMENTS: Final = {ReportFormat.JSON: Format.JSON, ReportFormat.YAML: Format.YAML}


def require(output: ReportFormat) -> None:
    """Refuses early what `render` has no place for.

    Raises:
        ConfigError: it is neither a table nor JSON nor YAML.
    """
    if output is not ReportFormat.TABLE and output not in _DOCUMENTS:
        text = f"--explain and -o {output}: expected table, json or yaml"
        raise ConfigError("InvalidOptions", text)


def render(
    found: Sequence[Explained], output: ReportFormat, *, width: int | None = None
) -> str:
    """One document, with the end of its last line.

    Args:
        found: walks, in order.
        output: how.
        width: columns of the terminal, at least `MIN_WIDTH`; of a table only. `None`
            where nobody looks: no line is folded.

    Raises:
        ConfigError: as for `require`.
    """
    require(output)
    if output in _DOCUMENTS:
        return printing.document(printing.plain(found), _DOCUMENTS[output])
    columns = sys.maxsize if width is None else max(width, MIN_WIDTH)
    blocks = (chain.from_iterable(_folded(_lines(one), columns)) for one in found)
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _folded(lines: Iterable[str], width: int) -> Iterator[Iterator[str]]:
    """What is longer than a line goes on beneath, further in."""
    for line in map(safe, lines):
        text = line.lstrip(" ")
        indent = " " * (len(line) - len(text))
        if columns_of(line) <= width:
            yield iter((line,))
        else:
            more = f"{indent}    "
            yield paragraph(text, width=width, first=indent, indent=more)


def _lines(one: Explained) -> Iterator[str]:
    place = f" ({one.place})" if one.place else ""
    yield f"{one.name}{place} on node {one.node}: {one.verdict}"
    if one.excluded_by:
        yield f"not a candidate: the scheduler's {one.excluded_by} takes the node out"
    for text in one.obstacles:
        yield f"  {text}"
    for image in one.images:
        yield from _image(image)


def _image(one: Image) -> Iterator[str]:
    score = "" if one.score is None else f", score {one.score}"
    yield f"image {one.image}: {one.verdict}{score}"
    if one.said:
        yield f"  {one.said}"
    for each in one.sets:
        yield from _set(each)


def _set(one: Set) -> Iterator[str]:
    described = f" - {one.description}" if one.description else ""
    yield f"  set {one.name} (weight {one.weight}): {one.verdict}{described}"
    for rule in one.rules:
        yield from _rule(rule)


def _rule(one: Rule) -> Iterator[str]:
    yield f'    rule "{one.name}": {one.verdict}'
    for why in one.why_unknown:
        yield f"      not known: {why}"
    for term in one.terms:
        yield from _term(term, "      ")
    for number, terms in enumerate(one.any, start=1):
        yield f"      alternative {number} of {len(one.any)}"
        for term in terms:
            yield from _term(term, "        ")


def _term(one: Term, indent: str) -> Iterator[str]:
    for check in one.checks:
        what = f"{one.feature} {check.what}".rstrip()
        yield f"{indent}{what}: {_told(check)}"


def _told(check: Check) -> str:
    return f"want {check.want}, found {check.found}: {check.result}"
