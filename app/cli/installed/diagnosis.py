"""Why a webhook says nothing: what the API server shows of it, cause by cause.

Causes are looked for in the order in which a request meets them; each that is
found is told, with what to do. What the credentials do not show is told, too: then
silence proves nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from cryptography import x509

from app.admission.policy import MODE_KEY, Mode
from app.cli.installed.asking import Api, Named, Unread, fetch
from app.cli.installed.configurations import VALIDATING, Hook, Service, find


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that stands between a request and the webhook.

    Attributes:
        problem: what is wrong.
        do: what to do about it.
        is_by_choice: whether somebody wants it so (a mode).
    """

    problem: str
    do: str
    is_by_choice: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    Attributes:
        causes: what is surely wrong, in the order in which a request meets it.
        unread: what the credentials did not show.
        leads: what is right, or what may be wrong, in a sentence each.
    """

    causes: tuple[Cause, ...]
    unread: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()


async def why_silent(api: Api, namespace: str) -> Diagnosis:
    """Why a Pod in `namespace` was answered as if there were no webhook.

    Raises:
        ClusterError: there is no way to the API server.
    """
    unread: list[str] = []
    hook = await _hook(api, unread)
    if isinstance(hook, Cause):
        return Diagnosis((hook,))
    causes = [*await _namespace(api, namespace, hook, unread)]
    if hook is not None:
        causes = [*_bundle(hook), *causes, *await _endpoints(api, hook, unread)]
    leads = () if causes else _leads(hook)
    return Diagnosis(tuple(causes), tuple(unread), leads)


async def _hook(api: Api, unread: list[str]) -> Hook | Cause | None:
    """The webhook for Pods; `None` if that cannot be seen."""
    found = await find(api, VALIDATING)
    if isinstance(found, Unread):
        unread.append(f"validatingwebhookconfigurations: {found.message}")
        return None
    hooks = [hook for one in found for hook in one.hooks if _is_for_pods(hook)]
    if hooks:
        return hooks[0]
    return Cause(
        "no ValidatingWebhookConfiguration has a webhook pods.imagecompat.dev",
        "install the chart again (helm upgrade --install)",
    )


def _is_for_pods(hook: Hook) -> bool:
    return hook.name.startswith("pods.")


def _bundle(hook: Hook) -> Sequence[Cause]:
    fault = bundle_fault(hook.ca_bundle, datetime.now(UTC))
    return [fault] if fault else []


def bundle_fault(ca_bundle: str, now: datetime) -> Cause | None:
    """What is wrong with a `caBundle`, if anything."""
    log = "read the log of the webhook's Pods: they publish it, or say why not"
    if not ca_bundle:
        return Cause("caBundle is empty: the API server trusts no certificate", log)
    try:
        found = x509.load_pem_x509_certificates(base64.b64decode(ca_bundle))
    except (ValueError, binascii.Error):
        return Cause("caBundle holds no certificate", log)
    if all(one.not_valid_after_utc <= now for one in found):
        return Cause("every certificate in caBundle has expired", log)
    return None


async def _namespace(
    api: Api, name: str, hook: Hook | None, unread: list[str]
) -> Sequence[Cause]:
    found = await fetch(api, f"/api/v1/namespaces/{name}", shape=Named)
    if isinstance(found, Unread):
        unread.append(f"namespace {name}: {found.message}")
        return []
    labels = found.metadata.labels
    causes: list[Cause] = []
    if hook is not None and not hook.takes(name, labels):
        causes.append(
            Cause(
                f"namespace {name} is exempt: namespaceSelector leaves it out",
                "choose another namespace with --namespace",
            )
        )
    if labels.get(MODE_KEY) in (Mode.OFF, Mode.AUDIT):
        causes.append(
            Cause(
                f"namespace {name} has the label {MODE_KEY}={labels[MODE_KEY]}",
                "choose another namespace with --namespace",
                is_by_choice=True,
            )
        )
    return causes


class _Conditions(msgspec.Struct):
    ready: bool | None = None


class _Endpoint(msgspec.Struct):
    conditions: _Conditions = msgspec.field(default_factory=_Conditions)
    addresses: list[str] = msgspec.field(default_factory=list)


class _Slice(msgspec.Struct):
    endpoints: list[_Endpoint] | None = None


class _Slices(msgspec.Struct):
    items: list[_Slice] | None = None


async def _endpoints(api: Api, hook: Hook, unread: list[str]) -> Sequence[Cause]:
    if hook.service is None:
        return []
    ready = await ready_endpoints(api, hook.service)
    if isinstance(ready, Unread):
        unread.append(f"endpointslices of {hook.service}: {ready.message}")
        return []
    if ready:
        return []
    where = hook.service.namespace
    return [
        Cause(
            f"Service {hook.service} has no ready endpoint",
            f"kubectl get pods -n {where}; kubectl logs -n {where} POD",
        )
    ]


async def ready_endpoints(api: Api, service: Service) -> int | Unread:
    """How many addresses of a Service take requests; 0 if there is no Service.

    Raises:
        ClusterError: there is no way to the API server.
    """
    path = f"/apis/discovery.k8s.io/v1/namespaces/{service.namespace}/endpointslices"
    query = {"labelSelector": f"kubernetes.io/service-name={service.name}"}
    found = await fetch(api, path, query, shape=_Slices)
    if isinstance(found, Unread):
        return found
    return sum(
        len(endpoint.addresses)
        for one in found.items or []
        for endpoint in one.endpoints or []
        # > nil should be interpreted as "true" (discovery/v1, EndpointConditions)
        if endpoint.conditions.ready is not False
    )


def _leads(hook: Hook | None) -> tuple[str, ...]:
    """Where to look on when nothing is surely wrong."""
    mode = "policy.mode may be off, or audit with policy.annotate off"
    if hook is None or hook.failure_policy == "Fail":
        return (mode,)
    where = f"Service {hook.service}" if hook.service else "clientConfig.url"
    open_fail = (
        f"the API server may not reach {where} and let the Pod pass "
        "(failurePolicy Ignore): see its metric "
        "apiserver_admission_webhook_fail_open_count, and firewalls"
    )
    return (open_fail, mode)
