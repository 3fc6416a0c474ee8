"""Findings about one Pod: candidates, specs, and who fits.

The one place that waits, and only for registries. Steps, as in
`docs/explanation/architecture.md`:

1. the candidates among the nodes of one snapshot,
2. the spec of every image for the candidates' platforms, in parallel,
3. each candidate judged against all images,
4. where none fits: groups by reason, and the closest node.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, assert_never

from app.admission.findings import Answer, ImageFinding, PodFinding
from app.admission.policy import Policy, nodes_may_appear
from app.checker.demand import Asked, Demand, Demands, Lacking
from app.checker.evaluation import Evaluation
from app.checker.specs import Specs
from app.checker.subject import Subject
from app.errors import SpecError
from app.ports import (
    Artifacts,
    Cluster,
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    PlatformAbsent,
    Resolved,
    Snapshot,
    Unauthorized,
    Unavailable,
)
from app.scheduling import candidates
from app.scheduling.node import Node, platform_of

DEFAULT_PLATFORM: Final = Platform("linux", "amd64")
"""Asked for where no candidate says what it is."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """Gathers for all reviews of a process.

    Attributes:
        cluster: knows the nodes.
        artifacts: finds specs.
        policy: for whether nodes may appear.
        options: for candidates.
        evaluation: remembers answers.
        specs: remembers parsed specs.
        under_way: evaluations in threads; held here so that they end in peace.
    """

    cluster: Cluster
    artifacts: Artifacts
    policy: Policy
    options: candidates.Options
    evaluation: Evaluation
    specs: Specs = field(default_factory=Specs)
    under_way: set[asyncio.Task[PodFinding]] = field(default_factory=set)

    async def find(self, subject: Subject, *, deadline_seconds: float) -> PodFinding:
        """Findings about `subject`; registries that take longer are unavailable."""
        ends = time.monotonic() + deadline_seconds
        snapshot = self.cluster.snapshot()
        found = candidates.find(
            subject.pod.placement,
            snapshot.nodes,
            options=self.options,
            is_running=subject.is_running,
        )
        platforms = _platforms(found.eventual)
        looked = await asyncio.gather(
            *(
                self.artifacts.find(
                    image, platforms, deadline_seconds=ends - time.monotonic()
                )
                for image in subject.images
            )
        )
        images, demands = self._read(subject, looked, platforms)
        finding = PodFinding(
            images=images,
            candidates=len(found.eventual),
            known_nodes=len(snapshot.nodes),
            excluded=found.excluded_counts,
            stale_seconds=self.cluster.stale_seconds(),
            scalable=nodes_may_appear(
                self.policy, (node.labels for node in snapshot.nodes.values())
            ),
            daemon_set=subject.is_daemon_set,
            template_of=subject.template_of,
        )
        left = ends - time.monotonic()
        return await self._judged(finding, found.eventual, demands, snapshot, left)

    def _read(
        self,
        subject: Subject,
        looked: Sequence[ImageOutcome],
        platforms: Sequence[Platform],
    ) -> tuple[tuple[ImageFinding, ...], Demands]:
        images: list[ImageFinding] = []
        demands: list[Mapping[Platform, Demand]] = []
        for (image, containers), outcome in zip(
            subject.images.items(), looked, strict=True
        ):
            finding, demand = _image(image, containers, outcome, platforms, self.specs)
            images.append(finding)
            demands.append(demand)
        return tuple(images), demands

    async def _judged(
        self,
        finding: PodFinding,
        nodes: Sequence[Node],
        demands: Demands,
        snapshot: Snapshot,
        left_seconds: float,
    ) -> PodFinding:
        """What is at hand at once, else in a thread; unknown if that takes too long.

        The thread goes on then, so that the next Pod finds what it remembers.
        """
        if not finding.asks_for_something:
            return replace(finding, fits=finding.candidates)
        at_hand = self.evaluation.at_hand(finding, nodes, demands, snapshot)
        if at_hand is not None:
            return at_hand
        task = asyncio.create_task(
            asyncio.to_thread(self.evaluation.judge, finding, nodes, demands, snapshot)
        )
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)
        done, _ = await asyncio.wait({task}, timeout=left_seconds)
        return task.result() if done else replace(finding, unknown=len(nodes))


def _platforms(nodes: Sequence[Node]) -> tuple[Platform, ...]:
    known = {platform_of(node) for node in nodes} - {None}
    return tuple(sorted(Platform(*pair) for pair in known if pair)) or (
        DEFAULT_PLATFORM,
    )


def _image(
    image: str,
    containers: tuple[str, ...],
    outcome: ImageOutcome,
    platforms: Sequence[Platform],
    specs: Specs,
) -> tuple[ImageFinding, Mapping[Platform, Demand]]:
    """What an image is known to ask for, and of which platforms."""
    if not isinstance(outcome, Resolved):
        answer, detail = _answer(outcome)
        return ImageFinding(image, containers, {answer: detail}), {}
    answers: dict[Answer, str] = {}
    demands: dict[Platform, Demand] = {}
    digests: set[str] = set()
    for platform in platforms:
        one = outcome.platforms[platform]
        if isinstance(one, Found):
            try:
                demands[platform] = Asked(one.spec_digest, specs.read(one))
            except SpecError as error:
                answers.setdefault(Answer.INVALID, _fault(error))
                continue
            answers.setdefault(Answer.FOUND, "")
            digests.add(one.spec_digest)
            continue
        answer, detail = _answer(one)
        if answer is Answer.PLATFORM_ABSENT:
            demands[platform] = Lacking(platform)
        answers.setdefault(answer, detail)
    finding = ImageFinding(
        image, containers, answers, outcome.digest, tuple(sorted(digests))
    )
    return finding, demands


_WRAPPERS: Final = (
    "error converting YAML to JSON: yaml: ",
    "error unmarshaling JSON: while decoding JSON: ",
)
"""How NFD's text begins whatever is wrong; a short line has no room for it."""


def _fault(error: SpecError) -> str:
    """What is wrong with a spec, its place first."""
    text = error.message
    for wrapper in _WRAPPERS:
        text = text.removeprefix(wrapper)
    if error.line is None or text.startswith("line "):
        return text
    return f"line {error.line}: {text}"


_NoSpec: TypeAlias = (
    Missing | PlatformAbsent | Invalid | Unavailable | Unauthorized | ImageNotFound
)


def _answer(outcome: _NoSpec) -> tuple[Answer, str]:
    """The answer for a person, where there is no spec to judge."""
    match outcome:
        case Missing():
            return Answer.MISSING, ""
        case PlatformAbsent(has_spec=True):
            return Answer.PLATFORM_ABSENT, ""
        case PlatformAbsent():
            return Answer.MISSING, ""
        case Invalid(detail=detail):
            return Answer.INVALID, detail
        case Unavailable(detail=detail):
            return Answer.UNAVAILABLE, detail
        case Unauthorized(detail=detail):
            return Answer.UNAUTHORIZED, detail
        case ImageNotFound(detail=detail):
            return Answer.NOT_FOUND, detail
        case _:
            assert_never(outcome)
