"""How a file and the code call the same setting.

A file has `policy.onUnknown`, the code `("policy", "on_unknown")`, the environment
`IMAGECOMPAT_POLICY__ON_UNKNOWN`. All three follow from the sections' fields.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, get_args, get_origin

from pydantic import BaseModel

from app.settings.faults import Path
from app.settings.sections import Settings

PREFIX: Final = "IMAGECOMPAT_"
DELIMITER: Final = "__"

_IN_A_SECTION: Final = 2


def model_of(kind: object) -> type[BaseModel] | None:
    """The model that a field holds, once or in each of its entries."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    found = filter(None, map(model_of, get_args(kind)))
    return next(found, None)


def is_entry(kind: object) -> bool:
    """Whether a field holds models by name or by position, not one itself."""
    return get_origin(kind) is not None


def aliases(model: type[BaseModel]) -> dict[str, str]:
    """A file's key -> the field's name."""
    return {_alias(name, model): name for name in model.model_fields}


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Each section with its model."""
    for name, field in Settings.model_fields.items():
        model = model_of(field.annotation)
        assert model is not None, f"the section {name} is no model"  # noqa: S101 - a bug of ours
        yield name, model


def settings() -> Iterator[tuple[str, str]]:
    """Each setting, as a file spells it: its section and its key."""
    for section, model in sections():
        yield from ((section, key) for key in aliases(model))


def of_file(path: Path) -> Path:
    """A path of the code, or one of a file, as a file spells it."""
    found: list[str | int] = []
    kind: object = Settings
    for part in path:
        model = model_of(kind) if kind is not None else None
        if model is None or is_entry(kind):
            found.append(part)
            kind = model
        else:
            by_name = {name: key for key, name in aliases(model).items()}
            found.append(by_name.get(str(part), part))
            name = aliases(model).get(str(part), str(part))
            field = model.model_fields.get(name)
            kind = field.annotation if field is not None else None
    return tuple(found)


def siblings(path: Path) -> tuple[str, ...]:
    """The keys of the section that a path leads into."""
    models = dict(sections())
    model = models.get(str(path[0])) if len(path) == _IN_A_SECTION else None
    return tuple(aliases(model)) if model is not None else ()


def variable(path: Path, environment: Collection[str]) -> str:
    """The variable that gives a setting its value; empty if there is none.

    Args:
        path: of the code.
        environment: names of all variables.
    """
    given = {name.upper(): name for name in environment}
    for end in range(len(path), 0, -1):
        words = DELIMITER.join(str(part) for part in path[:end])
        found = given.get((PREFIX + words).upper())
        if found is not None:
            return found
    return ""


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What the environment says about settings: variable -> value."""
    heads = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    return {
        name: value
        for name, value in environment.items()
        if name.upper().partition(DELIMITER)[0] in heads
    }


def _alias(name: str, model: type[BaseModel]) -> str:
    return model.model_fields[name].alias or name
