"""Sets and rules: what is empty, what is there twice, variables and templates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from app.compat import gotext
from app.compat.lint import near, templates
from app.compat.lint.problem import Problems, found, shown
from app.compat.lint.written import CompatibilitySet, Rule, Spec, Text
from app.compat.template import engine
from app.compat.template.refusal import UNSUPPORTED
from app.compat.varstemplate import MAX_TEMPLATE_BYTES
from app.errors import SpecError

VERSION: Final = "v1alpha1"

LEAST_WEIGHT: Final = 1
MOST_WEIGHT: Final = 100


def check(spec: Spec) -> Problems:
    """Problems of sets and rules, but not of their terms."""
    yield from _version(spec)
    yield from _twice(
        (one.tag for one in spec.sets if one.tag.text),
        "duplicate-tag",
        "the tag",
        "tags select sets: give each its own",
    )
    templates_read: dict[str, _Read] = {}
    for one in spec.sets:
        yield from _set(one)
        for rule in one.rules:
            if rule.template is not None:
                yield from _template(rule, rule.template, templates_read)
    yield from _variables(spec)


def _version(spec: Spec) -> Problems:
    if spec.sets and spec.version.text != VERSION:
        was = shown(spec.version.text) if spec.version.text else "missing"
        message = f'version is {was}: expected "{VERSION}"'
        hint = "NFD does not look at it; other readers may"
        yield found("unknown-version", spec.version.at, message, hint)


def _set(one: CompatibilitySet) -> Problems:
    if not one.rules:
        yield found(
            "empty-set", one.at, "a set without rules fits every node", "add rules"
        )
    weight = one.weight
    if weight is not None and not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        message = f"weight is {weight}: expected {LEAST_WEIGHT} to {MOST_WEIGHT}"
        hint = "leave it out, where nothing is preferred" if not weight else ""
        yield found("weight-range", one.weight_at, message, hint)
    names = (rule.name for rule in one.rules if rule.name.text)
    hint = "reports cannot tell the rules apart"
    yield from _twice(names, "duplicate-rule-name", "the rule", hint)
    for rule in one.rules:
        yield from _rule(rule)


def _twice(names: Iterable[Text], code: str, what: str, hint: str) -> Problems:
    seen: dict[str, int] = {}
    for name in names:
        if name.text in seen:
            line = seen[name.text]
            message = f"{what} {shown(name.text)} stands in line {line} already"
            yield found(code, name.at, message, hint)
        seen.setdefault(name.text, name.at.line)


def _rule(rule: Rule) -> Problems:
    if not rule.terms and not rule.alternatives:
        message = "a rule without matchFeatures and matchAny matches every node"
        if not rule.vars:
            yield found("empty-rule", rule.at, message, "add matchFeatures")
        if rule.template is not None:
            unused = "the template of a rule without matchers never runs"
            yield found("unused-template", rule.template.at, unused, "use vars")
    for one in rule.alternatives:
        if not one.terms:
            message = "an alternative without matchFeatures matches every node"
            yield found("empty-alternative", one.at, message, "leave it out")


# Templates ----------------------------------------------------------------------

_Read: TypeAlias = templates.Facts | tuple[str, str, str]
"""What is known of a template; or code, message and hint of what is wrong with it."""


def _template(rule: Rule, text: Text, known: dict[str, _Read]) -> Problems:
    """Problems of a template; one that aliases repeat is read once."""
    facts = known.get(text.text)
    if facts is None:
        facts = known[text.text] = _read(text.text)
    if isinstance(facts, templates.Facts):
        yield from templates.check(rule, text, facts)
    else:
        code, message, hint = facts
        yield found(code, text.at, message, hint)


def _read(text: str) -> _Read:
    size = gotext.size_bytes(text)
    if size > MAX_TEMPLATE_BYTES:
        message = f"a template of {size} bytes: expected at most {MAX_TEMPLATE_BYTES}"
        return "invalid-template", message, ""
    try:
        return templates.read(engine.parse(text))
    except SpecError as error:
        is_refused = error.reason == UNSUPPORTED
        code = "refused-function" if is_refused else "invalid-template"
        hint = "" if is_refused else "see docs/reference/templates.md"
        return code, f"the template cannot be run: {error.message}", hint


# Variables ----------------------------------------------------------------------


def _variables(spec: Spec) -> Problems:
    """Elements of rule.matched that no earlier rule sets."""
    known: set[str] = set()
    is_open, is_first = False, True
    for rule in spec.rules:
        for term in rule.every:
            if term.key != "rule.matched" or is_open:
                continue
            for one in term.expressions:
                yield from _variable(one.name, known, is_first=is_first)
        known.update(name.text for name in rule.vars)
        is_open = is_open or rule.template is not None
        is_first = False


def _variable(name: Text, known: set[str], *, is_first: bool) -> Problems:
    if name.text in known:
        return
    message = f"no rule before this one sets {shown(name.text)}"
    hint = near.meant(name.text, known)
    if is_first:
        hint = "rule.matched does not exist before the first rule"
    yield found("unset-variable", name.at, message, hint)
