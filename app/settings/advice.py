"""Settings that are valid, but perhaps not what was meant.

A process takes them as they are; `imagecompat validate-config` tells.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from app.admission.policy import Mode
from app.settings.faults import Fault, Path, ordered
from app.settings.loading import Accepted
from app.settings.registry import SecretReading
from app.settings.sections import CertificateMode, ExemptionSettings, Settings

_NAMESPACE: Final = re.compile(r"[-a-z0-9*?\[\]!]*")
_ACCOUNT: Final = re.compile(r"[-a-z0-9*?\[\]!]*(?:/[-.a-z0-9*?\[\]!]*)?")
_EVERYTHING: Final = re.compile(r"[*/]*\*[*/]*")
_MAX_NAMESPACE: Final = 63

Advice = Iterator[tuple[Path, str]]


def advise(accepted: Accepted, now: datetime) -> tuple[Fault, ...]:
    """What looks like a mistake, in the order of the file.

    Args:
        accepted: settings that a process would take.
        now: with a time zone; decides what has expired.
    """
    settings, document = accepted.settings, accepted.document
    found = [
        Fault(text, path, document.place(path))
        for rule in _RULES
        for path, text in rule(settings, now)
    ]
    return ordered((*accepted.advice, *found))


def _certificate(settings: Settings, _: datetime) -> Advice:
    server = settings.server
    if settings.certificates.mode is CertificateMode.FILES and not (
        server.certificate and server.private_key
    ):
        text = "certificate and privateKey are needed with certificates.mode files"
        yield ("server",), text


def _trusted(settings: Settings, _: datetime) -> Advice:
    if not settings.cluster.trusted_namespaces:
        path = ("cluster", "trustedNamespaces")
        yield path, "no namespace is trusted: nothing is known of any node"


def _docker_config(settings: Settings, _: datetime) -> Advice:
    file = settings.registry.docker_config
    if file is not None and not os.access(file, os.R_OK):
        path = ("registry", "dockerConfig")
        yield path, f"{file} cannot be read here; a process would refuse that"


def _helpers(settings: Settings, _: datetime) -> Advice:
    registry = settings.registry
    if registry.credential_helpers is not None and registry.docker_config is None:
        path = ("registry", "credentialHelpers")
        yield path, "no helper is asked: only dockerConfig names some"


def _pull_secrets(settings: Settings, _: datetime) -> Advice:
    """What is listed counts only for its own way of reading, and is needed there."""
    section = settings.registry.pull_secrets
    lists = (
        ("names", section.names, SecretReading.NAMED),
        ("namespaces", section.namespaces, SecretReading.NAMESPACES),
    )
    for name, listed, reading in lists:
        if section.read is reading and not listed:
            path = ("registry", "pullSecrets", "read")
            yield path, f"no Secret is read: {name} lists none"
        if section.read is not reading and listed:
            path = ("registry", "pullSecrets", name)
            yield path, f"counts only with read: {reading.value}"


def _loopback(settings: Settings, _: datetime) -> Advice:
    for host, one in settings.registry.hosts.items():
        if one.loopback:
            path = ("registry", "hosts", host, "loopback")
            yield path, "whoever names this host reaches this machine: for tests only"


def _off(settings: Settings, _: datetime) -> Advice:
    if settings.policy.mode is Mode.OFF:
        text = "nothing is judged, but in namespaces that choose another mode"
        yield ("policy", "mode"), text


def _exemptions(settings: Settings, now: datetime) -> Advice:
    for position, one in enumerate(settings.policy.exemptions):
        path: Path = ("policy", "exemptions", position)
        if one.exemption().has_expired(now):
            ends = one.exemption().expires
            when = ends.astimezone(UTC).strftime("%Y-%m-%d") if ends else ""
            yield (*path, "expires"), f"has expired on {when}: it exempts nothing"
        elif _exempts_everything(one):
            yield path, "exempts everything"
        yield from _patterns(one, path)


def _exempts_everything(one: ExemptionSettings) -> bool:
    lists = (one.namespaces, one.images, one.service_accounts)
    return all(
        not patterns or any(map(_EVERYTHING.fullmatch, patterns)) for patterns in lists
    )


def _patterns(one: ExemptionSettings, path: Path) -> Advice:
    """Patterns that match no name that an object can have."""
    for at, pattern in enumerate(one.namespaces):
        is_long = len(pattern.replace("*", "")) > _MAX_NAMESPACE and "[" not in pattern
        if is_long or not _NAMESPACE.fullmatch(pattern):
            yield (*path, "namespaces", at), "matches no name that a namespace can have"
    for at, pattern in enumerate(one.service_accounts):
        if not _ACCOUNT.fullmatch(pattern):
            text = "matches no namespace/name that a service account can have"
            yield (*path, "serviceAccounts", at), text


_RULES: Final[tuple[Callable[[Settings, datetime], Advice], ...]] = (
    _certificate,
    _trusted,
    _docker_config,
    _helpers,
    _pull_secrets,
    _loopback,
    _off,
    _exemptions,
)
