"""What is made from the values is up to date, and refuses what is misspelled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chart import generate, rendering, schema, values

DEFAULTS = values.defaults()
SCHEMA = schema.whole(DEFAULTS)


@pytest.mark.parametrize("name", generate.MADE)
def test_what_is_generated_is_up_to_date(name: str) -> None:
    """`make manifests` writes it again."""
    for path, content in generate.MADE[name]().items():
        assert content.decode() == path.read_text(), path


def test_nothing_lies_beside_the_self_tests_layout() -> None:
    """Helm would put it into the ConfigMap."""
    found = {path for path in generate.SELFTEST.rglob("*") if path.is_file()}
    assert set(generate.of_selftest()) == found


def mappings(node: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Paths of mappings whose keys the schema names."""
    if node.get("properties"):
        yield path
        for key, inner in node["properties"].items():
            yield from mappings(inner, f"{path}.{key}" if path else key)


MAPPINGS = sorted(mappings(SCHEMA))


def test_a_mapping_with_names_takes_no_others() -> None:
    def closed(node: Any) -> Iterator[bool]:
        if isinstance(node, dict):
            if isinstance(node.get("properties"), dict):
                yield node.get("additionalProperties") is False
            for inner in node.values():
                yield from closed(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from closed(inner)

    assert {True} == set(closed(SCHEMA))
    assert {"", "policy", "webhook", "tls.certManager"} <= set(MAPPINGS)


@pytest.mark.parametrize("path", MAPPINGS)
def test_a_misspelled_key_is_refused_by_its_name(path: str) -> None:
    where = f"{path}." if path else ""
    with pytest.raises(rendering.RenderError, match="notAKey"):
        rendering.text(sets=(f"{where}notAKey=1",))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param("polcy.mode=warn", "polcy", id="section"),
        pytest.param("policy.onUnknwon=deny", "onUnknwon", id="setting"),
        pytest.param("webhook.failurePolicy=Maybe", "failurePolicy", id="word"),
        pytest.param("policy.mode=true", "mode", id="boolean that is no word"),
        pytest.param("policy.unpublishedFeatures=true", "unpublished", id="bare yes"),
        pytest.param("server.port=0", "port", id="port"),
        pytest.param("server.drainSeconds=601", "drainSeconds", id="bound"),
        pytest.param("replicaCount=0", "replicaCount", id="no replica"),
        pytest.param("image.digest=sha256:abc", "digest", id="digest"),
        pytest.param("certificates.mode=files", "mode", id="what the chart decides"),
        pytest.param(
            "registry.hosts.r\\.example.plainHtpp=true", "plainHtpp", id="host"
        ),
        pytest.param("policy.exemptions[0].owner=a", "reason", id="exemption"),
    ],
)
def test_a_wrong_value_is_refused(helm: str, said: str, words: str) -> None:
    with pytest.raises(rendering.RenderError, match=words):
        rendering.text(helm=helm, sets=(said,))


SECTIONS = [name for name, one in DEFAULTS.items() if isinstance(one, dict) and one]


@pytest.mark.parametrize("name", SECTIONS)
def test_an_empty_section_is_refused_by_its_name(
    helm: str, name: str, tmp_path: Path
) -> None:
    """All of its keys commented out: YAML's null, which takes the section away."""
    file = tmp_path / "values.yaml"
    file.write_text(f"{name}:\n  # mode: warn\n")
    with pytest.raises(rendering.RenderError, match=f"missing property '{name}'"):
        rendering.text(file, helm=helm)


EMPTY = [
    leaf
    for leaf in values.leaves(SCHEMA)
    if leaf != "global"
    and not leaf.startswith("resources.")
    and values.get(leaf, DEFAULTS) in ({}, [])
]


def test_what_is_empty_may_be_null(helm: str) -> None:
    sets = ("networkPolicy.enabled=true", "dashboard.enabled=true")
    null = tuple(f"{leaf}=null" for leaf in EMPTY)
    assert len(null) > 20
    apis = (rendering.MONITORING,)
    usual = rendering.objects(helm=helm, sets=sets, api_versions=apis)
    found = rendering.objects(helm=helm, sets=(*sets, *null), api_versions=apis)
    assert [one for one in usual if one["kind"] not in {"Deployment", "ConfigMap"}] == [
        one for one in found if one["kind"] not in {"Deployment", "ConfigMap"}
    ]
    assert rendering.pod(usual)["spec"] == rendering.pod(found)["spec"]


def test_the_schema_takes_the_values_own_defaults(helm: str) -> None:
    assert rendering.objects(helm=helm)


def test_the_file_is_a_schema_of_draft_7() -> None:
    content = json.loads((rendering.CHART / "values.schema.json").read_text())
    assert "http://json-schema.org/draft-07/schema#" == content["$schema"]


def test_the_readme_lists_every_value() -> None:
    text = (rendering.CHART / "README.md").read_text()
    leaves = set(values.leaves(SCHEMA)) - {"global"}
    optional = {leaf for leaf in leaves if f"| `{leaf}` |" not in text}
    assert {
        "resources.claims",
        *(f"tls.certManager.issuerRef.{one}" for one in ("name", "kind", "group")),
        *(f"webhook.objectSelector.match{one}" for one in ("Labels", "Expressions")),
    } == optional
