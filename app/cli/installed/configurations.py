"""The webhook configurations as the API server holds them.

A webhook is ours by its name (`*.imagecompat.dev`), whatever its configuration is
called: the chart's names may be changed, these may not. Who edited a field after
the installation is read off `managedFields`: whoever owns `sideEffects`, which
nobody edits, installed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.cli.installed.asking import Api, Metadata, Unread, fetch
from app.scheduling.node import Node
from app.scheduling.selector import Requirement, as_test

DOMAIN: Final = "imagecompat.dev"
VALIDATING: Final = "validating"
MUTATING: Final = "mutating"
NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"

_GROUP: Final = "/apis/admissionregistration.k8s.io/v1"
PATHS: Final = {
    VALIDATING: f"{_GROUP}/validatingwebhookconfigurations",
    MUTATING: f"{_GROUP}/mutatingwebhookconfigurations",
}

_INSTALLED_FIELD: Final = "f:sideEffects"
_OWN_FIELD: Final = "f:caBundle"
"""Ours, or the certificate manager's: written after the installation."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A field of a webhook that somebody changed after the installation."""

    manager: str
    field: str


@dataclass(frozen=True, slots=True)
class Service:
    """Where a webhook's requests go."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Hook:
    """One of our webhooks.

    Attributes:
        name: `pods.imagecompat.dev`.
        failure_policy: `Ignore` or `Fail`.
        timeout_seconds: how long the API server waits.
        ca_bundle: PEM in base64; empty while no certificate is published.
        service: where requests go; `None` if that is a URL.
        requirements: of the namespaces' labels; all must hold.
        edits: what somebody changed after the installation.
    """

    name: str
    failure_policy: str
    timeout_seconds: int
    ca_bundle: str
    service: Service | None
    requirements: tuple[Requirement, ...]
    edits: tuple[Edit, ...] = ()

    def takes(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether requests of a namespace reach it."""
        node = Node(namespace, {NAMESPACE_NAME_LABEL: namespace, **labels})
        tests = [as_test(one) for one in self.requirements]
        return all(test is not None and test(node) for test in tests)

    @property
    def exempt_namespaces(self) -> tuple[str, ...]:
        """Namespaces that it leaves out by name, sorted."""
        return tuple(
            sorted(
                name
                for one in self.requirements
                if one.key == NAMESPACE_NAME_LABEL and one.operator == "NotIn"
                for name in one.values
            )
        )


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration with a webhook of ours.

    Attributes:
        kind: `validating` or `mutating`.
        name: the object's.
        labels: the object's.
        hooks: the webhooks that are ours, in order.
    """

    kind: str
    name: str
    labels: Mapping[str, str]
    hooks: tuple[Hook, ...]

    def __str__(self) -> str:
        return f"{self.kind} configuration {self.name}"


class _Requirement(msgspec.Struct):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class _Selector(msgspec.Struct, rename="camel"):
    match_labels: dict[str, str] | None = None
    match_expressions: list[_Requirement] | None = None


class _Service(msgspec.Struct):
    namespace: str = ""
    name: str = ""


class _Client(msgspec.Struct, rename="camel"):
    ca_bundle: str = ""
    service: _Service | None = None


class _Webhook(msgspec.Struct, rename="camel"):
    name: str = ""
    client_config: _Client = msgspec.field(default_factory=_Client)
    failure_policy: str = "Fail"
    timeout_seconds: int = 10
    namespace_selector: _Selector = msgspec.field(default_factory=_Selector)


class _Managed(msgspec.Struct, rename="camel"):
    manager: str = ""
    fields: dict[str, Any] = msgspec.field(default_factory=dict, name="fieldsV1")


class _Metadata(Metadata, rename="camel"):
    managed_fields: list[_Managed] = msgspec.field(default_factory=list)


class _Object(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    webhooks: list[_Webhook] | None = None


class _List(msgspec.Struct):
    items: list[_Object] | None = None


async def find(api: Api, kind: str) -> tuple[Configuration, ...] | Unread:
    """Every configuration of that kind with a webhook of ours, in their order.

    Raises:
        ClusterError: as for `asking.fetch`.
    """
    found = await fetch(api, PATHS[kind], shape=_List)
    if isinstance(found, Unread):
        return found
    made = (_configuration(kind, one) for one in found.items or [])
    return tuple(one for one in made if one.hooks)


def _configuration(kind: str, found: _Object) -> Configuration:
    ours = [one for one in found.webhooks or [] if one.name.endswith(f".{DOMAIN}")]
    metadata = found.metadata
    hooks = tuple(_hook(one, metadata.managed_fields) for one in ours)
    return Configuration(kind, metadata.name, metadata.labels, hooks)


def _hook(found: _Webhook, managed: list[_Managed]) -> Hook:
    client = found.client_config
    service = client.service
    return Hook(
        name=found.name,
        failure_policy=found.failure_policy,
        timeout_seconds=found.timeout_seconds,
        ca_bundle=client.ca_bundle,
        service=None if service is None else Service(service.namespace, service.name),
        requirements=_requirements(found.namespace_selector),
        edits=_edits(found.name, managed),
    )


def _requirements(selector: _Selector) -> tuple[Requirement, ...]:
    labels = (selector.match_labels or {}).items()
    return (
        *(Requirement(key, "In", (value,)) for key, value in labels),
        *(
            Requirement(one.key, one.operator, one.values or ())
            for one in selector.match_expressions or []
        ),
    )


def _edits(webhook: str, managed: list[_Managed]) -> tuple[Edit, ...]:
    """Fields of a webhook that belong to others than who installed it."""
    owned: dict[str, set[str]] = {}
    for one in managed:
        entry = one.fields.get("f:webhooks", {}).get(f'k:{{"name":"{webhook}"}}', {})
        for field in _leaves(entry):
            owned.setdefault(field, set()).add(one.manager)
    installers = owned.get(_INSTALLED_FIELD, set())
    return tuple(
        Edit(manager, field.removeprefix("f:"))
        for field, managers in sorted(owned.items())
        if installers and not managers & installers and field != _OWN_FIELD
        for manager in sorted(managers)
    )


def _leaves(entry: Mapping[str, Any]) -> set[str]:
    """The fields of a webhook that somebody owns; `clientConfig` one by one."""
    fields = {key for key in entry if key.startswith("f:")}
    client = "f:clientConfig"
    return (fields - {client}) | {
        key for key in entry.get(client, {}) if key.startswith("f:")
    }
