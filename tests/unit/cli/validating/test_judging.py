"""One spec on nodes."""

from __future__ import annotations

import pytest

from app.cli.reports import verdict
from app.cli.reports.verdict import Verdict
from app.cli.validating import judging, report
from app.compat import parse
from app.compat.features import Features
from app.compat.spec import Spec
from app.errors import ClusterError, SpecError
from app.scheduling.node import Node
from app.snapshot import Snapshot

SPEC = parse.read(b"""\
compatibilities:
- {weight: 1, rules: [{name: k, matchFeatures: [{feature: Kernel.Version,
    matchExpressions: {major: {op: Exists}}}]}]}
- {weight: 7, tag: b, rules: [{name: m, matchAny: [{matchFeatures: [
    {feature: kernel.loadedmodule, matchName: {op: In, value: [a]}}]}]}]}
""")


def snapshot(**features: Features | None) -> Snapshot:
    """Nodes with these features."""
    known = {name: one for name, one in features.items() if one is not None}
    return Snapshot({name: Node(name) for name in features}, known, 1)


def test_nodes_that_are_the_same_to_a_spec_share_one_answer() -> None:
    version = {"major": "6"}
    one, other = (
        Features(attributes={"kernel.version": version, "own": {"n": name}})
        for name in "ab"
    )
    third = Features(attributes={"kernel.version": dict(version)})
    answers = judging.judge(SPEC, snapshot(b=other, a=one, c=third))
    assert ["a", "b", "c"] == list(answers)
    assert answers["a"] is answers["b"]
    assert answers["a"] is not answers["c"]
    (row,) = report._rows(answers)
    assert ("a", "b", "c") == row.nodes


def test_published_as_null_is_not_the_same_as_not_published() -> None:
    null = Features(flags={"kernel.loadedmodule": None})
    answers = judging.judge(SPEC, snapshot(a=null, b=Features()))
    assert answers["a"] is not answers["b"]


def test_the_set_that_weighs_most_is_chosen() -> None:
    both = Features(
        attributes={"kernel.version": {"major": "6"}},
        flags={"kernel.loadedmodule": frozenset("a")},
    )
    first = Features(attributes={"kernel.version": {"major": "6"}})
    answers = judging.judge(SPEC, snapshot(both=both, first=first, none=Features()))
    assert ["b", "#1", ""] == [
        answers[name].chosen for name in ("both", "first", "none")
    ]


def test_a_set_keeps_its_number_whatever_tags_leave_out() -> None:
    spec = parse.read(b"compatibilities: [{tag: a}, {tag: b}, {}]")
    assert "#3" == judging.judge(spec, snapshot(a=Features()), ("",))["a"].chosen


@pytest.mark.parametrize(
    ("tags", "verdict"),
    [
        ((), Verdict.FITS),
        (("b",), Verdict.DOES_NOT_FIT),
        (("x",), Verdict.DOES_NOT_FIT),
    ],
)
def test_tags_choose_sets(tags: tuple[str, ...], verdict: Verdict) -> None:
    known = snapshot(a=Features(attributes={"kernel.version": {"major": "6"}}))
    assert verdict is judging.judge(SPEC, known, tags)["a"].verdict


def test_without_a_spec_every_node_fits_known_or_not() -> None:
    answers = judging.judge(None, snapshot(a=None, b=Features()))
    assert [Verdict.FITS] * 2 == [one.verdict for one in answers.values()]


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        pytest.param([], Verdict.FITS, id="none"),
        pytest.param([Verdict.FITS], Verdict.FITS, id="fits"),
        pytest.param([Verdict.FITS, Verdict.UNKNOWN], Verdict.UNKNOWN, id="unknown"),
        pytest.param(
            [Verdict.UNKNOWN, Verdict.DOES_NOT_FIT], Verdict.DOES_NOT_FIT, id="not"
        ),
    ],
)
def test_the_worst_verdict_counts(verdicts: list[Verdict], worst: Verdict) -> None:
    assert worst is verdict.worst(verdicts)


def test_what_no_set_asks_for_is_named() -> None:
    answers = judging.judge(Spec(), snapshot(a=Features()))
    (reason,) = report.reasons(answers["a"])
    assert ("compatibility sets", "one", "none") == (
        reason.what,
        reason.want,
        reason.found,
    )


def test_a_spec_may_not_cost_without_end() -> None:
    elements = frozenset(f"name-{number}" for number in range(20_000))
    terms = "{feature: f.f, matchName: {op: In, value: [x]}}"
    rules = ", ".join([f"{{name: r, matchFeatures: [{', '.join([terms] * 2)}]}}"] * 60)
    spec = parse.read(f"compatibilities: [{{rules: [{rules}]}}]".encode())
    with pytest.raises(SpecError) as caught:
        judging.judge(spec, snapshot(a=Features(flags={"f.f": elements})))
    assert "TooCostly" == caught.value.reason


@pytest.mark.parametrize("spec", [None, Spec()])
def test_no_node_at_all_is_no_node_that_fits(spec: Spec | None) -> None:
    with pytest.raises(ClusterError, match="there is no node to be judged"):
        judging.judge(spec, Snapshot())
