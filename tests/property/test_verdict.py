"""No combination of inputs denies what is not known to be wrong.

Everything that a decision depends on is finite but for four numbers and the number
of images. The finite part is walked whole, each input in all its values wherever
it can matter; hypothesis draws the rest. Both are compared with the decision table,
written down here once more as a table and not as the code has it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from app.admission.findings import Answer, ImageFinding, PodFinding
from app.admission.policy import (
    MODE_KEY,
    Action,
    LabelledModes,
    Mode,
    NodesMayAppear,
    Policy,
    cap,
    mode_of,
    mode_of_pod,
    nodes_may_appear,
)
from app.admission.verdict import Code, Decision, Verdict, decide, limited

# The table ------------------------------------------------------------------------

IMAGE_ROWS = {
    Answer.MISSING: ("on_missing", Code.MISSING),
    Answer.UNAVAILABLE: ("on_unavailable", Code.UNAVAILABLE),
    Answer.UNAUTHORIZED: ("on_unauthorized", Code.UNAUTHORIZED),
    Answer.NOT_FOUND: ("on_image_not_found", Code.IMAGE_NOT_FOUND),
    Answer.INVALID: ("on_invalid", Code.INVALID),
}
ASKING = (Answer.FOUND, Answer.PLATFORM_ABSENT)
ROWS = ("on_no_candidates", "on_unknown", *(row for row, _ in IMAGE_ROWS.values()))
CAPS = ("on_stale", "on_scalable", "daemon_sets")
CEILINGS = {
    Mode.ENFORCE: Action.DENY,
    Mode.WARN: Action.WARN,
    Mode.AUDIT: Action.ALLOW,
    Mode.OFF: Action.ALLOW,
}
COUNTS = {
    "none": (0, 0, 0),
    "fits": (3, 1, 0),
    "fits beside unknown": (3, 1, 2),
    "partly unknown": (3, 0, 1),
    "unknown": (3, 0, 3),
    "misfit": (3, 0, 0),
}
"""How candidates may turn out: (candidates, fits, unknown)."""

FALSE_OR_TRUE = (False, True)
STALE_AFTER = Policy().stale_after_seconds


def least(actions: Iterable[Action]) -> Action:
    return min(actions, key=lambda one: one.value)


def most(actions: Iterable[Action]) -> Action:
    return max(actions, key=lambda one: one.value, default=Action.ALLOW)


def asks(found: PodFinding) -> bool:
    return any(answer in one.answers for one in found.images for answer in ASKING)


def caps_of(policy: Policy, found: PodFinding) -> list[Action]:
    """What the circumstances that hold make of a denial at the most."""
    held = {
        "on_stale": found.stale_seconds > policy.stale_after_seconds,
        "on_scalable": found.scalable,
        "daemon_sets": found.daemon_set,
    }
    return [getattr(policy, row) for row, holds in held.items() if holds]


def expected_causes(
    policy: Policy, found: PodFinding
) -> dict[tuple[Code, int | None], Action]:
    """Each cause -> what the policy makes of it."""
    causes: dict[tuple[Code, int | None], Action] = {}
    if asks(found) and found.candidates == 0:
        causes[Code.NO_CANDIDATES, None] = policy.on_no_candidates
    elif asks(found) and found.fits == 0:
        is_known = found.unknown == 0
        wanted = Action.DENY if is_known else policy.on_unknown
        code = Code.INCOMPATIBLE if is_known else Code.NOT_KNOWN
        causes[code, None] = least([wanted, *caps_of(policy, found)])
    for number, image in enumerate(found.images):
        for answer, (row, code) in IMAGE_ROWS.items():
            if answer in image.answers:
                causes[code, number] = getattr(policy, row)
    return causes


def expected_verdict(found: PodFinding) -> Verdict:
    is_judged = asks(found)
    if is_judged and found.candidates and not found.fits and not found.unknown:
        return Verdict.DOES_NOT_FIT
    blind = set(IMAGE_ROWS) - {Answer.MISSING}
    unseen = any(blind & image.answers.keys() for image in found.images)
    return Verdict.UNKNOWN if unseen or (is_judged and not found.fits) else Verdict.FITS


def check(policy: Policy, mode: Mode, found: PodFinding) -> Decision:
    """Compares a decision with the table, cause by cause."""
    decision = decide(policy, mode, found)
    causes = expected_causes(policy, found)
    got = {(cause.code, cause.image): cause.action for cause in decision.causes}
    assert causes == got, (policy, found)
    assert len(causes) == len(decision.causes), "one code a cause, each once"
    values = [cause.action.value for cause in decision.causes]
    assert sorted(values, reverse=True) == values, "worst first"
    ceilings = [CEILINGS[mode]] + [Action.WARN] * (found.template_of is not None)
    assert least([most(causes.values()), *ceilings]) is decision.action
    assert expected_verdict(found) is decision.verdict
    assert mode is decision.mode
    if decision.action is Action.DENY:
        check_denial(policy, found, decision)
    return decision


def check_denial(policy: Policy, found: PodFinding, decision: Decision) -> None:
    """The law: nothing is denied unless it is known to be wrong, or a policy says so.

    And its status: 503 where only images stand against the Pod, for they may be
    read a minute later; 403 where its candidates do.
    """
    denying = [one for one in decision.causes if one.action is Action.DENY]
    is_of_candidates = any(one.image is None for one in denying)
    assert (403 if is_of_candidates else 503) == decision.status
    rows = {**dict(IMAGE_ROWS.values()), **CANDIDATE_ROWS}
    said = {code for row, code in rows.items() if getattr(policy, row) is Action.DENY}
    unsaid = {one.code for one in denying} - said
    if unsaid:
        assert {Code.INCOMPATIBLE} == unsaid
        assert found.candidates > 0
        assert (0, 0) == (found.fits, found.unknown)
        assert all(one is Action.DENY for one in caps_of(policy, found))


CANDIDATE_ROWS = {"on_no_candidates": Code.NO_CANDIDATES, "on_unknown": Code.NOT_KNOWN}

# The finite part, whole -----------------------------------------------------------


def finding(
    answers: Iterable[Mapping[Answer, str]],
    counts: tuple[int, int, int],
    caps: tuple[bool, bool, bool] = (False, False, False),
    *,
    is_template: bool = False,
) -> PodFinding:
    candidates, fits, unknown = counts
    stale, scalable, daemon_set = caps
    return PodFinding(
        images=tuple(
            ImageFinding(f"i:{n}", ("c",), one) for n, one in enumerate(answers)
        ),
        candidates=candidates,
        fits=fits,
        unknown=unknown,
        stale_seconds=STALE_AFTER + 1 if stale else STALE_AFTER,
        scalable=scalable,
        daemon_set=daemon_set,
        template_of="Deployment x" if is_template else None,
    )


def images() -> Iterator[tuple[Answer, ...]]:
    """An image that asks, one that does not, or both; every answer of each."""
    for asking, other in product((None, *ASKING), (None, *IMAGE_ROWS)):
        if asking is not None or other is not None:
            yield tuple(one for one in (asking, other) if one is not None)


def policies(
    answers: tuple[Answer, ...], counts: str
) -> Iterator[tuple[Policy, tuple[bool, bool, bool]]]:
    """Every policy that differs in a row that can matter, with every set of caps.

    A cap that does not hold is taken once, for its row cannot matter.
    """
    rows = [IMAGE_ROWS[one][0] for one in answers if one in IMAGE_ROWS]
    if counts == "none":
        rows.append("on_no_candidates")
    elif "unknown" in counts:
        rows.append("on_unknown")
    is_capped = answers[0] in ASKING and COUNTS[counts][1] == 0
    states = (None, *Action) if is_capped else (None,)
    for held in product(states, repeat=len(CAPS)):
        limits = {row: one for row, one in zip(CAPS, held, strict=True) if one}
        stale, scalable, daemon_set = (one is not None for one in held)
        for actions in product(Action, repeat=len(rows)):
            chosen = dict(zip(rows, actions, strict=True))
            yield Policy(**limits, **chosen), (stale, scalable, daemon_set)  # type: ignore[arg-type]


def test_every_decision_is_the_tables() -> None:
    walked: dict[Action, int] = dict.fromkeys(Action, 0)
    for answers, counts in product(images(), COUNTS.keys() - {"partly unknown"}):
        for policy, caps in policies(answers, counts):
            said = [{one: ""} for one in answers]
            pod = finding(said, COUNTS[counts], caps)
            for found in (pod, replace(pod, template_of="Deployment x")):
                for mode in Mode:
                    walked[check(policy, mode, found).action] += 1
    assert all(walked.values())
    assert sum(walked.values()) > 50_000


def test_the_default_policy_denies_misfits_only() -> None:
    """Every answer of two images, every count, cap, mode and kind of object."""
    rows = product(
        product(Answer, repeat=2),
        COUNTS.values(),
        product(FALSE_OR_TRUE, FALSE_OR_TRUE, FALSE_OR_TRUE),
        Mode,
        FALSE_OR_TRUE,
    )
    denied = 0
    for answers, counts, caps, mode, is_template in rows:
        said = [{one: ""} for one in answers]
        found = finding(said, counts, caps, is_template=is_template)
        decision = check(Policy(), mode, found)
        if decision.action is Action.DENY:
            denied += 1
            assert Code.INCOMPATIBLE is decision.causes[0].code
            assert Verdict.DOES_NOT_FIT is decision.verdict
            assert (0, 0) == (found.fits, found.unknown)
            assert decision.status == 403
    assert denied > 0


def test_what_was_not_judged_is_limited_like_a_verdict() -> None:
    """`onError` and `onOverload` know no causes; the mode and the kind still hold."""
    for action, mode, is_template in product(Action, Mode, FALSE_OR_TRUE):
        ceiling = Action.WARN if is_template else Action.DENY
        wanted = least([action, CEILINGS[mode], ceiling])
        assert wanted is limited(action, mode, is_template=is_template)


WORDS: tuple[object, ...] = (None, *(mode.value for mode in Mode), "Enforce", 3)
"""What a label or an annotation may say; `None` for nothing."""


def chosen(base: Mode, allowed: LabelledModes, word: object) -> Mode:
    """The rule of labels, as a table: a stricter mode stands before a milder one."""
    order = list(Mode)
    choice = next((mode for mode in order if mode.value == word), base)
    may = {
        LabelledModes.ANY: True,
        LabelledModes.STRICTER_ONLY: order.index(choice) <= order.index(base),
        LabelledModes.OFF: False,
    }
    return choice if may[allowed] else base


def test_modes_are_chosen_by_whom_the_admin_lets() -> None:
    for base, spaces, pods, label, note in product(
        Mode, LabelledModes, LabelledModes, WORDS, WORDS
    ):
        policy = Policy(mode=base, namespace_modes=spaces, pod_modes=pods)
        labels = {MODE_KEY: label} if isinstance(label, str) else {}
        got = mode_of(policy, labels)
        assert chosen(base, spaces, labels.get(MODE_KEY)) is got
        notes = {} if note is None else {MODE_KEY: note}
        assert chosen(got, pods, note) is mode_of_pod(policy, got, notes)
        if LabelledModes.ANY not in (spaces, pods):
            final = mode_of_pod(policy, got, notes)
            assert final.strictness >= base.strictness


def test_a_namespace_that_is_not_known_denies_nothing() -> None:
    for base, allowed in product(Mode, LabelledModes):
        mode = mode_of(Policy(mode=base, namespace_modes=allowed), None)
        assert cap(mode) is not Action.DENY
        assert cap(mode) is least([Action.WARN, CEILINGS[base]])


def test_nodes_may_appear_if_the_admin_or_a_pool_says_so() -> None:
    pools = ("a.example/pool", "b.example/pool")
    for setting, wanted, present in product(
        NodesMayAppear, ((), pools[:1], pools), ((), pools[:1], pools[1:])
    ):
        policy = Policy(nodes_may_appear=setting, pool_labels=wanted)
        by_pool = bool(set(wanted) & set(present))
        says = {NodesMayAppear.AUTO: by_pool, NodesMayAppear.YES: True}
        assert says.get(setting, False) == nodes_may_appear(
            policy, {"x", *present}.__contains__
        )


def test_every_field_of_the_policy_is_part_of_a_product() -> None:
    walked = {
        *(*ROWS, *CAPS, "stale_after_seconds"),
        *("on_error", "on_overload"),
        *("mode", "namespace_modes", "pod_modes"),
        *("nodes_may_appear", "pool_labels"),
    }
    assert walked == {field.name for field in fields(Policy)}


# The rest, drawn ------------------------------------------------------------------

POLICIES = st.builds(
    Policy,
    **{row: st.sampled_from(Action) for row in (*ROWS, *CAPS)},
    stale_after_seconds=st.floats(min_value=0.001, max_value=1e9),
)
IMAGES = st.builds(
    ImageFinding,
    image=st.just("i:1"),
    containers=st.just(("c",)),
    answers=st.dictionaries(
        st.sampled_from(Answer), st.just(""), min_size=1, max_size=4
    ),
)


@st.composite
def findings(draw: st.DrawFn) -> PodFinding:
    """Any finding; platforms of one image may answer differently."""
    candidates = draw(st.integers(0, 5))
    fits = draw(st.integers(0, candidates))
    return PodFinding(
        images=tuple(draw(st.lists(IMAGES, min_size=1, max_size=4))),
        candidates=candidates,
        fits=fits,
        unknown=draw(st.integers(0, candidates - fits)),
        stale_seconds=draw(
            st.floats(min_value=0, allow_nan=False)  # infinity before the first sync
        ),
        scalable=draw(st.booleans()),
        daemon_set=draw(st.booleans()),
        template_of=draw(st.none() | st.just("Job x")),
    )


@given(policy=POLICIES, mode=st.sampled_from(Mode), found=findings())
def test_any_decision_is_the_tables(
    policy: Policy, mode: Mode, found: PodFinding
) -> None:
    check(policy, mode, found)


@given(policy=POLICIES, found=findings(), more=st.booleans())
def test_a_view_is_stale_after_its_limit_and_not_at_it(
    policy: Policy, found: PodFinding, more: bool
) -> None:
    limit = policy.stale_after_seconds
    at = replace(found, stale_seconds=limit * 2 if more else limit)
    check(policy, Mode.ENFORCE, at)


@dataclass(frozen=True)
class Case:
    """All that a decision depends on."""

    policy: Policy
    mode: Mode
    found: PodFinding

    def action(self) -> Action:
        return decide(self.policy, self.mode, self.found).action


def stricter(case: Case) -> Iterator[Case]:
    """Every case that differs by one step towards a denial."""
    policy, mode, found = case.policy, case.mode, case.found
    for row in (*ROWS, *CAPS):
        value = getattr(policy, row).value
        if value < Action.DENY.value:
            worse = {row: Action(value + 1)}
            yield replace(case, policy=replace(policy, **worse))  # type: ignore[arg-type]
    if mode is not Mode.ENFORCE:
        yield replace(case, mode=list(Mode)[list(Mode).index(mode) - 1])
    steps = [
        replace(found, template_of=None),
        replace(found, stale_seconds=0.0),
        replace(found, scalable=False),
        replace(found, daemon_set=False),
    ]
    if found.fits:
        steps.append(replace(found, fits=found.fits - 1, unknown=found.unknown + 1))
    if found.unknown:
        steps.append(replace(found, unknown=found.unknown - 1))
    for answer in Answer:
        extra = ImageFinding("x:1", ("x",), {answer: ""})
        steps.append(replace(found, images=(*found.images, extra)))
    yield from (replace(case, found=step) for step in steps)


@given(policy=POLICIES, mode=st.sampled_from(Mode), found=findings())
def test_a_stricter_input_never_makes_a_decision_milder(
    policy: Policy, mode: Mode, found: PodFinding
) -> None:
    """What is known to fit less, asked for more, or capped less: never better off.

    Candidates that turn from unknown into misfits must not be admitted where they
    were denied, which is why caps hold for both.
    """
    case = Case(policy, mode, found)
    before = case.action()
    for step in stricter(case):
        assert before.value <= step.action().value, (case, step)


@given(policy=POLICIES, found=findings(), extra=IMAGES)
def test_an_image_that_could_not_be_judged_never_hides_a_misfit(
    policy: Policy, found: PodFinding, extra: ImageFinding
) -> None:
    """One more image adds causes; it takes none away."""
    alone = decide(policy, Mode.ENFORCE, found)
    both = replace(found, images=(*found.images, extra))
    beside = decide(policy, Mode.ENFORCE, both)
    assert set(alone.causes) <= set(beside.causes)
