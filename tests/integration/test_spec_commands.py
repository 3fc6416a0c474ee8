"""The commands on specs, as people type them, against real registries.

One registry lists referrers by itself; the other has none of that, and stands behind
TLS of an authority of its own and a password.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.demo.content import Repository
from app.demo.layout import Layout
from tests.tools import needed
from tests.tools.authority import Authority
from tests.tools.registries import (
    HTPASSWD,
    PASSWORD,
    READER,
    Guard,
    distribution,
    push,
    referrers_registry,
)

pytestmark = pytest.mark.integration

IMAGECOMPAT = Path(sys.executable).parent / "imagecompat"
SPEC = b"""\
version: v1alpha1
compatibilities:
- rules:
  - name: sockets
    matchFeatures:
    - feature: cpu.topology
      matchExpressions:
        socket_count: {op: Ge, value: ["6"]}
"""
OTHER = SPEC.replace(b'"6"', b'"5"')


@dataclass(frozen=True)
class Place:
    """A registry, and what it takes to get there.

    Attributes:
        address: `127.0.0.1:PORT`.
        options: of each command.
        secret: for standard input.
    """

    address: str
    options: tuple[str, ...]
    secret: str = ""

    def run(
        self, command: str, *arguments: str, options: Sequence[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        given = self.options if options is None else options
        return imagecompat(command, *arguments, *given, stdin=self.secret)

    def shown(self, image: str, *arguments: str) -> str:
        ran = self.run("show-spec", image, *arguments)
        assert (0, "") == (ran.returncode, ran.stderr)
        return ran.stdout


def imagecompat(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command as a user runs it; never raises for a status."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return subprocess.run(
        [IMAGECOMPAT, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=env,
        check=False,
    )


def images() -> Repository:
    """`one`, and `multi` for amd64 and arm64; none has a spec."""
    repository = Repository()
    repository.tag(repository.image("amd64", "one"), "one")
    kinds = ("amd64", "arm64")
    children = [(kind, repository.image(kind, f"m-{kind}")) for kind in kinds]
    repository.tag(repository.index(children), "multi")
    return repository


@pytest.fixture(params=["referrers API", "fallback tag, TLS and password"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    needed.programs("registry", "distribution")
    if request.param == "referrers API":
        with referrers_registry(tmp_path) as address:
            push(address, "org/app", images())
            yield Place(address, ("--plain-http",))
        return
    with distribution(tmp_path) as address:
        push(address, "org/app", images())
    guard = Guard(Authority(tmp_path / "authority"), htpasswd=HTPASSWD)
    assert guard.authority is not None
    options = ("--ca-file", str(guard.authority.ca), "--registry-username", READER)
    with distribution(tmp_path, guard) as address:
        yield Place(address, (*options, "--registry-password-stdin"), PASSWORD)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "spec.yaml"
    path.write_bytes(SPEC)
    return str(path)


def test_an_author_attaches_lists_replaces_and_removes(
    place: Place, spec: str, tmp_path: Path
) -> None:
    image = f"{place.address}/org/app:one"
    assert 1 == place.run("show-spec", image).returncode
    ran = place.run("attach-spec", image, "--spec", spec, "--annotation", "a=b")
    assert (0, "") == (ran.returncode, ran.stderr)
    assert SPEC.decode() == place.shown(image)
    other = tmp_path / "other.yaml"
    other.write_bytes(OTHER)
    later = "org.opencontainers.image.created=2099-01-01T00:00:00Z"
    ran = place.run("attach-spec", image, "--spec", str(other), "--annotation", later)
    assert (0, "") == (ran.returncode, ran.stderr)
    assert OTHER.decode() == place.shown(image)
    (listed,) = json.loads(place.run("list-specs", image, "-o", "json").stdout)
    found = listed["subjects"][0]["artifacts"]
    assert ["counts", "older"] == [one["state"] for one in found]
    assert ["future"] == found[0]["warnings"]
    ran = place.run("remove-spec", image)
    assert (0, "") == (ran.returncode, ran.stderr)
    assert SPEC.decode() == place.shown(image)
    assert 0 == place.run("remove-spec", image, "--all").returncode
    assert 1 == place.run("show-spec", image).returncode
    assert 1 == place.run("remove-spec", image).returncode


def test_a_platform_has_a_spec_of_its_own(
    place: Place, spec: str, tmp_path: Path
) -> None:
    image = f"{place.address}/org/app:multi"
    arm = ("--platform", "linux/arm64")
    other = tmp_path / "other.yaml"
    other.write_bytes(OTHER)
    assert 0 == place.run("attach-spec", image, "--spec", spec).returncode
    ran = place.run("attach-spec", image, "--spec", str(other), *arm)
    assert (0, "") == (ran.returncode, ran.stderr)
    assert OTHER.decode() == place.shown(image, *arm)
    assert SPEC.decode() == place.shown(image, "--platform", "linux/amd64")


def test_specs_go_along_to_a_layout_and_back(
    place: Place, spec: str, tmp_path: Path
) -> None:
    image = f"{place.address}/org/app:multi"
    layout = Layout(tmp_path / "mirror")
    mirrored = images()
    layout.blobs, layout.types = mirrored.blobs, mirrored.types
    layout.listed, layout.tags = mirrored.listed, mirrored.tags
    layout.close()
    copy = f"oci-layout://{layout.folder}:multi"
    assert 0 == place.run("attach-spec", image, "--spec", spec).returncode
    ran = place.run("copy-specs", image, copy, "-o", "json")
    assert (0, "") == (ran.returncode, ran.stderr)
    (copied,) = json.loads(ran.stdout)
    assert "copied" == copied["state"]
    assert 0 == place.run("remove-spec", image).returncode
    assert 1 == place.run("show-spec", image).returncode
    ran = place.run("copy-specs", copy, image, "-o", "json")
    assert (0, "") == (ran.returncode, ran.stderr)
    (back,) = json.loads(ran.stdout)
    assert copied["digest"] == back["digest"]
    assert SPEC.decode() == place.shown(image)


def test_what_is_attached_is_checked_where_it_is(
    place: Place, spec: str, tmp_path: Path
) -> None:
    image = f"{place.address}/org/app:multi"
    broken = tmp_path / "broken.yaml"
    broken.write_bytes(SPEC.replace(b'["6"]', b"6"))
    assert 0 == place.run("attach-spec", image, "--spec", spec).returncode
    ran = place.run("validate-spec", image)
    expected = (0, f"{image} (index): valid: 1 set, 1 rule\n", "")
    assert expected == (ran.returncode, ran.stdout, ran.stderr)
    arm = ("--platform", "linux/arm64", "--force")
    assert 0 == place.run("attach-spec", image, "--spec", str(broken), *arm).returncode
    ran = place.run("validate-spec", image, "-o", "json")
    index, child = json.loads(ran.stdout)
    assert (2, []) == (ran.returncode, index["problems"])
    assert f"{image} (linux/arm64)" == child["name"]
    assert ["wrong-type"] == [one["code"] for one in child["problems"]]
    absent = place.run("validate-spec", f"{place.address}/org/app:absent")
    assert (3, "") == (absent.returncode, absent.stdout)


def test_a_dry_run_changes_no_registry(place: Place, spec: str) -> None:
    image = f"{place.address}/org/app:one"
    ran = place.run("attach-spec", image, "--spec", spec, "--dry-run")
    assert (0, "") == (ran.returncode, ran.stderr)
    assert "(dry run)" in ran.stdout
    assert 1 == place.run("show-spec", image).returncode


def test_what_goes_wrong_on_the_way_is_one_line(place: Place) -> None:
    image = f"{place.address}/org/app:one"
    absent = place.run("show-spec", f"{place.address}/org/app:absent")
    assert (3, "", 1) == (absent.returncode, absent.stdout, absent.stderr.count("\n"))
    assert absent.stderr.endswith("(ImageNotFound)\n")
    without = place.run("list-specs", image, options=())
    assert (3, "", 1) == (
        without.returncode,
        without.stdout,
        without.stderr.count("\n"),
    )


def test_a_wrong_password_is_told_without_being_shown(tmp_path: Path) -> None:
    needed.programs("distribution")
    with distribution(tmp_path) as address:
        push(address, "org/app", images())
    authority = Authority(tmp_path / "authority")
    with distribution(tmp_path, Guard(authority, htpasswd=HTPASSWD)) as address:
        typed = ("--registry-username", READER, "--registry-password-stdin")
        options = ("--ca-file", str(authority.ca), *typed)
        image = f"{address}/org/app:one"
        ran = imagecompat("show-spec", image, *options, stdin="wrong-canary\n")
    assert (3, "") == (ran.returncode, ran.stdout)
    assert ran.stderr.endswith("(Unauthorized)\n")
    assert "canary" not in ran.stderr


def test_dockers_own_file_is_used(tmp_path: Path) -> None:
    needed.programs("distribution")
    with distribution(tmp_path) as address:
        push(address, "org/app", images())
    authority = Authority(tmp_path / "authority")
    with distribution(tmp_path, Guard(authority, htpasswd=HTPASSWD)) as address:
        config = tmp_path / "config.json"
        entry = {"username": READER, "password": PASSWORD}
        config.write_text(json.dumps({"auths": {address: entry}}))
        options = ("--ca-file", str(authority.ca), "--docker-config", str(config))
        ran = imagecompat("list-specs", f"{address}/org/app:one", *options)
    assert (0, "") == (ran.returncode, ran.stderr)


def test_a_helper_is_found_along_the_path(tmp_path: Path) -> None:
    needed.programs("distribution")
    with distribution(tmp_path) as address:
        push(address, "org/app", images())
    authority = Authority(tmp_path / "authority")
    folder = tmp_path / "bin"
    folder.mkdir()
    helper = folder / "docker-credential-test"
    answer = json.dumps({"Username": READER, "Secret": PASSWORD})
    helper.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
    helper.chmod(0o700)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"credsStore": "test"}))
    with distribution(tmp_path, Guard(authority, htpasswd=HTPASSWD)) as address:
        ran = subprocess.run(
            [
                IMAGECOMPAT,
                "list-specs",
                f"{address}/org/app:one",
                "--ca-file",
                authority.ca,
            ],
            capture_output=True,
            text=True,
            timeout=60,
            env={
                "PATH": f"{folder}:{os.environ['PATH']}",
                "DOCKER_CONFIG": str(tmp_path),
            },
            check=False,
        )
    assert (0, "") == (ran.returncode, ran.stderr)
