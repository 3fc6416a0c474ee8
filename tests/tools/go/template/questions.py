"""Templates to ask Go about: tables by hand, and combinations of them.

How the recorded cases are made:

    python questions.py > questions
    go run . < questions > answers
    python questions.py answers ../../../conformance/cases/go-templates.jsonl.gz
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

NODE = {
    "cpu": {
        "cpuid": [{"Name": "AVX"}, {"Name": "AVX512F"}, {"Name": "SSE4.2"}],
        "model": [
            {"Name": "family", "Value": "6"},
            {"Name": "id", "Value": "143"},
            {"Name": "vendor_id", "Value": "Intel"},
        ],
    },
    "kernel": {
        "version": [
            {"Name": "full", "Value": "5.15.0-1034-aws"},
            {"Name": "major", "Value": "5"},
            {"Name": "minor", "Value": "15"},
        ],
        "loadedmodule": [],
    },
    "pci": {
        "device": [
            {"class": "0300", "vendor": "10de", "device": "2204"},
            {"class": "0200", "vendor": "8086", "sriov_totalvfs": "8"},
        ]
    },
    "a-b": {"": [{"x.y": "<&>\"'", "": "empty", "ü": "é\u4e16"}]},
    "empty": {},
}

# Text, trimming, comments, errors of the lexer and the parser.
LANGUAGE = r"""
||
|plain text|
|{{|
|{{.|
|{{.}|
|{{}}|
|{{ }}|
|x {{- "a" -}} y|
|x {{- "a"}} y|
|x {{"a" -}} y|
|x{{- "a" -}}y|
|{{-"a"-}}|
|{{- 3 -}}|
|{{-3}}|
|{{- -3 -}}|
|a{{/* c */}}b|
|a {{- /* c */ -}} b|
|a {{/* c */ -}} b|
|a{{/* c|
|a{{/* c */|
|a{{/* c */ }}b|
|a{{- /* c */}}b|
|{{"a}}|
|{{`a}}|
|{{`a\nb`}}|
|{{"a\tb\x41\u00e9\U0001F600\101\"\\"}}|
|{{"\q"}}|
|{{"\'"}}|
|{{'a'}}{{'\n'}}{{'\''}}{{'é'}}{{'\x41'}}{{'\101'}}|
|{{''}}|
|{{'ab'}}|
|{{'a}}|
|{{'\"'}}|
|{{1}} {{-1}} {{+1}} {{0x1F}} {{0X1f}} {{017}} {{0o17}} {{0O17}} {{0b101}} {{0B1}} {{1_000}} {{0x_1F}}|
|{{08}}|
|{{1__0}}|
|{{_1}}|
|{{1_}}|
|{{0x}}|
|{{1.5}} {{.5}} {{5.}} {{1e3}} {{1E-3}} {{1e+21}} {{-0.0}} {{1.0}} {{0.000001}} {{0.0000001}} {{123456789.0}}|
|{{1_0.5}} {{0x1p4}} {{0x1.8p1}} {{0X1P-2}} {{1e-400}}|
|{{0x1.8}}|
|{{1e}}|
|{{1e400}}|
|{{9223372036854775807}}|
|{{9223372036854775808}}|
|{{18446744073709551615}}|
|{{18446744073709551616}}|
|{{99999999999999999999}}|
|{{-9223372036854775808}}|
|{{-9223372036854775809}}|
|{{1i}} {{1.5i}} {{0i}} {{1+2i}} {{-1.5-2.5i}} {{1e3+1i}} {{1+0i}}|
|{{0x1+2i}}|
|{{0b1+2i}}|
|{{1i+2i}}|
|{{1+2}}|
|{{1+2i+3i}}|
|{{1x}}|
|{{1.2.3}}|
|{{0x1e400p1}}|
|{{true}} {{false}}|
|{{nil}}|
|{{nil.a}}|
|{{true.a}}|
|{{1.a}}|
|{{"a".b}}|
|{{.a.}}|
|{{..a}}|
|{{$}}|
|{{$x}}|
|{{$.cpu.model}}|
|{{$x := 1}}{{$x}}|
|{{$x := 1}}{{$x = 2}}{{$x}}|
|{{$x = 2}}|
|{{$x}}{{$x := 1}}|
|{{$x := 1 }}{{$x.a}}|
|{{$x, $y := 1}}|
|{{$x, $y = 1}}|
|{{$x := }}|
|{{$x :}}|
|{{$x : = 1}}|
|{{$x := 1 2}}|
|{{$x := "a" | upper}}{{$x}}|
|{{if $x := 1}}{{$x}}{{end}}{{$x}}|
|{{with $x := "a"}}{{$x}}{{.}}{{end}}|
|{{if true}}a{{end}}|
|{{if false}}a{{else}}b{{end}}|
|{{if false}}a{{else if true}}b{{else}}c{{end}}|
|{{if false}}a{{else if false}}b{{else if 1}}c{{end}}|
|{{if false}}a{{else if false}}b{{else}}c{{end}}|
|{{if $a := 0}}x{{else if $b := 1}}{{$a}}{{$b}}{{end}}|
|{{if true}}a|
|{{if true}}a{{else}}b|
|{{if}}a{{end}}|
|{{if true}}a{{else}}b{{else}}c{{end}}|
|{{if true}}a{{else with 1}}b{{end}}|
|{{with 0}}a{{else with 2}}{{.}}{{end}}|
|{{with 0}}a{{else with ""}}b{{else}}c{{end}}|
|{{with 0}}a{{else if 1}}b{{end}}|
|{{range .cpu.cpuid}}x{{else if 1}}b{{end}}|
|{{end}}|
|{{else}}|
|{{else if true}}|
|a{{end}}b|
|{{end x}}|
|{{else x}}|
|{{break}}|
|{{continue}}|
|{{range .cpu.cpuid}}{{break}}{{end}}|
|{{range .cpu.cpuid}}{{break 1}}{{end}}|
|{{range .cpu.cpuid}}{{continue}}{{.}}{{end}}|
|{{range .cpu.cpuid}}{{.Name}}{{if eq .Name "AVX512F"}}{{break}}{{end}};{{end}}|
|{{range .cpu.cpuid}}{{if eq .Name "AVX"}}{{continue}}{{end}}{{.Name}};{{end}}|
|{{range .cpu.cpuid}}{{range $.cpu.model}}{{break}}{{end}}x{{end}}|
|{{range $i, $e := .cpu.cpuid}}{{$i}}={{$e.Name}} {{end}}|
|{{range $e := .cpu.cpuid}}{{$e.Name}} {{end}}|
|{{range $i, $e := .cpu.model}}{{$i}}{{range $k, $v := $e}}{{$k}}={{$v}},{{end}}{{end}}|
|{{$i := 9}}{{$e := 8}}{{range $i, $e = list 1 2}}{{$i}}{{$e}};{{end}}{{$i}}{{$e}}|
|{{$e := 8}}{{range $e = list 1 2}}{{$e}};{{end}}{{$e}}|
|{{range $e = list 1 2}}{{$e}}{{end}}|
|{{range $i, $e, $f := .cpu.model}}{{end}}|
|{{range $i, := .cpu.model}}{{end}}|
|{{range $i, 1}}{{end}}|
|{{range $i, }}{{end}}|
|{{range $i, $e}}{{end}}|
|{{range}}{{end}}|
|{{range .kernel.loadedmodule}}a{{else}}none{{end}}|
|{{range 3}}{{.}}{{end}}|
|{{range $i := 3}}{{$i}}{{end}}|
|{{range $i, $j := 3}}{{$i}}{{end}}|
|{{range 0}}a{{else}}b{{end}}|
|{{range -1}}a{{else}}b{{end}}|
|{{range int64 2}}{{printf "%T" .}}{{end}}|
|{{range $x := int64 2}}{{$x}}{{break}}{{end}}|
|{{range 1.5}}a{{end}}|
|{{range "abc"}}{{.}}{{end}}|
|{{range true}}{{.}}{{end}}|
|{{range nil}}{{.}}{{end}}|
|{{range $x := 2+1i}}{{end}}|
|{{range (first list)}}a{{else}}b{{end}}|
|{{range dict "b" 1 "a" 2}}{{.}}{{end}}|
|{{range $k, $v := dict "b" 1 "a" nil}}{{$k}}={{$v}};{{end}}|
|{{range list nil 1 "a"}}{{.}};{{end}}|
|{{range $v := list nil 1}}{{print $v}}{{$v}};{{end}}|
|{{range semver "1.2.3"}}{{end}}|
|{{define "x"}}[{{.}}]{{end}}{{template "x" 1}}{{template "x"}}|
|{{define "x"}}a{{end}}{{define "x"}}b{{end}}{{template "x"}}|
|{{define "x"}} {{end}}{{define "x"}}b{{end}}{{template "x"}}|
|{{define "x"}}b{{end}}{{define "x"}} {{/* c */}} {{end}}{{template "x"}}|
|{{define ""}}main{{end}}|
|{{define ""}}main{{end}}x|
|{{define `x`}}a{{end}}{{template `x`}}|
|{{define x}}a{{end}}|
|{{define "x" 1}}a{{end}}|
|{{define "x"}}a|
|{{define "x"}}a{{else}}b{{end}}|
|{{define "x"}}{{define "y"}}{{end}}{{end}}|
|{{if 1}}{{define "y"}}{{end}}{{end}}|
|{{define "\q"}}{{end}}|
|{{template "nope"}}|
|{{template "nope" .cpu}}|
|{{template nope}}|
|{{template}}|
|{{template "a" 1 2}}|
|{{template "a" | upper}}|
|{{template "\q"}}|
|{{block "b" .cpu.model}}{{len .}}{{end}}{{template "b" "xy"}}|
|{{block "b"}}x{{end}}|
|{{block "b" 1}}x|
|{{block "b" 1}}x{{else}}y{{end}}|
|{{block b 1}}x{{end}}|
|{{range 2}}{{block "b" .}}{{.}}{{break}}{{end}}{{end}}|
|{{range 2}}{{block "b" .}}{{.}}{{end}}{{end}}|
|{{define "x"}}{{.Missing}}{{end}}{{template "x" dict}}|
|{{define "x%d"}}{{.Missing}}{{end}}{{template "x%d" dict "a%s" 1}}|
|{{define "x"}}{{$.a}}{{$y}}{{end}}|
|{{$y := 1}}{{define "x"}}{{$y}}{{end}}|
|{{define "x"}}{{$}}{{end}}{{template "x" 5}}|
|{{nope}}|
|{{nope .a}}|
|{{upper | nope}}|
|{{.a nope}}|
|{{env "HOME}}|
|{{"a" | "b"}}|
|{{1 | 2}}|
|{{"a" | .b}}|
|{{"a" | nil}}|
|{{"a" | true}}|
|{{"a" | .}}|
|{{"a" | upper | 1}}|
|{{| upper}}|
|{{"a" |}}|
|{{"a" | | upper}}|
|{{()}}|
|{{(1)}}|
|{{((1))}}|
|{{(1}}|
|{{1)}}|
|{{(1) 2}}|
|{{(1).a}}|
|{{(dict "a" 1).a}}|
|{{(dict "a" 1).b}}|
|{{(dict "a" (dict "b" 2)).a.b}}|
|{{((dict "a" (dict "b" 2)).a).b}}|
|{{(list).a}}|
|{{(first list).a}}|
|{{(index .cpu.model 0).Name}}|
|{{(index .cpu.model 0).Name.x}}|
|{{upper ("a")}}|
|{{upper ("a" | title)}}|
|{{upper"a"}}|
|{{upper "a"}}x|
|{{upper 'a'}}|
|{{upper("a")}}|
|{{"a"|upper}}|
|{{.cpu|len}}|
|{{.cpu.model|len|add 1}}|
|{{.cpu.model.x}}|
|{{.cpu.nope}}|
|{{.nope}}|
|{{.nope.x}}|
|{{.cpu.model.Name}}|
|{{.cpu 1}}|
|{{.cpu.model 1}}|
|{{1 | .cpu}}|
|{{$ 1}}|
|{{$x := 1}}{{$x 2}}|
|{{$x := dict "a" 1}}{{$x.a 2}}|
|{{$x := dict "a" 1}}{{1 | $x.a}}|
|{{. 1}}|
|{{1 2}}|
|{{"a" 2}}|
|{{true 2}}|
|{{nil 2}}|
|{{(1) | upper}}|
|{{1 | (upper)}}|
|{{,}}|
|{{!}}|
|{{.a,}}|
|{{#}}|
|{{é}}|
|{{.é}}|
|{{$é}}|
|{{€}}|
|{{.a€}}|
|{{$a€}}|
|{{a€}}|
|{{ab!}}|
|{{.a+b}}|
|{{$x+2}}|
|{{"a"b}}|
|{{1"a"}}|
|{{'a'b}}|
|{{\}}|
|{{@}}|
|{{%}}|
|{{&}}|
|{{.a\u0000}}|
|{{.cpu..model}}|
|{{.cpu .model}}|
|{{ .cpu. model }}|
|{{.Name.}}|
|{{index .pci.device 0 "vendor"}}|
|{{(index .pci.device 1).sriov_totalvfs}}|
|{{range .pci.device}}{{.vendor}}:{{.device}} {{end}}|
|{{range .pci.device}}{{.vendor}}:{{get . "device"}} {{end}}|
|{{range .pci.device}}{{.vendor}}:{{index . "device"}} {{end}}|
|{{range .pci.device}}{{range $k, $v := .}}{{$k}}={{$v}} {{end}}{{end}}|
|{{index . "a-b" "" 0 "x.y"}}|
|{{index . "a-b" "" 0 "ü"}}|
|{{(index (index . "a-b" "") 0).ü}}|
|{{with index . "a-b"}}{{.}}{{end}}|
|{{with .kernel.loadedmodule}}a{{else}}b{{end}}|
|{{with .kernel}}{{.version}}{{end}}|
|{{.}}|
|{{.empty}}|
|{{.kernel.loadedmodule}}|
|{{print .}}|
|{{.cpu | toJson}}|
|{{. | toJson}}|
|{{. | toPrettyJson}}|
|{{len .}} {{len .cpu}} {{len .cpu.cpuid}} {{len (index .cpu.cpuid 0)}} {{len "é"}}|
|{{not .empty}} {{not .cpu}} {{not nil}} {{not 0}} {{not ""}}|
|{{with $x := dict}}a{{else}}{{$x}}{{end}}|
|{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{$x}}{{end}}{{$x}}|
|{{$x := 1}}{{range 2}}{{$x = add $x .}}{{end}}{{$x}}|
|{{range 2}}{{$y := .}}{{end}}{{$y}}|
|{{$_ := set . "a" 1}}|
|{{$d := dict}}{{$_ := set $d "a" 1}}{{$d}}{{unset $d "a"}}{{$d}}|
|{{$d := dict "a" 1}}{{range $d}}{{$_ := set $d "b" 2}}{{.}}{{end}}{{$d}}|
|{{- range $i, $e := .cpu.cpuid }}
{{ $i }}: {{ $e.Name }}
{{- end }}|
|line1
{{.nope}}|
|line1
  {{ upper
  3 }}|
|{{ /* a
b */ }}|
|{{- /* a
b */ -}}
{{nope}}|
|{{if
true}}
{{nope
}}|
|{{
|
|a
{{ "x
y" }}|
|{{
"a
|
|{{ (
1 |
|{{range .cpu.cpuid}}
{{.Nope}}
{{end}}|
|é{{.nope}}|
|éé {{ .cpu.nope }}|
|{{ "é" | .nope }}|
|{{"\xff\xfe"}}|
|{{"a\xffb" | upper}}|
|{{printf "%q" "\xff\u00a0é\u200b\U0001F600\x00\x7f"}}|
|{{`a` | printf "%s%s" `b`}}|
|{{template "x" .}}{{define "x"}}{{range $i, $e := .cpu.cpuid}}{{template "y" $e.Name}}{{end}}{{end}}{{define "y"}}<{{.}}>{{end}}|
|{{with .cpu.cpuid}}{{with index . 0}}{{.Name}}{{end}}{{end}}|
|{{with semver "1.2.3"}}{{.Major}}.{{.Minor}}.{{.Patch}}{{end}}|
|{{if and .cpu .nope}}x{{end}}|
|{{if or .cpu .nope}}x{{end}}|
|{{if and (not .cpu) .nope}}x{{end}}|
|{{block "x" .}}{{nope}}{{end}}|
|{{define "a"}}{{end}}{{define "b"}}{{.x|
|a}}b|
|{{{1}}}|
|{{ {{1}} }}|
|{{"}}"}}|
|{{`}}`}}|
|{{/*}}*/}}|
|{{1}}{{|
|{{range .cpu.cpuid}}{{end|
|{{"a"}}
{{- 1}}
   {{- 2 -}}
   3|
|{{- }}|
|{{ -}}|
|{{- -}}|
|{{.a -}}|
|x{{ 1-}}|
|x{{ 1 - }}|
|{{nil | print}}|
|{{print nil}}|
|{{$n := nil}}|
|{{.cpu.cpuid.Name}}|
|{{.cpu.cpuid | upper}}|
|{{index}}|
|{{len}}|
|{{len 1 2}}|
|{{1 | len 2}}|
|{{upper "a" "b"}}|
|{{"b" | upper "a"}}|
|{{trunc "a"}}|
|{{and}}|
|{{or}}|
|{{call}}|
|{{call 1}}|
|{{call nil}}|
|{{call .cpu 1 2}}|
|{{call upper "a"}}|
|{{1 | call}}|
|{{"a" | call}}|
|{{nil | call}}|
|{{first list | call}}|
|{{call (first list)}}|
|{{print hello}}|
|{{hello}}|
|{{hello | upper}}|
|{{hello 1}}|
|{{print list}}{{print dict}}{{print coalesce}}{{print concat}}|
|{{len coalesce}}|
|{{len concat}}|
|{{len nil}}|
|{{coalesce}}|
|{{concat}}|
|{{fail "no"}}|
|{{"x" | fail}}|
|{{if false}}{{fail "no"}}{{end}}ok|
|{{fail "100% of %d"}}|
|{{range $k, $v := dict "a" 1 "b" 2}}{{$k}}{{break}}{{end}}|
|{{range 2}}{{break "aaaaaaaaaaaaaaa"}}{{end}}|
|{{range 2}}{{break "éééééééééé"}}{{end}}|
|{{range 2}}{{break `aaaaaaaaaaaaaaa`}}{{end}}|
|{{$x := (1) 2}}|
|{{$x := 1}}{{$x = (1) 2}}|
|{{range $i, $e := (1) 2}}{{end}}|
|{{range list nil}}{{.x}}{{end}}|
|{{range list 1}}{{.x}}{{end}}|
|{{$x := nil | print}}{{$x}}|
|{{1__i}}|
|{{1e999+1i}}|
|{{1+1e999i}}|
|{{0xp1}}|
|{{0x1p99999}}|
|{{0x1p-99999}}|
|{{"\400"}}|
|{{"\777"}}|
|{{"\12"}}|
|{{"\ud800"}}|
|{{"\U00110000"}}|
|{{"\u12"}}|
|{{"\xg0"}}|
|{{'\400'}}|
|{{'\"'}}|
|{{'\u00e9'}}|
|{{'\xff'}}|
|{{else}}|
|{{define "a"}}{{else}}{{end}}|
|{{1 -}}   x|
|{{1  -}}   x|
|{{1   - }}|
|{{1 	
 -}} x|
|{{block "a" 1}}{{.}}{{end}}{{define "a"}}b{{end}}|
|{{define "a"}}b{{end}}{{block "a" 1}}{{.}}{{end}}|
|{{template "a" $x := 1}}{{$x}}{{define "a"}}{{.}}{{end}}|
|{{if $x := 1}}{{else if $x = 2}}{{end}}|
|{{with $x := 1}}{{else with $y := 2}}{{$x}}{{end}}{{$y}}|
|{{(1).a.b}}|
|{{("a" | upper).x}}|
|{{(dict "a" (dict "b" 1)).a.b.c}}|
|{{upper .cpu.nope}}|
|{{upper (.cpu.nope)}}|
|{{upper $.cpu.nope}}|
|{{.cpu.model | first}}|
|{{(first .cpu.model).Value | atoi | add 1 | printf "%T"}}|
""".strip("\n")

# Values that functions are tried on, as Go writes them in a template.
VALUES = [
    '""', '"a"', '"abc"', '"Hello World foo"', '"  x  "', '"5"', '"-3"', '"1.50"',
    '"é世x"', '"a,b,c"', '"true"', '"a\\nb"', '"a\\xffb"', '`{"a":[1,2.5,"x",null]}`',
    "0", "1", "3", "-2", "7", "2.5", "-0.5", "1e3", "true", "false", "nil", "1i",
    "(list)", "(list 1 2 3)", '(list "b" "a" "c" "a")', '(list nil "" 0 "x" 2.5)',
    "(dict)", '(dict "a" 1 "b" "x")', '(dict "a" (dict "b" 2))', "(int64 4)",
    '(list (list 1) (dict "k" nil))', "(until 4)", '(splitList "," "c,a,b")',
    '(semver "1.2.3-rc.1+b5")', ".cpu.model", ".kernel.loadedmodule", ".cpu", ".",
    '(split "," "x,y")', '(index .cpu.model 0)', "(first list)", "(concat)",
    '(index "abc" 1)', "$", '(fromJson `[1,"a",{"b":null}]`)',
]  # fmt: skip

ONE = """
abbrev abs add add1 add1f addf adler32sum all any append atoi b32dec b32enc b64dec
b64enc base camelcase cat ceil clean coalesce compact concat contains deepCopy default
dict dir div divf duration durationRound empty eq ext fail first float64 floor fromJson
get has hasKey hasPrefix html indent index initial initials int int64 isAbs join js
kebabcase keys kindOf last le len list lower lt max maxf merge min minf mod mul mulf
must mustFromJson mustToJson mustToPrettyJson mustToRawJson nindent nospace not omit
osBase osDir pick plural pluck prepend print printf println push quote regexQuoteMeta
repeat replace rest reverse round semver seq set sha1sum sha256sum sha512sum slice
snakecase sortAlpha split splitList squote sub subf substr swapcase ternary title
toDecimal toJson toPrettyJson toRawJson toString toStrings trim trimAll trimPrefix
trimSuffix trunc tuple typeOf uniq unset until untitle upper urlJoin urlParse urlquery
values without wrap wrapWith mustFirst mustLast mustRest mustInitial mustReverse
mustUniq mustCompact mustSlice biggest hello mustDeepCopy osExt osIsAbs osClean
""".split()

TWO = """
abbrev add addf and append cat chunk coalesce contains deepEqual default dict div divf
dig eq ge get gt has hasKey hasPrefix hasSuffix indent index join kindIs le list lt
max maxf min minf mod mul mulf mustAppend mustChunk mustHas mustPrepend mustPush
mustWithout ne nindent omit or pick pluck prepend print println push regexMatch
mustRegexMatch regexFind repeat round semverCompare seq slice splitList split sub subf
ternary trimAll trimPrefix trimSuffix trunc typeIs typeIsLike unset without wrap merge
mergeOverwrite mustMerge concat printf html js urlquery all any quote squote
""".split()

VERBS = list("vdsqxXtTbocUeEfFgGpOwz%!é") + ["", " "]
FLAGS = [
    "",
    "+",
    "-",
    "#",
    " ",
    "0",
    "5",
    "-8",
    "08",
    ".2",
    "6.1",
    "+.0",
    "#8",
    "x",
    "[1]",
    "[2]",
    "*",
    ".*",
    "#+",
    "+ 05",
    "-05",
    "#.3",
    "12",
    "# ",
    ".0",
    "3.",
    "#012.3",
]
FORMATTED = ['"hi"', "42", "-7", "0", "3.14159", "1e21", "-0.0", "1e100", "true", "nil", '(list 1 "a" nil 2.5)', '(dict "k" (list "v"))', "(int64 65)", '"é\\xffz"', "1+2i", '(index "A" 0)', '(list)', '.cpu.model', '(semver "1.2.3")', "1114112", "128512"]  # fmt: skip

HAND = r"""
abbrev 5 "hello world"
abbrev 3 "hello"
abbrev 4 "hello"
abbrevboth 5 10 "1234 5678 9123"
abbrevboth 0 10 "1234 5678 9123"
abbrevboth 10 7 "1234 5678 9123 4567"
abbrevboth 5 4 "1234 5678 9123 4567"
abbrevboth 100 8 "1234 5678 9123 4567"
abbrevboth -3 8 "1234 5678 9123 4567"
abbrevboth 5 9 "123456789012345678901234567890"
trunc 3 "hello"
trunc -3 "hello"
trunc -9 "hello"
trunc 0 "hello"
trunc 1 "é"
substr 0 3 "hello"
substr 1 -1 "hello"
substr -1 3 "hello"
substr -1 -3 "hello"
substr -1 9 "hello"
substr 3 2 "hello"
substr 9 -1 "hello"
substr 9 12 "hello"
repeat 3 "ab"
repeat -1 "ab"
repeat 0 "ab"
repeat 9 ""
nospace " a b\tc\n"
nospace "é à"
nospace "é"
nospace "\u0085 \u00a0x"
initials "First Try"
initials "é à foo"
initials "  two  spaces "
wrap 10 "This is a long text of words"
wrap 3 "Thisisalongword and short"
wrap 0 "a b c"
wrap 5 "   leading spaces here"
wrap 5 "word    gaps     here"
wrap 6 "abcdef ghijkl"
wrapWith 5 "|\n" "Hello World of wrapping"
wrapWith 3 "" "abcdefghij klm"
wrapWith 1 "-" "abc d"
wrapWith 3 "x" "ab cdefghij"
plural "one" "many" 1
plural "one" "many" 0
plural "one" "many" "1"
snakecase "FirstName"
snakecase "HTTPServer"
snakecase "NoHTTPS"
snakecase "GO_PATH"
snakecase "GO PATH"
snakecase "http2xx"
snakecase "HTTP20xOK"
snakecase "Duration2m3s"
snakecase "Bld4Floor3rd"
snakecase " _-_ a__B "
snakecase "a.B,c"
snakecase "世界Hello"
snakecase "ÀÉx1"
snakecase "a\xffB\xff"
snakecase "A\xff\xffBc"
snakecase "1a2B3"
snakecase "ABc12"
snakecase "aB1"
snakecase "€uro€5A"
snakecase "X"
snakecase "Xy9.z"
snakecase "ABC9D"
snakecase "\xff"
snakecase "\xffA"
snakecase "12AB"
snakecase "12_"
snakecase "a12_b"
snakecase "a12.b"
snakecase "a12€b"
snakecase "Ab12Cd34"
kebabcase "FirstName"
kebabcase "first_name second"
kebabcase "HTTPStatus200OK"
kebabcase "--a--"
camelcase "http_server"
camelcase "_camel_case"
camelcase "no_https"
camelcase "_complex__case_"
camelcase "all"
camelcase "GOLANG_IS_GREAT"
camelcase "ALREADYUpper"
camelcase "___"
camelcase "-"
camelcase "_a"
camelcase "a_"
camelcase "aB_cD"
camelcase "é_à"
camelcase "a\xff_b"
camelcase "X y-z__w"
swapcase "Hello World fOO"
swapcase "ǅ ǆ éÉ ß"
title "hello world o'neil a_b é"
title "ǆ x-y.z 1a"
untitle "Hello World"
upper "straße ŉ ᾳ ǆ ı"
lower "İSTANBUL ẞ Σ"
upper "a\xffé"
trimAll "$x" "$x5$x"
trimAll "" " a "
trimAll "é\xff" "éaé"
trimAll "\xff" "\xffa\ufffd"
trimall "a" "aba"
trimSuffix "-" "a--"
trimPrefix "-" "--a"
trim "\u00a0\u2003 a \u3000\u0085"
indent 4 "a\nb\n"
indent -1 "a"
nindent 2 "a\nb"
replace "a" "bb" "banana"
replace "" "-" "aé"
replace "" "-" ""
replace "x" "" "banana"
cat "a" 1 nil 2.5 (list 1)
cat
quote "a" 1 nil "b\"c" 2.5
quote
squote "a" 1 nil "b'c"
quote (list 1 "a") (dict "a" 1)
split "$" "a$b$c"
split "" "aé"
(split "," "a,b")._1
(split "," "a,b")._2
splitn "$" 2 "a$b$c"
splitn "$" 0 "a$b$c"
splitn "$" -1 "a$b$c"
splitn "" 2 "aéb"
splitn "" 9 "ab"
splitList "" ""
splitList "," ""
splitList "" "aé\xff"
join "-" (list 1 nil "a" 2.5)
join "-" "abc"
join "-" nil
join "," (splitList "," "a,b")
join "," .pci.device
toStrings (list 1 nil "a")
sortAlpha (list "b" 3 "a" nil)
sortAlpha "x"
sortAlpha nil
sortAlpha 5
contains "b" "abc"
hasPrefix "a" "abc"
hasSuffix "a" "abc"
add
add 1 2 3
add "1" "0x10" "010" "2.0" "1.5" true nil
add 9223372036854775807 1
sub 5 7
mul 3 4 5
mul 9223372036854775807 2
div 7 2
div -7 2
div 1 0
div 7.9 2
mod -7 2
mod 7 0
mod 7 -2
div -9223372036854775808 -1
mod -9223372036854775808 -1
max 1 5 3
max
min 4 2 8
maxf 1.5 3 "2"
minf 1.5 3 "-2"
maxf "NaN" 1
minf "Inf" "-Inf"
maxf "-0" 0
addf 1.1 2.2 3.3
addf
addf "1e308" "1e308"
addf "NaN" 1
addf "Inf"
subf 1.1 2.2
mulf 1.1 3
mulf "1e300" "1e300"
mulf "-1e300" "1e300"
mulf "1e-300" "1e-300"
divf 10 3
divf 2 3
divf -2 3
divf 1 0
divf 1 3 3
divf "1e300" "1e-300"
divf 5 2 2.5
add1f 1.5
floor 123.9999
floor -1.5
floor "Inf"
floor "-0.0"
ceil 123.001
ceil -0.5
ceil "NaN"
round 123.5555 3
round 123.5555 2
round -1.5 0
round -2.5 0
round 2.5 0
round 123.5555 0 0.6
round 123.49999999 0 .4
round 15 -1
round 1.5 400
round 1.5 -400
round "Inf" 1
round 0.1 1 5
round 5 1 1 2
int "08"
int "0o17"
int "1_000"
int 3.99
int "3.00"
int "3.10"
int "9223372036854775808"
int64 1e300
int64 "NaN"
int (float64 "NaN")
float64 "1e5"
float64 " 1"
float64 "0x1p4"
float64 "inf"
float64 "1e999"
float64 true
atoi "42"
atoi "-0x1"
atoi "1e3"
atoi "99999999999999999999"
atoi "-99999999999999999999"
atoi "+7"
toDecimal 777
toDecimal "0777"
toDecimal "8"
toDecimal (list 7)
toDecimal "-17"
until 5
until -3
until 0
untilStep 0 10 3
untilStep 10 0 -3
untilStep 0 10 -1
untilStep 10 0 1
untilStep 5 5 1
untilStep 0 3 0
untilStep 3 0 0
seq
seq 5
seq -3
seq 0
seq 2 5
seq 5 2
seq 0 2 10
seq 10 -2 0
seq 10 2 0
seq 0 -2 10
seq 1 0 5
seq 1 2 3 4
add1 (int64 5)
biggest 3 9 2
default "d" ""
default "d" "x"
default "d"
default "d" 0
default "d" nil
default "d" false
"" | default "d"
default 5 (list)
default 5 (dict) 7
empty ""
empty (list)
empty (semver "1")
empty 0.0
coalesce 0 "" nil "x" "y"
coalesce 0 nil
all 1 "a"
all 1 ""
all
any 0 "" 1
any
ternary "a" "b" true
ternary "a" "b" false
ternary "a" "b" 1
true | ternary "a" "b"
list 1 2 | first
first (list)
last (list 1 2)
rest (list 1 2 3)
rest (list)
initial (list 1 2 3)
initial (list 1)
append (list 1) 2
append "x" 2
append nil 2
prepend (list 1) 2
concat (list 1) (list 2 nil) .kernel.loadedmodule
concat (list 1) "a"
concat nil
reverse (list 1 2 3)
uniq (list 1 1 "1" 1.0 1.0 (list 1) (list 1) nil nil (int64 1))
uniq (list (float64 "NaN") (float64 "NaN"))
without (list 1 2 3 2) 2
without (list 1 (list 2)) (list 2)
has 2 (list 1 2)
has "2" (list 1 2)
has (dict "a" 1) (list (dict "a" 1))
has 1 nil
has 1 "a"
has nil (list nil)
compact (list 1 "" nil 0 "a" false)
chunk 2 (list 1 2 3)
chunk 0 (list 1 2)
chunk 0 (list)
chunk 3 (list)
chunk -1 (list 1)
chunk -2 (list 1)
chunk -2 (list 1 2 3)
chunk 5 (list 1 2)
chunk 2 (list 1 2 3 4)
chunk 1 "a"
slice (list 1 2 3) 1
slice (list 1 2 3) 1 2
slice (list 1 2 3) 0 4
slice (list 1 2 3) 2 1
slice (list 1 2 3) -1
slice (list 1 2 3)
slice (list) 5
slice "abc" 1 2
slice nil
slice (slice (list 1 2 3) 0 1) 0 3
slice (list 1 2 3) "1" "2"
slice (list 1 2 3) 3
slice (list 1 2 3) 4
mustSlice (list 1 2 3) 1 2
dict "a" 1 "b"
dict 1 2
dict nil 1
dict (list 1) 2
get (dict "a" 1) "a"
get (dict "a" 1) "b"
get nil "b"
set (dict) "a" 1
set nil "a" 1
unset (dict "a" 1) "a"
unset nil "a"
hasKey (dict "a" 1) "a"
hasKey nil "a"
pluck "a" (dict "a" 1) (dict "b" 2) (dict "a" nil)
keys (dict "a" 1)
keys
values (dict "a" 1)
keys (dict "a" 1) (dict "b" 2)
pick (dict "a" 1 "b" 2) "a" "c"
omit (dict "a" 1 "b" 2) "a" "c"
dig "a" "b" "d" (dict "a" (dict "b" 1))
dig "a" "c" "d" (dict "a" (dict "b" 1))
dig "x" "c" "d" (dict "a" (dict "b" 1))
dig "a" "b" "c" "d" (dict "a" (dict "b" 1))
dig "a" "d" (dict "a" nil)
dig "a" "x" "d" (dict "a" nil)
dig 1 "d" (dict)
dig "a" "d" "x"
dig "a" "d" nil
dig "a" (dict)
dig
merge (dict "a" 1) (dict "a" 2 "b" 3)
merge (dict "a" 0) (dict "a" 2)
merge (dict "a" (dict "x" 1)) (dict "a" (dict "x" 2 "y" 3))
merge (dict "a" (dict "x" 1)) (dict "a" 5)
merge (dict "a" 5) (dict "a" (dict "x" 1))
merge (dict "a" "") (dict "a" (dict "x" 1))
merge (dict "a" (list 1)) (dict "a" (list 2))
merge (dict "a" (list)) (dict "a" (list 2))
merge (dict) (dict "a" (list 2) "b" (list 3))
merge (dict "a" 1) (dict "a" (list 2))
merge (dict "a" nil) (dict "a" nil "b" nil)
merge (dict "a" 1) nil
merge nil (dict "a" 1)
merge nil nil
merge (dict "v" (semver "1")) (dict "v" (dict "a" 1))
mustMerge (dict "v" (semver "1")) (dict "v" (dict "a" 1))
mergeOverwrite (dict "v" (semver "1")) (dict "v" (dict "a" 1))
mergeOverwrite (dict "a" 1) (dict "a" 2 "b" 3)
mergeOverwrite (dict "a" 1) (dict "a" nil)
mergeOverwrite (dict "a" 1) (dict "a" "")
mergeOverwrite (dict "a" (dict "x" 1 "z" 0)) (dict "a" (dict "x" 2 "y" 3))
mergeOverwrite (dict "a" (dict "x" 1)) (dict "a" 5)
mergeOverwrite (dict "a" 5) (dict "a" (dict "x" 1))
mergeOverwrite (dict "a" (list 1)) (dict "a" (list 2 3))
mergeOverwrite (dict "a" (list 1)) (dict "a" (list))
mergeOverwrite (dict "a" 1) (dict "a" (list 2))
mergeOverwrite (dict "a" (dict)) (dict "a" (dict "x" 1))
mergeOverwrite (dict "a" (dict "x" 1)) (dict "a" (dict))
mustMergeOverwrite (dict "a" 1) (dict "a" 2) (dict "b" 1)
merge (dict "a" (split "," "x")) (dict "a" (split "," "y,z"))
merge (dict "a" (dict "b" (dict "c" 1))) (dict "a" (dict "b" (dict "c" 2 "d" 3)))
deepCopy (dict "a" (list 1 (dict "b" nil)))
deepCopy nil
deepCopy 5
deepCopy "a"
deepCopy (list)
deepCopy (concat)
deepCopy .pci.device
toJson "<a>&\u2028\x00\x1f\"\\/é\xff\x7f\b\f\n\r\t"
toRawJson "<a>&\u2028\"é"
toJson 1e21
toJson 1e20
toJson 1e-6
toJson 1e-7
toJson 123456789.5
toJson -0.0
toJson (float64 "NaN")
mustToJson (float64 "NaN")
toRawJson (float64 "-Inf")
toPrettyJson (list)
toPrettyJson (dict)
toPrettyJson (dict "a" (list 1 (dict)) "b" (dict "c" nil))
toJson (1i)
mustToJson (1i)
toJson (semver "1.2")
toJson (list nil true (int64 5) (index "a" 0))
toJson (concat)
toJson (index . "nope")
fromJson `{"a":[1,2,{"b":null}],"c":"\u00e9\ud83d\ude00\ud800\n"}`
fromJson `nope`
mustFromJson `nope`
mustFromJson ``
mustFromJson `{`
mustFromJson `{"a"`
mustFromJson `{"a":`
mustFromJson `{"a":1`
mustFromJson `{"a":1,`
mustFromJson `{"a":1,}`
mustFromJson `{a:1}`
mustFromJson `{"a" 1}`
mustFromJson `[1 2]`
mustFromJson `[1,`
mustFromJson `[,]`
mustFromJson `[1,]`
mustFromJson `1 2`
mustFromJson `tru`
mustFromJson `trux`
mustFromJson `nul`
mustFromJson `"a`
mustFromJson `"\x"`
mustFromJson `"\u12x"`
mustFromJson `"\u12`
mustFromJson "\"a\nb\""
mustFromJson `01`
mustFromJson `-`
mustFromJson `-x`
mustFromJson `1.`
mustFromJson `1.x`
mustFromJson `1e`
mustFromJson `1e+`
mustFromJson `1e+x`
mustFromJson `1.5.5`
mustFromJson `1e5e`
mustFromJson `1e999`
mustFromJson `[1e999,2]`
fromJson `[1e999,2]`
mustFromJson `{"a":1e999,"b":1e888}`
mustFromJson `'a'`
mustFromJson `"`
mustFromJson "\xff"
mustFromJson "\"\xff\""
mustFromJson `é`
mustFromJson "\x00"
mustFromJson `\`
mustFromJson `{"a":1,"a":2}`
mustFromJson ` [ ] `
mustFromJson ` { } `
mustFromJson `{"a":{}}`
mustFromJson `[[],{}]`
mustFromJson `"\ud800\u0041"`
mustFromJson `"\ud800\ud800\udc00"`
mustFromJson `"\udc00"`
mustFromJson `"\/\"\b"`
mustFromJson `-0`
mustFromJson `-1.5E-3`
mustFromJson `true`
mustFromJson `}`
mustFromJson `]`
mustFromJson `"'`
mustFromJson `1'`
mustFromJson `1"`
b64enc "hello"
b64dec "aGVsbG8="
b64dec "aGVsbG8"
b64dec "aGVs\nbG8="
b64dec "aGV=bG8="
b64dec "a==="
b64dec "aa=a"
b64dec "aa="
b64dec "aa=\n="
b64dec "aa==x"
b64dec "aaa=x"
b64dec "aaa==="
b64dec "!aaa"
b64dec "aa\n\nb"
b64dec ""
b64dec "\n"
b64dec "aaaaaaaa!"
b64dec "aaaaaaa"
b64dec "aa_-"
b64dec "/+=="
b32enc "hello"
b32dec "NBSWY3DP"
b32dec "NBSWY3DPEE======"
b32dec "nbswy3dp"
b32dec "NBSWY3D"
b32dec "NB======"
b32dec "NB====="
b32dec "NB=====x"
b32dec "N======="
b32dec "NBS====="
b32dec "NBSW===="
b32dec "NBSWY==="
b32dec "NBSWY3=="
b32dec "NBSWY3D="
b32dec "NB======NB======"
b32dec "NB=x===="
b32dec "NB\nSWY3DP"
b32dec ""
b32dec "NB=======  "
b32dec "1"
sha1sum "a"
sha256sum "a"
sha512sum "a"
adler32sum "hello"
kindOf nil
kindOf (semver "1")
typeOf nil
typeOf (until 1)
typeOf (chunk 1 (list 1))
typeOf (split "," "a")
typeOf .
typeOf .pci
typeOf (index "a" 0)
typeOf (add 1)
typeOf (1i)
typeOf (semver "1")
typeIs "int" 1
typeIsLike "semver.Version" (semver "1")
typeIsLike "*semver.Version" (semver "1")
typeIs "semver.Version" (semver "1")
kindIs "map" (dict)
deepEqual (list 1) (list 1)
deepEqual 1 (int64 1)
deepEqual (dict "a" nil) (dict "b" nil)
deepEqual (list) (concat)
deepEqual (semver "1") (semver "1")
deepEqual (semver "1") (semver "1.0")
deepEqual nil nil
deepEqual nil 1
deepEqual (index . "x") (index . "y")
deepEqual (float64 "NaN") (float64 "NaN")
deepEqual .cpu .cpu
semver "1.2.3-beta.1+ab"
semver "v1.2"
semver "x"
semver "1.2.3.4"
semver "1.2.3-01"
semver "99999999999999999999"
(semver "1.2.3-beta.1+ab").Major
(semver "1.2.3-beta.1+ab").Prerelease
(semver "1.2.3-beta.1+ab").Metadata
(semver "v1.2").Original
(semver "v1.2").String
(semver "v1.2.3-a").IncPatch
(semver "v1.2.3").IncPatch.Original
((semver "v1.2.3").IncMinor).Minor
(semver "v1.2.3").IncMajor
(semver "18446744073709551615.1.1").IncMajor
(semver "1.18446744073709551615.1").IncMinor
(semver "1.1.18446744073709551615").IncPatch
(semver "1.2.3").SetPrerelease "rc.1"
(semver "1.2.3").SetPrerelease "rc.01"
(semver "1.2.3").SetPrerelease "rc..1"
(semver "1.2.3-x").SetPrerelease ""
(semver "1.2.3").SetMetadata "a.b"
(semver "1.2.3").SetMetadata "a_b"
(semver "1.2.3").SetMetadata ""
(semver "1.2.3").Compare (semver "1.2.4")
(semver "1.2.3").Compare "1"
(semver "1.2.3").Compare nil
(semver "1.2.3").Equal nil
(semver "1.2.3").Equal (semver "v1.2.3+x")
(semver "1.2.3").LessThan (semver "1.2.4")
(semver "1.2.3").LessThanEqual (semver "1.2.3")
(semver "1.2.3").GreaterThan (semver "1.2.3-rc1")
(semver "1.2.3").GreaterThanEqual (semver "1.2.3-rc1")
(semver "1.2.3-a.2").Compare (semver "1.2.3-a.10")
(semver "1.2.3-a").Compare (semver "1.2.3-1")
(semver "1.2.3-a").Compare (semver "1.2.3-a.b")
(semver "1.2.3-a.b").Compare (semver "1.2.3-a")
(semver "1.2.3-b").Compare (semver "1.2.3-a")
(semver "1.2.3").Compare
(semver "1.2.3").Major 1
(semver "1.2.3").major
(semver "1.2.3").Foo
(semver "1.2.3").IncPatch.Compare (semver "1")
(semver "1.2.3").Compare (semver "1").IncPatch
(semver "1.2.3").Value
printf "%d" (semver "1.2.3")
printf "%v %s %q %+v %x" (semver "1.2.3") (semver "1") (semver "1") (semver "1") (semver "1")
printf "%#v" (semver "1.2.3")
printf "%T" (semver "1.2.3")
printf "%5.2s|" (semver "1.2.3")
eq (semver "1") (semver "1")
eq ((semver "1").IncPatch) ((semver "1").IncPatch)
index (semver "1") 0
len (semver "1")
semverCompare ">=5.4" "5.15.0"
semverCompare ">=5.4" "5.15.0-1034-aws"
semverCompare ">=5.4-0" "5.15.0-1034-aws"
semverCompare "^1.2.3" "1.9.0"
semverCompare "^0.2.3" "0.2.9"
semverCompare "^0.2.3" "0.3.0"
semverCompare "^0.0.3" "0.0.3"
semverCompare "^0.0.3" "0.0.4"
semverCompare "^0.0" "0.0.9"
semverCompare "^0.0" "0.1.9"
semverCompare "^0" "0.9"
semverCompare "^1" "2"
semverCompare "^1.2" "1.1"
semverCompare "^0.0.3" "1.0.0"
semverCompare "~1.2" "1.2.9"
semverCompare "~1.2.3" "1.3.0"
semverCompare "~1" "1.9"
semverCompare "~>2.0" "2.1"
semverCompare "~*" "9"
semverCompare "~0.0.0" "5.0.0"
semverCompare "1.x" "1.5"
semverCompare "1.2.x" "1.5"
semverCompare "*" "1.5"
semverCompare "*" "1.5-a"
semverCompare "x.2" "1.5"
semverCompare "!=1.2" "1.2.5"
semverCompare "!=1.2" "1.3.5"
semverCompare "!=1" "1.3.5"
semverCompare "!=1" "2.3.5"
semverCompare "!=1.2.3" "1.2.3"
semverCompare "!=1.2.3" "1.2.4"
semverCompare "!=*" "1.2.4"
semverCompare "!=*" "0.0.1"
semverCompare "!=*" "0.1.0"
semverCompare "!=*" "0.0.0"
semverCompare "!=1.2-a" "1.2-b"
semverCompare "!=1.2.x-a" "1.2.0-a"
semverCompare ">1" "1.5"
semverCompare ">1" "2"
semverCompare ">1" "0.5"
semverCompare ">1.2" "1.2.5"
semverCompare ">1.2" "1.3"
semverCompare ">1.2.3" "1.2.4"
semverCompare ">1.2.3" "1.2.3"
semverCompare ">*" "1.2.3"
semverCompare "<1.2" "1.1"
semverCompare "<1.2" "1.2"
semverCompare "<=1.2" "1.2.9"
semverCompare "<=1.2" "1.3"
semverCompare "<=1" "1.3"
semverCompare "<=1" "2.3"
semverCompare "<=1.2.3" "1.2.3"
semverCompare "=<1.2.3" "1.2.4"
semverCompare "=>1.2.3" "1.2.4"
semverCompare "=1.2.3" "1.2.3"
semverCompare "=1.2" "1.2.9"
semverCompare "1.2 - 1.4" "1.3"
semverCompare "1.2 - 1.4" "1.5"
semverCompare "1.2 - 1.4 || 3" "3.1"
semverCompare ">1, <2" "1.5"
semverCompare ">1 <2" "2.5"
semverCompare ">=1.0.0 , <2.0.0" "1.0.0"
semverCompare "" "1"
semverCompare "a" "1"
semverCompare "1||" "1"
semverCompare ">=" "1"
semverCompare "1" "x"
semverCompare "1.2.3.4" "1"
semverCompare "99999999999999999999" "1"
semverCompare "1-01" "1"
semverCompare "1|2" "1"
semverCompare ">=1.2.3-alpha" "1.2.3-beta"
semverCompare "<1.2.3-alpha" "1.2.3-beta"
semverCompare "=1.2.3-a" "1.2.3-a+m"
semverCompare "^1.2.3-a" "1.2.3-b"
base "/a/b/"
base ""
base "///"
base "a"
dir "/a/b"
dir "a"
dir ""
dir "/a"
dir "a/b/../../.."
ext "a.b/c"
ext "a.tar.gz"
ext "a/.b"
ext "a."
clean "/../a//b/./c/.."
clean ""
clean "../../a/.."
clean "a/../../b"
clean "/.."
isAbs "/a"
isAbs "a"
osBase "/a/b"
osDir "/a/b"
osExt "a.b"
osClean "a//b"
osIsAbs "/"
duration "95"
duration 95
duration (int64 95)
duration (int64 3600)
duration (int64 0)
duration (int64 -61)
duration "x"
duration "99999999999999999999"
duration "9223372036"
duration "18446744074"
durationRound "2h30m"
durationRound "400h"
durationRound "2400h"
durationRound "24000h"
durationRound "61s"
durationRound "1s"
durationRound "1.5m"
durationRound "-90s"
durationRound (int64 7200000000000)
durationRound 5
durationRound "1x"
durationRound "1"
durationRound ".5h"
durationRound ".h"
durationRound "h"
durationRound "3000000h"
durationRound "1us2ms3ns4s"
durationRound "1.99999999999999999999999999h"
durationRound "9223372036854775808ns"
durationRound "-9223372036854775808ns"
durationRound "0"
durationRound ""
durationRound "+2m"
urlParse "https://user:p%40ss@host.com:8080/a%20b/c?x=1&y#frag%20x"
urlParse "host.com/path"
urlParse "mailto:a@b"
urlParse "//host/p"
urlParse "///p"
urlParse "http:///p"
urlParse "http://[::1%25eth0]:80/"
urlParse "http://[::1]:80/"
urlParse "http://[::1]:x/"
urlParse "http://[::1/"
urlParse "http://a[::1]/"
urlParse "http://a:b:80/"
urlParse "ftp://a:b:80/"
urlParse "http://a:b/"
urlParse "a:b:c"
urlParse "a b"
urlParse "1a:b"
urlParse ":a"
urlParse "a/b:c"
urlParse "%zz"
urlParse "/%zz"
urlParse "/a%2"
urlParse "/a#%zz"
urlParse "http://a%41/"
urlParse "http://a%c3%a9/"
urlParse "http://a b/"
urlParse "http://é/"
urlParse "http://u ser@h/"
urlParse "http://u%zz@h/"
urlParse "http://u:%zz@h/"
urlParse "http://a@b@c/"
urlParse "\x01"
urlParse "*"
urlParse ""
urlParse "?"
urlParse "a?b?c"
urlParse "HTTP://H?#"
urlParse "http://h\x7f"
urlParse "http://{}/"
urlParse "http://h/\"<>"
urlJoin (dict "scheme" "http" "host" "h:1" "path" "p" "query" "q" "fragment" "f x" "userinfo" "u:p")
urlJoin (dict)
urlJoin nil
urlJoin (dict "path" "a:b")
urlJoin (dict "path" "a:b" "host" "h")
urlJoin (dict "path" "/a b" "scheme" "s")
urlJoin (dict "scheme" "s")
urlJoin (dict "opaque" "x" "scheme" "s" "query" "q")
urlJoin (dict "host" 5)
urlJoin (dict "host" nil)
urlJoin (dict "host" "é<>")
urlJoin (dict "path" "*")
urlJoin (dict "userinfo" "u ser")
urlJoin (dict "userinfo" "u%41")
urlJoin (dict "userinfo" "u" "path" "x")
urlJoin (urlParse "https://user:p%40ss@host.com:8080/a%20b/c?x=1&y#frag%20x")
regexMatch "^a.c$" "abc"
regexMatch "[" "abc"
mustRegexMatch "[" "abc"
mustRegexMatch "a**" "abc"
mustRegexMatch "(a" "abc"
mustRegexMatch "a)" "abc"
mustRegexMatch "*a" "abc"
mustRegexMatch "a\\" "abc"
mustRegexMatch "a{1001}" "abc"
mustRegexMatch "(?=a)" "abc"
mustRegexMatch "[z-a]" "abc"
mustRegexMatch "\\8" "abc"
mustRegexMatch "[[:foo:]]" "abc"
mustRegexMatch "(?P<a" "abc"
mustRegexMatch "a{2,1}" "abc"
mustRegexMatch "(?i" "abc"
mustRegexMatch "(?z)" "abc"
mustRegexMatch "\\pX" "abc"
mustRegexMatch "(?P<n>a)(?P<n>b)" "ab"
mustRegexMatch "\\C" "ab"
mustRegexMatch "(?P<é>a)" "ab"
mustRegexMatch "\xff" "ab"
regexFind "[" "abc"
regexFind "`[" "abc"
regexFindAll "[a-z]+" "foo bar baz" -1
regexFindAll "[a-z]+" "foo bar baz" 2
regexFindAll "[a-z]+" "foo bar baz" 0
regexFindAll "x*" "axbx" -1
regexFindAll "" "aé" -1
regexFindAll "z" "abc" -1
typeOf (regexFindAll "z" "abc" -1)
mustRegexFindAll "[a-z]+" "foo bar" 1
mustRegexFindAll "[" "foo bar" 1
regexFind "b+" "abbc"
regexFind "z" "abbc"
mustRegexFind "b+" "abbc"
regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W"
regexReplaceAll "a(x*)b" "-ab-axxb-" "$1W"
regexReplaceAll "a(?P<n>x*)b" "-ab-axxb-" "<${n}$n$$$0$1$2$01$é${n $>"
regexReplaceAll "" "abc" "-"
regexReplaceAll "x*" "axbx" "-"
regexReplaceAll "(a)|(b)" "ab" "[$1$2]"
regexReplaceAll "[^a-z]" "aBc.é" "_"
regexReplaceAllLiteral "a(x*)b" "-ab-axxb-" "${1}"
mustRegexReplaceAll "a" "bab" "$0$0"
mustRegexReplaceAllLiteral "a" "bab" "$0"
regexSplit "z+" "pizza" -1
regexSplit "z+" "pizza" 1
regexSplit "z+" "pizzazz" 2
regexSplit "z+" "" -1
regexSplit "" "" -1
regexSplit "" "abc" -1
regexSplit "" "abc" 2
regexSplit "a" "abc" 0
regexSplit "c" "abc" -1
regexSplit "a" "abc" -1
mustRegexSplit "[" "a" 1
mustRegexSplit "b" "abc" -1
regexQuoteMeta "1.2+3*[x]{y}^$|\\()?é"
regexFindAll "(?i)É" "éÉ" -1
regexReplaceAll "\\b" "ab cd" "|"
regexReplaceAll "(?m)^" "a\nb" "> "
regexReplaceAll "$" "a" "x${99}y${1"
regexReplaceAll "(.)" "é" "$1$1"
eq 1 1
eq 1 2 1
eq 1
eq 1 1.0
eq "a" "a"
eq "a" 1
eq nil nil
eq nil 1
eq 1 nil
eq (list) (list)
eq (list) nil
eq (concat) nil
eq nil (concat)
eq (dict) (list)
eq (dict "a" 1) (dict)
eq (list 1) 1
eq 1 (list 1)
eq (index "a" 0) 97
eq 97 (index "a" 0)
eq -1 (index "a" 0)
eq (index "a" 0) -1
eq (int64 1) 1
eq true true
eq true 1
eq 1i 1i
eq 1.5 1.5 
eq (first list) nil
eq (index . "nope") nil
eq (index . "nope") (index . "nop2")
eq (semver "1") nil
eq (semver "1") 1
eq nil (list 1)
ne 1 2
ne 1 "a"
lt 1 2
lt "a" "b"
lt 1.5 2.5
lt 1 2.5
lt true false
lt nil 1
lt 1 nil
lt (list) 1
lt 1i 2i
lt (index "a" 0) 98
lt -1 (index "a" 0)
lt (index "a" 0) -1
lt 98 (index "a" 0)
le 1 1
le 2 1
le 1 "a"
gt 2 1
gt 1 "a"
ge 1 1
ge nil 1
index (list 1 2) 0
index (list 1 2) 2
index (list 1 2) 3
index (list 1 2) -1
index (list 1 2) "a"
index (list 1 2) nil
index (list 1 2) 1.0
index (list 1 2) (int64 1)
index (list 1 2) (index "\x01" 0)
index (list (list 1 2)) 0 1
index (list nil) 0 1
index (dict "a" 1) "a"
index (dict "a" 1) "b"
index (dict "a" 1) "b" "c"
index (dict "a" 1) 1
index (dict "a" 1) nil
index (split "," "a") "zz"
index . "nope"
index . "nope" "x"
index . "nope" "x" 0
index "abc" 1
index "abc" 3
index "abc" 4
index 1 0
index nil 0
index nil
index (list 1)
index (concat) 0
index .pci.device 0 "nope"
index .pci.device 5
len (list 1 2)
len 5
len (first list)
and 1 2
and 0 2
and 1 0 2
and "" 1
and nil 1
and 1 nil
or 0 "" "a"
or 0 ""
or nil nil
or (list) (dict "a" 1)
0 | or 1
1 | and 0
1 | and 2
1 | or
nil | or 0
not 1
not 0
not (list)
not
html "<a href=\"x\">'&\x00"
html 1 "a" nil (list "<")
html
html nil
js "<a>'\"\\&=\n\té\u00a0\u2028\U0001F600\xff"
js 1 nil
urlquery "a b&c=é/~-_."
urlquery 1 2
print 1 2 "a" 3 "b" "c" nil nil
print
print "a" "b"
print 1 "a" 2
println 1 "a" nil
println
printf "%d %s" 1 "a"
printf "%d" "hi"
printf "%s" 5
printf "%z" 5
printf "%!" 5
printf "%" 5
printf "%d"
printf "%d %d" 1
printf "%d" 1 2
printf "%d" 1 "a" nil
printf "%[2]d %[1]d" 1 2
printf "%[3]d" 1 2
printf "%[2]*[1]d" 1 5
printf "%[x]d" 1
printf "%[]d" 1
printf "%[1]" 1
printf "%[1" 1
printf "%[0]d" 1
printf "%[-1]d" 1
printf "%[1]d %d" 1 2
printf "%[2]d %[1]d %d" 1 2
printf "%*d" 5 42
printf "%-*d|" 5 42
printf "%*d|" -5 42
printf "%0*d|" -5 42
printf "%*d" "a" 42
printf "%.*f" 2 3.14159
printf "%.*f" -2 3.14159
printf "%.*f" "x" 3.14159
printf "%*d" 2000000 1
printf "%*d" (int64 5) 42
printf "%*d" (index "\x05" 0) 42
printf "%.[2]*[1]f" 3.14159 2
printf "%[1]2d" 5
printf "%[1].2f" 5.0
printf "%[1]*d" 5 6
printf "%6.2f|%-8.3f|%+.1e|%08.3f|%x" 3.14159 2.5 12345.678 -3.14159 1.5
printf "%5t|%-7t|%q" true false true
printf "%t" 1
printf "%q %q" "a\nb" 65
printf "%#q %+q" "a`b" "é"
printf "%#q" "plain"
printf "%x %X % x %#x % #X" "hi" "hi" "hello" "hi" "hi"
printf "%x" ""
printf "%5x|%-8x|%08x" "a" "a" "a"
printf "%.2x|%.1s|%.0s|%5.1s|" "abc" "éa" "x" "éa"
printf "%c %c %c %U %#U %#U" 65 233 -1 233 128512 7
printf "%.6U|%10U|%-10U|" 233 233 233
printf "%o %#o %O %b %#b" 8 8 8 5 5
printf "%5d|%-5d|%05d|%+d|% d|%x|%X|%#x" 42 42 42 42 42 255 255 255
printf "%.5d|%8.5d|%-8.5d|%08.5d|%.0d|%.0d|%5.0d|" 42 42 42 42 0 1 0
printf "%v %+v %#v %T" 1 1 1 1
printf "%v %+v %#v %T" "a" "a" "a" "a"
printf "%v %+v %#v %T" (list 1 "a" nil) (list 1 "a") (list 1 "a" nil 2.5 true) (list)
printf "%v %+v %#v %T" (dict "a" 1) (dict "b" nil) (dict "a" (list nil "x")) (dict)
printf "%#v %#v" (concat) (index . "x")
printf "%#v" .pci.device
printf "%s" (list "a" 1 nil)
printf "%d" (list "a" 1 nil)
printf "%q" (list "a" 65 nil (list "b"))
printf "%x" (list "a" 255 1.5)
printf "%5v|" (list "a" 1)
printf "%05d" (list 1 -2)
printf "%v" nil
printf "%s" nil
printf "%d" nil
printf "%5v|%-7v|" nil nil
printf "%T|%10T|%.2T" nil 1 1
printf "%s" true
printf "%e %E %g %G" 123456.789 123456.789 123456.789 1e21
printf "%g %g %g" 100000.0 1000000.0 1e-5
printf "%.3g|%.10g|%#g|%#.3g|%#v|%#f" 1234.5678 1234.5678 1.0 1.0 1.0 1.0
printf "%v %v %v" (float64 "Inf") (float64 "-Inf") (float64 "NaN")
printf "%5v|%-6v|%06.1f|%+f|% f" (float64 "Inf") (float64 "NaN") (float64 "-Inf") (float64 "Inf") (float64 "NaN")
printf "%b %x %X %.3x %.0x %#x" 1.5 1.5 -0.1 3.14159 1.5 1.0
printf "%x %x %x" 0.0 -0.0 5e-324
printf "%.1x %.2x %.20x" 1.96875 1.998046875 1.5
printf "%v %.2f %+v %g" 1+2i 1.234-5.678i 1i 1i
printf "%d" 1i
printf "%6.1f|" 1+2i
printf "%%|%5%|%d%%" 5
printf "%w" 1
printf "%w" (list 1)
printf "%w" (dict)
printf "%é" 1
printf "\xff%d\xff" 1
printf "%\xff" 1
printf "%s|%v|%d" (until 3) (until 3) (until 3)
printf "%c" "a"
printf "%U" "a"
printf "%s %s" "a" nil
printf "no args"
printf "no args" 1
printf 5
printf
printf "%v" (chunk 2 (list 1 2 3))
printf "%+d|%+5d|%-+5d|%+05d" 5 5 5 5
printf "% d|% 5d|% 05d|%- 5d|" 5 5 5 5
printf "%3c|%-3c|%03c|" 65 65 65
printf "%3q|%-5q|%#q|%+q" 65 65 65 233
printf "%08b|%o|%x" -5 -8 -255
printf "%x" -9223372036854775808
printf "%20.10v|" "hello wonderful world"
printf "%.3v" (list "abcdef" 1.23456)
printf "%v %d" (index "a" 0) (index "a" 0)
printf "%#v %#x" (index "a" 0) (index "a" 0)
printf "%99999999999d" 1
printf "%.99999999999d" 1
printf "%10000001d" 1
printf "%p" 1
printf "%p" "a"
printf "%p" nil
printf "%.d|%.f" 5 2.5
printf "%." 5
printf "%.2" 5
printf "%-" 5
printf "%5" 5
printf "%[1]*.[2]*[3]f|" 8 2 3.14159
printf "%[5]*d" 1
printf "%.[5]*d" 1
printf "%[1]d%[1]v%[1]x" 10
printf "%6.2f%%" 12.345
printf "%*d"
abbrev 5 ""
abbrev 10 "abc"
index (list 1) (semver "18446744073709551615").Major
duration "20211507185753197"
duration "24605724538295623"
duration "-20211507185753197"
duration "18446744074"
deepEqual (dict "a" 1) (dict)
deepEqual (list 1) (list)
semverCompare "~1.2" "1.1"
semverCompare "~1.2" "2.2"
semverCompare "~0.0" "0.0.5"
semverCompare "~0.1.0" "0.1.5"
(semver "1.0.0-a.1.x").Compare (semver "1.0.0-a.1")
(semver "1.0.0-a.1").Compare (semver "1.0.0-a.1.x")
(semver "1.0.0-99999999999999999999").Compare (semver "1.0.0-1")
urlParse "http://[::1%25a%20b]/"
urlParse "http://[::1%25a%5b]/"
urlParse "http://[::1%25a%7f]/"
urlParse "http://[::1%25%25]/"
urlParse "http://[fe80::1%zz]/"
urlParse "http://[::1%25%zz]/"
urlParse "http://[::ffff:1.2.3.4]/"
mustRegexMatch "\\p{Old_Italic}" "ab"
mustRegexMatch "a{10000000000}" "ab"
regexFindAll "a|b|" "xabx" -1
regexMatch "" ""
range list nil
htmlx
""".strip().split("\n")


def language() -> Iterator[str]:
    """The hand-written templates."""
    import re

    yield from re.findall(r"^\|(.*?)\|$", LANGUAGE, re.DOTALL | re.MULTILINE)
    for line in HAND:
        yield f"{{{{{line}}}}}"


def combinations() -> Iterator[str]:
    """Every function on every value, and pairs of values by chance."""
    for name, value in itertools.product(ONE, VALUES):
        yield f"{{{{{name} {value}}}}}"
    chance = random.Random(1)
    for name in TWO:
        for _ in range(60):
            first, second = chance.choices(VALUES, k=2)
            yield f"{{{{{name} {first} {second}}}}}"
            if chance.random() < 0.3:
                yield f"{{{{{first} | {name} {second}}}}}"
    for name in ONE + TWO:
        for _ in range(8):
            values = " ".join(chance.choices(VALUES, k=3))
            yield f"{{{{{name} {values}}}}}"
    for value in FORMATTED:
        for flag, verb in itertools.product(FLAGS, VERBS):
            if chance.random() < 0.12:
                yield f'{{{{printf "%{flag}{verb}|" {value} 3}}}}'


ATOMS = [
    "{{if .cpu}}", "{{else}}", "{{end}}", "{{range .cpu.cpuid}}", "{{.Name}}", "{{.}}",
    "{{with .kernel}}", "text ", "\n", "{{- ", "-}}", " -}}", "{{", "}}", "{{$x := 1}}",
    "{{$x}}", "{{$x = 2}}", '{{define "a"}}', '{{template "a" .}}', '{{block "a" .}}',
    "{{range $i, $e := .cpu.model}}", "{{$i}}", "{{break}}", "{{continue}}", "(", ")",
    '{{index . "cpu"}}', "{{/* c */}}", '"', "`", "| upper", ".a", "1", "nil", " ",
    "{{else if .x}}", "{{len .}}", "{{upper", ":=", ",", "{{printf", "{{range", "'a'",
]  # fmt: skip


def soups(count: int) -> Iterator[str]:
    """Pieces of templates in any order: mostly errors."""
    chance = random.Random(2)
    for _ in range(count):
        yield "".join(chance.choices(ATOMS, k=chance.randint(2, 9)))


OPERANDS = [
    ".", "$", "1", "0", '"a"', '""', "nil", "true", ".cpu", ".cpu.model", ".nope",
    "(len .cpu)", "(list 1 2)", "(first .cpu.cpuid)", "(first .cpu.cpuid).Name", "2.5",
    '(dict "k" .)', "$.kernel.version",
]  # fmt: skip


def programs(count: int) -> Iterator[str]:
    """Well-formed templates by chance."""
    chance = random.Random(3)

    def pipe(depth: int) -> str:
        name = chance.choice(
            [
                "print",
                "len",
                "not",
                "and",
                "or",
                "eq",
                "index",
                "default",
                "toJson",
                "list",
                'printf "%v"',
                "upper",
                "first",
                "last",
                "quote",
                "add",
                "has",
                'join ","',
            ]
        )
        args = [chance.choice(OPERANDS) for _ in range(chance.randint(0, 2))]
        if depth and chance.random() < 0.4:
            args.append(f"({pipe(depth - 1)})")
        text = (
            " ".join([name, *args])
            if chance.random() < 0.7
            else chance.choice(OPERANDS)
        )
        if depth and chance.random() < 0.3:
            text += f" | {chance.choice(['print', 'len', 'quote', 'toJson', 'list', 'not', 'default 1', 'upper'])}"
        return text

    def body(depth: int) -> str:
        parts = []
        for _ in range(chance.randint(1, 3)):
            kind = chance.choice(
                ["text", "action", "if", "range", "with", "var"]
                if depth
                else ["text", "action"]
            )
            match kind:
                case "text":
                    parts.append(chance.choice(["a", " b ", "\n"]))
                case "action":
                    parts.append(f"{{{{{pipe(2)}}}}}")
                case "var":
                    parts.append(f"{{{{$v := {pipe(1)}}}}}{{{{$v}}}}")
                case _:
                    other = (
                        f"{{{{else}}}}{body(depth - 1)}"
                        if chance.random() < 0.5
                        else ""
                    )
                    parts.append(
                        f"{{{{{kind} {pipe(1)}}}}}{body(depth - 1)}{other}{{{{end}}}}"
                    )
        return "".join(parts)

    for _ in range(count):
        yield body(3)


SHARE = 0.12
"""How many of the combinations are recorded."""


def record(answers: str, target: str) -> None:
    """Writes questions with their answers, those that are worth keeping."""
    chance = random.Random(4)
    by_hand = {*language(), *soups(700), *programs(300)}
    lines = [json.dumps({"data": NODE}, ensure_ascii=False)]
    for text, line in zip(every(), Path(answers).read_text().splitlines(), strict=True):
        answer = json.loads(line)
        is_address = "0xc0" in line or "%p" in text or 'p|" ' in text
        if is_address or "env" in text or len(line) > 2_000:
            continue
        if text in by_hand or chance.random() < SHARE:
            lines.append(json.dumps({"template": text, **answer}, ensure_ascii=False))
    body = "\n".join(lines) + "\n"
    Path(target).write_bytes(gzip.compress(body.encode(), mtime=0))


def every() -> list[str]:
    """All questions, each once."""
    made = [*language(), *combinations(), *soups(700), *programs(1500)]
    return list(dict.fromkeys(made))


def main() -> None:
    """Writes the questions to standard output, or the record to a file."""
    if len(sys.argv) > 2:
        record(sys.argv[1], sys.argv[2])
        return
    for text in every():
        print(json.dumps({"template": text, "data": NODE}, ensure_ascii=False))


if __name__ == "__main__":
    main()
