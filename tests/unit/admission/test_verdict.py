from dataclasses import replace

import pytest

from app.admission.findings import Answer, ImageFinding, PodFinding
from app.admission.policy import Action, Mode, Policy
from app.admission.verdict import Cause, Code, Verdict, decide, limited, verdict_of

PLAIN = ImageFinding("plain:1", ("c",), {Answer.MISSING: ""})


def with_answer(finding: PodFinding, answer: Answer) -> PodFinding:
    extra = ImageFinding("other:1", ("o",), {answer: "why"})
    return replace(finding, images=(*finding.images, extra))


def test_a_misfit_is_denied_where_the_namespace_enforces(one_image: PodFinding) -> None:
    decision = decide(Policy(), Mode.ENFORCE, one_image)
    assert Action.DENY is decision.action
    assert (Cause(Code.INCOMPATIBLE, Action.DENY),) == decision.causes
    assert decision.status == 403
    assert Verdict.DOES_NOT_FIT is decision.verdict


@pytest.mark.parametrize(
    ("mode", "action"),
    [
        (Mode.WARN, Action.WARN),
        (Mode.AUDIT, Action.ALLOW),
        (Mode.OFF, Action.ALLOW),
    ],
)
def test_the_mode_caps_a_misfit(
    one_image: PodFinding, mode: Mode, action: Action
) -> None:
    decision = decide(Policy(), mode, one_image)
    assert action is decision.action
    assert Verdict.DOES_NOT_FIT is decision.verdict


def test_a_template_is_warned_about_and_never_denied(one_image: PodFinding) -> None:
    template = replace(one_image, template_of="Deployment train")
    assert Action.WARN is decide(Policy(), Mode.ENFORCE, template).action
    assert Action.ALLOW is decide(Policy(), Mode.AUDIT, template).action


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(
            {"stale_seconds": 120.1}, "the view of the cluster is stale", id="stale"
        ),
        pytest.param({"scalable": True}, "nodes may appear", id="scalable"),
        pytest.param({"daemon_set": True}, "the Pod is a DaemonSet's", id="DaemonSet"),
    ],
)
def test_a_cap_turns_a_denial_into_a_warning(
    one_image: PodFinding, change: dict[str, float], why: str
) -> None:
    finding = replace(one_image, **change)  # type: ignore[arg-type]
    decision = decide(Policy(), Mode.ENFORCE, finding)
    assert Action.WARN is decision.action
    assert (Cause(Code.INCOMPATIBLE, Action.WARN, capped_by=why),) == decision.causes


def test_the_strictest_cap_counts(one_image: PodFinding) -> None:
    policy = Policy(on_stale=Action.WARN, daemon_sets=Action.ALLOW)
    finding = replace(one_image, stale_seconds=999, daemon_set=True)
    assert Action.ALLOW is decide(policy, Mode.ENFORCE, finding).action


def test_a_decision_names_every_cap_that_holds(one_image: PodFinding) -> None:
    """Who lifts one of them learns what else stands in the way."""
    finding = replace(one_image, stale_seconds=999, scalable=True, daemon_set=True)
    policy = Policy(on_scalable=Action.DENY)
    (cause,) = decide(policy, Mode.ENFORCE, finding).causes
    why = "the view of the cluster is stale, the Pod is a DaemonSet's"
    assert why == cause.capped_by


def test_unknown_candidates_are_never_worse_off_than_misfits(
    one_image: PodFinding,
) -> None:
    policy = Policy(on_unknown=Action.DENY)
    unknown = replace(one_image, unknown=1)
    assert Action.DENY is decide(policy, Mode.ENFORCE, unknown).action
    scalable = replace(unknown, scalable=True)
    (cause,) = decide(policy, Mode.ENFORCE, scalable).causes
    assert Cause(Code.NOT_KNOWN, Action.WARN, capped_by="nodes may appear") == cause


@pytest.mark.parametrize(
    ("mode", "is_template", "left"),
    [
        (Mode.ENFORCE, False, Action.DENY),
        (Mode.ENFORCE, True, Action.WARN),
        (Mode.WARN, False, Action.WARN),
        (Mode.AUDIT, True, Action.ALLOW),
    ],
)
def test_a_denial_is_limited_by_the_mode_and_the_kind(
    mode: Mode, is_template: bool, left: Action
) -> None:
    assert left is limited(Action.DENY, mode, is_template=is_template)


def test_a_cap_that_says_deny_caps_nothing(one_image: PodFinding) -> None:
    policy = Policy(on_stale=Action.DENY)
    finding = replace(one_image, stale_seconds=999)
    assert Action.DENY is decide(policy, Mode.ENFORCE, finding).action


def test_a_view_of_exactly_the_limit_is_not_stale(one_image: PodFinding) -> None:
    finding = replace(one_image, stale_seconds=120.0)
    assert Action.DENY is decide(Policy(), Mode.ENFORCE, finding).action


def test_one_unknown_node_is_enough_not_to_deny(one_image: PodFinding) -> None:
    decision = decide(Policy(), Mode.ENFORCE, replace(one_image, unknown=1))
    assert Action.WARN is decision.action
    assert (Cause(Code.NOT_KNOWN, Action.WARN),) == decision.causes
    assert Verdict.UNKNOWN is decision.verdict


def test_one_node_that_fits_is_enough(one_image: PodFinding) -> None:
    decision = decide(Policy(), Mode.ENFORCE, replace(one_image, fits=1, unknown=2))
    assert Action.ALLOW is decision.action
    assert () == decision.causes
    assert Verdict.FITS is decision.verdict


def test_no_candidates_is_the_schedulers_business(one_image: PodFinding) -> None:
    decision = decide(Policy(), Mode.ENFORCE, replace(one_image, candidates=0))
    assert Action.WARN is decision.action
    assert (Cause(Code.NO_CANDIDATES, Action.WARN),) == decision.causes
    assert Verdict.UNKNOWN is decision.verdict


def test_a_denial_for_the_candidates_is_403(one_image: PodFinding) -> None:
    policy = Policy(on_no_candidates=Action.DENY)
    decision = decide(policy, Mode.ENFORCE, replace(one_image, candidates=0))
    assert (Action.DENY, 403) == (decision.action, decision.status)


def test_a_pod_that_asks_for_nothing_fits_even_without_nodes() -> None:
    decision = decide(Policy(), Mode.ENFORCE, PodFinding(images=(PLAIN,)))
    assert Action.ALLOW is decision.action
    assert Verdict.FITS is decision.verdict


def test_a_platform_that_the_index_lacks_asks_for_something() -> None:
    image = ImageFinding("x:1", ("c",), {Answer.PLATFORM_ABSENT: "linux/arm64"})
    finding = PodFinding(images=(image,), candidates=1, known_nodes=1)
    assert Action.DENY is decide(Policy(), Mode.ENFORCE, finding).action


@pytest.mark.parametrize(
    ("answer", "row", "code", "default"),
    [
        (Answer.MISSING, "on_missing", Code.MISSING, Action.ALLOW),
        (Answer.UNAVAILABLE, "on_unavailable", Code.UNAVAILABLE, Action.WARN),
        (Answer.UNAUTHORIZED, "on_unauthorized", Code.UNAUTHORIZED, Action.ALLOW),
        (Answer.NOT_FOUND, "on_image_not_found", Code.IMAGE_NOT_FOUND, Action.WARN),
        (Answer.INVALID, "on_invalid", Code.INVALID, Action.WARN),
    ],
)
@pytest.mark.parametrize("action", [None, *Action])
def test_each_answer_of_a_registry_has_its_row(
    answer: Answer, row: str, code: Code, default: Action, action: Action | None
) -> None:
    policy = Policy() if action is None else replace(Policy(), **{row: action})  # type: ignore[arg-type]
    finding = PodFinding(images=(ImageFinding("x:1", ("c",), {answer: "why"}),))
    decision = decide(policy, Mode.ENFORCE, finding)
    expected = default if action is None else action
    assert expected is decision.action
    assert (Cause(code, expected, image=0),) == decision.causes
    assert decision.status == 503


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Answer.MISSING, Verdict.FITS),
        (Answer.UNAVAILABLE, Verdict.UNKNOWN),
        (Answer.UNAUTHORIZED, Verdict.UNKNOWN),
        (Answer.NOT_FOUND, Verdict.UNKNOWN),
        (Answer.INVALID, Verdict.UNKNOWN),
    ],
)
def test_an_image_that_could_not_be_judged_is_not_said_to_fit(
    answer: Answer, verdict: Verdict
) -> None:
    finding = PodFinding(images=(ImageFinding("x:1", ("c",), {answer: ""}),))
    assert verdict is verdict_of(finding)


def test_an_image_that_is_unavailable_hides_no_misfit(one_image: PodFinding) -> None:
    finding = with_answer(one_image, Answer.UNAVAILABLE)
    decision = decide(Policy(), Mode.ENFORCE, finding)
    assert Action.DENY is decision.action
    assert decision.status == 403
    assert [Code.INCOMPATIBLE, Code.UNAVAILABLE] == [c.code for c in decision.causes]
    assert Verdict.DOES_NOT_FIT is decision.verdict


def test_causes_stand_worst_first(one_image: PodFinding) -> None:
    finding = with_answer(replace(one_image, unknown=1), Answer.INVALID)
    decision = decide(Policy(on_invalid=Action.DENY), Mode.ENFORCE, finding)
    assert [Code.INVALID, Code.NOT_KNOWN] == [cause.code for cause in decision.causes]
    assert decision.status == 503
