"""A `hosts.toml`, read as containerd reads it.

    server = "https://registry.example"     the last resort; unset: the image's own
    capabilities, ca, client, ... at the top hold for it
    [host."https://mirror.example"]          tried before it, in the file's order

Where the two differ, and why: `docs/reference/mirrors.md`. In short, containerd
goes on without a file that it cannot read, and we keep the settings that hold.

Source: containerd at commit 301026e58c61, `docs/hosts.md` and
`core/remotes/docker/config/hosts.go` (`parseHostsFile`, `parseHostConfig`).
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from app.oci import durations
from app.oci.ways import headers

MAX_FILE_BYTES: Final = 1 << 20
MAX_HOSTS: Final = 16
"""In one file; more are more than one lookup has time for."""
MAX_NAMED_FILES: Final = 16
"""Of one host."""

_PULL, _RESOLVE, _REFERRERS = "pull", "resolve", "referrers"
_ALL: Final = frozenset({_PULL, _RESOLVE, "push", _REFERRERS})
_HOST: Final = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?|\[[a-f0-9:.]+\])(?::[0-9]{1,5})?", re.ASCII
)
_PATH: Final = re.compile(r"(?:/[\w.~-]+)*", re.ASCII)
_MAX_CHARACTERS: Final = 2048

_Table: TypeAlias = Mapping[str, Any]


class BrokenHostsError(ValueError):
    """No `hosts.toml`; the text says where and what, but no header's value."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host of a file.

    Attributes:
        scheme: `http` or `https`.
        host: with its port if it has one, in lower case; empty for the image's own.
        prefix: of the API (`/v2`).
        capabilities: of `pull`, `resolve`, `push` and `referrers`.
        authorities: files, relative to the folder of the hosts.toml.
        pairs: files with a certificate and its key, likewise.
        skip_verify: whoever answers is believed.
        headers: that are sent to it.
        dial_seconds: for a connection; `None` for ours.
    """

    scheme: str = "https"
    host: str = ""
    prefix: str = "/v2"
    capabilities: frozenset[str] = _ALL
    authorities: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    skip_verify: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    dial_seconds: float | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """All that it names, each once."""
        named = (*self.authorities, *(one for pair in self.pairs for one in pair))
        return tuple(dict.fromkeys(named))


def read(content: bytes) -> tuple[Host, ...]:
    """The hosts of a file in the order in which they are asked; the last is `server`.

    Raises:
        BrokenHostsError: it is none.
    """
    if len(content) > MAX_FILE_BYTES:
        raise BrokenHostsError(f"larger than {MAX_FILE_BYTES} bytes")
    table = _toml(content)
    mirrors = table.get("host", {})
    if not isinstance(mirrors, dict):
        raise BrokenHostsError("host: expected tables [host.URL]")
    if len(mirrors) > MAX_HOSTS:
        raise BrokenHostsError(f"expected at most {MAX_HOSTS} hosts")
    hosts = [_host(url, one, _named(url)) for url, one in mirrors.items()]
    server = table.get("server", "")
    if not isinstance(server, str):
        raise BrokenHostsError("server: expected a text")
    hosts.append(_host(server, table, "server"))
    return tuple(hosts)


def of_files(names: Sequence[str]) -> tuple[Host, ...]:
    """What a folder without a `hosts.toml` says by its files, as Docker's does.

    `*.crt` are authorities, `*.cert` client certificates, whose keys are `*.key`.
    """
    known = sorted(names)
    certificates = [one for one in known if one.endswith(".cert")]
    keys = [f"{one.removesuffix('.cert')}.key" for one in certificates]
    pairs = zip(certificates, keys, strict=True)
    return (
        Host(
            authorities=tuple(one for one in known if one.endswith(".crt")),
            pairs=tuple((one, key if key in known else one) for one, key in pairs),
        ),
    )


def _toml(content: bytes) -> _Table:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise BrokenHostsError("no valid TOML: expected UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        # Only the place: the rest of the text may quote what stands there.
        at = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        where = f" at {at[1]}" if at is not None else ""
        raise BrokenHostsError(f"no valid TOML{where}") from None
    except (ValueError, RecursionError) as error:
        raise BrokenHostsError("no valid TOML") from error


def _host(url: str, table: object, where: str) -> Host:
    if not isinstance(table, dict):
        raise BrokenHostsError(f"{where}: expected a table")
    reader = _Reader(table, where)
    is_whole = reader.flag("override_path")
    scheme, host, prefix = _address(url, where, is_whole=is_whole)
    capabilities = reader.capabilities()
    return Host(
        scheme=scheme,
        host=host,
        prefix=prefix,
        # Without `server` containerd takes the image's own host, and gives it every
        # capability and the usual path (`ConfigureHosts`).
        capabilities=capabilities if host else _ALL,
        authorities=reader.authorities(),
        pairs=reader.pairs(),
        skip_verify=reader.flag("skip_verify"),
        headers=reader.headers(),
        dial_seconds=reader.dial_seconds(),
    )


def _named(url: str) -> str:
    """A host in a text for people, without a user and his password."""
    bare = url.rpartition("@")[2][:255]
    return f'host."{"".join(one if one.isprintable() else "?" for one in bare)}"'


def _address(url: str, where: str, *, is_whole: bool) -> tuple[str, str, str]:
    """Scheme, host and API prefix of a URL; without a host for no URL."""
    if not url:
        return "https", "", "/v2"
    wrong = BrokenHostsError(f"{where}: expected http(s)://HOST[:PORT][/PATH]")
    if not url.isascii() or not url.isprintable() or len(url) > _MAX_CHARACTERS:
        raise wrong
    if not url.startswith(("http://", "https://")):
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.netloc.lower(), parts.port
    except ValueError:
        raise wrong from None
    if not _HOST.fullmatch(host) or port == 0 or parts.query or parts.fragment:
        raise wrong
    path = posixpath.normpath(parts.path) if parts.path else ""
    if not _PATH.fullmatch(path.rstrip("/")):
        raise wrong
    prefix = path.rstrip("/")
    if not is_whole and not prefix.endswith("/v2"):
        prefix += "/v2"
    return parts.scheme, host, prefix


class _Reader:
    """Reads the fields of one host."""

    def __init__(self, table: _Table, where: str) -> None:
        self._table = table
        self._where = where

    def flag(self, name: str) -> bool:
        value = self._table.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def capabilities(self) -> frozenset[str]:
        named = self._texts("capabilities")
        found = frozenset(one.lower() for one in named)
        if not found <= _ALL:
            raise self._wrong("capabilities", f"some of {', '.join(sorted(_ALL))}")
        return found or _ALL

    def authorities(self) -> tuple[str, ...]:
        return self._few(self._texts("ca"), "ca")

    def pairs(self) -> tuple[tuple[str, str], ...]:
        value = self._table.get("client", [])
        found = [
            (one, one) if isinstance(one, str) else self._pair(one)
            for one in ([value] if isinstance(value, str) else self._list(value))
        ]
        return self._few(tuple(found), "client")

    def headers(self) -> Mapping[str, str]:
        value = self._table.get("header", {})
        if not isinstance(value, dict):
            raise self._wrong("header", "a table")
        found = {}
        for name, one in value.items():
            texts = [one] if isinstance(one, str) else one
            if not _are_texts(texts):
                raise self._wrong("header", "texts, or lists of texts")
            found[name] = ", ".join(texts)
        try:
            return headers.require(found)
        except ValueError as error:
            raise BrokenHostsError(f"{self._where}: header: {error}") from None

    def dial_seconds(self) -> float | None:
        text = self._table.get("dial_timeout", "")
        if text in ("", "0"):
            return None
        is_bare = isinstance(text, str) and not text.startswith(("+", "-"))
        seconds = durations.seconds_of(str(text)) if is_bare else None
        if seconds is None:
            raise self._wrong("dial_timeout", 'a time as "3s" or "500ms"')
        return seconds or None

    def _pair(self, value: object) -> tuple[str, str]:
        match value:
            case [str(certificate), str(key)] if certificate:
                return certificate, key or certificate
            case _:
                raise self._wrong("client", "pairs of a certificate and its key")

    def _texts(self, name: str) -> tuple[str, ...]:
        value = self._table.get(name, [])
        texts = [value] if isinstance(value, str) and name == "ca" else value
        if not _are_texts(texts):
            raise self._wrong(name, "a list of texts")
        return tuple(texts)

    def _list(self, value: object) -> Sequence[object]:
        if not isinstance(value, list):
            raise self._wrong("client", "a file, a list of files, or pairs of them")
        return value

    def _few(self, found: tuple[Any, ...], name: str) -> tuple[Any, ...]:
        if len(found) > MAX_NAMED_FILES:
            raise self._wrong(name, f"at most {MAX_NAMED_FILES} files")
        return found

    def _wrong(self, name: str, expected: str) -> BrokenHostsError:
        return BrokenHostsError(f"{self._where}: {name}: expected {expected}")


def _are_texts(value: Any) -> bool:  # noqa: ANN401 - TOML's types
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
