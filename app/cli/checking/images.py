"""What the images of manifests ask for; every image is looked up once.

The port that the checker asks (`ports.Artifacts`), in this order: a spec that was
given for the image (`--spec IMAGE=FILE`), what was looked up before, and the
registries; with `--offline` nobody is asked, and what an image asks is not known.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from app.errors import RegistryError
from app.oci.images import reference
from app.ports import (
    NOBODY,
    Artifacts,
    Found,
    ImageOutcome,
    Platform,
    Puller,
    Resolved,
    Unavailable,
)

LOOKUP_SECONDS: Final = 60.0
"""For one image; a registry that keeps silent is given up before."""

AT_ONCE: Final = 16
"""Images that are looked up at the same time."""

OFFLINE: Final = Unavailable("Offline", "nobody was asked (--offline)")

Progress = Callable[[str, int, int], None]
"""What is done now, how many steps are done, and of how many."""


def canonical(image: str) -> str:
    """The image named without doubt; as written if it is no reference."""
    try:
        return str(reference.parse(image))
    except RegistryError:
        return image


def spec(content: bytes) -> Found:
    """An artifact that carries a spec, as if it were attached."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Found(digest, digest, digest, content)


class Images:
    """Implements `ports.Artifacts`.

    Args:
        source: who is asked; `None` for nobody.
        given: image -> the bytes of its spec, which nobody is asked for.
    """

    def __init__(self, source: Artifacts | None, given: Mapping[str, bytes]) -> None:
        self._source: Final = source
        self._given: Final = {canonical(k): spec(v) for k, v in given.items()}
        self._known: Final[dict[str, tuple[frozenset[Platform], ImageOutcome]]] = {}

    def has_spec(self, image: str) -> bool:
        """Whether a spec was given for an image."""
        return canonical(image) in self._given

    def unused(self, images: Iterable[str]) -> list[str]:
        """The images with a given spec that are none of these, sorted."""
        return sorted(self._given.keys() - set(map(canonical, images)))

    def at_hand(
        self, image: str, platforms: Collection[Platform], puller: Puller = NOBODY
    ) -> ImageOutcome | None:
        """See `ports.Artifacts.at_hand`."""
        del puller
        given = self._given.get(canonical(image)) if self._given else None
        if given is not None:
            return Resolved("", dict.fromkeys(platforms, given))
        if self._source is None:
            return OFFLINE
        known = self._known.get(image)
        if known is None or not known[0].issuperset(platforms):
            return None
        return known[1]

    async def find(
        self,
        image: str,
        platforms: Collection[Platform],
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        """See `ports.Artifacts.find`; nobody's pull secrets are read."""
        found = self.at_hand(image, platforms, puller)
        if found is None:
            assert self._source is not None, "else it would be at hand"  # noqa: S101 - a bug of ours
            before = self._known.get(image)
            # What was asked for before is asked for again, else two workloads on
            # different platforms would each forget what the other one needs.
            wanted = frozenset(platforms).union(before[0] if before else ())
            found = await self._source.find(
                image, wanted, deadline_seconds=deadline_seconds
            )
            self._known[image] = wanted, found
        return found

    async def look_up(
        self, images: Iterable[str], platforms: Collection[Platform], told: Progress
    ) -> None:
        """Looks images up, several at the same time, so that all are at hand."""
        wanted = [one for one in images if self.at_hand(one, platforms) is None]
        turns, done = asyncio.Semaphore(AT_ONCE), 0

        async def one(image: str) -> None:
            nonlocal done
            async with turns:
                told(f"looking up {image}", done, len(wanted))
                await self.find(image, platforms, deadline_seconds=LOOKUP_SECONDS)
                done += 1

        async with asyncio.TaskGroup() as tasks:
            for image in wanted:
                tasks.create_task(one(image))
