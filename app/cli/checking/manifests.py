"""The workloads in a text of manifests, each with its place.

YAML of any number of documents, JSON likewise, Lists of objects or of one kind
(`kind: List`, `DeploymentList`). An object of another kind is counted and passed
over, whatever it holds; one that is none ends it all, because nobody knows what is
missing then; so does a workload that no API server would take. Of Namespaces the
labels are kept, because they choose modes, and RuntimeClasses, because they choose
nodes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

from app.admission.review import Review
from app.cli.checking.files import File
from app.errors import ConfigError
from app.scheduling import kinds, podspec
from app.scheduling.kinds import Kind

INVALID: Final = "InvalidManifest"

MAX_OBJECTS: Final = 100_000
"""Of all texts, those that are passed over included."""

MAX_NODES: Final = 2_000_000
"""YAML nodes of one text, anchors expanded; a chart with all its CRDs has 200,000."""

LIVE: Final = "cluster"
"""The place of what was read from a cluster."""

_MAX_DEPTH: Final = 4
"""Lists in lists."""

_NOT_SPACE: Final = re.compile(r"[^ \t\r\n]")
_SOURCE: Final = "# Source: "
"""What helm writes above each document."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One workload.

    Attributes:
        kind: what it is.
        namespace: that it says; empty if it says none.
        name: likewise; with `generateName` what it begins with.
        place: where it stands: `train.yaml:12`.
        object: decoded.
        runs_on: the node that the scheduler chose for it, which `object` does not
            name: the webhook was asked before. Empty for all else.
    """

    kind: Kind
    namespace: str
    name: str
    place: str
    object: Mapping[str, Any]
    runs_on: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it was read from a cluster, whose API server has taken it."""
        return self.place == LIVE

    @property
    def label(self) -> str:
        """Kind, namespace and name, for a person."""
        name = self.name or "without a name"
        where = f"{self.namespace}/{name}" if self.namespace else name
        return f"{self.kind.name} {where}"

    @property
    def pod_spec(self) -> Mapping[str, Any]:
        """The `spec` of its Pod; empty for none."""
        found = self.object
        for key in (*self.kind.template, "spec"):
            found = _mapping(found.get(key))
        return found

    def with_pod_spec(self, more: Mapping[str, Any]) -> Manifest:
        """The same with other values in the `spec` of its Pod."""
        made: Mapping[str, Any] = {**self.pod_spec, **more}
        path = (*self.kind.template, "spec")
        for depth in range(len(path), 0, -1):
            holder = self.object
            for key in path[: depth - 1]:
                holder = _mapping(holder.get(key))
            made = {**holder, path[depth - 1]: made}
        return replace(self, object=made)

    def review(self, namespace: str) -> Review:
        """What the API server would ask of a webhook when it is created.

        Args:
            namespace: where it goes if it does not say.
        """
        return Review(
            uid="check",
            kind=self.kind.name,
            group=self.kind.group,
            resource=f"{self.kind.name.lower()}s",
            operation="CREATE",
            namespace=self.namespace or namespace,
            name=self.name,
            object=self.object,
        )


@dataclass(slots=True)
class Found:
    """What texts hold.

    Attributes:
        manifests: the workloads, in order.
        namespaces: Namespace -> its labels.
        runtime_classes: name -> object of the kind RuntimeClass.
        others: kind of what was passed over -> how often.
        objects: how many there were in all.
    """

    manifests: list[Manifest] = field(default_factory=list)
    namespaces: dict[str, Mapping[str, str]] = field(default_factory=dict)
    runtime_classes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    objects: int = 0

    def take(self, value: object, place: str, *, of: str = "") -> None:
        """Takes in one object, or what a List holds.

        Args:
            value: decoded.
            place: where it stands.
            of: what a List of one kind says of its items: `apps/v1 Deployment`.

        Raises:
            ConfigError: it is no object; with the place.
        """
        self._take(value, place, of, _MAX_DEPTH)

    def _take(self, value: object, place: str, of: str, depth: int) -> None:
        self.objects += 1
        if self.objects > MAX_OBJECTS:
            refuse(place, f"more than {MAX_OBJECTS} objects")
        if not isinstance(value, Mapping):
            refuse(place, f"expected an object with a kind, found {_shape(value)}")
        version, kind = _identity(value, place, of)
        if _is_list(kind, value):
            if not depth:
                refuse(place, f"more than {_MAX_DEPTH} Lists in each other")
            self.objects -= 1
            one = kind.removesuffix("List")
            inner = f"{version} {one}" if one else ""
            for number, item in enumerate(value.get("items") or []):
                self._take(item, f"{place} items[{number}]", inner, depth - 1)
            return
        self._keep(value, version, kind, place)

    def _keep(
        self, value: Mapping[str, Any], version: str, kind: str, place: str
    ) -> None:
        found = kinds.find(kind, version)
        if found is not None:
            metadata = _mapping(value.get("metadata"))
            name = _text(metadata.get("name")) or _text(metadata.get("generateName"))
            namespace = _text(metadata.get("namespace"))
            self.manifests.append(Manifest(found, namespace, name, place, value))
            return
        self.others[kind] += 1
        if kind == "RuntimeClass" and kinds.group(version) == "node.k8s.io":
            named = _mapping(value.get("metadata")).get("name")
            self.runtime_classes[_text(named)] = value
        if kind == "Namespace" and not kinds.group(version):
            metadata = _mapping(value.get("metadata"))
            labels = _mapping(metadata.get("labels"))
            self.namespaces[_text(metadata.get("name"))] = {
                key: one for key, one in labels.items() if isinstance(one, str)
            }


def read(file: File, found: Found) -> None:
    """Takes in every object of one text.

    Raises:
        ConfigError: it is no YAML or JSON, or holds something that is no object; with
            file, document and line.
    """
    if file.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}:
        documents = _json(file)
    else:
        documents = _yaml(file)
    for place, value in documents:
        found.take(value, place)


def require_readable(found: Found) -> None:
    """Refuses workloads that an API server would refuse, and that we cannot judge.

    Raises:
        ConfigError: a part of one cannot be read, or it has no image; with its place.
    """
    for one in found.manifests:
        pod = podspec.of(one.kind, one.object)
        if pod.unreadable:
            paths = ", ".join(sorted(set(pod.unreadable)))
            refuse(one.place, f"{one.label}: cannot read {paths}")
        if not pod.images:
            where = ".".join((*one.kind.template, "spec"))
            refuse(one.place, f"{one.label}: no container with an image in {where}")


def _yaml(file: File) -> Iterator[tuple[str, object]]:
    from app.cli.nodes import yaml_stream  # noqa: PLC0415 - JSON needs none

    lines = file.content.splitlines()
    limits = yaml_stream.Limits(nodes=MAX_NODES)
    try:
        for document in yaml_stream.read(file.content, limits=limits):
            line, source = _begin(lines, document.line)
            yield f"{file.name}:{line}{source}", document.value
    except ConfigError as error:
        raise ConfigError(INVALID, f"{file.name}: {error.message}") from error


def _begin(lines: list[bytes], line: int) -> tuple[int, str]:
    """Where the first key of a document stands, and the template it is made from.

    Args:
        lines: of the text.
        line: of the document's `---`, or of its first key.
    """
    at = line - 1
    while at < len(lines) and _is_before(lines[at]):
        at += 1
    above = at - 1
    while above >= 0 and _is_before(lines[above]):
        text = lines[above].decode(errors="replace")
        if text.startswith(_SOURCE):
            return at + 1, f", {text.removeprefix(_SOURCE).strip()}"
        if text.startswith("---"):
            break
        above -= 1
    return min(at + 1, len(lines)), ""


def _is_before(line: bytes) -> bool:
    """Whether a line says nothing yet: a comment, a blank, or the mark itself."""
    text = line.strip()
    mark = text.removeprefix(b"---").lstrip() if line.startswith(b"---") else text
    return not mark or mark.startswith(b"#")


def _json(file: File) -> Iterator[tuple[str, object]]:
    """JSON documents, one after the other."""
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse(f"{file.name}: document 1, line 1", f"no valid JSON: {error.reason}")
    decoder, at, line, number = json.JSONDecoder(), 0, 1, 0
    while True:
        begin = (
            len(text)
            if (found := _NOT_SPACE.search(text, at)) is None
            else found.start()
        )
        line += text.count("\n", at, begin)
        if begin == len(text):
            return
        number += 1
        try:
            value, at = decoder.raw_decode(text, begin)
        except json.JSONDecodeError as error:
            place = f"{file.name}: document {number}, line {error.lineno}"
            refuse(place, f"no valid JSON: {error.msg}")
        except (ValueError, RecursionError) as error:
            place = f"{file.name}: document {number}, line {line}"
            refuse(place, f"no valid JSON: {error}")
        yield f"{file.name}:{line}", value
        line += text.count("\n", begin, at)


def _identity(value: Mapping[str, Any], place: str, of: str) -> tuple[str, str]:
    """`apiVersion` and `kind`; of an item in a List of one kind also what that says."""
    version, _, kind = of.rpartition(" ")
    version = _text(value.get("apiVersion")) or version
    kind = _text(value.get("kind")) or kind
    if not kind or not version:
        refuse(place, f"an object without {'kind' if not kind else 'apiVersion'}")
    return version, kind


def _is_list(kind: str, value: Mapping[str, Any]) -> bool:
    """Whether an object is a List; some kinds only have such a name."""
    named = kind == "List" or (kind.endswith("List") and "items" in value)
    return named and isinstance(value.get("items"), list | None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _shape(value: object) -> str:
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


def refuse(place: str, text: str) -> NoReturn:
    """Raises `ConfigError` with a place."""
    raise ConfigError(INVALID, f"{place}: {text}")
