"""The interpreter and its process, tuned for one event loop that must not wait.

What is measured here is in `bench/README.md`: a collection of all garbage takes as
long as there are objects, several hundred milliseconds on a large cluster, and stops
the loop; and a thread that computes keeps the loop waiting for as long as it may.
"""

from __future__ import annotations

import gc
import resource
import sys
from typing import Final

SWITCH_SECONDS: Final = 0.0005
"""How long a thread that computes may keep the event loop waiting; Python's own
default is 5 milliseconds."""

THRESHOLDS: Final = (20_000, 20, 50)
"""New objects until the youngest are looked through, and how many times that until
the older ones are. A review leaves next to nothing in cycles."""


FILES: Final = 4096
"""Descriptors: connections of the API server, of registries, of watches. Many
systems begin with 1,024, and let a process ask for more."""


def tune() -> None:
    """To be called once, after all modules are imported and before serving."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()


def settle() -> None:
    """Lets what is there be: the collector never looks at it again.

    What lives as long as the process, or is in no cycle, as nodes and their features
    are, loses nothing by that: it goes when nobody holds it any more.
    """
    gc.freeze()
