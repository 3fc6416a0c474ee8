"""Settings of an older version: keys that have another name now.

A settings file of the version before is read as it is: a key that was renamed or
moved is listed here for at least one version, read under its new name, and told.
The settings files of older versions are kept in `tests/unit/settings`, where they
must go on to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from app.settings.document import Document
from app.settings.faults import Fault, Path, dotted

RENAMED: Final[Mapping[str, str]] = {}
"""Old name -> new name, as a file spells them (`policy.mode`); none so far."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """A document under the new names.

    Attributes:
        document: each old key replaced.
        advice: one for each that was.
        faults: old and new name stand side by side.
    """

    document: Document
    advice: tuple[Fault, ...] = ()
    faults: tuple[Fault, ...] = ()


def apply(document: Document, names: Mapping[str, str] = RENAMED) -> Renamed:
    """Reads a document's old keys under their new names."""
    advice: list[Fault] = []
    faults: list[Fault] = []
    for old, new in names.items():
        before, after = _path(old), _path(new)
        if before not in document.keys:
            continue
        place = document.keys[before]
        if after in document.keys:
            text = f"is the old name of {new}, which stands here too"
            faults.append(Fault(text, before, place))
            continue
        document = _moved(document, before, after)
        advice.append(Fault(f"is called {new} now", before, place))
    return Renamed(document, tuple(advice), tuple(faults))


def _moved(document: Document, before: Path, after: Path) -> Document:
    content: dict[str, Any] = {
        key: dict(value) if isinstance(value, dict) else value
        for key, value in document.content.items()
    }
    (section, key), (new_section, new_key) = before, after
    target = content.setdefault(str(new_section), {})
    if target is None:
        target = content[str(new_section)] = {}
    target[new_key] = content[str(section)].pop(key)
    keys, values = (
        {
            after + path[len(before) :] if path[: len(before)] == before else path: one
            for path, one in places.items()
        }
        for places in (document.keys, document.values)
    )
    return replace(document, content=content, keys=keys, values=values)


def _path(name: str) -> Path:
    path = tuple(name.split("."))
    assert len(path) == _LEVELS, f"{dotted(path)}: a section and its key"  # noqa: S101 - a bug of ours
    return path


_LEVELS: Final = 2
