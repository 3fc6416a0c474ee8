"""The index: what it remembers, what it forgets, what it does not do again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.compat import answers, anyanswers, budget, postings, regexp
from app.compat.features import Features
from app.compat.index import Index, Judgement, Limits, TooCostly
from app.compat.matching import judge
from app.compat.operators import check
from app.compat.outcome import Outcome, decide
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.errors import SpecError

Y = MatchExpression("In", ("y",))
EXISTS = MatchExpression("Exists")
LOW = MatchExpression("Lt", ("5",))


def term(
    feature: str,
    name: MatchExpression | None = None,
    **expressions: MatchExpression | None,
) -> FeatureMatcherTerm:
    return FeatureMatcherTerm(feature, expressions or None, name)


def rule(*terms: FeatureMatcherTerm, template: str = "", **variables: str) -> GroupRule:
    return GroupRule(vars=variables, vars_template=template, match_features=terms)


def spec(*rules: GroupRule) -> Spec:
    return Spec(compatibilities=(Compatibility(rules),))


def config(**values: str) -> Features:
    return Features(attributes={"kernel.config": values})


def cluster(*features: Features) -> dict[str, Features]:
    return {f"n{number}": one for number, one in enumerate(features)}


def judged(of: Index, asked: Spec, key: str = "k") -> str:
    """A letter for each node, by number: f for fits, u for unknown, or a dash."""
    found = of.judge(key, asked)
    return "".join(
        "f" if found.fits >> number & 1 else "u" if found.unknown >> number & 1 else "-"
        for number in range(found.nodes.bit_length())
        if found.nodes >> number & 1
    )


def by_matching(asked: Spec, features: Mapping[str, Features], known: Index) -> str:
    letters = {Outcome.FITS: "f", Outcome.UNKNOWN: "u", Outcome.DOES_NOT_FIT: "-"}
    names = known.names(known.census.bits)
    return "".join(
        letters[decide(judge(asked, features[name]), published=known.published).outcome]
        for name in names
    )


def indexed(features: Mapping[str, Features], limits: Limits | None = None) -> Index:
    found = Index(limits) if limits else Index()
    found.update(features)
    return found


# The law, where it is easy to get wrong -----------------------------------------

FLAGGED = Features(flags={"x": frozenset({"a"})})
NULL = Features(flags={"x": None}, attributes={"x": None})
MIXED = Features(
    flags={"x": frozenset({"b"})},
    attributes={"x": {"a": "7"}},
    instances={"x": ({"a": "1"}, {"c": "z"})},
)
DEVICES = Features(instances={"x": ({"a": "9", "b": "1"}, {"a": "1", "b": "9"})})
ALIKE = Features(instances={"x": ({"a": "3", "b": "3"},)})
NOTHING = Features()
OTHER_FLAG = Features(flags={"x": frozenset({"b"})})
OTHER_ATTRIBUTE = Features(attributes={"x": {"b": "1"}})
ALL = (
    *(FLAGGED, NULL, MIXED, DEVICES, ALIKE, NOTHING),
    *(OTHER_FLAG, OTHER_ATTRIBUTE),
)
OWN = tuple(
    Features(attributes={"rule.matched": own, "kernel.config": {"A": "y"}})
    for own in ({"gpu": "true"}, None, {})
)
FAILS = term("kernel.config", A=MatchExpression("In", ("no",)))
TEMPLATE = "{{range .kernel.config}}v={{.Value}}\n{{end}}"


@pytest.mark.parametrize(
    ("features", "asked"),
    [
        pytest.param(ALL, spec(rule(term("X", a=EXISTS))), id="kinds united"),
        pytest.param(
            ALL, spec(rule(term("x", a=MatchExpression("DoesNotExist")))), id="absence"
        ),
        pytest.param(ALL, spec(rule(term("x", a=LOW))), id="an instance errs"),
        pytest.param(ALL, spec(rule(term("x", a=LOW, b=LOW))), id="two of one device"),
        pytest.param(
            ALL,
            spec(rule(term("x", a=EXISTS)), rule(term("x", a=Y))),
            id="two questions on one element",
        ),
        pytest.param(
            ALL,
            spec(
                rule(term("x", EXISTS)), rule(term("x", MatchExpression("In", ("a",))))
            ),
            id="two questions on names",
        ),
        pytest.param(
            ALL,
            spec(
                rule(term("x", a=LOW, b=EXISTS)),
                rule(term("x", a=EXISTS, b=EXISTS)),
            ),
            id="two questions on instances",
        ),
        pytest.param(
            ALL, spec(rule(FeatureMatcherTerm("x", {}))), id="no expressions at all"
        ),
        pytest.param(ALL, spec(rule(term("x"))), id="the feature alone"),
        pytest.param(ALL, spec(rule(term("x", EXISTS))), id="any name"),
        pytest.param(ALL, spec(rule(term("x", LOW))), id="names that are no numbers"),
        pytest.param(
            ALL,
            spec(
                rule(term("x", a=LOW, b=LOW)),
                rule(term("x", b=LOW)),
                rule(term("x", a=LOW)),
                rule(term("x", a=EXISTS, b=LOW)),
                rule(term("x", c=EXISTS)),
                rule(FeatureMatcherTerm("x", {})),
                rule(term("x", a=LOW)),
            ),
            id="what was read of instances serves terms that look at less",
        ),
        pytest.param(ALL, spec(rule(term("x", a=None))), id="a null expression"),
        pytest.param(ALL, spec(rule(term("y", a=EXISTS))), id="nobody publishes it"),
        pytest.param(
            (config(A="y"), config(A="x"), config(B="y")),
            spec(rule(term("kernel.config", A=Y), term("kernel.config", LOW))),
            id="an error behind a failed term goes unnoticed",
        ),
        pytest.param(
            (config(A="y"), config(A="x")),
            spec(rule(term("no.such", A=Y), FAILS, term("kernel.config", LOW))),
            id="an unnoticed error behind an unknown term",
        ),
        pytest.param(
            (config(A="y"),),
            spec(
                rule(term("no.such")),
                rule(term("rule.matched", gpu=EXISTS), term("kernel.config", LOW)),
            ),
            id="an unnoticed error behind a variable of an unknown rule",
        ),
        pytest.param(
            (config(A="y"), FLAGGED),
            spec(rule(term("x"), term("kernel.config", LOW))),
            id="an error behind a term whose feature the node lacks is noticed",
        ),
        pytest.param(
            (*OWN, config(A="y")),
            spec(rule(FAILS, new="1"), rule(term("rule.matched", gpu=EXISTS))),
            id="a failed rule publishes nothing",
        ),
        pytest.param(
            (*OWN, config(A="y")),
            spec(rule(new="1"), rule(term("rule.matched", new=EXISTS))),
            id="variables over null elements err",
        ),
        pytest.param(
            [
                Features(instances={"rule.matched": devices})
                for devices in (({"gpu": "1"},), (), ({"gpu": "9"},))
            ],
            spec(rule(), rule(term("rule.matched", gpu=LOW))),
            id="variables that are devices",
        ),
        pytest.param(
            (*OWN, config(A="y")),
            spec(rule(), rule(term("rule.matched", LOW))),
            id="names of variables",
        ),
        pytest.param(
            (*OWN, config(A="y")),
            spec(rule(term("rule.matched", gpu=LOW))),
            id="a variable that is no number",
        ),
        pytest.param(
            (config(A="y"), config(A="x"), config(A="a\nnone")),
            spec(
                rule(term("kernel.config", A=EXISTS), template=TEMPLATE),
                rule(term("rule.matched", v=Y)),
            ),
            id="a template sees what matched",
        ),
        pytest.param(
            (config(A="y"), config(A="x"), config(A="a b")),
            spec(
                rule(term("rule.matched", EXISTS), FAILS),
                rule(term("kernel.config", EXISTS), template=TEMPLATE),
            ),
            id="a template errs on some nodes",
        ),
        pytest.param(
            (*OWN, config(A="y")),
            spec(
                rule(term("rule.matched", EXISTS), template="t=1"),
                rule(term("rule.matched", t=EXISTS)),
            ),
            id="a template after variables",
        ),
        pytest.param(
            (config(A="y"), config(A="x")),
            Spec(
                compatibilities=(
                    Compatibility(
                        (
                            GroupRule(
                                vars_template=TEMPLATE,
                                match_any=((term("kernel.config", A=Y),), ()),
                            ),
                        )
                    ),
                )
            ),
            id="a template of alternatives",
        ),
    ],
)
def test_it_says_what_matching_says(features: Sequence[Features], asked: Spec) -> None:
    known = cluster(*features)
    found = indexed(known)
    assert by_matching(asked, known, found) == judged(found, asked)


def test_nodes_of_many_sets_are_told_apart_by_what_they_share() -> None:
    """By column where that is less work than by node."""
    shared = [{"A": value} for value in "yx"]
    flags = frozenset({"f"})
    known = cluster(
        *(
            Features({"kernel.config": flags} if n % 3 else {}, {"kernel.config": one})
            for n in range(20)
            for one in shared
        ),
        *(Features({"kernel.config": None}) for _ in range(2)),
    )
    asked = spec(
        rule(term("kernel.config", EXISTS), template=TEMPLATE.replace("Value", "Name")),
        rule(term("rule.matched", v=MatchExpression("In", ("A",)))),
    )
    found = indexed(known)
    assert by_matching(asked, known, found) == judged(found, asked)


def test_an_empty_cluster_has_no_nodes_to_judge() -> None:
    found = Index().judge("k", spec(rule(term("rule.matched", a=EXISTS))))
    assert (0, 0, 0) == (found.nodes, found.fits, found.unknown)


def test_without_sets_nothing_fits_and_tags_select_sets() -> None:
    found = indexed(cluster(config(A="y")))
    tagged = Spec(compatibilities=(Compatibility((), tag="t"),))
    assert "-" == judged(found, Spec(), "none")
    assert 1 == found.judge("tagged", tagged, ("t",)).fits
    assert 0 == found.judge("tagged", tagged, ("other",)).fits


def test_a_judgement_says_which_rule_fails() -> None:
    found = indexed(cluster(config(A="y"), config(A="x")))
    asked = spec(rule(term("kernel.config", A=Y)), rule(term("no.such")))
    (one,) = found.judge("k", asked).sets
    assert [(0b01, 0), (0, 0b11)] == [(a.fits, a.unknown) for a in one.rules]
    assert (0, 0b01) == (one.fits, one.unknown)
    assert asked.compatibilities[0] is one.compatibility


# What changes -------------------------------------------------------------------


def test_the_same_mapping_or_the_same_nodes_are_no_change() -> None:
    known = cluster(config(A="y"), config(A="x"))
    found = indexed(known)
    assert 1 == found.generation
    found.update(known)
    found.update(dict(known))
    assert 1 == found.generation
    assert ["n0", "n1"] == found.names(0b111)
    assert [1, None] == [found.number("n1"), found.number("n7")]


def test_an_answer_at_hand_is_known_until_something_changes() -> None:
    known = cluster(config(A="y"))
    found = indexed(known)
    assert found.at_hand("k") is None
    answer = found.judge("k", spec(rule(term("kernel.config", A=Y))))
    assert answer is found.at_hand("k")
    assert answer is found.judge("k", spec())
    found.update({**known, "new": config(A="y")})
    assert found.at_hand("k") is None
    assert "ff" == judged(found, spec())


def test_a_feature_that_appears_anywhere_is_no_longer_unknown() -> None:
    known = cluster(config(A="y"), NOTHING)
    asked = spec(rule(term("a.b", x=EXISTS)))
    found = indexed(known)
    assert "uu" == judged(found, asked)
    new = {**known, "n9": Features(flags={"a.b": frozenset("x")})}
    found.update(new)
    assert "--f" == judged(found, asked)
    assert frozenset({"kernel.config", "a.b"}) == found.published
    found.update(known)
    assert "uu" == judged(found, asked)
    found.update(new)
    assert "--f" == judged(found, asked)


def test_a_feature_that_was_gone_meanwhile_is_read_afresh() -> None:
    asked = spec(
        rule(term("x", a=EXISTS)), rule(term("x", MatchExpression("In", ("a",))))
    )
    found = indexed(cluster(ALIKE, NOTHING))
    assert "f-" == judged(found, asked)
    found.update(cluster(NOTHING, NOTHING))
    found.update(cluster(NOTHING, ALIKE))
    assert "-f" == judged(found, asked)


def test_a_number_used_again_says_nothing_of_the_node_before() -> None:
    known = cluster(config(A="y"), config(A="x"))
    asked = spec(rule(term("kernel.config", A=Y)))
    found = indexed(known)
    assert "f-" == judged(found, asked)
    found.update({"other": NOTHING, "n1": known["n1"]})
    assert 0 == found.number("other")
    assert "--" == judged(found, asked)


# What is not done again ---------------------------------------------------------


def test_every_distinct_value_is_evaluated_once() -> None:
    values = ["y", "x", "z"]
    found = indexed(cluster(*(config(A=values[n % 3]) for n in range(300))))
    assert 0 == found.calls
    judged(found, spec(rule(term("kernel.config", A=Y))), "one")
    assert 3 == found.calls
    judged(found, spec(rule(term("Kernel.config", A=Y), term("no.such"))), "two")
    assert 3 == found.calls, "another spec that asks the same"


def test_nothing_unchanged_is_evaluated_again() -> None:
    """A change costs operator calls for values that were never seen, and no others."""
    own = [config(A=f"{n}", B="y") for n in range(50)]
    modules = Features(flags={"m": frozenset({"a", "b"})})
    known = cluster(*own, modules)
    asked = spec(
        rule(
            term("kernel.config", A=LOW, B=Y), term("m", MatchExpression("In", ("a",)))
        ),
        rule(term("kernel.config", B=EXISTS), t="1"),
        rule(term("rule.matched", t=EXISTS)),
    )
    found = indexed(known)
    judged(found, asked)
    steps: list[tuple[str, Features | None, int]] = [
        ("the same again", known["n3"], 0),
        ("a value that others have", Features(attributes=dict(own[4].attributes)), 0),
        ("another feature", Features({"new": None}, own[3].attributes), 0),
        ("gone", None, 0),
        ("back", own[3], 0),
        ("modules with a new name", Features({"m": frozenset({"a", "c"})}), 1),
    ]
    for what, features, calls in steps:
        before = found.calls
        known = {name: one for name, one in known.items() if name != "n3"}
        if features is not None:
            known["n3"] = features
        found.update(known)
        assert by_matching(asked, known, found) == judged(found, asked), what
        assert calls == found.calls - before, what


def test_a_new_value_on_one_node_is_one_call() -> None:
    known = cluster(*(config(A=str(n)) for n in range(2000)))
    asked = spec(rule(term("kernel.config", A=LOW)))
    found = indexed(known)
    judged(found, asked)
    assert 2000 == found.calls
    found.update({**known, "n3": config(A="77")})
    judged(found, asked)
    assert 2001 == found.calls


def test_a_template_runs_once_for_what_it_sees() -> None:
    known = cluster(*(config(A="yx"[n % 2], B=str(n)) for n in range(40)))
    asked = spec(rule(term("kernel.config", A=EXISTS), template=TEMPLATE))
    found = indexed(known)
    assert "f" * 40 == judged(found, asked)
    for_elements, for_a_run = 2, 2
    once = found.calls - 2
    assert 40 * for_elements + 2 * for_a_run == once
    found.update({**known, "n3": config(A="y", B="new")})
    judged(found, asked)
    assert once + for_elements == found.calls - 2, "no run for elements that are known"
    found.update({**known, "n3": config(A="z", B="new")})
    judged(found, asked)
    assert once + 2 * for_elements + for_a_run == found.calls - 3


def test_sets_that_all_match_differently_are_not_compared_for_ever() -> None:
    known = cluster(*(config(A=str(n)) for n in range(100)))
    asked = spec(
        rule(term("kernel.config", A=EXISTS), template=TEMPLATE),
        rule(term("rule.matched", v=MatchExpression("In", ("3", "99")))),
    )
    found = indexed(known)
    assert by_matching(asked, known, found) == judged(found, asked)
    found.update({**known, "n3": config(A="99")})
    assert 2 == found.judge("k", asked).fits.bit_count()


def test_what_too_many_values_say_is_not_remembered() -> None:
    """Memory stays bounded; the answer stays right."""
    count = max(answers.MAX_REMEMBERED, 2 * anyanswers.MAX_NAMES) + 1
    features = Features(
        flags={"f": frozenset(map(str, range(count)))},
        instances={"i": tuple({"a": str(n)} for n in range(count))},
    )
    known = cluster(features, *(config(A=str(n)) for n in range(2000)))
    asked = spec(
        rule(term("f", LOW)), rule(term("i", a=LOW)), rule(term("kernel.config", A=LOW))
    )
    found = indexed(known)
    assert by_matching(asked, known, found) == judged(found, asked)
    assert found.size_bytes < 50_000
    changed = {**known, "n0": Features(features.flags, {}, {"i": ({"a": "1"},)})}
    found.update(changed)
    assert by_matching(asked, changed, found) == judged(found, asked)


def test_names_that_no_node_has_any_more_are_forgotten() -> None:
    asked = spec(rule(term("m", MatchExpression("In", ("0-1",)))))
    keeps = Features({"m": frozenset({"x"})})
    found = Index()
    for turn in range(8):
        names = frozenset(f"{turn}-{n}" for n in range(1000))
        known = {"keeps": keeps, "n": Features({"m": names})}
        found.update(known)
        assert by_matching(asked, known, found) == judged(found, asked)
    column = found.census.columns["flags", "m"]
    assert len(column.names()) <= postings._MAX_GROWTH * 1024


# Bounds -------------------------------------------------------------------------


def test_the_spec_that_was_not_asked_for_longest_is_forgotten() -> None:
    found = indexed(cluster(config(A="y")), Limits(specs=2))
    asked = spec(rule(term("kernel.config", A=Y)))
    for key in ("one", "two", "one", "three"):
        judged(found, asked, key)
    assert 2 == len(found)
    assert [True, False, True] == [
        found.at_hand(key) is not None for key in ("one", "two", "three")
    ]


def test_remembered_specs_are_told_by_tags_the_last_one_first() -> None:
    known = Index()
    for key in ("a", "b", "c"):
        known.judge(key, spec(rule()))
    known.judge("c", spec(rule()), ("gpu",))
    known.at_hand("a")
    assert ["a", "c", "b"] == known.keys()
    assert (["c"], []) == (known.keys(["gpu"]), known.keys(["cpu"]))


def test_answers_that_take_too_much_together_are_forgotten() -> None:
    asked = spec(rule(term("kernel.config", A=Y)))
    known = cluster(config(A="y"))
    one = indexed(known)
    judged(one, asked)
    found = indexed(known, Limits(bytes=2 * one.size_bytes))
    for key in ("one", "two"):
        judged(found, asked, key)
    assert (2, 2 * one.size_bytes) == (len(found), found.size_bytes)
    judged(found, asked, "three")
    assert (2, 2 * one.size_bytes) == (len(found), found.size_bytes)


@pytest.mark.parametrize("calls", [3, 2])
def test_operator_calls_are_bounded(calls: int) -> None:
    found = indexed(
        cluster(config(A="y"), config(A="x"), config(A="z")), Limits(calls=calls)
    )
    asked = spec(rule(term("kernel.config", A=Y)))
    if calls == 3:
        assert "f--" == judged(found, asked)
        return
    for _ in range(2):
        with pytest.raises(SpecError, match="too costly: it needs more than 2 op") as e:
            judged(found, asked)
        assert "TooCostly" == e.value.reason
    assert 2 == found.calls, "the second time costs nothing"
    assert isinstance(found.at_hand("k"), TooCostly)
    assert "fff" == judged(found, spec(), "another")
    assert 0 == found.size_bytes


@pytest.mark.parametrize("spare", [0, 1])
def test_one_specs_memory_is_bounded(spare: int) -> None:
    known = cluster(config(A="y"))
    asked = spec(rule(term("kernel.config", A=Y)))
    needed = indexed(known)
    judged(needed, asked)
    found = indexed(known, Limits(bytes=needed.size_bytes - spare))
    if not spare:
        assert "f" == judged(found, asked)
        return
    with pytest.raises(SpecError, match="bytes for this cluster"):
        judged(found, asked)
    assert 0 == found.size_bytes


def test_a_failed_spec_can_be_forgotten() -> None:
    found = indexed(cluster(config(A="y")), Limits(specs=1, calls=0))
    with pytest.raises(SpecError, match="too costly"):
        judged(found, spec(rule(term("kernel.config", A=Y))), "bad")
    assert "-" == judged(found, Spec(), "good")
    assert 1 == len(found)


def test_looking_at_sets_counts_a_little() -> None:
    known = cluster(*(config(A="y") for _ in range(160)))
    asked = spec(rule(term("kernel.config", A=Y)))
    assert "f" * 160 == judged(indexed(known, Limits(calls=11)), asked)
    with pytest.raises(SpecError, match="too costly"):
        judged(indexed(known, Limits(calls=9)), asked)


LONG = "a" * 999
PATTERN = MatchExpression("InRegexp", ("^(ab?)+$",))


@pytest.mark.parametrize(
    "term_",
    [
        pytest.param(term("rule.matched", v=PATTERN), id="a variable"),
        pytest.param(term("rule.matched", PATTERN), id="the name of one"),
        pytest.param(term("kernel.config", A=PATTERN), id="an attribute"),
        pytest.param(term("kernel.config", PATTERN), id="a name"),
    ],
)
@pytest.mark.parametrize("template", ["", "t=1"])
def test_a_pattern_counts_by_its_program_and_the_text(
    term_: FeatureMatcherTerm, template: str
) -> None:
    """Wherever it is: else one would pass for an error of the rule, and be cheap."""
    publishes = {"kernel.config": {"A": LONG, LONG: "y"}}
    own = {"rule.matched": {"v": LONG, LONG: "y"}}
    known = cluster(Features(attributes=publishes | own))
    asked = spec(rule(term_, template=template))
    regexp.compiled(PATTERN.value[0])
    whole = indexed(known)
    assert "f" == judged(whole, asked)
    assert 40 < whole.calls
    for calls in (whole.calls // 3, 2 * whole.calls // 3):
        with pytest.raises(SpecError, match="too costly"):
            judged(indexed(known, Limits(calls=calls)), asked)


def least_calls(count: int) -> int:
    """The least bound within which a template that loops is judged on 3 nodes."""
    known = cluster(*(config(A=str(n)) for n in range(3)))
    text = f"{{{{range {count}}}}}{{{{end}}}}a=1"
    asked = spec(rule(term("kernel.config", A=EXISTS), template=text))

    def suffices(calls: int) -> bool:
        try:
            return judged(indexed(known, Limits(calls=calls)), asked) == "fff"
        except SpecError as error:
            return error.reason != "TooCostly"

    return bisect_left(range(10_000), 1, key=suffices)


def test_templates_count_the_steps_that_they_take() -> None:
    """An iteration is a step; it is made on each of the three nodes."""
    assert 3 * (900 - 100) * budget.CALLS_PER_STEP == least_calls(900) - least_calls(
        100
    )


def test_the_operators_are_those_of_one_node() -> None:
    """No second implementation: an answer's verdict is a check's."""
    meter = budget.Budget()
    exists = meter.judge(check(LOW), "4", exists=True)
    assert (True, None) == (exists, meter.judge(check(LOW), "x", exists=True))
    assert 2 == meter.calls


# At hand ------------------------------------------------------------------------

ASKED = spec(rule(term("kernel.config", A=LOW, B=Y)))


def values(count: int) -> dict[str, Features]:
    return cluster(*(config(A=str(n), B="y") for n in range(count)))


def fitting(of: Index, judgement: Judgement | TooCostly | None) -> list[str]:
    assert isinstance(judgement, Judgement)
    assert of.generation == judgement.generation
    return sorted(of.names(judgement.fits))


def from_scratch(of: Index, asked: Spec) -> list[str]:
    """The names of the nodes that fit, from an index that has seen nothing."""
    known = {
        name: features
        for name in of.names(of.census.bits)
        if (features := of.features(of.number(name) or 0)) is not None
    }
    return fitting(fresh := indexed(known), fresh.judge("k", asked))


def test_what_is_remembered_is_brought_up_to_date_for_little() -> None:
    """Only values that were never seen are evaluated: `calls` counts them."""
    found = indexed(values(50))
    assert found.at_hand("k", calls=1000) is None, "nothing is remembered"
    found.judge("k", ASKED)
    other = Features({"f": None}, values(50)["n3"].attributes)
    steps: list[tuple[str, dict[str, Features | None], int]] = [
        ("another feature", {"n3": other}, 0),
        ("values that others have", {"n3": config(A="7", B="y")}, 0),
        ("new values", {"n3": config(A="70", B="y"), "n4": config(A="70")}, 2),
        ("a node that is gone", {"n3": None}, 0),
        ("one that comes, as others are", {"new": config(A="1", B="y")}, 0),
    ]
    for what, changed, calls in steps:
        before = found.calls
        found.change(changed)
        assert found.at_hand("k") is None, what
        got = found.at_hand("k", calls=100)
        assert from_scratch(found, ASKED) == fitting(found, got), what
        assert calls == found.calls - before, what
        assert got is found.at_hand("k"), what


def test_a_change_that_the_spec_does_not_look_at_costs_no_look_at_nodes() -> None:
    known = values(50)
    found = indexed(known)
    for feature in "fg":
        found.judge("k", ASKED)
        found.change(
            {
                name: Features({"f": None, feature: None}, one.attributes)
                for name, one in known.items()
            }
        )
    assert from_scratch(found, ASKED) == fitting(found, found.at_hand("k", calls=1))


@pytest.mark.parametrize("calls", [0, 1, 5, 40])
def test_no_more_calls_are_made_than_are_granted(calls: int) -> None:
    """What was found until then is kept: asking again gets there in the end."""
    found = indexed(values(50))
    found.judge("k", ASKED)
    found.change({f"n{n}": config(A=str(100 + n), B="y") for n in range(30)})
    asked = 0
    while (got := found.at_hand("k", calls=calls)) is None and asked < 3:
        before, asked = found.calls, asked + 1
        found.at_hand("k", calls=calls)
        assert found.calls - before <= calls
    if got is None:
        got = found.at_hand("k", calls=1000)
    assert from_scratch(found, ASKED) == fitting(found, got)


@pytest.mark.parametrize(
    ("changed", "calls"),
    [
        pytest.param(1, 6, id="one node"),
        pytest.param(20, 44, id="twenty nodes"),
        pytest.param(2000, 129, id="as many as there are: one look at each set"),
    ],
)
def test_looking_at_changed_nodes_is_bounded(changed: int, calls: int) -> None:
    """Sixteen looks are a call: nodes one by one, or all sets of a column.

    Joining the bits of 2,000 nodes takes 62 looks, finding the changes takes 6.
    """
    found = indexed(cluster(*(config(A="1", B="y") for n in range(2000))))
    asked = spec(rule(term("kernel.config", A=LOW)))
    found.judge("k", asked)
    again = {f"n{n}": config(A="1", B="y") for n in range(changed)}
    found.change(again)
    before = found.calls
    assert found.at_hand("k", calls=calls - 1) is None
    assert fitting(found, found.at_hand("k", calls=calls))
    assert before == found.calls


def test_what_refreshes_cost_is_told() -> None:
    found = indexed(values(50))
    found.judge("k", ASKED)
    found.change({"n3": config(A="70", B="y")})
    assert 0 == found.spent
    assert found.at_hand("k", calls=3) is None
    assert 3 == found.spent
    assert found.at_hand("k", calls=100) is not None
    assert 3 < found.spent < 10


# In another thread ---------------------------------------------------------------


def test_a_job_runs_while_everything_changes() -> None:
    """Columns, names and instances are read in one thread and changed in another."""
    count = 400
    known = cluster(
        *(
            Features(
                {"m": frozenset({"a", f"b{n}"})},
                {"kernel.config": {"A": str(n % 9)}},
                {"x": ({"a": str(n % 7)}, {"a": "3"})},
            )
            for n in range(count)
        )
    )
    asked = spec(
        rule(
            term("kernel.config", A=LOW),
            term("m", MatchExpression("InRegexp", ("^a",))),
        ),
        rule(term("kernel.config", A=EXISTS), template=TEMPLATE, t="1"),
        rule(term("rule.matched", t=EXISTS), term("x", a=LOW)),
    )
    found = indexed(known)
    jobs = [found.begin(f"k{turn}", asked) for turn in range(3)]
    wanted = from_scratch(found, asked)
    with ThreadPoolExecutor(1) as thread:
        running = [thread.submit(job.run) for job in jobs]
        turn = 0
        while not all(one.done() for one in running):
            turn += 1
            new = Features(
                {"m": frozenset({f"c{turn}"})},
                {"kernel.config": {"A": str(turn % 9)}},
                {"x": ({"a": str(turn % 5)},)},
            )
            found.change({f"n{turn % count}": None, f"new{turn}": new})
    for job, one in zip(jobs, running, strict=True):
        judgement = one.result()
        assert isinstance(judgement, Judgement)
        assert len(wanted) == judgement.fits.bit_count()
        found.accept(job)
        key, _ = job.slot
        again = found.at_hand(key, calls=1_000_000)
        assert from_scratch(found, asked) == fitting(found, again)


def test_of_two_answers_to_one_question_both_specs_hold_the_newer() -> None:
    found = indexed(values(50))
    found.judge("old", ASKED)
    found.change({f"n{n}": config(A=str(100 + n), B="y") for n in range(30)})
    job = found.begin("new", ASKED)
    job.run()
    found.accept(job)
    before = found.calls
    got = found.at_hand("old", calls=100)
    assert from_scratch(found, ASKED) == fitting(found, got)
    assert before == found.calls, "the job has evaluated it all"
    old, new = (found.plan(key) for key in ("old", "new"))
    assert old is not None
    assert new is not None
    assert all(a is b for a, b in zip(old.answers(), new.answers(), strict=True))


def test_a_job_that_is_older_than_an_answer_changes_nothing() -> None:
    found = indexed(values(5))
    job = found.begin("k", ASKED)
    found.change({"n1": config(A="9", B="y")})
    judgement = found.judge("k", ASKED)
    job.run()
    found.accept(job)
    assert judgement is found.at_hand("k")


def test_a_newer_answer_takes_the_place_of_too_costly() -> None:
    """A spec that was too costly may be judged again when the cluster is smaller."""
    found = indexed(values(50), Limits(calls=20))
    jobs = [found.begin("k", ASKED)]
    found.update(values(5))
    jobs.append(found.begin("k", ASKED))
    for job, kind in zip(jobs, (TooCostly, Judgement), strict=True):
        assert isinstance(job.run(), kind)
        found.accept(job)
        assert isinstance(found.at_hand("k"), kind)
    assert found.size_bytes > 0


def test_what_is_known_of_a_node_is_told_by_number() -> None:
    known = values(2)
    found = indexed(known)
    assert known["n1"] is found.features(1)
    assert found.features(2) is None
