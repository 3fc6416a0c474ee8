"""A first spec from what an image says of itself: a set for each platform.

Sets are alternatives, so a set that asks for nothing would be fit by every node, and
one that does not tell its platform by the nodes of the others. Neither is written: a
platform that NFD has no words for gets no set, and a comment says what follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.cli.authoring import nvidia, platforms, userland
from app.cli.authoring.draft import Draft, Set, said
from app.errors import ConfigError
from app.oci.writing.configurations import Configuration
from app.ports import Platform

NOTHING: Final = "NothingToAsk"
"""Reason of the error for an image of which no rule can be made."""

_HEAD: Final = 4
"""Comments above a draft that are the same for every image."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of a platform: the lines of its rules may be none."""

    platform: str
    rules: tuple[str, ...]
    notes: tuple[str, ...]


def draft(name: str, found: Sequence[Configuration]) -> Draft:
    """The spec, with notes of all that could not be made a rule.

    Args:
        name: of the image.
        found: its configurations; at least one.

    Returns:
        A draft without sets if there are no rules for any platform.
    """
    made = [_made(one, is_only=len(found) == 1) for one in found]
    comments = [
        f"What: a first spec of {said(name)}, made of its configuration.",
        "Why: it holds what the image says of itself, and no more: edit it.",
        "Note: which kernel, modules or devices a program needs stands in no image.",
        "Note: imagecompat init-spec --list has templates for many of them.",
        *(f"Note: {note}" for note in _notes(made)),
        *_left_out(made),
    ]
    return Draft(tuple(dict.fromkeys(comments)), _sets(made))


def refuse_nothing(name: str, found: Draft) -> None:
    """Raises `ConfigError` for a draft without sets, which would be no spec."""
    if not found.sets:
        about = [one.removeprefix("Note: ") for one in found.comments[_HEAD:]]
        text = "nothing that it says of itself can be asked of a node"
        how = "Name what it needs with --template; --list lists templates"
        raise ConfigError(NOTHING, f"{said(name)}: {text}: {' '.join(about)} {how}")


def _made(one: Configuration, *, is_only: bool) -> _Made:
    platform = one.platform
    level, label = userland.level(one.labels)
    cpu, gpu = platforms.ask(platform, level), nvidia.ask(one.environment)
    notes = [*cpu.notes, *gpu.notes]
    if level and platform.architecture == "amd64":
        notes.append(f"The label {label} is that of programs for x86-64-{level}.")
    is_told = bool(cpu.rules) or (is_only and platform.os in {"", "linux"})
    rules = (*cpu.rules, *gpu.rules) if is_told else ()
    return _Made(_described(platform), rules, tuple(notes))


def _notes(made: Sequence[_Made]) -> Iterable[str]:
    for one in made:
        prefix = f"{one.platform}: " if len(made) > 1 else ""
        yield from (f"{prefix}{note}" for note in one.notes)


def _left_out(made: Sequence[_Made]) -> Iterable[str]:
    """What follows for platforms without a set, where others have one."""
    without = [one.platform for one in made if not one.rules]
    told = [one.platform for one in made if one.rules]
    if without and told:
        yield f"Note: there is no set for {', '.join(dict.fromkeys(without))}."
        yield "Note: if this is attached to the whole image, no node of these fits it."
        yield "Note: so attach it to the other platforms only, once for each:"
        for one in dict.fromkeys(told):
            yield f"Note: imagecompat attach-spec IMAGE --spec FILE --platform {one}"


def _described(platform: Platform) -> str:
    return said(str(platform)) if platform.os else "any platform"


def _sets(made: Sequence[_Made]) -> tuple[Set, ...]:
    """A set for each platform with rules; those that ask for the same made one."""
    found: dict[tuple[str, ...], list[str]] = {}
    for one in made:
        if one.rules:
            found.setdefault(one.rules, []).append(one.platform)
    return tuple(
        Set(description=", ".join(dict.fromkeys(names)), rules=rules)
        for rules, names in found.items()
    )
