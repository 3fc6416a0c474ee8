"""What a release checks and fills in; the workflow release.yml calls it.

`python hack/release.py check vVERSION`
    The tag is the version of pyproject.toml and of the chart, and CHANGELOG.md has a
    dated section for it.
`python hack/release.py chart REPOSITORY DIGEST FOLDER`
    A copy of the chart in FOLDER that names our image by its digest.
"""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CHART: Final = ROOT / "charts" / "imagecompat"


class ReleaseError(Exception):
    """This cannot be released; the message says why."""


def check(tag: str, root: Path = ROOT) -> list[str]:
    """Everything that does not fit the tag; empty if it can be released."""
    version = tag.removeprefix("v")
    chart = (root / "charts" / "imagecompat" / "Chart.yaml").read_text()
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    found = {
        "pyproject.toml version": project["version"],
        "Chart.yaml version": _field(chart, "version"),
        "Chart.yaml appVersion": _field(chart, "appVersion"),
    }
    problems = [
        f"{place} is {value}, the tag is {tag}"
        for place, value in found.items()
        if value != version
    ]
    if not re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9a-z.]+)?", tag):
        problems.append(f"{tag} is no tag of a release: want vMAJOR.MINOR.PATCH")
    changes = (root / "CHANGELOG.md").read_text()
    if not re.search(
        rf"(?m)^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changes
    ):
        problems.append(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`")
    return problems


def _field(text: str, name: str) -> str:
    match = re.search(rf'(?m)^{name}: "?([^"\n]+)"?$', text)
    return match[1] if match else "missing"


def fill_chart(repository: str, digest: str, folder: Path) -> Path:
    """Copies the chart; its image is `repository@digest`, for Artifact Hub too.

    Raises:
        ReleaseError: the digest is none, or the chart has no place for it.
    """
    if re.fullmatch(r"sha256:[0-9a-f]{64}", digest) is None:
        raise ReleaseError(f"no digest: {digest}")
    target = folder / CHART.name
    shutil.copytree(CHART, target)
    image = r"(?m)(^image:\n(?:^ .*\n|^$\n)*?^  {}: ).*$"
    listed = r"(?m)(^    - name: imagecompat\n      image: ).*$"
    places = (
        ("values.yaml", "image.repository", image.format("repository"), repository),
        ("values.yaml", "image.digest", image.format("digest"), f'"{digest}"'),
        ("Chart.yaml", "image in its list", listed, f"{repository}@{digest}"),
    )
    for file, what, pattern, value in places:
        path = target / file
        text, count = re.subn(pattern, rf"\g<1>{value}", path.read_text())
        if count != 1:
            raise ReleaseError(f"{file} has no {what}")
        path.write_text(text)
    return target


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    try:
        match list(arguments):
            case ["check", tag]:
                problems = check(tag)
                for problem in problems:
                    print(f"release: {problem}", file=sys.stderr)
                return int(bool(problems))
            case ["chart", repository, digest, folder]:
                print(fill_chart(repository, digest, Path(folder)))
                return 0
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
