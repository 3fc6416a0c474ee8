"""Where the server's time goes: samples of its stack, by processor time.

cProfile makes calls dearer than what they do; samples do not. A millisecond of
processor time is one sample; a function's own share is what had it on top.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

SAMPLE_SECONDS: Final = 0.001
SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Costs:
    """Where processor time went.

    Attributes:
        seconds: of the whole process.
        own: line -> the share of samples that had it on top; the largest first.
        within: function -> the share of samples that had it anywhere.
    """

    seconds: float
    own: dict[str, float]
    within: dict[str, float]


def _place(frame: FrameType) -> str:
    code = frame.f_code
    path = Path(code.co_filename)
    return f"{path.parent.name}/{path.name}:{code.co_qualname}"


@dataclass(slots=True)
class Profile:
    """Samples the main thread between `start` and `stop`."""

    own: Counter[str] = field(default_factory=Counter)
    within: Counter[str] = field(default_factory=Counter)
    _spent: float = 0.0
    _samples: int = 0

    def start(self) -> None:
        """Begins to sample."""
        self.own, self.within, self._samples = Counter(), Counter(), 0
        self._spent = time.process_time()
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)

    def stop(self) -> Costs:
        """What was sampled."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        spent = time.process_time() - self._spent
        whole = max(1, self._samples)
        return Costs(
            seconds=spent,
            own={k: v / whole for k, v in self.own.most_common(SHOWN)},
            within={k: v / whole for k, v in self.within.most_common(3 * SHOWN)},
        )

    def _sample(self, number: int, frame: FrameType | None) -> None:
        del number
        self._samples += 1
        if frame is None:
            return
        self.own[f"{_place(frame)}:{frame.f_lineno}"] += 1
        seen: set[str] = set()
        walked: FrameType | None = frame
        while walked is not None:
            seen.add(_place(walked))
            walked = walked.f_back
        self.within.update(seen)
