"""NFD and we answer generated cases alike.

`IMAGECOMPAT_SEED` repeats a run, `IMAGECOMPAT_CASES` sets its size.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.conformance import live
from tests.tools.build import ToolError, find


@pytest.fixture(scope="module")
def oracle() -> Path:
    try:
        return find("nfd-oracle")
    except ToolError as error:
        pytest.skip(f"no NFD: {error}")


def test_nfd_and_we_answer_alike(oracle: Path) -> None:
    seed = int(
        os.environ.get("IMAGECOMPAT_SEED") or random.SystemRandom().getrandbits(32)
    )
    count = int(os.environ.get("IMAGECOMPAT_CASES") or 2000)
    print(f"IMAGECOMPAT_SEED={seed} IMAGECOMPAT_CASES={count}")
    tally = live.run(count, seed, oracle)
    live.report(tally)
    assert [] == [difference for _, difference in tally.differences]
    assert [] == live.gaps(tally)
