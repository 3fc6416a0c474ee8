"""One installation serves all tests: it takes half a minute to make."""

from __future__ import annotations

import pytest

from tests.image.installation import Installation, install
from tests.tools.sandbox import why_not


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What the Dockerfile's builder stage makes."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    return install(tmp_path_factory.mktemp("image"))
