"""The features of this host: found by us, once imported, and by the real client.

Theirs is the whole process of `nfd export features`, which is how it is used. Both
find the same, else the row fails: a ratio of different work says nothing.
"""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Iterator
from functools import partial
from typing import Final

from app.host import nfd_json
from app.host.discovery import discover
from bench.figure import Figure
from bench.timing import Clock
from tests.tools.build import find

GOAL: Final = 2.0
_TURNS: Final = 31
_MILLI: Final = 1e3


def figures() -> Iterator[Figure]:
    """Discovery, as a share of the whole `nfd export features`."""
    program = [str(find("nfd")), "export", "features"]
    expected = subprocess.run(program, capture_output=True, check=True).stdout
    found = discover().as_read
    if nfd_json.text(found).encode() != expected:
        raise ValueError("nfd and we do not find the same")
    ours, printed, theirs = Clock(), Clock(), Clock()
    gc.collect()
    for _ in range(_TURNS):
        ours.time(discover)
        printed.time(partial(nfd_json.text, found))
        theirs.time(partial(subprocess.run, program, capture_output=True, check=True))
    own, peer = ours.times(), theirs.times()
    yield Figure(
        name="host_discovery",
        value=own.median / peer.median,
        unit="times the whole nfd export features",
        goal=GOAL,
        beside={
            "milliseconds": own.median * _MILLI,
            **own.beside("milliseconds"),
            "milliseconds, printed as JSON": printed.times().median * _MILLI,
            "milliseconds, nfd export features": peer.median * _MILLI,
            "least, milliseconds, nfd export features": peer.least * _MILLI,
        },
    )
