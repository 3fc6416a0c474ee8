"""A webhook that allows everything, and remembers what it was asked.

It stands in for ours where the question is what an API server sends, or what it does
with one that never answers. Whoever hangs it has accepted the connection.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

from app.demo import certificates
from tests.tools.client import Client
from tests.tools.kubelet import own_address


@dataclass(frozen=True, slots=True)
class Call:
    """One review.

    Attributes:
        path: `/v1/validate` or `/v1/mutate`.
        operation: `CREATE`, ...
        resource: with the subresource (`pods/ephemeralcontainers`).
        namespace: of the object.
        name: of the object; empty where it has none yet.
    """

    path: str
    operation: str
    resource: str
    namespace: str
    name: str


class Recorder:
    """Serves at this machine's own address while entered."""

    def __init__(self, folder: Path, host: str) -> None:
        """Prepares it.

        Args:
            folder: for its certificate.
            host: whom the certificate is for, `SERVICE.NAMESPACE.svc`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._ca: Final = certificates.write_pair(folder, names=(host,))
        self._calls: Final[list[Call]] = []
        self.hangs: Final = threading.Event()
        self._gone: Final = threading.Event()
        self._over: Final = threading.Event()
        handler = self._handler()
        self._server: Final = ThreadingHTTPServer((own_address(), 0), handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self._server.socket = tls.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._server.daemon_threads = True
        self._thread: Final = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def authority(self) -> str:
        """PEM that its certificate is from."""
        return self._ca.read_text()

    def take(self) -> list[Call]:
        """What it was asked since the last time."""
        found = list(self._calls)
        self._calls.clear()
        return found

    def publish(self, client: Client, namespace: str, service: str) -> None:
        """Makes it the only endpoint of a Service."""
        address, port = self._server.server_address[:2]
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        body = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "recorder",
                "labels": {"kubernetes.io/service-name": service},
            },
            "addressType": "IPv4",
            "ports": [{"name": "https", "protocol": "TCP", "port": port}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        }
        client.delete(f"{path}/recorder")
        client.call("POST", path, body)
        self._gone.clear()

    def withdraw(self, client: Client, namespace: str) -> None:
        """Takes the endpoint away, and hangs up where the API server is connected."""
        self._gone.set()
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        client.delete(f"{path}/recorder")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if recorder._gone.is_set():
                    self.close_connection = True
                    return
                request = json.loads(body)["request"]
                recorder._calls.append(_call(self.path, request))
                if recorder.hangs.is_set():
                    recorder._over.wait(60)
                    self.close_connection = True
                    return
                self._answer(request["uid"])

            def _answer(self, uid: str) -> None:
                kind = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
                said = {**kind, "response": {"uid": uid, "allowed": True}}
                text = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler


def _call(path: str, request: Mapping[str, Any]) -> Call:
    sub = request.get("subResource", "")
    resource = request["resource"]["resource"] + (f"/{sub}" if sub else "")
    return Call(
        path.partition("?")[0],
        request["operation"],
        resource,
        request.get("namespace", ""),
        request.get("name", ""),
    )
