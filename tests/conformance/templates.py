"""Random templates: matched elements through chains of functions."""

from __future__ import annotations

import random
from typing import Any, Final

STAGES: Final = (
    *("upper", "lower", "title", "untitle", "trim", "nospace", "initials", "swapcase"),
    *(
        "quote",
        "squote",
        "snakecase",
        "camelcase",
        "kebabcase",
        "html",
        "js",
        "urlquery",
    ),
    *(
        "b64enc",
        "b32enc",
        "sha1sum",
        "sha256sum",
        "sha512sum",
        "adler32sum",
        "toString",
    ),
    *("trunc 3", "trunc -2", "substr 0 2", "abbrev 5", "repeat 2", 'replace "1" "one"'),
    *('trimPrefix "v"', 'trimSuffix "0"', 'trimAll "0v"', 'default "none"', "len"),
    *('printf "%s"', 'printf "%q"', 'printf "%5s|"', 'printf "%-5s|"', 'printf "%x"'),
    *('printf "%v"', 'printf "%T"', 'printf "%d"', 'printf "%05.1f"', 'printf "%08b"'),
    *(
        "int",
        "int64",
        "float64",
        "atoi",
        "toDecimal",
        "add 1",
        "sub 5",
        "mul 3",
        "div 7",
    ),
    *(
        "mod 4",
        "max 3",
        "min 3",
        "floor",
        "ceil",
        "add1",
        "len | seq",
        "len | until | len",
    ),
    *(
        'splitList "." | first',
        'splitList "." | last',
        'splitList "." | rest | join "-"',
    ),
    *('splitList "." | reverse | join ","', 'splitList "." | sortAlpha | join "/"'),
    *('splitList "." | uniq | len', 'split "." | len', 'splitn "." 2 | len'),
    *('splitList "." | has "1"', 'splitList "." | without "1" | len', "list | toJson"),
    *("toJson", 'list "a" | concat (list "b") | join "+"', 'dict "k" | len'),
    *('contains "1"', 'hasPrefix "v"', 'hasSuffix "0"', 'eq "true"', 'ne "y"', "empty"),
    *('ternary "a" "b" true', "not", 'and "x"', 'or "x"', 'coalesce ""', "kindOf"),
    *("typeOf", 'kindIs "string"', 'regexMatch "^[0-9]+$"', 'regexFind "[0-9]+"'),
    *('regexReplaceAll "[0-9]" "N"', 'regexFindAll "[a-z]" 2 | join ","', "indent 2"),
    *('regexReplaceAllLiteral "." "$1"', 'regexSplit "[.]" -1 | len', "nindent 1"),
    *(
        'semverCompare ">=1.2"',
        "semver",
        "semver | toString",
        "wrap 2",
        'wrapWith 2 "/"',
    ),
    *('cat "a"', 'plural "one" "many"', "trimall", "slice 0 1", "index 0", "lt 5"),
    *('get "Name"', "keys", "nosuchfunction", "trunc", "printf", "print 1", "println"),
)
"""What a value may be piped through; some of it fails, as in NFD."""

WRAPPERS: Final = (
    "{{ range .%s.%s }}%s\n{{ end }}",
    "{{- range .%s.%s -}}%s\n{{- end }}",
    "{{ range $i, $e := .%s.%s }}{{ with $e }}%s\n{{ end }}{{ end }}",
    "{{ with .%s.%s }}{{ with index . 0 }}%s\n{{ end }}{{ end }}",
    "{{/* c */}}{{ $f := .%s.%s }}{{ range $f }}{{ if .Value }}%s\n{{ end }}{{ end }}",
    '{{ define "t" }}%%s{{ end }}{{ range .%s.%s }}%s\n{{ end }}',
    "{{ range .%s.%s }}%s\n{{ break }}{{ else }}k1=none\n{{ end }}",
)

ODD: Final = (
    *(
        "",
        "  \n\t",
        "novalue",
        "=v",
        "k=",
        "a=b=c\n\n k = v ",
        "k=v\nk=w",
        "{{",
        "{{ end }}",
    ),
    *("{{ .nope }}=x", "k={{ .nope.x }}", "{{ range .t.attr }}{{ .Nope }}=1{{ end }}"),
    *('k={{ fail "no" }}', 'k={{ required "need" "" }}', "k={{ len .t.attr }}"),
    *(
        'k={{ index .t "attr" 0 "Name" }}',
        "k={{ . }}",
        "k={{ .t }}",
        "k={{ 1 | add 2 }}",
    ),
    *(
        '{{ template "x" }}',
        "k={{ $x }}",
        "k={{ range }}",
        "k={{ if }}x{{ end }}",
        "{{ 1.5.2 }}",
    ),
    *(
        "k={{ `raw` }}",
        "k={{ 'a' }}",
        'k={{ "\\u00e9" }}',
        "k={{ 0x1p4 }}",
        "k={{ nil }}",
    ),
    *("k={{ print nil }}", "k={{ (1) }}", "k={{ true }}{{- /* c */ -}} \n", "k={{ 1 }"),
    *('k={{ dict "a" 1 "b" 2 }}', "k={{ list 1 2 3 }}", 'k={{ tuple "a" | toJson }}'),
    *(
        "k={{ index .t.attr 99 }}",
        'k={{ slice "abc" 1 2 }}',
        "k={{ and 1 0 }}",
        "out=é",
    ),
    *(
        "k={{ until 3 }}",
        "k={{ untilStep 0 10 3 }}",
        "k={{ seq 1 2 5 }}",
        "out={{ 3 | eq 3 }}",
    ),
    *('{{ block "b" . }}k=v{{ end }}', 'k={{ printf "%v %v" 1 }}', "k={{ call .t }}"),
)


_EXPRESSIONS: Final = (
    *(
        ".Name",
        ".Value",
        '(index . "Name")',
        "$",
        ".",
        '"lit"',
        "5",
        "1.5",
        "true",
        "nil",
    ),
    *(
        "(len .Name)",
        '(printf "%v" .Value)',
        '(list 1 "a")',
        '(dict "a" 1)',
        "`r`",
        "'x'",
    ),
    *("(eq .Name .Value)", "(lt (len .Name) 3)", "(and .Name .Value)", "(not .Value)"),
    *(
        '(splitList "." .Value)',
        "(atoi .Value)",
        "(int .Value)",
        '(default "d" .Value)',
    ),
    *("(semver .Value)", '(get . "Name")', "(keys .)", "(values .)", "$x", ".Nope"),
)
_ENDLESS: Final = ("(atoi .Value)", "(int .Value)", "$x")
_FORMATS: Final = (
    '"%v %v"',
    '"%d"',
    '"%s|%q"',
    '"%#v"',
    '"%T %T"',
    '"%6.2f%%"',
    '"%x"',
)


def _program(chance: random.Random) -> str:
    """A body from loose parts: assignments, conditions, nesting, errors."""
    return "".join(_part(chance) for _ in range(chance.randint(1, 4)))


def _part(chance: random.Random) -> str:
    one, other = chance.choice(_EXPRESSIONS), chance.choice(_EXPRESSIONS)
    # A range over the number in a value could go on for ever.
    many = chance.choice([each for each in _EXPRESSIONS if each not in _ENDLESS])
    compare, form = chance.choice(("eq", "ne", "lt", "ge")), chance.choice(_FORMATS)
    parts = (
        f"{{{{ {one} | {chance.choice(STAGES)} }}}}",
        f"{{{{ $x := {one} }}}}{{{{ $x }}}}",
        f"{{{{- if {one} -}}}} y {{{{- else }}}} n {{{{ end -}}}}",
        f"{{{{ if {one} }}}}a{{{{ else if {other} }}}}b{{{{ end }}}}",
        f"{{{{ with {one} }}}}{{{{ . }}}}{{{{ else }}}}none{{{{ end }}}}",
        f"{{{{ range {many} }}}}{{{{ . }}}},{{{{ end }}}}",
        f"{{{{ range $i, $x := {many} }}}}{{{{ $i }}}}{{{{ $x }}}}{{{{ end }}}}",
        f"{{{{ {compare} {one} {other} }}}}",
        f"{{{{ printf {form} {one} {other} }}}}",
        f"{{{{ ternary {one} {other} (empty {one}) }}}}",
        f"{{{{ {one} }}}} {{{{- {other} }}}}",
    )
    return chance.choice(parts)


def make(
    chance: random.Random, domain: str, feature: str
) -> tuple[str, tuple[str, ...]]:
    """A template on one feature, and what it tries."""
    if chance.random() < 0.25:
        return chance.choice(ODD), ("template odd",)
    key = chance.choice(("out", "out", "{{ .Name }}", "{{ .Name | lower }}", "k 1"))
    stages = [chance.choice(STAGES) for _ in range(chance.choice((0, 1, 1, 1, 2, 3)))]
    value = " | ".join((chance.choice((".Value", ".Name", ".Value")), *stages))
    line = f"{key}={{{{ {value} }}}}"
    if chance.random() < 0.35:
        line = f"{key}={_program(chance)}"
    wrapper = chance.choice(WRAPPERS)
    aims = tuple(f"template {stage.split()[0]}" for stage in stages)
    return wrapper % (domain, feature, line), ("template", *aims)


def on_rule(chance: random.Random, rule: dict[str, Any]) -> str:
    """A template on something that the rule matches."""
    terms = [*rule.get("matchFeatures", ())]
    for element in rule.get("matchAny", ()):
        terms += element["matchFeatures"]
    if not terms or chance.random() < 0.1:
        return chance.choice(("k1=v1\nk2=", "novalue", "k1={{ .no.such }}"))
    domain, _, feature = chance.choice(terms)["feature"].partition(".")
    line = chance.choice(("{{ .Name }}=seen", "k1={{ .Value }}", "k1={{ . }}"))
    return f'{{{{ range index . "{domain}" "{feature}" }}}}{line}\n{{{{ end }}}}'
