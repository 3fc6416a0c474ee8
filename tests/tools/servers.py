"""A real kube-apiserver with etcd on 127.0.0.1, for tests and benchmarks.

RBAC is on; there is no controller manager and no scheduler. That means: a
Namespace has no default ServiceAccount (the admission plugin that wants one is
off, so Pods can be created), it never goes away by itself (`remove_namespace`
does it), and nothing moves Pods.

`Etcd` and `ApiServer` are context managers. Ports are free ones, files live in a
folder that the caller gives, and what was started is ended by its process id.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from tests.tools.authority import Authority
from tests.tools.build import find

ADMIN_TOKEN: Final = "admin-of-a-test"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0

Rule = Mapping[str, Sequence[str]]
"""A rule of a ClusterRole: `apiGroups`, `resources`, `verbs`, ..."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def encoded(
    body: object, content_type: str, token: str
) -> tuple[bytes | None, dict[str, str]]:
    """A request's content and headers; `None` is no body."""
    headers = {"Authorization": f"Bearer {token}"}
    if body is None:
        return None, headers
    return json.dumps(body).encode(), {**headers, "Content-Type": content_type}


class Process:
    """A server in the background; its output goes to a file."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self._log: Final = log
        with log.open("ab") as output:
            self._process: Final = subprocess.Popen(
                list(map(str, command)),
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self.kill)

    def alive(self) -> None:
        """Raises `RuntimeError` with the end of its output if it has ended."""
        if self._process.poll() is not None:
            said = self._log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{self._log.stem} has ended:\n{said}")

    def stop(self) -> None:
        """Asks it to end, then ends it."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Ends it at once, as a power cut would."""
        self._process.kill()
        self._process.wait()
        atexit.unregister(self.kill)


class Etcd:
    """One etcd member; its data does not outlive the folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.url: Final = f"http://127.0.0.1:{free_port()}"
        peer = f"http://127.0.0.1:{free_port()}"
        command: list[str | Path] = [find("etcd"), "--unsafe-no-fsync"]
        command += [f"--data-dir={folder / 'data'}"]
        command += [f"--listen-client-urls={self.url}"]
        command += [f"--advertise-client-urls={self.url}"]
        command += [f"--listen-peer-urls={peer}"]
        command += [f"--initial-advertise-peer-urls={peer}"]
        command += [f"--initial-cluster=default={peer}", "--log-level=warn"]
        self._process: Final = Process(command, folder / "etcd.log")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def compact(self) -> None:
        """Forgets all history: watches from an old version are gone (410)."""
        header = self._call("/v3/kv/range", {"key": base64.b64encode(b"a").decode()})
        revision = header["header"]["revision"]
        self._call("/v3/kv/compaction", {"revision": revision, "physical": True})

    def _call(self, path: str, body: Mapping[str, object]) -> Any:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)


class ApiServer:
    """One kube-apiserver; several may share an etcd and an authority.

    Attributes:
        url: `https://127.0.0.1:PORT`.
        ca: PEM file of the authority that its certificate is from.
        kubeconfig: of an admin (`system:masters`).
        etcd: where its objects are.
        authority: its certificates and keys.
    """

    def __init__(
        self,
        folder: Path,
        etcd: Etcd,
        *,
        authority: Authority | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        """Prepares it; `with` starts it.

        Args:
            folder: for its files; made if it is not there.
            etcd: where its objects are.
            authority: of another one with the same etcd; its own by default.
            flags: more flags (`--feature-gates=WatchList=false`); they win.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder: Final = folder
        self._port: Final = free_port()
        self._flags: Final = tuple(flags)
        self._process: Process | None = None
        self.etcd: Final = etcd
        self.authority: Final = authority or Authority(folder / "pki")
        self.ca: Final = self.authority.ca
        self.url: Final = f"https://127.0.0.1:{self._port}"
        self.kubeconfig: Final = self.write_kubeconfig("admin", token=ADMIN_TOKEN)
        self._tls: Final = ssl.create_default_context(cafile=str(self.ca))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it, on the same port each time; returns when it is ready."""
        if self._process is not None:
            return
        tokens = self._folder / "tokens.csv"
        tokens.write_text(f"{ADMIN_TOKEN},admin,admin,system:masters\n")
        files = self.authority
        options = {
            "etcd-servers": self.etcd.url,
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "endpoint-reconciler-type": "none",
            "secure-port": self._port,
            "tls-cert-file": files.certificate,
            "tls-private-key-file": files.key,
            "cert-dir": self._folder,
            "token-auth-file": tokens,
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": files.account_key,
            "service-account-signing-key-file": files.account_key,
            "service-cluster-ip-range": "10.0.0.0/24",
            "disable-admission-plugins": "ServiceAccount",
        }
        given = {flag.partition("=")[0].removeprefix("--") for flag in self._flags}
        command: list[str | Path] = [find("kube-apiserver")]
        command += [
            f"--{name}={value}" for name, value in options.items() if name not in given
        ]
        self._process = Process(
            [*command, *self._flags], self._folder / "apiserver.log"
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        """Until it is ready, its own Namespaces and roles included."""
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if self._process:
                self._process.alive()
            with contextlib.suppress(OSError, RuntimeError):
                self.call("GET", "/readyz")
                self.call("GET", "/api/v1/namespaces/default")
                return
            time.sleep(0.1)
        raise RuntimeError(f"kube-apiserver is not ready after {START_SECONDS} s")

    def stop(self) -> None:
        """Asks it to end; what it stored stays in etcd."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """Ends it at once, as a power cut would; `start` brings it back."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
    ) -> Any:
        """Asks as admin; the decoded answer, or its text if that is no JSON.

        Raises:
            RuntimeError: the answer is an error; its text is the message.
        """
        content, headers = encoded(body, content_type, ADMIN_TOKEN)
        request = urllib.request.Request(
            self.url + path, content, headers, method=method
        )
        try:
            with urllib.request.urlopen(
                request, timeout=30, context=self._tls
            ) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise RuntimeError(f"{method} {path}: {error.code}: {said}") from None
        try:
            return json.loads(text)
        except ValueError:
            return text

    def kubectl(
        self,
        *arguments: str,
        stdin: str | None = None,
        kubeconfig: Path | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs kubectl, as admin by default; `stdout` and `stderr` are text.

        Raises:
            RuntimeError: it failed and `check` is true; says what it printed.
        """
        command = [
            str(find("kubectl")),
            f"--kubeconfig={kubeconfig or self.kubeconfig}",
        ]
        command += [f"--cache-dir={self._folder / 'kubectl'}", *arguments]
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done

    def service_account(
        self, name: str, rules: Sequence[Rule] = (), *, namespace: str = "default"
    ) -> Path:
        """The kubeconfig of a new ServiceAccount that may do what `rules` say.

        Calling it again with the same name replaces the rules.
        """
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self.put(accounts, {"apiVersion": "v1", "kind": "ServiceAccount"}, name)
        roles = "/apis/rbac.authorization.k8s.io/v1"
        full = f"{namespace}-{name}"
        api = {"apiVersion": "rbac.authorization.k8s.io/v1"}
        role = {**api, "kind": "ClusterRole", "rules": list(rules)}
        self.put(f"{roles}/clusterroles", role, full)
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        binding = {
            **api,
            "kind": "ClusterRoleBinding",
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": full,
            },
            "subjects": [subject],
        }
        self.put(f"{roles}/clusterrolebindings", binding, full)
        return self.write_kubeconfig(full, token=self.token(name, namespace=namespace))

    def token(self, account: str, *, namespace: str = "default") -> str:
        """A token of a ServiceAccount, good for an hour."""
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        answer = self.call("POST", path, {**request, "spec": {}})
        token: str = answer["status"]["token"]
        return token

    def write_kubeconfig(self, name: str, *, token: str) -> Path:
        """Writes a kubeconfig for this server that uses `token`; its path."""
        ca = base64.b64encode(self.ca.read_bytes()).decode()
        cluster = {"server": self.url, "certificate-authority-data": ca}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": "test", "user": name}}],
        }
        path = self._folder / f"{name}.kubeconfig"
        path.write_text(json.dumps(content))
        path.chmod(0o600)
        return path

    def put(self, collection: str, content: Mapping[str, Any], name: str) -> None:
        """Creates or replaces the object `name` of a collection."""
        body = dict(content)
        body["metadata"] = {**body.get("metadata", {}), "name": name}
        try:
            self.call("POST", collection, body)
        except RuntimeError as error:
            if ": 409: " not in str(error):
                raise
            self.call("PUT", f"{collection}/{name}", body)

    def remove_namespace(self, name: str) -> None:
        """Deletes a Namespace, objects in it left aside, and finalizes it."""
        path = f"/api/v1/namespaces/{name}"
        self.call("DELETE", path)
        body = self.call("GET", path)
        body["spec"] = {"finalizers": []}
        self.call("PUT", f"{path}/finalize", body)
