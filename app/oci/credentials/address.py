"""Host and path of a key in a Docker config, as Go's `net/url` reads them.

The kubelet parses keys as URLs, and leaves out those that are none; so what is a
URL decides which entries there are. Followed here is `url.Parse` (Go 1.25 and 1.26)
for `https://` and a key:

1. A fragment (`#`) and a query (`?`) are cut off; so is who stands before an `@`.
2. Only some characters may stand in a host; an escape there stands for a byte beyond
   ASCII. Brackets are for an IPv6 address, and a port is a number.
3. Escapes of the path are decoded.

Of an address with a zone (`[fe80::1%25eth0]`) nothing is made: no image has one.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple
from urllib.parse import unquote

_SCHEMES: Final = ("https://", "http://")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HOST: Final = re.compile(
    r"""(?:[\w.~!$&'()*+,;=:<>"\x80-\U0010ffff-]++|%25|%[89A-Fa-f][0-9A-Fa-f])*+""",
    re.ASCII,
)
_USER: Final = re.compile(r"[\w.:~!$&'()*+,;=%@-]*", re.ASCII)
_PORT: Final = re.compile(r"[0-9]*")
_END: Final = re.compile(r"(?::[0-9]*)?")


class Address(NamedTuple):
    """Where something is.

    Attributes:
        host: with its port, as written but for escapes.
        path: without escapes; empty, or with a slash before it.
    """

    host: str
    path: str


def read(key: str) -> Address | None:
    """The address that a key names; `None` if Go would not read it as a URL."""
    rest = key
    for scheme in _SCHEMES:
        if key.startswith(scheme):
            rest = key.removeprefix(scheme)
            break
    rest, _, fragment = rest.partition("#")
    if _CONTROL.search(rest) or _BROKEN_ESCAPE.search(fragment):
        return None
    authority, slash, path = rest.partition("?")[0].partition("/")
    user, _, place = authority.rpartition("@")
    if _BROKEN_ESCAPE.search(user) or not _USER.fullmatch(user):
        return None
    host = _host(place)
    if host is None or _BROKEN_ESCAPE.search(path):
        return None
    return Address(host, _decoded(slash + path))


def _host(text: str) -> str | None:
    if "[" in text:
        return _bracketed(text)
    _, colon, port = text.rpartition(":")
    if colon and not _PORT.fullmatch(port):
        return None
    if not _HOST.fullmatch(text):
        return None
    return _decoded(text)


def _bracketed(text: str) -> str | None:
    inside, bracket, rest = text.removeprefix("[").rpartition("]")
    if text[0] != "[" or not bracket or not _END.fullmatch(rest):
        return None
    try:
        address = ipaddress.IPv6Address(inside)
    except ValueError:
        return None
    return text if address.scope_id is None else None


def _decoded(text: str) -> str:
    """Without escapes; bytes that are no text stay apart from all that is one."""
    return unquote(text, errors="surrogateescape") if "%" in text else text
