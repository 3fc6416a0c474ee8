"""Real registries on 127.0.0.1, and pushing to them as `oras attach` does.

`referrers_registry` is go-containerregistry's, which has a referrers API, over plain
HTTP. `distribution` is the CNCF's, which has none, of either line: open, or behind
passwords or a token server, over plain HTTP or TLS. Several of them may serve one
folder, so that an open one fills what a guarded one serves.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

from app.demo.content import INDEX_TYPE, Descriptor, Repository, digest_of, encode
from tests.tools.authority import Authority
from tests.tools.build import find
from tests.tools.servers import Process, free_port
from tests.tools.tokens import ISSUER, SERVICE

START_SECONDS: Final = 20.0

PROGRAMS: Final = ("distribution", "docker-registry")
"""distribution of the third line, and of the second."""

READER, PASSWORD = "reader", "canary-7f3a"
"""Who may read behind `HTPASSWD`."""

HTPASSWD: Final = (
    f"{READER}:$2a$04$g9Ol9Jq4QDpzoA.g4O3ZWeJUgT.Pzwvj4qT5IB0VoYn6P55aOwwkS\n"
)
"""What `htpasswd -nbBC 4 READER PASSWORD` prints."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What stands before a registry.

    Attributes:
        authority: whose certificate it shows; `None` for plain HTTP.
        htpasswd: the content of its file of passwords; empty for none.
        realm: of the token server, which the authority's certificate signs for;
            empty for none.
        wants_certificate: of its clients, from the authority, too; only the third
            line does.
        deletes: whether manifests can be deleted.
    """

    authority: Authority | None = None
    htpasswd: str = ""
    realm: str = ""
    wants_certificate: bool = False
    deletes: bool = True


OPEN: Final = Guard()


@contextmanager
def referrers_registry(folder: Path, *, has_api: bool = True) -> Iterator[str]:
    """Yields `127.0.0.1:PORT` of a registry whose referrers API names config types."""
    address = f"127.0.0.1:{free_port()}"
    command: list[str | Path] = [find("registry"), "-addr", address]
    command.append(f"-referrers={str(has_api).lower()}")
    with _running(command, folder / "registry.log", address):
        yield address


@contextmanager
def tag_registry(folder: Path) -> Iterator[str]:
    """Yields `127.0.0.1:PORT` of a registry that has no referrers API."""
    with distribution(folder) as address:
        yield address


@contextmanager
def distribution(
    folder: Path, guard: Guard = OPEN, *, program: str = "distribution"
) -> Iterator[str]:
    """Yields `127.0.0.1:PORT` of distribution on `folder`.

    Args:
        folder: where its content is.
        guard: what stands before it.
        program: one of `PROGRAMS`.
    """
    port = free_port()
    address = f"127.0.0.1:{port}"
    own = folder / str(port)
    own.mkdir()
    config = own / "config.yml"
    config.write_text(json.dumps(_config(folder, own, address, guard)))
    quiet = "OTEL_TRACES_EXPORTER=none"  # else it looks for a collector
    command: list[str | Path] = ["env", quiet, find(program), "serve", config]
    with _running(command, own / f"{program}.log", address, guard.authority):
        yield address


def _config(
    folder: Path, own: Path, address: str, guard: Guard
) -> Mapping[str, object]:
    """Its configuration; YAML takes JSON."""
    http: dict[str, object] = {"addr": address, "secret": "shared"}
    auth: dict[str, object] = {}
    if guard.authority is not None:
        pair = guard.authority.certificate, guard.authority.key
        tls: dict[str, object] = {"certificate": str(pair[0]), "key": str(pair[1])}
        if guard.wants_certificate:
            tls["clientcas"] = [str(guard.authority.ca)]
        http["tls"] = tls
    if guard.htpasswd:
        path = own / "htpasswd"
        path.write_text(guard.htpasswd)
        auth["htpasswd"] = {"realm": "test", "path": str(path)}
    if guard.realm:
        assert guard.authority is not None
        auth["token"] = {
            "realm": guard.realm,
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(guard.authority.ca),
        }
    storage = {
        "filesystem": {"rootdirectory": str(folder / "content")},
        "delete": {"enabled": guard.deletes},
    }
    whole = {"version": 0.1, "log": {"level": "error"}, "storage": storage}
    return {**whole, "http": http, **({"auth": auth} if auth else {})}


@contextmanager
def _running(
    command: list[str | Path],
    log: Path,
    address: str,
    authority: Authority | None = None,
) -> Iterator[None]:
    process = Process(command, log)
    context = None
    if authority is not None:
        context = ssl.create_default_context(cafile=authority.ca)
        context.load_cert_chain(authority.certificate, authority.key)
    url = f"{'http' if authority is None else 'https'}://{address}/v2/"
    try:
        ends = time.monotonic() + START_SECONDS
        while True:
            process.alive()
            try:
                urllib.request.urlopen(url, timeout=5, context=context).close()
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


def delete(address: str, name: str, digest: str) -> None:
    """Deletes a manifest; a list under a fallback tag still names it."""
    url = f"http://{address}/v2/{name}/manifests/{digest}"
    _call("DELETE", url, b"", "")


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
