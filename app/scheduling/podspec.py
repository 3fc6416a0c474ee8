"""What an object asks for: images, and the nodes that they may run on.

Reads any workload of `kinds` from decoded JSON. Before the API server has
validated an object (the mutating phase, a file) any shape may be wrong, so
reading never fails: a part of a wrong type counts as absent, null as in Go, and
its path is kept in `PodSpec.unreadable`. The API server refuses such an object
later; who asks before may say so.

What the values mean is left to `candidates`: an operator that does not exist is
kept as written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from app.scheduling.kinds import KINDS, Kind, group
from app.scheduling.selector import Requirement
from app.scheduling.taints import Toleration

ContainerKind: TypeAlias = Literal[
    "containers", "initContainers", "ephemeralContainers"
]
"""The list of a Pod spec that a container stands in."""

DEFAULT_SCHEDULER: Final = "default-scheduler"

MAX_UNREADABLE: Final = 16
"""How many paths are kept; one is enough to refuse an object."""

_CONTAINER_KINDS: Final[tuple[ContainerKind, ...]] = get_args(ContainerKind)


@dataclass(frozen=True, slots=True, order=True)
class ImageUse:
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


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """A term of the required node affinity; all of it must hold.

    A term without any requirement holds on no node.
    """

    match_expressions: tuple[Requirement, ...] = ()
    match_fields: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a Pod may run: all that candidates depend on. Hashable.

    Attributes:
        node_name: `""` where the scheduler shall choose.
        node_selector: key and value of each wanted label, sorted.
        required_terms: alternatives; `None` without a required node affinity,
            which is not the same as none at all: that one holds on no node.
        tolerations: in order.
        scheduler_name: never empty.
        os: `spec.os.name`; `""` if not given.
    """

    node_name: str = ""
    node_selector: tuple[tuple[str, str], ...] = ()
    required_terms: tuple[NodeTerm, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    scheduler_name: str = DEFAULT_SCHEDULER
    os: str = ""


@dataclass(frozen=True, slots=True)
class PodSpec:
    """A Pod, or the Pod that a template makes.

    Attributes:
        images: containers, then initContainers, then ephemeralContainers.
        placement: where it may run.
        controller: what made the object itself (for a template: the workload);
            `None` for an object that a person made.
        image_volumes: to be reported, not judged.
        service_account: its name; `""` where the Pod leaves it to the namespace.
        unreadable: paths of what could not be read, in order; bounded.
    """

    images: tuple[ImageUse, ...] = ()
    placement: Placement = Placement()
    controller: Owner | None = None
    image_volumes: tuple[ImageVolume, ...] = ()
    service_account: str = ""
    unreadable: tuple[str, ...] = ()

    @property
    def is_daemon_set_pod(self) -> bool:
        """Whether a DaemonSet, of whatever API group, made this Pod."""
        return self.controller is not None and self.controller.kind == "DaemonSet"

    @property
    def is_owned(self) -> bool:
        """Whether a workload of the table made this object."""
        owner = self.controller
        kind = KINDS.get(owner.kind) if owner is not None else None
        return kind is not None and owner is not None and kind.group == owner.group


def of(kind: Kind, obj: Mapping[str, object]) -> PodSpec:
    """Reads an object of `kind`; never raises for its shape."""
    reader = _Reader()
    metadata = reader.mapping(obj, "metadata", "")
    at, holder = "", obj
    for key in kind.template:
        holder, at = reader.mapping(holder, key, at), f"{at}{key}."
    spec, at = reader.mapping(holder, "spec", at), f"{at}spec."
    return PodSpec(
        images=tuple(_images(reader, spec, at)),
        placement=_placement(reader, spec, at),
        controller=_controller(reader, metadata),
        image_volumes=tuple(_image_volumes(reader, spec, at)),
        service_account=reader.text(spec, "serviceAccountName", at),
        unreadable=tuple(reader.unreadable),
    )


def images_changed(old: PodSpec | None, new: PodSpec) -> tuple[ImageUse, ...]:
    """Which images a request adds or changes.

    A container is told by its kind and name; without an old object (CREATE)
    every image is new.
    """
    known = frozenset(old.images) if old is not None else frozenset()
    return tuple(use for use in new.images if use not in known)


# Reading ------------------------------------------------------------------------


class _Reader:
    """Takes parts of JSON by type, and notes the paths where that fails."""

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def note(self, path: str) -> None:
        if len(self.unreadable) < MAX_UNREADABLE:
            self.unreadable.append(path)

    def mapping(
        self, holder: Mapping[str, object], key: str, at: str
    ) -> Mapping[str, object]:
        value = holder.get(key)
        if isinstance(value, Mapping):
            return value
        if value is not None:
            self.note(f"{at}{key}")
        return {}

    def text(self, holder: Mapping[str, object], key: str, at: str) -> str:
        value = holder.get(key)
        if isinstance(value, str):
            return value
        if value is not None:
            self.note(f"{at}{key}")
        return ""

    def sequence(
        self, holder: Mapping[str, object], key: str, at: str
    ) -> Sequence[object]:
        value = holder.get(key)
        if isinstance(value, list | tuple):
            return value
        if value is not None:
            self.note(f"{at}{key}")
        return ()

    def mappings(
        self, holder: Mapping[str, object], key: str, at: str
    ) -> Iterator[tuple[Mapping[str, object], str]]:
        """Each item with the prefix of its path; a null one is an empty mapping."""
        for index, item in enumerate(self.sequence(holder, key, at)):
            path = f"{at}{key}[{index}]"
            if isinstance(item, Mapping):
                yield item, f"{path}."
            else:
                if item is not None:
                    self.note(path)
                yield {}, f"{path}."


def _images(reader: _Reader, spec: Mapping[str, object], at: str) -> Iterator[ImageUse]:
    for kind in _CONTAINER_KINDS:
        for container, path in reader.mappings(spec, kind, at):
            name = reader.text(container, "name", path)
            image = reader.text(container, "image", path)
            if name and image:
                yield ImageUse(name, image, kind)
            else:
                reader.note(path + ("image" if name else "name"))


def _image_volumes(
    reader: _Reader, spec: Mapping[str, object], at: str
) -> Iterator[ImageVolume]:
    for volume, path in reader.mappings(spec, "volumes", at):
        source = reader.mapping(volume, "image", path)
        reference = reader.text(source, "reference", f"{path}image.")
        if reference:
            yield ImageVolume(reader.text(volume, "name", path), reference)


def _placement(reader: _Reader, spec: Mapping[str, object], at: str) -> Placement:
    affinity = reader.mapping(spec, "affinity", at)
    node_affinity = reader.mapping(affinity, "nodeAffinity", f"{at}affinity.")
    return Placement(
        node_name=reader.text(spec, "nodeName", at),
        node_selector=_node_selector(reader, spec, at),
        required_terms=_terms(reader, node_affinity, f"{at}affinity.nodeAffinity."),
        tolerations=tuple(
            Toleration(
                reader.text(item, "key", path),
                reader.text(item, "operator", path),
                reader.text(item, "value", path),
                reader.text(item, "effect", path),
            )
            for item, path in reader.mappings(spec, "tolerations", at)
        ),
        scheduler_name=reader.text(spec, "schedulerName", at) or DEFAULT_SCHEDULER,
        os=reader.text(reader.mapping(spec, "os", at), "name", f"{at}os."),
    )


def _node_selector(
    reader: _Reader, spec: Mapping[str, object], at: str
) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for key, value in reader.mapping(spec, "nodeSelector", at).items():
        if isinstance(value, str):
            pairs.append((key, value))
        elif value is None:
            pairs.append((key, ""))
        else:
            reader.note(f"{at}nodeSelector")
    return tuple(sorted(pairs))


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def _terms(
    reader: _Reader, node_affinity: Mapping[str, object], at: str
) -> tuple[NodeTerm, ...] | None:
    required = node_affinity.get(_REQUIRED)
    if not isinstance(required, Mapping):
        reader.mapping(node_affinity, _REQUIRED, at)
        return None
    return tuple(
        NodeTerm(
            _requirements(reader, term, "matchExpressions", path),
            _requirements(reader, term, "matchFields", path),
        )
        for term, path in reader.mappings(
            required, "nodeSelectorTerms", f"{at}{_REQUIRED}."
        )
    )


def _requirements(
    reader: _Reader, term: Mapping[str, object], key: str, at: str
) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(
            reader.text(item, "key", path),
            reader.text(item, "operator", path),
            tuple(_values(reader, item, path)),
        )
        for item, path in reader.mappings(term, key, at)
    )


def _values(reader: _Reader, item: Mapping[str, object], at: str) -> Iterator[str]:
    for index, value in enumerate(reader.sequence(item, "values", at)):
        if isinstance(value, str):
            yield value
        else:
            if value is not None:
                reader.note(f"{at}values[{index}]")
            yield ""


def _controller(reader: _Reader, metadata: Mapping[str, object]) -> Owner | None:
    """The first owner that is marked as the controller, as `GetControllerOf`."""
    for item, path in reader.mappings(metadata, "ownerReferences", "metadata."):
        if item.get("controller") is True:
            return Owner(
                reader.text(item, "kind", path),
                reader.text(item, "name", path),
                group(reader.text(item, "apiVersion", path)),
            )
    return None
