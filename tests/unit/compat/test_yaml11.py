"""Aliases, merge keys, duplicate keys, documents: YAML's structure as in NFD."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.compat import nodefeaturerule, parse
from app.compat.limits import LIMITS, Limits
from app.compat.template import strconv
from app.compat.yaml11 import read
from app.errors import SpecError


def labels(text: str) -> dict[str, str]:
    (rule,) = nodefeaturerule.read(f"rules: [{{labels: {text}}}]".encode())
    return dict(rule.labels)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{a: 1, a: 2}", {"a": "2"}, id="the-last-of-equal-keys-wins"),
        pytest.param("{1: a, '1': b}", {"1": "b"}, id="keys-are-equal-as-text"),
        pytest.param("{.nan: a, .NaN: b}", {".nan": "b"}, id="nan-keys"),
        pytest.param("{~: a, ? b : c} #", None, id="null-key"),
        pytest.param("{a: &x v, b: *x}", {"a": "v", "b": "v"}, id="alias"),
        pytest.param("{&x a: *x}", {"a": "a"}, id="alias-of-a-key"),
        pytest.param("{a: &x k, *x : v}", {"a": "k", "k": "v"}, id="alias-as-a-key"),
        pytest.param(
            "{a: &x 1, b: &x 2, c: *x}",
            {"a": "1", "b": "2", "c": "2"},
            id="anchor-given-again",
        ),
        pytest.param(
            "{<<: {a: 1, b: 2}, a: 3}", {"a": "3", "b": "2"}, id="merge-first"
        ),
        pytest.param(
            "{a: 3, <<: {a: 1, b: 2}}", {"a": "1", "b": "2"}, id="merge-last-beats-keys"
        ),
        pytest.param(
            "{<<: [{a: 1}, {a: 2, b: 2}]}", {"a": "1", "b": "2"}, id="merge-sequence"
        ),
        pytest.param(
            "{<<: {<<: {a: 1, b: 1}, b: 2}, c: 3}",
            {"a": "1", "b": "2", "c": "3"},
            id="merge-nested",
        ),
        pytest.param("{<<: {}, <<: {a: 1}}", {"a": "1"}, id="merge-twice"),
        pytest.param("{'<<': {a: 1}}", None, id="quoted-is-no-merge"),
        pytest.param("{!!merge '<<': {a: 1}}", {"a": "1"}, id="tagged-is-a-merge"),
        pytest.param("{! '<<': {a: 1}}", {"a": "1"}, id="non-specific-tag-is-a-merge"),
        pytest.param("!!seq {a: 1}", {"a": "1"}, id="tag-of-a-mapping-is-ignored"),
        pytest.param("!!null {a: 1}", {"a": "1"}, id="even-null"),
        pytest.param("~", {}, id="null"),
    ],
)
def test_structure_is_what_nfd_makes_of_it(
    text: str, expected: dict[str, str] | None
) -> None:
    if expected is None:
        with pytest.raises(SpecError):
            labels(text)
    else:
        assert expected == labels(text)


def test_an_alias_may_merge_what_another_rule_says() -> None:
    text = b"""
    rules:
    - &first
      labels: &base {a: 1, b: 1}
      name: first
    - <<: *first
      labels: {<<: [*base, {c: 3}], b: 2}
    """
    first, second = nodefeaturerule.read(text)
    assert "first" == first.name == second.name
    assert {"a": "1", "b": "2", "c": "3"} == second.labels


def test_an_unsupported_key_that_is_overwritten_does_not_count() -> None:
    text = b"{version: {~: 1}, list: [1], version: x}"
    assert "x" == parse.read(text).version


@pytest.mark.parametrize(
    "text",
    [
        "version: x\n---\nversion: y\n",
        "version: x\n...\nversion: y\n",
        "version: x\n---\n{[",
        "--- {version: x}\n--- @",
        "# comment\n%YAML 1.1\n%TAG !e! tag:yaml.org,2002:\n---\nversion: !e!str x",
        "version: x # comment",
        "version:\n    x\n",
        "version: |-\n  x\n",
        "version: >-\n  x\n",
        "? version\n: x\n",
        "{version: x,}",
        '{"version":\n\tx}',
        "\ufeffversion: x",
        "version: x\r\nother: y\r\n",
        "version: x\u2028other: y",
    ],
)
def test_only_the_first_document_is_read_in_any_style(text: str) -> None:
    assert "x" == parse.read(text.encode()).version


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    content = "version: é".encode(encoding)
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + content
    assert "é" == parse.read(content).version


@pytest.mark.parametrize("content", [b"", b"\n", b"# x", b"---", b"~", b"--- # x\n..."])
def test_a_text_without_a_value_is_an_empty_spec(content: bytes) -> None:
    assert () == parse.read(content).compatibilities


def test_what_follows_is_looked_at_as_far_as_nfd_reads_ahead() -> None:
    near = b"version: x\n---\n" + b"#" * 300 + b"\xff"
    far = b"version: x\n---\n" + b"#" * 600 + b"\xff"
    with pytest.raises(SpecError, match="invalid leading UTF-8 octet"):
        parse.read(near)
    assert "x" == parse.read(far).version


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_nesting_is_bounded() -> None:
    assert read(nested(64), LIMITS).root.data
    with pytest.raises(SpecError) as caught:
        read(nested(65), LIMITS)
    assert "TooCostly" == caught.value.reason
    assert (
        "too costly: more than 64 sequences and mappings inside each other"
        == caught.value.message
    )
    assert (1, 65) == (caught.value.line, caught.value.column)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[" * 250_000, id="flow"),
        pytest.param(b"{a: " * 60_000, id="flow-mappings"),
        pytest.param(b"- " * 120_000, id="block"),
        pytest.param(
            b"".join(b" " * i + b"a:\n" for i in range(600)), id="block-mappings"
        ),
    ],
)
def test_any_nesting_is_refused_without_recursion(content: bytes) -> None:
    with pytest.raises(SpecError, match="too costly"):
        parse.read(content)


def chain(length: int, template: str) -> bytes:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{i}: &a{i} {template}" % f"*a{i - 1}" for i in range(1, length)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("template", ["[%s]", "{<<: %s}", "{<<: [%s]}"])
def test_nesting_through_aliases_is_bounded(template: str) -> None:
    limits = Limits(depth=9)
    assert read(chain(8, template), limits).root.data
    with pytest.raises(SpecError, match="more than 9 sequences"):
        read(chain(9, template), limits)


def test_nodes_as_written_are_bounded() -> None:
    limits = Limits(nodes=10)
    assert read(b"[a, b, c, d, e, f, g, h]", limits).root.data  # and the document
    with pytest.raises(SpecError) as caught:
        read(b"[a, b, c, d, e, f, g, h,\n i]", limits)
    assert "TooCostly" == caught.value.reason
    assert (
        "too costly: more than 10 YAML nodes, aliases expanded" == caught.value.message
    )
    assert (2, 2) == (caught.value.line, caught.value.column)


def test_nodes_are_bounded_before_any_is_expanded() -> None:
    with pytest.raises(SpecError, match="more than 2 YAML nodes") as caught:
        read(b"- a\n- b", Limits(nodes=2))
    assert (2, 3) == (caught.value.line, caught.value.column)


@pytest.mark.parametrize(
    ("content", "nodes"),
    [
        pytest.param(b"[&a [x, y], *a]", 1 + 4 + 4, id="alias"),
        pytest.param(b"{a: &a {x: y}, <<: *a}", 1 + 5 + 4, id="merge"),
        pytest.param(b"{a: &a {x: y}, <<: [*a, *a]}", 1 + 5 + 8, id="merge-sequence"),
    ],
)
def test_nodes_are_counted_as_nfd_counts_its_steps(content: bytes, nodes: int) -> None:
    assert read(content, Limits(nodes=nodes)).root.data
    with pytest.raises(SpecError, match=f"more than {nodes - 1} YAML nodes"):
        read(content, Limits(nodes=nodes - 1))


def test_a_document_of_aliases_alone_is_refused_as_nfd_does() -> None:
    bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    names = "abcdefghij"
    for before, name in pairwise(names):
        bomb.append(f"{name}: &{name} [{', '.join(['*' + before] * 9)}]")
    with pytest.raises(SpecError) as caught:
        parse.read("\n".join(bomb).encode())
    assert (
        "error converting YAML to JSON: yaml: document contains excessive aliasing"
        == caught.value.message
    )


def test_an_alias_bomb_with_padding_hits_our_bound() -> None:
    lines = ["a: &a [" + "x, " * 300 + "]", "b: &b [" + "*a, " * 30 + "]"]
    with pytest.raises(SpecError, match="more than 20000 YAML nodes"):
        parse.read("\n".join([*lines, "c: [" + "*b, " * 30 + "]"]).encode())


@pytest.mark.parametrize(("length", "times"), [(63, 4), (64, 1)])
def test_a_long_scalar_is_read_once_however_many_aliases_lead_to_it(
    length: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a spec of 200 KB with thousands of aliases of one number took 14 s."""
    seen: list[str] = []

    def counted(text: str, base: int = 0) -> int:
        seen.append(text)
        return int(text, base)

    monkeypatch.setattr(strconv, "parse_int", counted)
    text = "0x" + "1" * (length - 2)
    read(f"[&k {text}, *k, *k, *k]".encode(), Limits())
    assert [text] * times == seen
