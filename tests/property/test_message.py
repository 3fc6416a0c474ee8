"""Whatever the input says, a text stays a text."""

from hypothesis import given
from hypothesis import strategies as st

from app.admission import message
from app.admission.findings import (
    Answer,
    Closest,
    Group,
    ImageFinding,
    PodFinding,
    Unmet,
)
from app.admission.message import Detail
from app.admission.policy import Action, Mode, Policy
from app.admission.verdict import decide

HOSTILE = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["", "x" * 5000, "日本語" * 100, "\x00\n\r\x1b[31m\u202e", "\\" * 200, "é" * 39]
    ),
)
UNMET = st.builds(
    Unmet,
    image=st.integers(0, 1),
    rule=HOSTILE,
    feature=HOSTILE,
    want=HOSTILE,
    found=HOSTILE,
    changeable=st.booleans(),
)
UNMETS = st.lists(UNMET, min_size=1, max_size=4).map(tuple)
IMAGE = st.builds(
    ImageFinding,
    image=HOSTILE,
    containers=st.lists(HOSTILE, max_size=3).map(tuple),
    answers=st.dictionaries(st.sampled_from(list(Answer)), HOSTILE, min_size=1),
    specs=st.lists(HOSTILE, max_size=3).map(tuple),
)
FINDING = st.builds(
    PodFinding,
    images=st.lists(IMAGE, min_size=2, max_size=5).map(tuple),
    candidates=st.integers(0, 20_000),
    fits=st.integers(0, 1),
    unknown=st.integers(0, 1),
    known_nodes=st.integers(0, 20_000),
    excluded=st.dictionaries(HOSTILE, st.integers(0, 20_000), max_size=2),
    groups=st.lists(
        st.builds(
            Group,
            count=st.integers(1, 20_000),
            examples=st.lists(HOSTILE, max_size=4).map(tuple),
            unmet=UNMETS,
            more=st.integers(0, 5_000),
        ),
        max_size=6,
    ).map(tuple),
    closest=st.none()
    | st.builds(Closest, node=HOSTILE, unmet=UNMETS, more=st.integers(0, 5_000)),
    template_of=st.none() | HOSTILE,
)
STRICT = Policy(
    on_no_candidates=Action.DENY,
    on_unknown=Action.DENY,
    on_missing=Action.DENY,
    on_unavailable=Action.DENY,
    on_unauthorized=Action.DENY,
    on_image_not_found=Action.DENY,
    on_invalid=Action.DENY,
)


@given(FINDING, st.sampled_from(Detail))
def test_a_denial_is_printable_ascii_of_at_most_1000_bytes(
    finding: PodFinding, detail: Detail
) -> None:
    decision = decide(STRICT, Mode.ENFORCE, finding)
    if not decision.causes:
        return
    text = message.denial(finding, decision, detail)
    assert len(text.encode()) <= 1000
    assert text.startswith(f"[{decision.causes[0].code}] ")
    assert all(" " <= letter <= "~" for letter in text.replace("\n", " "))


@given(FINDING, st.sampled_from(Detail))
def test_a_warning_is_one_printable_line_of_at_most_120_bytes(
    finding: PodFinding, detail: Detail
) -> None:
    decision = decide(Policy(), Mode.WARN, finding)
    for line in message.warnings(finding, decision, detail):
        assert len(line.encode()) <= 120
        assert all(" " <= letter <= "~" for letter in line)
