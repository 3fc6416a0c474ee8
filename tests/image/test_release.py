"""The scripts that build the image and fill the chart, with recorded programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import yaml

from hack import release
from tests.image.fakes import Fakes
from tests.tools.sandbox import ROOT

DIGEST: Final = "sha256:" + "1f" * 32
BUILDER: Final = "docker.io/library/python:3.13-slim-trixie"
RUNTIME: Final = "gcr.io/distroless/python3-debian13:nonroot"


@pytest.fixture
def fakes(tmp_path: Path) -> Fakes:
    found = Fakes(tmp_path)
    found.add("docker", "cosign", "git")
    found.answers = {
        "imagetools inspect": (0, f"{DIGEST}\n"),
        "^git log": (0, "1767225600\n"),
        "^git rev-parse": (0, "c0ffee\n"),
    }
    return found


def image(fakes: Fakes, *arguments: str) -> subprocess.CompletedProcess[str]:
    fakes.arm()
    return subprocess.run(
        [sys.executable, "-IS", str(ROOT / "hack" / "image.py"), *arguments],
        env={"PATH": str(fakes.path)},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_a_build_asks_for_both_digests_first_and_gives_them_to_docker(
    fakes: Fakes,
) -> None:
    done = image(fakes, "imagecompat:dev", "--", "--load")
    assert 0 == done.returncode, done.stderr
    inspect = "docker buildx imagetools inspect --format {{.Manifest.Digest}}"
    assert [f"{inspect} {BUILDER}", f"{inspect} {RUNTIME}"] == fakes.calls[1:3]
    build = fakes.calls[-1]
    assert build.startswith("docker buildx build --tag imagecompat:dev ")
    for pair in (
        f"BUILDER={BUILDER}@{DIGEST}",
        f"RUNTIME={RUNTIME}@{DIGEST}",
        "SOURCE_DATE_EPOCH=1767225600",
        "CREATED=2026-01-01T00:00:00Z",
        "REVISION=c0ffee",
    ):
        assert f" --build-arg {pair} " in build
    assert build.endswith(" --load .")


def test_the_runtime_base_is_verified_before_it_is_used(fakes: Fakes) -> None:
    image(fakes, "x:1", "--verify")
    (verified,) = (line for line in fakes.calls if line.startswith("cosign"))
    assert verified.endswith(f" {RUNTIME}@{DIGEST}")
    assert (
        "--certificate-identity=keyless@distroless.iam.gserviceaccount.com" in verified
    )
    lines = [
        line.split()[2] for line in fakes.calls if line.startswith("docker buildx")
    ]
    assert ["version", "imagetools", "imagetools", "build"] == lines
    assert fakes.calls.index(verified) < len(fakes.calls) - 1


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        pytest.param("^cosign", "no matching signatures", id="signature"),
        pytest.param("imagetools inspect", "not found", id="base"),
        pytest.param("^git", "not a git repository", id="git"),
    ],
)
def test_a_failure_on_the_way_is_told_and_nothing_is_built(
    fakes: Fakes, pattern: str, text: str
) -> None:
    fakes.first(pattern, 1, text)
    done = image(fakes, "x:1", "--verify")
    assert 1 == done.returncode
    assert done.stderr.startswith("image: ")
    assert text in done.stderr
    assert [] == [line for line in fakes.calls if "buildx build" in line]


def test_something_that_is_no_digest_is_refused(fakes: Fakes) -> None:
    fakes.answers["imagetools inspect"] = (0, "latest")
    assert "got no digest but 'latest'" in image(fakes, "x:1").stderr


def test_a_failed_build_is_a_failure(fakes: Fakes) -> None:
    fakes.first("buildx build", 17, "")
    assert 17 == image(fakes, "x:1").returncode


@pytest.mark.parametrize("missing", ["docker", "git", "cosign"])
def test_a_missing_program_is_named(fakes: Fakes, missing: str) -> None:
    (fakes.path / missing).unlink()
    done = image(fakes, "x:1", "--verify")
    assert (3, f"image: {missing} is not on PATH\n") == (done.returncode, done.stderr)


def test_a_docker_without_buildx_is_one_line(fakes: Fakes) -> None:
    """It says `unknown flag`, and prints its whole help."""
    fakes.first("^docker buildx", 1, "unknown flag: --format\n\nUsage: docker ...\n")
    done = image(fakes, "x:1")
    assert 3 == done.returncode
    expected = "image: docker has no buildx: https://docs.docker.com/go/buildx/\n"
    assert expected == done.stderr
    assert ["docker buildx version"] == fakes.calls


def test_the_chart_of_a_release_names_the_image_by_its_digest(tmp_path: Path) -> None:
    chart = release.fill_chart("registry.example/own/imagecompat", DIGEST, tmp_path)
    before = yaml.safe_load((release.CHART / "values.yaml").read_text())
    after = yaml.safe_load((chart / "values.yaml").read_text())
    wanted = {"repository": "registry.example/own/imagecompat", "digest": DIGEST}
    assert before["image"] | wanted == after["image"]
    assert before | {"image": after["image"]} == after
    listed = yaml.safe_load((chart / "Chart.yaml").read_text())["annotations"]
    images = yaml.safe_load(listed["artifacthub.io/images"])
    assert [f"registry.example/own/imagecompat@{DIGEST}"] == [
        i["image"] for i in images
    ]
    files = {path.relative_to(chart) for path in chart.rglob("*")}
    assert {
        path.relative_to(release.CHART) for path in release.CHART.rglob("*")
    } == files


def test_something_that_is_no_digest_does_not_get_into_the_chart(
    tmp_path: Path,
) -> None:
    with pytest.raises(release.ReleaseError, match="no digest: latest"):
        release.fill_chart("a.example/b", "latest", tmp_path)


def tree(folder: Path, *, version: str, chart: str, changelog: str) -> Path:
    (folder / "charts" / "imagecompat").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    text = f"version: {chart}\nappVersion: {chart}\n"
    (folder / "charts" / "imagecompat" / "Chart.yaml").write_text(text)
    (folder / "CHANGELOG.md").write_text(changelog)
    return folder


def test_a_tag_that_fits_everything_can_be_released(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        version="1.2.3",
        chart="1.2.3",
        changelog="## [1.2.3] - 2026-12-01\n",
    )
    assert [] == release.check("v1.2.3", root)


@pytest.mark.parametrize(
    ("tag", "version", "chart", "changelog", "problem"),
    [
        ("v1.2.4", "1.2.3", "1.2.4", "## [1.2.4] - 2026-12-01", "pyproject.toml"),
        ("v1.2.3", "1.2.3", "1.2.2", "## [1.2.3] - 2026-12-01", "Chart.yaml"),
        ("v1.2.3", "1.2.3", "1.2.3", "## [Unreleased]", "CHANGELOG.md has no"),
        ("1.2.3", "1.2.3", "1.2.3", "## [1.2.3] - 2026-12-01", "no tag of a"),
    ],
)
def test_a_tag_that_does_not_fit_is_refused_with_the_reason(
    tmp_path: Path, tag: str, version: str, chart: str, changelog: str, problem: str
) -> None:
    root = tree(tmp_path, version=version, chart=chart, changelog=changelog + "\n")
    assert any(problem in line for line in release.check(tag, root))
