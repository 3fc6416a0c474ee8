"""Settings inside a ConfigMap: what `helm template` and `kubectl get -o yaml` print.

A text is a manifest if one of its documents has `apiVersion` and `kind`. Of each
ConfigMap with a key `settings.yaml` that text is read; its places are told as places
of the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import yaml

from app.settings.document import LOADER, RefusedError, bounded, one_line
from app.settings.faults import Fault, Place

KEY: Final = "settings.yaml"

_SAY_NONE: Final = f"no ConfigMap with the key {KEY}"
_MAX_DEPTH: Final = 100
"""A CRD's schema is deeper than any settings."""
_MAX_EVENTS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Text:
    """A settings file's text, wherever it was found.

    Attributes:
        content: of the settings file.
        name: of the ConfigMap (`namespace/name`); empty for a file of its own.
        lines: of the manifest from where the content begins; empty if places of the
            content are no places of the manifest.
        start: of the content in the manifest.
    """

    content: bytes
    name: str = ""
    lines: tuple[str, ...] = ()
    start: Place | None = None

    def placed(self, fault: Fault) -> Fault:
        """A fault with its place in the manifest."""
        if self.start is None or fault.variable:
            return fault
        place = fault.place
        if place is None:
            return replace(fault, place=self.start)
        if not self.lines:
            text = f"{fault.message} (line {place.line} of {KEY})"
            return replace(fault, message=text, place=self.start)
        at = place.line - 1
        inner = self.content.decode().splitlines()
        outer = self.lines[at] if at < len(self.lines) else ""
        line = inner[at] if at < len(inner) else ""
        indent = max(outer.find(line), 0) if line else 0
        return replace(fault, place=Place(self.start.line + at, place.column + indent))


def texts(content: bytes) -> tuple[Text, ...] | Fault:
    """The settings files in a text; one that is no manifest is one itself."""
    try:
        for _ in bounded(content, depth=_MAX_DEPTH, events=_MAX_EVENTS):
            pass
        roots = list(yaml.compose_all(content, Loader=LOADER))
    except RefusedError as error:
        return Fault(error.message, place=error.place)
    except (yaml.YAMLError, ValueError):
        # Whatever is wrong is told by whoever reads it as a settings file.
        return (Text(content),)
    if not any(_is_object(root) for root in roots):
        return (Text(content),)
    lines = content.decode(errors="replace").splitlines()
    found = [
        text
        for root in roots
        for one in _objects(root)
        if (text := _text(one, lines)) is not None
    ]
    return tuple(found) if found else Fault(_SAY_NONE)


def _objects(root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    """The object of a document; of a List, its items."""
    if not isinstance(root, yaml.MappingNode):
        return
    items = _child(root, "items")
    if not _scalar(root, "kind").endswith("List"):
        yield root
    elif isinstance(items, yaml.SequenceNode):
        yield from (one for one in items.value if isinstance(one, yaml.MappingNode))


def _text(one: yaml.MappingNode, lines: list[str]) -> Text | None:
    data = _child(one, "data") if _scalar(one, "kind") == "ConfigMap" else None
    node = _child(data, KEY)
    if not isinstance(node, yaml.ScalarNode):
        return None
    metadata = _child(one, "metadata")
    names = _scalar(metadata, "namespace"), _scalar(metadata, "name")
    start = Place(node.start_mark.line + 1, node.start_mark.column + 1)
    content = node.value.encode()
    name = "/".join(filter(None, names))
    if node.style != "|":
        return Text(content, name, start=start)
    begin = start.line  # the line after the `|`
    return Text(content, name, tuple(lines[begin:]), Place(begin + 1, 1))


def _is_object(root: yaml.Node | None) -> bool:
    is_mapping = isinstance(root, yaml.MappingNode)
    return is_mapping and bool(_scalar(root, "apiVersion") and _scalar(root, "kind"))


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == key:
                found: yaml.Node = value
                return found
    return None


def _scalar(node: yaml.Node | None, key: str) -> str:
    child = _child(node, key)
    return one_line(child.value) if isinstance(child, yaml.ScalarNode) else ""
