import base64
import json

import pytest

from app.admission import review
from app.errors import ReviewError


def envelope(**request: object) -> dict[str, object]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "u-1", **request},
    }


def test_a_review_of_the_api_server_is_read_whole() -> None:
    body = json.dumps(
        envelope(
            kind={"group": "g", "version": "v1", "kind": "Pod"},
            resource={"group": "", "version": "v1", "resource": "pods"},
            subResource="ephemeralcontainers",
            operation="UPDATE",
            namespace="ml",
            name="train",
            userInfo={"username": "ada", "groups": ["dev", "system:authenticated"]},
            dryRun=True,
            object={"metadata": {"name": "train"}},
            oldObject={"metadata": {}},
            options={"kind": "UpdateOptions"},
        )
    ).encode()
    assert review.Review(
        uid="u-1",
        kind="Pod",
        group="g",
        resource="pods",
        operation="UPDATE",
        subresource="ephemeralcontainers",
        namespace="ml",
        name="train",
        username="ada",
        groups=("dev", "system:authenticated"),
        dry_run=True,
        object={"metadata": {"name": "train"}},
        old_object={"metadata": {}},
    ) == review.read(body)


def test_what_the_server_leaves_out_is_empty() -> None:
    body = json.dumps(
        envelope(object=None, oldObject=None, userInfo={"groups": None})
    ).encode()
    assert review.Review(uid="u-1", kind="", resource="", operation="") == review.read(
        body
    )


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        pytest.param(b"", "MalformedReview", "no AdmissionReview", id="empty"),
        pytest.param(b"{", "MalformedReview", "no AdmissionReview", id="cut"),
        pytest.param(b"[]", "MalformedReview", "object", id="array"),
        pytest.param(b'{"kind":"\xff"}', "MalformedReview", "no Admis", id="no utf-8"),
        pytest.param(
            b'{"x":' + b"[" * 100_000, "MalformedReview", "no Admission", id="deep"
        ),
        pytest.param(
            b'{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}',
            "UnsupportedReview",
            "got 'admission.k8s.io/v1beta1' 'AdmissionReview'",
            id="v1beta1",
        ),
        pytest.param(
            b'{"apiVersion":"v1","kind":"Pod"}',
            "UnsupportedReview",
            "expected admission.k8s.io/v1 AdmissionReview, got 'v1' 'Pod'",
            id="foreign kind",
        ),
        pytest.param(
            b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
            "MalformedReview",
            "no request with a uid",
            id="no request",
        ),
        pytest.param(
            json.dumps(envelope(uid="")).encode(),
            "MalformedReview",
            "no request with a uid",
            id="no uid",
        ),
        pytest.param(
            json.dumps(envelope(object=[])).encode(),
            "MalformedReview",
            "$.request.object",
            id="object is a list",
        ),
    ],
)
def test_what_is_no_review_is_refused(body: bytes, reason: str, words: str) -> None:
    with pytest.raises(ReviewError) as caught:
        review.read(body)
    assert reason == caught.value.reason
    assert caught.value.status == 400
    assert words in caught.value.message


def test_a_foreign_kind_is_not_echoed_at_length() -> None:
    body = json.dumps({"apiVersion": "x" * 5000, "kind": "Pod"}).encode()
    with pytest.raises(ReviewError) as caught:
        review.read(body)
    assert len(caught.value.message) < 250


def answered(response: review.Response) -> object:
    return json.loads(review.respond("u-1", response))


def test_an_allowed_request_says_nothing_more() -> None:
    assert {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "u-1", "allowed": True},
    } == answered(review.Response(allowed=True))


def test_a_denial_carries_status_warnings_and_audit() -> None:
    response = review.Response(
        allowed=False,
        code=503,
        reason="Unavailable",
        message="no",
        warnings=("w",),
        audit={"verdict": "unknown"},
    )
    assert {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": "u-1",
            "allowed": False,
            "status": {
                "status": "Failure",
                "code": 503,
                "reason": "Unavailable",
                "message": "no",
            },
            "warnings": ["w"],
            "auditAnnotations": {"verdict": "unknown"},
        },
    } == answered(response)


def test_a_patch_travels_as_base64_json() -> None:
    operation = {"op": "remove", "path": "/metadata/annotations/x"}
    body = review.respond("u", review.Response(allowed=True, patch=(operation,)))
    response = json.loads(body)["response"]
    assert response["patchType"] == "JSONPatch"
    assert [operation] == json.loads(base64.b64decode(response["patch"]))


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param(review.Response(allowed=True), "allow", id="allowed"),
        pytest.param(review.Response(True, warnings=("w",)), "warn", id="warned"),
        pytest.param(review.Response(allowed=False), "deny", id="denied"),
    ],
)
def test_a_response_says_what_becomes_of_the_request(
    response: review.Response, expected: str
) -> None:
    assert expected == response.decision
