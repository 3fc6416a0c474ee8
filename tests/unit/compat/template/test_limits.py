"""What a template may cost: every bound at its edge."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import process_time

import pytest

from app.compat.template.engine import LIMITS, Limits, Meter, parse
from app.compat.template.limits import KEPT_PATTERNS, UNIT
from app.compat.template.sprig.regex import MAX_SOURCE_BYTES, Pattern
from app.errors import SpecError

SMALL = Limits(
    template_bytes=400,
    steps=2_000,
    output_bytes=100,
    depth=4,
    nesting=12,
    string_bytes=64,
    elements=10,
    value_depth=3,
)


def run(source: str, limits: Limits = SMALL) -> str:
    return parse(source, limits).execute({})


def nested_parentheses(depth: int) -> str:
    return "{{" + "(" * depth + "1" + ")" * depth + "}}"


def nested_actions(depth: int) -> str:
    return "{{if 1}}" * depth + "x" + "{{end}}" * depth


def nested_definition(depth: int) -> str:
    return '{{define "a"}}' + nested_actions(depth - 1) + "{{end}}"


def nested_calls(depth: int) -> str:
    return (
        '{{define "a"}}{{if gt . 1}}{{template "a" (sub . 1)}}{{end}}{{end}}'
        f'{{{{template "a" {depth}}}}}'
    )


def deep_value(depth: int, action: str) -> str:
    return (
        "{{$v := list}}"
        f"{{{{range {depth - 1}}}}}{{{{$v = list $v}}}}{{{{end}}}}"
        f"{{{{$_ := {action} $v}}}}"
    )


def deep_execution(depth: int) -> str:
    """Four templates that call each other, with actions in each."""
    actions = depth - 4
    per_template = [actions // 4 + (index < actions % 4) for index in range(4)]
    text = ""
    for index, count in enumerate(per_template):
        following = f'{{{{template "t{index + 1}"}}}}' if index < 3 else "x"
        body = "{{if 1}}" * count + following + "{{end}}" * count
        text += f'{{{{define "t{index}"}}}}{body}{{{{end}}}}'
    return text + '{{template "t0"}}'


@pytest.mark.parametrize(
    ("make", "limit", "name"),
    [
        pytest.param(nested_parentheses, 4, "parentheses nested", id="parentheses"),
        pytest.param(nested_actions, 4, "actions nested", id="actions"),
        pytest.param(nested_definition, 4, "actions nested", id="definitions"),
        pytest.param(nested_calls, 4, "template calls", id="template-calls"),
        pytest.param(deep_execution, 12, "execution nested", id="all-together"),
        pytest.param(
            lambda n: "{{/*" + "x" * (n - 8) + "*/}}",
            400,
            "a text of",
            id="template-bytes",
        ),
        pytest.param(lambda n: "x" * n, 100, "of output", id="output-of-text"),
        pytest.param(
            lambda n: f'{{{{range {n}}}}}{{{{"x"}}}}{{{{end}}}}',
            100,
            "of output",
            id="output-of-actions",
        ),
        pytest.param(
            lambda n: f'{{{{$x := repeat {n} "x"}}}}', 64, "a text of", id="repeat"
        ),
        pytest.param(
            lambda n: f'{{{{$x := indent {n - 1} "x"}}}}', 64, "a text of", id="indent"
        ),
        pytest.param(
            lambda n: f'{{{{$x := printf "%{n}d" 1}}}}', 64, "a text of", id="width"
        ),
        pytest.param(
            lambda n: f'{{{{$x := printf "%.{n}d" 1}}}}', 64, "a text of", id="zeros"
        ),
        pytest.param(
            lambda n: f'{{{{$x := printf "%.{n - 2}f" 1.0}}}}',
            64,
            "a text of",
            id="decimal-places",
        ),
        pytest.param(
            lambda n: f'{{{{$x := printf "%.{n - 2}U" 1}}}}',
            64,
            "a text of",
            id="code-point",
        ),
        pytest.param(
            lambda n: f'{{{{$x := printf "%s" (repeat {n} "x")}}}}',
            64,
            "a text of",
            id="printed",
        ),
        pytest.param(
            lambda n: f'{{{{$x := replace "a" (repeat {n - 5} "b") "12345a"}}}}',
            64,
            "a text of",
            id="replace",
        ),
        pytest.param(
            lambda n: f'{{{{$x := join (repeat {n - 2} "-") (list "a" "b")}}}}',
            64,
            "a text of",
            id="join",
        ),
        pytest.param(
            lambda n: f'{{{{$x := toJson (repeat {n - 2} "x")}}}}',
            64,
            "a text of",
            id="json",
        ),
        pytest.param(
            lambda n: (
                f'{{{{$x := regexReplaceAll "a" "aa" (repeat {n // 2} "b")}}}}'
                if n % 2 == 0
                else f'{{{{$x := regexReplaceAll "a" "aa" (repeat {n // 2 + 1} "b")}}}}'
            ),
            64,
            "a text of",
            id="regex-replace",
        ),
        pytest.param(
            lambda n: f'{{{{$x := b64enc (repeat {n // 4 * 3 + n % 4} "x")}}}}',
            64,
            "a text of",
            id="result",
        ),
        pytest.param(lambda n: f"{{{{$x := until {n}}}}}", 10, "elements", id="until"),
        pytest.param(
            lambda n: f'{{{{$x := splitList "" (repeat {n} "x")}}}}',
            10,
            "elements",
            id="letters",
        ),
        pytest.param(
            lambda n: f'{{{{$x := splitList "x" (repeat {n - 1} "x")}}}}',
            10,
            "elements",
            id="split",
        ),
        pytest.param(
            lambda n: f"{{{{$x := append (until {n - 1}) 1}}}}",
            10,
            "elements",
            id="append",
        ),
        pytest.param(
            lambda n: f"{{{{$x := concat (until {n - 1}) (list 1)}}}}",
            10,
            "elements",
            id="concat",
        ),
        pytest.param(
            lambda n: f"{{{{$x := list {'1 ' * n}}}}}", 10, "elements", id="list"
        ),
        pytest.param(
            lambda n: f'{{{{$x := regexFindAll "x" (repeat {n} "x") -1}}}}',
            10,
            "elements",
            id="regex-find-all",
        ),
        pytest.param(
            lambda n: f'{{{{$x := fromJson "[{",".join("1" * n)}]"}}}}',
            10,
            "elements",
            id="json-array",
        ),
        pytest.param(
            lambda n: (
                "{{$d := dict}}"
                f"{{{{range {n}}}}}{{{{$_ := set $d (print .) 1}}}}{{{{end}}}}"
            ),
            10,
            "elements",
            id="dict",
        ),
        pytest.param(
            lambda n: deep_value(n + 1, "print"), 3, "values nested", id="print-deep"
        ),
        pytest.param(
            lambda n: deep_value(n + 1, "toJson"), 3, "values nested", id="json-deep"
        ),
        pytest.param(
            lambda n: deep_value(n + 1, "deepCopy"), 3, "values nested", id="copy-deep"
        ),
        pytest.param(
            lambda n: "{{$x := fromJson `" + "[" * (n + 1) + "]" * (n + 1) + "`}}",
            3,
            "values nested",
            id="read-deep",
        ),
        pytest.param(
            lambda n: deep_value(n + 1, "deepEqual $v"),
            3,
            "values nested",
            id="compare-deep",
        ),
    ],
)
def test_a_bound_holds_at_its_edge(
    make: Callable[[int], str], limit: int, name: str
) -> None:
    run(make(limit))

    with pytest.raises(SpecError, match=name) as caught:
        run(make(limit + 1))

    assert caught.value.reason == "TooCostly"


def test_steps_are_counted_to_the_last() -> None:
    source = "{{range 10}}{{print 1 | len}}{{end}}"
    spent = next(n for n in range(1_000) if _passes(source, steps=n))

    assert not _passes(source, steps=spent - 1)
    assert 10 * 5 < spent < 10 * 20


def _passes(source: str, *, steps: int) -> bool:
    try:
        run(source, replace(SMALL, steps=steps))
    except SpecError as e:
        return e.reason != "TooCostly"
    return True


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('{{repeat 1000000000 "x"}}', id="repeat"),
        pytest.param("{{until 99999999}}", id="until"),
        pytest.param("{{until 9223372036854775807}}", id="until-the-end"),
        pytest.param("{{untilStep 0 9223372036854775807 3}}", id="until-step"),
        pytest.param("{{seq 1 99999999}}", id="seq"),
        pytest.param('{{printf "%9999999d" 1}}', id="width"),
        pytest.param('{{printf "%*d" 1000000 1}}', id="width-given"),
        pytest.param('{{printf "%.1000000f" 1.5}}', id="precision"),
        pytest.param('{{indent 9223372036854775807 "x"}}', id="indent"),
        pytest.param("{{range 9223372036854775807}}{{end}}", id="range"),
        pytest.param("{{range 1000}}{{range 1000}}{{end}}{{end}}", id="range-in-range"),
        pytest.param(
            '{{$s := repeat 60000 "x"}}{{$l := list}}'
            "{{range 5000}}{{$l = append $l $s}}{{end}}"
            '{{join "" $l}}',
            id="a-list-of-long-texts",
        ),
        pytest.param(
            '{{$s := "x"}}{{range 40}}{{$s = print $s $s}}{{end}}', id="doubling"
        ),
        pytest.param(
            "{{$l := list 1}}{{range 40}}{{$l = concat $l $l}}{{end}}",
            id="doubling-lists",
        ),
        pytest.param(
            "{{$d := dict}}{{$_ := set $d `a` $d}}{{$d}}", id="a-dict-in-itself"
        ),
        pytest.param(
            "{{$d := dict}}{{$_ := set $d `a` $d}}{{toJson $d}}", id="json-of-a-cycle"
        ),
        pytest.param(
            "{{$d := dict}}{{$_ := set $d `a` $d}}"
            "{{$e := dict}}{{$_ := set $e `a` $e}}{{merge $d $e}}",
            id="merge-of-cycles",
        ),
        pytest.param(
            "{{$d := dict}}{{$_ := set $d `a` $d}}"
            "{{$e := dict}}{{$_ := set $e `a` $e}}{{deepEqual $d $e}}",
            id="equality-of-cycles",
        ),
        pytest.param(
            "{{$l := list}}{{range 64}}{{$l = list $l $l}}{{end}}{{toJson $l}}",
            id="a-tree-that-shares-branches",
        ),
        pytest.param(
            '{{define "a"}}{{template "a" .}}{{end}}{{template "a"}}', id="recursion"
        ),
        pytest.param(
            '{{define "a"}}{{template "b"}}{{template "b"}}{{end}}'
            '{{define "b"}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}'
            '{{template "a"}}',
            id="templates-that-multiply",
        ),
        pytest.param("{{if 1}}" * 5_000, id="actions-in-actions"),
        pytest.param("{{" + "(" * 20_000, id="open-parentheses"),
        pytest.param(
            '{{$s := repeat 60000 "ab "}}{{wrapWith 1 $s $s}}', id="long-newlines"
        ),
        pytest.param(
            '{{$s := repeat 60000 "a"}}{{regexReplaceAll "a" $s $s}}',
            id="long-replacements",
        ),
        pytest.param(
            '{{$s := repeat 60000 "a"}}'
            '{{range 1000}}{{$x := regexMatch "(a*)*b" $s}}{{end}}',
            id="long-searches",
        ),
    ],
)
def test_a_costly_template_is_stopped(source: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(source).execute({})

    assert caught.value.reason == "TooCostly"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(nested_actions(32), id="actions"),
        pytest.param(nested_parentheses(32), id="parentheses"),
        pytest.param(nested_calls(32), id="calls"),
        pytest.param(
            "{{if "
            + "(print " * 32
            + "1"
            + ")" * 32
            + "}}"
            + nested_actions(31)
            + "{{end}}",
            id="both",
        ),
        pytest.param(
            "{{if 0}}" + "{{else if 0}}" * 2_000 + "{{else}}x{{end}}", id="else-if"
        ),
    ],
)
def test_what_is_within_the_bounds_needs_no_deep_stack(source: str) -> None:
    def deeper(levels: int) -> str:
        return deeper(levels - 1) if levels else parse(source).execute({})

    assert deeper(200) is not None


SLOWEST = [
    *("html $s", "js $s", "title $s", "swapcase $s", "quote $s", "nospace $s"),
    *("kebabcase $s", "snakecase $s", "camelcase $s", 'printf "%q" $s'),
    *('printf "% x" $s', "toJson $s", "b64dec $s", "b32dec $s", "urlParse $s"),
    *("regexQuoteMeta $s", 'regexMatch "(.*)(.*)x" $s', 'regexFindAll "" $s -1'),
    *('regexReplaceAll "b" "ab" $s', "toStrings $l", "print $l", "sortAlpha $l"),
    *('printf "%q" $l', "uniq $l", "deepEqual $l $l", "deepCopy $l", "toJson $l"),
]
"""What takes longest for its steps, on texts and lists."""


def seconds_per_step(source: str) -> float:
    parsed = parse(source)
    meter = Meter()
    start = process_time()
    with suppress(SpecError):
        parsed.execute({}, meter)
    return (process_time() - start) / max(meter.spent, 1_000)


@pytest.mark.parametrize("action", SLOWEST)
@pytest.mark.parametrize("unit", ["Ab c_d. ", "$1", "é世 "])
def test_no_step_takes_long(action: str, unit: str) -> None:
    """Beside a step of a loop: what counted too little took a hundred times as long."""
    data = f'{{{{$s := repeat 3000 "{unit}"}}}}{{{{$l := until 3000}}}}'
    source = f"{data}{{{{range 3}}}}{{{{$x := {action}}}}}{{{{end}}}}"
    plain = min(seconds_per_step("{{range 3000}}{{end}}") for _ in range(3))

    assert min(seconds_per_step(source) for _ in range(3)) < 20 * plain


def test_compiling_a_pattern_counts_once_as_long_as_it_is_kept() -> None:
    def spent(source: str) -> int:
        before = meter.spent
        parse(f'{{{{regexMatch "{source}" ""}}}}').execute({}, meter)
        return meter.spent - before

    meter = Meter()
    first, again = spent("ab"), spent("ab")
    assert first > again
    assert 32 + 2 * 4 < first - again, "and each instruction of the program"
    assert 2 * 4 < spent("abab") - first
    others = [spent(f"b{n}") for n in range(KEPT_PATTERNS - len(meter.patterns))]
    assert KEPT_PATTERNS == len(meter.patterns)
    assert again == spent("ab"), "all that are kept still are"
    assert again < min(others)
    assert first == spent("cd")
    assert first == spent("ab"), "it may have been forgotten"


@pytest.mark.parametrize(
    ("source", "reading"),
    [
        pytest.param("a{2,9}", 6 * 4, id="repeats"),
        pytest.param(r"\pL", 3 * 4 + 128, id="a class"),
        pytest.param("a{1000}", 7 * 4, id="a large program"),
    ],
)
def test_a_pattern_counts_by_its_length_and_by_its_program(
    source: str, reading: int
) -> None:
    def spent(patterns: set[bytes]) -> int:
        meter = Meter(patterns=patterns)
        parse(f"{{{{regexMatch `{source}` `a`}}}}").execute({}, meter)
        return meter.spent

    known: set[bytes] = set()
    size = Pattern(source.encode()).size
    assert 32 + reading + size == spent(known) - spent(known)


def test_a_pattern_that_is_none_counts_by_its_length() -> None:
    meter = Meter()
    parse("{{regexMatch `((((((((` ``}}").execute({}, meter)
    assert 32 + 8 * 4 < meter.spent < 32 + 8 * 4 + 20


def test_a_pattern_has_at_most_2_kib() -> None:
    longest = "a" * MAX_SOURCE_BYTES
    asked = '{{regexMatch (repeat %d "a") "b"}}'
    assert "false" == parse(asked % len(longest)).execute({})
    with pytest.raises(SpecError, match="a pattern of more than 2,048 bytes"):
        parse(asked % (len(longest) + 1)).execute({})


def test_a_search_counts_by_the_program_and_the_text() -> None:
    def spent(source: str, size: int) -> int:
        meter = Meter()
        parse(f'{{{{$_ := regexMatch "{source}" (repeat {size} "b")}}}}').execute(
            {}, meter
        )
        return meter.spent

    small, large = (
        spent(source, 9_000) - spent(source, 1_000) for source in ("a", "a{100}")
    )
    work = 3 * 8_000 // UNIT
    assert work < small < 9 * 8_000 // 256 + work
    assert 100 * 8_000 // 256 + work < large < 110 * 8_000 // 256 + work


def test_patterns_may_be_shared_by_runs() -> None:
    parsed = parse('{{regexMatch "a" "b"}}')
    first = Meter()
    parsed.execute({}, first)
    second = Meter(patterns=first.patterns)
    parsed.execute({}, second)
    third = Meter()
    parsed.execute({}, third)
    assert first.spent == third.spent > second.spent


@pytest.mark.parametrize("spare", [0, -1])
def test_fewer_steps_may_be_granted(spare: int) -> None:
    parsed = parse("{{range 9}}a{{end}}")
    needed = Meter()
    parsed.execute({}, needed)
    granted = Meter(steps=needed.spent + spare)
    if not spare:
        assert "a" * 9 == parsed.execute({}, granted)
        assert needed.spent == granted.spent
        return
    with pytest.raises(SpecError, match=f"more than {needed.spent - 1} steps"):
        parsed.execute({}, granted)
    assert granted.spent > granted.granted


def test_no_more_steps_are_granted_than_the_bound() -> None:
    assert LIMITS.steps == Meter(steps=LIMITS.steps + 1).granted


def test_the_bounds_are_those_of_the_design() -> None:
    assert (100_000, 65_536, 32) == (LIMITS.steps, LIMITS.output_bytes, LIMITS.depth)
