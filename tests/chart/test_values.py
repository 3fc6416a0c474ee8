"""Values and settings are the same words; nothing is declared in vain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from app.settings import loading, sections
from tests.chart import rendering, schema, values
from tests.chart.rendering import CHART, FILES

DEFAULTS = values.defaults()
SCHEMA = schema.whole(DEFAULTS)


OWN_WORDS = {
    "server": {"host", "port", "statusPort", "maxBodyBytes"},
    "certificates": set[str](),
    "cluster": {"trustedNamespaces", "nodesIgnore"},
    "registry": {
        "dockerConfig",
        "credentialHelpers",
        "credentialProviders",
        "pullSecrets",
        "pullSecrets.namespaces",
        "hosts",
        "mirrors",
        "proxy.credentialsFile",
        "layoutRoot",
    },
    "policy": {
        "mode",
        "namespaceModes",
        "podModes",
        "onNoCandidates",
        "nodesMayAppear",
        "unpublishedFeatures",
        "messages",
        "exemptions",
        "annotate",
    },
}
"""Settings of which the chart has something else to say."""


def fields() -> Iterator[tuple[str, Any]]:
    """Path of each setting -> its default, as YAML has it."""
    whole = sections.Settings()
    for section in schema.SECTIONS:
        model = getattr(whole, section)
        assert isinstance(model, BaseModel)
        for name, field in type(model).model_fields.items():
            yield f"{section}.{field.alias}", _plain(getattr(model, name))


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value if isinstance(value.value, str) else value.name.lower()
        case tuple() | frozenset():
            return [_plain(one) for one in value]
        case BaseModel():
            return {
                field.alias: _plain(getattr(value, name))
                for name, field in type(value).model_fields.items()
            }
        case _:
            return value


FIELDS = dict(fields())


def test_the_sections_are_those_of_the_settings() -> None:
    assert set(schema.SECTIONS) == set(sections.Settings.model_fields)


@pytest.mark.parametrize("path", sorted(FIELDS))
def test_a_setting_is_a_value_with_the_same_default_or_the_charts_own(
    path: str,
) -> None:
    if path in schema.WIRED:
        with pytest.raises(KeyError):
            values.at(path, DEFAULTS)
    else:
        assert FIELDS[path] == values.at(path, DEFAULTS)


def test_a_value_below_a_section_of_the_settings_is_a_setting() -> None:
    declared = {f"{s}.{name}" for s in schema.SECTIONS for name in DEFAULTS[s]}
    assert set() == declared - FIELDS.keys()


def test_what_the_chart_decides_is_a_setting() -> None:
    assert set() == schema.WIRED.keys() - FIELDS.keys()


def loaded(tmp_path: Path, *files: Path, **options: Any) -> sections.Settings:
    """The rendered file, as the webhook reads it."""
    rendered = rendering.objects(*files, **options)
    name = rendering.find_one("Deployment", rendered)["metadata"]["name"]
    file = tmp_path / "settings.yaml"
    file.write_text(rendering.settings(rendered, name))
    return loading.load(file)


def test_default_values_are_default_settings_but_for_what_the_chart_decides(
    tmp_path: Path,
) -> None:
    found = loaded(tmp_path)
    usual = loading.load(None)
    assert usual.policy == found.policy
    assert usual.cluster == found.cluster
    assert usual.server == found.server
    wired = {"mode": sections.CertificateMode.SELF}
    assert usual.certificates.model_copy(update=wired) == found.certificates
    layouts = {"layout_root": Path("/var/lib/imagecompat/layouts")}
    assert usual.registry.model_copy(update=layouts) == found.registry


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_webhook_reads_the_settings_that_both_helms_render(
    file: Path, helm: str, tmp_path: Path
) -> None:
    assert isinstance(loaded(tmp_path, file, helm=helm), sections.Settings)


def test_words_that_yaml_takes_for_booleans_arrive_as_words(
    helm: str, tmp_path: Path
) -> None:
    found = loaded(tmp_path, CHART / "ci" / "words-values.yaml", helm=helm).policy
    said = (found.mode, found.namespace_modes, found.pod_modes, found.nodes_may_appear)
    assert ("off", "off", "off", "no") == said
    assert "no" == found.unpublished_features


def test_values_arrive_as_they_were_written(helm: str, tmp_path: Path) -> None:
    found = loaded(tmp_path, CHART / "ci" / "settings-values.yaml", helm=helm)
    assert ("gpu", "<&>") == found.policy.tags
    assert "yes" == found.policy.nodes_may_appear
    assert 90.5 == found.policy.stale_after_seconds
    assert 16777216 == found.server.max_body_bytes
    assert 31536000 == found.certificates.authority_seconds
    first, second = found.policy.exemptions
    assert "2030-01-31" == str(first.expires)
    assert "2030-01-31 12:00:00+00:00" == str(second.expires)
    assert found.registry.hosts["registry.example:5000"].plain_http


def test_what_tls_says_decides_who_makes_the_certificate(tmp_path: Path) -> None:
    own = loaded(tmp_path)
    assert (None, None) == (own.server.certificate, own.server.private_key)
    for name in ("certmanager-values.yaml", "existing-secret-values.yaml"):
        given = loaded(tmp_path, CHART / "ci" / name)
        assert sections.CertificateMode.FILES is given.certificates.mode
        assert Path("/etc/imagecompat-tls/tls.crt") == given.server.certificate
        assert Path("/etc/imagecompat-tls/tls.key") == given.server.private_key


def test_without_annotations_there_is_no_mutating_configuration_to_trust_us(
    tmp_path: Path,
) -> None:
    found = loaded(tmp_path, sets=("policy.annotate=false",)).certificates
    assert ("imagecompat", "") == (
        found.validating_configuration,
        found.mutating_configuration,
    )


def test_names_follow_the_release_and_its_namespace(tmp_path: Path) -> None:
    found = loaded(tmp_path, release="prod", namespace="compat").certificates
    said = (found.namespace, found.service, found.secret)
    assert ("compat", "prod-imagecompat", "prod-imagecompat-tls") == said
    assert "prod-imagecompat" == found.validating_configuration


USE = re.compile(r"\.Values((?:\.[A-Za-z]\w*)+)")
TEMPLATES = sorted(path for path in (CHART / "templates").rglob("*") if path.is_file())
WHOLE = {
    *schema.SECTIONS,
    "startupProbe",
    "livenessProbe",
    "readinessProbe",
    "webhook.objectSelector",
    "resources",
    "tls.certManager.issuerRef",
}
"""Mappings that a template takes as they are."""


def used() -> set[str]:
    """Paths of values that templates name."""
    text = "\n".join(path.read_text() for path in TEMPLATES)
    return {found[1:] for found in USE.findall(text)}


def declared() -> set[str]:
    """Paths of all values, mappings included."""
    text = (CHART / "values.yaml").read_text()
    return {one.path for one in values.read(text)}


def test_every_value_that_a_template_uses_is_declared() -> None:
    free = set(values.leaves(SCHEMA))
    inside = {one for one in used() if any(one.startswith(f"{f}.") for f in free)}
    assert set() == used() - declared() - inside


def test_every_declared_value_is_used_in_a_template() -> None:
    leaves = set(values.leaves(SCHEMA)) - {"global"}
    names = used()
    unused = {
        leaf
        for leaf in leaves
        if leaf not in names and not any(leaf.startswith(f"{one}.") for one in WHOLE)
    }
    assert set() == unused
    assert WHOLE <= names


def test_every_declared_value_is_in_the_schema_and_the_other_way_round() -> None:
    leaves = set(values.leaves(SCHEMA))
    inner = {f"{path}." for path in leaves}
    known = {p for p in declared() if not any(p.startswith(one) for one in inner)}
    optional = {
        "global",
        "resources.claims",
        *(f"tls.certManager.issuerRef.{one}" for one in ("name", "kind", "group")),
        *(f"webhook.objectSelector.match{one}" for one in ("Labels", "Expressions")),
    }
    assert leaves - optional == known & leaves
    assert all(any(leaf.startswith(f"{p}.") for leaf in leaves) for p in known - leaves)


@pytest.mark.parametrize(
    "one",
    [
        one
        for one in values.read((CHART / "values.yaml").read_text())
        if not isinstance(one.default, dict) or not one.default
    ],
    ids=lambda one: one.path,
)
def test_every_value_is_described_in_one_line(one: values.Value) -> None:
    if one.path.rpartition(".")[0] in values.leaves(SCHEMA):
        return  # an entry of a mapping that is one value
    assert one.comment.endswith((".", ")"))


@pytest.mark.parametrize("section", schema.SECTIONS)
def test_a_setting_is_described_in_the_words_of_the_settings(section: str) -> None:
    """Two descriptions of one thing drift apart; one of them is wrong then."""
    said = {
        one.path: one.comment
        for one in values.read((CHART / "values.yaml").read_text())
    }
    described = {
        path: words
        for path, words in descriptions(type(getattr(sections.Settings(), section)))
        if f"{section}.{path}" not in schema.WIRED
    }
    assert OWN_WORDS[section] == {
        path for path, words in described.items() if said[f"{section}.{path}"] != words
    }


def descriptions(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Path of each setting in a section, at every depth -> what is said of it."""
    for field in model.model_fields.values():
        name = field.alias or ""
        yield name, (field.description or "").replace("\n", " ")
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            for path, words in descriptions(inner):
                yield f"{name}.{path}", words
