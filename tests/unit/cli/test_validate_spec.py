from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.cli import output

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

SPEC = b"""\
version: v1alpha1
compatibilities:
- rules:
  - name: r
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Ge, value: ["6"]}
"""


def test_a_valid_spec_is_counted(run: "Run", tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(SPEC)
    ran = run("validate-spec", str(path))
    assert (0, f"{path}: valid: 1 set, 1 rule\n", "") == (ran.status, ran.out, ran.err)


def test_standard_input_is_a_dash(run: "Run") -> None:
    two = SPEC.replace(b"- rules:", b"- rules: []\n- rules:")
    ran = run("validate-spec", "-", stdin=two)
    assert (0, "-: valid: 2 sets, 1 rule\n") == (ran.status, ran.out)


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        pytest.param(b"a: [", "<stdin>:", "yaml", id="broken YAML"),
        pytest.param(
            SPEC.replace(b'["6"]', b"6"), "<stdin>:8:32: ", "value", id="wrong type"
        ),
        pytest.param(
            SPEC.replace(b"compatibilities", b"compatibilites"),
            "<stdin>:2:1: ",
            "compatibilites",
            id="misspelled",
        ),
        pytest.param(b"version: v1alpha1", "<stdin>", "compatibilities", id="no sets"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    run: "Run", content: bytes, place: str, words: str
) -> None:
    ran = run("validate-spec", "-", stdin=content)
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith(place)
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_a_file_that_is_not_there_is_named(run: "Run") -> None:
    ran = run("validate-spec", "/nonexistent.yaml")
    assert ran.status == 2
    expected = "imagecompat: /nonexistent.yaml: cannot be read: No such file or"
    assert ran.err.startswith(expected)


def test_input_at_the_limit_is_read_and_one_byte_more_is_not(
    run: "Run", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(output, "MAX_INPUT_BYTES", len(SPEC))
    path = tmp_path / "spec.yaml"
    path.write_bytes(SPEC)
    assert run("validate-spec", str(path)).status == 0
    path.write_bytes(SPEC + b"#")
    ran = run("validate-spec", str(path))
    assert ran.status == 2
    assert f"larger than {len(SPEC)} bytes" in ran.err


def test_a_wrong_flag_is_bad_input(run: "Run") -> None:
    assert run("validate-spec", "--nonsense").status == 2
    assert run("no-such-command").status == 2


def test_help_names_every_command(run: "Run") -> None:
    ran = run("--help")
    assert ran.status == 0
    for command in ("serve", "demo", "validate-spec", "validate-node"):
        assert command in ran.out
