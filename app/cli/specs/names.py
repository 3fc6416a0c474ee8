"""The names of images that a person types; light, for commands that ask nobody."""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import ConfigError, RegistryError
from app.oci import layout
from app.oci.images import reference
from app.oci.images.reference import Reference
from app.oci.layout import SCHEME


def named(images: Iterable[str]) -> tuple[Reference, ...]:
    """The references among what was typed; layouts need no way.

    Raises:
        ConfigError: one is neither; the reason is `InvalidReference`.
    """
    found: list[Reference] = []
    for image in images:
        try:
            if image.startswith(SCHEME):
                layout.split(image)
            else:
                found.append(reference.parse(image))
        except RegistryError as error:
            raise ConfigError(error.reason, f"{image}: {error.message}") from error
    return tuple(found)
