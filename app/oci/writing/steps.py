"""Progress over several images that are worked on at the same time."""

from __future__ import annotations

from typing import Final

from app.oci.writing.store import Progress


class Step:
    """Steps of one image; called before each of them."""

    def __init__(self, steps: Steps, name: str, most: int) -> None:
        self._steps: Final = steps
        self._name: Final = name
        self._most: Final = most
        self._begun = 0

    def __call__(self, what: str) -> None:
        """Says what comes next."""
        if self._begun:
            self._steps.add(1)
        self._begun += 1
        self._steps.tell(f"{self._name}: {what}")

    def end(self) -> None:
        """The image is done, whether or not all steps were taken."""
        left = self._most - max(self._begun - 1, 0)
        self._steps.add(left)
        self._steps.tell(self._name)


class Steps:
    """Steps of all images.

    Args:
        progress: is told.
        total: of steps.
    """

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress: Final = progress
        self._total: Final = total
        self._done = 0

    def of(self, name: str, most: int) -> Step:
        """Those of one image."""
        return Step(self, name, most)

    def add(self, done: int) -> None:
        """So many more are done."""
        self._done += done

    def tell(self, what: str) -> None:
        """Tells how far all are."""
        self._progress(what, self._done, self._total)
