"""Clusters and registries that say no: one line, exit code 3, nothing on stdout.

Files and options that cannot be used are in `tests/unit/cli/test_bad_input.py`.
"""

from __future__ import annotations

import http.server
import io
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from app.cli.frame import running
from app.oci.writing import opening
from tests.unit.cli.test_bad_input import NODE, POD, SPEC

pytestmark = pytest.mark.integration

HANG_SECONDS = 30.0
TOKEN = "token-that-is-secret"

STATES: Final = ("closed", "401", "403", "404", "429", "500", "no JSON", "hangs up")


class Answer(http.server.BaseHTTPRequestHandler):
    """Gives every request the same answer."""

    def do_GET(self) -> None:
        state = self.server.state  # type: ignore[attr-defined]
        if state == "hangs up":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if state == "hangs":
            time.sleep(HANG_SECONDS)
        body = b"<html>hello</html>"
        if state.isdigit():
            text = "we say no\n\x1b[31mand more"
            body = json.dumps({"kind": "Status", "message": text}).encode()
        self.send_response(int(state) if state.isdigit() else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if state == "401":
            self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


@contextmanager
def serving(state: str, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on loopback that is in a state; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.state = state  # type: ignore[attr-defined]
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    port = server.server_port
    if state == "closed":
        server.server_close()
        yield port
        return
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        yield {state: stack.enter_context(serving(state)) for state in STATES}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "DOCKER_CONFIG", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, text in (("spec.yaml", SPEC), ("pod.yaml", POD), ("node.json", NODE)):
        (tmp_path / name).write_text(text)
    return tmp_path


def kubeconfig(folder: Path, url: str, **cluster: object) -> None:
    """Writes `kubeconfig`: a cluster at a URL, and a token."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url, **cluster}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str


def imagecompat(line: str) -> Ran:
    """Runs a command line in this process."""
    streams = [io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        status = running.run(["imagecompat", *line.split()])
    out, err = (one.buffer.getvalue().decode() for one in streams)
    return Ran(status, out, err)


def assert_not_found_out(ran: Ran, named: str) -> None:
    """Exit code 3, nothing on stdout, one line that names the thing and no secret."""
    assert (3, "") == (ran.status, ran.out), ran
    assert 1 == len(ran.err.splitlines()), ran.err
    assert ran.err[:-1].isprintable()
    assert named in ran.err
    assert TOKEN not in ran.err


ON_CLUSTERS: Final = (
    "export --all-nodes",
    "check --offline deploy/web",
    "check --offline -f pod.yaml",
    "validate-node --spec spec.yaml --all-nodes",
    "selftest --timeout 0",
    "status",
)

WORDS: Final = {
    "closed": "127.0.0.1:{port}: Connection refused",
    "401": "401",
    "403": "403",
    "404": "404",
    "429": "429",
    "500": "500",
    "no JSON": "/api",
    "hangs up": "no way to the API server",
}
"""State of an API server -> what its line names."""

SEEN: Final = {
    ("status", "403"): 3,
    ("status", "404"): 1,
    ("status", "429"): 3,
    ("status", "500"): 3,
}
"""`status` prints what it may see, and what it may not; its exit code."""


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("line", ON_CLUSTERS)
def test_a_cluster_that_says_no_is_one_line(
    folder: Path, ports: dict[str, int], line: str, state: str
) -> None:
    kubeconfig(folder, f"http://127.0.0.1:{ports[state]}")
    ran = imagecompat(f"{line} --kubeconfig kubeconfig")
    command = line.split(maxsplit=1)[0]
    if (command, state) in SEEN:
        assert (SEEN[command, state], "") == (ran.status, ran.err)
        assert "not seen" in ran.out or "problem" in ran.out
        return
    if (command, state) == ("selftest", "404"):
        assert (2, "") == (ran.status, ran.out), "no such namespace"
        return
    assert_not_found_out(ran, WORDS[state].format(port=ports[state]))


@pytest.mark.parametrize("line", ["export --all-nodes", "status", "selftest"])
def test_an_authority_that_is_not_trusted_is_one_line(folder: Path, line: str) -> None:
    certificate, key = folder / "tls.crt", folder / "tls.key"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    made += ["ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=x"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1"]
    made += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving("500", context) as port:
        kubeconfig(folder, f"https://127.0.0.1:{port}")
        ran = imagecompat(f"{line} --kubeconfig kubeconfig")
    assert_not_found_out(ran, "no trust in the API server")
    assert "certificate" in ran.err


@pytest.mark.parametrize("line", ["export --all-nodes", "status"])
@pytest.mark.parametrize(
    ("cluster", "named"),
    [
        ({"certificate-authority": "none.pem"}, "none.pem"),
        ({"certificate-authority-data": "bm9uZQ=="}, "kubeconfig"),
        ({"certificate-authority-data": "%"}, "kubeconfig"),
    ],
    ids=["no file", "no certificate", "no base64"],
)
def test_an_authority_that_cannot_be_read_is_bad_input(
    folder: Path, line: str, cluster: dict[str, object], named: str
) -> None:
    kubeconfig(folder, "https://127.0.0.1:1", **cluster)
    ran = imagecompat(f"{line} --kubeconfig kubeconfig")
    assert (2, "") == (ran.status, ran.out), ran
    assert 1 == len(ran.err.splitlines()), ran.err
    assert named in ran.err


@pytest.mark.parametrize(
    ("options", "named"),
    [("--context none", "none"), ("--kubeconfig none --context c", "none")],
)
def test_a_context_that_is_not_there_is_bad_input(
    folder: Path, options: str, named: str
) -> None:
    kubeconfig(folder, "https://127.0.0.1:1")
    ran = imagecompat(f"status --kubeconfig kubeconfig {options}")
    assert (2, "") == (ran.status, ran.out), ran
    assert 1 == len(ran.err.splitlines()), ran.err
    assert named in ran.err


ON_REGISTRIES: Final = (
    "list-specs IMAGE",
    "list-specs IMAGE -o json",
    "show-spec IMAGE -o yaml",
    "attach-spec IMAGE --spec spec.yaml -o json",
    "remove-spec IMAGE -o json",
    "copy-specs IMAGE IMAGE -o json",
    "validate-node --image IMAGE --features node.json",
    "validate-spec IMAGE",
    "init-spec --image IMAGE",
)

REASONS: Final = {
    "closed": "CannotConnect",
    "401": "Unauthorized",
    "403": "Unauthorized",
    "404": "ImageNotFound",
    "429": "TooManyRequests",
    "500": "ServerError",
    "no JSON": "BadAnswer",
    "hangs up": "NetworkError",
}
"""State of a registry -> the stable word at the end of the line."""


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("line", ON_REGISTRIES)
def test_a_registry_that_says_no_is_one_line(
    ports: dict[str, int], line: str, state: str
) -> None:
    image = f"127.0.0.1:{ports[state]}/team/app:1"
    ran = imagecompat(f"{line.replace('IMAGE', image)} --plain-http")
    assert_not_found_out(ran, f"imagecompat: {image}: ")
    assert ran.err.endswith(f" ({REASONS[state]})\n"), ran.err


@pytest.mark.usefixtures("folder")
def test_a_registry_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = opening.open_store.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "seconds", 0.5)
    with serving("hangs") as port:
        image = f"127.0.0.1:{port}/team/app:1"
        started = time.monotonic()
        ran = imagecompat(f"list-specs {image} --plain-http -o json")
        assert HANG_SECONDS > time.monotonic() - started
    assert_not_found_out(ran, f"{image}: 127.0.0.1 did not answer in time (Timeout)")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("state", STATES)
def test_check_says_of_each_image_why_it_is_unknown(
    ports: dict[str, int], state: str
) -> None:
    image = f"127.0.0.1:{ports[state]}/team/app:1"
    line = f"check --image {image} --plain-http --nodes node.json -o json"
    ran = imagecompat(line)
    assert (3, "") == (ran.status, ran.err), ran
    assert "unknown" in json.dumps(json.loads(ran.out))
