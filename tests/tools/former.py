"""The release before, as far as git knows one: its chart, and values that it had.

The chart is that of the newest tag `v*` that has one; before the first such tag, that
of the newest commit on this branch's own line. A chart whose templates are this
checkout's is passed over. Where nothing is left (a shallow clone, a source archive, a
history of one commit) this checkout's own chart stands in, and says so.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.tools.helm import ROOT, Values

CHART: Final = "charts/imagecompat"

VALUES: Final[Values] = {
    "commonLabels": {"example.com/release": "former"},
    "podAnnotations": {"example.com/release": "former"},
    "webhook": {"timeoutSeconds": 15},
    "policy": {"messages": "counts", "daemonSets": None, "unpublishedFeatures": None},
    "server": {"stuckSeconds": None, "connectionSeconds": None},
    "cluster": {"transientTaints": None},
}
"""Other ones than today's: every object has another label, and some settings, `None`
here, are not in the settings file at all, as before there were such settings."""


@dataclass(frozen=True, slots=True)
class Former:
    """What stands for the release before.

    Attributes:
        chart: the chart's folder.
        origin: a tag or a commit; empty if the chart is this checkout's own.
    """

    chart: Path
    origin: str = ""

    def __str__(self) -> str:
        if self.origin:
            return f"the chart of {self.origin} stands for the release before"
        return "no other chart in this history: this one, with other values"


def chart(folder: Path, root: Path = ROOT) -> Former:
    """Finds it, and unpacks it into `folder`."""
    now = _templates(root / CHART)
    for revision in (*_tags(root), *_commits(root)):
        place = folder / revision / CHART
        content = _git(root, "archive", "--format=tar", revision, CHART)
        if content is None:
            continue
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(folder / revision, filter="data")
        if (place / "Chart.yaml").exists() and _templates(place) != now:
            return Former(place, revision)
    return Former(root / CHART)


def _tags(root: Path) -> list[str]:
    """Of releases that this one comes after, the newest version first."""
    order = "--sort=-version:refname"
    return _lines(_git(root, "tag", "--list", "v*", "--merged", "HEAD", order))


def _commits(root: Path) -> list[str]:
    """Those that changed the chart, the newest first."""
    return _lines(_git(root, "log", "--first-parent", "--format=%H", "--", CHART))


def _lines(said: bytes | None) -> list[str]:
    return (said or b"").decode().split()


def _templates(chart: Path) -> dict[Path, bytes]:
    """What makes one chart another: the same templates make the same objects."""
    folder = chart / "templates"
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def _git(root: Path, *arguments: str) -> bytes | None:
    """What git prints; `None` where it fails or is missing."""
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
