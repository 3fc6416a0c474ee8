"""What specs are on nodes, against what is expected."""

from __future__ import annotations

import pytest

from app.cli.suites import judging
from app.cli.suites.loading import Loaded
from app.cli.suites.suite import Answer, Case, Expected, Got, Place, Suite
from app.compat import regexp
from app.compat.budget import Budget
from app.compat.spec import Spec
from tests.unit.cli.suites.conftest import Judge, ran


@pytest.mark.parametrize(
    "test",
    [
        "node: gpu, expect: fits, score: 100, set: native",
        "node: kvm, expect: fits, score: 10, set: '#2'",
        "node: gpu, expect: fits",
        "node: old, expect: does not fit, failing: kernel",
        "node: old, expect: does not fit, set: '#2', failing: [kvm, kernel]",
        "node: old, expect: does not fit, set: native, reason: 'want Gt 5, found 4'",
        "node: none, expect: does not fit, set: '#1', failing: driver",
        "node: none, expect: does not fit, reason: nvidia",
        "node: odd, expect: unknown, set: native, failing: kernel",
        "node: odd, expect: unknown, reason: 'six'",
        "node: odd, expect: error",
        "node: odd, expect: error, reason: 'six'",
        "node: gpu, tags: other, expect: does not fit, reason: 'tags other'",
        "node: gpu, tags: [native, other], expect: fits, score: 100",
    ],
)
def test_what_is_so_is_no_difference(judge: Judge, test: str) -> None:
    (result,) = judge(test)
    assert () == result.differences


@pytest.mark.parametrize(
    ("test", "difference"),
    [
        ("node: gpu, expect: does not fit", "got fits (native, score 100)"),
        ("node: old, expect: fits", "wanted fits, got does not fit (native)"),
        ("node: old, expect: unknown", "wanted unknown, got does not fit (native)"),
        ("node: gpu, expect: error", "wanted error, got fits (native, score 100)"),
        ("node: odd, expect: fits", "wanted fits, got unknown"),
        ("node: gpu, expect: fits, score: 10", "wanted score 10, got 100"),
        ("node: gpu, expect: fits, score: 0", "wanted score none, got 100"),
        ("node: gpu, expect: fits, set: '#2'", "wanted set #2, got native"),
        (
            "node: old, expect: does not fit, set: x",
            "wanted set x, got native",
        ),
        (
            "node: old, expect: does not fit, failing: [driver, kernel]",
            "wanted failing driver, kernel, got kernel",
        ),
        (
            "node: gpu, tags: x, expect: does not fit, failing: z",
            "wanted failing z, got none",
        ),
        (
            "node: old, expect: does not fit, reason: firmware",
            "wanted a reason with firmware, got none such",
        ),
    ],
)
def test_what_is_not_so_is_one_difference(
    judge: Judge, test: str, difference: str
) -> None:
    (result,) = judge(test)
    (found,) = result.differences
    assert difference in found


def test_a_feature_that_no_node_of_the_suite_publishes_is_unknown(judge: Judge) -> None:
    """As in a cluster of these nodes: `old` alone publishes no kernel.kvm."""
    test = "node: none, expect: unknown, set: '#2', failing: kvm,"
    (result,) = judge(f"{test} reason: publishes kernel.kvm", "gpu", "none")
    assert () == result.differences
    (result,) = judge("node: none, expect: does not fit", "gpu", "none", "kvm")
    assert () == result.differences


def test_a_feature_counts_as_published_in_whatever_case() -> None:
    """As in the webhook's census; NFD looks a feature up in lower case."""
    (result,) = ran("""\
specs:
- name: s
  inline:
    compatibilities:
    - rules:
      - name: a
        matchFeatures: [{feature: Vendor.X, matchExpressions: {b: {op: Exists}}}]
nodes:
- {name: m, features: {}}
- {name: other, features: {attributes: {Vendor.x: {elements: {b: c}}}}}
tests: [{spec: s, node: m, expect: does not fit}]
""")
    assert () == result.differences


def test_of_sets_with_the_same_weight_the_first_is_meant() -> None:
    (result,) = ran("""\
specs:
- name: s
  inline: {compatibilities: [{weight: 5}, {tag: b, weight: 7}, {tag: c, weight: 7}]}
nodes: [{name: m, features: {}}]
tests: [{spec: s, node: m, expect: fits, score: 7, set: b}]
""")
    assert () == result.differences


def test_or_does_not_fit_if_the_suite_says_so(judge: Judge) -> None:
    more = "unpublishedFeatures: no\n"
    test = "node: none, expect: does not fit, set: '#2', failing: kvm"
    (result,) = judge(test, "gpu", "none", more=more)
    assert () == result.differences


def test_a_rule_after_one_that_is_unknown_may_be_unknown_itself() -> None:
    (result,) = ran("""\
specs:
- name: s
  inline:
    compatibilities:
    - rules:
      - name: a
        vars: {x: "1"}
        matchFeatures: [{feature: no.such, matchExpressions: {b: {op: Exists}}}]
      - name: b
        matchFeatures:
        - {feature: rule.matched, matchExpressions: {x: {op: Exists}}}
nodes: [{name: m, features: {}}]
tests: [{spec: s, node: m, expect: unknown, failing: [a, b], reason: variables}]
""")
    assert () == result.differences


def test_a_spec_that_cannot_be_read_is_an_error() -> None:
    first, second, third = ran("""\
specs: [{name: empty, inline: {version: v1alpha1}}, {name: broken, inline: "["}]
nodes: [{name: m, features: {}}]
tests:
- {spec: empty, node: m, expect: error, reason: no compatibility sets}
- {spec: broken, node: m, expect: error}
- {spec: broken, node: m, expect: does not fit}
""")
    assert ((), ()) == (first.differences, second.differences)
    assert ("wanted does not fit, got error",) == third.differences
    assert third.got.errors


def test_a_spec_that_is_too_costly_is_an_error(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "Budget", lambda: Budget(1))
    (result,) = judge("node: gpu, expect: error, reason: too costly")
    assert () == result.differences


def test_a_node_of_which_nothing_is_known_is_unknown() -> None:
    expected = Expected(answer=Answer.UNKNOWN)
    case = Case(spec="s", node="m", place=Place("f", 1), expected=expected)
    loaded = Loaded({"s": Spec()}, {"m": None})
    got = Got(answer=Answer.UNKNOWN, reasons=(judging.NOTHING_KNOWN,))
    suite = Suite(file="f", name="f", cases=(case,))
    assert got == judging.judge(case, suite, loaded)


def test_only_what_was_selected_is_judged(judge: Judge) -> None:
    """By a part of the title, which is the test's name, the spec and the node."""
    (result,) = judge("node: gpu, expect: fits")
    suite = Suite(file="f", name="f", cases=(result.case,))
    known = Loaded({"spec": "broken"}, {"gpu": None})
    for pattern, count in (("on gpu$", 1), ("^gpu", 0)):
        found = judging.run(suite, known, regexp.compiled(pattern)).results
        assert count == len(found)
