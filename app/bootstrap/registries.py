"""The way to registries, as the settings allow it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from app.bootstrap.observers import RegistryObserver
from app.errors import ConfigError
from app.oci import credentials
from app.oci.artifacts import LayoutsFirst, RegistryArtifacts, Times
from app.oci.client import Shared
from app.oci.credentials import MAX_CONFIG_BYTES, Keyring
from app.oci.guard import HostPolicy, RegistryPolicy
from app.oci.layout import LayoutArtifacts
from app.oci.limits import Limits
from app.oci.transport import AiohttpTransport
from app.ports import Artifacts
from app.settings import RegistrySettings
from app.telemetry import Metrics


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Where artifacts come from, by one set of settings.

    Attributes:
        port: that reviews ask.
        registries: behind it.
    """

    port: Artifacts
    registries: RegistryArtifacts


def sources(
    settings: RegistrySettings, credentials: Keyring, metrics: Metrics
) -> Sources:
    """Layouts where there are some, else registries; opens nothing yet."""
    layouts = LayoutArtifacts(settings.layout_root)
    found = registries(settings, credentials, metrics)
    return Sources(LayoutsFirst(layouts, found), found)


def registries(
    settings: RegistrySettings, keyring: Keyring, metrics: Metrics
) -> RegistryArtifacts:
    """Reads artifacts from registries.

    It remembers nothing that others found: what one credential earned serves no
    other, and what is not allowed any more is not answered from memory.
    """
    policy = RegistryPolicy(
        hosts={
            host: HostPolicy(one.plain_http, one.private, one.loopback)
            for host, one in settings.hosts.items()
        },
        refused=_api_server_addresses(os.environ),
        realms={host: one.token_servers for host, one in settings.hosts.items()},
    )
    limits = Limits(**settings.limits.model_dump())
    observer = RegistryObserver(metrics)
    shared = Shared(
        transport=AiohttpTransport(policy, limits),
        policy=policy,
        operator=keyring,
        limits=limits,
        observer=observer,
    )
    times = Times(**settings.times.model_dump())
    return RegistryArtifacts(shared, times=times, observer=observer)


def _api_server_addresses(environment: Mapping[str, str]) -> frozenset[str]:
    """Where the kubelet says that the API server is; no registry is there."""
    return frozenset(filter(None, [environment.get("KUBERNETES_SERVICE_HOST")]))


def docker_config(settings: RegistrySettings) -> bytes:
    """The bytes of the Docker config file; none without one.

    Raises:
        ConfigError: it cannot be read.
    """
    path = settings.docker_config
    if path is None:
        return b""
    try:
        with path.open("rb") as file:
            return file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        text = f"registry.dockerConfig {path}: cannot be read: {error.strerror}"
        raise ConfigError("InvalidDockerConfig", text) from error


def keyring(settings: RegistrySettings, content: bytes) -> Keyring:
    """What a Docker config file of this content opens.

    Raises:
        ConfigError: it is none; the message never holds its values.
    """
    if settings.docker_config is None:
        return Keyring()
    try:
        return credentials.read(content)
    except ConfigError as error:
        text = f"registry.dockerConfig {settings.docker_config}: {error.message}"
        raise ConfigError(error.reason, text) from error
