"""All files that settings of the section `registry` name, read in one place.

They are compared by content, so that a certificate that was rotated is another one
and a file that was written again is not. Reading blocks: call it in a thread.

Bounds: `MAX_FILE_BYTES` for each file, `MAX_FOLDERS` mirrors, and of each those files
that its `hosts.toml` names. Files of mirrors stay inside their folder; links may lead
around in it, for a mounted volume consists of them.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.oci.ways import hosts_toml
from app.oci.ways.hosts_toml import BrokenHostsError, Host
from app.settings.faults import Path as Setting
from app.settings.registry import RegistrySettings

MAX_FILE_BYTES: Final = 1 << 20
MAX_FOLDERS: Final = 256
MAX_NAMES: Final = 64
"""Of certificates in a folder without a `hosts.toml`."""

DOCKER_CONFIG: Final = ("registry", "dockerConfig")
PROVIDERS: Final = ("registry", "credentialProviders")
MIRRORS: Final = ("registry", "mirrors")
PROXY: Final = ("registry", "proxy", "credentialsFile")
HOSTS: Final = ("registry", "hosts")
CA, CERTIFICATE, KEY = "caFile", "clientCertificate", "clientKey"

_HOSTS_TOML: Final = "hosts.toml"
_CERTIFICATES: Final = (".crt", ".cert", ".key")


@dataclass(frozen=True, slots=True)
class File:
    """A file at one moment.

    Attributes:
        setting: that names it (`("registry", "dockerConfig")`).
        path: where it is.
        content: its bytes; never shown.
        problem: why it cannot be read; empty if it can.
    """

    setting: Setting
    path: Path
    content: bytes = field(default=b"", repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of mirrors: one registry's.

    Attributes:
        name: as containerd names it (`docker.io`, `r.example_5000_`, `_default`).
        toml: its `hosts.toml`; never shown.
        hosts: what that says, or its certificates if there is none.
        files: that it names, by their names there.
        problem: what is wrong with the `hosts.toml`; empty for nothing.
    """

    name: str
    toml: bytes = field(default=b"", repr=False)
    hosts: tuple[Host, ...] = ()
    files: tuple[tuple[str, File], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RegistryFiles:
    """All of them at one moment; equal if they mean the same.

    Attributes:
        files: that settings name.
        folders: of mirrors.
    """

    files: tuple[File, ...] = ()
    folders: tuple[Folder, ...] = ()

    def of(self, *setting: str) -> File | None:
        """The file that a setting names; `None` if it names none."""
        return next((one for one in self.files if one.setting == setting), None)

    def changed(self, before: RegistryFiles) -> tuple[str, ...]:
        """Settings whose files are other ones than before."""
        old = {one.setting: one for one in before.files}
        new = {one.setting: one for one in self.files}
        named = {**old, **new}
        found = [one for one in named if old.get(one) != new.get(one)]
        if before.folders != self.folders:
            found.append(MIRRORS)
        return tuple(".".join(map(str, one)) for one in dict.fromkeys(found))

    @property
    def digest(self) -> str:
        """Of all contents and problems."""
        found = hashlib.sha256()
        for part in self._parts():
            found.update(len(part).to_bytes(8, "big") + part)
        return found.hexdigest()

    def _parts(self) -> Iterator[bytes]:
        for one in self.files:
            yield from _parts(one)
        for folder in self.folders:
            yield repr((folder.name, folder.problem)).encode()
            yield folder.toml
            for name, one in folder.files:
                yield name.encode(errors="surrogateescape")
                yield from _parts(one)


def read(settings: RegistrySettings) -> RegistryFiles:
    """Reads what the settings name; what cannot be read says why."""
    files = tuple(_file(setting, path) for setting, path in _named(settings))
    if settings.mirrors is None:
        return RegistryFiles(files)
    problem = _folder_problem(settings.mirrors)
    if problem:
        broken = File(MIRRORS, settings.mirrors, problem=problem)
        return RegistryFiles((*files, broken))
    return RegistryFiles(files, tuple(_folders(settings.mirrors)))


def _named(settings: RegistrySettings) -> Iterator[tuple[Setting, Path]]:
    fixed = (
        (DOCKER_CONFIG, settings.docker_config),
        (PROVIDERS, settings.credential_providers),
        (PROXY, settings.proxy.credentials_file),
    )
    for setting, path in fixed:
        if path is not None:
            yield setting, path
    for host, one in settings.hosts.items():
        of_host = (
            (CA, one.ca_file),
            (CERTIFICATE, one.client_certificate),
            (KEY, one.client_key),
        )
        for name, path in of_host:
            if path is not None:
                yield (*HOSTS, host, name), path


# Reading ----------------------------------------------------------------------------


def _file(setting: Setting, path: Path, inside: Path | None = None) -> File:
    """A plain file.

    Args:
        setting: that names it.
        path: where it is.
        inside: a folder, with no link in its path, that it must not lead out of.
    """
    try:
        content = _content(path, inside)
    except FileNotFoundError:
        try:
            # While a volume changes, the old files are gone for a moment.
            content = _content(path, inside)
        except (OSError, RuntimeError, ValueError) as error:
            return File(setting, path, problem=_unreadable(error))
    except (OSError, RuntimeError, ValueError) as error:
        return File(setting, path, problem=_unreadable(error))
    if content is None:
        return File(setting, path, problem="leads out of the folder of mirrors")
    if len(content) > MAX_FILE_BYTES:
        return File(setting, path, problem=f"larger than {MAX_FILE_BYTES} bytes")
    return File(setting, path, content)


def _content(path: Path, inside: Path | None) -> bytes | None:
    if inside is not None:
        path = path.resolve(strict=True)
        if not path.is_relative_to(inside):
            return None
    # A pipe or a device would be read for ever.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("no plain file")
        return file.read(MAX_FILE_BYTES + 1)


def _unreadable(error: Exception) -> str:
    # RuntimeError: links in a circle; ValueError: a null in the path, or no file.
    text = getattr(error, "strerror", None) or "it is no plain file"
    return f"cannot be read: {text}"


# Mirrors ----------------------------------------------------------------------------


def _folder_problem(root: Path) -> str:
    try:
        count = sum(1 for _ in _subfolders(root))
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if count > MAX_FOLDERS:
        return f"expected at most {MAX_FOLDERS} folders"
    return ""


def _subfolders(root: Path) -> Iterator[Path]:
    """Those of registries; what begins with a dot is a volume's own."""
    with os.scandir(root) as entries:
        for one in entries:
            if not one.name.startswith(".") and one.is_dir():
                yield Path(one.path)


def _folders(root: Path) -> Iterator[Folder]:
    inside = root.resolve()
    try:
        found = sorted(_subfolders(root))
    except OSError as error:
        yield Folder("", problem=f"cannot be read: {error.strerror}")
        return
    for folder in found:
        yield _folder(folder, inside)


def _folder(folder: Path, inside: Path) -> Folder:
    path = folder / _HOSTS_TOML
    toml = _file(MIRRORS, path, inside) if path.exists() else File(MIRRORS, path)
    if toml.problem:
        return Folder(folder.name, problem=toml.problem)
    try:
        # As containerd does: without one, what Docker's folders hold.
        hosts = (
            hosts_toml.read(toml.content)
            if toml.content
            else hosts_toml.of_files(_certificates(folder))
        )
    except BrokenHostsError as error:
        return Folder(folder.name, toml.content, problem=str(error))
    except OSError as error:
        return Folder(folder.name, problem=f"cannot be read: {error.strerror}")
    names = dict.fromkeys(name for host in hosts for name in host.files)
    files = tuple((name, _file(MIRRORS, folder / name, inside)) for name in names)
    return Folder(folder.name, toml.content, hosts, files)


def _certificates(folder: Path) -> list[str]:
    names = [one.name for one in folder.iterdir() if one.name.endswith(_CERTIFICATES)]
    if len(names) > MAX_NAMES:
        raise BrokenHostsError(f"expected at most {MAX_NAMES} certificates and keys")
    return names


def _parts(one: File) -> Iterator[bytes]:
    yield repr((one.setting, str(one.path), one.problem)).encode()
    yield one.content
