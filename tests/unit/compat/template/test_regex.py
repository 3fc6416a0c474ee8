"""The functions of sprig about regex.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

# ruff: noqa: E501 - the texts are as long as they are

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('{{regexMatch "[" "abc"}}', "false", id='regexMatch "(" "abc"'),
        pytest.param(
            '{{regexFindAll "[a-z]+" "foo bar baz" 2}}',
            "[foo bar]",
            id='regexFindAll "(a-z)+" "foo bar baz" 2',
        ),
        pytest.param(
            '{{regexFindAll "[a-z]+" "foo bar baz" 0}}',
            "[]",
            id='regexFindAll "(a-z)+" "foo bar baz" 0',
        ),
        pytest.param(
            '{{regexFindAll "x*" "axbx" -1}}',
            "[ x x]",
            id='regexFindAll "x*" "axbx" -1',
        ),
        pytest.param(
            '{{regexFindAll "" "aé" -1}}', "[  ]", id='regexFindAll "" "a?" -1'
        ),
        pytest.param('{{regexFind "z" "abbc"}}', "", id='regexFind "z" "abbc"'),
        pytest.param(
            '{{regexReplaceAll "a(?P<n>x*)b" "-ab-axxb-" "<${n}$n$$$0$1$2$01$é${n $>"}}',
            "-<$ab${n $>-<xxxx$axxbxx${n $>-",
            id='regexReplaceAll "a(?P<n>x*)b" "-ab-axxb-" "<${n}$n$$$0$1$2$0',
        ),
        pytest.param(
            '{{mustRegexReplaceAllLiteral "a" "bab" "$0"}}',
            "b$0b",
            id='mustRegexReplaceAllLiteral "a" "bab" "$0"',
        ),
        pytest.param('{{regexSplit "z+" "" -1}}', "[]", id='regexSplit "z+" "" -1'),
        pytest.param('{{regexSplit "" "" -1}}', "[]", id='regexSplit "" "" -1'),
        pytest.param('{{regexSplit "" "abc" 2}}', "[a bc]", id='regexSplit "" "abc" 2'),
        pytest.param('{{regexSplit "a" "abc" 0}}', "[]", id='regexSplit "a" "abc" 0'),
        pytest.param(
            '{{regexQuoteMeta "1.2+3*[x]{y}^$|\\\\()?é"}}',
            "1\\.2\\+3\\*\\[x\\]\\{y\\}\\^\\$\\|\\\\\\(\\)\\?é",
            id='regexQuoteMeta "1.2+3*(x){y}^$|//()??"',
        ),
        pytest.param('{{regexMatch "" ""}}', "true", id='regexMatch "" ""'),
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
            '{{mustRegexMatch "(?P<é>a)" "ab"}}',
            'template: :1:2: executing "" at <mustRegexMatch "(?P<é>a)" "ab">: error calling mustRegexMatch: error parsing regexp: invalid named capture: `(?P<é>`',
            id='mustRegexMatch "(?P<?>a)" "ab"',
        ),
        pytest.param(
            '{{mustRegexMatch "\\xff" "ab"}}',
            'template: :1:2: executing "" at <mustRegexMatch "\\xff" "ab">: error calling mustRegexMatch: error parsing regexp: invalid UTF-8: `�`',
            id='mustRegexMatch "/xff" "ab"',
        ),
        pytest.param(
            '{{regexFind "[" "abc"}}',
            'template: :1:2: executing "" at <regexFind "[" "abc">: error calling regexFind: regexp: Compile(`[`): error parsing regexp: missing closing ]: `[`',
            id='regexFind "(" "abc"',
        ),
        pytest.param(
            '{{regexFind "`[" "abc"}}',
            'template: :1:2: executing "" at <regexFind "`[" "abc">: error calling regexFind: regexp: Compile("`["): error parsing regexp: missing closing ]: `[`',
            id='regexFind "`(" "abc"',
        ),
    ],
)
def test_a_function_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
