"""What registries may be asked, and as whom: what was found lasts while that is equal.

Files are rotated: a password or a token, an authority, a client certificate, the
password of proxies. That takes nothing away, and may well happen while a registry
cannot be asked; so what was found before stands in then, as it would without the
change, and is never a fresh answer. Anything else may take something away: an account
that is gone, other helpers or plugins, another mirror or anything of its folder, any
other setting. Then nothing of what was found counts any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.bootstrap import registry_files
from app.bootstrap.registry_files import Folder, RegistryFiles
from app.oci import credentials
from app.oci.credentials.helpers import HelperNames, read_helpers
from app.settings.registry import RegistrySettings


@dataclass(frozen=True, slots=True)
class Standing:
    """Equal ones differ in nothing but what is rotated.

    Attributes:
        settings: of registries.
        accounts: key and user of every entry of the Docker config file, in order.
        helpers: that it names; `None` for no file.
        plugins: content of the CredentialProviderConfig.
        mirrors: with the files of their folders.
    """

    settings: RegistrySettings
    accounts: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    helpers: HelperNames | None = None
    plugins: bytes = field(default=b"", repr=False)
    mirrors: tuple[Folder, ...] = ()

    @classmethod
    def of(cls, settings: RegistrySettings, files: RegistryFiles) -> Standing:
        """By settings, and the files that they name.

        Raises:
            ConfigError: the Docker config file cannot be used.
        """
        config = files.of(*map(str, registry_files.DOCKER_CONFIG))
        providers = files.of(*map(str, registry_files.PROVIDERS))
        plugins = providers.content if providers is not None else b""
        if config is None:
            return cls(settings, plugins=plugins, mirrors=files.folders)
        entries = credentials.read(config.content, has_tokens=True).entries
        accounts = tuple((one.key, one.credential.username) for one in entries)
        helpers = read_helpers(config.content)
        return cls(settings, accounts, helpers, plugins, files.folders)
