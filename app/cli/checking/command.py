"""The command from what was typed to what is printed.

1. Manifests are read first: what is broken there needs no cluster to be told. A form
   that has no place for the answer is refused before that.
2. Then the nodes, objects of the cluster, and labels of Namespaces.
3. Every image is looked up once, several at the same time.
4. The workloads are judged; with `--what-if` twice.

Nothing is printed before all of it is known.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.checker import Options
from app.checker.gathering import DEFAULT_PLATFORM
from app.checker.subject import NotJudged
from app.cli.checking import (
    changes,
    context,
    explaining,
    runtime_classes,
    typed,
    unasked,
    walks,
    what_if,
)
from app.cli.checking.explaining import Explained
from app.cli.checking.images import Images
from app.cli.checking.judging import (
    DEFAULT_NAMESPACE,
    Asked,
    Judge,
    Outcome,
    images_of,
    left_alone,
    platforms,
)
from app.cli.checking.manifests import Found
from app.cli.checking.typed import Given, Wanted
from app.cli.nodes import finding
from app.cli.nodes.known import KnownNodes, named, on_labels
from app.cli.output import columns, tell_notes, want_colour
from app.cli.progress import Meter
from app.cli.reports import formats
from app.cli.reports.report import Report
from app.cli.reports.verdict import EXIT_CODES, worst
from app.errors import ConfigError
from app.ports import Snapshot
from app.scheduling.node import Node, platform_of

if TYPE_CHECKING:
    from app.cli.checking.live import Named

_IDLE_SECONDS: Final = 30.0
_MAX_KINDS: Final = 8


@dataclass(frozen=True, slots=True)
class Result:
    """What is printed, and the exit status."""

    text: str
    code: int


async def run(wanted: Wanted) -> Result:
    """Does all of it.

    Raises:
        ConfigError: something that was typed or read is wrong.
        ClusterError: the API server cannot be asked.
    """
    form = formats if wanted.what.explain is None else walks
    form.require(wanted.output)
    named = _named(wanted)
    given = Given.read(wanted)
    typed.require_once(wanted, given)
    found = typed.workloads(wanted)
    settings = typed.settings(wanted.reach)
    with Meter(sys.stderr, quiet=wanted.reach.quiet) as told:
        told("reading nodes", 0, 1)
        wanted = replace(wanted, nodes=typed.nodes_from(wanted.nodes, settings))
        known = await finding.find(wanted.nodes)
        notes = list(known.notes)
        namespace = wanted.what.namespace or _namespace(wanted) or DEFAULT_NAMESPACE
        absent: list[str] = []
        if wanted.is_of_cluster:
            told("reading objects", 0, 1)
            absent, more = await _ask(wanted, named, namespace, found)
            notes += more
        notes += runtime_classes.apply(found, absent)
        asked = [Asked(one) for one in found.manifests]
        if given.alone is not None:
            asked = [Asked(typed.standing_for(given.alone), is_image=True)]
        if not asked:
            raise ConfigError("NoWorkload", _none(found))
        options = typed.options(wanted, settings)
        own = unasked.OWN if settings is None else settings.certificates.namespace
        checked = _Check(wanted, found, namespace, options, own, told)
        return await checked.run(asked, given, known, notes)


def _namespace(wanted: Wanted) -> str | None:
    """Of the context, if a cluster is asked."""
    if not wanted.is_of_cluster:
        return None
    from app.cli.installed import asking  # noqa: PLC0415 - slow, not always asked

    nodes = wanted.nodes
    file = nodes.kubeconfig or asking.find_kubeconfig(os.environ)
    return context.namespace(file, nodes.context)


def _named(wanted: Wanted) -> tuple[Named, ...]:
    """The objects that were typed, before anybody is asked for them."""
    if not wanted.objects:
        return ()
    from app.cli.checking import live  # noqa: PLC0415 - slow, not always asked

    return live.parse(wanted.objects)


async def _ask(
    wanted: Wanted, named: Sequence[Named], namespace: str, found: Found
) -> tuple[list[str], list[str]]:
    """Adds objects of the cluster, and of Namespaces their labels.

    Returns:
        RuntimeClasses that are not there, and notes on what was not readable.
    """
    from app.cli.checking import live  # noqa: PLC0415 - slow, not always asked
    from app.cli.installed import asking  # noqa: PLC0415

    async with asking.opened(
        kubeconfig=wanted.nodes.kubeconfig,
        context=wanted.nodes.context,
        idle_seconds=_IDLE_SECONDS,
    ) as api:
        await live.read(api, named, namespace, found)
        what = wanted.what
        if what.every or what.everywhere:
            await live.read_all(api, None if what.everywhere else namespace, found)
        names = [
            one
            for one in live.namespaces_of(found, namespace)
            if one not in found.namespaces
        ]
        labels, notes = await live.read_namespaces(api, names)
        classes = runtime_classes.missing(found)
        absent, more = await live.read_runtime_classes(api, classes, found)
    found.namespaces.update(labels)
    return absent, [*notes, *more]


@dataclass(frozen=True, slots=True)
class _Check:
    """Judges what was found.

    Attributes:
        wanted: what was typed.
        found: manifests, and labels of Namespaces.
        namespace: of workloads that say none.
        options: the webhook's.
        own: the webhook's own namespace.
        told: of progress.
    """

    wanted: Wanted
    found: Found
    namespace: str
    options: Options
    own: str
    told: Meter

    async def run(
        self, asked: Sequence[Asked], given: Given, known: KnownNodes, notes: list[str]
    ) -> Result:
        """Judges on the nodes as they are and, if that is asked, as they would be."""
        other = self._other(known)
        is_placed = typed.holds_everywhere(given, [one.manifest for one in asked])
        pair = known, other or known
        labels = [] if given.is_spec_alone else _on_labels(*pair, is_placed=is_placed)
        if is_placed:
            known, other = typed.placed(known), other and typed.placed(other)
        last, explain = other or known, self.wanted.what.explain
        node = _node(last, explain) if explain is not None else None
        every = platforms(known) | platforms(last) or {DEFAULT_PLATFORM}
        before: Outcome | None = None
        async with self._images(asked, given) as images:
            await images.look_up(images_of(asked), every, self.told)
            if node is not None:
                walked = await self._walked(last, images, asked, node)
                return self._explained(walked)
            if other is not None:
                before = await self._judged(self._judge(known, images), asked)
            after = await self._judged(self._judge(last, images), asked)
        report = Report(
            origin=last.origin,
            known_nodes=len(last.snapshot.nodes),
            workloads=tuple(after.workloads),
            changes=changes.compare(before.workloads, after.workloads)
            if before is not None
            else None,
            notes=_notes(
                [*notes, *last.notes, *labels],
                self.found,
                after,
            ),
        )
        code = EXIT_CODES[report.verdict]
        if before is not None:
            code = changes.exit_code(before.workloads, after.workloads)
        return Result(self._printed(report), code)

    def _other(self, known: KnownNodes) -> KnownNodes | None:
        what = self.wanted.what
        if not what.what_if:
            return None
        return what_if.apply(
            known,
            what.what_if,
            replaces_all=what.what_if_only,
            namespaces=self.wanted.nodes.nfd_namespaces or (),
        )

    @asynccontextmanager
    async def _images(
        self, asked: Sequence[Asked], given: Given
    ) -> AsyncIterator[Images]:
        """What finds the specs of images; opens no way that is not needed."""
        every, known = images_of(asked), Images(None, given.specs)
        for image in known.unused(every):
            text = f"--spec {image}: no workload runs that image"
            raise ConfigError("InvalidOptions", text)
        left = [one for one in every if not known.has_spec(one)]
        if self.wanted.what.offline or not left:
            yield known
            return
        from app.cli.checking import registries  # noqa: PLC0415 - not always asked

        async with registries.opened(
            self.wanted.reach, left, reads_any_folder=given.alone is not None
        ) as source:
            yield Images(source, given.specs)

    def _judge(self, known: KnownNodes, images: Images) -> Judge:
        return Judge(
            known,
            images,
            self.options,
            namespaces=self.found.namespaces,
            namespace=self.namespace,
            own=self.own,
        )

    async def _judged(self, judge: Judge, asked: Sequence[Asked]) -> Outcome:
        async with judge.running():
            return await judge.all(asked, self.told)

    async def _walked(
        self, known: KnownNodes, images: Images, asked: Sequence[Asked], node: Node
    ) -> list[Explained]:
        found: list[Explained] = []
        only = replace(known, snapshot=Snapshot({node.name: node}, {}))
        judge, alone = self._judge(known, images), self._judge(only, images)
        async with judge.running(), alone.running():
            for one in asked:
                walked = await explaining.walk(
                    judge, alone, one, node, self.options.unpublished
                )
                if isinstance(walked, NotJudged):
                    self._tell(left_alone(one, walked))
                else:
                    found.append(walked)
        return found

    def _tell(self, note: str) -> None:
        """A note beside a walk, which has no place for it."""
        if not self.wanted.reach.quiet:
            tell_notes([note])

    def _explained(self, walked: Sequence[Explained]) -> Result:
        code = EXIT_CODES[worst(one.verdict for one in walked)]
        width = columns() if sys.stdout.isatty() else None
        return Result(walks.render(walked, self.wanted.output, width=width), code)

    def _printed(self, report: Report) -> str:
        return formats.render(
            report,
            self.wanted.output,
            width=columns(),
            colour=want_colour(),
            every_node=self.wanted.every_node,
        )


def _node(known: KnownNodes, name: str) -> Node:
    node = known.snapshot.nodes.get(name)
    if node is None:
        text = f"--explain {name}: there is no such node in {known.origin}"
        raise ConfigError("NoSuchNode", text)
    return node


def _on_labels(
    known: KnownNodes, last: KnownNodes, *, is_placed: bool
) -> Sequence[str]:
    """What is not known of labels.

    Args:
        known: the nodes as they are.
        last: and as they would be.
        is_placed: whether specs hold for nodes of whatever platform.
    """
    nodes = {**known.snapshot.nodes, **last.snapshot.nodes}
    inferred = known.inferred | last.inferred
    if not is_placed:
        return [*on_labels(nodes, inferred)]
    without = {name for name, node in nodes.items() if platform_of(node) is None}
    left = {name: node for name, node in nodes.items() if name not in without}
    text = "no taints, and a spec that is given holds for every platform"
    told = [f"labels of {named(without)} are not known: {text}"] if without else []
    return [*told, *on_labels(left, inferred)]


def _notes(notes: Sequence[str], found: Found, outcome: Outcome) -> tuple[str, ...]:
    count = found.others.total()
    others = f"{count} other object{'' if count == 1 else 's'} passed over"
    every = [*notes, *([others] if count else []), *outcome.notes]
    return tuple(dict.fromkeys(every))


def _none(found: Found) -> str:
    """That there is nothing to judge: in CI that is a mistake, and not green."""
    if not found.others:
        return "no workload found: there is no object at all"
    kinds = ", ".join(sorted(found.others)[:_MAX_KINDS])
    return f"no workload found among {found.others.total()} objects ({kinds})"
