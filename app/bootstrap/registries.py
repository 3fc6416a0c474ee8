"""The way to registries, as the settings allow it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from app.bootstrap.observers import RegistryObserver
from app.errors import ConfigError
from app.oci import credentials
from app.oci.artifacts import RegistryArtifacts
from app.oci.client import Shared
from app.oci.credentials import MAX_CONFIG_BYTES, Keyring
from app.oci.guard import HostPolicy, RegistryPolicy
from app.oci.limits import Limits
from app.oci.transport import AiohttpTransport
from app.settings import RegistrySettings
from app.telemetry import Metrics


def registries(settings: RegistrySettings, metrics: Metrics) -> RegistryArtifacts:
    """Reads artifacts from registries.

    Raises:
        ConfigError: the Docker config file cannot be used.
    """
    policy = RegistryPolicy(
        hosts={
            host: HostPolicy(one.plain_http, one.private, one.loopback)
            for host, one in settings.hosts.items()
        },
        refused=_api_server_addresses(os.environ),
        realms={host: one.token_servers for host, one in settings.hosts.items()},
    )
    limits = Limits()
    observer = RegistryObserver(metrics)
    shared = Shared(
        transport=AiohttpTransport(policy, limits),
        policy=policy,
        keyring=_keyring(settings.docker_config),
        limits=limits,
        observer=observer,
    )
    return RegistryArtifacts(shared, observer=observer)


def _api_server_addresses(environment: Mapping[str, str]) -> frozenset[str]:
    """Where the kubelet says that the API server is; no registry is there."""
    return frozenset(filter(None, [environment.get("KUBERNETES_SERVICE_HOST")]))


def _keyring(path: Path | None) -> Keyring:
    if path is None:
        return Keyring()
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
        return credentials.read(content)
    except OSError as error:
        text = f"registry.dockerConfig {path}: cannot be read: {error.strerror}"
        raise ConfigError("InvalidDockerConfig", text) from error
    except ConfigError as error:
        text = f"registry.dockerConfig {path}: {error.message}"
        raise ConfigError(error.reason, text) from error
