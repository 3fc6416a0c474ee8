"""No combination of inputs denies what is not known to be wrong.

The product of everything that a decision depends on is small enough to be walked
whole: who fits, what registries answered, every policy, mode and cap.
"""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from app.admission.findings import Answer, ImageFinding, PodFinding
from app.admission.policy import Action, Mode, Policy
from app.admission.verdict import Code, Decision, Verdict, decide

ROWS = (
    "on_no_candidates",
    "on_unknown",
    "on_missing",
    "on_unavailable",
    "on_unauthorized",
    "on_image_not_found",
    "on_invalid",
)
LOOKED = {
    Answer.MISSING: "on_missing",
    Answer.UNAVAILABLE: "on_unavailable",
    Answer.UNAUTHORIZED: "on_unauthorized",
    Answer.NOT_FOUND: "on_image_not_found",
    Answer.INVALID: "on_invalid",
}
CAPS = ("on_stale", "on_scalable", "daemon_sets")


def finding(
    answers: tuple[Answer, ...],
    counts: tuple[int, int, int],
    caps: tuple[bool, bool, bool] = (False, False, False),
    *,
    is_template: bool = False,
) -> PodFinding:
    candidates, fits, unknown = counts
    stale, scalable, daemon_set = caps
    return PodFinding(
        images=tuple(
            ImageFinding(f"i:{n}", ("c",), {one: ""}) for n, one in enumerate(answers)
        ),
        candidates=candidates,
        fits=fits,
        unknown=unknown,
        stale_seconds=999.0 if stale else 0.0,
        scalable=scalable,
        daemon_set=daemon_set,
        template_of="Deployment x" if is_template else None,
    )


COUNTS = ((0, 0, 0), (3, 0, 0), (3, 0, 1), (3, 0, 3), (3, 1, 0), (3, 1, 2))
FALSE_OR_TRUE = (False, True)


def allowed_reasons(policy: Policy, found: PodFinding) -> bool:
    """Whether a denial has a reason, said once more in other words."""
    asks = found.asks_for_something
    incompatible = (
        asks and found.candidates > 0 and not found.fits and not found.unknown
    )
    caps = (found.stale_seconds > 120, found.scalable, found.daemon_set)
    uncapped = all(
        not holds or getattr(policy, row) is Action.DENY
        for holds, row in zip(caps, CAPS, strict=True)
    )
    rows = {LOOKED[a] for i in found.images for a in i.answers if a in LOOKED}
    if asks and not found.candidates:
        rows.add("on_no_candidates")
    if asks and found.candidates and not found.fits and found.unknown:
        rows.add("on_unknown")
    by_policy = any(getattr(policy, row) is Action.DENY for row in rows)
    return (incompatible and uncapped) or by_policy


def check(policy: Policy, mode: Mode, found: PodFinding) -> Decision:
    decision = decide(policy, mode, found)
    denies = decision.action is Action.DENY
    may = allowed_reasons(policy, found)
    is_strict = mode is Mode.ENFORCE and found.template_of is None
    assert denies == (may and is_strict), (policy, mode, found)
    if mode in {Mode.AUDIT, Mode.OFF}:
        assert decision.action is Action.ALLOW
    assert all(
        earlier.action.value >= later.action.value
        for earlier, later in zip(decision.causes, decision.causes[1:], strict=False)
    )
    return decision


def test_the_default_policy_denies_misfits_only() -> None:
    """Every answer of two images, every count, cap, mode and kind of object."""
    rows = product(
        product(Answer, repeat=2),
        COUNTS,
        product(FALSE_OR_TRUE, FALSE_OR_TRUE, FALSE_OR_TRUE),
        Mode,
        FALSE_OR_TRUE,
    )
    denied = 0
    for answers, counts, caps, mode, is_template in rows:
        found = finding(answers, counts, caps, is_template=is_template)
        decision = check(Policy(), mode, found)
        if decision.action is Action.DENY:
            denied += 1
            assert Code.INCOMPATIBLE is decision.causes[0].code
            assert Verdict.DOES_NOT_FIT is decision.verdict
            assert (0, 0) == (found.fits, found.unknown)
            assert decision.status == 403
    assert denied > 0


def test_every_row_of_the_policy_decides_its_own_answer_and_no_other() -> None:
    for row, action, answer, counts in product(ROWS, Action, Answer, COUNTS):
        policy = Policy(**{row: action})  # type: ignore[arg-type]
        check(policy, Mode.ENFORCE, finding((answer,), counts))


@given(
    policy=st.builds(
        Policy,
        **{row: st.sampled_from(Action) for row in (*ROWS, *CAPS)},
    ),
    mode=st.sampled_from(Mode),
    answers=st.lists(st.sampled_from(Answer), min_size=1, max_size=4).map(tuple),
    counts=st.sampled_from(COUNTS),
    caps=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    is_template=st.booleans(),
)
def test_no_policy_denies_without_a_reason(
    policy: Policy,
    mode: Mode,
    answers: tuple[Answer, ...],
    counts: tuple[int, int, int],
    caps: tuple[bool, bool, bool],
    is_template: bool,
) -> None:
    check(policy, mode, finding(answers, counts, caps, is_template=is_template))


@given(
    answers=st.lists(st.sampled_from(Answer), min_size=1, max_size=3).map(tuple),
    counts=st.sampled_from(COUNTS),
    extra=st.sampled_from([a for a in Answer if a is not Answer.FOUND]),
)
def test_an_image_that_could_not_be_judged_never_hides_a_misfit(
    answers: tuple[Answer, ...], counts: tuple[int, int, int], extra: Answer
) -> None:
    """One more image adds causes; it takes none away."""
    alone = decide(Policy(), Mode.ENFORCE, finding(answers, counts))
    beside = decide(Policy(), Mode.ENFORCE, finding((*answers, extra), counts))
    assert {(c.code, c.image) for c in alone.causes} <= {
        (c.code, c.image) for c in beside.causes
    }
    assert alone.action.value <= beside.action.value
