"""The real `nfd compat validate-node` finds what we attach, and agrees with us."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.compat import features, matching, parse, status
from app.compat.features import Features
from tests.tools import needed
from tests.tools.registries import distribution, push, referrers_registry
from tests.tools.writable import NAME, attach
from tests.tools.writers import content, ways

pytestmark = pytest.mark.integration

FITS = b"""\
version: v1alpha1
compatibilities:
- weight: 10
  tag: any
  description: what every Linux has
  rules:
  - name: kernel
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Ge, value: ["3"]}
        minor: {op: Exists}
  - name: either
    matchAny:
    - matchFeatures:
      - feature: kernel.version
        matchExpressions:
          major: {op: In, value: ["1"]}
    - matchFeatures:
      - feature: system.osrelease
        matchExpressions:
          ID: {op: Exists}
- tag: old
  rules:
  - name: another set
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Lt, value: ["3"]}
"""
DOES_NOT_FIT = FITS.replace(b"{op: Exists}", b"{op: DoesNotExist}")


@pytest.fixture(scope="module")
def nfd() -> Path:
    (program,) = needed.programs("nfd")
    return program


@pytest.fixture(scope="module")
def machine(nfd: Path) -> Features:
    """What this machine has, as NFD publishes it."""
    done = subprocess.run(
        [str(nfd), "export", "features"], capture_output=True, check=True, timeout=60
    )
    return features.from_json(json.loads(done.stdout))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    needed.programs("distribution")
    with distribution(tmp_path_factory.mktemp("distribution")) as served:
        push(served, NAME, content())
        yield served


def validated(
    nfd: Path, image: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = [str(nfd), "compat", "validate-node", "--plain-http", "--output-json"]
    return subprocess.run(
        [*command, "--image", image, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("wanted", "platform"),
    [("1", None), ("multi", None), ("multi", "linux/amd64")],
)
@pytest.mark.parametrize(
    ("spec", "fits"),
    [pytest.param(FITS, True, id="fits"), pytest.param(DOES_NOT_FIT, False, id="not")],
)
async def test_nfd_finds_what_we_attach_and_says_what_we_say(
    nfd: Path,
    machine: Features,
    address: str,
    wanted: str,
    platform: str | None,
    spec: bytes,
    fits: bool,
) -> None:
    name = f"{NAME}/{wanted}/{(platform or 'all').replace('/', '-')}/{int(fits)}"
    push(address, name, content())
    async with ways(address) as way:
        store = way.store(address, wanted, name=name)
        await attach(store, spec, platform=platform)
    chosen = () if platform is None else ("--platform", platform)
    done = validated(nfd, f"{address}/{name}:{wanted}", *chosen)
    assert 0 == done.returncode, done.stderr
    results = matching.judge(parse.read(spec), machine)
    expected = json.loads(status.to_json(status.report(results)))
    assert expected == json.loads(done.stdout)
    assert fits == matching.fits(results)


async def test_nfd_finds_the_newest_of_several(nfd: Path, address: str) -> None:
    name = f"{NAME}/newest"
    push(address, name, content())
    async with ways(address) as way:
        store = way.store(address, name=name)
        await attach(store, FITS, created="2026-03-01T00:00:00Z")
        await attach(store, DOES_NOT_FIT, created="2026-01-01T00:00:00Z")
    done = validated(nfd, f"{address}/{name}:1", "--tags", "any")
    (only,) = json.loads(done.stdout)
    assert all(rule["isMatch"] for rule in only["rules"])


async def test_nfd_does_not_find_it_where_the_registry_names_other_types(
    nfd: Path, tmp_path: Path
) -> None:
    """We do: a deviation that the parity page names."""
    needed.programs("registry")
    with referrers_registry(tmp_path) as address:
        push(address, NAME, content())
        async with ways(address) as way:
            await attach(way.store(address), FITS)
        done = validated(nfd, f"{address}/{NAME}:1")
    assert 1 == done.returncode
    assert "compatibility artifact not found" in done.stderr
