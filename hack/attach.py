"""Attaches a compatibility spec to an image in a registry that asks for nothing.

For the local registry of `make kind`: plain HTTP, no credentials. The artifact is what
`oras attach` writes; where the registry does not answer with `OCI-Subject` it has no
referrers API, and the artifact is listed under the fallback tag, as the distribution
specification asks of clients.
"""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

ARTIFACT_TYPE: Final = "application/vnd.nfd.image-compatibility.v1alpha1"
SPEC_TYPE: Final = "application/vnd.nfd.image-compatibility.spec.v1alpha1+yaml"
EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
DOCKER: Final = "application/vnd.docker.distribution.manifest"
ACCEPT: Final = f"{INDEX}, {MANIFEST}, {DOCKER}.list.v2+json, {DOCKER}.v2+json"
CREATED: Final = "org.opencontainers.image.created"
SECONDS: Final = 30.0
NOT_FOUND: Final = 404


class AttachError(Exception):
    """The registry did not do as asked; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a registry answered."""

    headers: Mapping[str, str]
    body: bytes


def attach(registry: str, image: str, spec: bytes, *, created: str) -> str:
    """Attaches `spec` to `image`; the artifact's digest.

    Args:
        registry: `HOST:PORT`.
        image: `REPOSITORY:TAG` in it.
        spec: the text.
        created: the artifact's time in RFC 3339; the newest counts.

    Raises:
        AttachError: the registry cannot be reached or refuses.
    """
    repository, _, tag = image.rpartition(":")
    base = f"http://{registry}/v2/{repository}"
    found = _call("GET", f"{base}/manifests/{tag}", accept=ACCEPT)
    subject = _descriptor(found.headers["Content-Type"], found.body)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": ARTIFACT_TYPE,
            "config": _push(base, EMPTY_TYPE, b"{}"),
            "layers": [_push(base, SPEC_TYPE, spec)],
            "subject": subject,
            "annotations": {CREATED: created},
        }
    ).encode()
    own = _descriptor(MANIFEST, manifest)
    put = _call("PUT", f"{base}/manifests/{own['digest']}", manifest, kind=MANIFEST)
    if "OCI-Subject" not in put.headers:
        listed = own | {
            "artifactType": ARTIFACT_TYPE,
            "annotations": {CREATED: created},
        }
        _list_under_tag(base, subject["digest"], listed)
    digest: str = own["digest"]
    return digest


def _descriptor(kind: str, content: bytes) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def _push(base: str, kind: str, content: bytes) -> dict[str, Any]:
    described = _descriptor(kind, content)
    started = _call("POST", f"{base}/blobs/uploads/", b"")
    location = urljoin(base, started.headers["Location"])
    mark = "&" if "?" in location else "?"
    url = f"{location}{mark}digest={described['digest']}"
    _call("PUT", url, content, kind="application/octet-stream")
    return described


def _list_under_tag(base: str, subject: str, listed: Mapping[str, Any]) -> None:
    url = f"{base}/manifests/{subject.replace(':', '-')}"
    try:
        index = json.loads(_call("GET", url, accept=INDEX).body)
    except FileNotFoundError:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    others = [one for one in index["manifests"] if one["digest"] != listed["digest"]]
    content = json.dumps(index | {"manifests": [*others, listed]}).encode()
    _call("PUT", url, content, kind=INDEX)


def _call(
    method: str,
    url: str,
    body: bytes | None = None,
    *,
    kind: str = "",
    accept: str = "",
) -> Answer:
    """One request.

    Raises:
        FileNotFoundError: the registry has no such content.
        AttachError: any other failure.
    """
    headers = {"Content-Type": kind, "Accept": accept}
    request = urllib.request.Request(  # noqa: S310 - always http://
        url, body, {name: text for name, text in headers.items() if text}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            return Answer(response.headers, response.read())
    except urllib.error.HTTPError as error:
        if error.code == NOT_FOUND and method == "GET":
            raise FileNotFoundError(url) from error
        text = error.read(500).decode(errors="replace").strip()
        raise AttachError(f"{method} {url}: {error.code} {text}") from error
    except OSError as error:
        raise AttachError(f"{method} {url}: {error}") from error
