"""A kubelet's CredentialProviderConfig: which plugin is for which images.

Read as strictly as the kubelet reads it, and told more exactly: every fault is named,
with its line and column and with what was expected. Two things are stricter:

* A plugin's name is of letters, digits and `._-`.
* `tokenAttributes` is refused: the kubelet has a ServiceAccount's token made for a
  Pod that it runs; before a Pod exists there is none, and we may not ask for it.

Source: Kubernetes v1.35.4 `pkg/credentialprovider/plugin/config.go`,
`pkg/kubelet/apis/config/v1/types.go`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, TypeAlias, cast

import yaml

from app.errors import ConfigError
from app.oci import durations
from app.oci.credentials.keyring import Credential, Entry
from app.oci.credentials.programs import is_name

MAX_PLUGIN_CONFIG_BYTES: Final = 1 << 20
MAX_PLUGINS: Final = 64
MAX_FAULTS: Final = 20
"""Told of one file."""

API_VERSIONS: Final = tuple(
    f"credentialprovider.kubelet.k8s.io/{one}" for one in ("v1", "v1beta1", "v1alpha1")
)
"""Of a plugin's protocol; the three have the same fields."""

_KIND: Final = "CredentialProviderConfig"
_FILE_VERSIONS: Final = tuple(
    f"kubelet.config.k8s.io/{one}" for one in ("v1", "v1beta1", "v1alpha1")
)
MAX_DEPTH: Final = 16
MAX_EVENTS: Final = 50_000
_REASON: Final = "InvalidCredentialProviders"
_TOP: Final = ("apiVersion", "kind", "providers")
_PROVIDER: Final = (
    *("name", "matchImages", "defaultCacheDuration", "apiVersion"),
    *("args", "env", "tokenAttributes"),
)
_LOADER: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT: Final = "tag:yaml.org,2002:str"
_NULL: Final = "tag:yaml.org,2002:null"

_Fields: TypeAlias = Mapping[str, yaml.Node]


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin, as the file describes it.

    Attributes:
        name: of the program.
        api_version: of its protocol.
        match: patterns of images that it is for.
        default_seconds: how long an answer holds that does not say; 0 for not at all.
        arguments: of the program.
        environment: variables of its own.
    """

    name: str
    api_version: str
    match: tuple[Entry, ...]
    default_seconds: float
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_plugins(content: bytes) -> tuple[Plugin, ...]:
    """Reads a CredentialProviderConfig file, in YAML or JSON.

    Raises:
        ConfigError: it is none; the message has a line for every fault, and no value
            of a variable.
    """
    if len(content) > MAX_PLUGIN_CONFIG_BYTES:
        raise ConfigError(_REASON, f"larger than {MAX_PLUGIN_CONFIG_BYTES} bytes")
    reader = _Reader()
    found = reader.file(_composed(content))
    if reader.faults:
        told = sorted(reader.faults)[:MAX_FAULTS]
        raise ConfigError(_REASON, "\n".join(line for _, _, line in told))
    return found


def _composed(content: bytes) -> yaml.Node | None:
    """The document's node; nothing is built from it."""
    loader: yaml.SafeLoader | None = None
    try:
        depth = 0
        for count, event in enumerate(yaml.parse(content, Loader=_LOADER)):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH or count > MAX_EVENTS:
                say = f"deeper than {MAX_DEPTH} levels, or more than {MAX_EVENTS} parts"
                raise ConfigError(_REASON, f"{_place(event.start_mark)}: {say}")
            if isinstance(event, yaml.AliasEvent):
                say = "expected YAML without aliases (`*`)"
                raise ConfigError(_REASON, f"{_place(event.start_mark)}: {say}")
        loader = _LOADER(content)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{_place(mark)}: " if mark else ""
        raise ConfigError(_REASON, f"{where}expected valid YAML") from None
    except (yaml.YAMLError, ValueError):
        raise ConfigError(_REASON, "expected valid YAML") from None
    finally:
        if loader is not None:
            loader.dispose()


def _place(mark: Any) -> str:  # noqa: ANN401 - PyYAML has two classes of marks
    """A place in the file, counted from 1."""
    return f"line {mark.line + 1}, column {mark.column + 1}"


class _Reader:
    """Reads nodes, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.faults: Final[list[tuple[int, int, str]]] = []

    def _fault(self, node: yaml.Node, path: str, say: str) -> None:
        mark = node.start_mark
        where = f"{_place(mark)}: {path}" if path else _place(mark)
        self.faults.append((mark.line, mark.column, f"{where}: {say}"))

    # The file -------------------------------------------------------------------

    def file(self, node: yaml.Node | None) -> tuple[Plugin, ...]:
        if node is None:
            raise ConfigError(_REASON, f"expected a {_KIND}, and got nothing")
        top = self._fields(node, "", _TOP)
        if top is None:
            return ()
        self._one_of(node, top, "", "apiVersion", _FILE_VERSIONS)
        self._one_of(node, top, "", "kind", (_KIND,))
        listed = self._required(node, top, "", "providers")
        items = self._items(listed, "providers", at_least=1)
        if len(items) > MAX_PLUGINS:
            self._fault(items[0], "providers", f"more than {MAX_PLUGINS}")
            return ()
        return self._plugins(items)

    def _plugins(self, items: list[yaml.Node]) -> tuple[Plugin, ...]:
        found: dict[str, Plugin] = {}
        for number, item in enumerate(items):
            path = f"providers[{number}]"
            plugin = self._plugin(item, path)
            if plugin is None:
                continue
            if plugin.name in found:
                self._fault(item, f"{path}.name", "stands here a second time")
            found[plugin.name] = plugin
        return tuple(found.values())

    def _plugin(self, node: yaml.Node, path: str) -> Plugin | None:
        fields = self._fields(node, path, _PROVIDER)
        if fields is None:
            return None
        name = self._name(node, fields, path)
        version = self._one_of(node, fields, path, "apiVersion", API_VERSIONS)
        seconds = self._duration(node, fields, path)
        match = self._match(node, fields, path)
        if "tokenAttributes" in fields:
            say = "not supported: we have no ServiceAccount tokens of Pods"
            self._fault(fields["tokenAttributes"], f"{path}.tokenAttributes", say)
        arguments = self._texts(fields.get("args"), f"{path}.args")
        environment = dict(self._environment(fields.get("env"), f"{path}.env"))
        return Plugin(name, version, match, seconds, arguments, environment)

    # Fields of a plugin ---------------------------------------------------------

    def _name(self, node: yaml.Node, fields: _Fields, path: str) -> str:
        given = self._required(node, fields, path, "name")
        name = self._text(given, f"{path}.name")
        if given is not None and name is not None and not is_name(name):
            say = "expected a program's name of letters, digits and `._-`"
            self._fault(given, f"{path}.name", say)
        return name or ""

    def _duration(self, node: yaml.Node, fields: _Fields, path: str) -> float:
        key = "defaultCacheDuration"
        given = self._required(node, fields, path, key)
        text = self._text(given, f"{path}.{key}")
        if given is None or text is None:
            return 0.0
        seconds = durations.seconds_of(text)
        if seconds is None or seconds < 0:
            say = "expected a duration as `12h` or `1h30m`, not below 0"
            self._fault(given, f"{path}.{key}", say)
        return seconds or 0.0

    def _match(self, node: yaml.Node, fields: _Fields, path: str) -> tuple[Entry, ...]:
        given = self._required(node, fields, path, "matchImages")
        items = self._items(given, f"{path}.matchImages", at_least=1)
        found: list[Entry] = []
        for number, item in enumerate(items):
            where = f"{path}.matchImages[{number}]"
            text = self._text(item, where)
            if text is None:
                continue
            has_scheme = "://" in text
            entry = None if has_scheme else Entry.as_written(text, Credential())
            if entry is None:
                say = "expected a pattern as `*.registry.example:5000/path`"
                self._fault(item, where, say)
                continue
            found.append(entry)
        return tuple(found)

    def _environment(
        self, node: yaml.Node | None, path: str
    ) -> Iterator[tuple[str, str]]:
        for number, item in enumerate(self._items(node, path)):
            where = f"{path}[{number}]"
            fields = self._fields(item, where, ("name", "value"))
            if fields is None:
                continue
            given = self._required(item, fields, where, "name")
            name = self._text(given, f"{where}.name")
            value = self._text(fields.get("value"), f"{where}.value")
            if given is None or name is None:
                continue
            if not name or "=" in name or "\0" in name + (value or ""):
                self._fault(given, f"{where}.name", "expected a variable's name")
            yield name, value or ""

    # Values ---------------------------------------------------------------------

    def _fields(
        self, node: yaml.Node, path: str, known: tuple[str, ...]
    ) -> dict[str, yaml.Node] | None:
        """A mapping's values by key; null ones are as good as left out."""
        if not isinstance(node, yaml.MappingNode):
            self._fault(node, path, f"expected a mapping with {', '.join(known)}")
            return None
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key not in known:
                self._fault(key_node, path, _unknown(key, known))
            elif key in found:
                where = f"{path}.{key}" if path else key
                self._fault(key_node, where, "stands here a second time")
            else:
                found[key] = value
        return {key: value for key, value in found.items() if value.tag != _NULL}

    def _required(
        self, node: yaml.Node, fields: _Fields, path: str, key: str
    ) -> yaml.Node | None:
        if key not in fields:
            self._fault(node, path, f"expected `{key}`")
        return fields.get(key)

    def _items(
        self, node: yaml.Node | None, path: str, *, at_least: int = 0
    ) -> list[yaml.Node]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._fault(node, path, "expected a list")
            return []
        if len(node.value) < at_least:
            self._fault(node, path, f"expected {at_least} or more")
        return list(node.value)

    def _texts(self, node: yaml.Node | None, path: str) -> tuple[str, ...]:
        found: list[str] = []
        for number, item in enumerate(self._items(node, path)):
            text = self._text(item, f"{path}[{number}]")
            if text is not None and "\0" in text:
                self._fault(item, f"{path}[{number}]", "expected a text without NUL")
            found.append(text or "")
        return tuple(found)

    def _text(self, node: yaml.Node | None, path: str) -> str | None:
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag != _TEXT:
            self._fault(node, path, 'expected a text; quote it ("...")')
            return None
        return cast("str", node.value)

    def _one_of(
        self,
        node: yaml.Node,
        fields: _Fields,
        path: str,
        key: str,
        allowed: tuple[str, ...],
    ) -> str:
        given = self._required(node, fields, path, key)
        where = f"{path}.{key}" if path else key
        text = self._text(given, where)
        if given is not None and text is not None and text not in allowed:
            self._fault(given, where, f"expected {' or '.join(allowed)}")
        return text or ""


def _unknown(key: str | None, known: tuple[str, ...]) -> str:
    if key is None:
        return "expected a text as key"
    close = get_close_matches(key, known, n=1)
    if close:
        return f"unknown key; did you mean `{close[0]}`?"
    return f"unknown key; expected {', '.join(known)}"
