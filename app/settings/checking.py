"""Settings before they are applied: what is wrong, odd, and would change."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeAlias

from app.settings import life, manifest, naming
from app.settings.advice import advise
from app.settings.faults import Fault, dotted, ordered, printable
from app.settings.life import Change
from app.settings.loading import Accepted, Refused, judge
from app.settings.manifest import Text
from app.settings.sections import Settings

Look: TypeAlias = Callable[[Settings], tuple[Fault, ...]]
"""Looks at more than the settings themselves."""


def _nothing(_: Settings) -> tuple[Fault, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Looks:
    """At the files that settings name.

    Attributes:
        wrong: what a process would refuse.
        odd: what it takes, but looks like a mistake; asked if nothing is wrong.
    """

    wrong: Look = _nothing
    odd: Look = _nothing


@dataclass(frozen=True, slots=True)
class Checked:
    """One settings file.

    Attributes:
        file: where it was found.
        config_map: in it (`namespace/name`); empty for a settings file.
        settings: `None` if they are invalid.
        faults: what is wrong.
        warnings: what is valid, but looks like a mistake.
        changes: against older settings; `None` without any.
    """

    file: str
    config_map: str = ""
    settings: Settings | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    changes: tuple[Change, ...] | None = field(default=None)

    def fault_lines(self) -> Iterator[str]:
        """A line for each fault."""
        return (one.line(self.file) for one in self.faults)

    def warning_lines(self) -> Iterator[str]:
        """A line for each warning."""
        for one in self.warnings:
            where, colon, what = one.line(self.file).partition(": ")
            yield f"{where}{colon}warning: {what}"

    def summary_lines(self) -> Iterator[str]:
        """That it is valid, and what would change."""
        if self.settings is None:
            return
        where = f" (ConfigMap {self.config_map})" if self.config_map else ""
        file = printable(self.file)
        count = len(self.warnings)
        warnings = f", {count} warning{'' if count == 1 else 's'}" if count else ""
        yield f"{file}{where}: valid{warnings}"
        if self.changes is None:
            return
        yield from (f"  {_told(one)}" for one in self.changes)
        if not self.changes:
            yield "  no setting differs"

    def plain(self) -> dict[str, object]:
        """The same for machines, in JSON's types."""
        found: dict[str, object] = {
            "file": self.file,
            "configMap": self.config_map,
            "valid": self.settings is not None,
            "faults": [_plain(one) for one in self.faults],
            "warnings": [_plain(one) for one in self.warnings],
        }
        if self.changes is not None:
            found["changes"] = [
                {**one.told(), "takes": one.life.value} for one in self.changes
            ]
        return found


def check(
    content: bytes,
    file: str,
    old: Settings | None = None,
    looks: Looks = Looks(),
) -> list[Checked]:
    """Every settings file in a text; at least one answer.

    Args:
        content: a settings file, or manifests.
        file: its name.
        old: settings to compare with; `None` for none.
        looks: at files that the settings name.
    """
    found = manifest.texts(content)
    if isinstance(found, Fault):
        return [Checked(file, faults=(found,))]
    return [_check(one, file, old, looks) for one in found]


def _check(text: Text, file: str, old: Settings | None, looks: Looks) -> Checked:
    judged = judge(text.content, file)
    if not isinstance(judged, Refused):
        faults = _placed(looks.wrong, judged)
        judged = Refused(file, faults) if faults else judged
    if isinstance(judged, Refused):
        faults = tuple(map(text.placed, judged.faults))
        return Checked(file, text.name, faults=faults)
    said = (*advise(judged, datetime.now(UTC)), *_placed(looks.odd, judged))
    advice = map(text.placed, ordered(said))
    return Checked(
        file,
        text.name,
        judged.settings,
        warnings=(*advice, *_variables()),
        changes=None if old is None else life.changes(old, judged.settings),
    )


def _placed(look: Look, judged: Accepted) -> tuple[Fault, ...]:
    place = judged.document.place
    found = look(judged.settings)
    return tuple(replace(one, place=place(one.path)) for one in found)


def _variables() -> Iterator[Fault]:
    """Variables of this environment take part, which a Pod may not have."""
    text = "of this environment wins over the file"
    return (Fault(text, variable=one) for one in naming.variables(os.environ))


def _told(change: Change) -> str:
    told = change.told()
    if "old" in told:
        what = f"{_short(told['old'])} -> {_short(told['new'])}"
    else:
        signs = (("-", told["removed"]), ("+", told["added"]))
        what = " ".join(f"{sign}{_short(one)}" for sign, one in signs if one)
    return f"{change.name}: {what or 'in another order'} ({change.life.value})"


def _short(value: object) -> str:
    if value is None or isinstance(value, str):
        return "none" if value is None else value
    return json.dumps(value, default=str)


def _plain(fault: Fault) -> dict[str, object]:
    return {
        "path": dotted(fault.path),
        "message": fault.message,
        "line": fault.place.line if fault.place is not None else None,
        "column": fault.place.column if fault.place is not None else None,
        "variable": fault.variable or None,
    }
