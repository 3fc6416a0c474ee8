"""Answers of many nodes as a report, and as test cases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from app.admission.findings import Answer as SpecAnswer
from app.cli.nodes.known import KnownNodes
from app.cli.reports import words
from app.cli.reports.junit import Case, Suite
from app.cli.reports.report import (
    Cell,
    JudgedImage,
    Nearest,
    Reason,
    Report,
    Row,
    Verdict,
    Workload,
)
from app.cli.reports.verdict import worst
from app.cli.validating.judging import Answer
from app.compat import explain
from app.compat.advice import advice
from app.compat.doubts import NO_DATA, doubt
from app.compat.explain import Need
from app.compat.outcome import Outcome, SetOutcome

_UNDESCRIBED: Final = Reason(
    rule="",
    what=NO_DATA.what,
    want=NO_DATA.want,
    found=NO_DATA.found,
    changeable=True,
    advice=NO_DATA.advice,
)
_RANK: Final = {Verdict.FITS: 0, Verdict.UNKNOWN: 1, Verdict.DOES_NOT_FIT: 2}


def report(
    name: str, known: KnownNodes, answers: Mapping[str, Answer], content: bytes | None
) -> Report:
    """All nodes in one table.

    Args:
        name: of the spec, or of the image whose spec it is.
        known: the nodes.
        answers: node -> answer.
        content: the spec's bytes; `None` if nothing is attached to the image.
    """
    rows = tuple(_rows(answers))
    workload = Workload(
        name=name,
        verdict=worst(answer.verdict for answer in answers.values()),
        images=(_image(name, content),),
        candidates=len(answers),
        rows=rows,
        nearest=_nearest(rows),
    )
    return Report(
        origin=known.origin,
        known_nodes=len(known.snapshot.nodes),
        workloads=(workload,),
        notes=known.notes,
    )


def _image(name: str, content: bytes | None) -> JudgedImage:
    if content is None:
        return JudgedImage(image=name, answers={SpecAnswer.MISSING: ""})
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return JudgedImage(image=name, answers={SpecAnswer.FOUND: ""}, specs=(digest,))


def suite(name: str, answers: Mapping[str, Answer]) -> Suite:
    """A case for each node."""
    cells = _cells(answers.values())
    cases = (_case(name, node, cells[id(one)]) for node, one in answers.items())
    return Suite(name=name, cases=tuple(cases))


def reasons(answer: Answer) -> tuple[Reason, ...]:
    """Why nodes do not fit, or why that is not known."""
    if answer.verdict is Verdict.FITS:
        return ()
    if answer.found is None or answer.features is None:
        return (_UNDESCRIBED,)
    if answer.verdict is Verdict.UNKNOWN:
        return tuple(dict.fromkeys(_doubts(answer.found.sets)))
    closest = explain.closest(explain.explain(answer.results, answer.features))
    if closest is None:
        return (Reason(rule="", what="compatibility sets", want="one", found="none"),)
    return tuple(_reason(unmet.need, unmet.found) for unmet in closest.unmet)


def _doubts(sets: Sequence[SetOutcome]) -> Iterator[Reason]:
    for one in sets:
        if one.outcome is Outcome.UNKNOWN:
            for rule in one.rules:
                for why in map(doubt, rule.reasons):
                    name = rule.result.rule.name
                    yield Reason(
                        rule=name, what=why.what, want=why.want, found=why.found
                    )


def _reason(need: Need, found: str) -> Reason:
    what = ".".join(filter(None, (need.feature, need.name)))
    return Reason(
        rule=need.rule,
        what=what,
        want=need.want,
        found=found,
        changeable=need.is_changeable,
        advice=advice(need),
    )


def _cell(answer: Answer) -> Cell:
    return Cell(
        verdict=answer.verdict,
        score=answer.found.score if answer.found else None,
        chosen=answer.chosen,
        reasons=reasons(answer),
    )


def _cells(answers: Iterable[Answer]) -> dict[int, Cell]:
    """Identity of an answer -> its cell; nodes that are the same share answers."""
    found: dict[int, Cell] = {}
    for answer in answers:
        if id(answer) not in found:
            found[id(answer)] = _cell(answer)
    return found


def _rows(answers: Mapping[str, Answer]) -> Iterator[Row]:
    cells = _cells(answers.values())
    nodes: dict[Cell, list[str]] = {}
    for name, answer in answers.items():
        nodes.setdefault(cells[id(answer)], []).append(name)
    for cell in sorted(nodes, key=lambda one: _order(one, nodes[one])):
        yield Row(
            nodes=tuple(nodes[cell]),
            verdict=cell.verdict,
            score=cell.score,
            cells=(cell,),
        )


def _order(cell: Cell, nodes: Sequence[str]) -> tuple[object, ...]:
    """As `check` sorts them: the best first, then those that lack least."""
    return (
        _RANK[cell.verdict],
        -(cell.score or 0),
        len(cell.reasons),
        -len(nodes),
        nodes[0],
    )


def _nearest(rows: Sequence[Row]) -> Nearest | None:
    """The node that lacks least, where none fits and something is known."""
    if not rows or rows[0].verdict is Verdict.FITS:
        return None
    misfits = (row for row in rows if row.verdict is Verdict.DOES_NOT_FIT)
    first = next(misfits, None)
    if first is None:
        return None
    return Nearest(node=first.nodes[0], reasons=first.cells[0].reasons)


def _case(name: str, node: str, cell: Cell) -> Case:
    lines = [f"{cell.verdict}", *(f"- {words.reason(one)}" for one in cell.reasons)]
    text = "\n".join(lines)
    return Case(
        name=node,
        classname=name,
        failure=text if cell.verdict is Verdict.DOES_NOT_FIT else "",
        error=text if cell.verdict is Verdict.UNKNOWN else "",
    )
