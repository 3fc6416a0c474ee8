"""What a review asks about: the Pod, and which of its images count.

A subject is read from the review alone; a review that asks for nothing we judge
has none, and the reason for that is a word for the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from app.admission.review import Review
from app.ports import NOBODY, Puller
from app.scheduling import kinds, podspec
from app.scheduling.podspec import ImageUse, Owner, PodSpec

_MIRROR: Final = "kubernetes.io/config.mirror"
_NODES: Final = "system:nodes"
_DEFAULT_ACCOUNT: Final = "default"
"""The ServiceAccount of a Pod that names none."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A Pod, or the Pod that a template makes.

    Attributes:
        pod: what it asks for.
        uses: the images that the request adds or changes; in the Pod's order.
        unchanged: the others.
        template_of: `Deployment web` for a template; `None` for a Pod.
        is_running: the Pod has a node already.
        is_daemon_set: the Pod is, or will be, a DaemonSet's.
        annotations: of the Pod itself; empty for a template. Values of any type.
        images: each distinct image that counts -> the containers that use it, in
            order.
        others: the same of images that are only reported.
        exempted: each image that the admin leaves alone -> who answers for that.
        puller: whose pull secrets may open the images' registries.
    """

    pod: PodSpec
    uses: tuple[ImageUse, ...]
    template_of: str | None = None
    is_running: bool = False
    is_daemon_set: bool = False
    annotations: Mapping[str, object] = field(default_factory=dict)
    unchanged: tuple[ImageUse, ...] = ()
    exempted: Mapping[str, str] = field(default_factory=dict)
    puller: Puller = NOBODY

    images: Mapping[str, tuple[str, ...]] = field(init=False)
    others: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        """Sorts containers by image."""
        images, others = _containers(self.uses), _containers(self.unchanged)
        object.__setattr__(self, "images", images)
        left = {name: who for name, who in others.items() if name not in images}
        object.__setattr__(self, "others", left)

    @property
    def owner(self) -> Owner | None:
        """What made the object; `None` for one that a person made."""
        return self.pod.controller

    def without(self, exempted: Mapping[str, str]) -> Subject | NotJudged:
        """The same without images that are exempt.

        Args:
            exempted: image -> who answers for that.
        """
        left = tuple(use for use in self.uses if use.image not in exempted)
        others = tuple(use for use in self.unchanged if use.image not in exempted)
        if not left:
            return NotJudged("exempt", self.owner, exempted)
        return replace(self, uses=left, unchanged=others, exempted=exempted)


@dataclass(frozen=True, slots=True)
class NotJudged:
    """The review asks for nothing that we judge.

    Attributes:
        why: one stable word.
        owner: as for a `Subject`, where that is known.
        exempted: likewise.
    """

    why: str
    owner: Owner | None = None
    exempted: Mapping[str, str] = field(default_factory=dict)


def of(review: Review) -> Subject | NotJudged:
    """The subject of a review; never raises, whatever `object` holds."""
    kind = kinds.KINDS.get(review.kind)
    if kind is None or kind.group != review.group:
        return NotJudged("kind")
    if review.operation not in {"CREATE", "UPDATE"} or review.object is None:
        return NotJudged("operation")
    if _is_mirror(review):
        return NotJudged("mirror")
    pod = podspec.of(kind, review.object)
    if kind.is_template and pod.is_owned:
        return NotJudged("owned", pod.controller)
    is_update = review.operation == "UPDATE" and review.old_object is not None
    old = podspec.of(kind, review.old_object or {}) if is_update else None
    uses = podspec.images_changed(old, pod)
    if not uses:
        return NotJudged("images", pod.controller)
    return Subject(
        pod=pod,
        uses=uses,
        template_of=_template_of(review) if kind.is_template else None,
        is_running=is_update and bool(pod.placement.node_name),
        is_daemon_set=pod.is_daemon_set_pod or review.kind == "DaemonSet",
        annotations={} if kind.is_template else _annotations(review),
        unchanged=tuple(use for use in pod.images if use not in uses) if old else (),
        puller=_puller(review.namespace, pod, is_template=kind.is_template),
    )


def _puller(namespace: str, pod: PodSpec, *, is_template: bool) -> Puller:
    """Whose secrets count, as the kubelet will see it.

    A Pod that names none has got those of its ServiceAccount before any webhook is
    asked (`serviceaccount/admission.go#L167`); for a template nobody has done so yet.
    """
    account = ""
    if is_template and not pod.has_pull_secrets:
        account = pod.service_account or _DEFAULT_ACCOUNT
    if not (pod.pull_secrets or account):
        return NOBODY
    return Puller(namespace, pod.pull_secrets, account)


def _containers(uses: Iterable[ImageUse]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for use in uses:
        found.setdefault(use.image, []).append(use.container)
    return {image: tuple(names) for image, names in found.items()}


def _template_of(review: Review) -> str:
    metadata = (review.object or {}).get("metadata")
    given = metadata.get("name") if isinstance(metadata, Mapping) else None
    name = review.name or (given if isinstance(given, str) else "")
    return f"{review.kind} {name}" if name else review.kind


def _is_mirror(review: Review) -> bool:
    """A static Pod's mirror: denying it stops nothing. Both signs are needed."""
    is_marked = review.kind == "Pod" and _MIRROR in _annotations(review)
    return is_marked and _NODES in review.groups


def _annotations(review: Review) -> Mapping[str, object]:
    metadata = (review.object or {}).get("metadata")
    notes = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return notes if isinstance(notes, Mapping) else {}
