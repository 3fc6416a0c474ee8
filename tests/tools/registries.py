"""Real registries on 127.0.0.1, and pushing to them as `oras attach` does.

`referrers_registry` is go-containerregistry's, which has a referrers API;
`tag_registry` is distribution's, which has none. Both speak plain HTTP.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

from app.demo.content import INDEX_TYPE, Descriptor, Repository, digest_of, encode
from tests.tools.build import find
from tests.tools.servers import Process, free_port

START_SECONDS: Final = 20.0

_CONFIG: Final = """\
version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: %s}
http: {addr: "%s"}
"""


@contextmanager
def referrers_registry(folder: Path) -> Iterator[str]:
    """Yields `127.0.0.1:PORT` of a registry whose referrers API names config types."""
    address = f"127.0.0.1:{free_port()}"
    command: list[str | Path] = [find("registry"), "-addr", address]
    with _running(command, folder / "registry.log", address):
        yield address


@contextmanager
def tag_registry(folder: Path) -> Iterator[str]:
    """Yields `127.0.0.1:PORT` of a registry that has no referrers API."""
    address = f"127.0.0.1:{free_port()}"
    config = folder / "config.yml"
    config.write_text(_CONFIG % (folder / "content", address))
    command: list[str | Path] = [find("distribution"), "serve", config]
    with _running(command, folder / "distribution.log", address):
        yield address


@contextmanager
def _running(command: list[str | Path], log: Path, address: str) -> Iterator[None]:
    process = Process(command, log)
    try:
        ends = time.monotonic() + START_SECONDS
        while True:
            process.alive()
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
            except urllib.error.HTTPError:
                break
            except OSError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)
            else:
                break
        yield
    finally:
        process.stop()


def push(address: str, name: str, content: Repository) -> None:
    """Pushes a repository: blobs, manifests in order, tags, artifacts.

    Where the registry does not say `OCI-Subject`, the artifact is added to the
    index under the fallback tag, as a client must.
    """
    base = f"http://{address}/v2/{name}"
    for digest, blob in content.blobs.items():
        if digest not in content.types:
            _push_blob(base, digest, blob)
    for digest, kind in content.types.items():
        said = _put(f"{base}/manifests/{digest}", content.blobs[digest], kind)
        subject = content.subjects.get(digest)
        if subject is not None and "OCI-Subject" not in said:
            (one,) = (it for it in content.listed if it["digest"] == digest)
            _list_under_tag(base, subject, one)
    for tag, digest in content.tags.items():
        _put(f"{base}/manifests/{tag}", content.blobs[digest], content.types[digest])


def _push_blob(base: str, digest: str, content: bytes) -> None:
    started = _call("POST", f"{base}/blobs/uploads/", b"", "")
    location = urljoin(base, started["Location"])
    mark = "&" if "?" in location else "?"
    kind = "application/octet-stream"
    _call("PUT", f"{location}{mark}digest={digest}", content, kind)


def _list_under_tag(base: str, subject: str, one: Descriptor) -> None:
    algorithm, _, encoded = subject.partition(":")
    url = f"{base}/manifests/{algorithm}-{encoded[:64]}"
    try:
        request = urllib.request.Request(url, headers={"Accept": INDEX_TYPE})
        with urllib.request.urlopen(request, timeout=10) as response:
            index: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}
    index["manifests"].append(dict(one))
    _put(url, encode(index), INDEX_TYPE)


def _put(url: str, content: bytes, kind: str) -> dict[str, str]:
    said = _call("PUT", url, content, kind)
    assert said.get("Docker-Content-Digest") in {None, digest_of(content)}
    return said


def _call(method: str, url: str, body: bytes, kind: str) -> dict[str, str]:
    headers = {"Content-Type": kind} if kind else {}
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return dict(response.headers)
