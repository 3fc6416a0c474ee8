"""The laws of `check`: it says what the webhook says, and its table is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.admission.findings import UNSEEN
from app.admission.policy import Mode, NodesMayAppear, Policy
from app.admission.review import Response
from app.checker import Checker, Options
from app.checker.judged import Judged
from app.checker.subject import NotJudged
from app.cli.checking.images import Images
from app.cli.checking.judging import Asked, Judge
from app.cli.checking.manifests import Manifest
from app.cli.nodes.known import KnownNodes
from app.cli.reports.report import Row, Verdict, Workload
from app.compat import explain, matching, outcome, parse
from app.compat.features import Features
from app.compat.outcome import Outcome
from app.ports import Snapshot
from app.scheduling.kinds import KINDS
from app.scheduling.node import Node
from app.telemetry import Metrics
from tests.tools.doubles import ARM, LINUX, FakeCluster

MODULES = ("a", "b")
MODES = {"strict": "enforce", "soft": "warn", "silent": "audit", "off": "off"}
NAMESPACES = {name: {"imagecompat.dev/mode": mode} for name, mode in MODES.items()}

FEATURES = st.none() | st.builds(
    Features,
    flags=st.fixed_dictionaries(
        {"kernel.loadedmodule": st.frozensets(st.sampled_from(MODULES))}
    ),
    attributes=st.fixed_dictionaries(
        {},
        optional={
            "cpu.model": st.fixed_dictionaries({"id": st.sampled_from(("1", "2", "x"))})
        },
    ),
)
LABELS = st.sampled_from((LINUX, LINUX, LINUX, ARM, {}))
CLUSTERS = st.lists(st.tuples(LABELS, st.booleans(), FEATURES), max_size=6)

MODULE = st.sampled_from(MODULES).map(
    lambda name: {
        "feature": "kernel.loadedmodule",
        "matchExpressions": {name: {"op": "Exists"}},
    }
)
MODEL = st.sampled_from((("Gt", "1"), ("In", "2"), ("DoesNotExist", ""))).map(
    lambda one: {
        "feature": "cpu.model",
        "matchExpressions": {
            "id": {"op": one[0], **({"value": [one[1]]} if one[1] else {})}
        },
    }
)
UNPUBLISHED = st.just({"feature": "switched.off", "matchName": {"op": "Exists"}})
TERMS = st.lists(MODULE | MODEL | UNPUBLISHED, min_size=1, max_size=3)
RULES = st.lists(
    st.builds(
        lambda name, terms: {"name": name, "matchFeatures": terms},
        st.sampled_from(("r", "s")),
        TERMS,
    ),
    min_size=1,
    max_size=2,
)
SETS = st.lists(
    st.builds(
        lambda tag, weight, rules: {"tag": tag, "weight": weight, "rules": rules},
        st.sampled_from(("", "fast", "slow")),
        st.integers(0, 3),
        RULES,
    ),
    min_size=1,
    max_size=3,
)
SPECS = SETS.map(
    lambda sets: msgspec.json.encode({"version": "v1alpha1", "compatibilities": sets})
) | st.just(b"no spec at all: [")

WORKLOADS = st.builds(
    lambda kind, namespace, images, selector: (kind, namespace, images, selector),
    st.sampled_from(sorted(KINDS)),
    st.sampled_from((*NAMESPACES, "default")),
    st.lists(st.sampled_from(("one", "two", "three")), min_size=1, max_size=3),
    st.sampled_from(({}, {}, {"pool": "x"}, {"kubernetes.io/arch": "amd64"})),
)
POLICIES = st.builds(
    Policy,
    mode=st.sampled_from(list(Mode)),
    nodes_may_appear=st.sampled_from(list(NodesMayAppear)),
)
TAGS = st.sampled_from(((), (), ("fast",), ("none",)))


def manifest(kind: str, namespace: str, images: list[str], selector: object) -> Asked:
    containers = [{"name": f"c{n}", "image": one} for n, one in enumerate(images)]
    pod = {"spec": {"containers": containers, "nodeSelector": selector}}
    found = KINDS[kind]
    obj: object = pod
    for key in reversed(found.template):
        obj = {key: obj}
    assert isinstance(obj, dict)
    obj |= {"metadata": {"name": "w"}}
    return Asked(Manifest(found, namespace, "w", "", obj))


def known(
    cluster: Sequence[tuple[Mapping[str, str], bool, Features | None]],
) -> Snapshot:
    nodes, features = {}, {}
    for number, (labels, is_in_pool, published) in enumerate(cluster):
        name = f"n{number}"
        pool = {"pool": "x"} if is_in_pool else {}
        nodes[name] = Node(name, {**labels, **pool})
        if published is not None:
            features[name] = published
    return Snapshot(nodes, features)


async def webhook(
    snapshot: Snapshot, artifacts: Images, options: Options, asked: Asked
) -> Response:
    cluster = FakeCluster(
        dict(snapshot.nodes),
        dict(snapshot.features),
        {"default": {}, **NAMESPACES},
    )
    checker = Checker(cluster, artifacts, Metrics(), options)
    async with checker.running():
        review = asked.manifest.review("default")
        return await checker.validate(review, deadline_seconds=60)


async def checked(
    snapshot: Snapshot, artifacts: Images, options: Options, asked: Asked
) -> tuple[Judged | NotJudged, Workload | None]:
    judge = Judge(KnownNodes(snapshot, ""), artifacts, options, namespaces=NAMESPACES)
    async with judge.running():
        judged = await judge.judge(asked)
        if isinstance(judged, NotJudged):
            return judged, None
        return judged, judge.workload(asked, judged)


@settings(deadline=None, max_examples=150)
@given(CLUSTERS, st.lists(SPECS, max_size=3), WORKLOADS, POLICIES, TAGS)
def test_check_says_what_the_webhook_says(
    cluster: list[tuple[Mapping[str, str], bool, Features | None]],
    specs: list[bytes],
    workload: tuple[str, str, list[str], object],
    policy: Policy,
    tags: tuple[str, ...],
) -> None:
    """Code, message and warnings; images without a spec cannot be looked up."""
    images = Images(None, dict(zip(("one", "two", "three"), specs, strict=False)))
    snapshot, asked = known(cluster), manifest(*workload)
    options = Options(policy=policy, tags=tags)
    expected = asyncio.run(webhook(snapshot, images, options, asked))
    judged, found = asyncio.run(checked(snapshot, images, options, asked))
    assert isinstance(judged, Judged)
    assert found is not None
    said = judged.response
    assert (expected.allowed, expected.code, expected.message, expected.warnings) == (
        said.allowed,
        said.code,
        said.message,
        said.warnings,
    )
    assert expected.decision == found.action
    texts = expected.warnings if expected.allowed else expected.message.splitlines()
    assert tuple(texts) == found.texts
    for number, image in enumerate(found.images):
        verdicts = {row.cells[number].verdict for row in found.rows}
        if not UNSEEN.keys().isdisjoint(image.answers):
            assert verdicts <= {Verdict.UNKNOWN}


def one_by_one(
    specs: Mapping[str, bytes], snapshot: Snapshot, image: str, name: str
) -> tuple[Outcome, int | None, set[tuple[str, str, str]] | None]:
    """An image on a node: outcome, score, and what is lacking where that is known."""
    node, features = snapshot.nodes[name], snapshot.features.get(name)
    spec = parse.read_for_admission(specs[image])
    if not node.labels.keys() & LINUX.keys():
        return Outcome.UNKNOWN, None, None
    if features is None:
        return Outcome.UNKNOWN, None, None
    published = {
        feature
        for one in snapshot.features.values()
        for kind in (one.flags, one.attributes, one.instances)
        for feature in kind
    }
    results = matching.judge(spec, features)
    decided = outcome.decide(results, published=published)
    lacking = None
    if decided.outcome is Outcome.DOES_NOT_FIT:
        nearest = explain.closest(explain.explain(results, features))
        assert nearest is not None
        lacking = {
            (
                one.need.rule,
                f"{one.need.feature} {one.need.name}".rstrip(),
                one.need.want,
            )
            for one in nearest.unmet
        }
    return decided.outcome, decided.score, lacking


def row_of(rows: Sequence[Row], name: str) -> Row:
    (row,) = (row for row in rows if name in row.nodes)
    return row


@settings(deadline=None, max_examples=150)
@given(
    CLUSTERS,
    st.lists(SPECS.filter(lambda one: one[:1] == b"{"), min_size=2, max_size=2),
    st.sampled_from((["one"], ["two", "one"])),
)
def test_every_node_of_the_table_has_the_answer_of_judging_it_alone(
    cluster: list[tuple[Mapping[str, str], bool, Features | None]],
    specs: list[bytes],
    names: list[str],
) -> None:
    given_specs = dict(zip(("one", "two"), specs, strict=True))
    snapshot = known(cluster)
    asked = manifest("Pod", "default", names, {})
    _, found = asyncio.run(
        checked(snapshot, Images(None, given_specs), Options(), asked)
    )
    assert found is not None
    assert sorted(snapshot.nodes) == sorted(n for row in found.rows for n in row.nodes)
    for name in snapshot.nodes:
        row = row_of(found.rows, name)
        answers = [one_by_one(given_specs, snapshot, image, name) for image in names]
        whole = outcome.all_of(one for one, _, _ in answers)
        assert whole.value == row.verdict.value
        for (expected, score, lacking), cell in zip(answers, row.cells, strict=True):
            assert (expected.value, score) == (cell.verdict.value, cell.score)
            if lacking is not None:
                assert lacking == {(r.rule, r.what, r.want) for r in cell.reasons}
            assert bool(cell.reasons) == (expected is not Outcome.FITS)
        if row.verdict is Verdict.FITS:
            assert sum(s for _, s, _ in answers if s is not None) == row.score
