"""One installation serves all tests of a run: it takes half a minute to make."""

from __future__ import annotations

import fcntl
import os

import pytest

from tests.image.installation import Installation, install, made
from tests.tools.sandbox import why_not


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What the Dockerfile's builder stage makes; workers of one run share it."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = run / "image"
    with (run / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = folder / "complete"
        if complete.exists():
            return made(folder)
        installed = install(folder)
        complete.touch()
        return installed
