"""`imagecompat attach-spec` on layouts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cli.specs.conftest import OTHER, SPEC, Images

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "own.yaml"
    path.write_bytes(SPEC)
    return str(path)


def attached(run: Run, *arguments: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    ran = run("attach-spec", "-o", "json", *arguments, stdin=stdin)
    assert (0, "") == (ran.status, ran.err)
    found: list[dict[str, Any]] = json.loads(ran.out)
    return found


def shown(run: Run, image: str, *arguments: str) -> bytes:
    return str(run("show-spec", image, *arguments).out).encode()


def test_a_spec_is_attached_and_counts(run: Run, images: Images, spec: str) -> None:
    (one,) = attached(run, images.bare, "--spec", spec)
    assert (images.bare, True, "") == (one["image"], one["isDone"], one["platform"])
    assert SPEC == shown(run, images.bare)
    manifest = json.loads(one["manifest"])
    layer = manifest["layers"][0]
    assert {"org.opencontainers.image.title": "own.yaml"} == layer["annotations"]


def test_a_table_tells_people_what_was_attached_where(
    run: Run, images: Images, spec: str
) -> None:
    ran = run("attach-spec", images.bare, images.multi, "--spec", spec)
    assert (0, "") == (ran.status, ran.err)
    head, first, second = ran.out.splitlines()
    assert ["IMAGE", "ARTIFACT", "ATTACHED", "TO", "FOR", "CREATED"] == head.split()
    assert first.startswith(images.bare)
    assert "all platforms" in second
    assert "all platforms" not in first


def test_a_dry_run_writes_nothing(run: Run, images: Images, spec: str) -> None:
    before = {path: path.read_bytes() for path in images.folder.rglob("*.json")}
    ran = run("attach-spec", images.bare, "--spec", spec, "--dry-run")
    assert 0 == ran.status
    assert "(dry run)" in ran.out
    after = {path: path.read_bytes() for path in images.folder.rglob("*.json")}
    assert before == after
    assert 1 == run("show-spec", images.bare).status


def test_a_platform_gets_a_spec_of_its_own(
    run: Run, images: Images, tmp_path: Path
) -> None:
    path = tmp_path / "other.yaml"
    path.write_bytes(OTHER)
    amd = ("--platform", "linux/amd64")
    (one,) = attached(run, images.multi, "--spec", str(path), *amd)
    assert "linux/amd64" == one["platform"]
    assert OTHER == shown(run, images.multi, *amd)
    assert SPEC == shown(run, images.multi)


def test_a_platform_that_an_image_lacks_is_bad_input(
    run: Run, images: Images, spec: str
) -> None:
    ran = run("attach-spec", images.multi, "--spec", spec, "--platform", "linux/s390x")
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.endswith("(NoSuchPlatform)\n")


def test_another_images_spec_can_be_used_again(run: Run, images: Images) -> None:
    attached(run, images.bare, "--from-image", images.app)
    assert SPEC == shown(run, images.bare)


def test_an_image_without_a_spec_has_none_to_use_again(
    run: Run, images: Images
) -> None:
    ran = run("attach-spec", images.app, "--from-image", images.bare)
    assert (3, "") == (ran.status, ran.out)


def test_an_invalid_spec_is_refused_with_its_place(
    run: Run, images: Images, spec: str
) -> None:
    Path(spec).write_bytes(SPEC.replace(b"compatibilities", b"compatibilites"))
    ran = run("attach-spec", images.bare, "--spec", spec)
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith(f"imagecompat: {spec}:2:1: ")
    assert 1 == run("show-spec", images.bare).status


def test_an_invalid_spec_is_attached_if_one_insists(run: Run, images: Images) -> None:
    broken = SPEC.replace(b"compatibilities", b"compatibilites")
    ran = run("attach-spec", images.bare, "--spec", "-", "--force", stdin=broken)
    assert 0 == ran.status
    assert ran.err.startswith("imagecompat: the spec is invalid: ")
    assert broken == shown(run, images.bare)


def test_of_several_images_those_that_work_are_done(
    run: Run, images: Images, spec: str
) -> None:
    absent = images.bare.replace(":bare", ":absent")
    ran = run("attach-spec", absent, images.bare, "--spec", spec)
    assert 3 == ran.status
    assert ran.err.startswith(f"imagecompat: {absent}: ")
    assert images.bare in ran.out
    assert SPEC == shown(run, images.bare)


def test_annotations_are_the_artifacts(run: Run, images: Images, spec: str) -> None:
    (one,) = attached(run, images.bare, "--spec", spec, "--annotation", "team=ml=a")
    assert "ml=a" == json.loads(one["manifest"])["annotations"]["team"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param((), "expected --spec FILE or --from-image", id="no spec"),
        pytest.param(
            ("--spec", "a", "--from-image", "b"),
            "expected --spec FILE or --from-image",
            id="two specs",
        ),
        pytest.param(
            ("--spec", "a", "--annotation", "team"),
            "--annotation team: expected KEY=VALUE",
            id="no value",
        ),
        pytest.param(
            ("--spec", "a", "--annotation", "=x"),
            "--annotation =x: expected KEY=VALUE",
            id="no key",
        ),
        pytest.param(
            ("--spec", "/nowhere/spec.yaml"),
            "/nowhere/spec.yaml: cannot be read: No such file or directory",
            id="no such file",
        ),
    ],
)
def test_what_is_typed_wrong_is_named(
    run: Run, images: Images, arguments: tuple[str, ...], text: str
) -> None:
    ran = run("attach-spec", images.bare, *arguments)
    assert (2, "", f"imagecompat: {text}\n") == (ran.status, ran.out, ran.err)


def test_what_is_no_image_is_named(run: Run, spec: str) -> None:
    ran = run("attach-spec", "Not/An/Image", "--spec", spec)
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith("imagecompat: Not/An/Image: not an image reference")


def test_traps_are_told_and_keep_nothing_from_being_attached(
    run: Run, images: Images, tmp_path: Path
) -> None:
    path = tmp_path / "trap.yaml"
    path.write_bytes(SPEC.replace(b"socket_count", b"socket-count"))
    ran = run("attach-spec", images.bare, "--spec", str(path))
    assert 0 == ran.status
    assert ran.err.startswith(f"{path}:8:9: warning[unknown-element]: ")
    assert 1 == len(ran.err.splitlines())


def test_what_is_wrong_at_evaluation_is_told_too(run: Run, images: Images) -> None:
    spec = SPEC.replace(b"Ge,", b"ge,")
    ran = run("attach-spec", images.bare, "--spec", "-", stdin=spec)
    assert 0 == ran.status
    assert ran.err.startswith("<stdin>:8:28: error[unknown-operator]: ")
