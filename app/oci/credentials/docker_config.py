"""A Docker config: registry -> user and password, as the kubelet reads it.

Two forms: `{"auths": {KEY: ENTRY}}` (`config.json`, Secrets of the type
`kubernetes.io/dockerconfigjson`), and the inner mapping alone (`.dockercfg`).

The rules of `pkg/credentialprovider/config.go` at Kubernetes v1.35.4, and of Go's
`encoding/json` under it:

1. Names of fields count in any case. Of a field that stands twice the last counts;
   two `auths` are one. `null` changes no text, and empties a mapping.
2. A field of another type is an error for the whole, whatever else stands there.
3. `auth` is the base64 of `USER:PASSWORD`, padded or not, and wins over `username`
   and `password`. One that cannot be read is an error for the whole.
4. Bytes and escapes that are no text are replaced by U+FFFD.
5. A credential that is not UTF-8 when decoded can be sent to no container runtime,
   which is why the kubelet fails with it and goes on: it is none here.

Ours: `identitytoken` and `registrytoken` are read where the caller asks for them
(the kubelet ignores both), and a config is bounded.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn, TypeAlias

from app.errors import ConfigError
from app.oci.credentials.keyring import Credential, Entry, Keyring

MAX_CONFIG_BYTES: Final = 1 << 20
"""As large as a Secret can be."""

MAX_ENTRIES: Final = 1024
"""Of one config; each is compared with every image."""

MAX_VALUES: Final = 16_384
"""JSON values of one config, counted by what stands before them, also in texts; they
take 15 ms at worst."""

MAX_FOREIGN_BYTES: Final = 4096
"""Bytes of one config that are no text; each is replaced by itself."""

_MARKS: Final = b"{[,"
_SHOWN: Final = 100
_SURROGATES: Final = re.compile("[\ud800-\udfff]+")
_UNPADDED: Final = re.compile(r"[A-Za-z0-9+/]*")
_PADDED: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_FOLDED: Final = {ord("ſ"): "s", ord("K"): "k"}
"""Letters beyond ASCII that Go takes for one of ASCII in another case."""


class _Object(tuple[tuple[str, Any], ...]):
    """A JSON object: its pairs in order, with those that stand twice."""

    __slots__ = ()


_Auths: TypeAlias = dict[str, Credential]


def read(content: bytes, *, has_tokens: bool = False) -> Keyring:
    """Reads a Docker config file.

    Args:
        content: of the file.
        has_tokens: whether `identitytoken` and `registrytoken` count.

    Raises:
        ConfigError: it is none; the message names the entry, never its values.
    """
    auths: _Auths = {}
    for name, value in _object(content):
        match _folded(name):
            case "auths":
                if value is None:
                    auths.clear()
                auths.update(_auths(value, "auths", has_tokens=has_tokens))
            case "httpheaders":
                for _, text in _pairs(value, "HttpHeaders"):
                    _text(text, "HttpHeaders")
    return _keyring(auths)


def read_auths(content: bytes) -> Keyring:
    """Reads the older form, which is the mapping alone.

    Raises:
        ConfigError: as for `read`.
    """
    return _keyring(dict(_auths(_object(content), "", has_tokens=False)))


def values(content: bytes) -> int:
    """How many JSON values a config has at the most."""
    return len(content) - len(content.translate(None, _MARKS))


def _keyring(auths: Mapping[str, Credential]) -> Keyring:
    if len(auths) > MAX_ENTRIES:
        raise _invalid(f"more than {MAX_ENTRIES} registries")
    return Keyring.of(Entry.of(key, credential) for key, credential in auths.items())


def _auths(
    value: object, at: str, *, has_tokens: bool
) -> Iterator[tuple[str, Credential]]:
    """Key -> credential, one without a text where an entry has none."""
    for name, entry in _pairs(value, at):
        key = _clean(name)
        place = f"{at}.{_shown(key)}" if at else _shown(key)
        yield key, _credential(entry, place, has_tokens=has_tokens)


def _credential(entry: object, at: str, *, has_tokens: bool) -> Credential:
    known = {"username", "password", "email", "auth"}
    if has_tokens:
        known |= {"identitytoken", "registrytoken"}
    found = dict.fromkeys(known, "")
    for name, value in _pairs(entry, at):
        field = _folded(name)
        if field in known and value is not None:
            found[field] = _text(value, f"{at}.{field}")
    pair = found["username"], found["password"]
    if found["auth"]:
        pair = _decoded(found["auth"], f"{at}.auth")
    return Credential(
        *pair, found.get("identitytoken", ""), found.get("registrytoken", "")
    )


def _decoded(auth: str, at: str) -> tuple[str, str]:
    """User and password (3); two empty texts for what is not UTF-8 (5)."""
    bare = auth.replace("\r", "").replace("\n", "")
    if auth.strip().endswith("="):
        is_base64 = _PADDED.fullmatch(bare) is not None and len(bare) % 4 == 0
    else:
        is_base64 = _UNPADDED.fullmatch(bare) is not None and len(bare) % 4 != 1
    padding = "=" * (-len(bare) % 4)
    content = base64.b64decode(bare + padding) if is_base64 else b""
    username, colon, password = content.partition(b":")
    if not colon:
        raise _invalid(f"{at}: expected the base64 of USER:PASSWORD")
    try:
        return username.decode(), password.decode()
    except UnicodeDecodeError:
        return "", ""


# JSON ---------------------------------------------------------------------------


def _refuse(constant: str) -> NoReturn:
    """`NaN` and the like, which Python would read."""
    raise ValueError(constant)


_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_Object,
    parse_int=lambda _: 0,
    parse_float=lambda _: 0,
    parse_constant=_refuse,
)
"""Of numbers only their type matters."""


def _object(content: bytes) -> _Object:
    if len(content) > MAX_CONFIG_BYTES:
        raise _invalid(f"larger than {MAX_CONFIG_BYTES} bytes")
    if values(content) > MAX_VALUES:
        raise _invalid(f"more than {MAX_VALUES} values")
    text = content.decode(errors="surrogateescape")
    if len(content) - len(text.encode(errors="ignore")) > MAX_FOREIGN_BYTES:
        raise _invalid("no text")
    try:
        value = _JSON.decode(_clean(text))
    except (ValueError, RecursionError):
        # The library's text may show a value, so it is left out.
        raise _invalid("expected JSON") from None
    return _pairs(value, "")


def _pairs(value: object, at: str) -> _Object:
    if value is None:
        return _Object()
    if not isinstance(value, _Object):
        raise _invalid(f"{at}: expected an object" if at else "expected an object")
    return value


def _text(value: object, at: str) -> str:
    if isinstance(value, str):
        return _clean(value)
    if value is None:
        return ""
    raise _invalid(f"{at}: expected a text")


def _clean(text: str) -> str:
    """Without halves of characters (4)."""
    if text.isascii():
        return text
    return _SURROGATES.sub(lambda found: "\ufffd" * len(found[0]), text)


def _folded(name: str) -> str:
    """A field's name in lower case; empty for one that no field of ours can have."""
    bare = name.translate(_FOLDED)
    return bare.lower() if bare.isascii() else ""


def _shown(key: str) -> str:
    """A key in one line, and without who stands before an `@`."""
    place = key.rpartition("@")[2]
    shown = "".join(one if one.isprintable() else " " for one in place)
    return shown[:_SHOWN]


def _invalid(text: str) -> ConfigError:
    return ConfigError("InvalidDockerConfig", text)
