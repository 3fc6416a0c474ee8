"""One node walked through the specs of one workload, rule by rule.

The evaluator is the one that judges a single node (`compat.matching`, which is NFD),
and what is made of it is the webhook's (`compat.outcome`); the law that both say the
same as the sets that decide is tested in `compat`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from app.admission.findings import UNSEEN, Answer, ImageFinding
from app.checker.demand import Judged as JudgedSpec
from app.checker.demand import Lacking, Stand
from app.checker.judged import Judged
from app.checker.reading import Said
from app.checker.subject import NotJudged
from app.cli import walking
from app.cli.checking.judging import Asked, Judge
from app.cli.checking.obstacles import Obstacles
from app.cli.reports.report import Verdict
from app.cli.walking import Set
from app.compat import matching, outcome
from app.compat.features import Features
from app.compat.outcome import Outcome, UnpublishedFeatures
from app.ports import Platform
from app.scheduling import candidates
from app.scheduling.node import Node, platform_of


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
        obstacles: what in the manifest or on the node that comes from.
        verdict: of all images together; where the node is no candidate, the workload
            does not fit there whatever they ask for.
        images: in the workload's order.
    """

    name: str
    place: str
    node: str
    excluded_by: str
    obstacles: tuple[str, ...] = ()
    verdict: Verdict
    images: tuple[Image, ...]


_ANYWHERE: Final[Mapping[str, object]] = {
    "nodeName": "",
    "nodeSelector": {},
    "affinity": {},
    "tolerations": [{"operator": "Exists"}],
    "os": {},
}


async def walk(
    judge: Judge,
    alone: Judge,
    asked: Asked,
    node: Node,
    unpublished: UnpublishedFeatures,
) -> Explained | NotJudged:
    """Judges a workload, and walks a node through what its images ask of it.

    Of a node that is no candidate the images are told as if it were one.

    Args:
        judge: of all nodes.
        alone: of this node alone.
        asked: the workload.
        node: one of the nodes.
        unpublished: what a feature is that no known node publishes.
    """
    judged = await judge.judge(asked)
    if isinstance(judged, NotJudged):
        return judged
    found = explained(asked, judged, node, unpublished)
    if not found.excluded_by:
        return found
    free = Asked(asked.manifest.with_pod_spec(_ANYWHERE), is_image=asked.is_image)
    anywhere, excluded = await judge.judge(free), await alone.judge(asked)
    assert isinstance(anywhere, Judged), "as it was the first time"  # noqa: S101 - a bug of ours
    assert isinstance(excluded, Judged), "likewise"  # noqa: S101
    return replace(
        found,
        images=explained(free, anywhere, node, unpublished).images,
        obstacles=Obstacles([node]).of(excluded),
    )


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
    verdict = Verdict(outcome.all_of(Outcome(one.verdict) for one in told).value)
    return Explained(
        name=asked.label,
        place=asked.manifest.place,
        node=node.name,
        excluded_by=next(iter(found.excluded), ""),
        verdict=Verdict.DOES_NOT_FIT if found.excluded else verdict,
        images=told,
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
        for finding, stands, unseen in zip(
            gathered.finding.images, gathered.stands, gathered.unseen, strict=True
        ):
            yield self._image(finding, stands, unseen.get(self._platform))

    def _image(
        self, finding: ImageFinding, stands: Mapping[Platform, Stand], why: Said | None
    ) -> Image:
        if self._platform is None and stands:
            said = "the node does not say its platform (kubernetes.io/os and arch)"
            return Image(image=finding.image, verdict=Verdict.UNKNOWN, said=said)
        stand = None if self._platform is None else stands.get(self._platform)
        if stand is None and self._platform not in self._judged.gathered.platforms:
            said = "not looked up for this node's platform: no candidate has it"
            return Image(image=finding.image, verdict=Verdict.UNKNOWN, said=said)
        if stand is None:
            return _without_spec(finding, why)
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
        may_be_off = self._unpublished is UnpublishedFeatures.UNKNOWN
        return Image(
            image=image,
            verdict=Verdict(decided.outcome.value),
            score=decided.score,
            sets=walking.walk(
                decided,
                spec,
                features,
                published=self._published if may_be_off else None,
            ),
        )


def _without_spec(finding: ImageFinding, why: Said | None) -> Image:
    """An image that asks this node for nothing, or nobody knows what."""
    image = finding.image
    if why is not None:
        text = UNSEEN[why.answer]
        told = f"{text}: {why.detail}" if why.detail else text
        return Image(image=image, verdict=Verdict.UNKNOWN, said=told)
    detail = finding.answers.get(Answer.MISSING)
    told = "no compatibility spec is attached: it asks for nothing"
    if detail:
        told = f"{detail}: it asks for nothing"
    elif Answer.FOUND in finding.answers:
        told = "it asks nothing of this platform"
    return Image(image=image, verdict=Verdict.FITS, said=told)
