"""What a review needs from outside, and the answers it is given.

`Artifacts` finds the compatibility spec of an image, `PullSecrets` reads what may
open its registry, `Cluster` knows the nodes. `checker` and `oci` ask through these;
`oci`, `kube`, the demo and the tests implement them, and `bootstrap` joins them.
"Could not look" is never "there is none": every outcome is a frozen value, and no
port raises for one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from app.snapshot import Snapshot as Snapshot  # noqa: PLC0414 - exported


class Platform(NamedTuple):
    """What one manifest of an index is for, in Go's words (`linux`, `arm64`).

    A tuple, for it is a key of most that is remembered, and hashed for each image.

    Attributes:
        os: operating system.
        architecture: of the processor.
        variant: of the architecture (`v8`); empty for the one that every node of it
            runs. Nodes do not say theirs; people may.
        os_version: begin of the version of Windows (`10.0.20348`); empty for any.
    """

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        variant = f"/{self.variant}" if self.variant else ""
        version = f":{self.os_version}" if self.os_version else ""
        return f"{self.os}/{self.architecture}{variant}{version}"


class Doubt(StrEnum):
    """What is odd about an artifact that counts nevertheless."""

    FUTURE = "dated in the future"
    """By more than a day: it stays the newest, whatever is attached later."""
    DATES_DIFFER = "listed with another date"
    GONE = "another one is listed, but gone"
    """It may have been newer."""


class Mark(StrEnum):
    """How an answer was come by, where that is worth telling."""

    NONE = ""
    """Asked for just now; or found, and within the time for which it holds."""
    REMEMBERED = "remembered"
    """A "no" from memory: by now another answer might be had."""
    STALE = "stale"
    """Its time is over, but the registry cannot be asked now."""


@dataclass(frozen=True, slots=True)
class Found:
    """The artifact that counts.

    Attributes:
        digest: digest of the artifact's manifest.
        subject: digest of the manifest or index that it is attached to.
        spec_digest: digest of the spec's bytes; the same digest, the same spec.
        content: the spec's bytes as the author wrote them (YAML or JSON).
        created: `org.opencontainers.image.created` as written, `None` if undated.
        doubts: what is odd about it.
        mark: how it was come by, as in all that follow; two that differ by it alone
            are equal.
    """

    digest: str
    subject: str
    spec_digest: str
    content: bytes
    created: str | None = None
    doubts: tuple[Doubt, ...] = ()
    mark: Mark = field(default=Mark.NONE, compare=False)


@dataclass(frozen=True, slots=True)
class Missing:
    """We looked, and nothing is attached."""

    mark: Mark = field(default=Mark.NONE, compare=False)


@dataclass(frozen=True, slots=True)
class PlatformAbsent:
    """The index has no manifest for this platform: it cannot run there.

    Attributes:
        has_spec: whether the image carries any spec at all, on the index or on
            another platform. Without one the image asks for nothing.
    """

    has_spec: bool
    mark: Mark = field(default=Mark.NONE, compare=False)


@dataclass(frozen=True, slots=True)
class Invalid:
    """Something is attached that breaks the rules: the author's fault.

    Attributes:
        reason: one stable CamelCase word (`DigestMismatch`, `TooLarge`, ...).
        detail: what was wanted and got, for a person; never a body's text.
    """

    reason: str
    detail: str
    mark: Mark = field(default=Mark.NONE, compare=False)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """We could not look: network, registry fault, limit, or no time left.

    Attributes:
        reason: one stable CamelCase word (`Timeout`, `ServerError`, ...).
        detail: for a person; names the registry's host, never a body's text.
    """

    reason: str
    detail: str
    mark: Mark = field(default=Mark.NONE, compare=False)


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """No credential of ours, nor none at all, is accepted."""

    detail: str
    mark: Mark = field(default=Mark.NONE, compare=False)


@dataclass(frozen=True, slots=True)
class ImageNotFound:
    """The registry answered, and knows no such image."""

    detail: str
    mark: Mark = field(default=Mark.NONE, compare=False)


PlatformOutcome: TypeAlias = (
    Found | Missing | PlatformAbsent | Invalid | Unavailable | Unauthorized
)
"""What is known of one platform of an image."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The image was found; what it carries, platform by platform.

    Attributes:
        digest: digest of what the reference names (manifest or index).
        platforms: every platform that was asked for -> its outcome. For an image
            that is a single manifest all outcomes are the same object.
        is_index: whether that is an index.
    """

    digest: str
    platforms: Mapping[Platform, PlatformOutcome] = field(default_factory=dict)
    is_index: bool = False


ImageOutcome: TypeAlias = (
    Resolved | Invalid | Unavailable | Unauthorized | ImageNotFound
)
"""What is known of one image."""


@dataclass(frozen=True, slots=True)
class Puller:
    """Whose pull secrets may open an image's registry.

    Attributes:
        namespace: of the Pod.
        secrets: names in its `imagePullSecrets`, in order; empty names are left out.
        service_account: whose secrets count if the Pod names none; empty where the
            API server has copied them already.
    """

    namespace: str = ""
    secrets: tuple[str, ...] = ()
    service_account: str = ""


NOBODY: Final = Puller()
"""Nobody's secrets: the operator's credentials, else none."""


@dataclass(frozen=True, slots=True)
class PullSecret:
    """A Secret of a namespace.

    Attributes:
        name: of the Secret.
        type: `kubernetes.io/dockerconfigjson`, ...
        data: key -> bytes.
    """

    name: str
    type: str
    data: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class UnreadSecret:
    """One that may well be there, but could not be read: what it opens is not known.

    Attributes:
        name: of the Secret; or of the ServiceAccount that would say which.
        kind: which of both.
        is_late: whether it did not come in time.
    """

    name: str
    kind: Literal["Secret", "ServiceAccount"] = "Secret"
    is_late: bool = False


Pulled: TypeAlias = tuple[PullSecret | UnreadSecret, ...]
"""The secrets of a Pod, in its order."""


class PullSecrets(Protocol):
    """Reads the pull secrets that the admin allowed us to."""

    def at_hand(self, puller: Puller) -> Pulled | None:
        """What `read` would say at once; `None` if it would have to wait."""
        ...

    async def read(self, puller: Puller, *, deadline_seconds: float) -> Pulled:
        """The secrets of a Pod; never raises for one.

        Those that are not there or not allowed are left out; one that could not be
        read, in time or at all, is an `UnreadSecret`.
        """
        ...


class NoPullSecrets:
    """Implements the port: none is allowed."""

    def at_hand(self, puller: Puller) -> Pulled:
        """See `PullSecrets`."""
        del puller
        return ()

    async def read(self, puller: Puller, *, deadline_seconds: float) -> Pulled:
        """See `PullSecrets`."""
        del puller, deadline_seconds
        return ()


class Artifacts(Protocol):
    """Finds the compatibility artifacts of images."""

    def at_hand(
        self, image: str, platforms: Collection[Platform], puller: Puller = NOBODY
    ) -> ImageOutcome | None:
        """What `find` would say at once; `None` if it would have to wait.

        Memory only. Arguments as for `find`.
        """
        ...

    async def find(
        self,
        image: str,
        platforms: Collection[Platform],
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        """Looks for the spec of `image` on each of `platforms`.

        Never raises for an outcome, and returns within `deadline_seconds` (the
        lookup may go on behind it, so that the next caller finds the answer).

        Args:
            image: the reference as a Pod writes it (`nginx:1.27`); one that
                cannot be parsed is `Invalid` with reason `InvalidReference`.
            platforms: of the candidate nodes; at least one.
            deadline_seconds: time left from now.
            puller: whose secrets may open the registry.
        """
        ...


@dataclass(frozen=True, slots=True)
class Namespace:
    """A Namespace: what policies look at."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


class Cluster(Protocol):
    """Knows the nodes, their features and the namespaces."""

    def snapshot(self) -> Snapshot:
        """The newest view; cheap, memory only."""
        ...

    def stale_seconds(self) -> float:
        """How long ago the API server was last heard from, in seconds.

        The largest over all watched resources; infinity before the first sync.
        """
        ...

    async def namespace(
        self, name: str, *, deadline_seconds: float
    ) -> Namespace | None:
        """The Namespace, from memory, else by one GET; `None` if not to be had."""
        ...
