"""What is refused by name, with the page that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.compat.template.builtins import BUILTINS, SPECIAL
from app.compat.template.engine import parse
from app.compat.template.sprig import FUNCTIONS, REFUSED
from app.errors import SpecError

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "templates.md"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_function_is_named_with_the_page(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(f"{{{{ {name} }}}}")

    assert caught.value.reason == "UnsupportedFunction"
    assert caught.value.message.startswith(f'function "{name}" is not supported: ')
    assert "docs/reference/templates.md" in caught.value.message


def test_an_unknown_function_is_gos_own_error() -> None:
    with pytest.raises(SpecError) as caught:
        parse("a\n{{ nope }}")

    assert caught.value.reason == "InvalidTemplate"
    assert caught.value.message == 'template: :2: function "nope" not defined'
    assert caught.value.line == 2


def test_a_failure_says_where_it_stands() -> None:
    with pytest.raises(SpecError) as caught:
        parse("é\n é{{ .nope }}").execute({})

    assert (2, 7) == (caught.value.line, caught.value.column)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        pytest.param('{{printf "%p" .}}', "address", id="address-of-a-map"),
        pytest.param('{{printf "%p" (list)}}', "address", id="address-of-a-list"),
        pytest.param(
            '{{printf "%d" (list (semver "1"))}}', "address", id="address-of-a-version"
        ),
        pytest.param('{{deepCopy (semver "1")}}', "lose", id="copy-of-a-version"),
        pytest.param(
            "{{slice (append (list 1 2) 3) 0 4}}", "grown", id="end-beyond-a-grown-list"
        ),
        pytest.param(
            '{{merge (dict "a" (semver "1")) (dict "a" (semver "2"))}}',
            "two versions",
            id="merge-of-versions",
        ),
        pytest.param(
            '{{merge (dict "a" (split "," "x")) (dict "a" (dict "b" 1))}}',
            "different types",
            id="merge-of-typed-maps",
        ),
        pytest.param(
            '{{urlParse "http://[1.2.3.4]/"}}', "not IPv6", id="address-in-brackets"
        ),
        pytest.param('{{urlParse "http://[::1%25]/"}}', "empty zone", id="empty-zone"),
        pytest.param(
            r'{{regexMatch "\\pC" "a"}}', "the class C", id="pattern-read-otherwise"
        ),
        pytest.param(
            '{{regexMatch "a" "\\xff"}}', "no valid UTF-8", id="text-that-is-no-utf-8"
        ),
        pytest.param(
            '{{regexMatch "(?i)a" "\u0390"}}', "Unicode", id="text-read-otherwise"
        ),
        pytest.param(
            '{{(semver "1").MarshalJSON}}', "MarshalJSON", id="method-with-bytes"
        ),
    ],
)
def test_a_use_that_cannot_be_had_exactly_is_refused(source: str, why: str) -> None:
    with pytest.raises(SpecError, match=why) as caught:
        parse(source).execute({})

    assert caught.value.reason == "UnsupportedFunction"


def test_every_function_stands_on_the_page() -> None:
    page = PAGE.read_text()
    names = {*FUNCTIONS, *BUILTINS, *SPECIAL, *REFUSED}

    assert set() == {name for name in names if f"`{name}`" not in page}


def test_keys_and_values_are_sorted() -> None:
    source = '{{$d := dict "b" 1 "a" 2}}{{keys $d}}{{values $d}}'

    assert "[a b][2 1]" == parse(source).execute({})
