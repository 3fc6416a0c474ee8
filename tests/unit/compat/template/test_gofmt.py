"""printf: verbs, flags, widths, and mistakes in them.

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
            '{{printf "%d" (semver "1.2.3")}}',
            "&{1 2 3 %!d(string=) %!d(string=) %!d(string=1.2.3)}",
            id='printf "%d" (semver "1.2.3")',
        ),
        pytest.param(
            '{{printf "%#v" (semver "1.2.3")}}',
            '&semver.Version{major:0x1, minor:0x2, patch:0x3, pre:"", metadata:"", original:"1.2.3"}',
            id='printf "%#v" (semver "1.2.3")',
        ),
        pytest.param('{{println 1 "a" nil}}', "1 a <nil>\n", id='println 1 "a" nil'),
        pytest.param(
            '{{printf "%d" 1 "a" nil}}',
            "1%!(EXTRA string=a, <nil>)",
            id='printf "%d" 1 "a" nil',
        ),
        pytest.param('{{printf "%[]d" 1}}', "%!d(BADINDEX)", id='printf "%()d" 1'),
        pytest.param('{{printf "%[1" 1}}', "%!(NOVERB)", id='printf "%(1" 1'),
        pytest.param('{{printf "%[0]d" 1}}', "%!d(BADINDEX)", id='printf "%(0)d" 1'),
        pytest.param('{{printf "%*d|" -5 42}}', "42   |", id='printf "%*d|" -5 42'),
        pytest.param(
            '{{printf "%.*f" "x" 3.14159}}',
            "%!(BADPREC)3.141590",
            id='printf "%.*f" "x" 3.14159',
        ),
        pytest.param(
            '{{printf "%*d" (int64 5) 42}}', "   42", id='printf "%*d" (int64 5) 42'
        ),
        pytest.param('{{printf "%[1]2d" 5}}', "%!d(BADINDEX)", id='printf "%(1)2d" 5'),
        pytest.param(
            '{{printf "%[1].2f" 5.0}}', "%!f(BADINDEX)", id='printf "%(1).2f" 5.0'
        ),
        pytest.param(
            '{{printf "%6.2f|%-8.3f|%+.1e|%08.3f|%x" 3.14159 2.5 12345.678 -3.14159 1.5}}',
            "  3.14|2.500   |+1.2e+04|-003.142|0x1.8p+00",
            id='printf "%6.2f|%-8.3f|%+.1e|%08.3f|%x" 3.14159 2.5 12345.678 ',
        ),
        pytest.param('{{printf "%#q" "plain"}}', "`plain`", id='printf "%#q" "plain"'),
        pytest.param(
            '{{printf "%x %X % x %#x % #X" "hi" "hi" "hello" "hi" "hi"}}',
            "6869 6869 68 65 6c 6c 6f 0x6869 0X68 0X69",
            id='printf "%x %X % x %#x % #X" "hi" "hi" "hello" "hi" "hi"',
        ),
        pytest.param('{{printf "%x" ""}}', "", id='printf "%x" ""'),
        pytest.param(
            '{{printf "%.2x|%.1s|%.0s|%5.1s|" "abc" "éa" "x" "éa"}}',
            "6162|é||    é|",
            id='printf "%.2x|%.1s|%.0s|%5.1s|" "abc" "?a" "x" "?a"',
        ),
        pytest.param(
            '{{printf "%c %c %c %U %#U %#U" 65 233 -1 233 128512 7}}',
            "A é � U+00E9 U+1F600 '😀' U+0007",
            id='printf "%c %c %c %U %#U %#U" 65 233 -1 233 128512 7',
        ),
        pytest.param(
            '{{printf "%o %#o %O %b %#b" 8 8 8 5 5}}',
            "10 010 0o10 101 0b101",
            id='printf "%o %#o %O %b %#b" 8 8 8 5 5',
        ),
        pytest.param(
            '{{printf "%5d|%-5d|%05d|%+d|% d|%x|%X|%#x" 42 42 42 42 42 255 255 255}}',
            "   42|42   |00042|+42| 42|ff|FF|0xff",
            id='printf "%5d|%-5d|%05d|%+d|% d|%x|%X|%#x" 42 42 42 42 42 255 ',
        ),
        pytest.param(
            '{{printf "%.5d|%8.5d|%-8.5d|%08.5d|%.0d|%.0d|%5.0d|" 42 42 42 42 0 1 0}}',
            "00042|   00042|00042   |   00042||1|     |",
            id='printf "%.5d|%8.5d|%-8.5d|%08.5d|%.0d|%.0d|%5.0d|" 42 42 42 ',
        ),
        pytest.param(
            '{{printf "%v %+v %#v %T" (list 1 "a" nil) (list 1 "a") (list 1 "a" nil 2.5 true) (list)}}',
            '[1 a <nil>] [1 a] []interface {}{1, "a", interface {}(nil), 2.5, true} []interface {}',
            id='printf "%v %+v %#v %T" (list 1 "a" nil) (list 1 "a") (list 1',
        ),
        pytest.param(
            '{{printf "%#v %#v" (concat) (index . "x")}}',
            "[]interface {}(nil) nodefeaturerule.domainMatchedFeatures(nil)",
            id='printf "%#v %#v" (concat) (index . "x")',
        ),
        pytest.param('{{printf "%s" nil}}', "%!s(<nil>)", id='printf "%s" nil'),
        pytest.param('{{printf "%s" true}}', "%!s(bool=true)", id='printf "%s" true'),
        pytest.param(
            '{{printf "%.3g|%.10g|%#g|%#.3g|%#v|%#f" 1234.5678 1234.5678 1.0 1.0 1.0 1.0}}',
            "1.23e+03|1234.5678|1.00000|1.00|1|1.000000",
            id='printf "%.3g|%.10g|%#g|%#.3g|%#v|%#f" 1234.5678 1234.5678 1.',
        ),
        pytest.param(
            '{{printf "%5v|%-6v|%06.1f|%+f|% f" (float64 "Inf") (float64 "NaN") (float64 "-Inf") (float64 "Inf") (float64 "NaN")}}',
            " +Inf|NaN   |  -Inf|+Inf| NaN",
            id='printf "%5v|%-6v|%06.1f|%+f|% f" (float64 "Inf") (float64 "N',
        ),
        pytest.param(
            '{{printf "%b %x %X %.3x %.0x %#x" 1.5 1.5 -0.1 3.14159 1.5 1.0}}',
            "6755399441055744p-52 0x1.8p+00 -0X1.999999999999AP-04 0x1.922p+01 0x1p+01 0x1.0000p+00",
            id='printf "%b %x %X %.3x %.0x %#x" 1.5 1.5 -0.1 3.14159 1.5 1.0',
        ),
        pytest.param(
            '{{printf "%x %x %x" 0.0 -0.0 5e-324}}',
            "0x0p+00 -0x0p+00 0x1p-1074",
            id='printf "%x %x %x" 0.0 -0.0 5e-324',
        ),
        pytest.param(
            '{{printf "%d" 1i}}', "%!d(complex128=(0+1i))", id='printf "%d" 1i'
        ),
        pytest.param(
            '{{printf "%%|%5%|%d%%" 5}}', "%|%|5%", id='printf "%%|%5%|%d%%" 5'
        ),
        pytest.param(
            '{{printf "%w" (dict)}}',
            "%!w(map[string]interface {}=map[])",
            id='printf "%w" (dict)',
        ),
        pytest.param(
            '{{printf "%s|%v|%d" (until 3) (until 3) (until 3)}}',
            "[%!s(int=0) %!s(int=1) %!s(int=2)]|[0 1 2]|[0 1 2]",
            id='printf "%s|%v|%d" (until 3) (until 3) (until 3)',
        ),
        pytest.param(
            '{{printf "%3q|%-5q|%#q|%+q" 65 65 65 233}}',
            "'A'|'A'  |'A'|'\\u00e9'",
            id='printf "%3q|%-5q|%#q|%+q" 65 65 65 233',
        ),
        pytest.param('{{printf "%p" 1}}', "%!p(int=1)", id='printf "%p" 1'),
        pytest.param(
            '{{printf "%[1]*.[2]*[3]f|" 8 2 3.14159}}',
            "    3.14|",
            id='printf "%(1)*.(2)*(3)f|" 8 2 3.14159',
        ),
        pytest.param('{{printf "%*d"}}', "%!(BADWIDTH)%!d(MISSING)", id='printf "%*d"'),
        pytest.param('{{printf "%d" 1.5}}', "%!d(float64=1.5)", id='printf "%d" 1.5'),
        pytest.param(
            '{{printf "%t" 2+1i}}', "%!t(complex128=(2+1i))", id='printf "%t" 2+1i'
        ),
    ],
)
def test_a_format_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "{{printf 5}}",
            'template: :1:9: executing "" at <5>: expected string; found 5',
            id="printf 5",
        ),
    ],
)
def test_a_format_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)
