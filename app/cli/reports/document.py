"""A report as JSON or YAML: the fields of `report`, in camelCase.

The shape is stable: fields are added, never renamed or removed, while
`apiVersion` stays the same. `docs/reference/reports.md` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final

from app.cli.reports.report import Report, Row

API_VERSION: Final = "imagecompat.dev/v1alpha1"
KIND: Final = "CompatibilityReport"

_LINE: Final = 1 << 20
"""Characters of a line of YAML: none is folded."""


def content(report: Report, more: Mapping[str, object] | None = None) -> dict[str, Any]:
    """A report in JSON's types; lone surrogates are replaced.

    Args:
        report: what to print.
        more: fields of the command's own; of JSON's types, or values as a report's.
    """
    kind = {"apiVersion": API_VERSION, "kind": KIND, "verdict": report.verdict.value}
    return {**kind, **_plain(report, {}), **_plain(more or {}, {})}


def json(report: Report, more: Mapping[str, object] | None = None) -> str:
    """A document of JSON, indented, with the end of its last line; see `content`."""
    import msgspec  # noqa: PLC0415 - fast start

    packed = msgspec.json.encode(content(report, more))
    text = msgspec.json.format(packed, indent=2).decode()
    if not _is_printable(text):
        text = "".join(map(_escaped, text))
    return f"{text}\n"


def yaml(report: Report, more: Mapping[str, object] | None = None) -> str:
    """A document of YAML, with the end of its last line; see `content`."""
    import yaml as pyyaml  # noqa: PLC0415

    class Dumper(getattr(pyyaml, "CSafeDumper", pyyaml.SafeDumper)):  # type: ignore[misc]
        """Writes what is shared wherever it stands."""

        def ignore_aliases(self, data: object) -> bool:
            del data
            return True

    def dumped(*, allow_unicode: bool) -> str:
        return pyyaml.dump(
            content(report, more),
            Dumper=Dumper,
            sort_keys=False,
            allow_unicode=allow_unicode,
            width=_LINE,
        )

    text = dumped(allow_unicode=True)
    return text if _is_printable(text) else dumped(allow_unicode=False)


def _plain(value: object, shared: dict[int, Any]) -> Any:  # noqa: ANN401 - JSON
    """In JSON's types; `shared` remembers rows and names that workloads share."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, Row | tuple):
        if id(value) not in shared:
            of_row = isinstance(value, Row)
            found = _fields(value, shared) if of_row else _listed(value, shared)
            shared[id(value)] = found
        return shared[id(value)]
    if is_dataclass(value):
        return _fields(value, shared)
    if isinstance(value, Mapping):
        return {_plain(key, shared): _plain(one, shared) for key, one in value.items()}
    return _listed(value, shared) if isinstance(value, list) else value


def _listed(value: Any, shared: dict[int, Any]) -> list[Any]:  # noqa: ANN401
    return [_plain(one, shared) for one in value]


def _fields(value: Any, shared: dict[int, Any]) -> dict[str, Any]:  # noqa: ANN401
    found = ((one.name, getattr(value, one.name)) for one in fields(value))
    return {_camel(name): _plain(one, shared) for name, one in found}


@cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)


def _is_printable(text: str) -> bool:
    """Whether a terminal would show it and obey nothing in it."""
    return text.replace("\n", "").isprintable()


def _escaped(char: str) -> str:
    """A character of JSON, which outside strings has none that need it."""
    if char == "\n" or char.isprintable():
        return char
    pair = char.encode("utf-16-be").hex()
    return "".join(f"\\u{pair[start : start + 4]}" for start in range(0, len(pair), 4))
