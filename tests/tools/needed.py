"""Programs that a test cannot do without."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.tools.build import ToolError, find

CLUSTER: Final = ("etcd", "kube-apiserver", "kubectl", "helm3", "helm4")
"""For an API server with the chart in it."""


def programs(*names: str) -> list[Path]:
    """Where these are, in this order; skips the test that cannot have one of them."""
    try:
        return [find(name) for name in names]
    except ToolError as error:
        pytest.skip(str(error))
