"""What the image's file system holds, made without a Docker engine.

`install` takes the Dockerfile's builder stage, instruction by instruction: COPY puts
files of the context where the image has them, RUN runs the very line in a sandbox in
which `/src`, `/build` and `/opt/imagecompat` can be written and nothing else. The
sandbox has a shell, `find`, `ln`, `rm` and a Python that stands in for the base's;
there is no other program, so a line that needs one fails here first.

What stands in, and therefore is not the image: the bases. Their Python is one that
this machine has, of the same minor version if there is one (`base_python`), and the
shared libraries are the machine's.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.image.dockerfile import Dockerfile, Instruction, read
from tests.tools.build import cache
from tests.tools.sandbox import ROOT, Sandboxed, python_mounts, run

DOCKERFILE: Final = ROOT / "Dockerfile"
STEP_SECONDS: Final = 300.0
PROGRAMS: Final = ("sh", "find", "ln", "rm")
"""Of the builder's base, all that our lines use besides Python."""
_PASSED_ON: Final = ("PIP_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""How this machine's pip reaches the package index, by the names' beginnings."""
_HOME: Final = "/root"
"""Of who builds, inside the builder's base."""
_PIP_CONFIGURATION: Final = {
    "/etc/pip.conf": Path("/etc/pip.conf"),
    f"{_HOME}/.config/pip/pip.conf": Path.home() / ".config" / "pip" / "pip.conf",
}


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter that stands in for the bases'.

    Attributes:
        path: its file, no link.
        wanted: the Dockerfile's minor version, such as `3.13`.
        version: its own minor version.
    """

    path: Path
    wanted: str
    version: str

    @property
    def links(self) -> dict[str, str]:
        """Where the runtime's base has it."""
        return {f"/usr/bin/python{self.wanted}": str(self.path)}

    @property
    def mounts(self) -> dict[str, Path]:
        """Its file, its library, and what it is linked to."""
        return {str(self.path): self.path} | python_mounts(self.path)


@dataclass(frozen=True, slots=True)
class Installation:
    """The runtime's file system.

    Attributes:
        dockerfile: what it was made from.
        prefix: the host's folder that is `/opt/imagecompat` inside.
        python: the interpreter that stands in for the base's.
    """

    dockerfile: Dockerfile
    prefix: Path
    python: Python

    def start(
        self,
        arguments: list[str] | None = None,
        *,
        command: list[str] | None = None,
        mounts: Mapping[str, Path] | None = None,
    ) -> Sandboxed:
        """Starts the image as a container runtime does.

        Args:
            arguments: in place of CMD, as `args` of a container.
            command: in place of ENTRYPOINT and CMD, as `command` of a container.
            mounts: volumes.
        """
        final = self.dockerfile.final
        entry, default, user, folder = (
            final.all(word)[-1].words
            for word in ("ENTRYPOINT", "CMD", "USER", "WORKDIR")
        )
        uid = int(user[0].partition(":")[0])
        return run(
            command or [*entry, *(default if arguments is None else arguments)],
            env=final.pairs("ENV"),
            mounts={"/opt/imagecompat": self.prefix}
            | self.python.mounts
            | dict(mounts or {}),
            links=self.python.links,
            uid=uid,
            folder=folder[0],
        )


@functools.cache
def base_python() -> Python:
    """A Python of the Dockerfile's minor version, else the suite's own."""
    text = read(DOCKERFILE).arguments["BUILDER"]
    match = re.search(r"python:(\d+\.\d+)-", text)
    assert match is not None
    wanted = match[1]
    question = "import sys; print(sys._base_executable, sys.version_info[1])"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    others = sorted(map(str, pyenv.glob(f"{wanted}.*/bin/python{wanted}")))
    for candidate in (f"python{wanted}", *others, sys.executable):
        path = shutil.which(candidate)
        done = path and subprocess.run(
            [path, "-I", "-c", question], capture_output=True, text=True, check=False
        )
        if done and not done.returncode:
            executable, minor = done.stdout.split()
            return Python(Path(executable).resolve(), wanted, f"3.{minor}")
    raise AssertionError("the suite's own Python does not run")


def install(folder: Path) -> Installation:
    """Runs the builder stage; everything it writes goes to `folder`."""
    installed = made(folder)
    building = _Building(folder, installed.python)
    for one in installed.dockerfile.builder.instructions:
        building.take(one)
    return installed


def made(folder: Path) -> Installation:
    """What `install` has made in `folder`."""
    return Installation(read(DOCKERFILE), folder / "opt", base_python())


class _Building:
    """The builder stage while it is built."""

    def __init__(self, folder: Path, python: Python) -> None:
        self._python: Final = python
        self._environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": _HOME,
        } | _pip_settings()
        self._folder = "/"
        self._writable: Final = {
            "/src": folder / "src",
            "/build": folder / "build",
            "/opt/imagecompat": folder / "opt",
            "/usr/bin": folder / "bin",
            f"{_HOME}/.cache": cache() / "pip",
        }
        for made in self._writable.values():
            made.mkdir(mode=0o755, parents=True, exist_ok=True)

    def take(self, one: Instruction) -> None:
        """Obeys one instruction."""
        match one.word:
            case "WORKDIR":
                self._folder = one.text
            case "ENV":
                pairs = (word.partition("=") for word in one.words)
                self._environment |= {name: value for name, _, value in pairs}
            case "COPY":
                *sources, target = one.operands
                for source in sources:
                    self._copy(source, target)
            case "RUN":
                self._run(one.text)
            case "ARG":
                pass  # without a default, and not given: not set
            case _:
                raise AssertionError(f"the builder stage has {one.word}")

    def _copy(self, source: str, target: str) -> None:
        into = self._writable[self._folder] / target
        origin = ROOT / source
        if origin.is_dir():
            for path in context(source):
                place = into / path.relative_to(origin)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place)
            return
        assert [origin] == list(context(source)), f"{source} is not in the context"
        folder = into if target.endswith("/") else into.parent
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin, folder / origin.name)

    def _run(self, line: str) -> None:
        version = self._python.version
        if version != self._python.wanted:
            # The stand-in's own folder in a virtual environment has its version.
            line = line.replace(
                f"/lib/python{self._python.wanted}/", f"/lib/python{version}/"
            )
        programs = {f"/bin/{name}": _program(name) for name in PROGRAMS}
        settings = {
            target: path
            for target, path in _PIP_CONFIGURATION.items()
            if os.access(path, os.R_OK)
        }
        # Wheels that the machine keeps in a folder.
        folder = os.environ.get("PIP_FIND_LINKS", "")
        if folder and Path(folder).is_dir():
            settings[folder] = Path(folder)
        with run(
            ["/bin/sh", "-c", line],
            env=self._environment,
            mounts=self._python.mounts | programs | settings,
            writable=self._writable,
            links={
                f"/usr/local/bin/python{self._python.wanted}": str(self._python.path)
            },
            uid=0,
            folder=self._folder,
            tmp_mebibytes=512,
        ) as step:
            status = step.wait(STEP_SECONDS)
            assert 0 == status, f"RUN {line}\n{step.output()}"


def context(source: str) -> Iterator[Path]:
    """The files of the build context below `source`, as .dockerignore leaves them.

    Ours excludes everything, names what comes back, and excludes caches again.
    """
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert "*" == rules[0]
    assert "**/__pycache__" == rules[-1]
    kept = [rule.removeprefix("!") for rule in rules[1:-1]]
    assert all(rule.startswith("!") for rule in rules[1:-1])
    origin = ROOT / source
    for path in [origin] if origin.is_file() else sorted(origin.rglob("*")):
        relative = path.relative_to(ROOT)
        is_kept = any(relative.is_relative_to(rule) for rule in kept)
        if is_kept and path.is_file() and "__pycache__" not in relative.parts:
            yield path


def _program(name: str) -> Path:
    path = shutil.which(name)
    assert path is not None, f"{name} is not on PATH"
    return Path(path).resolve()


def _pip_settings() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper().startswith(_PASSED_ON) and name != "PIP_REQUIRE_VIRTUALENV"
    }
