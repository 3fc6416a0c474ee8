"""The law of explanations: what judging every node one by one says of a Pod."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.admission.findings import Closest, Group, Unmet
from app.checker.demand import Asked
from app.checker.explanation import Explainer
from app.compat import explain, matching
from app.compat.features import Features
from app.compat.index import Index
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.scheduling.index import NodeIndex
from app.scheduling.node import Node
from tests.tools.doubles import AMD64, LINUX

NAMES = st.sampled_from(("a", "b"))
VALUES = st.sampled_from(("1", "2", "3", "4"))
NODES = st.builds(
    Features,
    flags=st.fixed_dictionaries({"kernel.loadedmodule": st.frozensets(NAMES)}),
    attributes=st.fixed_dictionaries(
        {"known.to.all": st.just({})},
        optional={"cpu.model": st.dictionaries(NAMES, VALUES)},
    ),
)
EXPRESSIONS = st.builds(
    MatchExpression,
    op=st.sampled_from(("In", "NotIn")),
    value=st.lists(VALUES, min_size=1, max_size=2).map(tuple),
) | st.just(MatchExpression("Exists"))
FLAGS = st.just(MatchExpression("Exists")) | st.just(MatchExpression("DoesNotExist"))
TERM = st.builds(
    FeatureMatcherTerm,
    feature=st.just("cpu.model"),
    match_expressions=st.dictionaries(NAMES, EXPRESSIONS, min_size=1),
) | st.builds(
    FeatureMatcherTerm,
    feature=st.just("kernel.loadedmodule"),
    match_expressions=st.dictionaries(NAMES, FLAGS, min_size=1),
)
LOST = FeatureMatcherTerm(
    "known.to.all", match_expressions={"lost": MatchExpression("Exists")}
)
"""No node has it, so that none fits."""
SPECS = st.lists(
    st.lists(TERM, min_size=1, max_size=3).map(
        lambda terms: Compatibility(
            (GroupRule(name="r", match_features=(*terms, LOST)),)
        )
    ),
    min_size=1,
    max_size=2,
).map(lambda sets: Spec("", tuple(sets)))


def unmet_of(specs: Sequence[Spec], features: Features) -> list[Unmet]:
    """What each image's cheapest set wants and one node does not have."""
    found = []
    for image, spec in enumerate(specs):
        results = matching.judge(spec, features)
        nearest = explain.closest(explain.explain(results, features))
        for one in nearest.unmet if nearest is not None else ():
            what = f"{one.need.feature} {one.need.name}".rstrip()
            found.append(
                Unmet(
                    image,
                    one.need.rule,
                    what,
                    one.need.want,
                    one.found,
                    one.need.is_changeable,
                )
            )
    return found


def one_by_one(
    specs: Sequence[Spec], cluster: Mapping[str, Features]
) -> tuple[dict[frozenset[tuple[object, ...]], list[str]], str]:
    """Groups by what is wanted, and the closest node."""
    lacks = {name: unmet_of(specs, one) for name, one in cluster.items()}
    groups: dict[frozenset[tuple[object, ...]], list[str]] = defaultdict(list)
    for name, unmet in lacks.items():
        groups[frozenset(map(wanted, unmet))].append(name)
    distances = {
        (len(unmet), sum(not one.changeable for one in unmet), name)
        for name, unmet in lacks.items()
    }
    return groups, min(distances)[2]


def wanted(unmet: Unmet) -> tuple[object, ...]:
    return unmet.image, unmet.rule, unmet.feature, unmet.want


def explained(
    specs: Sequence[Spec], cluster: Mapping[str, Features]
) -> tuple[tuple[Group, ...], Closest | None]:
    nodes = NodeIndex()
    nodes.update({name: Node(name, LINUX) for name in cluster})
    index = Index(number=lambda name: nodes.number(name) or 0)
    index.update(cluster)
    demands = [{AMD64: Asked(str(n), spec)} for n, spec in enumerate(specs)]
    for number, spec in enumerate(specs):
        index.judge(str(number), spec)
    job = Explainer(index, nodes).begin(demands, {AMD64: nodes.bits}, nodes.bits)
    found = job.run()
    return found.groups, found.closest


def found_on(unmet: Unmet, nodes: Iterable[list[Unmet]]) -> str:
    """What nodes have instead, as a group tells it."""
    found = sorted(
        {one.found for lacks in nodes for one in lacks if wanted(one) == wanted(unmet)}
    )
    return " or ".join(found[:2]) + (" or others" if len(found) > 2 else "")


@settings(deadline=None, max_examples=100)
@given(
    st.lists(NODES, min_size=1, max_size=6),
    st.lists(SPECS, min_size=1, max_size=2),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_groups_and_the_closest_node_are_what_judging_every_node_finds(
    kinds: list[Features], specs: list[Spec], copies: int, random: Random
) -> None:
    names = [f"n{n}-{copy}" for n in range(len(kinds)) for copy in range(copies)]
    random.shuffle(names)
    cluster = {name: kinds[int(name[1])] for name in names}
    groups, closest = explained(specs, cluster)
    expected, nearest = one_by_one(specs, cluster)

    assert closest is not None
    assert nearest == closest.node
    lacks = unmet_of(specs, cluster[nearest])
    assert {wanted(one) for one in lacks} >= {wanted(one) for one in closest.unmet}
    assert len(set(map(wanted, lacks))) == len(closest.unmet) + closest.more

    largest = sorted((-len(those), sorted(those)[:3]) for those in expected.values())
    assert largest[:5] == [(-one.count, list(one.examples)) for one in groups]
    for group in groups:
        ((reasons, those),) = [
            (key, those)
            for key, those in expected.items()
            if sorted(those)[:3] == list(group.examples)
        ]
        assert reasons >= set(map(wanted, group.unmet))
        assert len(reasons) == len(group.unmet) + group.more
        for one in group.unmet:
            nodes = (unmet_of(specs, cluster[name]) for name in those)
            assert found_on(one, nodes) == one.found
