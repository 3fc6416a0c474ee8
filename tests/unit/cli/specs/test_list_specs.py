"""`imagecompat list-specs` and `show-spec` on layouts."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.unit.cli.specs.conftest import OTHER, SPEC, Images

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def rows(out: str) -> list[str]:
    """The rows of the table, each without its digests."""
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("ARTIFACT"))
    words = (line.split() for line in lines[at + 1 :])
    return [" ".join(w for w in one if not w.startswith("sha256:")) for one in words]


def test_which_one_counts_and_why_not_the_other(run: Run, images: Images) -> None:
    ran = run("list-specs", images.app)
    assert (0, "") == (ran.status, ran.err)
    assert ran.out.startswith(f"{images.app}: manifest sha256:")
    expected = ["2026-03-01T00:00:00Z yes", "2026-02-01T00:00:00Z no: older"]
    assert expected == rows(ran.out)


def test_an_index_is_listed_platform_by_platform(run: Run, images: Images) -> None:
    ran = run("list-specs", images.multi)
    first, amd, arm, *_ = ran.out.splitlines()
    assert first.startswith(f"{images.multi}: index sha256:")
    assert amd.startswith("linux/amd64: sha256:")
    assert arm.startswith("linux/arm64: sha256:")
    assert amd.endswith("counts")
    expected = [
        "all platforms 2026-03-01T00:00:00Z linux/amd64",
        "linux/arm64 2026-03-02T00:00:00Z linux/arm64",
    ]
    assert expected == rows(ran.out)


def test_an_image_without_a_spec_is_told_so(run: Run, images: Images) -> None:
    ran = run("list-specs", images.bare)
    assert (0, "") == (ran.status, ran.err)
    assert "no compatibility spec is attached" == ran.out.splitlines()[-1]


def test_a_document_says_what_admission_finds(run: Run, images: Images) -> None:
    (one,) = json.loads(run("list-specs", images.app, "-o", "json").out)
    (subject,) = one["subjects"]
    assert ["counts", "older"] == [a["state"] for a in subject["artifacts"]]
    assert "Found" == subject["outcome"]["kind"]
    assert [one] == yaml.safe_load(run("list-specs", images.app, "-o", "yaml").out)


def test_a_platform_without_a_spec_is_told_so(run: Run, images: Images) -> None:
    run("remove-spec", images.multi)
    said = run("list-specs", images.multi).out.splitlines()
    assert "linux/amd64: missing" == said[1]


@pytest.mark.parametrize("command", ["list-specs", "show-spec", "remove-spec"])
def test_an_image_that_is_not_there_is_one_line(
    run: Run, images: Images, command: str
) -> None:
    absent = images.app.replace(":app", ":absent")
    for output in ((), ("-o", "json")):
        ran = run(command, absent, *output)
        assert (3, "") == (ran.status, ran.out)
        text = f"imagecompat: {absent}: the layout has no absent (ImageNotFound)\n"
        assert text == ran.err


def test_the_spec_that_counts_is_shown_byte_for_byte(run: Run, images: Images) -> None:
    ran = run("show-spec", images.app)
    assert (0, SPEC.decode(), "") == (ran.status, ran.out, ran.err)


def test_each_platforms_own_spec_is_shown(run: Run, images: Images) -> None:
    arm = run("show-spec", images.multi, "--platform", "linux/arm64")
    amd = run("show-spec", images.multi, "--platform", "linux/amd64")
    assert (OTHER.decode(), SPEC.decode()) == (arm.out, amd.out)


def test_no_spec_is_an_answer(run: Run, images: Images) -> None:
    ran = run("show-spec", images.bare)
    assert (1, "") == (ran.status, ran.out)
    assert ran.err.endswith("(NoSpec)\n")


def test_a_platform_that_is_not_there_is_an_answer(run: Run, images: Images) -> None:
    ran = run("show-spec", images.multi, "--platform", "linux/s390x")
    assert (1, "") == (ran.status, ran.out)


def test_a_spec_is_shown_with_its_digests(run: Run, images: Images) -> None:
    (one,) = json.loads(run("show-spec", images.app, "--output", "json").out)
    assert (SPEC.decode(), False) == (one["content"], one["isIndex"])


def test_a_terminal_is_not_shown_what_it_would_obey(
    run: Run, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SPEC + b"# \x1b[31m\n"
    run("attach-spec", images.bare, "--spec", "-", "--force", stdin=spec)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert f"{SPEC.decode()}# ?[31m\n" == run("show-spec", images.bare).out
