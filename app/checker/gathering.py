"""Findings about one Pod: candidates, specs, and who fits.

The one place that waits: for registries, and for specs that are new. Steps, as in
`docs/explanation/architecture.md`:

1. the candidates among the nodes that there are now, and their platforms,
2. the spec of every image for these platforms, in parallel,
3. the answers for all nodes; what is not at hand is found out in a thread,
4. candidates and answers joined, at one moment: nothing changes between both,
5. where no candidate fits: groups by reason, and the closest node.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Final

from app.admission.findings import PodFinding
from app.admission.policy import Policy, nodes_may_appear
from app.checker import reading, specs, timing
from app.checker.demand import Demands, Judged, Late
from app.checker.evaluation import Platforms, Stands, tally
from app.checker.explanation import Explainer, Misfit
from app.checker.reading import Looked, Memory, Reading, Unseen
from app.checker.specs import Specs
from app.checker.subject import Subject
from app.checker.timing import EVALUATION, REGISTRY, Evaluation
from app.checker.view import View
from app.checker.worker import Worker
from app.compat.spec import Spec
from app.errors import SpecError
from app.ports import (
    Artifacts,
    Cluster,
    Found,
    ImageOutcome,
    Platform,
    Unavailable,
)
from app.scheduling import candidates
from app.scheduling.filters import CandidateBits
from app.telemetry import Metrics

DEFAULT_PLATFORM: Final = Platform("linux", "amd64")
"""Asked for where no candidate says what it is."""

MAX_IMAGES: Final = 64
"""Images of one Pod that are looked up; each may cost several requests."""

TOO_MANY: Final = Unavailable(
    "TooManyImages", f"only {MAX_IMAGES} images of one Pod are looked up"
)

OTHERS_SECONDS: Final = 0.2
"""How long images are waited for that decide nothing."""

MAX_TURNS: Final = 4
"""Looks at one Pod; another is taken after each wait, for the cluster may have
changed meanwhile, and in the last one what is not at hand is unknown."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The candidates, at one moment."""

    found: CandidateBits
    platforms: Platforms

    @property
    def asked(self) -> tuple[Platform, ...]:
        """The platforms whose specs are wanted, sorted."""
        known = (platform for platform in self.platforms if platform is not None)
        return tuple(sorted(known)) or (DEFAULT_PLATFORM,)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A finding, and the sets of nodes that it was made of.

    The bits mean something until the next change of the view is taken in.

    Attributes:
        finding: about the Pod.
        stands: for each image that counts: platform -> where it stands.
        unseen: for each of them: platform -> why nobody knows what it asks there.
        candidates: as sets.
        platforms: the same by platform.
    """

    finding: PodFinding
    stands: Stands
    candidates: CandidateBits
    platforms: Platforms
    unseen: Unseen


@dataclass(frozen=True, slots=True)
class Gathering:
    """Gathers for all reviews of a process.

    Attributes:
        cluster: knows the nodes.
        artifacts: finds specs.
        policy: for whether nodes may appear.
        options: for candidates.
        tags: only sets with one of these count; empty for all.
        view: the cluster in indexes.
        explainer: why nodes do not fit.
        specs: remembers parsed specs.
        worker: for what is too costly for the event loop.
        metrics: counts and times evaluations.
    """

    cluster: Cluster
    artifacts: Artifacts
    policy: Policy
    options: candidates.Options
    tags: tuple[str, ...]
    view: View
    explainer: Explainer
    specs: Specs = field(default_factory=Specs)
    worker: Worker = field(default_factory=Worker)
    metrics: Metrics = field(default_factory=Metrics)

    async def find(self, subject: Subject, *, deadline_seconds: float) -> PodFinding:
        """Findings about `subject`; what takes longer is unavailable or unknown."""
        found = await self.gather(subject, deadline_seconds=deadline_seconds)
        return found.finding

    async def gather(self, subject: Subject, *, deadline_seconds: float) -> Gathered:
        """The same, with what it was made of."""
        ends = time.monotonic() + deadline_seconds
        await self.view.catch_up()
        looked = await self._look(subject, frozenset(self._see(subject).asked), ends)
        waited = {REGISTRY} if looked.waited else set[str]()
        for turn in reversed(range(MAX_TURNS)):
            await self.view.catch_up()
            seen = self._see(subject)
            is_last = turn == 0 or time.monotonic() >= ends
            if not (is_last or looked.platforms.issuperset(seen.asked)):
                wanted = looked.platforms.union(seen.asked)
                looked = await self._look(subject, wanted, ends)
                waited |= {REGISTRY} if looked.waited else set()
                continue
            memory = Memory(self.specs, self.view.index, self.tags)
            found = reading.read(looked, subject.images, seen.asked, memory)
            if is_last or not found.cold:
                break
            waited.add(EVALUATION)
            await self._warm_all(found, ends)
        finding = await self._finding(subject, seen, (looked, found), ends)
        if waited:
            finding = replace(finding, waited_for=tuple(sorted(waited)))
        if subject.others:
            others = reading.read(looked, subject.others, seen.asked, memory).images
            finding = replace(finding, others=tuple(others))
        stands, unseen = found.stands, found.unseen
        return Gathered(finding, stands, seen.found, seen.platforms, unseen)

    def _see(self, subject: Subject) -> _Seen:
        found = self.view.nodes.find(
            subject.pod.placement, self.options, is_running=subject.is_running
        )
        return _Seen(found, self.view.platforms(found.eventual))

    async def _look(
        self, subject: Subject, platforms: frozenset[Platform], ends: float
    ) -> Looked:
        """What the registries say; of images that are only reported, if soon."""
        left = ends - time.monotonic()
        wanted = dict.fromkeys(subject.images, left)
        wanted |= dict.fromkeys(subject.others, min(left, OTHERS_SECONDS))
        outcomes: dict[str, ImageOutcome] = dict.fromkeys(wanted, TOO_MANY)
        finds: dict[str, Coroutine[Any, Any, ImageOutcome]] = {}
        for image, seconds in islice(wanted.items(), MAX_IMAGES):
            known = self.artifacts.at_hand(image, platforms, subject.puller)
            if known is not None:
                outcomes[image] = known
            else:
                finds[image] = self.artifacts.find(
                    image, platforms, deadline_seconds=seconds, puller=subject.puller
                )
        found = await asyncio.gather(*finds.values()) if finds else ()
        outcomes.update(zip(finds, found, strict=True))
        return Looked(platforms, outcomes, waited=bool(finds))

    # New specs ----------------------------------------------------------------

    async def _warm_all(self, found: Reading, ends: float) -> None:
        """Finds out what is not at hand, as far as that can be done in time."""
        works = {
            self._name(digest): partial(self._warm, one)
            for digest, one in found.cold.items()
        }
        for _ in range(await self.worker.do(works, ends - time.monotonic())):
            timing.refused(self.metrics)

    async def warm(self, digest: str, seconds: float) -> None:
        """Judges a spec that was read before on all nodes, if it is still known.

        Raises:
            Exception: as `Worker.do`.
        """
        spec = self.specs.known(digest)
        if isinstance(spec, Spec):
            work = partial(self._warm_again, digest, spec)
            await self.worker.do({self._name(digest): work}, seconds)

    def _name(self, digest: str) -> str:
        """Of a piece of work: other tags or another index are another one."""
        return f"{digest} {id(self.view.index)} {self.tags}"

    async def _warm(self, found: Found) -> None:
        """Reads a spec and judges it on all nodes, off the event loop."""
        digest = found.spec_digest
        with timing.evaluation(self.metrics) as one:
            spec = self.specs.known(digest)
            if spec is None:
                read = partial(specs.read, found.content)
                spec = await self.worker.run(partial(one.timed, read))
                self.specs.keep(digest, spec)
            if isinstance(spec, SpecError):
                one.ended(spec)
            else:
                await self._judge(digest, spec, one)

    async def _warm_again(self, digest: str, spec: Spec) -> None:
        with timing.evaluation(self.metrics) as one:
            await self._judge(digest, spec, one)

    async def _judge(self, digest: str, spec: Spec, one: Evaluation) -> None:
        index = self.view.index
        first = index.begin(digest, spec, self.tags)
        found = await self.worker.run(partial(one.timed, first.run))
        index.accept(first)
        one.ended(found)

    # The finding --------------------------------------------------------------

    async def _finding(
        self, subject: Subject, seen: _Seen, read: tuple[Looked, Reading], ends: float
    ) -> PodFinding:
        looked, found = read
        divided = tally(found.stands, seen.platforms)
        finding = PodFinding(
            images=tuple(found.images),
            candidates=seen.found.eventual.bit_count(),
            fits=divided.fits.bit_count(),
            unknown=divided.unknown.bit_count(),
            undescribed=(
                seen.found.eventual & ~self.view.index.census.bits
            ).bit_count(),
            known_nodes=len(self.view.nodes),
            excluded=seen.found.excluded,
            stale_seconds=self.cluster.stale_seconds(),
            scalable=nodes_may_appear(self.policy, self.view.labelled),
            daemon_set=subject.is_daemon_set,
            template_of=subject.template_of,
            left_out=seen.found.left_out,
            in_time=found.in_time and looked.in_time,
        )
        if divided.fits or divided.unknown or not divided.misfits:
            return finding
        why = await self._why(_demands(found), seen, ends)
        return replace(finding, groups=why.groups, closest=why.closest)

    async def _why(self, demands: Demands, seen: _Seen, ends: float) -> Misfit:
        """Why no candidate fits; nothing if that takes too long."""
        given = (demands, seen.platforms, seen.found.eventual)
        known = self.explainer.at_hand(*given)
        if known is not None:
            return known
        job = self.explainer.begin(*given)
        if job.is_light:
            found = job.run()
        else:
            try:
                async with asyncio.timeout(max(ends - time.monotonic(), 0)):
                    found = await self.worker.run(job.run)
            except TimeoutError:
                return Misfit()
        self.explainer.accept(job, found)
        return found


def _demands(found: Reading) -> Demands:
    """What is known that the images ask."""
    return [
        {
            platform: stand.asked if isinstance(stand, Judged) else stand
            for platform, stand in image.items()
            if not isinstance(stand, Late)
        }
        for image in found.stands
    ]
