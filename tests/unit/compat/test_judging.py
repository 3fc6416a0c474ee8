"""Jobs that judge a new spec elsewhere, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.compat import parse
from app.compat.features import Features
from app.compat.index import Index, Judgement, Limits, TooCostly
from app.compat.outcome import UnpublishedFeatures
from app.compat.spec import Spec


def wants(**values: str) -> Spec:
    rows = "".join(
        f'        {name}: {{op: In, value: ["{value}"]}}\n'
        for name, value in values.items()
    )
    return parse.read(
        f"""\
version: v1alpha1
compatibilities:
- rules:
  - name: r
    matchFeatures:
    - feature: kernel.config
      matchExpressions:
{rows}""".encode()
    )


def config(**values: str) -> Features:
    return Features(attributes={"kernel.config": values})


def indexed(nodes: Mapping[str, Features], limits: Limits | None = None) -> Index:
    index = Index(limits or Limits())
    index.update(nodes)
    return index


def fitting(index: Index, found: Judgement | TooCostly | None) -> list[str] | None:
    """The names of the nodes that fit; `None` if there is no answer."""
    return index.names(found.fits) if isinstance(found, Judgement) else None


def test_a_jobs_answer_is_at_hand_once_it_is_accepted() -> None:
    index = indexed({"a": config(A="y"), "b": config(A="m")})
    job = index.begin("k", wants(A="y"))
    assert index.at_hand("k") is None
    job.run()
    assert 0 == index.calls
    index.accept(job)
    assert ["a"] == fitting(index, index.at_hand("k"))
    assert 2 == index.calls, "one for each value"
    assert ["a"] == fitting(index, index.judge("k", wants(A="y")))
    assert 2 == index.calls


def test_a_job_does_not_see_what_changes_after_it_began() -> None:
    index = indexed({"a": config(A="y"), "b": config(A="m")})
    job = index.begin("k", wants(A="y"))
    index.change({"a": None, "c": config(A="m"), "b": config(A="y")})
    job.run()
    index.accept(job)
    assert index.at_hand("k") is None, "it is of another generation"
    assert ["b"] == fitting(index, index.at_hand("k", calls=10))


def test_only_what_changed_since_is_looked_at_again() -> None:
    nodes = {f"n{n}": config(A=str(n)) for n in range(50)}
    index = indexed(nodes)
    job = index.begin("k", wants(A="1", B="x"))
    job.run()
    index.accept(job)
    calls = index.calls
    index.change({"n7": config(A="1")})
    assert index.at_hand("k") is None
    assert calls == index.calls
    assert isinstance(index.at_hand("k", calls=5), Judgement), "both values are known"
    assert calls == index.calls
    index.change({"n7": config(A="new")})
    assert index.at_hand("k", calls=5) is not None
    assert calls + 1 == index.calls


@pytest.mark.parametrize("calls", [3, 2])
def test_what_a_refresh_may_take_is_bounded(calls: int) -> None:
    index = indexed({"a": config(A="y"), "b": config(A="m"), "c": config(A="n")})
    index.judge("k", wants(A="y"))
    index.change({name: config(A=f"new-{name}") for name in "abc"})
    found = index.at_hand("k", calls=calls)
    assert (calls == 3) == isinstance(found, Judgement)
    assert [] == fitting(index, index.judge("k", wants(A="y"))), "the entry is sound"


def test_a_refresh_that_takes_too_many_bytes_is_too_costly() -> None:
    nodes = {"a": config(A="y")}
    needed = indexed(nodes)
    needed.judge("k", wants(A="y"))
    index = indexed(nodes, Limits(bytes=needed.size_bytes))
    index.judge("k", wants(A="y"))
    index.change({"b": config(A="another value to remember")})
    found = index.at_hand("k", calls=10)
    assert isinstance(found, TooCostly)
    assert "bytes for this cluster" in found.message
    assert found is index.at_hand("k")
    assert 0 == index.size_bytes


def test_a_job_that_is_too_costly_says_so_from_then_on() -> None:
    index = indexed({"a": config(A="y"), "b": config(A="m")}, Limits(calls=1))
    job = index.begin("k", wants(A="y"))
    job.run()
    index.accept(job)
    found = index.at_hand("k")
    assert isinstance(found, TooCostly)
    assert "too costly: it needs more than 1 operator calls" in found.message
    assert index.plan("k") is None
    second = index.begin("k", wants(A="y"))
    second.run()
    index.accept(second)
    assert found is index.at_hand("k")


def test_a_job_that_never_ran_leaves_nothing() -> None:
    index = indexed({"a": config(A="y")})
    index.accept(index.begin("k", wants(A="y")))
    assert index.at_hand("k") is None
    assert 0 == len(index)


def test_of_two_jobs_for_one_spec_the_newer_answer_stays() -> None:
    index = indexed({"a": config(A="y")})
    old = index.begin("k", wants(A="y"))
    index.change({"a": config(A="m")})
    new = index.begin("k", wants(A="y"))
    for job in (new, old):
        job.run()
        index.accept(job)
    assert [] == fitting(index, index.at_hand("k"))
    index.change({"a": config(A="y")})
    assert ["a"] == fitting(index, index.at_hand("k", calls=5))
    assert 1 == len(index)


def test_another_spec_finds_the_answers_of_a_job() -> None:
    index = indexed({"a": config(A="y"), "b": config(A="m")})
    job = index.begin("k", wants(A="y"))
    job.run()
    index.accept(job)
    calls = index.calls
    index.judge("another", wants(A="y"))
    assert calls == index.calls


def test_jobs_answers_count_against_the_bounds_of_all() -> None:
    index = indexed({"a": config(A="y")}, Limits(specs=2))
    for key in ("one", "two", "three"):
        job = index.begin(key, wants(A=key))
        job.run()
        index.accept(job)
    assert [False, True, True] == [
        index.at_hand(key) is not None for key in ("one", "two", "three")
    ]
    assert 2 == len(index)


def test_a_plan_is_remembered_with_its_answer() -> None:
    index = indexed({"a": config(A="y")})
    assert index.plan("k", ("t",)) is None
    index.judge("k", wants(A="y"), ("t",))
    plan = index.plan("k", ("t",))
    assert plan is not None
    assert () == plan.sets, "no set has this tag"


@pytest.mark.parametrize(
    ("setting", "is_unknown"),
    [
        pytest.param(UnpublishedFeatures.UNKNOWN, True, id="unknown"),
        pytest.param(UnpublishedFeatures.NO, False, id="no"),
    ],
)
def test_a_feature_that_nobody_publishes_is_what_the_setting_says(
    setting: UnpublishedFeatures, *, is_unknown: bool
) -> None:
    index = Index(unpublished=setting)
    index.update({"a": Features()})
    assert is_unknown == bool(index.judge("k", wants(A="y")).unknown)
    job = index.begin("job", wants(A="y"))
    job.run()
    index.accept(job)
    found = index.at_hand("job")
    assert isinstance(found, Judgement)
    assert is_unknown == bool(found.unknown)


def test_what_was_forgotten_is_given_up_by_the_next_job() -> None:
    index = indexed({"a": config(A="y")}, Limits(specs=1))
    index.judge("one", wants(A="y"))
    plan = index.plan("one")
    assert plan is not None
    job = index.begin("two", wants(A="x"))
    job.run()
    index.accept(job)
    assert index.plan("one") is None
    assert [1] == [len(list(plan.answers()))]
    assert ["a"] == fitting(index, index.judge("one", wants(A="y")))
    assert [] == list(plan.answers())
