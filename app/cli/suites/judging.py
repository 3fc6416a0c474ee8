"""What a suite's specs are on its nodes, and what differs from what is expected.

The answer is the webhook's, by the same code, in a cluster of the suite's nodes: a
term whose feature none of them publishes is unknown, unless the suite says `no`.
`error` is NFD's answer: it gives an error for a spec that cannot be read, and where
one rule, of any set, cannot be evaluated; `check` and the webhook then say unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from app.cli.suites.loading import Loaded
from app.cli.suites.suite import Answer, Case, Expected, Got, Ran, Result, Suite
from app.compat import explain, matching, outcome
from app.compat.budget import Budget
from app.compat.explain import Unmet
from app.compat.features import Features
from app.compat.matching import SetResult
from app.compat.outcome import (
    AfterUnknown,
    Erred,
    Outcome,
    Reason,
    SetOutcome,
    SpecOutcome,
    Unpublished,
    UnpublishedFeatures,
)
from app.compat.spec import Spec
from app.errors import SpecError

NOTHING_KNOWN: Final = "nothing is known of this node"

_ANSWERS: Final = {
    Outcome.FITS: Answer.FITS,
    Outcome.DOES_NOT_FIT: Answer.DOES_NOT_FIT,
    Outcome.UNKNOWN: Answer.UNKNOWN,
}


def run(
    suite: Suite, loaded: Loaded, selected: Callable[[str], bool] = lambda _: True
) -> Ran:
    """Judges the cases of a suite.

    Args:
        suite: the suite.
        loaded: what it names.
        selected: whether a case with this title counts.
    """
    results = tuple(
        _result(case, judge(case, suite, loaded))
        for case in suite.cases
        if selected(case.title)
    )
    return Ran(suite=suite, results=results)


def _result(case: Case, got: Got) -> Result:
    return Result(case=case, got=got, differences=tuple(_differ(case.expected, got)))


def judge(case: Case, suite: Suite, loaded: Loaded) -> Got:
    """What the spec of a case is on its node."""
    spec, features = loaded.specs[case.spec], loaded.nodes[case.node]
    if isinstance(spec, str):
        return Got(answer=Answer.ERROR, errors=(spec,))
    if features is None:
        return Got(answer=Answer.UNKNOWN, reasons=(NOTHING_KNOWN,))
    try:
        return _judge(spec, features, case, suite, loaded)
    except SpecError as error:
        return Got(answer=Answer.ERROR, errors=(error.message,))


def _judge(
    spec: Spec, features: Features, case: Case, suite: Suite, loaded: Loaded
) -> Got:
    results = matching.judge(spec, features, tags=case.tags, budget=Budget())
    is_no = suite.unpublished is UnpublishedFeatures.NO
    found = outcome.decide(results, published=None if is_no else loaded.published)
    errors = tuple(
        f"{rule.rule.name}: {rule.error}"
        for one in results
        for rule in one.rules
        if rule.error is not None
    )
    number = _meant(found, results, features, case.expected.chosen)
    if number is None:
        why = f"no set has one of the tags {', '.join(case.tags)}"
        return Got(answer=_ANSWERS[found.outcome], reasons=(why,), errors=errors)
    chosen = found.sets[number]
    explained = explain.explain(results, features)[number]
    return Got(
        answer=_ANSWERS[found.outcome],
        score=max(found.score or 0, 0),
        chosen=_name(chosen, number),
        number=number + 1,
        failing=_failing(chosen),
        reasons=(*map(_reason, explained.unmet), *_unknown(chosen)),
        errors=errors,
    )


# The set that is meant ----------------------------------------------------------


def _meant(
    found: SpecOutcome,
    results: Sequence[SetResult],
    features: Features,
    chosen: str | None,
) -> int | None:
    """Number of the set that a case is about; `None` if no set was judged.

    Where the spec fits, it is the set that gives the score. Else the one that the
    test names, if it is there; else the one that lacks least.
    """
    fitting = [n for n, one in enumerate(found.sets) if one.outcome is Outcome.FITS]
    if fitting:
        return max(fitting, key=lambda n: (_weight(found.sets[n]), -n))
    for number, one in enumerate(found.sets):
        if chosen in {_name(one, number), f"#{number + 1}"}:
            return number
    explained = explain.explain(results, features)
    closest = explain.closest(explained)
    return None if closest is None else explained.index(closest)


def _weight(one: SetOutcome) -> int:
    return one.result.compatibility.weight


def _name(one: SetOutcome, number: int) -> str:
    return one.result.compatibility.tag or f"#{number + 1}"


def _failing(chosen: SetOutcome) -> tuple[str, ...]:
    names = (
        one.result.rule.name for one in chosen.rules if one.outcome is not Outcome.FITS
    )
    return tuple(dict.fromkeys(names))


# Why ----------------------------------------------------------------------------


def _reason(one: Unmet) -> str:
    """`RULE: FEATURE ELEMENT: want WANT, found FOUND`."""
    need = one.need
    what = f"{need.feature} {need.name}".rstrip()
    return f"{need.rule}: {what}: want {need.want}, found {one.found}"


def _unknown(chosen: SetOutcome) -> Iterator[str]:
    for rule in chosen.rules:
        for why in rule.reasons:
            yield f"{rule.result.rule.name}: {_unknown_text(why)}"


def _unknown_text(why: Reason) -> str:
    match why:
        case Unpublished(feature):
            return f"unknown: no node of the suite publishes {feature}"
        case Erred(error):
            return f"unknown: {error}"
        case AfterUnknown():
            return "unknown: it looks at variables of a rule that is unknown"


# Against what is expected -------------------------------------------------------


def _differ(expected: Expected, got: Got) -> Iterator[str]:
    """A line for each difference; only the answer's if that differs."""
    if not _is_answer(expected.answer, got):
        yield f"wanted {expected.answer}, got {_said(got)}"
        return
    for text, is_met in _CHECKS:
        if not is_met(expected, got):
            yield text(expected, got)


def _is_answer(answer: Answer, got: Got) -> bool:
    if answer is Answer.ERROR:
        return bool(got.errors)
    return answer is got.answer


def _said(got: Got) -> str:
    """`fits (native, score 100)`, `does not fit (SET)`."""
    score = f"score {got.score}" if got.score else ""
    why = ", ".join(filter(None, (got.chosen, score)))
    return f"{got.answer} ({why})" if why else str(got.answer)


def _names(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "none"


_Check = tuple[Callable[[Expected, Got], str], Callable[[Expected, Got], bool]]

_CHECKS: Final[tuple[_Check, ...]] = (
    (
        lambda e, g: f"wanted score {e.score or 'none'}, got {g.score or 'none'}",
        lambda e, g: e.score is None or e.score == g.score,
    ),
    (
        lambda e, g: f"wanted set {e.chosen}, got {g.chosen or 'none'}",
        lambda e, g: e.chosen in {None, g.chosen, f"#{g.number}"},
    ),
    (
        lambda e, g: (
            f"wanted failing {_names(e.failing or ())}, got {_names(g.failing)}"
        ),
        lambda e, g: e.failing is None or sorted(e.failing) == sorted(g.failing),
    ),
    (
        lambda e, _: f"wanted a reason with {e.reason}, got none such",
        lambda e, g: (
            e.reason is None or any(e.reason in one for one in (*g.reasons, *g.errors))
        ),
    ),
)
"""What is told if it is not met, and whether it is met."""
