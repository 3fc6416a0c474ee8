"""Two architectures in one set."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml

from app.compat.lint import lint
from tests.unit.compat.lint.examples import codes, of_sets, of_terms

MIXED = ["mixed-architectures"]
FLAG = "{feature: cpu.cpuid, matchExpressions: {%s: {op: Exists}}}"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[SVE]", MIXED),
        ("[SVE, SVE2]", MIXED),
        ("[SVE, AVX2]", []),
        ("[AVX2]", []),
        ("[]", ["wrong-value-count"]),
    ],
)
def test_a_list_of_names_asks_for_one_of_them(names: str, expected: list[str]) -> None:
    name = f"{{feature: cpu.cpuid, matchName: {{op: In, value: {names}}}}}"
    assert expected == codes(of_terms(f"- {FLAG % 'AVX'}\n- {name}"))


def alternatives(*flags: str) -> str:
    return ", ".join(f"{{matchFeatures: [{FLAG % one}]}}" for one in flags)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("AVX", "AVX2"), MIXED),
        (("AVX", "SVE2"), []),
        (("AVX", "SME"), []),
    ],
)
def test_a_rule_asks_for_what_all_its_alternatives_ask(
    flags: tuple[str, ...], expected: list[str]
) -> None:
    rule = f"{{name: a, matchAny: [{alternatives(*flags)}]}}"
    other = f"{{name: b, matchFeatures: [{FLAG % 'SVE'}]}}"
    assert expected == codes(of_sets(f"- rules: [{rule}, {other}]"))


def test_one_alternative_cannot_have_both() -> None:
    both = f"{{matchFeatures: [{FLAG % 'AVX'}, {FLAG % 'SVE'}]}}"
    rule = f"{{name: a, matchAny: [{both}, {alternatives('AVX')}]}}"
    assert MIXED == codes(of_sets(f"- rules: [{rule}]"))


def test_two_recipes_in_one_set_need_two_architectures() -> None:
    recipes = resources.files("app.recipes")
    rules = [
        rule
        for name in ("x86-64-v3", "arm64-sve")
        for rule in yaml.safe_load(recipes.joinpath(f"{name}.yaml").read_text())[
            "compatibilities"
        ][0]["rules"]
    ]
    spec = {"version": "v1alpha1", "compatibilities": [{"rules": rules}]}
    found = [one.code for one in lint(yaml.safe_dump(spec).encode())]
    assert "mixed-architectures" in found
