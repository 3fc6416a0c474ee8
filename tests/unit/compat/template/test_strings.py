"""The functions of sprig about strings.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

# ruff: noqa: E501 - the texts are as long as they are

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('{{abbrev 3 "hello"}}', "hello", id='abbrev 3 "hello"'),
        pytest.param(
            '{{abbrevboth 5 10 "1234 5678 9123"}}',
            "...5678...",
            id='abbrevboth 5 10 "1234 5678 9123"',
        ),
        pytest.param(
            '{{abbrevboth 5 4 "1234 5678 9123 4567"}}',
            "1234 5678 9123 4567",
            id='abbrevboth 5 4 "1234 5678 9123 4567"',
        ),
        pytest.param(
            '{{abbrevboth 100 8 "1234 5678 9123 4567"}}',
            "... 4567",
            id='abbrevboth 100 8 "1234 5678 9123 4567"',
        ),
        pytest.param('{{trunc -3 "hello"}}', "llo", id='trunc -3 "hello"'),
        pytest.param('{{trunc 1 "é"}}', "�", id='trunc 1 "?"'),
        pytest.param('{{substr 0 3 "hello"}}', "hel", id='substr 0 3 "hello"'),
        pytest.param('{{substr 1 -1 "hello"}}', "ello", id='substr 1 -1 "hello"'),
        pytest.param('{{substr -1 3 "hello"}}', "hel", id='substr -1 3 "hello"'),
        pytest.param('{{nospace "é"}}', "é", id='nospace "?"'),
        pytest.param('{{initials "é à foo"}}', "ÃÃf", id='initials "? ? foo"'),
        pytest.param(
            '{{wrap 3 "Thisisalongword and short"}}',
            "Thisisalongword\nand\nshort",
            id='wrap 3 "Thisisalongword and short"',
        ),
        pytest.param(
            '{{wrap 5 "word    gaps     here"}}',
            "word \ngaps \n here",
            id='wrap 5 "word gaps here"',
        ),
        pytest.param(
            '{{wrapWith 1 "-" "abc d"}}', "a-b-c-d", id='wrapWith 1 "-" "abc d"'
        ),
        pytest.param('{{plural "one" "many" 1}}', "one", id='plural "one" "many" 1'),
        pytest.param('{{swapcase "ǅ ǆ éÉ ß"}}', "ǆ ǅ Éé ß", id='swapcase "? ? ?? ?"'),
        pytest.param('{{title "ǆ x-y.z 1a"}}', "ǅ X-Y.Z 1a", id='title "? x-y.z 1a"'),
        pytest.param(
            '{{untitle "Hello World"}}', "hello world", id='untitle "Hello World"'
        ),
        pytest.param('{{upper "a\\xffé"}}', "A�É", id='upper "a/xff?"'),
        pytest.param('{{trimAll "" " a "}}', " a ", id='trimAll "" " a "'),
        pytest.param('{{trimAll "é\\xff" "éaé"}}', "a", id='trimAll "?/xff" "?a?"'),
        pytest.param('{{trimSuffix "-" "a--"}}', "a-", id='trimSuffix "-" "a--"'),
        pytest.param('{{trimPrefix "-" "--a"}}', "-a", id='trimPrefix "-" "--a"'),
        pytest.param(
            '{{trim "\\u00a0\\u2003 a \\u3000\\u0085"}}',
            "a",
            id='trim "/u00a0/u2003 a /u3000/u0085"',
        ),
        pytest.param('{{nindent 2 "a\\nb"}}', "\n  a\n  b", id='nindent 2 "a/nb"'),
        pytest.param('{{replace "" "-" "aé"}}', "-a-é-", id='replace "" "-" "a?"'),
        pytest.param(
            '{{replace "x" "" "banana"}}', "banana", id='replace "x" "" "banana"'
        ),
        pytest.param(
            '{{cat "a" 1 nil 2.5 (list 1)}}',
            "a 1 2.5 [1]",
            id='cat "a" 1 nil 2.5 (list 1)',
        ),
        pytest.param(
            '{{quote "a" 1 nil "b\\"c" 2.5}}',
            '"a" "1" "b\\"c" "2.5"',
            id='quote "a" 1 nil "b/"c" 2.5',
        ),
        pytest.param(
            '{{squote "a" 1 nil "b\'c"}}', "'a' '1' 'b'c'", id='squote "a" 1 nil "b\'c"'
        ),
        pytest.param('{{splitn "$" 0 "a$b$c"}}', "map[]", id='splitn "$" 0 "a$b$c"'),
        pytest.param(
            '{{splitn "" 2 "aéb"}}', "map[_0:a _1:éb]", id='splitn "" 2 "a?b"'
        ),
        pytest.param(
            '{{splitList "" "aé\\xff"}}', "[a é �]", id='splitList "" "a?/xff"'
        ),
        pytest.param('{{join "-" nil}}', "", id='join "-" nil'),
        pytest.param(
            '{{join "," (splitList "," "a,b")}}',
            "a,b",
            id='join "," (splitList "," "a,b")',
        ),
        pytest.param('{{contains "b" "abc"}}', "true", id='contains "b" "abc"'),
        pytest.param('{{hasPrefix "a" "abc"}}', "true", id='hasPrefix "a" "abc"'),
        pytest.param('{{hasSuffix "a" "abc"}}', "false", id='hasSuffix "a" "abc"'),
        pytest.param('{{abbrev 5 ""}}', "", id='abbrev 5 ""'),
        pytest.param(
            '{{toString (semver "v1.2")}}', "1.2.0", id='toString (semver "v1.2")'
        ),
        pytest.param('{{join "," (until 3)}}', "0,1,2", id='join "," (until 3)'),
    ],
)
def test_a_function_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            '{{substr -1 9 "hello"}}',
            'template: :1:2: executing "" at <substr -1 9 "hello">: error calling substr: runtime error: slice bounds out of range [:9] with length 5',
            id='substr -1 9 "hello"',
        ),
        pytest.param(
            '{{substr 3 2 "hello"}}',
            'template: :1:2: executing "" at <substr 3 2 "hello">: error calling substr: runtime error: slice bounds out of range [3:2]',
            id='substr 3 2 "hello"',
        ),
        pytest.param(
            '{{substr 9 -1 "hello"}}',
            'template: :1:2: executing "" at <substr 9 -1 "hello">: error calling substr: runtime error: slice bounds out of range [9:5]',
            id='substr 9 -1 "hello"',
        ),
        pytest.param(
            '{{repeat -1 "ab"}}',
            'template: :1:2: executing "" at <repeat -1 "ab">: error calling repeat: strings: negative Repeat count',
            id='repeat -1 "ab"',
        ),
        pytest.param(
            '{{indent -1 "a"}}',
            'template: :1:2: executing "" at <indent -1 "a">: error calling indent: strings: negative Repeat count',
            id='indent -1 "a"',
        ),
        pytest.param(
            "{{upper nil}}",
            'template: :1:8: executing "" at <nil>: cannot assign nil to string',
            id="upper nil",
        ),
    ],
)
def test_a_function_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
