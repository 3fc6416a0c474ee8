"""YAML 1.1 values as goyaml.v2 makes them: types, aliases, merge keys.

`read` gives the first document of a text as a tree of `Value`, the tree that NFD
turns into JSON. The rules are those of go.yaml.in/yaml/v2 v2.4.3 (`resolve.go`,
`decode.go`) and of sigs.k8s.io/yaml v1.6.0 (`yaml.go#L208`):

* `y`, `no`, `on`, ... are booleans, `0777` and `0o17` octal, `1_000` a number,
  `.inf` and `.nan` floats; dates and `12:30` stay text; a quoted scalar is text.
* Keys become text: `1: x` and `"1": x` are the same key. Where NFD chooses at
  random between two such keys, the later one wins here. Null is no key.
* The last of several equal keys wins. A merge key (`<<`) puts the keys of its
  mappings in its own place, so it beats what stands before it.
* An alias may stand anywhere, unless it contains itself.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple, TypeAlias, cast

from app.compat import govalue, yaml_errors
from app.compat.govalue import Scalar
from app.compat.limits import Limits
from app.compat.template import strconv
from app.compat.yaml_nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    compose,
)

_TAG: Final = "tag:yaml.org,2002:"
_STR: Final = _TAG + "str"
_BOOL: Final = _TAG + "bool"
_INT: Final = _TAG + "int"
_FLOAT: Final = _TAG + "float"
_NULL: Final = _TAG + "null"
_TIMESTAMP: Final = _TAG + "timestamp"
_BINARY: Final = _TAG + "binary"
_MERGE: Final = _TAG + "merge"
_RESOLVED: Final = frozenset({"", _STR, _BOOL, _INT, _FLOAT, _NULL, _TIMESTAMP})

_WORDS: Final[Mapping[str, tuple[str, Scalar]]] = {
    spelling: (tag, value)
    for tag, value, spellings in (
        (_BOOL, True, "y Y yes Yes YES true True TRUE on On ON"),
        (_BOOL, False, "n N no No NO false False FALSE off Off OFF"),
        (_NULL, None, "~ null Null NULL"),
        (_FLOAT, float("nan"), ".nan .NaN .NAN"),
        (_FLOAT, float("inf"), ".inf .Inf .INF +.inf +.Inf +.INF"),
        (_FLOAT, float("-inf"), "-.inf -.Inf -.INF"),
    )
    for spelling in spellings.split()
} | {"": (_NULL, None)}

_NUMBER_STARTS: Final = frozenset("+-.0123456789")
_DECIMAL_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
)
_DATE: Final = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})(?P<rest>.*)",
    re.DOTALL,
)
_TIME: Final = re.compile(
    r"(?P<separator>[Tt]| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})"
    r":(?P<second>[0-9]{1,2})(?:[.,][0-9]+)?(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?"
)
_BASE64: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
)

# > allow 99% to come from alias expansion for small-to-medium documents
_MAX_ALIAS_SHARE: Final = 0.99
_ALIASES_FREE: Final = 100
_NODES_FREE: Final = 1_000


@dataclass(slots=True, eq=False)
class Value:
    """A value of the document, and where it stands (both count from 0).

    Attributes:
        data: text, a number, a boolean, null, a list, or a mapping by key.
        key: the node of its key, for an entry of a mapping.
        bad_key: for a mapping, a key that JSON cannot have, with its value.
    """

    data: Data
    line: int
    column: int
    key: Node | None = None
    bad_key: tuple[Scalar, Value] | None = None


Data: TypeAlias = Scalar | list[Value] | dict[str, Value]


class Document(NamedTuple):
    """The first document of a text.

    Attributes:
        root: its value; null if there is no document.
        has_non_finite: whether NaN or an infinity was seen, which JSON lacks.
    """

    root: Value
    has_non_finite: bool = False


def read(content: bytes, limits: Limits) -> Document:
    """The first document of a YAML text.

    Raises:
        SpecError: `InvalidYaml` with NFD's message, or `TooCostly`.
    """
    root = compose(content, limits)
    if root is None:
        return Document(Value(None, 0, 0))
    expander = _Expander(limits)
    value = expander.expand(root, 0)
    if expander.has_bad_keys:
        _refuse_bad_keys(value)
    return Document(value, expander.has_non_finite)


def resolve(node: ScalarNode) -> Scalar:
    """The value of a scalar, by its tag and text (goyaml.v2 `resolve.go#L89`).

    Raises:
        SpecError: `InvalidYaml`: the text is nothing of the kind its tag names.
    """
    tag, text = node.tag, node.value
    if tag == _BINARY:
        return _decode_base64(node)
    if tag not in _RESOLVED or tag == _STR or not (tag or node.implicit):
        return text
    found, value = _resolve_plain(text)
    if tag in {"", found}:
        return value
    if tag == _TIMESTAMP and found == _STR and _is_timestamp(text):
        return text
    if tag == _FLOAT and type(value) is int and value <= govalue.MAX_INT64:
        return float(value)
    problem = f"cannot decode {_short(found)} `{govalue.echo(text)}` as a {_short(tag)}"
    raise yaml_errors.refusal(problem, node)


def _resolve_plain(text: str) -> tuple[str, Scalar]:
    """Tag and value of a plain scalar without a tag."""
    word = _WORDS.get(text)
    if word is not None:
        return word
    if text[0] not in _NUMBER_STARTS:
        return _STR, text
    number = _number(text)
    if number is None:
        return _STR, text
    return (_INT if isinstance(number, int) else _FLOAT), number


def _number(text: str) -> int | float | None:
    if text[0] == ".":
        return _float(text)
    plain = text.replace("_", "")
    for read_integer in (strconv.parse_int, strconv.parse_uint):
        with suppress(ValueError):
            return read_integer(plain)
    if _DECIMAL_FLOAT.fullmatch(plain):
        return _float(plain)
    if plain.startswith("0b"):  # "0b-1" is -1 in goyaml.v2
        with suppress(ValueError):
            return strconv.parse_int(plain[2:], 2)
    return None


def _float(text: str) -> float | None:
    with suppress(ValueError):
        return strconv.parse_float(text)
    return None


def _is_timestamp(text: str) -> bool:
    """Whether one of goyaml.v2's four layouts fits (`resolve.go#L215`)."""
    found = _DATE.fullmatch(text)
    if found is None or not _is_day(*map(int, found.group("year", "month", "day"))):
        return False
    if not found["rest"]:
        return True
    clock = _TIME.fullmatch(found["rest"])
    if clock is None or (clock["separator"][0] == " ") == bool(clock["zone"]):
        return False
    hour, minute, second = map(int, clock.group("hour", "minute", "second"))
    return hour < 24 and minute < 60 and second < 60  # noqa: PLR2004 - a clock


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year or 4, month, day)  # year 0 is a leap year, and known to Go only
    except ValueError:
        return False
    return True


def _decode_base64(node: ScalarNode) -> str:
    """The bytes as text; like Go's JSON, one U+FFFD for each byte that is none."""
    digits = node.value.replace("\r", "").replace("\n", "")
    if not _BASE64.fullmatch(digits):
        raise yaml_errors.refusal("!!binary value contains invalid base64 data", node)
    text = base64.b64decode(digits).decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]", "\N{REPLACEMENT CHARACTER}", text)


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG)


_LONG: Final = 64
"""Characters of a scalar from which on reading it again is worth avoiding."""


class _Expander:
    """Turns nodes into values, and counts as goyaml.v2's decoder does."""

    def __init__(self, limits: Limits) -> None:
        self.has_bad_keys = False
        self.has_non_finite = False
        self._limits = limits
        self._count = 1  # the document
        self._alias_count = 0
        self._alias_depth = 0
        self._expanding: set[int] = set()
        self._long: dict[int, Scalar] = {}

    def expand(self, node: Node, depth: int) -> Value:
        """The value of a node that has `depth` collections around it."""
        if isinstance(node, ScalarNode):
            self._count_one(node)
            data = self._resolved(node)
            if type(data) is float and not math.isfinite(data):
                self.has_non_finite = True
            return Value(data, node.line, node.column)
        if isinstance(node, AliasNode):
            value = self.expand(self._enter(node), depth)
            self._leave(node)
            return value
        self._count_one(node)
        self._check_depth(node, depth)
        if isinstance(node, SequenceNode):
            items = [self.expand(child, depth + 1) for child in node.children]
            return Value(items, node.line, node.column)
        value = Value({}, node.line, node.column)
        self._fill(node, value, depth)
        return value

    def _resolved(self, node: ScalarNode) -> Scalar:
        """Its value; a long one is read once, however many aliases lead to it."""
        if len(node.value) < _LONG:
            return resolve(node)
        if id(node) not in self._long:
            self._long[id(node)] = resolve(node)
        return self._long[id(node)]

    def _fill(self, node: MappingNode, into: Value, depth: int) -> None:
        entries = cast("dict[str, Value]", into.data)
        pairs = iter(node.children)
        for key, child in zip(pairs, pairs, strict=True):
            if _is_merge(key):
                self._merge(child, into, depth)
                continue
            name = self.expand(key, depth + 1).data
            if isinstance(name, (list, dict)):
                problem = "invalid map key: " + _go_syntax(name)
                raise yaml_errors.refusal(govalue.echo(problem), key)
            value = self.expand(child, depth + 1)
            value.key = key
            text = key_text(name)
            if text is not None:
                entries[text] = value
            else:
                into.bad_key = (name, value)
                self.has_bad_keys = True

    def _merge(self, node: Node, into: Value, depth: int) -> None:
        """Puts the keys of the mappings in `node` in (goyaml.v2 `decode.go#L785`)."""
        if isinstance(node, SequenceNode):
            # > Step backwards as earlier nodes take precedence.
            for child in reversed(node.children):
                self._merge_one(child, into, depth)
        else:
            self._merge_one(node, into, depth)

    def _merge_one(self, node: Node, into: Value, depth: int) -> None:
        target = node.target if isinstance(node, AliasNode) else node
        if not isinstance(target, MappingNode):
            problem = "map merge requires map or sequence of maps as the value"
            raise yaml_errors.refusal(problem, node)
        if isinstance(node, AliasNode):
            self._enter(node)
        self._count_one(target)
        self._check_depth(node, depth + 1)
        self._fill(target, into, depth + 1)
        if isinstance(node, AliasNode):
            self._leave(node)

    def _enter(self, node: AliasNode) -> Node:
        self._count_one(node)
        if id(node) in self._expanding:
            problem = f"anchor '{node.name}' value contains itself"
            raise yaml_errors.refusal(problem, node)
        self._expanding.add(id(node))
        self._alias_depth += 1
        return node.target

    def _leave(self, node: AliasNode) -> None:
        self._alias_depth -= 1
        self._expanding.remove(id(node))

    def _check_depth(self, node: Node, depth: int) -> None:
        if depth >= self._limits.depth:
            raise yaml_errors.too_deep(self._limits, node)

    def _count_one(self, node: Node) -> None:
        self._count += 1
        if self._count > self._limits.nodes:
            raise yaml_errors.too_many_nodes(self._limits, node)
        if self._alias_depth:
            self._alias_count += 1
        if (
            self._alias_count > _ALIASES_FREE
            and self._count > _NODES_FREE
            and self._alias_count / self._count > _MAX_ALIAS_SHARE
        ):
            problem = "document contains excessive aliasing"
            raise yaml_errors.refusal(problem, node)


def _is_merge(key: Node) -> bool:
    return (
        isinstance(key, ScalarNode)
        and key.value == "<<"
        and (key.implicit or key.tag == _MERGE)
    )


def key_text(key: Scalar) -> str | None:
    """The key as JSON has it; `None` for null and for what exceeds an int64."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key) if key <= govalue.MAX_INT64 else None
    if isinstance(key, float):
        text = govalue.float32(key)
        return {"+Inf": ".inf", "-Inf": "-.inf", "NaN": ".nan"}.get(text, text)
    return None


def _refuse_bad_keys(value: Value) -> None:
    """Raises for the first key that JSON cannot have, if one is left in the tree."""
    if value.bad_key is not None:
        key, entry = value.bad_key
        kind = "%!s(<nil>)" if key is None else "uint64"
        problem = (
            f"unsupported map key of type: {kind}, key: {_printed(key)},"
            f" value: {_printed(entry.data)}"
        )
        raise yaml_errors.invalid(govalue.echo(problem), entry.key)
    if isinstance(value.data, dict):
        for child in value.data.values():
            _refuse_bad_keys(child)
    elif isinstance(value.data, list):
        for child in value.data:
            _refuse_bad_keys(child)


def _printed(data: Data) -> str:
    return "<nil>" if data is None else _go_syntax(data)


def _go_syntax(data: Data) -> str:
    """The value as Go's `%#v` prints it; keys of one mapping in order of text."""
    if isinstance(data, list):
        items = ", ".join(_go_syntax(item.data) for item in data)
        return f"[]interface {{}}{{{items}}}"
    if isinstance(data, dict):
        entries = ", ".join(
            f"{govalue.syntax(_key_of(data[name]))}:{_go_syntax(data[name].data)}"
            for name in sorted(data)
        )
        return f"map[interface {{}}]interface {{}}{{{entries}}}"
    return govalue.syntax(data)


def _key_of(value: Value) -> Scalar:
    key = value.key
    return resolve(
        cast("ScalarNode", key.target if isinstance(key, AliasNode) else key)
    )
