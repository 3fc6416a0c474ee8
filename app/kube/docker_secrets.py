"""Secrets and ServiceAccounts -> what pulls images; nothing else of them is built.

Raises `ValueError` or `RecursionError` for what cannot be read; the message may show
a part of it, so it goes nowhere.
"""

from __future__ import annotations

import base64
from itertools import islice
from typing import Final

import msgspec

from app.ports import PullSecret


class _Data(msgspec.Struct):
    config_json: str | None = msgspec.field(name=".dockerconfigjson", default=None)
    config: str | None = msgspec.field(name=".dockercfg", default=None)


class _Secret(msgspec.Struct):
    type: str = ""
    data: _Data | None = None


class _Reference(msgspec.Struct):
    name: str | None = None


class _Account(msgspec.Struct, rename="camel"):
    image_pull_secrets: list[_Reference | None] | None = None


_FIELDS: Final = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson", "config_json"),
    "kubernetes.io/dockercfg": (".dockercfg", "config"),
}
"""Type of a Secret -> the key of its Docker config, and our name for that."""


def pull_secret(name: str, content: bytes) -> PullSecret:
    """The Secret of that name; with the Docker config of its type, if there is one."""
    found = msgspec.json.decode(content, type=_Secret)
    key, field = _FIELDS.get(found.type, ("", ""))
    text = getattr(found.data, field) if field and found.data is not None else None
    data = {} if text is None else {key: base64.b64decode(text, validate=True)}
    return PullSecret(name, found.type, data)


def pull_secret_names(content: bytes, *, most: int) -> tuple[str, ...]:
    """The first names in a ServiceAccount's `imagePullSecrets`, without empty ones."""
    found = msgspec.json.decode(content, type=_Account)
    given = (one.name for one in found.image_pull_secrets or () if one is not None)
    return tuple(islice(filter(None, given), most))
