"""What YAML itself hides: keys that are given twice, documents that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, cast

from app.compat import spelling
from app.compat.lint.problem import At, Problems, below, found, shown
from app.compat.yaml_nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
)

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
                if key.value in seen and key.value != "<<":
                    at = At(key.line + 1, key.column + 1, inner)
                    line = seen[key.value].line + 1
                    message = (
                        f"{shown(key.value)} stands in line {line} already: NFD takes"
                        " the last"
                    )
                    yield found("duplicate-key", at, message, "keep one")
                seen[key.value] = key
                open_nodes.append((child, inner))


def _entries(node: MappingNode) -> Iterator[tuple[ScalarNode, Node]]:
    pairs = iter(node.children)
    for key, child in zip(pairs, pairs, strict=True):
        known = key.target if isinstance(key, AliasNode) else key
        yield cast("ScalarNode", known), child  # others are refused before


def others(content: bytes, root: Node) -> Problems:
    """A second document in the same text: NFD reads the first only."""
    lines = _LINE_BREAK.split(spelling.decode(content))
    for number in range(root.line + 1, len(lines)):
        mark = _MARK.match(lines[number])
        if mark is None:
            continue
        rest = [lines[number][3:], *lines[number + 1 :]]
        if mark[1] == "---" or any(_says_something(line) for line in rest):
            at = At(number + 1, 1, "$")
            message = "a second YAML document begins here: NFD reads the first only"
            hint = "put every set into one list `compatibilities`"
            yield found("second-document", at, message, hint)
        return


def _says_something(line: str) -> bool:
    text = line.strip()
    return bool(text) and not text.startswith(("#", "..."))
