"""The command `init-spec`: where a spec comes from, and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.compat import parse
from app.demo.content import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, encode
from app.demo.layout import Layout
from app.recipes import NAMED, RECIPES

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A layout with a CUDA image, an index of two platforms, and an artifact."""
    layout = Layout(tmp_path / "layout")
    said = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": ["NVIDIA_REQUIRE_CUDA=cuda>=12.4"]},
    }
    layers = [layout.blob(LAYER_TYPE, b"layer")]
    for tag, kind in (("cuda", CONFIG_TYPE), ("sif", "application/vnd.example")):
        config = layout.blob(kind, encode(said))
        value = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config}
        layout.tag(layout.manifest(MANIFEST_TYPE, {**value, "layers": layers}), tag)
    children = [(one, layout.image(one, one)) for one in ("amd64", "arm64")]
    layout.tag(layout.index(children), "multi")
    layout.close()
    return layout.folder


@pytest.fixture
def nothing(tmp_path: Path) -> str:
    """An image for a platform that NFD has no flags of."""
    layout = Layout(tmp_path / "nothing")
    layout.tag(layout.image("riscv64", "riscv64"), "1")
    layout.close()
    return f"oci-layout://{layout.folder}:1"


def test_the_list_has_a_line_for_each_template(run: Run) -> None:
    ran = run("init-spec", "--list")
    assert (0, "") == (ran.status, ran.err)
    head, *lines = ran.out.splitlines()
    assert ["TEMPLATE", "ASKS", "FOR", "NEEDS"] == head.split()
    assert [one.name for one in RECIPES] == [line.split()[0] for line in lines]


def test_a_shell_is_told_the_templates_that_begin_so(run: Run) -> None:
    ran = run("__complete", "init-spec", "--template", "x86-64-v")
    levels = [f"x86-64-v{n}\t{NAMED[f'x86-64-v{n}'].summary}" for n in (2, 3, 4)]
    assert levels == ran.out.splitlines()[:3]
    assert "cuda-12.4" not in ran.out


@pytest.mark.parametrize("name", sorted(NAMED))
def test_one_template_is_printed_as_it_is(run: Run, name: str) -> None:
    ran = run("init-spec", "--template", name)
    assert (0, "") == (ran.status, ran.err)
    assert NAMED[name].content == ran.out.encode()
    valid = run("validate-spec", "-", stdin=ran.out.encode())
    assert 0 == valid.status


def test_several_templates_are_what_a_node_must_have_at_once(run: Run) -> None:
    words = ("--template", "cuda-12.4", "--template", "efa", "--template", "efa")
    ran = run("init-spec", *words)
    assert (0, "") == (ran.status, ran.err)
    spec = parse.read_for_admission(ran.out.encode())
    assert [("native", 100), ("minor-version-compatibility", 10)] == [
        (one.tag, one.weight) for one in spec.compatibilities
    ]
    assert "EFA device" in [rule.name for rule in spec.compatibilities[1].rules]
    assert 0 == run("validate-spec", "-", stdin=ran.out.encode()).status


def test_an_image_tells_a_first_spec(run: Run, folder: Path) -> None:
    ran = run("init-spec", "--image", f"oci-layout://{folder}:cuda")
    assert (0, "") == (ran.status, ran.err)
    (only,) = parse.read_for_admission(ran.out.encode()).compatibilities
    assert ["x86-64-v1 instructions", "NVIDIA GPU", "NVIDIA_REQUIRE_CUDA"] == [
        rule.name for rule in only.rules
    ]
    assert 0 == run("validate-spec", "-", stdin=ran.out.encode()).status


def test_of_an_index_all_platforms_or_one(run: Run, folder: Path) -> None:
    image = f"oci-layout://{folder}:multi"
    both = parse.read(run("init-spec", "--image", image).out.encode())
    assert 2 == len(both.compatibilities)
    ran = run("init-spec", "--image", image, "--platform", "linux/arm64")
    (one,) = parse.read(ran.out.encode()).compatibilities
    assert "arm64 v8" == one.rules[0].name


def test_an_image_and_templates_go_together(run: Run, folder: Path) -> None:
    image = f"oci-layout://{folder}:cuda"
    ran = run("init-spec", "--image", image, "--template", "sriov-nic")
    spec = parse.read_for_admission(ran.out.encode())
    assert ["configured", "capable"] == [one.tag for one in spec.compatibilities]
    assert [4, 4] == [len(one.rules) for one in spec.compatibilities]


def test_an_image_that_asks_for_nothing_is_no_spec_but_one_with_templates(
    run: Run, nothing: str
) -> None:
    ran = run("init-spec", "--image", nothing)
    assert (2, "") == (ran.status, ran.out)
    assert f"imagecompat: {nothing}: nothing that it says of itself" in ran.err
    assert "Architecture riscv64 has no flags in NFD" in ran.err
    assert 1 == ran.err.count("\n")
    both = run("init-spec", "--image", nothing, "--template", "efa")
    assert (0, "") == (both.status, both.err)
    assert "# Note: Architecture riscv64 has no flags in NFD" in both.out
    efa = parse.read_for_admission(NAMED["efa"].content)
    assert efa == parse.read_for_admission(both.out.encode())


@pytest.mark.parametrize(
    "names", [("x86-64-v3", "arm64-sve"), ("arm64-sve", "x86-64-v4")]
)
def test_templates_that_no_node_can_fit_together_are_refused(
    run: Run, tmp_path: Path, names: tuple[str, str]
) -> None:
    file = tmp_path / "spec.yaml"
    words = [word for name in names for word in ("--template", name)]
    ran = run("init-spec", *words, "-f", str(file))
    assert (2, "", False) == (ran.status, ran.out, file.exists())
    *lines, last = ran.err.splitlines()
    assert lines
    assert all(one.startswith(f"{file}:") for one in lines)
    assert all("mixed-architectures" in one for one in lines)
    assert "imagecompat: these exclude each other: no node can ever" in last


def test_an_image_and_a_template_for_another_cpu_are_refused(
    run: Run, folder: Path
) -> None:
    words = ("--image", f"oci-layout://{folder}:cuda", "--template", "arm64-sve")
    ran = run("init-spec", *words)
    assert (2, "") == (ran.status, ran.out)
    assert "no node can ever fit" in ran.err


def test_where_some_sets_can_match_the_others_are_warned_of(
    run: Run, folder: Path
) -> None:
    """The template is for one of the two platforms."""
    words = ("--image", f"oci-layout://{folder}:multi", "--template", "arm64-sve")
    ran = run("init-spec", *words)
    assert 0 == ran.status
    assert 4 == len(parse.read_for_admission(ran.out.encode()).compatibilities)
    lines = ran.err.splitlines()
    assert 2 == len(lines)
    assert all("mixed-architectures" in one for one in lines)


def test_a_file_is_written_once_and_again_by_force_only(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "spec.yaml"
    words = ("init-spec", "--template", "efa", "-f", str(file))
    ran = run(*words)
    assert (0, "", "") == (ran.status, ran.out, ran.err)
    assert NAMED["efa"].content == file.read_bytes()
    file.write_text("mine")
    ran = run(*words)
    assert (2, "") == (ran.status, ran.out)
    assert f"imagecompat: {file}: is there already; --force" in ran.err
    assert "mine" == file.read_text()
    assert 0 == run(*words, "--force").status
    assert NAMED["efa"].content == file.read_bytes()


def test_a_file_that_cannot_be_written_is_bad_input(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "none" / "spec.yaml"
    ran = run("init-spec", "--template", "efa", "--output-file", str(file))
    assert (2, "") == (ran.status, ran.out)
    assert f"imagecompat: {file}: cannot be written: No such file" in ran.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "expected --template NAME or --image REFERENCE"),
        (("--template", "ebpf"), "there is no template ebpf"),
        (("--template", "cuda-12.5"), "did you mean cuda-12.4?"),
        (("--template", "efa", "--platform", "linux/arm64"), "--platform is for"),
        (("--template", "efa", "--force"), "--force is for --output-file"),
        (("--image", "A b"), "A b"),
    ],
)
def test_options_that_cannot_be_meant_are_bad_input(
    run: Run, words: tuple[str, ...], text: str
) -> None:
    ran = run("init-spec", *words)
    assert (2, "") == (ran.status, ran.out)
    assert text in ran.err
    assert 1 == ran.err.count("\n")


def test_too_many_templates_at_once_are_bad_input(run: Run) -> None:
    words = [word for name in NAMED for word in ("--template", name)]
    ran = run("init-spec", *words)
    assert (2, "") == (ran.status, ran.out)
    assert "sets: expected at most 32" in ran.err


@pytest.mark.parametrize(
    ("tag", "platform", "status", "reason"),
    [
        ("sif", None, 2, "NoConfiguration"),
        ("multi", "linux/s390x", 2, "NoSuchPlatform"),
        ("multi", "s390x", 2, "InvalidPlatform"),
        ("none", None, 3, "ImageNotFound"),
    ],
)
def test_an_image_that_tells_nothing_is_one_line(
    run: Run,
    folder: Path,
    tag: str,
    platform: str | None,
    status: int,
    reason: str,
) -> None:
    more = () if platform is None else ("--platform", platform)
    ran = run("init-spec", "--image", f"oci-layout://{folder}:{tag}", *more)
    assert (status, "") == (ran.status, ran.out)
    assert ran.err.endswith(f"({reason})\n")
    assert 1 == ran.err.count("\n")
