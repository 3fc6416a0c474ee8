"""The SBOM says what the image installs, with licences, in the same bytes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from license_expression import get_spdx_licensing
from packaging.utils import canonicalize_name

from hack import sbom
from tests.image.installation import Installation, base_python
from tests.tools.sandbox import ROOT

EPOCH: Final = 1_767_225_600
REQUIREMENTS: Final = (ROOT / "requirements" / "runtime.txt").read_text()
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ALLOWED: Final = frozenset(
    ("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0")
) | {"MPL-2.0", "PSF-2.0"}
"""What may come with an image under Apache-2.0 without asking anybody."""


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(sbom.make(PROJECT, REQUIREMENTS, EPOCH))


def test_it_names_every_package_of_the_image_and_no_other(
    document: Any, installation: Installation
) -> None:
    folder = installation.prefix / "lib" / f"python{installation.python.version}"
    found = {
        "{}=={}".format(*path.name.removesuffix(".dist-info").rsplit("-", 1))
        for path in (folder / "site-packages").glob("*.dist-info")
    }
    listed = [document["metadata"]["component"], *document["components"]]
    assert {canonicalize_name(name) for name in found} == {
        canonicalize_name(f"{one['name']}=={one['version']}") for one in listed
    }


def test_every_package_has_a_licence_that_is_allowed(document: Any) -> None:
    spdx = get_spdx_licensing()
    for component in document["components"]:
        (licence,) = component["licenses"]
        text = licence.get("expression") or licence["license"]["id"]
        keys = spdx.parse(text, validate=True).symbols
        allowed = {one.key for one in keys} & ALLOWED
        wanted = 1 if " OR " in text else len(keys)
        assert len(allowed) >= wanted, component["name"]


def test_every_package_has_the_hashes_that_pip_accepts(document: Any) -> None:
    pinned = {pin.name: list(pin.hashes) for pin in sbom.pins(REQUIREMENTS)}
    for component in document["components"]:
        hashes = [one["value"] for one in component["properties"]]
        assert pinned[component["name"]] == hashes


def test_it_says_who_needs_whom(document: Any) -> None:
    needs = {
        re.sub(r"^pkg:pypi/|@.*$", "", one["ref"]): one.get("dependsOn", [])
        for one in document["dependencies"]
    }
    assert any(name.startswith("pkg:pypi/uvloop@") for name in needs["imagecompat"])
    assert any(name.startswith("pkg:pypi/yarl@") for name in needs["aiohttp"])
    everything = {name for names in needs.values() for name in names}
    listed = {one["bom-ref"] for one in document["components"]}
    assert listed == everything, "a package that nobody needs"


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Kathmandu")):
        target = tmp_path / seed / "sbom.cdx.json"
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "SOURCE_DATE_EPOCH": str(EPOCH),
        }
        command = [sys.executable, str(ROOT / "hack" / "sbom.py"), str(target)]
        subprocess.run(command, env=environment, check=True)
        written.append(target.read_bytes())
    assert written[0] == written[1]
    assert "2026-01-01T00:00:00+00:00" in written[0].decode()


def test_no_download_address_stands_in_it(document: Any) -> None:
    text = json.dumps(document)
    assert ["http://cyclonedx.org/schema/bom-1.6.schema.json"] == re.findall(
        r"https?://[^\"]+", text
    )


def test_another_version_than_the_pinned_one_stops_it() -> None:
    with pytest.raises(sbom.SbomError, match=r"is installed, 0\.0\.1 is pinned"):
        sbom.licence(sbom.Pin("aiohttp", "0.0.1", ()))


def test_a_package_that_is_not_installed_stops_it() -> None:
    with pytest.raises(sbom.SbomError, match="no-such-package is not installed"):
        sbom.licence(sbom.Pin("no-such-package", "1", ()))


def test_markers_mean_what_they_mean_in_the_image() -> None:
    assert base_python().wanted == sbom.IMAGE["python_version"]


def test_what_other_systems_need_is_left_out() -> None:
    text = """
a==1 ; sys_platform == "win32" \\
    --hash=sha256:0
b==2 \\
    --hash=sha256:1
"""
    assert [sbom.Pin("b", "2", ("sha256:1",))] == sbom.pins(text)
