"""Templates that are sound, and fail or say nothing when they are run.

NFD runs a template on what one matcher has found (`matchFeatures`, or an element of
matchAny), with `missingkey=error` (`template.go` at v0.19.0): a feature that the
matcher does not name is an error, and so is `.Value` of a flag, or a line without
`=`. Only what happens whatever the node has is told: nothing that stands inside an
`if` is, but lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.compat.lint.features import FEATURES, Form
from app.compat.lint.problem import Problems, found, shown
from app.compat.lint.written import Rule, Term, Text
from app.compat.template import nodes
from app.compat.template.engine import Template

_UNKNOWN: Final = "\0"
"""Stands for what an action prints; no text of a template that is read holds it."""

_HAS_VALUE: Final = "AVX10_VERSION"
"""The only element of a feature of flags that has a value."""

_LAZY: Final = frozenset({"and", "or"})
"""Functions that do not look at every argument."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a template does on every node.

    Attributes:
        features: domain and feature that it looks up, in order.
        values: of those the ones of whose elements it asks for `.Value`.
        bare: a line that it prints without `=`; empty if there is none.
    """

    features: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...]
    bare: str


def read(template: Template) -> Facts:
    """What there is to know of a template."""
    body = template.body
    fields = [one for pipe in _pipes(body) for one in _fields(pipe, "$")]
    return Facts(
        tuple(dict.fromkeys((one[0], one[1]) for one in fields if len(one) > 1)),
        tuple(dict.fromkeys(_valued(body))),
        next(_bare_lines(body), ""),
    )


def check(rule: Rule, text: Text, facts: Facts) -> Problems:
    """Whether a template can be run on what its rule finds."""
    if facts.bare:
        message = f"the template prints the line {shown(facts.bare)}, which has no ="
        yield found("failing-template", text.at, message, "write NAME=VALUE")
    matchers = [one.terms for one in rule.alternatives]
    matchers += [rule.terms] if rule.terms else []
    for terms in filter(None, matchers):
        names = {_split(term.feature.text) for term in terms}
        missing = next((one for one in facts.features if one not in names), None)
        if missing is not None:
            name = f".{'.'.join(missing)}"
            message = f"the template uses {shown(name)}, and no term beside it names it"
            hint = "NFD runs it on what one matchFeatures finds, by itself"
            yield found("failing-template", text.at, message, hint)
            return
        for one in facts.values:
            if _is_of_flags(one, terms):
                message = f"flags of {shown('.'.join(one))} have a .Name, and no .Value"
                hint = "write {{ .Name }}=true"
                yield found("failing-template", text.at, message, hint)
                return


def _split(feature: str) -> tuple[str, str]:
    """Domain and feature, as NFD splits them."""
    domain, dot, name = feature.partition(".")
    return (domain, name) if dot else (feature.lower(), "")


def _is_of_flags(feature: tuple[str, str], terms: Sequence[Term]) -> bool:
    known = FEATURES.get(".".join(feature).lower())
    if known is None or known.form is not Form.FLAG:
        return False
    asked = [term for term in terms if _split(term.feature.text) == feature]
    texts = (
        text
        for term in asked
        for one in term.every
        for text in (one.name.text, *one.operands)
    )
    return not any(_HAS_VALUE in text for text in texts)


# Trees --------------------------------------------------------------------------


def _pipes(body: nodes.Body) -> Iterator[nodes.Pipe]:
    """The pipelines that are run whatever there is."""
    for node in body:
        match node:
            case nodes.Action() | nodes.Range():
                yield node.pipe
            case nodes.Branch():
                yield node.clauses[0][0]
            case _:
                pass


def _fields(pipe: nodes.Pipe, dot: str) -> Iterator[tuple[str, ...]]:
    """The names that are looked up in what `dot` stands for, one after another.

    Args:
        pipe: the pipeline.
        dot: the variable that stands for it, too.
    """
    for command in pipe.commands:
        first = command.args[0]
        if isinstance(first, nodes.Identifier) and first.name in _LAZY:
            continue
        for one in command.args:
            match one:
                case nodes.Field():
                    yield one.names
                case nodes.Variable() if one.name == dot:
                    yield one.names
                case nodes.Pipe():
                    yield from _fields(one, dot)
                case _:
                    pass


def _valued(body: nodes.Body) -> Iterator[tuple[str, str]]:
    """Features of whose elements a loop asks for `.Value`."""
    for node in body:
        if not isinstance(node, nodes.Range):
            continue
        over = list(_fields(node.pipe, "$"))
        element = node.pipe.declared[-1] if node.pipe.declared else ""
        asked = [one for pipe in _pipes(node.body) for one in _fields(pipe, element)]
        for names in over:
            if len(names) == 2 and ("Value",) in asked:  # noqa: PLR2004 - and feature
                yield names[0], names[1]


def _bare_lines(body: nodes.Body, around: str = "") -> Iterator[str]:
    """Lines without `=` that are printed as they stand."""
    printed = "".join(map(_printed, body))
    for line in f"{around}{printed}{around}".split("\n"):
        text = line.strip()
        if text and "=" not in text and _UNKNOWN not in text:
            yield text
    for node in body:
        for inner in _bodies(node):
            yield from _bare_lines(inner, _UNKNOWN)


def _printed(node: nodes.Node) -> str:
    if isinstance(node, nodes.Text):
        return node.value.decode(errors="replace").replace(_UNKNOWN, "?")
    if isinstance(node, nodes.Action) and node.pipe.declared:
        return ""
    return _UNKNOWN


def _bodies(node: nodes.Node) -> Iterator[nodes.Body]:
    match node:
        case nodes.Range():
            yield from (node.body, node.otherwise or ())
        case nodes.Branch():
            yield from (body for _, body in node.clauses)
            yield node.otherwise or ()
        case _:
            pass
