"""One spec on nodes: fits, does not fit or unknown, for each.

As NFD judges a single node: what a node does not publish is not there, whatever
other nodes publish. A node of which nothing is known, and a rule that cannot be
evaluated, are unknown. Nodes with the same feature sets, as far as the spec asks for
them, are judged once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.cli.reports.verdict import Verdict
from app.compat import matching, outcome
from app.compat.budget import Budget
from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.matching import RULE_MATCHED, SetResult
from app.compat.outcome import Outcome, SpecOutcome
from app.compat.spec import FeatureMatcherTerm, Spec
from app.errors import ClusterError
from app.snapshot import Snapshot

_KINDS: Final = ("flags", "attributes", "instances")


@dataclass(frozen=True, slots=True)
class Answer:
    """The spec on nodes that are the same to it.

    Attributes:
        verdict: of the spec there.
        features: of one of them; `None` if nothing is known.
        results: what NFD finds; empty without features or spec.
        found: what we make of that; `None` without features or spec.
        chosen: the set that fits and weighs most: its tag, else `#2` for the spec's
            second; empty if none does.
    """

    verdict: Verdict
    features: Features | None = None
    results: tuple[SetResult, ...] = ()
    found: SpecOutcome | None = None
    chosen: str = ""


UNDESCRIBED: Final = Answer(Verdict.UNKNOWN)
ASKS_NOTHING: Final = Answer(Verdict.FITS)


def judge(
    spec: Spec | None, snapshot: Snapshot, tags: tuple[str, ...] = ()
) -> Mapping[str, Answer]:
    """Every node by its name, in order; equal nodes share one answer.

    Args:
        spec: `None` for an image to which none is attached: it asks for nothing.
        snapshot: the nodes.
        tags: only sets with one of these count; empty for all.

    Raises:
        SpecError: `TooCostly`: it asks for too much work on one node.
        ClusterError: there is no node, of which nothing can be said.
    """
    names = sorted(snapshot.nodes)
    if not names:
        raise ClusterError("NoNodes", "there is no node to be judged")
    if spec is None:
        return dict.fromkeys(names, ASKS_NOTHING)
    asked = tuple(dict.fromkeys(_features_of(spec)))
    known: dict[tuple[int, ...], Answer] = {}
    answers: dict[str, Answer] = {}
    for name in names:
        features = snapshot.features.get(name)
        if features is None:
            answers[name] = UNDESCRIBED
            continue
        key = tuple(_identities(features, asked))
        if key not in known:
            known[key] = _judge(spec, features, tags)
        answers[name] = known[key]
    return answers


def _judge(spec: Spec, features: Features, tags: tuple[str, ...]) -> Answer:
    budget = Budget(where="this node")
    results = matching.judge(spec, features, tags=tags, budget=budget)
    found = outcome.decide(results)
    verdict = Verdict(found.outcome.value)
    return Answer(verdict, features, results, found, _chosen(spec, found))


def _chosen(spec: Spec, found: SpecOutcome) -> str:
    fitting = [
        one.result.compatibility for one in found.sets if one.outcome is Outcome.FITS
    ]
    if not fitting:
        return ""
    best = max(fitting, key=lambda one: one.weight)
    places = {id(one): n for n, one in enumerate(spec.compatibilities, start=1)}
    return best.tag or f"#{places[id(best)]}"


def _features_of(spec: Spec) -> Iterator[str]:
    """Every feature that a spec asks for, as nodes publish it."""
    yield RULE_MATCHED
    for one in spec.compatibilities:
        for rule in one.rules:
            for terms in (rule.match_features, *rule.match_any):
                yield from map(_feature, terms)


def _feature(term: FeatureMatcherTerm) -> str:
    return lower(term.feature)


def _identities(features: Features, asked: tuple[str, ...]) -> Iterator[int]:
    """Which sets a node has: the same objects, the same answer.

    The snapshot holds them all, so that no identity is given twice.
    """
    for kind in _KINDS:
        sets = getattr(features, kind)
        for name in asked:
            # Published as null is not the same as not published.
            yield id(sets[name]) if name in sets else 0
