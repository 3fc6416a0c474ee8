"""How much is told: every error, so many warnings, and short texts."""

from __future__ import annotations

import difflib
import json

import pytest

from app.compat import lint as package
from app.compat import yaml11
from app.compat.limits import LIMITS
from app.compat.lint import (
    Problem,
    Severity,
    dashes,
    expressions,
    lint,
    logic,
    near,
    problem,
    written,
)
from app.compat.lint.problem import MAX_TEXT, At, below, found
from tests.unit.compat.lint.examples import of_expressions, of_names, of_sets

REPEATED = 'A: {op: In, value: [%s]}\nB: {op: Foo}\nC: {op: InRegexp, value: ["("]}'


def repeated(times: int) -> bytes:
    """A spec with two errors behind so many warnings of the same step, less one."""
    return of_expressions("local.label", REPEATED % ", ".join(["x"] * times))


def errors(spec: bytes) -> list[str]:
    return [one.code for one in lint(spec) if one.severity is Severity.ERROR]


def test_an_error_is_told_behind_any_number_of_warnings() -> None:
    spec = repeated(package.MAX_WARNINGS + 100)
    assert ["unknown-operator", "invalid-pattern"] == errors(spec)


def test_an_error_of_the_shape_is_told_behind_any_number_of_warnings() -> None:
    values = ", ".join(["y"] * (package.MAX_WARNINGS + 100))
    spec = of_expressions("local.label", f"A: {{op: In, value: [{values}, []]}}")
    assert ["wrong-type"] == errors(spec)


def test_no_error_is_left_out_however_many_there_are() -> None:
    several = package.MAX_WARNINGS + 7
    spec = of_expressions(
        "local.label", "\n".join(f"A{number}: {{op: Foo}}" for number in range(several))
    )
    assert several == len(errors(spec))


def test_at_the_limit_every_warning_is_told() -> None:
    found_codes = [one.code for one in lint(repeated(package.MAX_WARNINGS + 1))]
    assert package.MAX_WARNINGS == found_codes.count("duplicate-value")
    assert "more-warnings" not in found_codes


def test_behind_the_limit_it_is_told_how_many_more_there_are() -> None:
    *_, last = lint(repeated(package.MAX_WARNINGS + 3))
    assert ("more-warnings", "and 2 more warnings, which are not told") == (
        last.code,
        last.message,
    )
    assert Severity.WARNING == last.severity


def test_each_step_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_WARNINGS", 3)
    rules = "- rules: [" + ", ".join("{name: a, x: 1}" for _ in range(9)) + "]"
    problems = lint(of_sets(rules))
    told = [one.code for one in problems]
    assert 3 == told.count("unknown-key")
    assert 3 == told.count("duplicate-rule-name") + told.count("empty-rule")
    assert "more-warnings" == told[-1]


def test_a_text_is_cut_where_it_gets_too_long() -> None:
    at = At(1, 1, "$")
    assert "x" * MAX_TEXT == found("no-sets", at, "x" * MAX_TEXT).message
    assert "x" * MAX_TEXT + "..." == found("no-sets", at, "x" * (MAX_TEXT + 1)).message


def test_a_long_name_in_a_path_is_cut() -> None:
    assert "$." + "x" * 200 == below("$", "x" * 200)
    assert "$['" + "x" * 200 + "...']" == below("$", "x" * 201)


def test_a_path_ends_where_it_gets_too_long() -> None:
    path = "$" * MAX_TEXT
    assert f"{path}.x" == below(path, "x")
    assert f"{path}$" == below(f"{path}$", "x")


def test_a_name_of_200_kilobytes_at_thousands_of_places_is_told_in_short() -> None:
    values = ", ".join(["y"] * 2_000)
    name = "A" * 220_000
    expression = f"? {name}\n: {{op: In, value: [{values}]}}"
    problems = lint(of_expressions("kernel.config", expression))
    assert len(problems) > 2_000
    assert all(size(one) < 1_000 for one in problems)


def size(one: Problem) -> int:
    return len(one.path) + len(one.message) + len(one.hint)


# Work ---------------------------------------------------------------------------


def test_hints_end_when_so_many_names_were_compared() -> None:
    known = ("alpha", "beta")
    with near.bounded(4):
        assert ["alpha", "beta", ""] == [
            near.nearest(one, known) for one in ("alphx", "betx", "alphx")
        ]
    assert "alpha" == near.nearest("alphx", known)


def test_a_spec_compares_a_bounded_number_of_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = 0
    close = difflib.get_close_matches

    def counted(word: str, names: tuple[str, ...], n: int, cutoff: float) -> list[str]:
        nonlocal compared
        compared += len(names)
        return close(word, names, n=n, cutoff=cutoff)

    monkeypatch.setattr(near, "get_close_matches", counted)
    names = "\n".join(f"AVX512X{number}: {{}}" for number in range(2_000))
    lint(of_expressions("cpu.cpuid", names))
    assert 0 < compared <= package.MAX_COMPARED


def test_known_names_are_put_in_order_once() -> None:
    near._index.cache_clear()
    known = {f"name-{number}": "" for number in range(500)}
    for number in range(20):
        near.nearest(f"other-{number}", known)
    assert 1 == near._index.cache_info().misses


def test_a_pattern_that_is_too_long_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    needs = dashes.needs_dash

    def counted(pattern: str) -> bool:
        read.append(len(pattern))
        return needs(pattern)

    monkeypatch.setattr(dashes, "needs_dash", counted)
    lint(of_names("kernel.loadedmodule", json.dumps(in_regexp("-" + "[" * 1_024))))
    assert [] == read
    lint(of_names("kernel.loadedmodule", json.dumps(in_regexp("-" + "[" * 1_023))))
    assert [LIMITS.pattern_bytes] == read


def in_regexp(*patterns: str) -> dict[str, object]:
    return {"op": "InRegexp", "value": list(patterns)}


def test_a_class_that_does_not_end_is_one_part() -> None:
    assert 1 == len(list(dashes._TOKEN.finditer("[" * 100_000)))


@pytest.mark.parametrize("values", [1_000, 100])
def test_trying_values_takes_bounded_work(
    values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = 0
    spend = logic._Work.spend

    def counted(work: logic._Work, calls: int) -> None:
        nonlocal spent
        spend(work, calls)
        spent += calls

    monkeypatch.setattr(logic._Work, "spend", counted)
    many = ", ".join(f'"{"a" * 20}{number}"' for number in range(values))
    patterns = ", ".join(f'"(a{{500}}){number}"' for number in range(values))
    texts = (
        f"x: {{op: In, value: [{many}]}}",
        f"x: {{op: InRegexp, value: [{patterns}]}}",
    )
    spec = "".join(
        f"  - {{feature: local.label, matchExpressions: {{{text}}}}}\n"
        for text in texts
    )
    lint(of_sets(f"- rules: [{{name: r, matchFeatures: [\n{','.join(parts(spec))}]}}]"))
    assert values < spent <= logic.MAX_CALLS


def parts(spec: str) -> list[str]:
    return [line.strip().removeprefix("- ") for line in spec.splitlines()]


def test_a_long_key_is_no_field_and_is_not_folded() -> None:
    assert "x" * 64 == written.folded("X" * 64)
    assert "" == written.folded("X" * 65)
    spec = of_sets(f"- rules: [{{? {'X' * 65} : 1, name: a, vars: {{a: b}}}}]")
    assert ["unknown-key"] == [one.code for one in lint(spec)]


@pytest.mark.parametrize(
    ("length", "code"), [(512, "feature-case"), (513, "unknown-feature")]
)
def test_no_feature_has_a_longer_name(length: int, code: str) -> None:
    spec = of_sets(
        "- rules: [{name: a, matchFeatures: [{feature: x.%s}]}]" % ("A" * (length - 2))
    )
    assert [code] == [one.code for one in lint(spec)]


def test_a_feature_that_aliases_repeat_is_put_in_lower_case_once() -> None:
    feature = "{feature: &f x.%s}, " % ("A" * 300) + "{feature: *f}"
    content = of_sets(f"- rules: [{{name: a, matchFeatures: [{feature}]}}]")
    root = yaml11.read(content, LIMITS).root
    (rule,) = written.read(root, written.Sources(None)).rules
    first, second = (term.key for term in rule.terms)
    assert first is second


def test_names_that_aliases_repeat_are_quoted_once() -> None:
    problem._quoted_step.cache_clear()
    paths = {below("$", "\N{CJK UNIFIED IDEOGRAPH-65E5}" * 300) for _ in range(9)}
    assert (1, 1) == (len(paths), problem._quoted_step.cache_info().misses)


def test_operators_are_known_by_every_name() -> None:
    assert set(expressions.ALIASES.values()) <= set(expressions._NAMES)
