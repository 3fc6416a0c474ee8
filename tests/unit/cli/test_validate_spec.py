"""`imagecompat validate-spec` on files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import yaml

from app.cli import output
from app.cli.linting.naming import is_image

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

SPEC = b"""\
version: v1alpha1
compatibilities:
- rules:
  - name: r
    matchFeatures:
    - feature: cpu.topology
      matchExpressions:
        socket_count: {op: Ge, value: ["2"]}
"""
DASH = SPEC.replace(b"cpu.topology", b"kernel.loadedmodule").replace(
    b'socket_count: {op: Ge, value: ["2"]}', b"vfio-pci: {op: Exists}"
)
"""A spec with one warning."""

BROKEN = SPEC.replace(b'["2"]', b"2").replace(b"name: r", b"name: [r]")
"""A spec with two errors."""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_bytes(SPEC)
    return path


def test_a_valid_spec_is_counted(run: Run, spec: Path) -> None:
    ran = run("validate-spec", str(spec))
    assert (0, f"{spec}: valid: 1 set, 1 rule\n", "") == (ran.status, ran.out, ran.err)


def test_standard_input_is_a_dash(run: Run) -> None:
    two = SPEC + SPEC.partition(b"compatibilities:\n")[2]
    ran = run("validate-spec", "-", stdin=two)
    assert (0, "<stdin>: valid: 2 sets, 2 rules\n") == (ran.status, ran.out)


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        pytest.param(b"a: [", "<stdin>:2:1", "[yaml-syntax]", id="broken YAML"),
        pytest.param(
            SPEC.replace(b'["2"]', b"2"),
            "<stdin>:8:39: ",
            'error[wrong-type]: found the number 2, expected a list; write ["2"]',
            id="wrong type",
        ),
        pytest.param(
            SPEC.replace(b"compatibilities", b"compatibilites"),
            "<stdin>:2:1: ",
            'did you mean "compatibilities"?',
            id="misspelled",
        ),
        pytest.param(b"version: v1alpha1", "<stdin>:1:1", "[no-sets]", id="no sets"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    run: Run, content: bytes, place: str, words: str
) -> None:
    ran = run("validate-spec", "-", stdin=content)
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith(place)
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_every_mistake_is_told(run: Run) -> None:
    ran = run("validate-spec", "-", stdin=BROKEN)
    assert 2 == ran.status
    places = [line.partition(": ")[0] for line in ran.err.splitlines()]
    assert ["<stdin>:4:11", "<stdin>:8:39"] == places


def test_a_warning_leaves_a_spec_valid(run: Run) -> None:
    ran = run("validate-spec", "-", stdin=DASH)
    assert (0, "<stdin>: valid: 1 set, 1 rule, 1 warning\n") == (ran.status, ran.out)
    assert ran.err.startswith("<stdin>:8:9: warning[module-dash]: kernel.loadedmodule")


def test_a_warning_counts_if_it_is_asked_for(run: Run) -> None:
    ran = run("validate-spec", "--strict", "-", stdin=DASH)
    assert (2, "") == (ran.status, ran.out)
    assert run("validate-spec", "--strict", "-", stdin=SPEC).status == 0


def test_on_a_terminal_the_line_is_shown_with_a_mark(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    first, line, mark, _, hint = run("validate-spec", "-", stdin=DASH).err.splitlines()
    assert first.startswith("<stdin>:8:9: warning[module-dash]: ")
    assert "          vfio-pci: {op: Exists}" == line
    assert "          ^" == mark
    assert hint.startswith("  hint: if it may be built in: ")


def test_of_a_long_line_a_part_is_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    spec = yaml.safe_load(SPEC.replace(b"name: r", b"name: " + b"r" * 999))
    text = json.dumps(spec).replace("Ge", "Gx")
    found = run("validate-spec", "-", stdin=text.encode()).err
    _, line, mark, _ = found.splitlines()
    assert len(line) < 170
    assert '"Gx"' == line[mark.index("^") :][:4]


def test_a_place_behind_the_last_line_shows_none(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    ran = run("validate-spec", "-", stdin=b"a: [\n\n")
    assert 1 == len(ran.err.splitlines())


def test_several_specs_are_checked_each(run: Run, spec: Path) -> None:
    ran = run("validate-spec", str(spec), "-", stdin=BROKEN)
    assert (2, f"{spec}: valid: 1 set, 1 rule\n") == (ran.status, ran.out)
    assert 2 == len(ran.err.splitlines())


def test_a_document_has_every_field(run: Run) -> None:
    ran = run("validate-spec", "-o", "json", "-", stdin=DASH)
    assert (0, "") == (ran.status, ran.err)
    (one,) = json.loads(ran.out)
    assert ("<stdin>", True, 1, 1) == (
        one["name"],
        one["isValid"],
        one["sets"],
        one["rules"],
    )
    (problem,) = one["problems"]
    assert ["warning", "module-dash", 8, 9] == [
        problem[key] for key in ("severity", "code", "line", "column")
    ]
    assert problem["path"].endswith(".matchExpressions['vfio-pci']")
    assert problem["message"]
    assert problem["hint"]
    again = run("validate-spec", "-o", "yaml", "-", stdin=DASH)
    assert [one] == yaml.safe_load(again.out)


def test_an_invalid_spec_is_a_document_too(run: Run) -> None:
    ran = run("validate-spec", "-o", "json", "-", stdin=b"a: [")
    (one,) = json.loads(ran.out)
    assert (2, False, 0) == (ran.status, one["isValid"], one["sets"])


def test_ci_gets_a_case_for_each_problem(run: Run, spec: Path) -> None:
    ran = run("validate-spec", "-o", "junit", str(spec), "-", stdin=DASH)
    suites = list(ET.fromstring(ran.out))
    assert ["valid", "module-dash at 8:9"] == [
        case.attrib["name"].partition(" $")[0] for suite in suites for case in suite
    ]
    assert 0 == ran.status
    assert suites[1].find("testcase/skipped") is not None
    strict = run("validate-spec", "-o", "junit", "--strict", "-", stdin=DASH)
    assert ET.fromstring(strict.out).find("testsuite/testcase/failure") is not None
    assert 2 == strict.status
    broken = run("validate-spec", "-o", "junit", "-", stdin=BROKEN)
    assert 2 == len(ET.fromstring(broken.out).findall("testsuite/testcase/failure"))


def test_the_schema_is_printed(run: Run) -> None:
    ran = run("validate-spec", "--schema")
    assert (0, "") == (ran.status, ran.err)
    schema = json.loads(ran.out)
    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]
    assert ran.out == run("validate-spec", "--schema", "-o", "json").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "expected FILE, - or IMAGE"),
        (("--schema", "-o", "yaml"), "--schema is JSON"),
        (("-", "-"), "standard input can be read once"),
        (("-", "--registry-token-stdin"), "standard input can be read once"),
    ],
)
def test_what_is_asked_for_must_make_sense(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    ran = run("validate-spec", *arguments)
    assert (2, "") == (ran.status, ran.out)
    assert words in ran.err


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    ran = run("validate-spec", "/nonexistent.yaml")
    assert ran.status == 2
    expected = "imagecompat: /nonexistent.yaml: cannot be read: No such file or"
    assert ran.err.startswith(expected)


def test_input_at_the_limit_is_read_and_one_byte_more_is_not(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "spec.yaml"
    with path.open("wb") as file:
        file.truncate(output.MAX_INPUT_BYTES)
    assert "[too-costly]" in run("validate-spec", str(path)).err
    with path.open("ab") as file:
        file.write(b"#")
    ran = run("validate-spec", str(path))
    assert ran.status == 2
    assert f"larger than {output.MAX_INPUT_BYTES} bytes" in ran.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-", False),
        ("oci-layout://folder:tag", True),
        ("registry.example.com/team/app", True),
        ("registry.example.com/team/app:1", True),
        ("localhost/app", True),
        ("127.0.0.1:5000/app", True),
        ("app:1", True),
        ("team/app:1", True),
        ("app@sha256:" + "a" * 64, True),
        ("app", False),
        ("specs/gpu", False),
        ("specs.d/gpu.yaml", False),
        ("./registry.example.com/app:1", False),
        ("/registry.example.com/app:1", False),
        ("~/app:1", False),
        ("UPPER.example/Case:1", False),
        ("a\0b:1", False),
        ("x" * 5000 + ":1", False),
    ],
)
def test_a_reference_is_told_from_a_file(text: str, expected: bool) -> None:
    assert expected == is_image(text)


def test_a_file_that_is_there_is_a_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app:1").write_bytes(SPEC)
    assert not is_image("app:1")
    assert "app:1: valid: 1 set, 1 rule\n" == run("validate-spec", "app:1").out


def test_a_wrong_flag_is_bad_input(run: Run) -> None:
    assert run("validate-spec", "--nonsense").status == 2
    assert run("no-such-command").status == 2


def test_help_names_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.status == 0
    for command in ("serve", "demo", "validate-spec", "validate-node"):
        assert command in ran.out
