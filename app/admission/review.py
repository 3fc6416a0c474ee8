"""AdmissionReview v1, from bytes to values and back.

Reading decides only what a caller must be told with a 4xx: bytes that are no
AdmissionReview v1 with a uid. Whatever stands in `object` is kept as decoded
JSON, valid or not: at the mutating phase the API server has not validated it. Of
a large one, only what we look at is kept (`large`).

The wire format is `k8s.io/api/admission/v1` (Kubernetes v1.35).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from app.admission import large
from app.errors import ReviewError

T = TypeVar("T")

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"

Object: TypeAlias = Mapping[str, object]
"""A Kubernetes object as decoded JSON; any shape may be wrong."""


@dataclass(frozen=True, slots=True)
class Review:
    """One admission request.

    Attributes:
        uid: to be echoed; never empty.
        kind: `request.kind.kind`, what `object` is (after conversion).
        group: its API group; `""` is the core group.
        resource: `request.resource.resource`, plural and lower case.
        subresource: `""` for the object itself.
        operation: `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
        namespace: `""` for cluster-scoped objects.
        name: `""` where the server has not made one yet.
        username: who asks.
        groups: the groups of who asks.
        dry_run: nothing will be stored.
        object: the new object, or what we look at of it; `None` if absent.
        old_object: the stored object of an UPDATE, likewise.
    """

    uid: str
    kind: str
    resource: str
    operation: str
    group: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    username: str = ""
    groups: tuple[str, ...] = ()
    dry_run: bool = False
    object: Object | None = None
    old_object: Object | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What the API server is told.

    Attributes:
        allowed: whether the request goes on.
        code: HTTP status of a denial, >= 400.
        reason: `Status.reason` of a denial, one CamelCase word.
        message: what the user reads on a denial.
        warnings: one line each.
        audit: audit annotations; keys without a slash.
        patch: JSONPatch operations; empty for none.
    """

    allowed: bool
    code: int = 403
    reason: str = "Forbidden"
    message: str = ""
    warnings: tuple[str, ...] = ()
    audit: Mapping[str, str] = field(default_factory=dict)
    patch: tuple[Mapping[str, object], ...] = ()

    @property
    def decision(self) -> str:
        """What becomes of the request, for counters and logs."""
        if not self.allowed:
            return "deny"
        return "warn" if self.warnings else "allow"


class _Name(msgspec.Struct):
    group: str = ""
    kind: str = ""
    resource: str = ""


class _User(msgspec.Struct):
    username: str = ""
    groups: tuple[str, ...] | None = None


class _Request(msgspec.Struct, Generic[T], rename="camel"):
    uid: str = ""
    kind: _Name = msgspec.field(default_factory=_Name)
    resource: _Name = msgspec.field(default_factory=_Name)
    sub_resource: str = ""
    operation: str = ""
    namespace: str = ""
    name: str = ""
    user_info: _User = msgspec.field(default_factory=_User)
    dry_run: bool | None = None
    object: T | None = None
    old_object: T | None = None


class _Envelope(msgspec.Struct, Generic[T], rename="camel"):
    api_version: str = ""
    kind: str = ""
    request: _Request[T] | None = None


class _Nothing(msgspec.Struct):
    """An object of which nothing is read."""


_WHOLE: Final = msgspec.json.Decoder(_Envelope[dict[str, Any]])
_PARTS: Final = msgspec.json.Decoder(_Envelope[large.Object])
_NO_PART: Final = msgspec.json.Decoder(_Envelope[_Nothing])


def read(body: bytes) -> Review:
    """Reads an AdmissionReview.

    Raises:
        ReviewError: it is none of version v1 with a uid; status 400.
    """
    try:
        if len(body) <= large.MAX_WHOLE_BYTES:
            return _review(_WHOLE.decode(body), _as_it_is)
        return _large(body)
    except msgspec.DecodeError as error:
        text = f"the body is no AdmissionReview: {error}"
        raise ReviewError("MalformedReview", text, status=400) from error
    except (UnicodeDecodeError, RecursionError) as error:
        text = f"the body is no AdmissionReview: {type(error).__name__}"
        raise ReviewError("MalformedReview", text, status=400) from error


def _large(body: bytes) -> Review:
    try:
        envelope = _PARTS.decode(body)
    except msgspec.ValidationError:
        return _review(_NO_PART.decode(body), lambda _: {})
    return _review(envelope, large.read)


def _as_it_is(obj: Object) -> Object:
    return obj


def _review(envelope: _Envelope[T], made: Callable[[T], Object]) -> Review:
    if envelope.kind != KIND or envelope.api_version != API_VERSION:
        got = f"{envelope.api_version!r} {envelope.kind!r}"
        text = f"expected {API_VERSION} {KIND}, got {got[:120]}"
        raise ReviewError("UnsupportedReview", text, status=400)
    request = envelope.request
    if request is None or not request.uid:
        text = "the AdmissionReview has no request with a uid"
        raise ReviewError("MalformedReview", text, status=400)
    obj, old = request.object, request.old_object
    return Review(
        uid=request.uid,
        kind=request.kind.kind,
        group=request.kind.group,
        resource=request.resource.resource,
        operation=request.operation,
        subresource=request.sub_resource,
        namespace=request.namespace,
        name=request.name,
        username=request.user_info.username,
        groups=request.user_info.groups or (),
        dry_run=bool(request.dry_run),
        object=made(obj) if obj is not None else None,
        old_object=made(old) if old is not None else None,
    )


def respond(uid: str, response: Response) -> bytes:
    """The AdmissionReview that answers the request `uid`."""
    answer: dict[str, object] = {"uid": uid, "allowed": response.allowed}
    if not response.allowed:
        answer["status"] = {
            "status": "Failure",
            "code": response.code,
            "reason": response.reason,
            "message": response.message,
        }
    if response.warnings:
        answer["warnings"] = response.warnings
    if response.audit:
        answer["auditAnnotations"] = response.audit
    if response.patch:
        answer["patchType"] = "JSONPatch"
        answer["patch"] = base64.b64encode(msgspec.json.encode(response.patch)).decode()
    return msgspec.json.encode(
        {"apiVersion": API_VERSION, "kind": KIND, "response": answer}
    )
