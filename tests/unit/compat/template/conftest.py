"""One node's elements, and the three ways in which a template answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.compat.template import engine
from app.errors import SpecError

NODE: engine.Data = {
    "cpu": {
        "cpuid": [{"Name": "AVX"}, {"Name": "AVX512F"}, {"Name": "SSE4.2"}],
        "model": [
            {"Name": "family", "Value": "6"},
            {"Name": "id", "Value": "143"},
            {"Name": "vendor_id", "Value": "Intel"},
        ],
    },
    "kernel": {
        "version": [
            {"Name": "full", "Value": "5.15.0-1034-aws"},
            {"Name": "major", "Value": "5"},
            {"Name": "minor", "Value": "15"},
        ],
        "loadedmodule": [],
    },
    "pci": {
        "device": [
            {"class": "0300", "vendor": "10de", "device": "2204"},
            {"class": "0200", "vendor": "8086", "sriov_totalvfs": "8"},
        ]
    },
    "a-b": {"": [{"x.y": "<&>\"'", "": "empty", "ü": "é世"}]},
    "empty": {},
}


@pytest.fixture
def answer() -> Callable[[str], str]:
    """Gives the output of a template on the node."""
    return lambda source: engine.parse(source).execute(NODE)


@pytest.fixture
def failure() -> Callable[[str], str]:
    """Gives the text with which a template fails."""

    def run(source: str) -> str:
        parsed = engine.parse(source)
        with pytest.raises(SpecError) as caught:
            parsed.execute(NODE)
        assert caught.value.reason == "TemplateFailed"
        return caught.value.message

    return run


@pytest.fixture
def refusal() -> Callable[[str], str]:
    """Gives the text for what is no template."""

    def run(source: str) -> str:
        with pytest.raises(SpecError) as caught:
            engine.parse(source)
        assert caught.value.reason == "InvalidTemplate"
        return caught.value.message

    return run
