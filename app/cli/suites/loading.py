"""Gets the specs and nodes that a suite names.

Paths are relative to the suite's file. What cannot be had is a problem with its
place; a spec that can be had and not be read is an answer, which a test may expect.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from app import recipes
from app.cli.nodes.known import KnownNodes
from app.cli.output import read_input
from app.cli.suites.fields import near
from app.cli.suites.suite import NodeEntry, SpecEntry, SpecSource, Suite
from app.compat import parse
from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.limits import LIMITS
from app.compat.spec import Spec
from app.errors import ConfigError, SpecError
from app.oci.layout import SCHEME

NO_SPEC: Final = "no compatibility spec is attached to it"

Fetched: TypeAlias = Mapping[tuple[str, str | None], bytes | None]
"""(Image, platform) -> the spec that counts; `None` if there is none."""

ReadNodes: TypeAlias = Callable[[Sequence[str]], KnownNodes]
"""As `nodes.reading.read`."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the tests of a suite are about.

    Attributes:
        specs: name -> spec, or why it cannot be read.
        nodes: name -> features; `None` if nothing is known of the node.
        published: features that any of the nodes publishes, in lower case.
    """

    specs: Mapping[str, Spec | str] = field(default_factory=dict)
    nodes: Mapping[str, Features | None] = field(default_factory=dict)
    published: frozenset[str] = frozenset()


def images(suite: Suite) -> tuple[tuple[str, str | None], ...]:
    """The images whose specs are tested: as they are opened, and the platform."""
    return tuple(
        (_image(one, suite), one.platform)
        for one in suite.specs
        if one.source is SpecSource.IMAGE
    )


def load(suite: Suite, read_nodes: ReadNodes) -> tuple[Loaded, tuple[str, ...]]:
    """What the suite names, but for images; and all that is wrong, with its place.

    Args:
        suite: the suite; what it has of entries that cannot be used is not told again.
        read_nodes: reads files with nodes.
    """
    problems: list[str] = []
    broken = set(suite.broken)
    specs = _specs(suite, problems)
    nodes = _nodes(suite, read_nodes, problems, broken)
    named = {"spec": {one.name for one in suite.specs}, "node": nodes.keys()}
    problems += _unknown_names(suite, named, broken)
    known = (one for one in nodes.values() if one is not None)
    return Loaded(specs, nodes, published(known)), tuple(problems)


def with_images(loaded: Loaded, suite: Suite, fetched: Fetched) -> Loaded:
    """What the suite names, with the specs of its images."""
    found = dict(loaded.specs)
    for one in suite.specs:
        if one.source is SpecSource.IMAGE:
            content = fetched[_image(one, suite), one.platform]
            found[one.name] = NO_SPEC if content is None else _parsed(content)
    return replace(loaded, specs=found)


def published(known: Iterable[Features]) -> frozenset[str]:
    """The features that any of these publishes, in lower case."""
    return frozenset(
        lower(feature)
        for one in known
        for sets in (one.flags, one.attributes, one.instances)
        for feature in sets
    )


# Specs --------------------------------------------------------------------------


def _specs(suite: Suite, problems: list[str]) -> dict[str, Spec | str]:
    specs: dict[str, Spec | str] = {}
    for entry in suite.specs:
        try:
            content = _content(entry, suite)
        except ConfigError as error:
            problems.append(f"{entry.place}: {error.message}")
            continue
        if content is not None:
            specs[entry.name] = _parsed(content)
    return specs


def _content(entry: SpecEntry, suite: Suite) -> bytes | None:
    """The text of a spec; `None` for an image's, which must be fetched."""
    match entry.source:
        case SpecSource.INLINE:
            return entry.content
        case SpecSource.IMAGE:
            return None
        case SpecSource.FILE:
            return read_input(_path(entry.target, suite), most_bytes=LIMITS.bytes)
        case SpecSource.RECIPE:
            recipe = recipes.NAMED.get(entry.target)
            if recipe is None:
                hint = near(entry.target, recipes.NAMED)
                text = f"there is no recipe {entry.target}{hint}"
                raise ConfigError("NoSuchRecipe", text)
            return recipe.content


def _parsed(content: bytes) -> Spec | str:
    """As for admission: a spec that asks for nothing is none."""
    try:
        return parse.read_for_admission(content)
    except SpecError as error:
        return error.message


def _image(entry: SpecEntry, suite: Suite) -> str:
    if not entry.target.startswith(SCHEME):
        return entry.target
    return SCHEME + _path(entry.target.removeprefix(SCHEME), suite)


def _path(path: str, suite: Suite) -> str:
    """Relative to the suite's folder; to ours if the suite is standard input."""
    folder = Path() if suite.file == "-" else Path(suite.file).parent
    return str(folder / path)


# Nodes --------------------------------------------------------------------------


def _nodes(
    suite: Suite,
    read_nodes: ReadNodes,
    problems: list[str],
    broken: set[tuple[str, str]],
) -> dict[str, Features | None]:
    nodes: dict[str, Features | None] = {}
    for entry in suite.nodes:
        if not entry.path:
            found = {entry.name: entry.features}
        else:
            try:
                found = _of_file(entry, suite, read_nodes)
            except ConfigError as error:
                problems.append(f"{entry.place}: {error.message}")
                broken.add(("node", entry.name))
                continue
        twice = sorted(found.keys() & nodes.keys())
        problems += (f"{entry.place}: name: there is another {one}" for one in twice)
        nodes |= found
    return nodes


def _of_file(
    entry: NodeEntry, suite: Suite, read_nodes: ReadNodes
) -> dict[str, Features | None]:
    path = _path(entry.path, suite)
    snapshot = read_nodes([path]).snapshot
    names = sorted({*snapshot.nodes, *snapshot.features})
    found = {name: snapshot.features.get(name) for name in names}
    if not entry.name:
        return found
    if len(found) > 1:
        text = f"{path}: {len(found)} nodes cannot all have the name {entry.name}"
        raise ConfigError("InvalidSuite", text)
    return {entry.name: next(iter(found.values()))}


def _unknown_names(
    suite: Suite,
    named: Mapping[str, Collection[str]],
    broken: Collection[tuple[str, str]],
) -> list[str]:
    """Names that tests use and nothing has; each once for a place.

    Args:
        suite: the suite.
        named: `spec` and `node`, and what has that name.
        broken: as `Suite.broken`: no name is missed where one cannot be told.
    """
    found: dict[str, None] = {}
    for case in suite.cases:
        for kind, name in (("spec", case.spec), ("node", case.node)):
            is_named = name in named[kind] or (kind, name) in broken
            if not is_named and (kind, "") not in broken:
                hint = near(name, named[kind])
                found[f"{case.place}: there is no {kind} {name}{hint}"] = None
    return list(found)
