"""Requirements on labels and fields of a node, as kube-scheduler reads them.

A requirement is read once into a test of a node, or into `None` where
Kubernetes calls it invalid; an invalid requirement spoils its whole term, and a
spoilt term is passed over (`candidates`). The rules:

* operators `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`, spelled so;
* the key is a qualified name, each value a label value (at most 63 characters);
* `In` and `NotIn` have a value, `Exists` and `DoesNotExist` none, `Gt` and `Lt`
  exactly one, which is an integer;
* `NotIn` and `DoesNotExist` hold where the label is absent, `Gt` and `Lt` do not,
  nor where the label is no integer of 64 bits.

Source: `labels.NewRequirement` and `Requirement.Matches`, k8s.io/apimachinery
v0.35.3 `pkg/labels/selector.go`, and `nodeaffinity.go` of k8s.io/component-helpers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import not_
from types import MappingProxyType
from typing import Final, TypeAlias

import msgspec

from app.errors import ConfigError
from app.scheduling.node import Node

Test: TypeAlias = Callable[[Node], bool]
"""Whether a node meets a requirement, or passes a filter."""

MAX_NAME_LENGTH: Final = 63
MAX_PREFIX_LENGTH: Final = 253

_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile(
    rf"([A-Za-z0-9]([-A-Za-z0-9_.]{{0,{MAX_NAME_LENGTH - 2}}}[A-Za-z0-9])?)?"
)
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_PREFIX = re.compile(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*")
_INTEGER = re.compile(r"([+-]?)0*([0-9]+)")
_INT64_DIGITS = 19
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


class Requirement(msgspec.Struct, frozen=True):
    """One requirement as written; the default is one that is invalid."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


def is_valid(requirement: Requirement) -> bool:
    """Whether Kubernetes accepts the requirement; any other spoils its term."""
    has_values = _HAS_VALUES.get(requirement.operator)
    values = requirement.values
    if has_values is None or not has_values(values):
        return False
    return is_label_key(requirement.key) and all(map(_VALUE.fullmatch, values))


def as_test(requirement: Requirement) -> Test | None:
    """The requirement as a test of a node; `None` if it is invalid."""
    if not is_valid(requirement):
        return None
    return _OPERATORS[requirement.operator](requirement.key, requirement.values)


def integer(text: str) -> int | None:
    """Go's `strconv.ParseInt(text, 10, 64)`; `None` where that is an error.

    Not `int()`: that takes `1_000`, ` 5` and digits of other scripts.
    """
    match = _INTEGER.fullmatch(text)
    if match is None or len(match[2]) > _INT64_DIGITS:
        return None
    number = int(match[1] + match[2])
    return number if _INT64_MIN <= number <= _INT64_MAX else None


def is_label_key(key: str) -> bool:
    """Whether `key` is a qualified name: `[prefix/]name`."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > MAX_PREFIX_LENGTH or _PREFIX.fullmatch(prefix) is None):
        return False
    return len(name) <= MAX_NAME_LENGTH and _NAME.fullmatch(name) is not None


def is_label_value(value: str) -> bool:
    """Whether `value` may be a label's value; the empty one may."""
    return _VALUE.fullmatch(value) is not None


# Operators: a test for each, of values that it takes ------------------------------


def _is_in(key: str, values: tuple[str, ...]) -> Test:
    # An absent label is None, which is in no set of texts.
    wanted: frozenset[str | None] = frozenset(values)
    return lambda node: node.labels.get(key) in wanted


def _not_in(key: str, values: tuple[str, ...]) -> Test:
    unwanted: frozenset[str | None] = frozenset(values)
    return lambda node: node.labels.get(key) not in unwanted


def _exists(key: str, _: tuple[str, ...]) -> Test:
    return lambda node: key in node.labels


def _does_not_exist(key: str, _: tuple[str, ...]) -> Test:
    return lambda node: key not in node.labels


def _greater(key: str, values: tuple[str, ...]) -> Test:
    bound = bound_of(values)

    def test(node: Node) -> bool:
        number = integer(node.labels.get(key, ""))
        return number is not None and number > bound

    return test


def _less(key: str, values: tuple[str, ...]) -> Test:
    bound = bound_of(values)

    def test(node: Node) -> bool:
        number = integer(node.labels.get(key, ""))
        return number is not None and number < bound

    return test


def bound_of(values: tuple[str, ...]) -> int:
    """The bound of a valid `Gt` or `Lt`."""
    # It is an integer: nothing else becomes 0.
    return integer(values[0]) or 0


def _is_one_integer(values: tuple[str, ...]) -> bool:
    return len(values) == 1 and integer(values[0]) is not None


_OPERATORS: Final[Mapping[str, Callable[[str, tuple[str, ...]], Test]]] = (
    MappingProxyType(
        {
            "In": _is_in,
            "NotIn": _not_in,
            "Exists": _exists,
            "DoesNotExist": _does_not_exist,
            "Gt": _greater,
            "Lt": _less,
        }
    )
)
_HAS_VALUES: Final[Mapping[str, Callable[[tuple[str, ...]], bool]]] = MappingProxyType(
    {
        "In": bool,
        "NotIn": bool,
        "Exists": not_,
        "DoesNotExist": not_,
        "Gt": _is_one_integer,
        "Lt": _is_one_integer,
    }
)


# kubectl's notation -------------------------------------------------------------

_PART = re.compile(
    r"""\s*(?:
      (?P<absent>!)\s*(?P<no>[^\s!=<>,()]+)
    | (?P<key>[^\s!=<>,()]+)\s*(?:
          (?P<set>\bin\b|\bnotin\b)\s*\((?P<values>[^()=!<>]*)\)
        | (?P<op>==|=|!=|>|<)\s*(?P<value>[^\s!=<>,()]*)
      )?
    )\s*(?:,(?=\s*\S)|$)""",
    re.VERBOSE,
)
_WORDS = {"in": "In", "notin": "NotIn", "!=": "NotIn", ">": "Gt", "<": "Lt"}


def parse(text: str) -> tuple[Requirement, ...]:
    """Reads a label selector as kubectl's `-l` takes it; all must hold.

    `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b)`, `a>1`, `a<1`,
    joined by commas. An empty text has no requirement.

    Raises:
        ConfigError: the text is no selector, or a requirement of it is invalid.
    """
    found: list[Requirement] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _PART.match(text, position)
        requirement = _requirement(match) if match else None
        if match is None or requirement is None or not is_valid(requirement):
            message = f"no label selector at column {position + 1}: {text[:200]!r}"
            raise ConfigError("InvalidSelector", message)
        found.append(requirement)
        position = match.end()
    return tuple(found)


def _requirement(match: re.Match[str]) -> Requirement:
    if match["absent"]:
        return Requirement(match["no"], "DoesNotExist")
    if match["set"]:
        values = tuple(value.strip() for value in match["values"].split(","))
        return Requirement(match["key"], _WORDS[match["set"]], values)
    if match["op"]:
        operator = _WORDS.get(match["op"], "In")
        return Requirement(match["key"], operator, (match["value"],))
    return Requirement(match["key"], "Exists")
