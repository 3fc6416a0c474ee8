"""One term on all nodes: its answers on each kind of the feature, combined.

As `terms` does it on one node: flags and attributes are a union, in which each
expression must hold; or one instance satisfies all; and a name satisfies the
name expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from app.bits import Bits
from app.compat.answers import Answer, OfAttribute, OfFlag, Round
from app.compat.anyanswers import OfInstances, OfNames
from app.compat.budget import Budget
from app.compat.census import AnyColumn, Frozen
from app.compat.plan import PlannedTerm, Shared
from app.compat.postings import KINDS
from app.compat.spec import MatchExpression

_NODES_PER_LOOK: Final = 32
"""A term joins some twenty sets of nodes. That takes a look for so many nodes."""

_DOES_NOT_EXIST: Final = "DoesNotExist"
_ALL: Final = -1


class TermBits(NamedTuple):
    """One term, were it evaluated everywhere.

    Attributes:
        published: the node has the feature.
        holds: the term holds.
        errs: it cannot be evaluated.
    """

    published: Bits
    holds: Bits
    errs: Bits


class Reader:
    """Reads terms on some nodes, from answers that are brought up to date.

    Args:
        census: what is known of all nodes.
        shared: every answer that some plan holds.
        budget: what reading may cost.
        among: the nodes.
    """

    def __init__(
        self, census: Frozen, shared: Shared, budget: Budget, among: Bits
    ) -> None:
        self._census: Final = census
        self._shared: Final = shared
        self._budget: Final = budget
        self._round: Final = Round(census.features, census.generation, budget)
        self._among: Final = among
        self._looks: Final = census.bits.bit_length() // _NODES_PER_LOOK

    def read(self, term: PlannedTerm) -> TermBits:
        """Evaluates a term, or what has changed since it was evaluated last.

        Raises:
            SpecError: `TooCostly`.
        """
        self._budget.look(self._looks)
        columns = [
            (kind, column)
            for kind in KINDS
            if (column := self._census.column(kind, term.feature)) is not None
        ]
        published = errs = 0
        for _, column in columns:
            published |= column.published
        holds = published = published & self._among
        if term.expressions is not None:
            holds, errs = self._expressions(term, term.expressions, dict(columns))
            holds &= ~errs
        if term.name is not None:
            named, name_errs = self._names(term, term.name, columns)
            errs |= holds & name_errs
            holds &= named & ~name_errs
        return TermBits(published, holds & self._among, errs & self._among)

    def _expressions(
        self,
        term: PlannedTerm,
        expressions: Sequence[tuple[str, MatchExpression | None]],
        columns: Mapping[str, AnyColumn],
    ) -> tuple[Bits, Bits]:
        """As `terms.match_expressions`."""
        errs = filled = 0
        union = {kind: columns[kind] for kind in KINDS[:2] if kind in columns}
        for column in union.values():
            filled |= column.filled
        matched = filled
        for index, (_, expression) in enumerate(expressions if filled else ()):
            wants_both = expression is not None and expression.op == _DOES_NOT_EXIST
            holds = _ALL if wants_both else 0
            for kind, column in union.items():
                answer = self._element(term, index, kind, column)
                errs |= answer.errs
                if wants_both:
                    holds &= answer.holds | ~column.filled
                else:
                    holds |= answer.holds
            matched &= holds
        if "instances" in columns:
            place = ("instances", term.feature)
            devices = term.held(place)
            if devices is None:
                make = partial(OfInstances, place, expressions)
                question = (place, tuple(expressions))
                devices = term.answer(place, question, make, self._shared)
            devices.refresh(columns["instances"], self._round)
            matched |= devices.holds
            errs |= devices.errs
        return matched, errs

    def _element(
        self, term: PlannedTerm, index: int, kind: str, column: AnyColumn
    ) -> Answer[Any]:
        """One expression on one kind of a feature."""
        answer = term.held((index, kind))
        if answer is None:
            name, expression = (term.expressions or ())[index]
            place = (kind, term.feature)
            make = partial(_OF_KIND[kind], place, name, expression)
            question = (place, name, expression)
            answer = term.answer((index, kind), question, make, self._shared)
        answer.refresh(column, self._round)
        return answer

    def _names(
        self,
        term: PlannedTerm,
        expression: MatchExpression,
        columns: Iterable[tuple[str, AnyColumn]],
    ) -> tuple[Bits, Bits]:
        """As `terms.match_names`."""
        named = errs = 0
        for kind, column in columns:
            answer = term.held(("name", kind))
            if answer is None:
                place = (kind, term.feature)
                make = partial(OfNames[Any], place, expression)
                question = (place, expression)
                answer = term.answer(("name", kind), question, make, self._shared)
            answer.refresh(column, self._round)
            named |= answer.holds
            errs |= answer.errs
        return named, errs


_OF_KIND: Final[dict[str, type[OfFlag | OfAttribute]]] = {
    "flags": OfFlag,
    "attributes": OfAttribute,
}
