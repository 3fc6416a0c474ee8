"""YAML with places, and everything that a settings file may not be."""

import time

import pytest

from app.settings import document
from app.settings.document import MAX_DEPTH, MAX_NODES, Document
from app.settings.faults import Place


def read(text: str) -> Document:
    found = document.read(text.encode())
    assert isinstance(found, Document), found
    return found


def faults(text: str | bytes) -> list[str]:
    found = document.read(text if isinstance(text, bytes) else text.encode())
    assert isinstance(found, tuple), found
    return [one.line("f") for one in found]


def test_values_and_keys_have_places() -> None:
    found = read("a: 1\nb:\n- x\n- c: {d: 2}\n")
    assert {"a": 1, "b": ["x", {"c": {"d": 2}}]} == found.content
    assert Place(4, 3) == found.keys["b", 1, "c"]
    assert Place(4, 10) == found.values["b", 1, "c", "d"]
    assert Place(3, 3) == found.keys["b", 0]


def test_what_is_not_there_has_the_place_of_what_is_around_it() -> None:
    found = read("a:\n  b: {c: 1}\n")
    assert Place(2, 6) == found.place(("a", "b", "d", 0))
    assert found.place(("x", "y")) is None


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "null"])
def test_nothing_is_no_settings(text: str) -> None:
    assert {} == read(text).content


def test_anchors_and_merge_keys_work_and_own_keys_win() -> None:
    found = read(
        "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n"
        "c: {<<: *a, x: 9}\nd: {<<: [*a, *b], w: 0}\n"
    )
    assert {"x": 9, "y": 2} == found.content["c"]
    assert {"w": 0, "x": 1, "y": 2, "z": 4} == found.content["d"]
    assert Place(1, 17) == found.values["c", "y"], "where the value stands"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param(
            "a: 1\nb: 2\na: 3\n", "f:3:1: a: stands here a second time", id="top"
        ),
        pytest.param(
            "p:\n- {x: 1, x: 1}\n",
            "f:2:10: p.0.x: stands here a second time",
            id="equal value",
        ),
        pytest.param(
            '"a": 1\na: 3\n', "f:2:1: a: stands here a second time", id="quoted"
        ),
        pytest.param("1: 2", 'f:1:1: expected a text as key: quote it ("1")', id="one"),
        pytest.param(
            "p: {on: 1}", 'f:1:5: p: expected a text as key: quote it ("on")', id="on"
        ),
        pytest.param("? [a]\n: 1", "f:1:3: expected a text as key", id="list as key"),
        pytest.param(
            "- a", "f:1:1: expected a mapping of settings at the top", id="list"
        ),
        pytest.param(
            "text", "f:1:1: expected a mapping of settings at the top", id="text"
        ),
        pytest.param(
            "a: 1\n---\nb: 2\n",
            "f:2:1: no valid YAML: expected a single document in the stream, "
            "but found another document",
            id="two documents",
        ),
        pytest.param(
            "a: *b", "f:1:4: no valid YAML: found undefined alias", id="alias"
        ),
        pytest.param(
            "a: 2027-13-45",
            "f:1:4: a: no valid value: month must be in 1..12",
            id="month",
        ),
        pytest.param("a: !!set {x}", "f:1:4: expected a value without a tag", id="tag"),
        pytest.param(
            "a: !!python/name:os.system x",
            "f:1:4: expected a value without a tag",
            id="a tag of Python",
        ),
        pytest.param(
            "a: {<<: 3}", "f:1:9: a.<<: expected a mapping, or a list", id="merge"
        ),
        pytest.param("a: \x00", "f: no valid YAML: unacceptable character", id="nul"),
        pytest.param(
            '"\\e[31m": {<<: x}',
            "f:1:16: \\x1b[31m.<<: expected a mapping",
            id="a key that colours",
        ),
    ],
)
def test_what_is_no_settings_file_is_told_with_its_place(
    text: str, wanted: str
) -> None:
    (line,) = faults(text)
    assert line.startswith(wanted)


def test_text_that_is_no_text_is_told() -> None:
    (line,) = faults(b"\xff\xfe\x00")
    assert line.startswith("f: no valid YAML: ")


def test_every_fault_is_told_in_the_order_of_the_file() -> None:
    assert ["f:2:1", "f:3:4", "f:4:1"] == [
        line.partition(": ")[0] for line in faults("a: 1\na: 2\nb: 2000-99-99\n5: x\n")
    ]


def nested(depth: int) -> str:
    return "a: " + "[" * (depth - 1) + "]" * (depth - 1)


def test_depth_is_bounded() -> None:
    assert {"a"} == set(read(nested(MAX_DEPTH - 1)).content)
    (line,) = faults(nested(MAX_DEPTH + 1))
    assert f"f:1:{MAX_DEPTH + 3}: nested more than {MAX_DEPTH} levels deep" == line


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: &a [*a]", id="list"),
        pytest.param("a: &a {b: *a}", id="mapping"),
        pytest.param("a: &a {<<: *a}", id="merged"),
    ],
)
def test_what_holds_itself_is_refused(text: str) -> None:
    (line,) = faults(text)
    assert f"nested more than {MAX_DEPTH} levels deep" in line


def doubled(entry: str, *, levels: int) -> str:
    """Each line stands for ten of the line before."""
    lines = [f"a0: &a0 {entry}"]
    for level in range(1, levels):
        several = ", ".join([f"*a{level - 1}"] * 10)
        value = f"[{several}]" if entry.startswith("[") else f"{{<<: [{several}]}}"
        lines.append(f"a{level}: &a{level} {value}")
    return "\n".join(lines)


@pytest.mark.parametrize("entry", ["[x]", "{x: 1}"])
def test_what_aliases_stand_for_is_counted(entry: str) -> None:
    assert 3 == len(read(doubled(entry, levels=3)).content)
    started = time.monotonic()
    (line,) = faults(doubled(entry, levels=12))
    assert f"more than {MAX_NODES} values" in line
    assert time.monotonic() - started < 20


def test_values_are_counted_before_anything_is_built() -> None:
    assert {"a"} == set(read("a: [" + "1," * (MAX_NODES // 2) + "]").content)
    (line,) = faults("a: [" + "[]," * MAX_NODES + "]")
    assert f"more than {MAX_NODES} values" in line
