"""Settings of the section `registry`: how images and their artifacts are found."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from app.oci.images.reference import api_host
from app.oci.registry import patterns
from app.oci.ways import proxies
from app.settings.section import Section

_HOST: Final = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?|\[(?P<address>[a-f0-9:.]+)\])"
    r"(?::(?P<port>[0-9]{1,16}))?",
    re.ASCII,
)
"""As in image references, and with `_`, which names of mirrors may have."""
_PROXY_HOST: Final = re.compile(r"[a-z0-9._-]{1,255}|[a-f0-9:.]+", re.ASCII)
_MAX_PORT: Final = 65535
_SAY_PROXY: Final = "expected http://HOST:PORT or https://HOST:PORT"


def _host(text: str) -> str:
    match = _HOST.fullmatch(text.lower())
    if match is None or not 0 < int(match["port"] or _MAX_PORT) <= _MAX_PORT:
        wanted = "expected HOST, HOST:PORT or [ADDRESS]:PORT"
        raise ValueError(f"{wanted}, as images name it: no scheme and no path")
    if match["address"] is not None:
        try:
            ipaddress.IPv6Address(match["address"])
        except ValueError:
            raise ValueError("expected an IPv6 address in the brackets") from None
    return text


_Host = Annotated[str, AfterValidator(_host)]


class RegistryHostSettings(Section):
    """What is allowed towards one registry host, and how it is spoken to."""

    plain_http: bool = False
    """Speak HTTP instead of HTTPS."""
    plain_http_credentials: bool = False
    """Send credentials even over HTTP, where anybody on the way can read them."""
    private: bool = False
    """The host may resolve to addresses of private networks."""
    loopback: bool = False
    """The host may be this machine; for tests and the demo."""
    token_servers: frozenset[_Host] = frozenset()
    """Other hosts that give tokens for this registry (a GitLab's own)."""
    ca_file: Path | None = None
    """PEM bundle of authorities that are trusted for this host besides the system's."""
    client_certificate: Path | None = None
    """PEM file with a client certificate and its chain; with `clientKey`."""
    client_key: Path | None = None
    """PEM file with its key."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("clientCertificate and clientKey: expected both or none")
        if self.plain_http_credentials and not self.plain_http:
            raise ValueError("plainHttpCredentials: expected plainHttp with it")
        return self


def _proxy(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"{_SAY_PROXY}, with a port from 1 to {_MAX_PORT}") from None
    if parts.scheme not in {"http", "https"} or not _PROXY_HOST.fullmatch(host):
        raise ValueError(_SAY_PROXY)
    if port == 0:
        raise ValueError(f"{_SAY_PROXY}, with a port from 1 to {_MAX_PORT}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected no user here: see credentialsFile")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("expected a host and a port, and no path")
    return text


def _pattern(text: str) -> str:
    patterns.parse(text)
    return text


def _direct(text: str) -> str:
    proxies.rule(text)
    return text


_Proxy = Annotated[str, AfterValidator(_proxy)]
_Pattern = Annotated[str, AfterValidator(_pattern)]
_Direct = Annotated[str, AfterValidator(_direct)]


class RegistryProxySettings(Section):
    """Proxies towards registries; the environment's are never used."""

    http: _Proxy | None = None
    """For registries on plain HTTP."""
    https: _Proxy | None = None
    """For registries on HTTPS (the proxy sees host and port only)."""
    no_proxy: tuple[_Direct, ...] = ()
    """Hosts that are asked directly: `registry.example`, `.example` with all below it,
    `10.0.0.0/8`, each with `:PORT` if need be; `*` for all."""
    credentials_file: Path | None = None
    """File with `USER:PASSWORD` for the proxies."""


class SecretReading(StrEnum):
    """Which pull secrets of Pods may be read."""

    NONE = "none"
    NAMED = "named"
    NAMESPACES = "namespaces"


class PullSecretSettings(Section):
    """Whether `imagePullSecrets` of Pods and ServiceAccounts are read."""

    read: SecretReading = SecretReading.NONE
    """`none`; `named`: those in `names`; `namespaces`: all of `namespaces`."""
    names: frozenset[str] = frozenset()
    """Secrets as `NAMESPACE/NAME`."""
    namespaces: frozenset[str] = frozenset()
    """Namespaces; `*` for every one in which a Role lets us."""
    seconds: float = Field(default=60.0, gt=0, le=3600)
    """How long a Secret that was read holds."""

    @field_validator("names")
    @classmethod
    def _are_names(cls, names: frozenset[str]) -> frozenset[str]:
        for name in sorted(names):
            namespace, slash, rest = name.partition("/")
            if not (namespace and slash and rest) or "/" in rest:
                raise ValueError(f"{name}: expected NAMESPACE/NAME")
        return names


class RegistryTimeSettings(Section):
    """How long answers hold, in seconds."""

    by_digest_seconds: float = Field(default=60.0, ge=0, le=86400)
    """Which artifact counts for a digest."""
    by_tag_seconds: float = Field(default=30.0, ge=0, le=86400)
    """What a tag points to."""
    missing_seconds: float = Field(default=15.0, ge=0, le=86400)
    """That there is no artifact or no image, that it is broken, or not for us."""
    failed_seconds: float = Field(default=5.0, ge=0, le=3600)
    """That a registry could not be asked."""
    patience_seconds: float = Field(default=4.0, ge=0, le=30)
    """How old a lookup may become until no review waits for it any more."""
    content_seconds: float = Field(default=3600.0, ge=0, le=86400)
    """Content, which goes by its digest."""
    stale_seconds: float = Field(default=600.0, ge=0, le=86400)
    """After its time an answer stands in for a registry that cannot be asked."""


class RegistryLimitSettings(Section):
    """Every bound of reading registries; see `app.oci.limits.Limits`."""

    manifest_bytes: int = Field(default=4 << 20, ge=1 << 10, le=64 << 20)
    """Of an image's manifest or index."""
    artifact_bytes: int = Field(default=1 << 20, ge=1 << 10, le=16 << 20)
    """Of an artifact's manifest."""
    spec_bytes: int = Field(default=256 << 10, ge=1 << 10, le=1 << 20)
    """Of a compatibility spec."""
    token_bytes: int = Field(default=64 << 10, ge=1 << 10, le=1 << 20)
    """Of a token server's answer."""
    error_bytes: int = Field(default=8 << 10, ge=0, le=1 << 20)
    """Of an error's body, which is read away and dropped."""
    pages: int = Field(default=10, ge=1, le=100)
    """Of referrers."""
    descriptors: int = Field(default=256, ge=1, le=10_000)
    """Of referrers, all pages together."""
    untyped: int = Field(default=8, ge=1, le=256)
    """Artifacts of one subject whose manifests are read to tell what they are."""
    redirects: int = Field(default=3, ge=0, le=10)
    """In a row."""
    children: int = Field(default=256, ge=1, le=10_000)
    """Manifests of an index that are considered."""
    nested: int = Field(default=8, ge=0, le=64)
    """Indexes that one index may list."""
    connect_seconds: float = Field(default=2.0, gt=0, le=30)
    """Until a connection stands."""
    lookup_seconds: float = Field(default=10.0, gt=0, le=120)
    """One whole lookup, however long its caller waits."""
    lookups: int = Field(default=64, ge=1, le=1024)
    """At the same time."""
    waiting: int = Field(default=512, ge=1, le=10_000)
    """Lookups under way or waiting for their turn."""
    per_host: int = Field(default=8, ge=1, le=256)
    """Lookups on one registry, and requests to one host, at the same time."""
    retries: int = Field(default=2, ge=0, le=10)
    """Of one request that may be repeated, within the lookup's time."""
    retry_after_seconds: float = Field(default=5.0, ge=0, le=60)
    """A longer `Retry-After` is not waited for: the answer counts as it is."""
    breaker_failures: int = Field(default=5, ge=1, le=1000)
    """Failures of one host, or of one of its repositories, in a row, until it is left
    alone for a while."""
    breaker_seconds: float = Field(default=30.0, gt=0, le=600)
    """How long."""


class RegistrySettings(Section):
    """How images and their artifacts are found."""

    docker_config: Path | None = None
    """A Docker config file with `auths`, `credHelpers` and `credsStore`; without one,
    anonymous."""
    credential_helpers: Path | None = None
    """Folder of the programs `docker-credential-NAME` that `dockerConfig` names."""
    credential_providers: Path | None = None
    """A kubelet's CredentialProviderConfig file; with `credentialProviderFolder`."""
    credential_provider_folder: Path | None = None
    """Folder of the plugins that it names."""
    pull_secrets: PullSecretSettings = PullSecretSettings()
    """Whether `imagePullSecrets` are read."""
    hosts: dict[_Host, RegistryHostSettings] = Field(default_factory=dict)
    """Registry host in lower case (`registry.example:5000`, `docker.io`) -> what is
    allowed. Without a port it stands for 443, and with `plainHttp` for 80; other ports
    of the host are listed by themselves."""
    mirrors: Path | None = None
    """Folder with `HOST/hosts.toml` files as containerd reads them (`certs.d`)."""
    proxy: RegistryProxySettings = RegistryProxySettings()
    """Proxies towards registries."""
    allow: tuple[_Pattern, ...] = ()
    """Patterns `HOST[/PATH]` of the only repositories that are asked; empty for all."""
    deny: tuple[_Pattern, ...] = ()
    """Patterns of repositories that are never asked; they win."""
    layout_root: Path | None = None
    """A folder of OCI layouts, `REGISTRY/REPOSITORY/`, read instead of registries."""
    times: RegistryTimeSettings = RegistryTimeSettings()
    """How long answers hold."""
    limits: RegistryLimitSettings = RegistryLimitSettings()
    """Every bound."""

    @field_validator("hosts")
    @classmethod
    def _lower(
        cls, hosts: dict[str, RegistryHostSettings]
    ) -> dict[str, RegistryHostSettings]:
        """Hosts are compared in lower case."""
        known: dict[str, str] = {}
        for host in hosts:
            other = known.setdefault(api_host(host), host)
            if other != host:
                raise ValueError(f"{other} and {host} are one host")
        return {host.lower(): one for host, one in hosts.items()}

    @model_validator(mode="after")
    def _has_both(self) -> Self:
        config, folder = self.credential_providers, self.credential_provider_folder
        if (config is None) != (folder is None):
            text = "credentialProviders and credentialProviderFolder: "
            raise ValueError(f"{text}expected both or none")
        return self
