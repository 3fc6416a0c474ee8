"""Walks of `explaining`, printed: for a person, or as JSON and YAML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from app.cli.checking.explaining import Explained, Image
from app.cli.output import safe
from app.cli.reports.formats import ReportFormat
from app.cli.specs import printing
from app.cli.specs.options import Format
from app.cli.walking import Check, Rule, Set, Term
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


def render(found: Sequence[Explained], output: ReportFormat) -> str:
    """One document, with the end of its last line.

    Raises:
        ConfigError: as for `require`.
    """
    require(output)
    if output in _DOCUMENTS:
        return printing.document(printing.plain(found), _DOCUMENTS[output])
    blocks = ("".join(f"{safe(line)}\n" for line in _lines(one)) for one in found)
    return "\n".join(blocks)


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
