"""Text, actions, variables, fields, loops, and what is wrong with them.

Expected texts are those of Go 1.26 with sprig v3.3.0.
"""

# ruff: noqa: E501 - the texts are as long as they are

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.compat.template.data import Element


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("a {{- /* c */ -}} b", "ab", id="a - /* c */ - b"),
        pytest.param(
            "{{1}} {{-1}} {{+1}} {{0x1F}} {{0X1f}} {{017}} {{0o17}} {{0O17}} {{0b101}} {{0B1}} {{1_000}} {{0x_1F}}",
            "1 -1 1 31 31 15 15 15 5 1 1000 31",
            id="1 -1 +1 0x1F 0X1f 017 0o17 0O17 0b101 0B1 1_000 0x_1F",
        ),
        pytest.param(
            "{{1i}} {{1.5i}} {{0i}} {{1+2i}} {{-1.5-2.5i}} {{1e3+1i}} {{1+0i}}",
            "(0+1i) (0+1.5i) (0+0i) (1+2i) (-1.5-2.5i) (1000+1i) (1+0i)",
            id="1i 1.5i 0i 1+2i -1.5-2.5i 1e3+1i 1+0i",
        ),
        pytest.param("{{0x1e400p1}}", "247808", id="0x1e400p1"),
        pytest.param(
            '{{with 0}}a{{else with ""}}b{{else}}c{{end}}',
            "c",
            id='with 0aelse with ""belsecend',
        ),
        pytest.param(
            "{{range .cpu.cpuid}}{{continue}}{{.}}{{end}}",
            "",
            id="range .cpu.cpuidcontinue.end",
        ),
        pytest.param(
            '{{range .cpu.cpuid}}{{.Name}}{{if eq .Name "AVX512F"}}{{break}}{{end}};{{end}}',
            "AVX;AVX512F",
            id='range .cpu.cpuid.Nameif eq .Name "AVX512F"breakend;end',
        ),
        pytest.param(
            "{{$i := 9}}{{$e := 8}}{{range $i, $e = list 1 2}}{{$i}}{{$e}};{{end}}{{$i}}{{$e}}",
            "01;12;12",
            id="$i := 9$e := 8range $i, $e = list 1 2$i$e;end$i$e",
        ),
        pytest.param(
            "{{range $x := int64 2}}{{$x}}{{break}}{{end}}",
            "0",
            id="range $x := int64 2$xbreakend",
        ),
        pytest.param(
            "{{range (first list)}}a{{else}}b{{end}}",
            "b",
            id="range (first list)aelsebend",
        ),
        pytest.param(
            '{{define "x"}}b{{end}}{{define "x"}} {{/* c */}} {{end}}{{template "x"}}',
            "b",
            id='define "x"benddefine "x" /* c */ endtemplate "x"',
        ),
        pytest.param('{{upper ("a" | title)}}', "A", id='upper ("a" | title)'),
        pytest.param(
            '{{range .pci.device}}{{.vendor}}:{{index . "device"}} {{end}}',
            "10de:2204 8086: ",
            id='range .pci.device.vendor:index . "device" end',
        ),
        pytest.param(
            "{{. | toPrettyJson}}",
            '{\n  "a-b": {\n    "": [\n      {\n        "": "empty",\n        "x.y": "\\u003c\\u0026\\u003e\\"\'",\n        "ü": "é世"\n      }\n    ]\n  },\n  "cpu": {\n    "cpuid": [\n      {\n        "Name": "AVX"\n      },\n      {\n        "Name": "AVX512F"\n      },\n      {\n        "Name": "SSE4.2"\n      }\n    ],\n    "model": [\n      {\n        "Name": "family",\n        "Value": "6"\n      },\n      {\n        "Name": "id",\n        "Value": "143"\n      },\n      {\n        "Name": "vendor_id",\n        "Value": "Intel"\n      }\n    ]\n  },\n  "empty": {},\n  "kernel": {\n    "loadedmodule": [],\n    "version": [\n      {\n        "Name": "full",\n        "Value": "5.15.0-1034-aws"\n      },\n      {\n        "Name": "major",\n        "Value": "5"\n      },\n      {\n        "Name": "minor",\n        "Value": "15"\n      }\n    ]\n  },\n  "pci": {\n    "device": [\n      {\n        "class": "0300",\n        "device": "2204",\n        "vendor": "10de"\n      },\n      {\n        "class": "0200",\n        "sriov_totalvfs": "8",\n        "vendor": "8086"\n      }\n    ]\n  }\n}',
            id=". | toPrettyJson",
        ),
        pytest.param(
            '{{len .}} {{len .cpu}} {{len .cpu.cpuid}} {{len (index .cpu.cpuid 0)}} {{len "é"}}',
            "5 2 3 1 2",
            id='len . len .cpu len .cpu.cpuid len (index .cpu.cpuid 0) len "',
        ),
        pytest.param(
            "{{$x := 1}}{{range 2}}{{$x = add $x .}}{{end}}{{$x}}",
            "2",
            id="$x := 1range 2$x = add $x .end$x",
        ),
        pytest.param(
            '{{$d := dict "a" 1}}{{range $d}}{{$_ := set $d "b" 2}}{{.}}{{end}}{{$d}}',
            "1map[a:1 b:2]",
            id='$d := dict "a" 1range $d$_ := set $d "b" 2.end$d',
        ),
        pytest.param(
            '{{printf "%q" "\\xff\\u00a0é\\u200b\\U0001F600\\x00\\x7f"}}',
            '"\\xff\\u00a0é\\u200b😀\\x00\\x7f"',
            id='printf "%q" "/xff/u00a0?/u200b/U0001F600/x00/x7f"',
        ),
        pytest.param(
            '{{template "x" .}}{{define "x"}}{{range $i, $e := .cpu.cpuid}}{{template "y" $e.Name}}{{end}}{{end}}{{define "y"}}<{{.}}>{{end}}',
            "<AVX><AVX512F><SSE4.2>",
            id='template "x" .define "x"range $i, $e := .cpu.cpuidtemplate "',
        ),
        pytest.param(
            "{{if and (not .cpu) .nope}}x{{end}}", "", id="if and (not .cpu) .nopexend"
        ),
        pytest.param("{{hello}}", "Hello!", id="hello"),
        pytest.param(
            "{{print list}}{{print dict}}{{print coalesce}}{{print concat}}",
            "[]map[]<nil>[]",
            id="print listprint dictprint coalesceprint concat",
        ),
        pytest.param(
            '{{range $k, $v := dict "a" 1 "b" 2}}{{$k}}{{break}}{{end}}',
            "a",
            id='range $k, $v := dict "a" 1 "b" 2$kbreakend',
        ),
        pytest.param("{{'\\xff'}}", "255", id="'/xff'"),
        pytest.param("{{1  -}}   x", "1x", id="1 - x"),
        pytest.param("{{1 | or}}", "1", id="1 | or"),
        pytest.param("{{if int64 0}}a{{else}}b{{end}}", "b", id="if int64 0aelsebend"),
    ],
)
def test_a_template_gives_what_go_gives(
    answer: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == answer(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "{{9223372036854775808}}",
            'template: :1:2: executing "" at <9223372036854775808>: 9223372036854775808 overflows int',
            id="9223372036854775808",
        ),
        pytest.param(
            "{{nil}}",
            'template: :1:2: executing "" at <nil>: nil is not a command',
            id="nil",
        ),
        pytest.param(
            "{{$x = 2}}",
            'template: :1:7: executing "" at <2>: undefined variable: $x',
            id="$x = 2",
        ),
        pytest.param(
            "{{range $i, $j := 3}}{{$i}}{{end}}",
            'template: :1:18: executing "" at <3>: can\'t use 3 to iterate over more than one variable',
            id="range $i, $j := 3$iend",
        ),
        pytest.param(
            "{{range $x := 2+1i}}{{end}}",
            'template: :1:14: executing "" at <2+1i>: range can\'t iterate over (2+1i)',
            id="range $x := 2+1iend",
        ),
        pytest.param(
            '{{template "nope"}}',
            'template: :1:11: executing "" at <{{template "nope"}}>: template "nope" not defined',
            id='template "nope"',
        ),
        pytest.param(
            '{{define "x"}}{{.Missing}}{{end}}{{template "x" dict}}',
            'template: :1:16: executing "x" at <.Missing>: map has no entry for key "Missing"',
            id='define "x".Missingendtemplate "x" dict',
        ),
        pytest.param(
            "{{(first list).a}}",
            'template: :1:9: executing "" at <list>: nil data; no entry for key "a"',
            id="(first list).a",
        ),
        pytest.param(
            "{{.cpu 1}}",
            'template: :1:2: executing "" at <.cpu>: cpu is not a method but has arguments',
            id=".cpu 1",
        ),
        pytest.param(
            "{{$ 1}}",
            'template: :1:2: executing "" at <$>: can\'t give argument to non-function $',
            id="$ 1",
        ),
        pytest.param(
            "{{. 1}}",
            'template: :1:2: executing "" at <.>: can\'t give argument to non-function .',
            id=". 1",
        ),
        pytest.param(
            "{{(1) | upper}}",
            'template: :1:8: executing "" at <upper>: wrong type for value; expected string; got int',
            id="(1) | upper",
        ),
        pytest.param(
            "{{if and .cpu .nope}}x{{end}}",
            'template: :1:14: executing "" at <.nope>: map has no entry for key "nope"',
            id="if and .cpu .nopexend",
        ),
        pytest.param(
            "{{or}}",
            'template: :1:2: executing "" at <or>: wrong number of args for or: want at least 1 got 0',
            id="or",
        ),
        pytest.param(
            "{{call}}",
            'template: :1:2: executing "" at <call>: wrong number of args for call: want at least 1 got 0',
            id="call",
        ),
        pytest.param(
            "{{call 1}}",
            'template: :1:2: executing "" at <call 1>: error calling call: non-function 1 of type int',
            id="call 1",
        ),
        pytest.param(
            '{{call upper "a"}}',
            'template: :1:7: executing "" at <upper>: wrong number of args for upper: want 1 got 0',
            id='call upper "a"',
        ),
        pytest.param(
            '{{"a" | call}}',
            'template: :1:8: executing "" at <call>: error calling call: non-function a of type string',
            id='"a" | call',
        ),
        pytest.param(
            "{{first list | call}}",
            'template: :1:15: executing "" at <call>: error calling call: call of nil',
            id="first list | call",
        ),
        pytest.param(
            "{{len coalesce}}",
            'template: :1:2: executing "" at <len coalesce>: error calling len: len of nil pointer',
            id="len coalesce",
        ),
        pytest.param(
            "{{len nil}}",
            'template: :1:2: executing "" at <len nil>: error calling len: reflect: call of reflect.Value.Type on zero Value',
            id="len nil",
        ),
        pytest.param(
            '{{fail "no"}}',
            'template: :1:2: executing "" at <fail "no">: error calling fail: no',
            id='fail "no"',
        ),
        pytest.param(
            "{{range $i, $e := (1) 2}}{{end}}",
            'template: :1:8: executing "" at <$i, $e := (1) 2>: can\'t give argument to non-function 1',
            id="range $i, $e := (1) 2end",
        ),
        pytest.param(
            "{{range list nil}}{{.x}}{{end}}",
            'template: :1:20: executing "" at <.x>: nil pointer evaluating interface {}.x',
            id="range list nil.xend",
        ),
        pytest.param(
            "{{range list 1}}{{.x}}{{end}}",
            'template: :1:18: executing "" at <.x>: can\'t evaluate field x in type interface {}',
            id="range list 1.xend",
        ),
        pytest.param(
            "{{upper (.cpu.nope)}}",
            'template: :1:13: executing "" at <.cpu.nope>: map has no entry for key "nope"',
            id="upper (.cpu.nope)",
        ),
        pytest.param(
            "{{upper $.cpu.nope}}",
            'template: :1:9: executing "" at <$.cpu.nope>: map has no entry for key "nope"',
            id="upper $.cpu.nope",
        ),
    ],
)
def test_a_template_fails_with_the_text_of_go(
    failure: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == failure(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("a{{/* c", "template: :1: unclosed comment", id="a/* c"),
        pytest.param(
            "a{{/* c */",
            "template: :1: comment ends before closing delimiter",
            id="a/* c */",
        ),
        pytest.param("{{`a}}", "template: :1: unterminated raw quoted string", id="`a"),
        pytest.param('{{"\\q"}}', "template: :1: invalid syntax", id='"/q"'),
        pytest.param("{{''}}", "template: :1: invalid syntax", id="''"),
        pytest.param(
            "{{'ab'}}", "template: :1: malformed character constant: 'ab'", id="'ab'"
        ),
        pytest.param(
            "{{'a}}", "template: :1: unterminated character constant", id="'a"
        ),
        pytest.param("{{'\\\"'}}", "template: :1: invalid syntax", id="'/\"'"),
        pytest.param("{{08}}", 'template: :1: integer overflow: "08"', id="08"),
        pytest.param("{{1_}}", 'template: :1: illegal number syntax: "1_"', id="1_"),
        pytest.param(
            "{{0x1+2i}}",
            'template: :1: strconv.ParseFloat: parsing "0x1": invalid syntax',
            id="0x1+2i",
        ),
        pytest.param(
            "{{1i+2i}}",
            "template: :1: syntax error scanning complex number",
            id="1i+2i",
        ),
        pytest.param("{{1x}}", 'template: :1: bad number syntax: "1x"', id="1x"),
        pytest.param(
            "{{true.a}}", 'template: :1: unexpected . after term "true"', id="true.a"
        ),
        pytest.param(
            "{{$x, $y = 1}}",
            "template: :1: too many declarations in command",
            id="$x, $y = 1",
        ),
        pytest.param("{{$x :}}", 'template: :1: undefined variable "$x"', id="$x :"),
        pytest.param("{{if true}}a", "template: :1: unexpected EOF", id="if truea"),
        pytest.param(
            "{{if}}a{{end}}", "template: :1: missing value for if", id="ifaend"
        ),
        pytest.param(
            "{{if true}}a{{else}}b{{else}}c{{end}}",
            "template: :1: expected end; found {{else}}",
            id="if trueaelsebelsecend",
        ),
        pytest.param(
            "{{with 0}}a{{else if 1}}b{{end}}",
            "template: :1: unexpected <if> in input",
            id="with 0aelse if 1bend",
        ),
        pytest.param(
            "{{range .cpu.cpuid}}x{{else if 1}}b{{end}}",
            "template: :1: unexpected <if> in input",
            id="range .cpu.cpuidxelse if 1bend",
        ),
        pytest.param("{{end}}", "template: :1: unexpected {{end}}", id="end"),
        pytest.param("{{end x}}", 'template: :1: unexpected "x" in end', id="end x"),
        pytest.param("{{else x}}", 'template: :1: unexpected "x" in else', id="else x"),
        pytest.param(
            "{{range $i, 1}}{{end}}",
            "template: :1: range can only initialize variables",
            id="range $i, 1end",
        ),
        pytest.param(
            "{{define x}}a{{end}}",
            'template: :1: unexpected "x" in define clause',
            id="define xaend",
        ),
        pytest.param(
            '{{define "x" 1}}a{{end}}',
            'template: :1: unexpected "1" in define clause',
            id='define "x" 1aend',
        ),
        pytest.param(
            '{{define "\\q"}}{{end}}',
            "template: :1: invalid syntax",
            id='define "/q"end',
        ),
        pytest.param(
            "{{template}}",
            'template: :1: unexpected "}}" in template clause',
            id="template",
        ),
        pytest.param(
            '{{template "a" | upper}}',
            'template: :1: unexpected "|" in template clause',
            id='template "a" | upper',
        ),
        pytest.param(
            '{{block "b"}}x{{end}}',
            "template: :1: missing value for block clause",
            id='block "b"xend',
        ),
        pytest.param(
            '{{block "b" 1}}x{{else}}y{{end}}',
            "template: :1: unexpected {{else}} in block clause",
            id='block "b" 1xelseyend',
        ),
        pytest.param(
            "{{block b 1}}x{{end}}",
            'template: :1: unexpected "b" in block clause',
            id="block b 1xend",
        ),
        pytest.param(
            '{{range 2}}{{block "b" .}}{{.}}{{break}}{{end}}{{end}}',
            "template: :1: {{break}} outside {{range}}",
            id='range 2block "b" ..breakendend',
        ),
        pytest.param(
            "{{1 | 2}}",
            "template: :1: non executable command in pipeline stage 2",
            id="1 | 2",
        ),
        pytest.param("{{(1}}", "template: :1: unclosed left paren", id="(1"),
        pytest.param("{{1)}}", "template: :1: unexpected right paren", id="1)"),
        pytest.param("{{é}}", 'template: :1: function "é" not defined', id="?"),
        pytest.param(
            "{{€}}",
            "template: :1: unrecognized character in action: U+20AC '€'",
            id="?~",
        ),
        pytest.param("{{a€}}", "template: :1: bad character U+20AC '€'", id="a?"),
        pytest.param("{{'a'b}}", 'template: :1: unexpected "b" in operand', id="'a'b"),
        pytest.param(
            '{{\n"a\n',
            "template: :2: unterminated quoted string in action started at :1",
            id='"a',
        ),
        pytest.param(
            "{{ (\n1 ", "template: :2: unclosed action started at :1", id="( 1"
        ),
        pytest.param("{{ -}}", "template: :1: missing value for command", id="-"),
        pytest.param(
            '{{range 2}}{{break "éééééééééé"}}{{end}}',
            'template: :1: unexpected "\\"ééééééééé"... in {{break}}',
            id='range 2break "??????????"end',
        ),
        pytest.param(
            "{{1__i}}", 'template: :1: illegal number syntax: "1__i"', id="1__i"
        ),
        pytest.param(
            "{{1e999+1i}}",
            'template: :1: strconv.ParseFloat: parsing "1e999": value out of range',
            id="1e999+1i",
        ),
        pytest.param(
            "{{0xp1}}", 'template: :1: illegal number syntax: "0xp1"', id="0xp1"
        ),
        pytest.param(
            "{{0x1p99999}}",
            'template: :1: illegal number syntax: "0x1p99999"',
            id="0x1p99999",
        ),
        pytest.param('{{"\\400"}}', "template: :1: invalid syntax", id='"/400"'),
        pytest.param('{{"\\ud800"}}', "template: :1: invalid syntax", id='"/ud800"'),
        pytest.param(
            '{{block "a" 1}}{{.}}{{end}}{{define "a"}}b{{end}}',
            'template: :1: template: multiple definition of template "a"',
            id='block "a" 1.enddefine "a"bend',
        ),
    ],
)
def test_a_template_that_cannot_be_parsed_has_the_text_of_go(
    refusal: Callable[[str], str], source: str, expected: str
) -> None:
    assert expected == refusal(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param('{{(dict "a" 1).a}}', "1", id="a-dict"),
        pytest.param('{{(dict "a" (dict "b" 2)).a.b}}', "2", id="dicts-in-a-dict"),
        pytest.param("{{range .pci.device}}{{.vendor}} {{end}}", "10de 8086 ", id="el"),
        pytest.param("{{range .pci.device}}{{len .}} {{end}}", "3 3 ", id="entries"),
        pytest.param(
            "{{range .pci.device}}{{range $k, $v := .}}{{$k}}={{$v}} {{end}}{{end}}",
            "class=0300 device=2204 vendor=10de "
            "class=0200 sriov_totalvfs=8 vendor=8086 ",
            id="pairs",
        ),
    ],
)
def test_fields_and_entries_are_the_same(
    source: str, expected: str, answer: Callable[[str], str]
) -> None:
    assert expected == answer(source)


def test_an_element_has_no_other_parts() -> None:
    assert not hasattr(Element({"a": "1"}), "items")
