"""Faults of what runs: Pods, their settings and their view of the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from app.cli.installed.asking import Unread
from app.cli.installed.fault import Problem, replicas, statuses
from app.cli.installed.survey import Survey
from app.status import Status

STALE_SECONDS: Final = 120.0
"""The default of `policy.staleAfterSeconds`."""


def _not_installed(survey: Survey, _: datetime) -> Iterator[Problem]:
    if survey.replicas == () and survey.deployment is None:
        where = f"release {survey.release} in namespace {survey.namespace}"
        yield Problem(
            "NotInstalled",
            f"there is no Pod of {where}",
            "name the right ones with --release and --namespace, or install it",
        )


def _pods_missing(survey: Survey, _: datetime) -> Iterator[Problem]:
    found = survey.deployment
    if found is None or isinstance(found, Unread) or found.ready >= found.wanted:
        return
    where = f"-n {survey.namespace}"
    yield Problem(
        "PodsNotReady",
        f"{found.ready} of {found.wanted} Pods of Deployment {found.name} are ready",
        f"kubectl describe pods {where}; kubectl logs {where} deploy/{found.name}",
    )


def _no_endpoint(survey: Survey, _: datetime) -> Iterator[Problem]:
    if survey.endpoints == 0:
        yield Problem(
            "NoEndpoint",
            "the Service has no ready endpoint: nobody answers the API server",
            f"kubectl get pods,endpointslices -n {survey.namespace}",
        )


def _silent(survey: Survey, _: datetime) -> Iterator[Problem]:
    for one in replicas(survey):
        if one.unread is not None and not one.unread.is_forbidden:
            yield Problem(
                "ReplicaSilent",
                f"{one.name} does not tell its status: {one.unread.message}",
                f"kubectl logs -n {survey.namespace} {one.name}",
            )


def _not_ready(survey: Survey, _: datetime) -> Iterator[Problem]:
    for name, status in statuses(survey):
        for line in status.problems:
            yield Problem(
                "NotReady",
                f"{name} is not ready: {line}",
                f"kubectl logs -n {survey.namespace} {name}",
            )


def _warned(survey: Survey, _: datetime) -> Iterator[Problem]:
    for name, status in statuses(survey):
        for line in status.warnings:
            yield Problem(
                "Warning", f"{name} warns: {line}", "see docs/reference/endpoints.md"
            )


def _settings(survey: Survey, _: datetime) -> Iterator[Problem]:
    for name, status in statuses(survey):
        file = status.settings
        if file.invalid and not any(file.invalid in one for one in status.warnings):
            yield Problem(
                "SettingsInvalid",
                f"{name} keeps older settings: {file.invalid}",
                "imagecompat validate-config FILE, and apply the mended file",
            )
        if file.restart_needed:
            yield Problem(
                "RestartNeeded",
                f"{name} needs a restart for {', '.join(file.restart_needed)}",
                f"kubectl rollout restart -n {survey.namespace} deployment",
            )


def _stale(survey: Survey, _: datetime) -> Iterator[Problem]:
    for name, status in statuses(survey):
        for one in status.watches:
            what = f"{one.resource} in {one.namespace}".removesuffix(" in ")
            is_stale = (one.silent_seconds or 0.0) > STALE_SECONDS
            if one.problem or is_stale:
                why = one.problem or f"silent for {one.silent_seconds:.0f} s"
                yield Problem(
                    "WatchBroken",
                    f"{name} does not see {what}: {why}",
                    "check the ServiceAccount's rights and the way to the API server",
                )


def _disagree(survey: Survey, _: datetime) -> Iterator[Problem]:
    """Replicas are alike but for moments: what they read is the same."""
    told = dict(statuses(survey))
    views: dict[str, Callable[[Status], object]] = {
        "their version": lambda one: one.software,
        "modes and policies": lambda one: one.rules,
        "how many nodes are known": lambda one: one.nodes,
        "the certificate": lambda one: one.certificate.get("fingerprint"),
    }
    for what, view in views.items():
        if len({repr(view(one)) for one in told.values()}) > 1:
            yield Problem(
                "ReplicasDisagree",
                f"{', '.join(told)} disagree about {what}",
                "ask again in a minute; if it stays, compare their logs",
            )


CHECKS: Final = (
    _not_installed,
    _pods_missing,
    _no_endpoint,
    _silent,
    _not_ready,
)
LATER: Final = (_stale, _disagree, _settings, _warned)
"""Less grave than what others find."""
