"""`imagecompat copy-specs` between layouts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.specs.conftest import OTHER, SPEC, Images

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.fixture
def mirror(run: Run, images: Images, tmp_path: Path) -> Images:
    """The same images without their specs."""
    folder = tmp_path / "mirror"
    shutil.copytree(images.folder, folder)
    names = (images.bare, images.app, images.multi)
    copies = [one.replace("/layout:", "/mirror:") for one in names]
    for one in copies[1:]:
        assert 0 == run("remove-spec", one, "--all").status
    return Images(folder, *copies)


def test_the_specs_of_an_image_follow_it(
    run: Run, images: Images, mirror: Images
) -> None:
    ran = run("copy-specs", images.multi, mirror.multi, "-o", "json")
    assert (0, "") == (ran.status, ran.err)
    assert ["copied", "copied"] == [one["state"] for one in json.loads(ran.out)]
    arm = run("show-spec", mirror.multi, "--platform", "linux/arm64")
    assert OTHER.decode() == arm.out
    again = run("copy-specs", images.multi, mirror.multi, "-o", "json")
    assert ["present", "present"] == [one["state"] for one in json.loads(again.out)]


def test_a_dry_run_copies_nothing(run: Run, images: Images, mirror: Images) -> None:
    ran = run("copy-specs", images.app, mirror.app, "--dry-run")
    assert (0, 2) == (ran.status, ran.out.count("planned"))
    assert 1 == run("show-spec", mirror.app).status


def test_several_are_named_in_a_file(
    run: Run, images: Images, mirror: Images, tmp_path: Path
) -> None:
    file = tmp_path / "pairs"
    file.write_text(
        f"# mirrored\n\n{images.app} {mirror.app}\n{images.multi}\t{mirror.multi}\n"
    )
    assert 0 == run("copy-specs", "--file", str(file)).status
    assert SPEC.decode() == run("show-spec", mirror.app).out
    assert SPEC.decode() == run("show-spec", mirror.multi).out


def test_an_image_that_was_not_mirrored_is_named(
    run: Run, images: Images, mirror: Images
) -> None:
    ran = run("copy-specs", images.app, mirror.bare.replace(":bare", ":app"))
    assert 0 == ran.status
    shutil.rmtree(mirror.folder / "blobs")
    (mirror.folder / "index.json").write_text('{"schemaVersion":2,"manifests":[]}')
    ran = run("copy-specs", images.app, mirror.app)
    assert 3 == ran.status
    assert 2 == ran.out.count("no-subject")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "expected SOURCE and DESTINATION, or --file"),
        (("one",), "expected SOURCE and DESTINATION, or --file"),
        (("one", "two", "three"), "expected SOURCE and DESTINATION, or --file"),
        (("one", "two", "--file", "-"), "expected SOURCE and DESTINATION, or --file"),
        (("one", "--file", "-"), "--file: expected without a pair"),
        (("--file", "-"), "-:2: expected a source and a destination"),
    ],
)
def test_what_is_typed_wrong_is_named(
    run: Run, arguments: tuple[str, ...], text: str
) -> None:
    ran = run("copy-specs", *arguments, stdin=b"a b\na b c\n")
    assert (2, "", f"imagecompat: {text}\n") == (ran.status, ran.out, ran.err)
