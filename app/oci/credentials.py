"""Credentials from Docker config files, matched as the kubelet matches them.

The rules of `pkg/credentialprovider` at Kubernetes v1.35.4:

1. An entry's key loses its scheme and a leading `/v1/` or `/v2/` of its path; a
   path that is then empty leaves the host alone.
2. Keys are tried in reverse order as texts, so that longer ones come first; every
   entry that matches is a candidate, to be tried in that order.
3. A key matches an image's name if the ports are equal, the hosts have equally
   many parts and each matches as a glob (`filepath.Match`), and the key's path is
   a prefix, as text, of the repository's.
4. An image of Docker Hub that nothing matches gets the entry `index.docker.io`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from app.errors import ConfigError
from app.oci.reference import DOCKER_HUB, Reference

MAX_CONFIG_BYTES: Final = 1 << 20
"""As large as a Secret can be."""

_HUB_KEY: Final = "index.docker.io"


@dataclass(frozen=True, slots=True)
class Credential:
    """A user and a password; neither is ever shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an `Authorization` header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A key, normalised, and what it opens."""

    host: str
    port: str
    path: str
    credential: Credential

    @property
    def key(self) -> str:
        """The key as it is ordered."""
        port = f":{self.port}" if self.port else ""
        return f"{self.host}{port}{self.path}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Entries in the order in which they are tried."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Keyring:
        """Orders entries; those with one key stay in their order."""
        return cls(tuple(sorted(entries, key=lambda one: one.key, reverse=True)))

    def lookup(self, image: Reference) -> tuple[Credential, ...]:
        """What to try for an image, in order; empty for nothing."""
        host, port = _split_port(image.domain)
        path = f"/{image.repository}"
        found = [
            entry.credential
            for entry in self.entries
            if entry.port == port
            and path.startswith(entry.path)
            and _matches_host(entry.host, host)
        ]
        if not found and image.domain == DOCKER_HUB:
            found = [e.credential for e in self.entries if e.key == _HUB_KEY]
        return tuple(dict.fromkeys(found))


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
    if credential is None:
        return None
    address = key.partition("://")[2] if "://" in key else key
    authority, slash, rest = address.partition("/")
    path = slash + rest
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    host, port = _split_port(authority)
    return Entry(host, port, "" if path == "/" else path, credential)


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


def _split_port(authority: str) -> tuple[str, str]:
    """As Go's `net.SplitHostPort`: an address loses its brackets with its port."""
    host, colon, port = authority.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], port
    if not colon or ":" in host:
        return authority, ""
    return host, port


def _matches_host(pattern: str, host: str) -> bool:
    patterns, parts = pattern.split("."), host.split(".")
    return len(patterns) == len(parts) and all(
        glob(one, part) for one, part in zip(patterns, parts, strict=True)
    )


# Go's filepath.Match ------------------------------------------------------------


def glob(pattern: str, text: str) -> bool:
    r"""Whether a glob matches a whole text without slashes, as `filepath.Match`.

    `*` is any text, `?` one character, `[a-z]` and `[^a-z]` a class, `\` takes
    the next character as it is. A broken pattern matches nothing.
    """
    tokens = _tokens(pattern)
    if tokens is None:
        return False
    reachable = {0}
    for token in tokens:
        if token is None:
            first = min(reachable, default=len(text) + 1)
            reachable = set(range(first, len(text) + 1))
        else:
            reachable = {
                at + 1 for at in reachable if at < len(text) and token(text[at])
            }
    return len(text) in reachable


class _Class:
    """One character's test."""

    def __init__(self, ranges: list[tuple[str, str]], *, negated: bool) -> None:
        self._ranges = ranges
        self._negated = negated

    def __call__(self, char: str) -> bool:
        inside = any(low <= char <= high for low, high in self._ranges)
        return inside is not self._negated


_ANY: Final = _Class([], negated=True)


def _tokens(pattern: str) -> list[_Class | None] | None:
    """The pattern's tokens, `None` for a star; `None` if it is broken."""
    tokens: list[_Class | None] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            tokens.append(None)
        elif char == "?":
            tokens.append(_ANY)
        elif char == "[":
            parsed = _class(pattern, at + 1)
            if parsed is None:
                return None
            token, at = parsed
            tokens.append(token)
            continue
        else:
            if char == "\\":
                at += 1
                if at == len(pattern):
                    return None
            tokens.append(_Class([(pattern[at], pattern[at])], negated=False))
        at += 1
    return tokens


def _class(pattern: str, at: int) -> tuple[_Class, int] | None:
    """A class from behind its bracket, and where it ends."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[tuple[str, str]] = []
    while True:
        if ranges and pattern.startswith("]", at):
            return _Class(ranges, negated=negated), at + 1
        low = _class_char(pattern, at)
        if low is None:
            return None
        at, high = low[1], low
        if pattern.startswith("-", at):
            second = _class_char(pattern, at + 1)
            if second is None:
                return None
            at, high = second[1], second
        ranges.append((low[0], high[0]))


def _class_char(pattern: str, at: int) -> tuple[str, int] | None:
    if at >= len(pattern) or pattern[at] in "-]":
        return None
    if pattern[at] != "\\":
        return pattern[at], at + 1
    return (pattern[at + 1], at + 2) if at + 1 < len(pattern) else None
