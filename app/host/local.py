"""Features and labels that others put into files below `features.d`.

NFD v0.19.0 `source/local`. One `name=value` a line; without `=` the value is
`true`. A line becomes a label and a feature. Directives begin with `# +`:

* `expiry-time=RFC 3339`: what follows, until the next such line, counts until then.
* `no-feature`, `no-label`: the next line is only the other one; an earlier line of
  the same name in this file is taken back. A line whose time is over does not use
  them up.

Files are read in the order of their names; of the same name the last one counts.
Hidden files, folders and files above 64 KiB are passed over. Others write such files:
no more than 16 MiB are read in all, which NFD does not bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from app.compat import gotext, rfc3339
from app.host.published import Published
from app.host.tree import MAX_FILE_BYTES, Tree

FOLDER: Final = "/etc/kubernetes/node-feature-discovery/features.d"
MAX_BYTES: Final = 65536
"""Of one file."""

_DIRECTIVE: Final = "# +"
_YEAR_DIGITS: Final = 4


def discover(tree: Tree, *, now: datetime) -> Published:
    """What the source `local` publishes.

    Args:
        tree: the host's files.
        now: with a time zone; what ends before it does not count.
    """
    features: dict[str, str] = {}
    labels: dict[str, str] = {}
    for path, text in _files(tree):
        file = _File(now)
        for line in text.split("\n"):
            file.take(gotext.trimmed(line))
        if file.is_odd:
            tree.refuse(path, "has a directive that is unknown or cannot be read")
        features |= file.features
        labels |= file.labels
    return Published(attributes={"label": labels, "feature": features})


def _files(tree: Tree) -> Iterator[tuple[str, str]]:
    total = 0
    for name in tree.names(FOLDER):
        path = f"{FOLDER}/{name}"
        if name.startswith(".") or not tree.exists(path) or tree.is_folder(path):
            continue
        if total > MAX_FILE_BYTES - MAX_BYTES:
            tree.refuse(path, f"more than {MAX_FILE_BYTES} bytes in all")
            continue
        text = tree.as_read(path, limit=MAX_BYTES)
        if text is not None:
            total += gotext.size_bytes(text)
            yield path, text


@dataclass(slots=True)
class _File:
    """What one file has said so far."""

    now: datetime
    features: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    is_odd: bool = False
    _is_over: bool = False
    _skips: set[str] = field(default_factory=set)

    def take(self, line: str) -> None:
        """Takes in one line, without white space around it."""
        if line.startswith(_DIRECTIVE):
            self._obey(line.removeprefix(_DIRECTIVE))
        elif line and not line.startswith("#") and not self._is_over:
            name, equals, value = line.partition("=")
            self._put(self.features, "no-feature", name, value if equals else "true")
            self._put(self.labels, "no-label", name, value if equals else "true")
            self._skips.clear()

    def _put(self, known: dict[str, str], unless: str, name: str, value: str) -> None:
        if unless in self._skips:
            known.pop(name, None)
        else:
            known[name] = value

    def _obey(self, directive: str) -> None:
        name, _, value = directive.partition("=")
        if name in {"no-feature", "no-label"}:
            self._skips.add(name)
            return
        is_over = _is_over(value, self.now) if name == "expiry-time" else None
        if is_over is None:
            self.is_odd = True
        else:
            self._is_over = is_over


def _is_over(time: str, now: datetime) -> bool | None:
    """Whether a time has passed, to the second; `None` if it is none."""
    try:
        utc = rfc3339.normalise(gotext.trimmed(time))
    except ValueError:
        return None
    if utc is None or utc.startswith("-"):  # the year 1, or before it
        return True
    far = utc.index("-") > _YEAR_DIGITS
    return not far and utc <= f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
