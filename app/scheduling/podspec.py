"""What an object asks for: images, and the nodes that they may run on.

Reads any workload of `kinds` from decoded JSON, whatever its shape (`manifest`).
The API server refuses an object that could not be read; who asks before may say
so (`PodSpec.unreadable`).

What the values mean is left to `candidates`: an operator that does not exist is
kept as written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal, TypeAlias

import msgspec

from app.scheduling.kinds import KINDS, Kind, group
from app.scheduling.manifest import REQUIRED, Container, Metadata, Reading, Spec
from app.scheduling.placement import (
    DEFAULT_SCHEDULER,
    EVERYTHING,
    NODE_AFFINITY,
    NODE_UNSCHEDULABLE,
    TAINT_TOLERATION,
    Placement,
)

ContainerKind: TypeAlias = Literal[
    "containers", "initContainers", "ephemeralContainers"
]
"""The list of a Pod spec that a container stands in."""

MAX_CONTAINERS: Final = 256
"""Containers of one list that are read: each image may be asked for at a registry.

Images beyond are not judged: that can only keep a denial away."""

MAX_PULL_SECRETS: Final = 32
"""Secrets of one Pod that are read: each may cost a request to the API server.

Without those beyond, images that they open are not judged: that can only keep a denial
away."""

_NO_PLACEMENT: Final = Placement()


class ImageUse(msgspec.Struct, frozen=True, order=True):
    """One container and its image, as written; neither text is empty."""

    container: str
    image: str
    kind: ContainerKind


@dataclass(frozen=True, slots=True, order=True)
class ImageVolume:
    """A volume made of an image: data, which is never executed."""

    volume: str
    reference: str


@dataclass(frozen=True, slots=True)
class Owner:
    """What an object belongs to."""

    kind: str
    name: str
    group: str


class PodSpec(msgspec.Struct, frozen=True):
    """A Pod, or the Pod that a template makes.

    Attributes:
        images: containers, then initContainers, then ephemeralContainers.
        placement: where it may run.
        controller: what made the object itself (for a template: the workload);
            `None` for an object that a person made.
        image_volumes: to be reported, not judged.
        service_account: its name; `""` where the Pod leaves it to the namespace.
        pull_secrets: names in `imagePullSecrets` that are not empty, in order, each
            once; bounded.
        has_pull_secrets: whether that list has any item, also one without a name.
        unreadable: paths of what could not be read, in order; bounded.
        too_large: keys of what was too large to be read, or to be read whole.
    """

    images: tuple[ImageUse, ...] = ()
    placement: Placement = _NO_PLACEMENT
    controller: Owner | None = None
    image_volumes: tuple[ImageVolume, ...] = ()
    service_account: str = ""
    pull_secrets: tuple[str, ...] = ()
    has_pull_secrets: bool = False
    unreadable: tuple[str, ...] = ()
    too_large: frozenset[str] = frozenset()

    @property
    def is_daemon_set_pod(self) -> bool:
        """Whether a DaemonSet, of whatever API group, made this Pod, or may have."""
        if self.controller is None:
            return "ownerReferences" in self.too_large
        return self.controller.kind == "DaemonSet"

    @property
    def is_owned(self) -> bool:
        """Whether a workload of the table made this object."""
        owner = self.controller
        kind = KINDS.get(owner.kind) if owner is not None else None
        return kind is not None and owner is not None and kind.group == owner.group


def of(kind: Kind, obj: Mapping[str, object]) -> PodSpec:
    """Reads an object of `kind`; never raises for its shape."""
    reading = Reading()
    metadata = reading.parts(Metadata, reading.inner(obj, "metadata", ""), "metadata.")
    at, holder = "", obj
    for key in kind.template:
        holder, at = reading.inner(holder, key, at), f"{at}{key}."
    at, holder = f"{at}spec.", reading.inner(holder, "spec", at)
    spec = reading.parts(Spec, holder, at)
    images = tuple(_images(reading, spec, at))
    return PodSpec(
        images=images,
        placement=_placement(spec, reading.too_large),
        controller=_controller(metadata),
        image_volumes=_image_volumes(spec) if spec.volumes else (),
        service_account=spec.service_account_name,
        pull_secrets=_pull_secrets(spec) if spec.image_pull_secrets else (),
        has_pull_secrets=bool(spec.image_pull_secrets)
        or "imagePullSecrets" in reading.too_large,
        unreadable=tuple(reading.unreadable),
        too_large=frozenset(reading.too_large),
    )


def images_changed(old: PodSpec | None, new: PodSpec) -> tuple[ImageUse, ...]:
    """Which images a request adds or changes.

    A container is told by its kind and name; without an old object (CREATE)
    every image is new. Of a list that was not read whole before, none is: nobody
    knows.
    """
    if old is None:
        return new.images
    known, unknown = frozenset(old.images), old.too_large
    return tuple(
        use for use in new.images if use not in known and use.kind not in unknown
    )


def _images(reading: Reading, spec: Spec, at: str) -> Iterator[ImageUse]:
    lists: tuple[tuple[ContainerKind, tuple[Container, ...]], ...] = (
        ("containers", spec.containers),
        ("initContainers", spec.init_containers),
        ("ephemeralContainers", spec.ephemeral_containers),
    )
    for kind, containers in lists:
        if len(containers) > MAX_CONTAINERS:
            reading.too_large.add(kind)
        for index, each in enumerate(containers[:MAX_CONTAINERS]):
            if each.name and each.image:
                yield ImageUse(each.name, each.image, kind)
            else:
                absent = "image" if each.name else "name"
                reading.note(f"{at}{kind}[{index}].{absent}")


def _image_volumes(spec: Spec) -> tuple[ImageVolume, ...]:
    return tuple(
        ImageVolume(each.name, each.image.reference)
        for each in spec.volumes
        if each.image.reference
    )


def _pull_secrets(spec: Spec) -> tuple[str, ...]:
    names = dict.fromkeys(each.name for each in spec.image_pull_secrets if each.name)
    return tuple(islice(names, MAX_PULL_SECRETS))


_FILTERS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "nodeSelector": (NODE_AFFINITY,),
    "affinity": (NODE_AFFINITY,),
    "nodeAffinity": (NODE_AFFINITY,),
    REQUIRED: (NODE_AFFINITY,),
    "nodeSelectorTerms": (NODE_AFFINITY,),
    "tolerations": (NODE_UNSCHEDULABLE, TAINT_TOLERATION),
}
"""Key -> the filters that are left out if it is too large."""


def _placement(spec: Spec, too_large: AbstractSet[str]) -> Placement:
    required = spec.affinity.node_affinity.required
    terms = required.node_selector_terms or () if required is not None else None
    left_out: Iterable[str] = ()
    if too_large:
        left_out = {name for key in too_large for name in _FILTERS_OF.get(key, ())}
    return Placement(
        node_name=spec.node_name,
        node_selector=tuple(sorted(spec.node_selector.items())),
        required_terms=None if "nodeSelectorTerms" in too_large else terms,
        tolerations=EVERYTHING if "tolerations" in too_large else spec.tolerations,
        scheduler_name=spec.scheduler_name or DEFAULT_SCHEDULER,
        os=spec.os.name,
        left_out=tuple(sorted(left_out)),
    )


def _controller(metadata: Metadata) -> Owner | None:
    """The first owner that is marked as the controller, as `GetControllerOf`."""
    for owner in metadata.owner_references:
        if owner.controller:
            return Owner(owner.kind, owner.name, group(owner.api_version))
    return None
