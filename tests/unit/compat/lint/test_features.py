"""The table of features, held against what hosts publish."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.compat.lint import cpuid
from app.compat.lint.features import DOMAINS, FEATURES, Form, Kind, element

HOSTS = sorted((Path(__file__).resolve().parents[3] / "data" / "hosts").glob("*.json"))


def published(path: Path) -> Iterator[tuple[str, Form, str, str | None]]:
    """Feature, form, element and value of everything that a host publishes."""
    document = json.loads(path.read_text())
    for feature, one in document["flags"].items():
        for name in one["elements"]:
            yield feature, Form.FLAG, name, None
    for feature, one in document["attributes"].items():
        for name, value in one["elements"].items():
            yield feature, Form.ATTRIBUTE, name, value
    for feature, one in document["instances"].items():
        for instance in one["elements"]:
            for name, value in instance["attributes"].items():
                yield feature, Form.INSTANCE, name, value


@pytest.mark.parametrize("host", HOSTS, ids=lambda path: path.stem)
def test_everything_that_a_host_publishes_is_known(host: Path) -> None:
    for feature, form, name, value in published(host):
        known = element(feature, name)
        assert known is not None, (feature, name)
        assert form is FEATURES[feature].form or name == "AVX10_VERSION"
        if value is not None and known.values:
            assert value in known.values, (feature, name)
        if value is not None and known.kind is Kind.NUMBER:
            assert int(value) >= -1


def test_there_are_hosts() -> None:
    assert len(HOSTS) >= 15


def test_nothing_is_known_of_features_of_others() -> None:
    assert element("vendor.example/x", "y") is None
    assert "vendor" not in DOMAINS


def test_names_that_others_give_flags_lead_to_flags() -> None:
    for name, meant in cpuid.RENAMED.items():
        assert name == name.upper()
        assert meant in cpuid.AMD64 | cpuid.ARM64
        assert name not in cpuid.AMD64 | cpuid.ARM64


def test_a_flag_that_nfd_has_is_not_renamed() -> None:
    for name in cpuid.AMD64 | cpuid.ARM64:
        assert "" == cpuid.renamed(name)
