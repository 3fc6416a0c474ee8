"""The chart restarts Pods for the settings that need a new process, and no others."""

import re
from pathlib import Path

import pytest

from app.settings import naming
from app.settings.life import LIFE, Life

TEMPLATE = (
    Path(__file__).parents[2] / "charts" / "imagecompat" / "templates" / "_settings.tpl"
).read_text()

CHECKSUM = TEMPLATE.partition('define "imagecompat.restartChecksum"')[2].partition(
    "{{- end -}}"
)[0]


def restarting() -> set[str]:
    """The settings that are in the checksum."""
    (listed,) = re.findall(r"list (.+?) \| toJson", CHECKSUM)
    variables = dict(
        re.findall(r"\$(\w+) := omit \$settings\.\w+((?: \"\w+\")+)", CHECKSUM)
    )
    found = set()
    for name in listed.split():
        section = name.removeprefix("$settings.").removeprefix("$")
        omitted = re.findall(r'"(\w+)"', variables.get(section, ""))
        assert f"$settings.{section}" in CHECKSUM
        found |= {
            f"{section}.{key}"
            for of, key in naming.settings()
            if of == section and key not in omitted
        }
    return found


@pytest.mark.parametrize("name", LIFE)
def test_a_setting_restarts_pods_if_no_process_takes_it_up(name: str) -> None:
    assert (LIFE[name] is Life.PROCESS) == (name in restarting())
