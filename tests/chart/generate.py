"""Writes what is made from something else: schema, README, self-test, manifests.

`make manifests` writes them; a test compares them. The manifests come last, since
Helm renders them from the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from tests.chart import layout, manifests, readme, schema, values

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CHART: Final = ROOT / "charts" / "imagecompat"
SELFTEST: Final = CHART / "files" / "selftest"


def of_values() -> dict[Path, bytes]:
    """What stands beside the values."""
    return {
        CHART / "values.schema.json": schema.text(values.defaults()).encode(),
        CHART / "README.md": readme.text().encode(),
    }


def of_selftest() -> dict[Path, bytes]:
    """The self-test's layout."""
    return {SELFTEST / name: content for name, content in layout.files().items()}


def of_manifests() -> dict[Path, bytes]:
    """The chart, rendered."""
    folder = ROOT / "manifests"
    return {folder / name: one.encode() for name, one in manifests.files().items()}


MADE: Final[Mapping[str, Callable[[], dict[Path, bytes]]]] = {
    "values": of_values,
    "selftest": of_selftest,
    "manifests": of_manifests,
}


def write(names: Iterable[str]) -> None:
    """Writes what differs, and says so."""
    for name in names:
        for path, content in MADE[name]().items():
            if path.exists() and path.read_bytes() == content:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    write(MADE)
