"""`imagecompat remove-spec` on layouts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cli.specs.conftest import OTHER, SPEC, Images

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def removed(run: Run, *arguments: str) -> list[dict[str, Any]]:
    ran = run("remove-spec", "-o", "json", *arguments)
    assert (0, "") == (ran.status, ran.err)
    found: list[dict[str, Any]] = json.loads(ran.out)
    return found


def test_after_the_one_that_counts_the_older_one_does(run: Run, images: Images) -> None:
    (one,) = removed(run, images.app)
    assert "removed" == one["state"]
    assert OTHER.decode() == run("show-spec", images.app).out


def test_a_digest_names_one(run: Run, images: Images) -> None:
    (listed,) = json.loads(run("list-specs", images.app, "-o", "json").out)
    older = listed["subjects"][0]["artifacts"][1]["digest"]
    (one,) = removed(run, images.app, "--digest", older)
    assert older == one["digest"]
    assert SPEC.decode() == run("show-spec", images.app).out
    assert 0 == run("remove-spec", images.app).status
    assert 1 == run("show-spec", images.app).status


def test_all_of_an_index_are_removed(run: Run, images: Images) -> None:
    assert ["removed", "removed"] == [
        o["state"] for o in removed(run, images.multi, "--all")
    ]
    assert "no compatibility spec is attached" in run("list-specs", images.multi).out


def test_a_platforms_own_is_removed(run: Run, images: Images) -> None:
    arm = ("--platform", "linux/arm64")
    assert 1 == len(removed(run, images.multi, "--all", *arm))
    assert SPEC.decode() == run("show-spec", images.multi, *arm).out


def test_a_dry_run_removes_nothing(run: Run, images: Images) -> None:
    (one,) = removed(run, images.app, "--dry-run")
    assert "planned" == one["state"]
    assert SPEC.decode() == run("show-spec", images.app).out


def test_where_there_is_none_that_is_the_answer(run: Run, images: Images) -> None:
    ran = run("remove-spec", images.bare)
    assert 1 == ran.status
    assert "missing" in ran.out
    unknown = "sha256:" + 64 * "0"
    assert 1 == run("remove-spec", images.app, "--digest", unknown).status


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--digest", "abc"), "--digest abc: expected sha256:"),
        (
            ("--digest", "sha256:" + 64 * "0", "--all"),
            "--digest: expected without --all and --platform",
        ),
        (
            ("--digest", "sha256:" + 64 * "0", "--platform", "linux/arm64"),
            "--digest: expected without --all and --platform",
        ),
    ],
)
def test_what_is_typed_wrong_is_named(
    run: Run, images: Images, arguments: tuple[str, ...], text: str
) -> None:
    ran = run("remove-spec", images.app, *arguments)
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith(f"imagecompat: {text}")
