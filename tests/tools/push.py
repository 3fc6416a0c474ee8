"""Puts a repository's content into a real registry, as any client does."""

from __future__ import annotations

import urllib.parse
import urllib.request

from app.demo.content import Repository


def push(registry: str, name: str, repository: Repository) -> None:
    """Pushes blobs, then manifests, then tags.

    Args:
        registry: `host:port` of a registry on plain HTTP.
        name: of the repository there.
        repository: what to push; its artifacts refer to subjects by digest.
    """
    base = f"http://{registry}/v2/{name}"
    for digest, content in repository.blobs.items():
        if digest not in repository.types:
            _push_blob(base, digest, content)
    for digest, media_type in repository.types.items():
        _put(f"{base}/manifests/{digest}", repository.blobs[digest], media_type)
    for tag, digest in repository.tags.items():
        media_type = repository.types[digest]
        _put(f"{base}/manifests/{tag}", repository.blobs[digest], media_type)


def _push_blob(base: str, digest: str, content: bytes) -> None:
    started = urllib.request.Request(f"{base}/blobs/uploads/", b"", method="POST")
    with urllib.request.urlopen(started, timeout=30) as answer:
        location = urllib.parse.urljoin(base, answer.headers["Location"])
    mark = "&" if "?" in location else "?"
    _put(f"{location}{mark}digest={digest}", content, "application/octet-stream")


def _put(url: str, content: bytes, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    request = urllib.request.Request(url, content, headers, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
