"""A cluster and a registry in memory, by the ports' own contracts."""

import pytest

from tests.tools.doubles import FakeArtifacts, FakeCluster


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def artifacts() -> FakeArtifacts:
    return FakeArtifacts()
