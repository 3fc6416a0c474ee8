"""Specs as parts, and several of them together."""

from __future__ import annotations

import pytest

from app.cli.authoring import draft
from app.cli.authoring.draft import MAX_COMMENT, MAX_SETS, Draft, Set, Term, rule
from app.compat import parse
from app.errors import ConfigError
from app.recipes import RECIPES, Recipe

SOME = Draft(("a",), tuple(Set(tag=f"t{n}", weight=n) for n in (100, 10)))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: one.name)
def test_a_recipe_is_written_as_it_was_read(recipe: Recipe) -> None:
    content = recipe.content
    assert content.decode() == draft.text(draft.read(content))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: one.name)
def test_each_rule_of_a_recipe_says_why(recipe: Recipe) -> None:
    content = recipe.content
    for one in draft.read(content).sets:
        before = ("", *one.rules)
        for last, line in zip(before, one.rules, strict=False):
            if line.startswith("- name:"):
                assert last.startswith("# ")
    sentences = [line for line in content.decode().splitlines() if "# " in line]
    assert all(line.endswith((".", ").")) or ": " in line for line in sentences)


def test_the_index_has_every_recipe_once_in_order() -> None:
    from importlib import resources  # noqa: PLC0415

    files = {
        one.name.removesuffix(".yaml")
        for one in resources.files("app.recipes").iterdir()
        if one.name.endswith(".yaml")
    }
    assert sorted(files) == [one.name for one in RECIPES]


def test_one_draft_stays_as_it_is() -> None:
    assert SOME == draft.merge({"x": SOME})


def test_together_every_set_meets_every_set() -> None:
    other = Draft(("b",), (Set(tag="u", weight=50, description="d", rules=("r",)),))
    merged = draft.merge({"x": SOME, "y": other})
    assert [
        Set(tag="t100-u", weight=75, description="d", rules=("r",)),
        Set(tag="t10-u", weight=30, description="d", rules=("r",)),
    ] == list(merged.sets)
    assert ("", "x:", "a", "", "y:", "b") == merged.comments[2:]
    assert "x, y" in merged.comments[0]


def test_a_set_without_a_weight_leaves_the_other_s() -> None:
    bare = Draft((), (Set(rules=("r",)),))
    merged = draft.merge({"x": SOME, "y": bare})
    assert [100, 10] == [one.weight for one in merged.sets]
    assert (None, "") == (
        draft.merge({"x": bare, "y": bare}).sets[0].weight,
        draft.merge({"x": bare, "y": bare}).sets[0].tag,
    )


def test_the_best_set_comes_first() -> None:
    low = Draft((), (Set(tag="a", weight=1), Set(tag="b", weight=100)))
    merged = draft.merge({"x": low, "y": Draft((), (Set(),))})
    assert ["b", "a"] == [one.tag for one in merged.sets]


def test_tags_stay_different() -> None:
    twins = Draft((), (Set(tag="a"), Set(tag="a"), Set(tag="a"), Set(), Set()))
    merged = draft.merge({"x": twins, "y": Draft((), (Set(),))})
    assert ["a", "a-2", "a-3", "", ""] == [one.tag for one in merged.sets]


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (1, False)])
def test_sets_are_bounded(more: int, *, is_taken: bool) -> None:
    many = Draft((), tuple(Set() for _ in range(MAX_SETS + more)))
    drafts = {"x": many, "y": Draft((), (Set(),))}
    if is_taken:
        assert MAX_SETS == len(draft.merge(drafts).sets)
        return
    with pytest.raises(ConfigError, match="together they have 33 sets"):
        draft.merge(drafts)


def test_a_spec_that_is_too_large_is_refused() -> None:
    lines = rule("r", why=(), any_of=[(Term("f", {"a": "{op: Exists}"}),)])
    many = Draft((), (Set(rules=lines * 257),))
    with pytest.raises(ConfigError, match="this spec: "):
        draft.text(many)
    assert draft.text(Draft((), (Set(rules=lines * 256),)))


def test_a_rule_is_one_alternative_or_several() -> None:
    terms = (Term("f.g", {"a": "{op: Exists}", "b": '{op: In, value: ["1"]}'}),)
    one = rule("a rule", why=("because.",), any_of=[terms])
    two = rule("b: c", why=(), any_of=[terms, terms])
    content = draft.text(Draft((), (Set(rules=(*one, *two)),)))
    first, second = parse.read(content.encode()).compatibilities[0].rules
    assert ("a rule", "b: c") == (first.name, second.name)
    assert ((first.match_features,) * 2, ()) == (
        second.match_any,
        second.match_features,
    )
    assert "  # because.\n  - name: a rule\n" in content


def test_a_draft_without_rules_is_a_spec() -> None:
    content = draft.text(Draft((), (Set(),))).encode()
    assert 1 == len(parse.read_for_admission(content).compatibilities)


@pytest.mark.parametrize(
    "text",
    ["plain text", "yes", "null", "1.10", "a: b", "x #y", "", " a ", "é\n\x1b", "😀"],
)
def test_a_scalar_is_read_as_the_text_that_it_is(text: str) -> None:
    content = f"compatibilities: [{{tag: {draft.scalar(text)}}}]"
    (one,) = parse.read(content.encode()).compatibilities
    expected = "".join(c if c.isprintable() else "?" for c in text)
    assert expected.encode("ascii", "replace").decode() == one.tag


def test_what_others_say_fits_a_comment() -> None:
    assert "a?b" == draft.said("a\nb")
    assert "x" * MAX_COMMENT == draft.said("x" * MAX_COMMENT)
    assert f"{'x' * MAX_COMMENT}..." == draft.said("x" * (MAX_COMMENT + 1))


def test_the_name_of_a_part_cannot_leave_its_comment() -> None:
    """As a folder of a layout may have any name."""
    merged = draft.merge({"a\nversion: x": SOME, "y": SOME})
    assert "a?version: x:" in merged.comments
    assert not any("\n" in one for one in merged.comments)
