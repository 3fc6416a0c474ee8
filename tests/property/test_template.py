"""Laws of templates: no text and no data breaks out, whatever it is."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from app.compat.template.builtins import BUILTINS, SPECIAL
from app.compat.template.engine import Limits, parse
from app.compat.template.sprig import FUNCTIONS
from app.errors import SpecError

REASONS = {"InvalidTemplate", "TemplateFailed", "TooCostly", "UnsupportedFunction"}
LIMITS = Limits(steps=5_000, output_bytes=4_096, string_bytes=4_096, elements=500)
NAMES = sorted({*FUNCTIONS, *BUILTINS, *SPECIAL})

texts = st.text(max_size=20)
elements = st.dictionaries(texts, texts, max_size=4)
data = st.dictionaries(
    texts | st.just("a"),
    st.dictionaries(texts | st.just("b"), st.lists(elements, max_size=4), max_size=3),
    max_size=3,
)

numbers = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["0x1F", "1_000", "'a'", "1i", "0", "1", "-1", "1e300"]),
)
literals = st.one_of(
    texts.map(lambda text: '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'),
    st.sampled_from(["true", "false", "nil", ".", "$", ".a", ".a.b", '"a,b"', "``"]),
    numbers,
)


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A function on some arguments, or a pipeline into one."""
    operands = st.lists(inner | literals, max_size=3)
    applied = st.builds(
        lambda name, args: f"({' '.join([name, *args])})",
        st.sampled_from(NAMES),
        operands,
    )
    piped = st.builds(lambda a, b: f"({a} | {b[1:-1]})", applied, applied)
    return applied | piped


pipelines = st.recursive(literals, calls, max_leaves=8)


def actions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Actions around templates."""
    kinds = st.sampled_from(["if", "with", "range", "range $i, $e :="])
    plain = st.builds(
        lambda kind, pipe, body: f"{{{{{kind} {pipe}}}}}{body}{{{{end}}}}",
        kinds,
        pipelines,
        inner,
    )
    with_else = st.builds(
        lambda k, p, a, b: f"{{{{{k} {p}}}}}{a}{{{{else}}}}{b}{{{{end}}}}",
        kinds,
        pipelines,
        inner,
        inner,
    )
    return plain | with_else


templates = st.recursive(
    st.one_of(
        pipelines.map(lambda pipe: f"{{{{{pipe}}}}}"),
        pipelines.map(lambda pipe: f"{{{{$x := {pipe}}}}}{{{{print $x}}}}"),
        texts,
    ),
    actions,
    max_leaves=5,
)

pieces = st.sampled_from(
    [
        *("{{", "}}", "{{- ", " -}}", "{{if ", "{{else}}", "{{end}}", "{{range "),
        *("{{with ", "{{define `a`}}", "{{template `a` .}}", "{{block `b` .}}"),
        *("{{break}}", "{{continue}}", "{{else if ", "{{/*", "*/}}", "$x", ":=", "="),
        *("|", "(", ")", ",", '"', "`", "'", "\\", ".", ".a", "1", "nil", "\n", " "),
        *("upper", "printf", "index", "nope", "0x", "1e", "+", "%d", "é", "\x00"),
    ]
)
soups = st.lists(pieces | st.characters(), max_size=25).map("".join)


def outcome(run: Callable[[], str]) -> str | None:
    """The output; `None` for an error that callers know how to handle."""
    error: SpecError
    try:
        return run()
    except SpecError as e:
        error = e
    assert error.reason in REASONS
    assert error.message
    assert error.message == error.message.encode().decode()
    return None


@settings(deadline=None, max_examples=150)
@given(source=soups, given=data)
def test_any_text_gives_output_or_one_of_four_reasons(
    source: str, given: dict[str, dict[str, list[dict[str, str]]]]
) -> None:
    output = outcome(lambda: parse(source, LIMITS).execute(given))

    assert output is None or len(output.encode()) <= LIMITS.output_bytes * 3


@settings(deadline=None, max_examples=400)
@given(source=templates, given=data)
def test_any_program_stays_within_its_bounds(
    source: str, given: dict[str, dict[str, list[dict[str, str]]]]
) -> None:
    output = outcome(lambda: parse(source, LIMITS).execute(given))

    assert output is None or len(output.encode()) <= LIMITS.output_bytes * 3


@settings(deadline=None, max_examples=100)
@given(source=templates, given=data)
def test_a_template_gives_the_same_every_time(
    source: str, given: dict[str, dict[str, list[dict[str, str]]]]
) -> None:
    def both() -> tuple[str | None, str | None]:
        parsed = parse(source, LIMITS)
        first = outcome(lambda: parsed.execute(given))
        return first, outcome(lambda: parsed.execute(given))

    try:
        first, second = both()
    except SpecError:
        return
    assert first == second


@settings(deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_characters="{")))
def test_text_without_actions_is_copied(text: str) -> None:
    expected = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)

    assert expected == parse(text).execute({})


@settings(deadline=None)
@given(value=texts)
def test_what_is_quoted_is_read_back(value: str) -> None:
    given_data = {"a": {"b": [{"v": value}]}}
    quoted = parse("{{range .a.b}}{{printf `%q` .v}}{{end}}").execute(given_data)
    plain = parse("{{range .a.b}}{{.v}}{{end}}").execute(given_data)

    assert plain == parse(f"{{{{{quoted}}}}}").execute({})


@settings(deadline=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_printed_so_that_it_reads_back(number: float) -> None:
    shown = parse(f"{{{{float64 `{number!r}`}}}}").execute({})

    assert number == float(shown)


@settings(deadline=None)
@given(value=texts)
def test_json_is_read_back(value: str) -> None:
    source = "{{range .a.b}}{{toJson .v | fromJson}}{{end}}"
    plain = "{{range .a.b}}{{.v}}{{end}}"
    given_data = {"a": {"b": [{"v": value}]}}

    assert parse(plain).execute(given_data) == parse(source).execute(given_data)
