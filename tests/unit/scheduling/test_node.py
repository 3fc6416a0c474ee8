from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.scheduling.node import Node, os_of, platform_of

STABLE = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}
BETA = {"beta.kubernetes.io/os": "windows", "beta.kubernetes.io/arch": "amd64"}


@pytest.mark.parametrize(
    ("expected", "labels"),
    [
        pytest.param(("linux", "arm64"), STABLE, id="stable"),
        pytest.param(("windows", "amd64"), BETA, id="beta-is-a-fallback"),
        pytest.param(("linux", "arm64"), STABLE | BETA, id="stable-goes-first"),
        pytest.param(None, {}, id="unlabelled"),
        pytest.param(None, {"kubernetes.io/os": "linux"}, id="no-arch"),
        pytest.param(None, {"kubernetes.io/arch": "amd64"}, id="no-os"),
        pytest.param(None, STABLE | {"kubernetes.io/os": ""}, id="empty-label"),
    ],
)
def test_the_platform_comes_from_labels(
    expected: tuple[str, str] | None, labels: Mapping[str, str]
) -> None:
    assert expected == platform_of(Node("n", labels))


def test_the_os_alone_may_be_known() -> None:
    assert "linux" == os_of(Node("n", {"kubernetes.io/os": "linux"}))
    assert "" == os_of(Node("n"))
