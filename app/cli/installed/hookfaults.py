"""Faults of what the API server asks: the webhook configurations."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from app.cli.installed.asking import Unread
from app.cli.installed.configurations import MUTATING, VALIDATING, Hook
from app.cli.installed.diagnosis import bundle_fault
from app.cli.installed.fault import (
    REINSTALL,
    Problem,
    hooks,
    is_read,
    of,
    statuses,
)
from app.cli.installed.survey import Survey
from app.status import Status

EXPIRY: Final = timedelta(days=14)
"""Certificates are renewed long before; the alerts begin here, too."""


def _configuration_missing(survey: Survey, _: datetime) -> Iterator[Problem]:
    if survey.replicas == ():
        return
    if is_read(survey, VALIDATING) and not of(survey, VALIDATING):
        yield Problem(
            "ConfigurationMissing",
            "there is no ValidatingWebhookConfiguration: nothing is judged",
            REINSTALL,
        )
    is_wanted = any(status.rules.annotate for _, status in statuses(survey))
    if is_read(survey, MUTATING) and not of(survey, MUTATING) and is_wanted:
        yield Problem(
            "ConfigurationMissing",
            "there is no MutatingWebhookConfiguration: no Pod is annotated",
            f"{REINSTALL}; or set policy.annotate to false",
        )


def _configuration_foreign(survey: Survey, _: datetime) -> Iterator[Problem]:
    for kind in (VALIDATING, MUTATING):
        for one in of(survey, kind):
            services = {str(hook.service) for hook in one.hooks if hook.service}
            instance = one.labels.get("app.kubernetes.io/instance")
            elsewhere = {
                str(hook.service)
                for hook in one.hooks
                if hook.service and hook.service.namespace != survey.namespace
            }
            if elsewhere or (instance is not None and instance != survey.release):
                calls = ", ".join(sorted(services)) or "a URL"
                yield Problem(
                    "ConfigurationForeign",
                    f"the {one} (release {instance}) is not of release "
                    f"{survey.release} in {survey.namespace}: it calls {calls}",
                    "uninstall the release that is not wanted",
                )


def _bundles(survey: Survey, now: datetime) -> Iterator[Problem]:
    for one, hook in hooks(survey):
        fault = bundle_fault(hook.ca_bundle, now)
        if fault is not None:
            yield Problem("CaBundle", f"{one}: {fault.problem}", fault.do)
            continue
        for name, status in statuses(survey):
            if not _is_trusted(hook, status):
                yield Problem(
                    "CaBundleNotServed",
                    f"{one}: caBundle does not trust the certificate that {name} "
                    "serves",
                    "read its log; with an existing Secret, tls.caBundle has to be "
                    "the authority that signed it",
                )


def _is_trusted(hook: Hook, status: Status) -> bool:
    """Whether `caBundle` trusts what is served; true where a replica does not tell.

    By the authority's fingerprint where it is known (`tls.mode: self`), else by the
    issuer's name; a certificate may also stand in the bundle itself.
    """
    told = status.certificate
    fingerprints = {told.get("fingerprint"), told.get("issuerFingerprint")} - {None}
    issuer = None if "issuerFingerprint" in told else told.get("issuer")
    if not fingerprints and issuer is None:
        return True
    found = x509.load_pem_x509_certificates(base64.b64decode(hook.ca_bundle))
    return any(
        one.fingerprint(SHA256()).hex() in fingerprints
        or one.subject.rfc4514_string() == issuer
        for one in found
    )


def _expiring(survey: Survey, now: datetime) -> Iterator[Problem]:
    for name, status in statuses(survey):
        ends = _time(status.certificate.get("notAfter"))
        if ends is not None and ends - now < EXPIRY:
            verb = "expired" if ends <= now else "expires"
            yield Problem(
                "CertificateExpiring",
                f"the certificate that {name} serves {verb} at {ends:%Y-%m-%d %H:%M}Z",
                "it should have been renewed: read the log of whoever renews it",
            )


def _time(text: object) -> datetime | None:
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _edited(survey: Survey, _: datetime) -> Iterator[Problem]:
    for one, hook in hooks(survey):
        for edit in hook.edits:
            yield Problem(
                "ConfigurationEdited",
                f"{edit.manager} changed {edit.field} of {hook.name} in the {one}",
                "make the change in the chart's values, or forbid it; on AKS set "
                'webhook.annotations to admissions.enforcer/disabled: "true"',
            )


def _own_namespace(survey: Survey, _: datetime) -> Iterator[Problem]:
    for one, hook in hooks(survey):
        for name in ("kube-system", survey.namespace):
            if hook.takes(name, {}):
                yield Problem(
                    "NamespaceNotExempt",
                    f"{hook.name} in the {one} does not leave out namespace {name}: "
                    "a cluster may not start again",
                    REINSTALL,
                )


def _fail_with_one(survey: Survey, _: datetime) -> Iterator[Problem]:
    found = survey.deployment
    is_fail = any(hook.failure_policy == "Fail" for _, hook in hooks(survey))
    if is_fail and found and not isinstance(found, Unread) and found.wanted < 2:  # noqa: PLR2004
        yield Problem(
            "FailWithOneReplica",
            "failurePolicy is Fail with one replica: each restart refuses Pods",
            "set replicaCount to 2 or more, or failurePolicy to Ignore",
        )


CHECKS: Final = (
    _configuration_missing,
    _configuration_foreign,
    _bundles,
    _expiring,
    _edited,
    _own_namespace,
    _fail_with_one,
)
