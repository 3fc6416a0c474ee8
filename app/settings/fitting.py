"""A document as settings, or everything that is wrong with it.

1. Keys that had another name before are read under their new one (`renamed`).
2. A file's keys become the names of fields; one that does not exist is a fault.
3. The environment wins over the file.
4. Each value that does not fit is a fault, with its place and what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from app.settings import naming
from app.settings.document import Document
from app.settings.faults import Fault, Path, ordered, unknown_key
from app.settings.sections import Settings

_SHOWN: Final = 40
"""Characters of a wrong value that are shown."""


def fit(
    document: Document, environment: Mapping[str, str]
) -> Settings | tuple[Fault, ...]:
    """The settings of a document and the environment.

    Args:
        document: of the file.
        environment: of the process, from which pydantic reads too; says whose a
            wrong value is.
    """
    faults: list[Fault] = []
    content = _fields(document.content, Settings, (), (document, faults))
    try:
        settings = Settings(**content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults += [_fault(one, document, environment) for one in details]
    except SettingsError:
        faults.append(_no_json(environment))
    else:
        if not faults:
            return settings
    return ordered(faults)


# Keys ------------------------------------------------------------------------------


def _named(
    value: object, kind: object, path: Path, found: tuple[Document, list[Fault]]
) -> object:
    """A value with the names of fields; unknown keys are noted and left out."""
    model = naming.model_of(kind)
    if model is None:
        return value
    if naming.is_entry(kind):
        if isinstance(value, dict):
            return {k: _named(v, model, (*path, k), found) for k, v in value.items()}
        if isinstance(value, list):
            several = enumerate(value)
            return [_named(one, model, (*path, at), found) for at, one in several]
        return value
    if value is None and len(path) == 1:
        return {}  # a section of which all is commented out
    if not isinstance(value, dict):
        return value
    return _fields(value, model, path, found)


def _fields(
    value: Mapping[str, Any],
    model: type[BaseModel],
    path: Path,
    found: tuple[Document, list[Fault]],
) -> dict[str, Any]:
    document, faults = found
    names, given = naming.aliases(model), dict[str, Any]()
    for key, inner in value.items():
        here = (*path, key)
        name = names.get(key)
        if name is None:
            others = (one for one in naming.sections() if one[1] is not model)
            elsewhere = [name for name, one in others if key in naming.aliases(one)]
            text = unknown_key(key, tuple(names), elsewhere[0] if elsewhere else "")
            faults.append(Fault(text, here, document.keys.get(here)))
        else:
            kind = model.model_fields[name].annotation
            given[name] = _named(inner, kind, here, found)
    return given


# Values ----------------------------------------------------------------------------


def _fault(
    error: ErrorDetails, document: Document, environment: Mapping[str, str]
) -> Fault:
    loc = error["loc"]
    variable = naming.variable(loc, environment)
    path = naming.of_file(loc)
    is_missing = error["type"] == "missing"
    if not variable and not is_missing:
        # Pydantic adds which member of a union it tried.
        while path and path not in document.values:
            path = path[:-1]
    place = None if variable else document.place(path)
    return Fault(_expected(error, path), path, place, variable)


def _expected(error: ErrorDetails, path: Path) -> str:
    """What was expected, and what is there."""
    kind, context = error["type"], error.get("ctx", {})
    say = _SAY.get(kind)
    text = say(context) if say is not None else error["msg"]
    if kind == "extra_forbidden":  # of the environment: a file's are out already
        return unknown_key(str(path[-1]), naming.siblings(path))
    if kind in _WITHOUT_VALUE:
        return text
    return f"{text}, got {_shown(error['input'])}"


def _shown(value: object) -> str:
    """A wrong value on one line; of a long one the beginning, of others the type."""
    if isinstance(value, dict | list | tuple | set | frozenset):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_DATE: Final = "expected a date, or a time with its zone"


def _words(context: Mapping[str, Any]) -> str:
    return "expected one of " + str(context["expected"]).replace("'", "")


_Say = Callable[[Mapping[str, Any]], str]


def _always(text: str) -> _Say:
    return lambda _: text


_SAY: Final[Mapping[str, _Say]] = {
    "missing": _always("is missing"),
    "extra_forbidden": _always("unknown key"),
    "value_error": lambda context: str(context["error"]),
    "enum": _words,
    "greater_than": lambda context: f"expected more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"expected at least {context['ge']:g}",
    "less_than": lambda context: f"expected less than {context['lt']:g}",
    "less_than_equal": lambda context: f"expected at most {context['le']:g}",
    "string_too_short": _always("expected a text that is not empty"),
    **dict.fromkeys(("bool_type", "bool_parsing"), _always("expected true or false")),
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float", "int_parsing_size"),
        _always("expected a whole number"),
    ),
    **dict.fromkeys(("float_type", "float_parsing"), _always("expected a number")),
    **dict.fromkeys(
        ("string_type", "path_type", "string_sub_type"), _always("expected a text")
    ),
    **dict.fromkeys(
        ("tuple_type", "list_type", "set_type", "frozen_set_type"),
        _always("expected a list"),
    ),
    **dict.fromkeys(
        ("model_type", "model_attributes_type", "dict_type"),
        _always("expected a mapping"),
    ),
    **dict.fromkeys(
        (
            "datetime_from_date_parsing",
            "date_from_datetime_parsing",
            "date_from_datetime_inexact",
            "datetime_parsing",
            "date_parsing",
            "datetime_type",
            "date_type",
            "timezone_aware",
        ),
        _always(_DATE),
    ),
}
"""Pydantic's kind of error -> what was expected; of others its own words are told."""

_WITHOUT_VALUE: Final = frozenset({"missing", "extra_forbidden", "value_error"})
"""Kinds whose text needs no value beside it, or has it."""


def _no_json(environment: Mapping[str, str]) -> Fault:
    """A list or a mapping in the environment is JSON; says which is not."""
    for variable, value in naming.variables(environment).items():
        try:
            json.loads(value)
        except ValueError:
            if value.lstrip()[:1] in {"[", "{"}:
                return Fault("expected JSON", variable=variable)
    return Fault("expected JSON for lists and mappings", variable="the environment")
