"""The law of the index: on every node, what one node's evaluator says.

On generated clusters, and after any sequence of changes, against an answer made
from scratch. Feature sets are shared between nodes as the cluster shares them,
and merely equal ones stand beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from app.bits import bits_of, members_of, numbers, union
from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.index import FirstSight, Index, Judgement, Limits, TooCostly
from app.compat.matching import judge
from app.compat.nodes import MAX_ALIKE, Changes
from app.compat.operators import OPERATORS
from app.compat.outcome import Outcome, UnpublishedFeatures, decide
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)

NAMES = st.sampled_from(("a", "b", "c", "1"))
VALUES = st.sampled_from(("", "1", "2", "10", "true", "5.14.0-el9_3", "v1.2", "é"))
KEYS = st.sampled_from(
    ("cpu.cpuid", "pci.device", "kernel.version", "rule.matched", "V.x")
)
FEATURES = KEYS | st.sampled_from(("CPU.cpuid", "no.such", "rule.matched"))

FLAGS = st.none() | st.frozensets(NAMES, max_size=3)
ATTRIBUTES = st.none() | st.dictionaries(NAMES, VALUES, max_size=3)
INSTANCES = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3).map(tuple)
NODES = st.builds(
    Features,
    flags=st.dictionaries(KEYS, FLAGS, max_size=2),
    attributes=st.dictionaries(KEYS, ATTRIBUTES, max_size=3),
    instances=st.dictionaries(KEYS, INSTANCES, max_size=2),
)

EXPRESSIONS = st.builds(
    MatchExpression,
    op=st.sampled_from((*OPERATORS, "Exists", "DoesNotExist", "In", "Bad")),
    value=st.just(())
    | st.lists(VALUES | st.sampled_from(("^1", "(")), max_size=2).map(tuple),
    type=st.sampled_from(("", "", "version", "other")),
)
TERMS = st.lists(
    st.builds(
        FeatureMatcherTerm,
        feature=FEATURES,
        match_expressions=st.none()
        | st.dictionaries(NAMES, st.none() | EXPRESSIONS | EXPRESSIONS, max_size=2),
        match_name=st.none() | EXPRESSIONS,
    ),
    max_size=3,
).map(tuple)
TEMPLATES = (
    *("", "", "", "a=1", "b={{len .}}", "{{", "novalue"),
    "{{range .cpu.cpuid}}{{.Name}}=1\n{{end}}",
    "{{range .pci.device}}b={{.a}}\n{{end}}",
)
RULES = st.builds(
    GroupRule,
    vars=st.dictionaries(NAMES, VALUES, max_size=2),
    vars_template=st.sampled_from(TEMPLATES),
    match_features=TERMS,
    match_any=st.lists(TERMS, max_size=2).map(tuple),
)
SETS = st.builds(
    Compatibility,
    rules=st.lists(RULES, max_size=4).map(tuple),
    tag=st.sampled_from(("", "t")),
)
SPECS = st.builds(Spec, compatibilities=st.lists(SETS, max_size=2).map(tuple))
TAGS = st.sampled_from(((), (), ("t",), ("",), ("no",)))

Cluster = Mapping[str, Features]


def published(cluster: Cluster) -> frozenset[str]:
    return frozenset(
        lower(name)
        for one in cluster.values()
        for kind in (one.flags, one.attributes, one.instances)
        for name in kind
    )


def check(
    index: Index,
    cluster: Cluster,
    key: str,
    spec: Spec,
    tags: tuple[str, ...],
    unpublished: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN,
) -> None:
    """The law, on every node, set and rule."""
    got = index.judge(key, spec, tags)
    check_judgement(index, cluster, got, spec, tags, unpublished)


def check_judgement(
    index: Index,
    cluster: Cluster,
    got: Judgement,
    spec: Spec,
    tags: tuple[str, ...],
    unpublished: UnpublishedFeatures,
) -> None:
    """The law for one answer."""
    assert published(cluster) == index.published
    assert index.generation == got.generation
    assert sorted(cluster) == sorted(index.names(got.nodes))
    for name, features in cluster.items():
        number = index.number(name)
        assert number is not None

        def seen(fits: int, unknown: int, number: int = number) -> Outcome:
            is_fit, is_unknown = fits >> number & 1, unknown >> number & 1
            assert not (is_fit and is_unknown)
            if is_fit:
                return Outcome.FITS
            return Outcome.UNKNOWN if is_unknown else Outcome.DOES_NOT_FIT

        results = judge(spec, features, tags=tags)
        wanted = decide(results, published=index.published, unpublished=unpublished)
        rows = [[one.outcome for one in found.rules] for found in wanted.sets]
        assert rows == [
            [seen(one.fits, one.unknown) for one in found.rules] for found in got.sets
        ]
        assert [found.outcome for found in wanted.sets] == [
            seen(found.fits, found.unknown) for found in got.sets
        ]
        assert wanted.outcome == seen(got.fits, got.unknown)
    assert (got.fits | got.unknown) & ~got.nodes == 0


def copied(features: Features) -> Features:
    """Equal, but nothing in it is the same object."""
    return Features(
        dict(features.flags),
        {name: one and dict(one) for name, one in features.attributes.items()},
        {name: tuple(map(dict, one)) for name, one in features.instances.items()},
    )


@settings(deadline=None, max_examples=200)
@given(
    st.lists(NODES, max_size=4),
    st.lists(SPECS, min_size=1, max_size=2),
    TAGS,
    st.sampled_from(UnpublishedFeatures),
)
def test_the_index_says_of_every_node_what_matching_says(
    kinds: list[Features],
    specs: list[Spec],
    tags: tuple[str, ...],
    unpublished: UnpublishedFeatures,
) -> None:
    cluster = {}
    for position, features in enumerate(kinds):
        cluster[f"n{position}"] = features
        cluster[f"shared{position}"] = features
        cluster[f"parts{position}"] = replace(features)
        cluster[f"equal{position}"] = copied(features)
        mixed = replace(features, attributes=kinds[0].attributes)
        cluster[f"mixed{position}"] = mixed
    index = Index(unpublished=unpublished)
    index.update(cluster)
    for position, spec in enumerate(specs):
        check(index, cluster, str(position), spec, tags, unpublished)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.none() | NODES), max_size=12),
    st.lists(SPECS, min_size=1, max_size=2),
)
def test_the_law_holds_after_every_change(
    changes: list[tuple[int, Features | None]], specs: list[Spec]
) -> None:
    index = Index()
    cluster: dict[str, Features] = {}
    for which, features in changes:
        cluster = dict(cluster)
        if features is None:
            cluster.pop(f"n{which}", None)
        else:
            cluster[f"n{which}"] = features
        index.update(cluster)
        for position, spec in enumerate(specs):
            check(index, cluster, str(position), spec, ())


class Numbers:
    """A caller's numbers: the highest that was freed last is used again first."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def follow(self, names: Collection[str]) -> None:
        """These are all nodes; to be called before the index is told."""
        gone = self.known.keys() - set(names)
        free = sorted(self.known.pop(name) for name in sorted(gone))
        for name in names:
            if name not in self.known:
                taken = self.known.values()
                self.known[name] = free.pop() if free else max(taken, default=3) + 2


class LivingCluster(RuleBasedStateMachine):
    """Nodes come, change, vanish and come back; specs come and are forgotten.

    Some are judged by jobs, which begin, run and are accepted at any time.
    """

    specs = Bundle("specs")
    unpublished = UnpublishedFeatures.UNKNOWN

    def __init__(self) -> None:
        super().__init__()
        self.numbers = Numbers()
        self.index = self.made()
        self.cluster: dict[str, Features] = {}
        self.asked: list[Spec] = []
        self.jobs: list[FirstSight] = []

    def made(self) -> Index:
        return Index(Limits(specs=3), unpublished=self.unpublished)

    def key(self, spec: Spec) -> str:
        if spec not in self.asked:
            self.asked.append(spec)
        return str(self.asked.index(spec))

    @rule(spec=specs, tags=TAGS)
    def begin(self, spec: Spec, tags: tuple[str, ...]) -> None:
        self.jobs.append(self.index.begin(self.key(spec), spec, tags))

    @rule(which=st.integers(0, 5))
    def run(self, which: int) -> None:
        for job in self.jobs[which : which + 1]:
            job.run()

    @rule(which=st.integers(0, 5))
    def accept(self, which: int) -> None:
        for job in self.jobs[which : which + 1]:
            self.index.accept(job)
            self.jobs.remove(job)

    @rule(spec=specs, tags=TAGS, calls=st.sampled_from((0, 1, 5, 50, 10_000)))
    def look(self, spec: Spec, tags: tuple[str, ...], calls: int) -> None:
        before = self.index.calls
        got = self.index.at_hand(self.key(spec), tags, calls=calls)
        assert not isinstance(got, TooCostly)
        assert self.index.calls - before <= calls
        if got is not None:
            check_judgement(self.index, self.cluster, got, spec, tags, self.unpublished)
            assert got is self.index.at_hand(self.key(spec), tags)

    @initialize(target=specs, some=st.lists(SPECS, min_size=2, max_size=5))
    def read_specs(self, some: list[Spec]) -> object:
        return multiple(*some)

    def changed(self, changed: Cluster) -> None:
        differing = {
            name: changed.get(name)
            for name in sorted(self.cluster.keys() | changed)
            if self.cluster.get(name) is not changed.get(name)
        }
        self.cluster = dict(changed)
        self.numbers.follow(self.cluster)
        self.tell(differing)

    def tell(self, _: Mapping[str, Features | None]) -> None:
        self.index.update(self.cluster)

    @rule(which=st.integers(0, 9), features=NODES)
    def put(self, which: int, features: Features) -> None:
        self.changed({**self.cluster, f"n{which}": features})

    @rule(which=st.integers(0, 9), like=st.integers(0, 9), shares=st.booleans())
    def become_like(self, which: int, like: int, *, shares: bool) -> None:
        """A node publishes what another does: the same objects, or equal ones."""
        known = self.cluster.get(f"n{like}")
        if known is not None:
            new = known if shares else copied(known)
            self.changed({**self.cluster, f"n{which}": new})

    @rule(which=st.integers(0, 9), value=VALUES)
    def change_one_feature(self, which: int, value: str) -> None:
        known = self.cluster.get(f"n{which}")
        if known is not None:
            attributes = {**known.attributes, "kernel.version": {"a": value}}
            changed = replace(known, attributes=attributes)
            self.changed({**self.cluster, f"n{which}": changed})

    @rule(which=st.integers(0, 9))
    def remove(self, which: int) -> None:
        left = {n: one for n, one in self.cluster.items() if n != f"n{which}"}
        self.changed(left)

    @rule(which=st.integers(0, 9), as_=st.integers(10, 19))
    def rename(self, which: int, as_: int) -> None:
        """A node comes back under another name, in one update: its number may stay."""
        known = self.cluster.get(f"n{which}")
        if known is not None:
            left = {n: one for n, one in self.cluster.items() if n != f"n{which}"}
            self.changed({**left, f"n{as_}": known})

    @rule(feature=KEYS)
    def nobody_publishes(self, feature: str) -> None:
        def without(kind: Mapping[str, object]) -> dict[str, object]:
            return {name: one for name, one in kind.items() if name != feature}

        self.changed(
            {
                name: Features(
                    without(one.flags),  # type: ignore[arg-type]
                    without(one.attributes),  # type: ignore[arg-type]
                    without(one.instances),  # type: ignore[arg-type]
                )
                for name, one in self.cluster.items()
            }
        )

    @rule(feature=KEYS, flags=FLAGS)
    def somebody_publishes(self, feature: str, flags: frozenset[str] | None) -> None:
        self.changed({**self.cluster, "n0": Features(flags={feature: flags})})

    @rule(spec=specs, tags=TAGS)
    def ask(self, spec: Spec, tags: tuple[str, ...]) -> None:
        key = self.key(spec)
        check(self.index, self.cluster, key, spec, tags, self.unpublished)
        assert len(self.index) <= 3

    @invariant()
    def the_nodes_are_the_clusters(self) -> None:
        census = self.index.census
        assert sorted(self.cluster) == sorted(self.index.names(census.bits))
        assert {
            number: self.cluster[name]
            for name in self.cluster
            if (number := self.index.number(name)) is not None
        } == census.features

    @invariant()
    def what_is_forgotten_takes_nothing(self) -> None:
        assert self.index.size_bytes >= 0
        if not len(self.index):
            assert self.index.size_bytes == 0


LivingCluster.TestCase.settings = settings(
    deadline=None, max_examples=50, stateful_step_count=30
)
test_the_law_holds_in_a_living_cluster = LivingCluster.TestCase


class NumberedCluster(LivingCluster):
    """The same with a caller's numbers, told change by change; unpublished is no."""

    unpublished = UnpublishedFeatures.NO

    def made(self) -> Index:
        return Index(
            Limits(specs=3),
            number=self.numbers.known.__getitem__,
            unpublished=self.unpublished,
        )

    def tell(self, differing: Mapping[str, Features | None]) -> None:
        self.index.change(differing)

    @invariant()
    def the_numbers_are_the_callers(self) -> None:
        assert self.numbers.known == {
            name: self.index.number(name) for name in self.cluster
        }


NumberedCluster.TestCase.settings = LivingCluster.TestCase.settings
test_the_law_holds_under_a_callers_numbers = NumberedCluster.TestCase


@settings(deadline=None)
@given(st.frozensets(st.integers(0, 300)))
def test_bits_and_numbers_say_the_same(found: frozenset[int]) -> None:
    bits = bits_of(list(found))
    assert sorted(found) == numbers(bits)
    assert sum(1 << number for number in found) == bits
    assert bits == union(~number for number in found)
    if found:
        assert bits == union([members_of(bits)])


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**20), max_size=200), st.integers(0, 200))
def test_no_change_is_lost(recorded: list[int], seen: int) -> None:
    """What changed since is in the answer; long after, more may be."""
    changes = Changes()
    for generation, bits in enumerate(recorded, start=1):
        changes.record(generation, bits)
    wanted = 0
    for bits in recorded[seen:]:
        wanted |= bits
    since = changes.since(seen)
    assert wanted & ~since == 0
    if len(recorded) - seen <= MAX_ALIKE:
        assert wanted == since
