"""A spec that is being written: sets, rules and comments as text.

Specs are alternatives of sets, and all rules of a set must hold. So what two drafts
ask for together is every set of the one with every set of the other.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from app.cli.output import safe
from app.compat import parse, yaml11
from app.compat.yaml_nodes import ScalarNode
from app.errors import ConfigError, SpecError

MAX_SETS: Final = 32
"""Of one spec; nobody would read more."""

MAX_COMMENT: Final = 240
"""Characters of a comment that quotes somebody else."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.,;/()-]*")
"""Text that needs no quotes, unless it is a word or number of YAML's own."""

Terms: TypeAlias = tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a rule.

    Attributes:
        feature: its feature.
        expressions: element -> expression as YAML has it: `{op: Exists}`.
    """

    feature: str
    expressions: Mapping[str, str]

    def lines(self) -> Iterator[str]:
        """As a list item, at no indentation."""
        yield f"- feature: {self.feature}"
        yield "  matchExpressions:"
        for name, expression in self.expressions.items():
            yield f"    {name}: {expression}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A set of rules.

    Attributes:
        tag: of the set; empty for none.
        weight: of the set; `None` for none.
        description: of the set; empty for none.
        rules: their lines, comments among them, without indentation.
    """

    tag: str = ""
    weight: int | None = None
    description: str = ""
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A spec.

    Attributes:
        comments: above it, a line each, without `#`.
        sets: its sets.
    """

    comments: tuple[str, ...]
    sets: tuple[Set, ...]


def rule(name: str, *, why: Sequence[str], any_of: Sequence[Terms]) -> tuple[str, ...]:
    """The lines of a rule.

    Args:
        name: of the rule.
        why: comments above it.
        any_of: alternatives, at least one.
    """
    lines = [f"# {comment}" for comment in why]
    lines.append(f"- name: {scalar(name)}")
    if len(any_of) == 1:
        lines.append("  matchFeatures:")
        lines += (f"  {line}" for term in any_of[0] for line in term.lines())
        return tuple(lines)
    lines.append("  matchAny:")
    for terms in any_of:
        lines.append("  - matchFeatures:")
        lines += (f"    {line}" for term in terms for line in term.lines())
    return tuple(lines)


def said(text: str) -> str:
    """Somebody else's text, fit for a comment: one line, and not too long."""
    cleaned = safe(text)
    return cleaned if len(cleaned) <= MAX_COMMENT else f"{cleaned[:MAX_COMMENT]}..."


def scalar(text: str) -> str:
    """Text as a YAML scalar, quoted unless it is plainly text."""
    if _PLAIN.fullmatch(text) and text == text.strip():
        node = ScalarNode(text, "", implicit=True, line=0, column=0)
        if isinstance(yaml11.resolve(node), str):
            return text
    return json.dumps(safe(text).encode("ascii", "replace").decode())


# Text ---------------------------------------------------------------------------


def text(draft: Draft) -> str:
    """The spec.

    Raises:
        ConfigError: it would be larger than specs may be.
    """
    lines = [f"# {comment}".rstrip() for comment in draft.comments]
    lines += ["version: v1alpha1", "compatibilities:"]
    for one in draft.sets:
        lines += _set(one)
    content = "\n".join(lines) + "\n"
    try:
        parse.read_for_admission(content.encode())
    except SpecError as error:
        raise ConfigError("TooCostly", f"this spec: {error.message}") from error
    return content


def _set(one: Set) -> Iterator[str]:
    head = [f"tag: {scalar(one.tag)}"] if one.tag else []
    head += [f"weight: {one.weight}"] if one.weight is not None else []
    head += [f"description: {scalar(one.description)}"] if one.description else []
    head.append("rules:" if one.rules else "rules: []")
    yield f"- {head[0]}"
    yield from (f"  {line}" for line in head[1:])
    yield from (f"  {line}" for line in one.rules)


def read(content: bytes) -> Draft:
    """A recipe as a draft: `text` of it gives the recipe again, byte for byte."""
    lines = content.decode().splitlines()
    start = lines.index("compatibilities:")
    comments = tuple(one[2:] for one in lines[:start] if one.startswith("#"))
    sets: list[list[str]] = []
    for line in lines[start + 1 :]:
        if line.startswith("- "):
            sets.append([])
        sets[-1].append(line[2:])
    return Draft(comments, tuple(_read_set(one) for one in sets))


def _read_set(lines: Sequence[str]) -> Set:
    start = lines.index("rules:")
    head = dict(one.split(": ", 1) for one in lines[:start])
    weight = head.get("weight")
    return Set(
        tag=head.get("tag", ""),
        weight=None if weight is None else int(weight),
        description=head.get("description", ""),
        rules=tuple(lines[start + 1 :]),
    )


# Several together ---------------------------------------------------------------


def merge(drafts: Mapping[str, Draft]) -> Draft:
    """What several drafts ask for together.

    Each set is one of every draft: its rules are theirs, its weight the mean of
    their weights. A draft without sets asks for nothing, and has only comments.

    Args:
        drafts: by the names that comments call them; at least one.

    Raises:
        ConfigError: there are more than `MAX_SETS`.
    """
    if len(drafts) == 1:
        return next(iter(drafts.values()))
    asking = [draft.sets for draft in drafts.values() if draft.sets]
    count = math.prod(map(len, asking))
    if count > MAX_SETS:
        expected = f"expected at most {MAX_SETS}; take fewer, or edit the sets away"
        raise ConfigError("TooManySets", f"together they have {count} sets: {expected}")
    comments = [
        f"A node must have what each of these asks for: {said(', '.join(drafts))}.",
        "Each set takes one set of every part, and the mean of their weights.",
    ]
    for name, draft in drafts.items():
        comments += ["", f"{said(name)}:", *draft.comments]
    every = itertools.product(*asking)
    ordered = sorted(map(_joined, every), key=lambda one: -(one.weight or 0))
    return Draft(tuple(comments), tuple(_distinct(ordered)))


def _joined(sets: Sequence[Set]) -> Set:
    weights = [one.weight for one in sets if one.weight is not None]
    return Set(
        tag="-".join(one.tag for one in sets if one.tag),
        weight=round(sum(weights) / len(weights)) if weights else None,
        description="; ".join(one.description for one in sets if one.description),
        rules=tuple(line for one in sets for line in one.rules),
    )


def _distinct(sets: Iterable[Set]) -> Iterator[Set]:
    """The sets, those with a tag that another has with a number at its end."""
    taken: set[str] = set()
    for one in sets:
        numbered = (f"{one.tag}-{number}" for number in itertools.count(2))
        names = itertools.chain([one.tag], numbered)
        tag = next(name for name in names if not one.tag or name not in taken)
        taken.add(tag)
        yield replace(one, tag=tag)
