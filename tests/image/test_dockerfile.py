"""What can be said of the image without building it."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from app.settings.sections import ServerSettings
from tests.image.dockerfile import Dockerfile, Instruction, read
from tests.image.installation import DOCKERFILE
from tests.tools.sandbox import ROOT, USER

PYTHON_OF: Final = {"debian13": "3.13"}
"""Debian's release -> the Python of its distroless image."""
PLACEHOLDER: Final = "0" * 64


@pytest.fixture(scope="module")
def dockerfile() -> Dockerfile:
    return read(DOCKERFILE)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return project["project"]  # type: ignore[no-any-return]


def commands(dockerfile: Dockerfile) -> list[list[str]]:
    """Every command of every RUN line, as words."""
    lines = [one.text for one in dockerfile.builder.all("RUN")]
    return [shlex.split(part) for line in lines for part in line.split("&&")]


@pytest.mark.parametrize("stage", [0, 1])
def test_a_base_is_a_tag_with_a_digest(dockerfile: Dockerfile, stage: int) -> None:
    pattern = r"[a-z0-9.-]+\.[a-z]+/[a-z0-9/-]+:[a-z0-9.-]+@sha256:[0-9a-f]{64}"
    assert re.fullmatch(pattern, dockerfile.stages[stage].base)


def test_the_bases_can_be_given_from_outside_and_nothing_else_is_global(
    dockerfile: Dockerfile,
) -> None:
    assert {"BUILDER", "RUNTIME"} == set(dockerfile.arguments)
    bases = re.findall(r"(?m)^FROM (\S+)", DOCKERFILE.read_text())
    assert ["${BUILDER}", "${RUNTIME}"] == bases


def test_a_build_that_forgets_the_digests_fails(dockerfile: Dockerfile) -> None:
    """No registry has such a digest; a tag alone would be silently mutable."""
    digests = [stage.base.partition("@sha256:")[2] for stage in dockerfile.stages]
    assert [PLACEHOLDER, PLACEHOLDER] == digests


def test_both_bases_and_all_lines_have_the_same_python(
    dockerfile: Dockerfile, project: dict[str, Any]
) -> None:
    release = re.search(r"python3-(debian\d+):", dockerfile.final.base)
    assert release is not None
    wanted = PYTHON_OF[release[1]]
    assert f"/python:{wanted}-slim-" in dockerfile.builder.base
    lines = " ".join(one.text for one in dockerfile.builder.instructions)
    assert {wanted} == set(re.findall(r"python(3\.\d+)", lines))
    assert f"Programming Language :: Python :: {wanted}" in project["classifiers"]


def test_the_runtime_base_has_no_shell_and_no_root(dockerfile: Dockerfile) -> None:
    assert "gcr.io/distroless/python3-" in dockerfile.final.base
    assert ":nonroot@" in dockerfile.final.base


def test_the_last_stage_only_copies_and_declares(dockerfile: Dockerfile) -> None:
    words = [one.word for one in dockerfile.final.instructions]
    assert {
        "ARG": 4,
        "LABEL": 1,
        "COPY": 1,
        "ENV": 1,
        "USER": 1,
        "WORKDIR": 1,
        "EXPOSE": 1,
        "ENTRYPOINT": 1,
        "CMD": 1,
    } == {word: words.count(word) for word in words}


def test_what_is_copied_belongs_to_root(dockerfile: Dockerfile) -> None:
    (copy,) = dockerfile.final.all("COPY")
    assert {"from": dockerfile.builder.name, "chown": "0:0"} == copy.flags
    assert ["/opt/imagecompat", "/opt/imagecompat"] == copy.operands


def test_the_user_is_a_number_that_is_not_root(dockerfile: Dockerfile) -> None:
    """With a name the kubelet cannot prove `runAsNonRoot`."""
    assert [f"{USER}:{USER}"] == [one.text for one in dockerfile.final.all("USER")]


@pytest.mark.parametrize("word", ["ENTRYPOINT", "CMD"])
def test_nothing_needs_a_shell_to_start(dockerfile: Dockerfile, word: str) -> None:
    (one,) = dockerfile.final.all(word)
    assert one.text.startswith("[")


def test_the_command_is_the_first_on_the_path(dockerfile: Dockerfile) -> None:
    """So `command: [imagecompat, ...]` of a Pod is the entry point."""
    (entry,) = dockerfile.final.all("ENTRYPOINT")
    (program,) = entry.words
    assert Path(program).name == "imagecompat"
    path = dockerfile.final.pairs("ENV")["PATH"]
    assert str(Path(program).parent) == path.split(":")[0]


def test_the_ports_are_those_of_the_settings(dockerfile: Dockerfile) -> None:
    settings = ServerSettings()
    (expose,) = dockerfile.final.all("EXPOSE")
    assert [str(settings.port), str(settings.status_port)] == expose.words


def test_the_labels_are_those_of_the_project(
    dockerfile: Dockerfile, project: dict[str, Any]
) -> None:
    prefix = "org.opencontainers.image."
    labels = dockerfile.final.pairs("LABEL")
    assert project["name"] == labels[f"{prefix}title"]
    assert project["description"] == labels[f"{prefix}description"]
    assert project["license"] == labels[f"{prefix}licenses"]
    assert dockerfile.final.base.partition("@")[0] == labels[f"{prefix}base.name"]
    for name in ("version", "revision", "created", "source"):
        assert f"${{{name.upper()}}}" == labels[prefix + name]


def test_no_argument_and_no_variable_holds_a_secret(dockerfile: Dockerfile) -> None:
    names = [
        word.partition("=")[0]
        for stage in dockerfile.stages
        for kind in ("ARG", "ENV")
        for one in stage.all(kind)
        for word in one.words
    ]
    assert names
    pattern = re.compile("token|secret|password|key|credential", re.IGNORECASE)
    assert [] == [name for name in names if pattern.search(name)]


def test_files_that_its_comments_name_are_there() -> None:
    comments = re.findall(r"(?m)^# (.*)$", DOCKERFILE.read_text())
    files = re.findall(r"\.?\b(?:github|hack)/[\w./-]+\.\w+", " ".join(comments))
    assert files
    assert [] == [file for file in files if not (ROOT / file).is_file()]


def test_what_is_installed_was_pinned_with_its_hash(dockerfile: Dockerfile) -> None:
    installs = [words for words in commands(dockerfile) if "install" in words]
    assert 3 == len(installs)
    for words in installs:
        assert "--no-deps" in words
        is_pinned = {"--require-hashes", "--only-binary=:all:"} <= set(words)
        assert is_pinned != ("--no-index" in words)


def test_nothing_is_downloaded_but_by_pip(dockerfile: Dockerfile) -> None:
    programs = {Path(words[0]).name for words in commands(dockerfile)}
    assert {"ln", "python3.13", "pip", "hatchling", "rm", "find"} == programs


def test_the_context_is_what_the_builder_copies(dockerfile: Dockerfile) -> None:
    copied = {
        source for one in dockerfile.builder.all("COPY") for source in one.operands[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in lines if line.startswith("!")}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FROM a\nADD https://x.example/y /y", id="add"),
        pytest.param("FROM a\nRUN <<EOF", id="heredoc"),
        pytest.param("FROM a\nONBUILD RUN x", id="onbuild"),
    ],
)
def test_what_the_reader_does_not_know_it_refuses(tmp_path: Path, text: str) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    with pytest.raises(ValueError, match="not known here"):
        read(tmp_path / "Dockerfile")


def test_the_reader_joins_lines_and_drops_comments(tmp_path: Path) -> None:
    text = "ARG A=b\nFROM ${A} AS c\n# no\nRUN x \\\n  # no\n  && y\n"
    (tmp_path / "Dockerfile").write_text(text)
    (stage,) = read(tmp_path / "Dockerfile").stages
    assert ("c", "b") == (stage.name, stage.base)
    assert (Instruction("RUN", "x && y"),) == stage.instructions
