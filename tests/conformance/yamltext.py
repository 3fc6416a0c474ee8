"""Writes a spec as YAML in many styles, and the scalars that YAML 1.1 coerces."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any, Final

ALL_STYLES: Final = ("block", "flow", "anchor", "duplicate", "bom", "second", "case")


class Raw(str):
    """A scalar that is written without quotes."""

    __slots__ = ()


READ: Final[Mapping[Raw, str]] = {
    Raw(text): value
    for text, value in {
        **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "true"), "true"),
        **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "OFF", "False"), "false"),
        "0200": "128",
        "0777": "511",
        "0x1f": "31",
        "0b101": "5",
        "0o17": "15",
        "1_000": "1000",
        "+1": "1",
        "-0": "0",
        "08": "8",
        "-5": "-5",
        "1.10": "1.1",
        "5.10": "5.1",
        "22.04": "22.04",
        "1.0": "1",
        "1e3": "1000",
        "1e21": "1e+21",
        "16777217.0": "1.6777216e+07",
        ".5": "0.5",
        "1.": "1",
        "3.14159265358979": "3.1415927",
        "123456789.123": "1.2345679e+08",
        ".inf": "+Inf",
        "-.Inf": "-Inf",
        ".nan": "NaN",
        "1e400": "1e400",
        "~": "",
        "null": "",
        "2001-12-14": "2001-12-14",
        "12:30": "12:30",
        "!!binary aGk=": "hi",
        "!!str 5": "5",
        "'0200'": "0200",
        '"\\x41"': "A",
        "plain": "plain",
        "1 2": "1 2",
        "0x": "0x",
        "190:20:30": "190:20:30",
        "9223372036854775808": "9223372036854775808",
        "0.1": "0.1",
        "1_0.5": "10.5",
    }.items()
}
"""Scalar as written -> one text that it may be read as; NFD decides."""

SCALARS: Final = tuple(READ)

_HEAD = (
    "compatibilities:\n- rules:\n  - name: r\n    matchFeatures:\n    - feature: a.b\n"
)
BROKEN: Final = (
    *("", "null", "~", "[]", "5", "x", "---\n", "{}", "compatibilities:", "\ufeff{}"),
    *("compatibilities: null", "compatibilities: []", "compatibilities: x", "a: b: c"),
    *("compatibilities:\n- null", "compatibilities:\n- rules: [null]", "{", "[1, 2"),
    *("compatibilities: {rules: []}", "compatibilities:\n- weight: yes", "a: *b"),
    *("compatibilities:\n- weight: '5'", "compatibilities:\n- weight: 1.5", "\ta: 1"),
    *("compatibilities:\n- weight: 1e2", "compatibilities:\n- tag: [a]", "? [a]\n: b"),
    *("compatibilities:\n- rules: x", "compatibilities:\n- rules:\n  - 5", "~: 1"),
    *(_HEAD + "      matchExpressions: []", _HEAD + "      matchExpressions: {k: 5}"),
    *(_HEAD + "      matchExpressions: {k: {op: In, value: x}}",),
    *(_HEAD + "      matchExpressions: {k: {op: In, value: [[x]]}}",),
    *(_HEAD + "      matchExpressions: {k: {op: In, value: {a: b}}}",),
    *(_HEAD + "      matchExpressions: {~: {op: In, value: [a]}}",),
    *(_HEAD + "      matchExpressions: {k: {op: 5}}", _HEAD + "      matchName: []"),
    *("a: 1\na: 2\n", "a: !!int x", "a: !!float 1", "%YAML 1.1\n---\na: 1", "a: 'b"),
    *('a: "\\q"', "a: |\n  x\n y", "- a\nb: c", "a: &x [*x]", "a: @b", "a: `b`"),
    *("version: [1]", "version: {a: b}", "VERSION: 1\nversion: 2", "\x00", "a: \x07"),
)


def write(chance: random.Random, spec: Any) -> tuple[str, tuple[str, ...]]:
    """The spec as text, and the styles that were used."""
    styles = [style for style in ALL_STYLES[2:] if chance.random() < 0.2]
    if "case" in styles:
        spec = _recased(chance, spec)
    is_flow = chance.random() < 0.3
    text = f"{_flow(spec)}\n" if is_flow else _block(spec, 0)
    styles.append("flow" if is_flow else "block")
    if "anchor" in styles and not is_flow:
        text = _anchored(text)
    if "duplicate" in styles and not is_flow:
        text = f"compatibilities: []\n{text}"
    if "bom" in styles:
        text = f"\ufeff{text}"
    if "second" in styles:
        text = f"--- # first\n{text}---\ncompatibilities: []\n"
    return text, tuple(f"yaml {style}" for style in styles)


def _anchored(text: str) -> str:
    """Puts a merge key before the first expressions."""
    mark = "matchExpressions:\n"
    before, found, after = text.partition(mark)
    if not found:
        return text
    depth = len(after) - len(after.lstrip(" "))
    if not depth:
        return text
    merge = f"{' ' * depth}<<: *anchor\n"
    return f"anchor: &anchor\n  k1: {{op: Exists}}\n{before}{mark}{merge}{after}"


def _recased(chance: random.Random, node: Any) -> Any:
    """Field names in other cases; NFD takes them all."""
    if isinstance(node, list):
        return [_recased(chance, item) for item in node]
    if not isinstance(node, dict):
        return node
    fields = ("rules", "matchFeatures", "matchExpressions", "matchName", "op", "value")
    return {
        (chance.choice((key.upper(), key.lower(), key)) if key in fields else key): (
            _recased(chance, value)
        )
        for key, value in node.items()
    }


def _scalar(value: Any) -> str:
    return str(value) if isinstance(value, Raw) else json.dumps(value)


def _flow(node: Any) -> str:
    if isinstance(node, dict):
        pairs = (f"{_scalar(key)}: {_flow(value)}" for key, value in node.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_flow, node)) + "]"
    return _scalar(node)


def _block(node: Any, depth: int) -> str:
    pad = " " * depth
    if isinstance(node, dict) and node:
        return "".join(
            f"{pad}{_scalar(key)}:{_nested(value, depth)}"
            for key, value in node.items()
        )
    if isinstance(node, list) and node:
        return "".join(f"{pad}-{_nested(item, depth)}" for item in node)
    return f"{pad}{_flow(node)}\n"


def _nested(value: Any, depth: int) -> str:
    if isinstance(value, dict | list) and value:
        return f"\n{_block(value, depth + 2)}"
    return f" {_flow(value)}\n"
