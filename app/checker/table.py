"""The whole table of one judged Pod: its candidates, grouped by identical answers.

A denial names a few groups; whoever checks manifests wants all. It is read off the
same sets that decided (`compat.alike`, `checker.evaluation`), so that its cost
follows the number of different answers, never the number of nodes:

1. The candidates are divided image by image: by the set that fits and its weight,
   by what is lacking, by why nothing is known.
2. The parts of all images are intersected.

Beyond `MAX_PARTS` parts of an image, the nodes that are left share one, of which
less is said. What is said of a part holds for each of its nodes; what is found
instead is as in a denial.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from app.admission.findings import UNSEEN
from app.bits import Bits, union
from app.checker.demand import Judged, Lacking, Stand
from app.checker.evaluation import Platforms
from app.checker.explanation import MAX_SETS, Sample
from app.checker.gathering import Gathered
from app.checker.judged import Judged as JudgedPod
from app.checker.reading import Said
from app.checker.view import View
from app.compat import alike, division, doubts, matching, outcome
from app.compat.advice import advice
from app.compat.budget import Budget
from app.compat.explain import Need
from app.compat.features import Features
from app.compat.outcome import Outcome, Reason, RuleOutcome
from app.errors import SpecError
from app.ports import Platform

MAX_PARTS: Final = 64
"""Parts of one image whose nodes lack different things."""

MAX_OPERATIONS: Final = 16_384
"""Bitset operations that find them."""

MAX_REASONS: Final = 16
"""Reasons that are told of one part."""

MAX_CALLS: Final = 20_000
"""Operator calls that tell why one node is unknown."""


MAX_REMEMBERED: Final = 1_024
"""Tables, and specs on sets of nodes, that are remembered."""

_SOME: Final = 8
"""Nodes of a large part that are looked at for what they have instead."""

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Why:
    """One thing that is lacking or not known; fields as in `findings.Unmet`."""

    rule: str
    what: str
    want: str
    found: str
    changeable: bool = False
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One image on the nodes of a part.

    Attributes:
        outcome: of the image there.
        score: weight of the set that fits; `None` if none does or is asked for.
        chosen: its tag, else `#2` for the spec's second set; empty for none.
        reasons: why it does not fit, or is not known to.
        more: how many more reasons there are.
    """

    outcome: Outcome
    score: int | None = None
    chosen: str = ""
    reasons: tuple[Why, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """Candidates with the same answers: a cell for each image, in order."""

    nodes: Bits
    cells: tuple[Cell, ...]

    @property
    def outcome(self) -> Outcome:
        """Of all images together."""
        return outcome.all_of(cell.outcome for cell in self.cells)


_ASKS_NOTHING: Final = Cell(Outcome.FITS)
_NO_LABELS: Final = Cell(
    Outcome.UNKNOWN,
    reasons=(Why("", "platform", "labels kubernetes.io/os and arch", "none"),),
)
_LATE: Final = Cell(
    Outcome.UNKNOWN, reasons=(Why("", "spec", "to be judged in time", "it was not"),)
)
_NO_DATA: Final = Why(
    "",
    doubts.NO_DATA.what,
    doubts.NO_DATA.want,
    doubts.NO_DATA.found,
    changeable=True,
    advice=doubts.NO_DATA.advice,
)
_OTHERS: Final = Why("", "other reasons", "", "")
_UNDESCRIBED: Final = Cell(Outcome.UNKNOWN, reasons=(_NO_DATA,))
_REST: Final = {
    one: Cell(one, reasons=(_OTHERS,))
    for one in (Outcome.DOES_NOT_FIT, Outcome.UNKNOWN)
}

Cells: TypeAlias = Mapping[Cell, Bits]
"""Each different cell of one image -> the nodes that it holds for."""


class Tables:
    """Makes tables of Pods that one checker has judged.

    Args:
        view: the nodes, and what specs say of them.
        tags: only sets with one of these count; empty for all.
    """

    def __init__(self, view: View, tags: tuple[str, ...] = ()) -> None:
        self._view: Final = view
        self._tags: Final = tags
        self._tables: Final[OrderedDict[object, tuple[Part, ...]]] = OrderedDict()
        self._specs: Final[OrderedDict[object, Cells]] = OrderedDict()

    def of(self, judged: JudgedPod) -> tuple[Part, ...]:
        """The candidates of a Pod in parts; no two have the same cells.

        An image of which nobody knows what it asks bounds no node for the webhook;
        here it is unknown.

        To be called before the next change of the cluster is taken in.
        """
        gathered = judged.gathered
        platforms = tuple(gathered.platforms.items())
        asked = tuple(
            tuple((platform, _name(stand)) for platform, stand in image.items())
            for image in gathered.stands
        )
        unseen = tuple(tuple(image.items()) for image in gathered.unseen)
        key = (asked, unseen, platforms, self._view.index.generation)
        found = self._tables.get(key)
        if found is None:
            found = self._parts(gathered)
            _keep(self._tables, key, found)
        return found

    def _parts(self, gathered: Gathered) -> tuple[Part, ...]:
        every = union(gathered.platforms.values())
        parts: dict[tuple[Cell, ...], Bits] = {(): every} if every else {}
        for image in zip(gathered.stands, gathered.unseen, strict=True):
            cells = _merged(self._of_image(*image, gathered.platforms))
            parts = _merged(
                ((*known, cell), both)
                for known, nodes in parts.items()
                for cell, bits in cells.items()
                if (both := nodes & bits)
            )
        return tuple(Part(nodes, cells) for cells, nodes in parts.items())

    def _of_image(
        self,
        image: Mapping[Platform, Stand],
        unseen: Mapping[Platform | None, Said],
        platforms: Platforms,
    ) -> Iterator[tuple[Cell, Bits]]:
        """What becomes of one image, platform by platform, then spec by spec."""
        specs: dict[str, tuple[Judged, Bits]] = {}
        for platform, nodes in platforms.items():
            if platform is None:
                yield (_NO_LABELS if image else _without(unseen.get(None))), nodes
                continue
            stand = image.get(platform)
            if isinstance(stand, Judged):
                digest = stand.asked.digest
                known = specs.get(digest, (stand, 0))
                specs[digest] = stand, known[1] | nodes
            elif isinstance(stand, Lacking):
                yield _lacking(stand), nodes
            else:
                is_late = stand is not None
                yield (_LATE if is_late else _without(unseen.get(platform))), nodes
        for judged, nodes in specs.values():
            yield from self._known(judged, nodes).items()

    # One spec -------------------------------------------------------------------

    def _known(self, judged: Judged, nodes: Bits) -> Cells:
        key = (judged.asked.digest, nodes, self._view.index.generation)
        found = self._specs.get(key)
        if found is None:
            found = _merged(self._of_spec(judged, nodes))
            _keep(self._specs, key, found)
        return found

    def _of_spec(self, judged: Judged, nodes: Bits) -> Iterator[tuple[Cell, Bits]]:
        judgement, left = judged.judgement, nodes & judged.judgement.nodes
        if undescribed := nodes ^ left:
            yield _UNDESCRIBED, undescribed
        places = {id(one): n for n, one in enumerate(judged.asked.spec.compatibilities)}
        by_weight = sorted(judgement.sets, key=lambda one: -one.compatibility.weight)
        for one in by_weight:
            if fits := left & one.fits:
                of = one.compatibility
                chosen = of.tag or f"#{places[id(of)] + 1}"
                yield Cell(Outcome.FITS, of.weight, chosen), fits
                left ^= fits
        if unknown := left & judgement.unknown:
            yield from self._unknown(judged, unknown)
        if misfits := left ^ unknown:
            yield from self._misfits(judged, misfits)

    def _misfits(self, judged: Judged, nodes: Bits) -> Iterator[tuple[Cell, Bits]]:
        index = self._view.index
        plan = index.plan(judged.asked.digest, self._tags)
        if plan is None:  # other specs of the same Pod took its place
            yield _REST[Outcome.DOES_NOT_FIT], nodes
            return
        short = alike.shortfall(plan, judged.judgement, index.census, nodes)
        needs = list(short.needs)
        left = nodes
        for part in _divided(nodes, list(short.needs.values())):
            sample = self._sample(part.nodes)
            lacking = [needs[position] for position in part.lacks]
            told = tuple(_lacks(sample, need) for need in lacking[:MAX_REASONS])
            more = len(lacking) - len(told)
            yield Cell(Outcome.DOES_NOT_FIT, reasons=told, more=more), part.nodes
            left ^= part.nodes
        if left:
            yield _REST[Outcome.DOES_NOT_FIT], left

    def _unknown(self, judged: Judged, nodes: Bits) -> Iterator[tuple[Cell, Bits]]:
        rules = [rule.unknown for one in judged.judgement.sets for rule in one.rules]
        left = nodes
        for part in _divided(nodes, rules):
            (first,) = self._features(self._view.nodes.first(part.nodes, 1))
            told = self._doubts(judged, first)[:MAX_REASONS]
            yield Cell(Outcome.UNKNOWN, reasons=told or (_OTHERS,)), part.nodes
            left ^= part.nodes
        if left:
            yield _REST[Outcome.UNKNOWN], left

    def _doubts(self, judged: Judged, features: Features) -> tuple[Why, ...]:
        """Why one node is unknown; nothing if finding out costs too much."""
        try:
            results = matching.judge(
                judged.asked.spec, features, tags=self._tags, budget=Budget(MAX_CALLS)
            )
        except SpecError:
            return ()
        index = self._view.index
        found = outcome.decide(
            results, published=index.published, unpublished=index.unpublished
        )
        doubts = (
            doubt(rule, reason)
            for one in found.sets
            if one.outcome is Outcome.UNKNOWN
            for rule in one.rules
            for reason in rule.reasons
        )
        return tuple(dict.fromkeys(doubts))

    def _sample(self, nodes: Bits) -> Sample:
        """Where to read what the nodes of a part have instead."""
        few = nodes.bit_count() <= MAX_SETS
        names = self._view.nodes.first(nodes, MAX_SETS if few else _SOME)
        return Sample(self._view.index.census, nodes, self._features(names))

    def _features(self, names: Iterable[str]) -> tuple[Features, ...]:
        known = self._view.index.census.features
        found = (self._view.nodes.number(name) for name in names)
        return tuple(known[each] for each in found if each in known)


def doubt(rule: RuleOutcome, reason: Reason) -> Why:
    """Why a rule is unknown, in words."""
    found = doubts.doubt(reason)
    return Why(
        rule.result.rule.name,
        found.what,
        found.want,
        found.found,
        changeable=bool(found.advice),
        advice=found.advice,
    )


def _lacks(sample: Sample, need: Need) -> Why:
    unmet = sample.of(0, need).run()
    return Why(
        unmet.rule,
        unmet.feature or "the rule does not match",
        unmet.want,
        unmet.found,
        changeable=unmet.changeable and bool(unmet.feature),
        advice=advice(need),
    )


def _without(said: Said | None) -> Cell:
    """An image without a spec: it asks for nothing, or nobody knows what."""
    if said is None:
        return _ASKS_NOTHING
    text = UNSEEN[said.answer]
    told = f"{text}: {said.detail}" if said.detail else text
    return Cell(Outcome.UNKNOWN, reasons=(Why("", told, "", ""),))


def _lacking(stand: Lacking) -> Cell:
    why = Why("", "image index", f"a manifest for {stand.platform}", "none")
    return Cell(Outcome.DOES_NOT_FIT, reasons=(why,))


def _divided(nodes: Bits, lacking: list[Bits]) -> list[division.Division]:
    return division.divide(nodes, lacking, most=MAX_PARTS, operations=MAX_OPERATIONS)


def _name(stand: Stand) -> object:
    """What a stand asks, as a part of a key."""
    return stand.asked.digest if isinstance(stand, Judged) else stand


def _keep(memory: OrderedDict[object, _Key], key: object, found: _Key) -> None:
    memory[key] = found
    if len(memory) > MAX_REMEMBERED:
        memory.popitem(last=False)


def _merged(found: Iterable[tuple[_Key, Bits]]) -> dict[_Key, Bits]:
    """The nodes of each different key, in order."""
    merged: dict[_Key, Bits] = {}
    for key, bits in found:
        merged[key] = merged.get(key, 0) | bits
    return merged
