"""One question to a registry, with whatever authorization and redirects it takes.

* A credential is sent to the registry that it belongs to and to that registry's
  token server (`authorizing`), never to a host that either of them redirects to.
* Redirects are followed `limits.redirects` times, never from HTTPS to HTTP; the
  transport checks the address of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final
from urllib.parse import urljoin, urlsplit

from app.oci.credentials import NOTHING, Keyring
from app.oci.failure import unauthorized, unavailable
from app.oci.images.reference import Reference
from app.oci.registry.authorizing import PULL, REFUSED, Authorizer
from app.oci.registry.shared import Shared
from app.oci.registry.transport import Answer, Request
from app.oci.ways.towards import keyring_towards, shared_towards
from app.oci.ways.way import Way, upstream

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, before authorization.

    Attributes:
        kind: for the observer.
        method: of HTTP.
        url: absolute.
        accept: media types.
        most_bytes: of the answer's body.
        body: that is sent; empty for none.
        content_type: of that body.
        headers: further ones, as pairs.
    """

    kind: str
    method: str
    url: str
    accept: str
    most_bytes: int = 0
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Exchange:
    """Asks one repository, until a deadline.

    Args:
        shared: what lookups share.
        image: whose repository it is.
        ends: the deadline, on `shared.clock`.
        keyring: of the Pod that wants it.
        actions: on the repository, as a token's scope names them.
        way: where it is asked; `None` for the image's own registry.

    Attributes:
        scheme: `http` or `https`.
        base: what URLs of manifests and blobs begin with.
        image: as the host on this way knows it.
        place: tells apart what one host serves (`Way.place`).
    """

    def __init__(
        self,
        shared: Shared,
        image: Reference,
        *,
        ends: float,
        keyring: Keyring = NOTHING,
        actions: str = PULL,
        way: Way | None = None,
    ) -> None:
        way = way or upstream(image, shared.policy)
        self._shared: Final = shared_towards(shared, way)
        self._ends = ends
        self._query: Final = way.query
        self.scheme: Final = way.scheme
        self.base: Final = way.base(image)
        self.image: Final = way.named(image)
        self.place: Final = way.place
        self._authorizer: Final = Authorizer(
            self._shared,
            self.image,
            keyring_towards(keyring, way),
            ends=ends,
            actions=actions,
            place=self.place,
        )

    def url(self, path: str) -> str:
        """Of something in the repository, with what the way adds to each.

        Args:
            path: that follows `base`; may have a query.
        """
        if not self._query:
            return f"{self.base}/{path}"
        return f"{self.base}/{path}{'&' if '?' in path else '?'}{self._query}"

    async def ask(self, asked: Asked) -> Answer:
        """The answer, which is neither 401, 403 nor a redirect.

        Raises:
            LookupFailedError: no credential is accepted, or no answer comes.
        """
        answer = await self._authorizer.ask(
            partial(self._follow, asked), may_hide=asked.kind == "resolve"
        )
        if answer.status in REFUSED:
            host = self.image.host
            if self._authorizer.has_tried:
                raise unauthorized(f"{host} refused every credential that we have")
            raise unauthorized(f"{host} wants a credential that we do not have")
        return answer

    # Sending --------------------------------------------------------------------

    async def _follow(self, asked: Asked, authorization: str) -> Answer:
        """Sends, and follows redirects; a credential stays with its origin."""
        headers = {"Accept": asked.accept, **dict(asked.headers)}
        if asked.content_type:
            headers["Content-Type"] = asked.content_type
        if authorization:
            headers["Authorization"] = authorization
        request = Request(
            asked.method, asked.url, headers, asked.most_bytes, body=asked.body
        )
        for _ in range(self._shared.limits.redirects + 1):
            answer = await self._shared.sender.send(
                asked.kind,
                request,
                host=self.image.host,
                ends=self._ends,
                place=self.place,
                repository=self.image.repository,
            )
            is_elsewhere = origin(request.url) != origin(asked.url)
            if is_elsewhere and answer.status in REFUSED:
                text = f"{self.image.host} redirects to where we are refused"
                raise unavailable("BadRedirect", text)
            if answer.status not in _REDIRECTS:
                return answer
            request = self._redirected(request, answer)
        text = f"{self.image.host} redirects too often"
        raise unavailable("TooManyRedirects", text)

    def _redirected(self, request: Request, answer: Answer) -> Request:
        host = self.image.host
        try:
            url = urljoin(request.url, answer.headers.get("location", ""))
            new = urlsplit(url)
            same = origin(request.url) == origin(url)
        except ValueError as error:
            text = f"{host} redirects to no address"
            raise unavailable("BadRedirect", text) from error
        plain = new.scheme == "http" and self.scheme == "http"
        if not (new.scheme == "https" or plain):
            raise unavailable("BadRedirect", f"{host} redirects away from HTTPS")
        if not new.hostname or "@" in new.netloc:
            raise unavailable("BadRedirect", f"{host} redirects to no address")
        headers = {
            name: value
            for name, value in request.headers.items()
            if same or name != "Authorization"
        }
        return replace(request, url=url, headers=headers)


def origin(url: str) -> tuple[str, str]:
    """Whom a credential may go to: scheme, and host with port, as they are written."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
