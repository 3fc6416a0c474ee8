"""One node walked through the specs of one workload, rule by rule.

The evaluator is the one that judges a single node (`compat.matching`, which is NFD),
and what is made of it is the webhook's (`compat.outcome`); the law that both say the
same as the sets that decide is tested in `compat`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.admission.findings import Answer, ImageFinding
from app.checker.demand import Judged as JudgedSpec
from app.checker.demand import Lacking, Stand
from app.checker.judged import Judged
from app.checker.table import doubt
from app.cli.checking.judging import Asked
from app.cli.reports.report import Verdict
from app.compat import explain, matching, outcome
from app.compat.explain import Need, Part
from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.matching import RULE_MATCHED, Results, View
from app.compat.outcome import Outcome, RuleOutcome, SetOutcome, UnpublishedFeatures
from app.compat.terms import FeatureSets, TermResult
from app.ports import Platform
from app.scheduling import candidates
from app.scheduling.node import Node, platform_of

YES: Final = "yes"
NO: Final = "no"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One expression.

    Attributes:
        what: name of the element; `a name` for `matchName`, `a device` for one that
            satisfies all, empty for the feature itself.
        want: the expression in words.
        found: what the node has.
        result: `yes`, `no` or `unknown`.
    """

    what: str
    want: str
    found: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term: its feature, whether it holds, and its expressions."""

    feature: str
    result: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        name: its name.
        verdict: on this node.
        terms: of `matchFeatures`.
        any: of each element of `matchAny`.
        why_unknown: reasons; empty otherwise.
    """

    name: str
    verdict: Verdict
    terms: tuple[Term, ...] = ()
    any: tuple[tuple[Term, ...], ...] = ()
    why_unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """One compatibility set: its tag, else `#2`."""

    name: str
    weight: int
    description: str
    verdict: Verdict
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image.

    Attributes:
        image: as it was written.
        verdict: on this node.
        score: highest weight among the sets that fit.
        said: where there is no spec to walk through: what is known instead.
        sets: of its spec, as far as tags select them.
    """

    image: str
    verdict: Verdict
    score: int | None = None
    said: str = ""
    sets: tuple[Set, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One workload on one node.

    Attributes:
        name: of the workload.
        place: where it was read.
        node: its name.
        excluded_by: the scheduler's filter that takes the node out; empty for a
            candidate.
        verdict: of all images together.
        images: in the workload's order.
    """

    name: str
    place: str
    node: str
    excluded_by: str
    verdict: Verdict
    images: tuple[Image, ...]


def explained(
    asked: Asked, judged: Judged, node: Node, unpublished: UnpublishedFeatures
) -> Explained:
    """Walks a node through what the images of a workload ask of it.

    Args:
        asked: the workload.
        judged: as the checker judged it.
        node: one of the nodes that it was judged on.
        unpublished: what a feature is that no known node publishes.
    """
    images = _Images(judged, node, unpublished)
    told = tuple(images.all())
    found = candidates.find(
        judged.asked.pod.placement, [node], options=judged.gathering.options
    )
    return Explained(
        name=asked.label,
        place=asked.manifest.place,
        node=node.name,
        excluded_by=next(iter(found.excluded), ""),
        verdict=Verdict(outcome.all_of(Outcome(one.verdict) for one in told).value),
        images=told,
    )


_ANSWERS: Final[Mapping[Answer, str]] = {
    Answer.MISSING: "no compatibility spec is attached: it asks for nothing",
    Answer.UNAVAILABLE: "its registry could not answer",
    Answer.UNAUTHORIZED: "no access",
    Answer.NOT_FOUND: "there is no such image",
    Answer.INVALID: "its compatibility spec is invalid",
    Answer.PLATFORM_ABSENT: "it has no manifest for some platforms",
}
"""What is known where there is no spec to walk through."""

_NOT_KNOWN: Final = frozenset(
    {Answer.UNAVAILABLE, Answer.UNAUTHORIZED, Answer.NOT_FOUND, Answer.INVALID}
)


class _Images:
    """Walks one node through every image."""

    def __init__(
        self, judged: Judged, node: Node, unpublished: UnpublishedFeatures
    ) -> None:
        self._judged: Final = judged
        view = judged.gathering.view
        number = view.nodes.number(node.name)
        known = view.index.census.features
        self._features: Final = None if number is None else known.get(number)
        self._published: Final = view.index.published
        self._unpublished: Final = unpublished
        pair = platform_of(node)
        self._platform: Final = None if pair is None else Platform(*pair)

    def all(self) -> Iterator[Image]:
        """Each image, in order."""
        gathered = self._judged.gathered
        for finding, stands in zip(
            gathered.finding.images, gathered.stands, strict=True
        ):
            yield self._image(finding, stands)

    def _image(self, finding: ImageFinding, stands: Mapping[Platform, Stand]) -> Image:
        if self._platform is None and stands:
            said = "the node does not say its platform (kubernetes.io/os and arch)"
            return Image(image=finding.image, verdict=Verdict.UNKNOWN, said=said)
        stand = None if self._platform is None else stands.get(self._platform)
        if stand is None:
            return _without_spec(finding)
        if isinstance(stand, Lacking):
            said = f"the image index has no manifest for {stand.platform}"
            return Image(image=finding.image, verdict=Verdict.DOES_NOT_FIT, said=said)
        if not isinstance(stand, JudgedSpec):
            said = "its spec could not be judged in time"
            return Image(image=finding.image, verdict=Verdict.UNKNOWN, said=said)
        if self._features is None:
            said = "NFD has published nothing of this node"
            return Image(image=finding.image, verdict=Verdict.UNKNOWN, said=said)
        return self._walked(finding.image, stand, self._features)

    def _walked(self, image: str, stand: JudgedSpec, features: Features) -> Image:
        spec, tags = stand.asked.spec, self._judged.gathering.tags
        results = matching.judge(spec, features, tags=tags)
        decided = outcome.decide(
            results, published=self._published, unpublished=self._unpublished
        )
        places = {id(one): n for n, one in enumerate(spec.compatibilities, start=1)}
        walk = _Walk(View(features), self._published, self._unpublished)
        return Image(
            image=image,
            verdict=Verdict(decided.outcome.value),
            score=decided.score,
            sets=tuple(
                walk.of_set(one, places[id(one.result.compatibility)])
                for one in decided.sets
            ),
        )


def _without_spec(finding: ImageFinding) -> Image:
    """What is known of an image that asks this node for nothing."""
    told = [
        f"{_ANSWERS[answer]}{f': {detail}' if detail else ''}"
        for answer, detail in finding.answers.items()
        if answer in _ANSWERS
    ]
    is_known = _NOT_KNOWN.isdisjoint(finding.answers)
    verdict = Verdict.FITS if is_known else Verdict.UNKNOWN
    said = "; ".join(told) or "it asks nothing of this platform"
    return Image(image=finding.image, verdict=verdict, said=said)


class _Walk:
    """Walks one node through one spec; variables of rules are seen by later ones."""

    def __init__(
        self, view: View, published: frozenset[str], unpublished: UnpublishedFeatures
    ) -> None:
        self._view: Final = view
        self._published: Final = published
        self._may_be_off: Final = unpublished is UnpublishedFeatures.UNKNOWN
        self._has_unknown = False

    def of_set(self, found: SetOutcome, place: int) -> Set:
        of = found.result.compatibility
        return Set(
            name=of.tag or f"#{place}",
            weight=of.weight,
            description=of.description,
            verdict=Verdict(found.outcome.value),
            rules=tuple(map(self._rule, found.rules)),
        )

    def _rule(self, found: RuleOutcome) -> Rule:
        result = found.result
        terms = self._terms(result.features)
        alternatives = tuple(map(self._terms, result.any))
        if result.error is None:
            self._view.publish(result.vars)
        self._has_unknown |= found.outcome is Outcome.UNKNOWN
        doubts = (doubt(found, reason) for reason in found.reasons)
        return Rule(
            name=result.rule.name,
            verdict=Verdict(found.outcome.value),
            terms=terms,
            any=alternatives,
            why_unknown=tuple(f"{one.what}: {one.found}" for one in doubts),
        )

    def _terms(self, results: Results) -> tuple[Term, ...]:
        return tuple(map(self._term, results))

    def _term(self, result: TermResult) -> Term:
        feature = lower(result.term.feature)
        sets = self._view.find(feature)
        word = self._word(feature, result)
        return Term(
            feature=result.term.feature,
            result=word,
            checks=tuple(_checks(result, sets, word)),
        )

    def _word(self, feature: str, result: TermResult) -> str:
        if feature == RULE_MATCHED:
            is_unknown = self._has_unknown
        else:
            is_published = result.is_published or feature in self._published
            is_unknown = self._may_be_off and not is_published
        if is_unknown or result.holds is None:
            return UNKNOWN
        return YES if result.holds else NO


def _checks(result: TermResult, sets: FeatureSets | None, word: str) -> Iterator[Check]:
    """The expressions of a term, each with what the node has."""
    term = result.term
    absent = explain.NOT_PUBLISHED if sets is None else ""
    for name, expression in sorted((term.match_expressions or {}).items()):
        need = Need("", term.feature, Part.ELEMENT, ((name, expression),))
        holds = YES if name in result.satisfied else NO
        yield Check(
            what=name,
            want=need.want,
            found=explain.found(need, sets),
            result=UNKNOWN if word == UNKNOWN else holds,
        )
    if term.match_name is not None:
        need = Need("", term.feature, Part.NAME, (("", term.match_name),))
        holds = YES if result.is_name_match else NO
        found = absent or ("there is one" if holds == YES else explain.NONE)
        shown = UNKNOWN if word == UNKNOWN else holds
        yield Check(what="a name", want=need.want, found=found, result=shown)
    elif not term.match_expressions:
        found = absent or "published"
        yield Check(what="", want="published", found=found, result=word)
    if _lacks_device(result, sets):
        want = "one that satisfies all"
        yield Check(what="a device", want=want, found=explain.NONE, result=NO)


def _lacks_device(result: TermResult, sets: FeatureSets | None) -> bool:
    """Whether every expression holds somewhere, and all of them nowhere."""
    wanted: Sequence[str] = list(result.term.match_expressions or ())
    several = len(wanted) > 1 and sets is not None and bool(sets.instances)
    return several and result.holds is False and result.satisfied.issuperset(wanted)
