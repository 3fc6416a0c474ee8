"""A report as JSON or YAML: the fields of `report`, in camelCase.

The shape is stable: fields are added, never renamed or removed, while
`apiVersion` stays the same. `docs/reference/reports.md` lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

from app.cli.reports.report import Report

API_VERSION: Final = "imagecompat.dev/v1alpha1"
KIND: Final = "CompatibilityReport"

_LINE: Final = 1 << 20
"""Characters of a line of YAML: none is folded."""


def content(report: Report) -> dict[str, Any]:
    """A report in JSON's types; lone surrogates are replaced."""
    kind = {"apiVersion": API_VERSION, "kind": KIND, "verdict": report.verdict.value}
    named = _plain(report)
    return {**kind, **named}


def json(report: Report, more: Mapping[str, object] | None = None) -> str:
    """A document of JSON, indented, with the end of its last line.

    Args:
        report: what to print.
        more: fields of the command's own; of JSON's types, or values as a report's.
    """
    import msgspec  # noqa: PLC0415 - fast start

    packed = msgspec.json.encode({**content(report), **_plain(more or {})})
    text = msgspec.json.format(packed, indent=2).decode()
    if not _is_printable(text):
        text = "".join(map(_escaped, text))
    return f"{text}\n"


def yaml(report: Report, more: Mapping[str, object] | None = None) -> str:
    """A document of YAML, with the end of its last line; `more` as for `json`."""
    import yaml as pyyaml  # noqa: PLC0415

    dumper = getattr(pyyaml, "CSafeDumper", pyyaml.SafeDumper)

    def dumped(*, allow_unicode: bool) -> str:
        return pyyaml.dump(
            {**content(report), **_plain(more or {})},
            Dumper=dumper,
            sort_keys=False,
            allow_unicode=allow_unicode,
            width=_LINE,
        )

    text = dumped(allow_unicode=True)
    return text if _is_printable(text) else dumped(allow_unicode=False)


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    if is_dataclass(value):
        return {_camel(f.name): _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_plain(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


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
