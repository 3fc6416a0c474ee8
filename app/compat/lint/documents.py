"""What YAML itself hides: keys that are given twice, documents that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, cast

from app.compat import spelling, yaml11
from app.compat.lint.problem import At, Problems, below, found, shown
from app.compat.yaml_nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
)
from app.errors import SpecError

_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_MARK: Final = re.compile(r"(---|\.\.\.)(?:\s|$)")


def duplicates(root: Node) -> Problems:
    """Keys that a mapping holds twice: NFD takes the last."""
    open_nodes: list[tuple[Node, str]] = [(root, "$")]
    while open_nodes:
        node, path = open_nodes.pop()
        if isinstance(node, SequenceNode):
            open_nodes.extend(
                (child, f"{path}[{index}]") for index, child in enumerate(node.children)
            )
        elif isinstance(node, MappingNode):
            seen: dict[str, ScalarNode] = {}
            for key, child in _entries(node):
                inner = below(path, key.value)
                name = _name(key)
                if name in seen and key.value != "<<":
                    at = At(key.line + 1, key.column + 1, inner)
                    message = _repeated(name, seen[name], key)
                    yield found("duplicate-key", at, message, "keep one")
                seen[name] = key
                open_nodes.append((child, inner))


def _name(key: ScalarNode) -> str:
    """The key as NFD gets it: `yes` and `"true"` are one."""
    try:
        name = yaml11.key_text(yaml11.resolve(key))
    except SpecError:  # pragma: no cover - such a document is not read
        name = None
    return key.value if name is None else name


def _repeated(name: str, before: ScalarNode, key: ScalarNode) -> str:
    line = before.line + 1
    if before.value == key.value:
        return f"{shown(name)} stands in line {line} already: NFD takes the last"
    return (
        f"{shown(key.value)} is the same key as {shown(before.value)} in line {line}:"
        f" NFD gets {shown(name)} for both, and keeps one"
    )


def _entries(node: MappingNode) -> Iterator[tuple[ScalarNode, Node]]:
    pairs = iter(node.children)
    for key, child in zip(pairs, pairs, strict=True):
        known = key.target if isinstance(key, AliasNode) else key
        yield cast("ScalarNode", known), child  # others are refused before


def others(content: bytes, root: Node) -> Problems:
    """A second document in the same text: NFD reads the first only."""
    lines = _LINE_BREAK.split(spelling.decode(content))
    is_empty = isinstance(root, ScalarNode) and not root.value
    # Nothing stands where the next document begins.
    for number in range(root.line + (not is_empty), len(lines)):
        mark = _MARK.match(lines[number])
        if mark is None:
            continue
        rest = [lines[number][3:], *lines[number + 1 :]]
        if mark[1] == "---" or any(_says_something(line) for line in rest):
            at = At(number + 1, 1, "$")
            message = "a second YAML document begins here: NFD reads the first only"
            hint = "put every set into one list `compatibilities`"
            if is_empty:
                message += ", which is empty"
                hint = "take out the --- before it"
            yield found("second-document", at, message, hint)
        return


def _says_something(line: str) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith(("#", "..."))
