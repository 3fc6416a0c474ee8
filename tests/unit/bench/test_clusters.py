"""Both sides of a comparison judge the same cluster, the same on every run."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.compat import parse
from app.compat.limits import LIMITS
from bench import bounds, clusters, specs

BUILDERS = [
    pytest.param(clusters.pools, id="pools"),
    pytest.param(clusters.unique, id="unique"),
]
Builder = Callable[[int], Iterator[bytes]]


@pytest.mark.parametrize("build", BUILDERS)
def test_a_cluster_is_the_same_on_every_run(build: Builder) -> None:
    assert [json.loads(one) for one in build(3)] == [json.loads(o) for o in build(3)]


@pytest.mark.parametrize("build", BUILDERS)
def test_a_node_has_60_kb_of_features_that_tell_its_name(build: Builder) -> None:
    line, _ = build(2)
    one = json.loads(line)
    assert 50_000 < len(line) < 70_000
    assert "node-00000" == one["metadata"]["name"]
    assert {"nfd.node.kubernetes.io/node-name": "node-00000"} == (
        one["metadata"]["labels"]
    )


def test_nodes_of_a_pool_share_all_but_what_differs() -> None:
    """They are 12 nodes apart."""
    known = clusters.decoded(clusters.pools(13))
    one, other = known["node-00000"], known["node-00012"]
    assert one.attributes["kernel.config"] is other.attributes["kernel.config"]
    assert one.flags["kernel.loadedmodule"] != other.flags["kernel.loadedmodule"]


@pytest.mark.parametrize("feature", ["kernel.config", "pci.device", "cpu.cpuid"])
def test_unique_nodes_share_no_large_set(feature: str) -> None:
    known = clusters.decoded(clusters.unique(4)).values()
    sets = [{**one.flags, **one.attributes, **one.instances}[feature] for one in known]
    assert not any(one == other for one in sets for other in sets if one is not other)


def test_what_is_written_to_a_file_is_what_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "nodes"
    known = clusters.written(clusters.unique(2), path)
    assert clusters.decoded(path.read_bytes().splitlines()) == known


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(specs.EXAMPLE, id="example"),
        pytest.param(specs.TEN, id="ten"),
        pytest.param(specs.TEN_WITHOUT_TEMPLATE, id="ten without template"),
        pytest.param(specs.TEN_BY_VERSION, id="ten by version"),
        pytest.param(specs.MANY, id="many"),
        *(pytest.param(text, id=name) for name, text in bounds.texts().items()),
    ],
)
def test_every_spec_that_is_measured_is_let_in(text: bytes) -> None:
    assert parse.read_for_admission(text).compatibilities


def test_ten_rules_are_ten() -> None:
    (one,) = specs.read(specs.TEN).compatibilities
    assert 10 == len(one.rules)
    assert any(rule.vars_template for rule in one.rules)


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        pytest.param("rules", "rules", id="rules"),
        pytest.param("terms", "terms", id="terms"),
        pytest.param("values", "values", id="values"),
    ],
)
def test_the_worst_spec_at_a_bound_is_at_the_bound(name: str, counted: str) -> None:
    spec = specs.read(bounds.texts()[name])
    rules = [rule for one in spec.compatibilities for rule in one.rules]
    terms = [term for rule in rules for term in rule.match_features]
    values = [
        value for term in terms if term.match_name for value in term.match_name.value
    ]
    counts = {"rules": len(rules), "terms": len(terms), "values": len(values)}
    assert getattr(LIMITS, counted) == counts[counted]
