"""Specs against many nodes, and NFD's own evaluator beside.

NFD is measured on the same NodeFeatures, decoded by itself, between our own
repetitions. That both find the same nodes fit is checked each time.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import msgspec

from app.compat import features, matching, parse, status
from app.compat.features import Features
from app.compat.index import LIMITS, Index, Judgement
from app.compat.spec import Spec
from app.demo import images
from app.scheduling.candidates import Options
from app.scheduling.index import NodeIndex
from app.scheduling.placement import Placement
from app.webhook import interpreter
from bench import clusters, nfd, scene, specs, timing
from bench.figure import Figure, Rows
from bench.nfd import Nfd
from bench.timing import Clock, Times, repeat
from tests.tools.build import ToolError

NODES: Final = 5_000
MANY_NODES: Final = 15_000
KEP_2403_MILLISECONDS: Final = 200.0
"""KEP-2403's target for one answer at 10,000 nodes."""

_KEY: Final = "sha256:spec"


def judge_one_node() -> Iterator[Figure]:
    """One recorded host against a spec of the demo, report included."""
    host = resources.files("app.demo") / "data" / "hosts" / "ubuntu2404-metal-h100.json"
    content = host.read_bytes()
    node = features.from_json(msgspec.json.decode(content))
    spec = parse.read(images.spec("cuda-12.4"))
    judged = repeat(
        lambda: status.to_json(status.report(matching.judge(spec, node))), times=200
    )
    decoded = repeat(lambda: msgspec.json.decode(content), times=200)
    yield Figure(
        name="judge_one_node",
        value=judged.median * 1e6,
        unit="microseconds",
        goal=1000.0,
        beside={
            **judged.beside("microseconds"),
            "decoding that node's JSON, microseconds": decoded.median * 1e6,
        },
    )


# First sight --------------------------------------------------------------------


def first_sight_pools() -> Iterator[Figure]:
    """Ten rules, never seen, on nodes of 12 kinds; other shapes beside."""
    name = f"first_sight_pools_{NODES}"
    with _loaded(clusters.pools(NODES)) as (known, peer, note):
        ten = _compared(known, specs.TEN, peer)
        shapes = {
            "two-rule example": _compared(known, specs.EXAMPLE, peer, times=3),
            "no template": _compared(known, specs.TEN_WITHOUT_TEMPLATE, peer, times=3),
            "kernel by version": _compared(known, specs.TEN_BY_VERSION, peer, times=3),
            "eight sets": _compared(known, specs.MANY, peer, times=3),
        }
        for mode in ("failfast", "validator"):
            if peer is not None:
                seconds = peer.seconds(specs.TEN, ten.fits, mode=mode)
                ten.beside[f"NFD {mode}, milliseconds"] = 1000 * seconds
    beside = dict(ten.beside)
    for shape, found in shapes.items():
        beside[f"{shape}, milliseconds"] = 1000 * found.ours.median
    yield Figure(
        name=name,
        value=1000 * ten.ours.median,
        unit="milliseconds",
        goal=5.0,
        beside=beside,
    )
    yield Figure(
        name=f"{name}_speed",
        value=ten.speed,
        unit="times NFD's speed, full",
        goal=100.0,
        better="higher",
        beside={
            shape: found.speed
            for shape, found in shapes.items()
            if found.speed is not None
        },
        note=note,
    )


def first_sight_unique() -> Iterator[Figure]:
    """Ten rules, never seen, on nodes that share nothing."""
    name = f"first_sight_unique_{NODES}"
    with _loaded(clusters.unique(NODES)) as (known, peer, note):
        for text, suffix, goal in (
            (specs.TEN_WITHOUT_TEMPLATE, "without_template", 10.0),
            (specs.TEN, "with_template", 1.0),
            (specs.TEN_BY_VERSION, "with_template_by_version", None),
            (specs.EXAMPLE, "example", None),
        ):
            found = _compared(known, text, peer, times=5 if goal else 3)
            milliseconds = {"milliseconds": 1000 * found.ours.median}
            yield Figure(
                name=f"{name}_{suffix}",
                value=found.speed,
                unit="times NFD's speed, full",
                goal=goal,
                beside={**milliseconds, **found.beside},
                better="higher",
                note=note,
            )


@dataclass(frozen=True, slots=True)
class _Compared:
    """One spec, never seen, here and there.

    Attributes:
        ours: of the index.
        fits: how many nodes fit.
        speed: ours as a multiple of NFD's, full; of medians.
        beside: what else there is to say of it.
    """

    ours: Times
    fits: int
    speed: float | None
    beside: dict[str, float]


def _compared(
    known: Mapping[str, Features], text: bytes, peer: Nfd | None, *, times: int = 7
) -> _Compared:
    spec = specs.read(text)
    parsed = repeat(lambda: specs.read(text), times=5)
    fits = _indexed(known).judge(_KEY, spec).fits.bit_count()
    theirs: list[float] = []

    def turn() -> None:
        if peer is not None:
            theirs.append(peer.seconds(text, fits))

    ours = timing.fresh(
        lambda: _indexed(known),
        partial(_first_sight, spec),
        times=times,
        between=turn,
    )
    beside = {
        **ours.beside("milliseconds"),
        "reading the spec's text, milliseconds": 1000 * parsed.median,
        "nodes that fit": float(fits),
    }
    speed = None
    if theirs:
        speed = statistics.median(theirs) / ours.median
        beside["NFD full, milliseconds"] = 1000 * statistics.median(theirs)
        beside["NFD full, least, milliseconds"] = 1000 * min(theirs)
        beside["NFD full, least, by our least"] = min(theirs) / ours.least
    return _Compared(ours, fits, speed, beside)


def _first_sight(spec: Spec, index: Index) -> None:
    """What the webhook does for a new spec, in one thread; the answer is at hand."""
    job = index.begin(_KEY, spec)
    job.run()
    index.accept(job)
    assert isinstance(index.at_hand(_KEY), Judgement)


def _indexed(known: Mapping[str, Features]) -> Index:
    """An index that has seen all nodes, and no spec."""
    index = Index()
    index.update(known)
    return index


@contextmanager
def _loaded(
    lines: Iterator[bytes],
) -> Iterator[tuple[Mapping[str, Features], Nfd | None, str]]:
    """A cluster here and, if NFD's program can be had, there; else why not."""
    with tempfile.TemporaryDirectory(prefix="imagecompat-bench-") as folder:
        path = Path(folder) / "nodes.jsonl"
        known = clusters.written(lines, path)
        interpreter.tune()  # as the webhook does
        try:
            with nfd.running(path) as peer:
                path.unlink()
                yield known, peer, ""
        except ToolError as error:
            yield known, None, f"not compared with NFD: {error}"


# Specs seen before --------------------------------------------------------------


def verdict_seen_spec() -> Iterator[Figure]:
    """Candidates and their verdict, when Pod shape and spec are known."""
    with _loaded(clusters.pools(MANY_NODES)) as (known, peer, note):
        live = _Live(known)
        clock = Clock()
        gc.collect()
        for _ in range(200):
            live.pods(20)
            clock.time(live.verdict, calls=20)
        verdict = clock.times()
        fits = live.judgement().fits.bit_count()
        theirs = (
            [peer.seconds(specs.TEN, fits) for _ in range(3)]
            if peer is not None
            else []
        )
    beside = {
        **verdict.beside("microseconds"),
        "KEP-2403's target, 10,000 nodes, milliseconds": KEP_2403_MILLISECONDS,
    }
    if theirs:
        beside["NFD full, milliseconds"] = 1000 * statistics.median(theirs)
    yield Figure(
        name=f"verdict_seen_spec_{MANY_NODES}",
        value=verdict.median * 1e6,
        unit="microseconds",
        goal=50.0,
        beside=beside,
        note=note,
    )


def refresh_one_node_changed() -> Iterator[Figure]:
    """One node of many changes: the next verdict of a spec that was known."""
    known = clusters.decoded(clusters.pools(MANY_NODES))
    live = _Live(known)
    names = cycle(sorted(known)[::7])
    clocks = {what: Clock() for what in ("change", "judgement", "lent")}
    for what in ("change", "lent"):
        gc.collect()
        for name in islice(names, 51):
            if what == "lent":
                live.index.begin("another", live.spec)
            changed = {name: _toggled(known[name])}
            clocks[what].time(partial(live.index.change, changed))
            clocks["judgement"].time(live.judgement)
    times = {what: clock.times() for what, clock in clocks.items()}
    yield Figure(
        name=f"refresh_one_node_changed_{MANY_NODES}",
        value=times["judgement"].median * 1e6,
        unit="microseconds",
        beside={
            **times["judgement"].beside("microseconds"),
            "taking in the change, microseconds": times["change"].median * 1e6,
            "taking in a change while a new spec is judged, microseconds": (
                times["lent"].median * 1e6
            ),
        },
    )


class _Live:
    """Both indexes of a cluster, with one spec that was judged before."""

    def __init__(self, known: Mapping[str, Features]) -> None:
        nodes, _ = scene.cluster(len(known))
        self.nodes: Final = NodeIndex()
        self.nodes.update(nodes)
        self.index: Final = Index(number=self._number)
        self.index.update(known)
        self.spec: Final = specs.read(specs.TEN)
        self.index.judge(_KEY, self.spec)
        self._options: Final = Options()
        self._waiting: list[Placement] = []

    def _number(self, name: str) -> int:
        number = self.nodes.number(name)
        assert number is not None
        return number

    def judgement(self) -> Judgement:
        """The spec on all nodes."""
        found = self.index.at_hand(_KEY, calls=LIMITS.calls)
        assert isinstance(found, Judgement)
        return found

    def pods(self, count: int) -> None:
        """So many Pods are waiting to be asked about."""
        self._waiting = [Placement() for _ in range(count)]

    def verdict(self) -> tuple[int, int, int]:
        """How many candidates of a Pod fit, are unknown, and there are."""
        found = self.nodes.find(self._waiting.pop(), self._options).eventual
        judged = self.judgement()
        fits = found & judged.fits
        unknown = found & judged.unknown
        return fits.bit_count(), unknown.bit_count(), found.bit_count()


def _toggled(known: Features) -> Features:
    """The same node after a kernel module and a network device changed."""
    loaded = known.flags.get("kernel.loadedmodule") or frozenset()
    devices = known.instances.get("network.device", ())
    new = {"name": "eth9", "operstate": "up", "speed": "25000"}
    return replace(
        known,
        flags={**known.flags, "kernel.loadedmodule": loaded ^ {"vfio-pci"}},
        instances={**known.instances, "network.device": (*devices, new)},
    )


ROWS: Final[Rows] = {
    "judge_one_node": judge_one_node,
    f"verdict_seen_spec_{MANY_NODES}": verdict_seen_spec,
    f"refresh_one_node_changed_{MANY_NODES}": refresh_one_node_changed,
    f"first_sight_pools_{NODES}": first_sight_pools,
    f"first_sight_unique_{NODES}": first_sight_unique,
}
