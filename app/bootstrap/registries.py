"""The way to registries, as the settings allow it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from app.bootstrap.observers import RegistryObserver
from app.bootstrap.registry_files import RegistryFiles
from app.bootstrap.registry_material import RegistryMaterial, material
from app.bootstrap.standing import Standing
from app.bootstrap.way_observers import ProgramObserver, WayObserver
from app.errors import ConfigError
from app.kube.backoff import Clock
from app.kube.remembered import Remembered
from app.kube.secrets import KubePullSecrets
from app.oci.cache import Filled
from app.oci.credentials import Offers
from app.oci.credentials.helpers import HELPER_BYTES, HELPER_SECONDS, Helpers
from app.oci.credentials.operator import Operator
from app.oci.credentials.plugins import PLUGIN_BYTES, PLUGIN_SECONDS, Plugins
from app.oci.credentials.programs import (
    MAX_PROGRAMS,
    Programs,
    Runner,
    environment,
)
from app.oci.images.reference import api_host
from app.oci.layouts import LayoutArtifacts, LayoutsFirst
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts, Times
from app.oci.registry import patterns
from app.oci.registry.client import Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport
from app.oci.ways import proxies
from app.oci.ways.proxies import Proxies
from app.oci.ways.trust import Trust
from app.oci.ways.ways import Ways
from app.ports import Artifacts, PullSecrets
from app.settings.registry import RegistryHostSettings, RegistrySettings
from app.telemetry import Metrics


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Where artifacts come from, by one set of settings.

    Attributes:
        port: that reviews ask.
        registries: behind it.
        secrets: of Pods, that they ask; `None` for none.
        standing: what they may ask, and as whom; `None` for nothing like another's.
    """

    port: Artifacts
    registries: RegistryArtifacts
    secrets: KubePullSecrets | None = None
    standing: Standing | None = None

    def inherit(self, other: Sources) -> None:
        """Takes over what still counts of what others remember.

        What they found is asked for anew here, and stands in if that fails: only
        where both may ask the same, as the same.
        """
        if self.standing is not None and self.standing == other.standing:
            self.registries.inherit(other.registries)
        if self.secrets is not None and other.secrets is not None:
            self.secrets.inherit(other.secrets)

    def caches(self) -> Mapping[str, Filled]:
        """What is remembered, by what it is."""
        read = self.secrets.memory if self.secrets is not None else _NOTHING
        return {**self.registries.caches(), "pull_secrets": read}

    async def close(self) -> None:
        """Ends what is under way, and all connections to registries."""
        await self.registries.close()
        if self.secrets is not None:
            await self.secrets.close()


_NOTHING: Final[Filled] = Remembered[None, None](Clock(), most=0, most_bytes=0)


def sources(
    settings: RegistrySettings,
    files: RegistryFiles,
    metrics: Metrics,
    secrets: KubePullSecrets | None = None,
) -> Sources:
    """Layouts where there are some, else registries; opens nothing yet.

    Args:
        settings: of registries.
        files: that they name.
        metrics: count.
        secrets: reads the pull secrets of Pods; `None` for none.

    Raises:
        ConfigError: one of the files cannot be used.
    """
    limits = Limits(**settings.limits.model_dump())
    layouts = LayoutArtifacts(settings.layout_root, limits)
    found = registries(settings, files, metrics, secrets)
    standing = Standing.of(settings, files)
    return Sources(LayoutsFirst(layouts, found), found, secrets, standing)


def registries(
    settings: RegistrySettings,
    files: RegistryFiles,
    metrics: Metrics,
    secrets: PullSecrets | None = None,
) -> RegistryArtifacts:
    """Reads artifacts from registries; arguments as for `sources`.

    It remembers nothing that others found: what one credential earned serves no
    other, and what is not allowed any more is not answered from memory. See
    `Sources.inherit` for what may stand in.
    """
    observer = RegistryObserver(metrics)
    found = shared(settings, files, observer)
    times = Times(**settings.times.model_dump())
    return RegistryArtifacts(found, secrets=secrets, times=times, observer=observer)


def shared(
    settings: RegistrySettings,
    files: RegistryFiles,
    observer: RegistryObserver,
    programs: Runner | None = None,
) -> Shared:
    """The way to registries; sends nothing yet.

    Args:
        settings: of registries.
        files: that they name.
        observer: counts.
        programs: where Docker's helpers are, unless the settings name a folder.

    Raises:
        ConfigError: one of the files cannot be used.
    """
    held = material(settings, files)
    if isinstance(held, tuple):
        lines = (one.line("the settings") for one in held)
        raise ConfigError("InvalidSettings", "\n".join(lines))
    allowed, limits = policy(settings), Limits(**settings.limits.model_dump())
    return Shared(
        transport=AiohttpTransport(
            _with_mirrors(allowed, held),
            limits,
            Trust(held.hosts),
            _proxies(settings, held),
        ),
        policy=allowed,
        operator=_operator(settings, held, programs, ProgramObserver(observer.metrics)),
        limits=limits,
        observer=observer,
        circuits=observer,
        ways=Ways(held.mirrors, WayObserver()),
    )


def policy(settings: RegistrySettings) -> RegistryPolicy:
    """What the operator allows towards registries."""
    return RegistryPolicy(
        hosts={api_host(host): _host(one) for host, one in settings.hosts.items()},
        refused=_api_server_addresses(os.environ),
        realms={
            api_host(host): one.token_servers for host, one in settings.hosts.items()
        },
        allow=tuple(map(patterns.parse, settings.allow)),
        deny=tuple(map(patterns.parse, settings.deny)),
    )


def _with_mirrors(policy: RegistryPolicy, held: RegistryMaterial) -> RegistryPolicy:
    """The same, and port 80 of hosts that a `hosts.toml` names as `http://HOST`."""
    named = {
        api_host(one.host.host)
        for hosts in held.mirrors.values()
        for one in hosts
        if one.host.scheme == "http"
    }
    plain = {f"{one}:80": policy.hosts[one] for one in named if one in policy.hosts}
    return replace(policy, hosts={**plain, **policy.hosts})


def _host(settings: RegistryHostSettings) -> HostPolicy:
    return HostPolicy(
        plain_http=settings.plain_http,
        plain_http_credentials=settings.plain_http_credentials,
        private=settings.private,
        loopback=settings.loopback,
    )


def _api_server_addresses(environment: Mapping[str, str]) -> frozenset[str]:
    """Where the kubelet says that the API server is; no registry is there."""
    return frozenset(filter(None, [environment.get("KUBERNETES_SERVICE_HOST")]))


def _proxies(settings: RegistrySettings, held: RegistryMaterial) -> Proxies:
    return Proxies(
        settings.proxy.http,
        settings.proxy.https,
        tuple(map(proxies.rule, settings.proxy.no_proxy)),
        held.proxy_user,
        held.proxy_password,
    )


def _operator(
    settings: RegistrySettings,
    held: RegistryMaterial,
    programs: Runner | None,
    observer: ProgramObserver,
) -> Offers:
    """Programs of both folders take turns together."""
    turns = asyncio.Semaphore(MAX_PROGRAMS)
    helpers = plugins = None
    if settings.credential_helpers is not None:
        folder = settings.credential_helpers
        programs = _programs(folder, turns, HELPER_SECONDS, HELPER_BYTES)
    if programs is not None:
        helpers = Helpers(held.helpers, programs, observer=observer)
    if settings.credential_provider_folder is not None:
        programs = _programs(
            settings.credential_provider_folder, turns, PLUGIN_SECONDS, PLUGIN_BYTES
        )
        plugins = Plugins(held.plugins, programs, observer=observer)
    return Operator(held.keyring, helpers, plugins)


def _programs(
    folder: Path, turns: asyncio.Semaphore, seconds: float, most_bytes: int
) -> Programs:
    return Programs(
        folder.absolute(),
        environment(os.environ),
        seconds=seconds,
        most_bytes=most_bytes,
        turns=turns,
    )
