"""Which settings change while a process runs, and which need another process.

A new settings file is taken up field by field: what is live holds for the reviews
that begin after it, the rest is reported until a new process reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from pathlib import PurePath
from typing import Final

from pydantic import BaseModel

from app.settings import naming
from app.settings.faults import Path, dotted
from app.settings.sections import Settings


class Life(Enum):
    """When a changed setting holds."""

    LIVE = "live"
    PROCESS = "new process"


_LIVE, _PROCESS = Life.LIVE, Life.PROCESS

LIFE: Final[Mapping[str, Life]] = {
    "server.host": _PROCESS,
    "server.port": _PROCESS,
    "server.certificate": _PROCESS,
    "server.privateKey": _PROCESS,
    "server.maxBodyBytes": _PROCESS,
    "server.validateTimeoutSeconds": _PROCESS,
    "server.mutateTimeoutSeconds": _PROCESS,
    "server.deadlineShare": _PROCESS,
    "server.keepAliveSeconds": _PROCESS,
    "server.maxReviews": _LIVE,
    "server.statusPort": _PROCESS,
    "server.drainSeconds": _PROCESS,
    "server.shutdownSeconds": _PROCESS,
    "server.requestsPerConnection": _PROCESS,
    "server.connectionSeconds": _PROCESS,
    "server.stuckSeconds": _PROCESS,
    "server.checkSeconds": _PROCESS,
    "certificates.mode": _PROCESS,
    "certificates.namespace": _PROCESS,
    "certificates.secret": _PROCESS,
    "certificates.service": _PROCESS,
    "certificates.clusterDomain": _PROCESS,
    "certificates.validatingConfiguration": _PROCESS,
    "certificates.mutatingConfiguration": _PROCESS,
    "certificates.authoritySeconds": _PROCESS,
    "certificates.leafSeconds": _PROCESS,
    "certificates.renewAt": _PROCESS,
    "certificates.publishSeconds": _PROCESS,
    "cluster.kubeconfig": _PROCESS,
    "cluster.context": _PROCESS,
    "cluster.trustedNamespaces": _PROCESS,
    "cluster.schedulers": _LIVE,
    "cluster.nodesIgnore": _LIVE,
    "cluster.transientTaints": _LIVE,
    "registry.dockerConfig": _LIVE,
    "registry.credentialHelpers": _LIVE,
    "registry.credentialProviders": _LIVE,
    "registry.credentialProviderFolder": _LIVE,
    "registry.pullSecrets": _LIVE,
    "registry.hosts": _LIVE,
    "registry.mirrors": _LIVE,
    "registry.proxy": _LIVE,
    "registry.allow": _LIVE,
    "registry.deny": _LIVE,
    "registry.layoutRoot": _LIVE,
    "registry.times": _LIVE,
    "registry.limits": _LIVE,
    "policy.mode": _LIVE,
    "policy.namespaceModes": _LIVE,
    "policy.podModes": _LIVE,
    "policy.onNoCandidates": _LIVE,
    "policy.onUnknown": _LIVE,
    "policy.onMissing": _LIVE,
    "policy.onUnavailable": _LIVE,
    "policy.onUnauthorized": _LIVE,
    "policy.onImageNotFound": _LIVE,
    "policy.onInvalid": _LIVE,
    "policy.onError": _LIVE,
    "policy.onOverload": _LIVE,
    "policy.onStale": _LIVE,
    "policy.onScalable": _LIVE,
    "policy.daemonSets": _LIVE,
    "policy.staleAfterSeconds": _LIVE,
    "policy.nodesMayAppear": _LIVE,
    "policy.poolLabels": _LIVE,
    "policy.tags": _LIVE,
    "policy.unpublishedFeatures": _LIVE,
    "policy.messages": _LIVE,
    "policy.exemptions": _LIVE,
    "policy.annotate": _LIVE,
}
"""Each setting, as a file spells it; a test asks for every field of the sections."""


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that two settings do not have in common.

    Attributes:
        path: as a file spells it.
        old: in JSON's types, as it was.
        new: as it is now.
    """

    path: Path
    old: object
    new: object

    @property
    def name(self) -> str:
        """The setting (`policy.mode`)."""
        return dotted(self.path)

    @property
    def life(self) -> Life:
        """When it holds."""
        return LIFE[self.name]

    def told(self) -> dict[str, object]:
        """For the log; of lists and mappings only what came and what went."""
        old, new = self.old, self.new
        if isinstance(old, dict) and isinstance(new, dict):
            went = {key: one for key, one in old.items() if new.get(key) != one}
            came = {key: one for key, one in new.items() if old.get(key) != one}
            return {"setting": self.name, "removed": went, "added": came}
        if isinstance(old, list) and isinstance(new, list):
            gone = [one for one in old if one not in new]
            added = [one for one in new if one not in old]
            return {"setting": self.name, "removed": gone, "added": added}
        return {"setting": self.name, "old": old, "new": new}


def changes(old: Settings, new: Settings) -> tuple[Change, ...]:
    """What differs, setting by setting, in the order of the sections."""
    found = (
        (path, _value(old, *path), _value(new, *path)) for path in naming.settings()
    )
    return tuple(
        Change(path, _plain(before), _plain(after))
        for path, before, after in found
        if before != after
    )


def taken_up(running: Settings, wanted: Settings) -> Settings:
    """The settings of a process that goes on: live ones of `wanted`, else its own."""
    return running.model_copy(
        update={
            section: getattr(running, section).model_copy(
                update={
                    name: getattr(getattr(wanted, section), name)
                    for key, name in naming.aliases(model).items()
                    if LIFE[f"{section}.{key}"] is Life.LIVE
                }
            )
            for section, model in naming.sections()
        }
    )


def needing(found: Iterable[Change], life: Life) -> tuple[Change, ...]:
    """Those of one life."""
    return tuple(one for one in found if one.life is life)


def _value(settings: Settings, section: str, key: str) -> object:
    part = getattr(settings, section)
    return getattr(part, naming.aliases(type(part))[key])


def _plain(value: object) -> object:
    """A value as a file spells it, for people and for the log; in a fixed order."""
    match value:
        case BaseModel():
            aliases = naming.aliases(type(value)).items()
            return {key: _plain(getattr(value, name)) for key, name in aliases}
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case frozenset():
            return sorted(map(str, value))
        case tuple():
            return [_plain(one) for one in value]
        case StrEnum() | PurePath() | date():
            return str(value)
        case Enum():
            return value.name.lower()
        case _:
            return value
