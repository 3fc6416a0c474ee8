"""The functions of sprig about urls.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

# ruff: noqa: E501 - the texts are as long as they are

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            '{{urlParse "http://[::1]:80/"}}',
            "map[fragment: host:[::1]:80 hostname:::1 opaque: path:/ query: scheme:http userinfo:]",
            id='urlParse "http://(:1):80/"',
        ),
        pytest.param(
            '{{urlParse "a:b:c"}}',
            "map[fragment: host: hostname: opaque:b:c path: query: scheme:a userinfo:]",
            id='urlParse "a:b:c"',
        ),
        pytest.param(
            '{{urlParse "*"}}',
            "map[fragment: host: hostname: opaque: path:* query: scheme: userinfo:]",
            id='urlParse "*"',
        ),
        pytest.param(
            '{{urlJoin (dict "path" "a:b")}}', "./a:b", id='urlJoin (dict "path" "a:b")'
        ),
        pytest.param(
            '{{urlJoin (dict "path" "a:b" "host" "h")}}',
            "//h/a:b",
            id='urlJoin (dict "path" "a:b" "host" "h")',
        ),
        pytest.param(
            '{{urlJoin (dict "opaque" "x" "scheme" "s" "query" "q")}}',
            "s:x?q",
            id='urlJoin (dict "opaque" "x" "scheme" "s" "query" "q")',
        ),
        pytest.param(
            '{{urlJoin (urlParse "https://user:p%40ss@host.com:8080/a%20b/c?x=1&y#frag%20x")}}',
            "https://user:p%40ss@host.com:8080/a%20b/c?x=1&y#frag%20x",
            id='urlJoin (urlParse "https://user:p%40ss@host.com:8080/a%20b/c',
        ),
        pytest.param(
            '{{urlParse "http://[::1%25a%5b]/"}}',
            "map[fragment: host:[::1%a[] hostname:::1%a[ opaque: path:/ query: scheme:http userinfo:]",
            id='urlParse "http://(:1%25a%5b)/"',
        ),
        pytest.param(
            '{{urlParse "http://[::1%25a%20b]/" | toJson}}',
            '{"fragment":"","host":"[::1%a b]","hostname":"::1%a b","opaque":"","path":"/","query":"","scheme":"http","userinfo":""}',
            id='urlParse "http://(:1%25a%20b)/" | toJson',
        ),
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
            '{{urlParse "http://[::1]:x/"}}',
            'template: :1:2: executing "" at <urlParse "http://[::1]:x/">: error calling urlParse: unable to parse url: parse "http://[::1]:x/": invalid port ":x" after host',
            id='urlParse "http://(:1):x/"',
        ),
        pytest.param(
            '{{urlParse "http://[::1/"}}',
            'template: :1:2: executing "" at <urlParse "http://[::1/">: error calling urlParse: unable to parse url: parse "http://[::1/": missing \']\' in host',
            id='urlParse "http://(:1/"',
        ),
        pytest.param(
            '{{urlParse "http://a[::1]/"}}',
            'template: :1:2: executing "" at <urlParse "http://a[::1]/">: error calling urlParse: unable to parse url: parse "http://a[::1]/": invalid IP-literal',
            id='urlParse "http://a(:1)/"',
        ),
        pytest.param(
            '{{urlParse "http://a:b/"}}',
            'template: :1:2: executing "" at <urlParse "http://a:b/">: error calling urlParse: unable to parse url: parse "http://a:b/": invalid port ":b" after host',
            id='urlParse "http://a:b/"',
        ),
        pytest.param(
            '{{urlParse "1a:b"}}',
            'template: :1:2: executing "" at <urlParse "1a:b">: error calling urlParse: unable to parse url: parse "1a:b": first path segment in URL cannot contain colon',
            id='urlParse "1a:b"',
        ),
        pytest.param(
            '{{urlParse ":a"}}',
            'template: :1:2: executing "" at <urlParse ":a">: error calling urlParse: unable to parse url: parse ":a": missing protocol scheme',
            id='urlParse ":a"',
        ),
        pytest.param(
            '{{urlParse "%zz"}}',
            'template: :1:2: executing "" at <urlParse "%zz">: error calling urlParse: unable to parse url: parse "%zz": invalid URL escape "%zz"',
            id='urlParse "%zz"',
        ),
        pytest.param(
            '{{urlParse "/a#%zz"}}',
            'template: :1:2: executing "" at <urlParse "/a#%zz">: error calling urlParse: unable to parse url: parse "/a#%zz": invalid URL escape "%zz"',
            id='urlParse "/a#%zz"',
        ),
        pytest.param(
            '{{urlParse "http://a%41/"}}',
            'template: :1:2: executing "" at <urlParse "http://a%41/">: error calling urlParse: unable to parse url: parse "http://a%41/": invalid URL escape "%41"',
            id='urlParse "http://a%41/"',
        ),
        pytest.param(
            '{{urlParse "\\x01"}}',
            'template: :1:2: executing "" at <urlParse "\\x01">: error calling urlParse: unable to parse url: parse "\\x01": net/url: invalid control character in URL',
            id='urlParse "/x01"',
        ),
        pytest.param(
            '{{urlParse "http://{}/"}}',
            'template: :1:2: executing "" at <urlParse "http://{}/">: error calling urlParse: unable to parse url: parse "http://{}/": invalid character "{" in host name',
            id='urlParse "http://{}/"',
        ),
        pytest.param(
            '{{urlJoin (dict "host" 5)}}',
            'template: :1:2: executing "" at <urlJoin (dict "host" 5)>: error calling urlJoin: unable to parse host key, must be of type string, but int found',
            id='urlJoin (dict "host" 5)',
        ),
        pytest.param(
            '{{urlJoin (dict "host" nil)}}',
            'template: :1:2: executing "" at <urlJoin (dict "host" nil)>: error calling urlJoin: runtime error: invalid memory address or nil pointer dereference',
            id='urlJoin (dict "host" nil)',
        ),
        pytest.param(
            '{{urlJoin (dict "userinfo" "u ser")}}',
            'template: :1:2: executing "" at <urlJoin (dict "userinfo" "u ser")>: error calling urlJoin: unable to parse userinfo in dict: parse "proto://u ser@host": net/url: invalid userinfo',
            id='urlJoin (dict "userinfo" "u ser")',
        ),
        pytest.param(
            '{{urlParse "http://[fe80::1%zz]/"}}',
            'template: :1:2: executing "" at <urlParse "http://[fe80::1%zz]/">: error calling urlParse: unable to parse url: parse "http://[fe80::1%zz]/": invalid URL escape "%zz"',
            id='urlParse "http://(fe80:1%zz)/"',
        ),
        pytest.param(
            '{{urlParse "http://[::1%25%zz]/"}}',
            'template: :1:2: executing "" at <urlParse "http://[::1%25%zz]/">: error calling urlParse: unable to parse url: parse "http://[::1%25%zz]/": invalid URL escape "%zz"',
            id='urlParse "http://(:1%25%zz)/"',
        ),
    ],
)
def test_a_function_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
