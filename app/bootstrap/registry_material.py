"""What the files of registry settings hold, read as what they are to be.

Every file that cannot be used is told by its setting, its path and what is wrong with
it, never by its content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from app.bootstrap import registry_files as files
from app.bootstrap.registry_files import File, Folder, RegistryFiles
from app.errors import ConfigError
from app.oci import credentials
from app.oci.credentials import Keyring
from app.oci.credentials.helpers import HelperNames, read_helpers
from app.oci.credentials.plugin_config import Plugin, read_plugins
from app.oci.images.reference import api_host
from app.oci.ways import proxies, trust
from app.oci.ways.hosts_toml import Host
from app.oci.ways.trust import Material, Pair, UnusableMaterialError
from app.oci.ways.ways import Configured
from app.settings.faults import Fault
from app.settings.faults import Path as Setting
from app.settings.registry import RegistrySettings

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RegistryMaterial:
    """What all files hold.

    Attributes:
        keyring: of the Docker config file.
        helpers: that it names.
        plugins: of the CredentialProviderConfig.
        hosts: host, with its port if it has one -> its TLS material.
        mirrors: name of a folder of mirrors -> its hosts.
        proxy_user: for proxies; `None` for none.
        proxy_password: of that user.
    """

    keyring: Keyring = field(default_factory=Keyring)
    helpers: HelperNames = field(default_factory=HelperNames)
    plugins: tuple[Plugin, ...] = ()
    hosts: Mapping[str, Material] = field(default_factory=dict)
    mirrors: Mapping[str, tuple[Configured, ...]] = field(default_factory=dict)
    proxy_user: str | None = field(default=None, repr=False)
    proxy_password: str = field(default="", repr=False)


def material(
    settings: RegistrySettings, found: RegistryFiles
) -> RegistryMaterial | tuple[Fault, ...]:
    """What the files hold, or everything that is wrong with them; never raises."""
    return _Reader(settings, found).read()


class _Reader:
    """Reads file by file, and collects what is wrong."""

    def __init__(self, settings: RegistrySettings, found: RegistryFiles) -> None:
        self._settings = settings
        self._found = found
        self._faults: list[Fault] = []

    def read(self) -> RegistryMaterial | tuple[Fault, ...]:
        for one in self._found.files:
            if one.problem:
                self._fault(one, one.problem)
        proxy = self._of(files.PROXY, proxies.read_credentials)
        made = RegistryMaterial(
            keyring=self._of(files.DOCKER_CONFIG, _keyring) or Keyring(),
            helpers=self._of(files.DOCKER_CONFIG, read_helpers) or HelperNames(),
            plugins=self._of(files.PROVIDERS, read_plugins) or (),
            hosts=dict(self._hosts()),
            mirrors={one.name: self._mirrors(one) for one in self._found.folders},
            proxy_user=proxy[0] if proxy else None,
            proxy_password=proxy[1] if proxy else "",
        )
        return tuple(dict.fromkeys(self._faults)) or made

    def _fault(self, one: File, text: str) -> None:
        for line in text.splitlines():
            self._faults.append(Fault(f"{one.path}: {line}", one.setting))

    def _of(self, setting: Setting, reading: Callable[[bytes], _T]) -> _T | None:
        """What one file holds; `None` for no file, or none that can be used."""
        one = self._found.of(*map(str, setting))
        return None if one is None else self._read(one, reading)

    def _read(self, one: File, reading: Callable[[bytes], _T]) -> _T | None:
        if one.problem:
            return None
        try:
            return reading(one.content)
        except (ConfigError, ValueError) as error:
            self._fault(one, str(error))
            return None

    # TLS ------------------------------------------------------------------------

    def _hosts(self) -> Iterator[tuple[str, Material]]:
        for host in self._settings.hosts:
            of = {
                name: self._found.of(*files.HOSTS, host, name)
                for name in (files.CA, files.CERTIFICATE, files.KEY)
            }
            authorities = self._authorities(of[files.CA])
            pairs = self._pair(of[files.CERTIFICATE], of[files.KEY])
            if authorities or pairs:
                yield api_host(host), Material(authorities, pairs)

    def _mirrors(self, folder: Folder) -> tuple[Configured, ...]:
        where = f"{self._settings.mirrors}/{folder.name}".rstrip("/")
        if folder.problem:
            path = f"{where}/hosts.toml" if folder.name else where
            self._faults.append(Fault(f"{path}: {folder.problem}", files.MIRRORS))
        named = dict(folder.files)
        for one in named.values():
            if one.problem:
                self._fault(one, one.problem)
        return tuple(self._configured(one, named) for one in folder.hosts)

    def _configured(self, host: Host, named: Mapping[str, File]) -> Configured:
        bundles = [self._authorities(named[one]) for one in host.authorities]
        pairs = [self._pair(named[one], named[two]) for one, two in host.pairs]
        found = Material(
            tuple(one for bundle in bundles for one in bundle),
            tuple(one for pair in pairs for one in pair),
            host.skip_verify,
        )
        return Configured(host, found if found != trust.SYSTEM else None)

    def _authorities(self, bundle: File | None) -> tuple[bytes, ...]:
        if bundle is None or bundle.problem:
            return ()
        try:
            trust.require_authorities(bundle.content)
        except UnusableMaterialError as error:
            self._fault(bundle, str(error))
            return ()
        return (bundle.content,)

    def _pair(self, certificate: File | None, key: File | None) -> tuple[Pair, ...]:
        if certificate is None or key is None or certificate.problem or key.problem:
            return ()
        pair = Pair(certificate.content, key.content)
        try:
            trust.require_pair(pair)
        except UnusableMaterialError as error:
            both = f"{error}" if certificate == key else f"with {key.path}: {error}"
            self._fault(certificate, both)
            return ()
        return (pair,)


def _keyring(content: bytes) -> Keyring:
    return credentials.read(content, has_tokens=True)
