"""Writes the SBOM of the production image's Python packages: CycloneDX 1.6, JSON.

`SOURCE_DATE_EPOCH=SECONDS python hack/sbom.py FILE`

From `requirements/runtime.txt`, so it says what the image installs, with the hashes
that pip accepts. Licences and who needs whom come from the metadata of the installed
packages, which must be of the pinned versions (`make install`). The same inputs give
the same bytes. Not in it: the base image, and C libraries inside of wheels (OpenSSL
in cryptography, RE2 and Abseil in google-re2, libuv in uvloop).
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parent.parent
IMAGE: Final = {
    "extra": "",
    "os_name": "posix",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
"""What markers mean in the image; the machine is left to both platforms."""
LICENCES: Final = {
    "aiosignal": "Apache-2.0",
    "google-re2": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "shellingham": "ISC",
    "uvloop": "Apache-2.0 OR MIT",
}
"""Of packages whose metadata holds no SPDX expression: read in their licence files."""
HASH: Final = "imagecompat:accepted-hash"
"""The property that holds a file's digest; which file pip takes is the platform's."""


class SbomError(Exception):
    """The SBOM cannot be written; the message says why."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned requirement that the image installs."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> PackageURL:
        """Its name for every tool that reads SBOMs."""
        return PackageURL("pypi", name=self.name, version=self.version)


def pins(text: str) -> list[Pin]:
    """The requirements of a file that apply in the image."""
    found = []
    for line in filter(None, text.replace("\\\n", " ").splitlines()):
        wanted, *hashes = re.split(r"\s+--hash=", line.strip())
        requirement = Requirement(wanted.strip())
        if requirement.marker is None or requirement.marker.evaluate(IMAGE):
            (exact,) = requirement.specifier
            name = canonicalize_name(requirement.name)
            found.append(Pin(name, exact.version, tuple(sorted(hashes))))
    return found


def licence(pin: Pin) -> str:
    """Its licence as an SPDX expression.

    Raises:
        SbomError: the pinned version is not installed, or no licence is known.
    """
    metadata = _installed(pin).metadata.json
    candidates = (
        LICENCES.get(pin.name),
        metadata.get("license_expression"),
        metadata.get("license"),
    )
    for text in (str(one) for one in candidates if one):
        # Anything that is no SPDX expression becomes a name.
        known = LicenseFactory().make_from_string(text)
        if getattr(known, "name", None) is None:
            return text
    raise SbomError(f"{pin.name}: no SPDX licence in its metadata; add it to LICENCES")


def needs(requirements: Iterable[str]) -> set[str]:
    """The names of the requirements that apply in the image."""
    read = map(Requirement, requirements)
    return {
        canonicalize_name(one.name)
        for one in read
        if one.marker is None or one.marker.evaluate(IMAGE)
    }


def _installed(pin: Pin) -> importlib.metadata.Distribution:
    try:
        found = importlib.metadata.distribution(pin.name)
    except importlib.metadata.PackageNotFoundError as error:
        raise SbomError(f"{pin.name} is not installed: make install") from error
    if found.version != pin.version:
        text = f"{pin.name}: {found.version} is installed, {pin.version} is pinned"
        raise SbomError(f"{text}: make install")
    return found


def _component(pin: Pin) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        bom_ref=str(pin.purl),
        name=pin.name,
        version=pin.version,
        purl=pin.purl,
        licenses=[LicenseFactory().make_from_string(licence(pin))],
        properties=[Property(name=HASH, value=one) for one in pin.hashes],
    )


def make(project: Mapping[str, Any], requirements: str, epoch: int) -> str:
    """The SBOM's text.

    Args:
        project: the table `project` of pyproject.toml.
        requirements: the text of the pinned requirements.
        epoch: its time, in seconds since 1970.

    Raises:
        SbomError: a licence or an installed package is missing, or the schema is
            not met.
    """
    own = Pin(project["name"], project["version"], ())
    root = Component(
        type=ComponentType.APPLICATION,
        bom_ref=str(own.purl),
        name=own.name,
        version=own.version,
        purl=own.purl,
        description=project["description"],
        licenses=[LicenseFactory().make_from_string(project["license"])],
    )
    pinned = pins(requirements)
    components = {pin.name: _component(pin) for pin in pinned}
    bom = Bom(components=components.values())
    bom.metadata.component = root
    bom.metadata.timestamp = dt.datetime.fromtimestamp(epoch, dt.UTC)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{own.purl}\n{requirements}")
    direct = needs(project["dependencies"])
    bom.register_dependency(root, [components[name] for name in direct])
    for pin in pinned:
        wanted = needs(_installed(pin).requires or ())
        found = [components[name] for name in wanted if name in components]
        bom.register_dependency(components[pin.name], found)
    text: str = JsonV1Dot6(bom).output_as_string(indent=2)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        raise SbomError(f"the schema of CycloneDX 1.6 is not met: {problem}")
    return text + "\n"


def main(arguments: list[str]) -> int:
    """The exit status."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = (ROOT / "requirements" / "runtime.txt").read_text()
    try:
        epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
        text = make(project, requirements, epoch)
    except (SbomError, ValueError) as error:
        print(f"sbom: {error}", file=sys.stderr)
        return 1
    target = Path(arguments[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
