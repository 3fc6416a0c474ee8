"""What a rule's `varsTemplate` yields: NFD's template.go at v0.19.0."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from app.compat.budget import Budget
from app.compat.gotext import quoted, size_bytes, trimmed
from app.compat.operators import EVALUATION
from app.compat.template import engine
from app.errors import SpecError

MAX_TEMPLATE_BYTES: Final = 64 * 1024
"""NFD's own limit (`template.go#L56`)."""

_MAX_PARSED: Final = 128
_MAX_PARSED_TEXT: Final = 4096
"""Templates that stay parsed, and how long (in characters) such a one may be."""

_MAX_PARSED_LONG: Final = 2
"""Longer templates that stay parsed: an index runs one rule on all nodes at once."""


def expand(text: str, data: engine.Data, budget: Budget | None) -> dict[str, str]:
    """The `key=value` lines that a template yields (`template.go#L90`).

    Args:
        text: the template.
        data: the elements that matched.
        budget: what it may cost; `None` for no bound.

    Raises:
        SpecError: it is no template, it fails, or `TooCostly`.
    """
    if budget is not None:
        budget.parse(text)
    try:
        parsed = (_parsed if len(text) <= _MAX_PARSED_TEXT else _parsed_long)(text)
    except SpecError as error:
        raise _failed("parse", error.message) from error
    meter = engine.Meter(parsed.limits)
    if budget is not None:
        meter = engine.Meter(parsed.limits, budget.steps, budget.patterns)
    try:
        expanded = parsed.execute(data, meter)
    except SpecError as error:
        raise _failed("expand", error.message) from error
    finally:
        if budget is not None:
            budget.run(meter.spent)
    values: dict[str, str] = {}
    for line in expanded.split("\n"):
        key, equals, value = trimmed(line).partition("=")
        if equals:
            values[key] = value
        elif key:
            raise _failed(
                "expand",
                f"missing value in expanded template line {quoted(key)}, "
                "(format must be '<key>=<value>')",
            )
    return values


def _parse(text: str) -> engine.Template:
    size = size_bytes(text)
    if size > MAX_TEMPLATE_BYTES:
        limit = f"{size} bytes > {MAX_TEMPLATE_BYTES} limit"
        raise SpecError(EVALUATION, f"template exceeds maximum allowed size: {limit}")
    try:
        return engine.parse(text)
    except SpecError as error:
        raise SpecError(error.reason, f"invalid template: {error.message}") from error


_parsed = lru_cache(maxsize=_MAX_PARSED)(_parse)
_parsed_long = lru_cache(maxsize=_MAX_PARSED_LONG)(_parse)


def _failed(step: str, message: str) -> SpecError:
    return SpecError(EVALUATION, f"failed to {step} template: {message}")
