"""Every image is another, with another spec, and memory stays what it was.

Incident 13 of `docs/explanation/incidents.md`: the hour in which memory grows,
compressed into images. There is one replica, so that it sees all of them.

What may be kept, and what each image brings:

* contents as registries gave them: 64 MiB (`app/oci/cache.py`), of 64 KiB each that is
  room for 1,000 images; the outcomes of lookups have the same room, and name the same
  bytes;
* parsed specs: 1,024 (`app/checker/specs.py`), some 25 KiB each;
* answers for all nodes: 256 specs (`app/compat/index.py`).

The first 1,500 images fill all of these. The next 1,100 bring 69 MiB of contents and
27 MiB of parsed specs: if either were kept for ever, the process would be larger by as
much. It may be 20 MiB larger; measured are 9, and 2 for 1,100 more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import pytest

from app.demo.content import Repository
from app.demo.registry import Registry
from tests.tools import background
from tests.tools.helm import Helm
from tests.tools.replica import Replica
from tests.tools.world import Cluster, Release, read

pytestmark = pytest.mark.integration

FIRST: Final = 1500
NEXT: Final = 1100
PORTION: Final = 100
"""Images that the registry holds at a time: its memory is this machine's, too."""
SPEC_BYTES: Final = 64 << 10
VALUES: Final = 250
MOST_GROWN: Final = 20 << 20
MOST_SPECS: Final = 256


@dataclass(frozen=True)
class Alone:
    """A replica that is asked for everything, and the registry."""

    cluster: Cluster
    replica: Replica
    registry: Registry

    def ask(self, first: int, count: int) -> None:
        """Creates a Pod of each of these images, as dry runs; all are admitted."""
        for start in range(first, first + count, PORTION):
            numbers = range(start, start + PORTION)
            self.registry.repositories = {f"many/{n}": repository(n) for n in numbers}
            images = [f"{self.registry.address}/many/{n}:1" for n in numbers]
            with ThreadPoolExecutor(4) as pool:
                assert {""} == set(pool.map(self.cluster.post, images))

    def specs_read(self) -> int:
        """How many the registry has handed out."""
        return self.registry.asked().count("blob")

    def metric(self, name: str) -> int:
        """The value of a metric without labels."""
        text = read(self.replica, "/metrics")
        (found,) = re.findall(rf"^{name} (\S+)$", text, re.MULTILINE)
        return int(float(found))


def repository(number: int) -> Repository:
    """One image, `:1`, with a spec that no other has, and that all nodes fit."""
    values = ", ".join(
        f"image-{number}-is-not-for-kernel-{one}" for one in range(VALUES)
    )
    spec = f"""\
version: v1alpha1
compatibilities:
- rules:
  - name: one of many
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        full: {{op: NotIn, value: [{values}]}}
# """
    made = Repository()
    image = made.image("amd64", f"app-{number}")
    made.tag(image, "1")
    made.attach(
        image, spec.ljust(SPEC_BYTES, "x").encode(), created="2026-03-01T00:00:00Z"
    )
    return made


@pytest.fixture
def alone(cluster: Cluster) -> Iterator[Alone]:
    """One replica with `Fail`: whatever it does not answer is an error."""
    registry = Registry()
    helm = Helm("helm4", cluster.server, cluster.folder / "helm4")
    with (
        background.serving([registry]),
        Release(cluster, helm) as release,
        cluster.kubelet() as kubelet,
    ):
        open_ = {"plainHttp": True, "loopback": True}
        values = {
            "replicaCount": 1,
            "webhook": {"failurePolicy": "Fail", "acceptOutages": True},
            "policy": {"onUnavailable": "deny", "onMissing": "deny"},
            "registry": {"hosts": {registry.address: open_}},
        }
        (replica,) = release.serve(kubelet, values)
        yield Alone(cluster, replica, registry)


def test_memory_does_not_grow_with_the_images_that_were_asked_for(
    alone: Alone,
) -> None:
    alone.ask(0, FIRST)
    before = alone.metric("process_resident_memory_bytes")
    assert MOST_SPECS == alone.metric("imagecompat_specs_remembered")
    alone.ask(FIRST, NEXT)
    after = alone.metric("process_resident_memory_bytes")
    assert MOST_SPECS == alone.metric("imagecompat_specs_remembered")
    assert FIRST + NEXT == alone.specs_read(), "each of them once"
    print(f"\n{before >> 20} MiB after {FIRST} images, {after >> 20} after {NEXT} more")
    assert after - before < MOST_GROWN
    alone.ask(0, PORTION)
    again = alone.specs_read() - FIRST - NEXT
    assert PORTION == again, "the first ones were forgotten for want of room"
