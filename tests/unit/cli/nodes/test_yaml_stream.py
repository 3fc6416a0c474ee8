"""The documents of a YAML text."""

from __future__ import annotations

from typing import Any

import pytest

from app.cli.nodes import yaml_stream
from app.cli.nodes.yaml_stream import Document, Limits
from app.errors import ConfigError


def values(text: str, **limits: int) -> list[Any]:
    """What the documents of a text say."""
    read = yaml_stream.read(text.encode(), limits=Limits(**limits))
    return [one.value for one in read]


def refusal(text: str, **limits: int) -> str:
    """What is said of a text that is refused."""
    with pytest.raises(ConfigError) as caught:
        values(text, **limits)
    assert "InvalidYaml" == caught.value.reason
    return caught.value.message


def test_documents_know_their_place() -> None:
    text = b"---\n---\n# one\na: 1\n---\nb: [2, {c: d}]\n...\n"
    assert [
        Document(2, 2, {"a": 1}),
        Document(3, 5, {"b": [2, {"c": "d"}]}),
    ] == list(yaml_stream.read(text))


def test_a_document_may_be_a_single_word() -> None:
    assert ["word", [], {}] == values("word\n--- []\n--- {}\n")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("y", True, id="a word for yes"),
        pytest.param("'y'", "y", id="quoted"),
        pytest.param("0777", 511, id="octal"),
        pytest.param("1.10", 1.1, id="float"),
        pytest.param("2026-11-21", "2026-11-21", id="a date is text"),
        pytest.param("12:30", "12:30", id="a time is text"),
        pytest.param("!!str 5", "5", id="a tag"),
        pytest.param("!!binary aGk=", "hi", id="binary"),
        pytest.param("~", None, id="null"),
        pytest.param("9" * 5000, None, id="a number of many digits"),
    ],
)
def test_scalars_are_what_kubectl_makes_of_them(text: str, value: object) -> None:
    (found,) = values(f"[{text}]")
    if len(text) < 5000:
        assert [value] == found


def test_keys_are_text() -> None:
    expected = {"true": 1, "5": 2, "1.5": 3, "a": 5}
    assert [expected] == values("{y: 1, 5: 2, 1.5: 3, a: 4, a: 5}")


def test_an_anchor_stands_for_what_it_names() -> None:
    assert [{"a": {"x": "1"}, "b": {"x": "1"}, "c": "t", "d": "t"}] == values(
        "{a: &one {x: '1'}, b: *one, c: &two t, d: *two}"
    )


def test_an_anchor_is_of_its_own_document() -> None:
    assert "document 2, line 2: no valid YAML: " in refusal("a: &x 1\n--- *x\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("a: [", "document 1, line 2: ", id="cut"),
        pytest.param("a: &x [*x]", "anchor 'x' contains itself", id="in itself"),
        pytest.param("a: *x", "unknown anchor 'x'", id="unknown anchor"),
        pytest.param("{<<: [1]}", "map merge requires map or", id="merge of no map"),
        pytest.param("? [a]\n: 1", "a key is no text", id="a list as key"),
        pytest.param("? ~\n: 1", "a key is no text", id="null as key"),
        pytest.param("!!int x", "cannot decode !!str", id="a tag that lies"),
        pytest.param("a: b: c", "mapping values are not allowed", id="two colons"),
        pytest.param("a: \x01", "control characters are not allowed", id="control"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(text: str, problem: str) -> None:
    found = refusal(text)
    assert problem in found
    assert found.startswith("document 1, line ")
    assert "\n" not in found


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="document 1, line 1: no valid YAML: "):
        list(yaml_stream.read(b"\xff\xfe\xfd"))
    with pytest.raises(ConfigError, match="no valid YAML: "):
        list(yaml_stream.read(b"a: \xff"))


def test_a_text_has_a_bound() -> None:
    assert ["aaaa"] == values("aaaa", bytes=4)
    expected = "larger than 3 bytes of YAML: use JSON (kubectl -o json)"
    assert expected == refusal("aaaa", bytes=3)


def test_nesting_has_a_bound() -> None:
    assert [[[]]] == values("[[]]", depth=2)
    assert "nested deeper than 1" in refusal("[[]]", depth=1)
    assert "nested deeper than 200" in refusal("[" * 100_000)


def test_values_are_counted_with_what_anchors_stand_for() -> None:
    text = "[&a [x, w], *a, z]"  # 1 + 3 + 3 + 1
    assert [[["x", "w"], ["x", "w"], "z"]] == values(text, nodes=8)
    assert "more than 7 values" in refusal(text, nodes=7)


def test_anchors_of_anchors_do_not_explode() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "more than 10000000 values" in refusal("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("{a: 1, <<: {a: 2, b: 2}, b: 3}", {"a": 2, "b": 3}, id="place"),
        pytest.param("{<<: [{a: 1}, {a: 2, b: 2}]}", {"a": 1, "b": 2}, id="first wins"),
        pytest.param("[<<]", ["<<"], id="an item"),
        pytest.param("a: <<", {"a": "<<"}, id="a value"),
        pytest.param("<<", "<<", id="alone"),
        pytest.param('{"<<": {a: 1}}', {"<<": {"a": 1}}, id="quoted"),
    ],
)
def test_merge_keys_are_those_of_kubectl(text: str, value: object) -> None:
    (document,) = yaml_stream.read(text.encode())
    assert value == document.value
