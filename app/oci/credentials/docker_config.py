"""A Docker config file: `auths`, registry -> user and password."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from app.errors import ConfigError
from app.oci.credentials.keyring import Credential, Entry, Keyring

MAX_CONFIG_BYTES: Final = 1 << 20
"""As large as a Secret can be."""


class _Auth(msgspec.Struct):
    auth: str | None = None
    username: str | None = None
    password: str | None = None


class _Config(msgspec.Struct):
    auths: Mapping[str, _Auth | None] | None = None


def read(content: bytes) -> Keyring:
    """Reads a Docker config file.

    Raises:
        ConfigError: it is none; the message names the entry, never its values.
    """
    if len(content) > MAX_CONFIG_BYTES:
        text = f"larger than {MAX_CONFIG_BYTES} bytes"
        raise ConfigError("InvalidDockerConfig", text)
    try:
        config = msgspec.json.decode(content, type=_Config)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The library's text may show a value, so it is left out.
        text = 'expected JSON as {"auths": {REGISTRY: {"auth": BASE64}}}'
        raise ConfigError("InvalidDockerConfig", text) from None
    auths = config.auths or {}
    found = (_entry(key, auth) for key, auth in auths.items() if auth is not None)
    return Keyring.of(entry for entry in found if entry is not None)


def _entry(key: str, auth: _Auth) -> Entry | None:
    credential = _credential(key, auth)
    return None if credential is None else Entry.of(key, credential)


def _credential(key: str, auth: _Auth) -> Credential | None:
    """`auth` wins over the two fields; an entry without either says nothing."""
    if not auth.auth:
        pair = (auth.username or "", auth.password or "")
        return Credential(*pair) if any(pair) else None
    try:
        bare = "".join(auth.auth.split()).rstrip("=")
        padded = bare + "=" * (-len(bare) % 4)
        text = base64.b64decode(padded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    username, colon, password = text.partition(":")
    if not colon:
        message = f"auths.{key}.auth: expected the base64 of USER:PASSWORD"
        raise ConfigError("InvalidDockerConfig", message)
    return Credential(username, password)
