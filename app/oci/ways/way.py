"""One way to an image: the registry itself, or a mirror of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from app.oci.images.reference import DOCKER_HUB, HUB_API, Reference
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.transport import Request
from app.oci.ways.trust import Material

API: Final = "/v2"


@dataclass(frozen=True, slots=True)
class Way:
    """Where an image can be asked for, and how.

    Attributes:
        scheme: `http` or `https`.
        host: with its port if it has one.
        prefix: of the API there (`/v2`).
        headers: that the operator wants sent to it; never shown.
        query: added to each request (`ns=docker.io`); empty for none.
        can_resolve: it is trusted to say what a tag points to.
        can_pull: it may be asked for content by its digest.
        can_list: it is trusted to say what refers to a digest.
        is_upstream: it is the last one, whose word is final.
        trust: TLS material of this way; `None` for what the settings say of the host.
        connect_seconds: until a connection stands; `None` for the usual.
    """

    scheme: str
    host: str
    prefix: str = API
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: str = ""
    can_resolve: bool = True
    can_pull: bool = True
    can_list: bool = True
    is_upstream: bool = True
    trust: Material | None = None
    connect_seconds: float | None = None

    @property
    def is_verified(self) -> bool:
        """Whether we look at who answers; if not, no credential is sent."""
        return self.trust is None or not self.trust.skip_verify

    @property
    def place(self) -> str:
        """Tells apart what one host serves: where its API is, and whose images.

        One host may stand for many registries. What is known of one of them must say
        nothing of another: a Pod's author may own that.
        """
        return f"{self.scheme}://{self.host}{self.prefix}?{self.query}"

    def named(self, image: Reference) -> Reference:
        """The image as this host knows it: whose credentials, which repository.

        What follows `/v2` in the prefix is a part of the repository's name.
        """
        domain = DOCKER_HUB if self.host == HUB_API else self.host
        is_own = domain in {image.domain.lower(), image.host}
        folder = self.prefix.partition(f"{API}/")[2]
        if is_own and not folder:
            return image
        path = f"{folder}/{image.repository}" if folder else image.repository
        return replace(
            image, domain=image.domain if is_own else domain, repository=path
        )

    def base(self, image: Reference) -> str:
        """What the URLs of an image's manifests and blobs begin with."""
        return f"{self.scheme}://{self.host}{self.prefix}/{image.repository}"

    def policy(self, policy: RegistryPolicy) -> RegistryPolicy:
        """What the operator allows on this way: plain HTTP for it, not for its host."""
        own = policy.of(self.host)
        if own.plain_http == (self.scheme == "http"):
            return policy
        other = replace(own, plain_http=not own.plain_http)
        return replace(policy, hosts={**policy.hosts, self.host: other})

    def marked(self, request: Request) -> Request:
        """A request with what belongs to this host, if it goes there."""
        parts = urlsplit(request.url)
        if (parts.scheme, parts.netloc) != (self.scheme, self.host):
            return request
        ours = {name.lower() for name in request.headers}
        more = {k: v for k, v in self.headers.items() if k.lower() not in ours}
        return replace(
            request,
            headers={**request.headers, **more},
            trust=self.trust,
            connect_seconds=self.connect_seconds,
        )


def upstream(image: Reference, policy: RegistryPolicy) -> Way:
    """The image's own registry, as the settings allow it."""
    scheme = "http" if policy.of(image.host).plain_http else "https"
    return Way(scheme, image.host)
