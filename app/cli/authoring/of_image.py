"""A first spec from what an image says of itself: a set for each platform."""

from __future__ import annotations

from collections.abc import Sequence

from app.cli.authoring import nvidia, platforms, userland
from app.cli.authoring.draft import Draft, Set, said
from app.oci.writing.configurations import Configuration
from app.ports import Platform


def draft(name: str, found: Sequence[Configuration]) -> Draft:
    """The spec, with notes of all that could not be made a rule.

    Args:
        name: of the image.
        found: its configurations; at least one.
    """
    comments = [
        f"What: a first spec of {said(name)}, made of its configuration.",
        "Why: it holds what the image says of itself, and no more: edit it.",
        "Note: which kernel, modules or devices a program needs stands in no image.",
        "Note: imagecompat init-spec --list has templates for many of them.",
    ]
    sets = []
    for one in found:
        made, notes = _set(one)
        sets.append(made)
        prefix = f"{said(str(one.platform))}: " if len(found) > 1 else ""
        comments += (f"Note: {prefix}{note}" for note in notes)
    return Draft(tuple(dict.fromkeys(comments)), _distinct(sets))


def _set(one: Configuration) -> tuple[Set, tuple[str, ...]]:
    platform = one.platform
    level, label = userland.level(one.labels)
    parts = [platforms.ask(platform, level), nvidia.ask(one.environment)]
    notes = [note for part in parts for note in part.notes]
    if level and platform.architecture == "amd64":
        notes.append(f"The label {label} is that of programs for x86-64-{level}.")
    if not any(part.rules for part in parts):
        notes.append("No rule: every node fits.")
    rules = tuple(line for part in parts for line in part.rules)
    return Set(description=_described(platform), rules=rules), tuple(notes)


def _described(platform: Platform) -> str:
    return said(str(platform)) if platform.os else "any platform"


def _distinct(sets: Sequence[Set]) -> tuple[Set, ...]:
    """The sets, those that ask for the same made one."""
    found: dict[tuple[str, ...], list[str]] = {}
    for one in sets:
        found.setdefault(one.rules, []).append(one.description)
    return tuple(
        Set(description=", ".join(dict.fromkeys(names)), rules=rules)
        for rules, names in found.items()
    )
