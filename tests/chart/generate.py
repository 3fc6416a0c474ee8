"""Writes what is made from something else: schema, README, self-test, manifests.

`python tests/chart/generate.py` writes them; a test compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.chart import layout, schema

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CHART: Final = ROOT / "charts" / "imagecompat"


def made() -> Mapping[Path, bytes]:
    """Path -> what has to stand there, but for `manifests/`."""
    found = {CHART / "values.schema.json": schema.text().encode()}
    for name, content in layout.files().items():
        found[CHART / "files" / "selftest" / name] = content
    return found


if __name__ == "__main__":
    for path, content in made().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)
