"""What is wrong, and what to do.

One function for each kind of fault takes the survey and gives the problems that it
sees; `find` asks them all, in the order in which they should be read. What could
not be read is never a problem of the webhook: it is told apart (`unread`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from app.admission.policy import MODE_KEY, Mode
from app.cli.installed import hookfaults, podfaults
from app.cli.installed.asking import Unread
from app.cli.installed.fault import Problem, replicas, statuses
from app.cli.installed.survey import Survey

_MODES: Final = frozenset(one.value for one in Mode)


def find(survey: Survey, now: datetime) -> tuple[Problem, ...]:
    """Every problem, the gravest kinds first, each once."""
    found = (one for check in _CHECKS for one in check(survey, now))
    return tuple(dict.fromkeys(found))


def unread(survey: Survey) -> tuple[str, ...]:
    """What could not be read, with what the API server said."""
    parts: dict[str, object] = {
        "pods": survey.replicas,
        "deployments": survey.deployment,
        **{
            f"{kind} configurations": one
            for kind, one in (survey.configurations or {}).items()
        },
        "endpointslices": survey.endpoints,
        "namespaces": survey.labelled,
        "the API group nfd.k8s-sigs.io": survey.is_kind_there,
        "nodefeatures": survey.untrusted,
        "nodes and their features": survey.nodes,
    }
    found = [f"{k}: {v.message}" for k, v in parts.items() if isinstance(v, Unread)]
    return (*found, *(f"{k}: {v.message}" for k, v in _unread_replicas(survey)))


def _unread_replicas(survey: Survey) -> Iterator[tuple[str, Unread]]:
    """Replicas that our own rights keep from us."""
    for one in replicas(survey):
        if one.unread is not None and one.unread.is_forbidden:
            yield f"/statusz of {one.name}", one.unread


# What is known of nodes --------------------------------------------------------


def _kind_absent(survey: Survey, _: datetime) -> Iterator[Problem]:
    if survey.is_kind_there is False:
        yield Problem(
            "KindAbsent",
            "the NodeFeature CRD is not installed: nothing is known of any node",
            "install Node Feature Discovery",
        )


def _no_features(survey: Survey, _: datetime) -> Iterator[Problem]:
    for _name, status in statuses(survey):
        nodes, rules = status.nodes, status.rules
        if survey.is_kind_there is not False and nodes.unknown and not nodes.known:
            trusted = ", ".join(rules.trusted_namespaces) or "no namespace"
            yield Problem(
                "NoFeatures",
                f"no node has features in the trusted namespaces ({trusted})",
                "name the namespace that Node Feature Discovery runs in, in "
                "cluster.trustedNamespaces",
            )


def _untrusted(survey: Survey, _: datetime) -> Iterator[Problem]:
    found = survey.untrusted
    if found and not isinstance(found, Unread):
        yield Problem(
            "UntrustedFeatures",
            f"NodeFeatures in {', '.join(found)} do not count here, but nfd-master "
            "honours them unless it was told otherwise",
            "restrict nfd-master's nodeFeatureNamespaceSelector, or list the "
            "namespaces in cluster.trustedNamespaces",
        )


# What others chose -------------------------------------------------------------


def _labels(survey: Survey, _: datetime) -> Iterator[Problem]:
    if survey.labelled is None or isinstance(survey.labelled, Unread):
        return
    for one in survey.labelled:
        if one.mode not in _MODES:
            yield Problem(
                "ModeUnknown",
                f"namespace {one.namespace} has the label {MODE_KEY}={one.mode}, "
                "which is no mode: the default holds there",
                f"kubectl label namespace {one.namespace} --overwrite "
                f"{MODE_KEY}=MODE, one of {', '.join(Mode)}",
            )


_CHECKS: Final[tuple[Callable[[Survey, datetime], Iterator[Problem]], ...]] = (
    *podfaults.CHECKS,
    *hookfaults.CHECKS,
    _kind_absent,
    _no_features,
    _untrusted,
    *podfaults.LATER,
    _labels,
)
