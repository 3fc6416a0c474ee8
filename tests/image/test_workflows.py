"""The workflows, which cannot run here, as far as reading them goes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app.oci.images.manifests import ARTIFACT_TYPE, CREATED, SPEC_TYPE
from hack import kind
from tests.tools.build import TOOLS
from tests.tools.sandbox import ROOT

FOLDER: Final = ROOT / ".github" / "workflows"
NAMES: Final = ("ci", "release")
WRITES: Final = {
    ("release", "distributions"): {"attestations", "id-token"},
    ("release", "image"): {"attestations", "id-token", "packages"},
    ("release", "chart"): {"attestations", "id-token", "packages"},
    ("release", "publish"): {"contents"},
}
"""Every job that may write, and what; all other rights of all jobs are to read."""


def text(name: str) -> str:
    return (FOLDER / f"{name}.yml").read_text()


def workflow(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(text(name))
    return loaded


def jobs(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = workflow(name)["jobs"]
    return found


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in jobs(name).values():
        yield from job["steps"]


def test_there_is_no_other_workflow() -> None:
    assert sorted(NAMES) == sorted(path.stem for path in FOLDER.iterdir())


def test_zizmor_finds_nothing() -> None:
    program = str(Path(sys.executable).with_name("zizmor"))
    command = [program, "--offline", "--quiet", "--persona", "pedantic", ".github"]
    done = subprocess.run(
        command, cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_allowed_that_is_not_listed(name: str) -> None:
    assert {} == workflow(name)["permissions"]
    for key, job in jobs(name).items():
        written = {right for right, how in job["permissions"].items() if how == "write"}
        assert WRITES.get((name, key), set()) == written, key
        assert {"read", "write"} >= set(job["permissions"].values())


def test_what_strangers_start_has_no_secret_and_no_right_to_write() -> None:
    assert {"push", "pull_request"} == set(workflow("ci")[True])
    assert "secrets." not in text("ci")
    # A tag can be pushed by maintainers only.
    assert {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+*"]}} == workflow("release")[True]


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_by_its_commit(name: str) -> None:
    lines = re.findall(r"(?m)^\s*-?\s*uses: (.*)$", text(name))
    assert lines
    for line in lines:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_one_action_has_one_commit() -> None:
    found = {
        (line.partition("@")[0], line)
        for name in NAMES
        for line in re.findall(r"uses: (.*)", text(name))
    }
    assert len({action for action, _ in found}) == len(found)


@pytest.mark.parametrize("name", NAMES)
def test_the_token_is_not_left_in_the_checkout(name: str) -> None:
    checkouts = [
        step for step in steps(name) if "actions/checkout@" in step.get("uses", "")
    ]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("name", NAMES)
def test_no_script_holds_an_expression(name: str) -> None:
    """It would be pasted into the shell; values go through the environment."""
    assert [] == [step["run"] for step in steps(name) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("name", NAMES)
def test_the_only_secret_goes_to_the_log_in_of_the_registry(name: str) -> None:
    for step in steps(name):
        if "secrets." in str(step):
            assert step["uses"].startswith("docker/login-action@")
    assert not re.search(r"set -x|--password\b|printenv|\benv$", text(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_job_ends_by_itself(name: str) -> None:
    assert all(5 <= job["timeout-minutes"] <= 90 for job in jobs(name).values())


@pytest.mark.parametrize("name", NAMES)
def test_what_the_scripts_call_is_there(name: str) -> None:
    scripts = " ".join(step.get("run", "") for step in steps(name))
    files = set(re.findall(r"(?:hack/[\w-]+\.\w+|\.ci/\w+|\bcompat/[\w.]+)", scripts))
    targets = set(re.findall(r"\bmake ([\w-]+)", scripts))
    assert files
    assert targets
    assert [] == [file for file in files if not (ROOT / file).is_file()]
    makefile = (ROOT / "Makefile").read_text()
    assert [] == [one for one in targets if not re.search(rf"(?m)^{one}:", makefile)]


def test_both_promised_pythons_are_tried() -> None:
    assert ["3.11", "3.13"] == jobs("ci")["check"]["strategy"]["matrix"]["python"]


def test_debians_packages_are_there_for_the_tests_that_use_them() -> None:
    """Their runner has a browser already."""
    [install] = [one["run"] for one in steps("ci") if "apt-get" in one.get("run", "")]
    packages = {
        package
        for name, tool in TOOLS.items()
        for package in tool.package_of.split()
        if name != "chromium"
    }
    assert packages == {word for word in install.split() if word in packages}


def test_a_release_keeps_no_cache() -> None:
    assert not re.search(r"actions/cache|cache-from|cache-to|\bcache:", text("release"))


def test_nothing_is_released_before_all_of_ci() -> None:
    needs = {key: job.get("needs", []) for key, job in jobs("release").items()}
    assert {
        "check": [],
        "distributions": "check",
        "image": "distributions",
        "chart": "image",
        "publish": ["distributions", "image", "chart"],
    } == needs


def test_the_image_is_built_for_both_platforms_with_checked_bases() -> None:
    (script,) = (
        step["run"]
        for step in steps("release")
        if "hack/image.py" in step.get("run", "")
    )
    assert "--platform linux/amd64,linux/arm64" in script
    assert "--verify" in script
    assert "rewrite-timestamp=true" in script


def test_our_spec_is_attached_as_the_type_that_we_look_for() -> None:
    (script,) = (
        step["run"] for step in steps("release") if "oras attach" in step.get("run", "")
    )
    assert f"--artifact-type {ARTIFACT_TYPE} " in script
    assert f"imagecompat.yaml:{SPEC_TYPE}" in script
    assert f"{CREATED}=" in script


def test_what_is_published_is_signed_and_has_its_provenance() -> None:
    for key, signature in (
        ("distributions", "cosign sign-blob"),
        ("image", "cosign sign "),
        ("chart", "cosign sign "),
    ):
        job = jobs("release")[key]
        assert signature in str(job), key
        assert "actions/attest-build-provenance@" in str(job), key


def test_the_page_on_verifying_names_what_the_release_publishes() -> None:
    page = (ROOT / "docs" / "how-to" / "verify-a-release.md").read_text()
    values = yaml.safe_load((ROOT / "charts/imagecompat/values.yaml").read_text())
    repository = values["image"]["repository"]
    registry, owner, name = repository.split("/")
    env = workflow("release")["env"]
    published = f"{registry}/${{{{ github.repository_owner }}}}"
    assert {"IMAGE": f"{published}/{name}", "CHARTS": f"{published}/charts"} == env
    assert f"IMAGE={repository}\n" in page
    assert f"CHART={registry}/{owner}/charts/{name}\n" in page
    assert f"/{owner}/{name}/.github/workflows/release.yml@refs/tags/v" in page
    assert ARTIFACT_TYPE in page


def test_the_page_on_kind_names_what_the_script_makes() -> None:
    page = (ROOT / "docs" / "how-to" / "try-on-kind.md").read_text()
    for text in (
        kind.INSIDE,
        kind.REGISTRY,
        f"v{kind.NFD_VERSION}",
        "kind-config.yaml",
    ):
        assert f"`{text}`" in page or f" {text}" in page
    for sample in kind.SAMPLES:
        assert f"`{sample.reference}`" in page
    assert ".".join(map(str, kind.OLDEST_KIND)) in page
