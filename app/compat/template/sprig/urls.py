"""urlParse and urlJoin: Go's net/url.

An address in brackets that is no IPv6 address is refused: Go's texts for what is
wrong with it are many.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.compat.template import runes, strconv
from app.compat.template.limits import Meter
from app.compat.template.refusal import refuse
from app.compat.template.sprig.dicts import text_of
from app.compat.template.values import (
    DICT,
    STRING,
    Function,
    GoError,
    Map,
    slow,
)

_UNRESERVED: Final = (
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_PATH: Final = frozenset(_UNRESERVED + b"$&+,/:;=@")
_USER: Final = frozenset(_UNRESERVED + b"$&+,;=")
_FRAGMENT: Final = frozenset(_UNRESERVED + b"!$&()*+,/:;=?@")
_HOST: Final = frozenset(_UNRESERVED + b"!\"$&'()*+,:;<=>[]")
_USER_LETTERS: Final = frozenset(_UNRESERVED + b":!$&'()*+,;=%@")

_SCHEME: Final = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_PORT: Final = re.compile(rb"(?::[0-9]*)?")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_ASCII: Final = 0x80
_PERCENT: Final = b"%25"


@dataclass(slots=True)
class Url:
    """The parts of a URL, unescaped; `user` is `None` where there is none."""

    scheme: bytes = b""
    opaque: bytes = b""
    user: tuple[bytes, bytes | None] | None = None
    host: bytes = b""
    path: bytes = b""
    query: bytes = b""
    fragment: bytes = b""


def escape(data: bytes, kept: frozenset[int]) -> bytes:
    """Escapes all bytes but those that a part may hold."""
    return b"".join(bytes((c,)) if c in kept else b"%%%02X" % c for c in data)


def unescape(data: bytes, *, is_host: bool = False, is_zone: bool = False) -> bytes:
    """Puts bytes for escapes.

    Args:
        data: part of a URL.
        is_host: whether only what a host may hold is accepted.
        is_zone: whether it is the zone of an IPv6 address.

    Raises:
        GoError: an escape is broken, or not allowed there.
    """
    at = 0
    while at < len(data):
        if data[at] == ord("%"):
            _check_escape(data, at, is_host=is_host, is_zone=is_zone)
            at += 3
            continue
        if (is_host or is_zone) and data[at] < _ASCII and data[at] not in _HOST:
            shown = strconv.quote(data[at : at + 1]).decode()
            raise GoError(f"invalid character {shown} in host name")
        at += 1
    return _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), data)


def _check_escape(data: bytes, at: int, *, is_host: bool, is_zone: bool) -> None:
    match = _ESCAPE.match(data, at)
    text = data[at : at + 3]
    is_fine = match is not None
    if match is not None and text != _PERCENT:
        code = int(match[1], 16)
        if is_host:
            is_fine = code >= _ASCII
        elif is_zone:
            is_fine = code == ord(" ") or code in _HOST
    if not is_fine:
        shown = strconv.quote(text).decode()
        raise GoError(f"invalid URL escape {shown}")


def parse(data: bytes) -> Url:
    """Go's url.Parse.

    Raises:
        GoError: it is no URL; the text is that of Go's error.
    """
    body, _, fragment = data.partition(b"#")
    whole = body
    try:
        url = _parse_body(body)
        whole = data
        url.fragment = unescape(fragment)
    except GoError as e:
        shown = runes.escaped(strconv.quote(whole))
        raise GoError(f"parse {shown}: {e}") from None
    return url


def _parse_body(data: bytes) -> Url:
    if any(code < ord(" ") or code == 0x7F for code in data):  # noqa: PLR2004 - DEL
        raise GoError("net/url: invalid control character in URL")
    if data == b"*":
        return Url(path=data)
    if data.startswith(b":"):
        raise GoError("missing protocol scheme")
    match = _SCHEME.match(data)
    url = Url(scheme=match[1].lower() if match else b"")
    rest, _, url.query = data[match.end() if match else 0 :].partition(b"?")
    if not rest.startswith(b"/"):
        if url.scheme:
            url.opaque = rest
            return url
        if b":" in rest.partition(b"/")[0]:
            raise GoError("first path segment in URL cannot contain colon")
    if rest.startswith(b"//") and (url.scheme or not rest.startswith(b"///")):
        authority, slash, rest = rest[2:].partition(b"/")
        rest = slash + rest
        _parse_authority(url, authority)
    url.path = unescape(rest)
    return url


def _parse_authority(url: Url, authority: bytes) -> None:
    user, sign, host = authority.rpartition(b"@")
    url.host = _parse_host(url.scheme, host)
    if not sign:
        return
    if not _USER_LETTERS.issuperset(user):
        raise GoError("net/url: invalid userinfo")
    name, colon, password = user.partition(b":")
    url.user = (unescape(name), unescape(password) if colon else None)


def _parse_host(scheme: bytes, host: bytes) -> bytes:
    bracket = host.rfind(b"[")
    if bracket > 0:
        raise GoError("invalid IP-literal")
    if bracket == 0:
        return _parse_literal(host)
    first, last = host.find(b":"), host.rfind(b":")
    if first >= 0:
        _check_port(host[first if scheme in {b"http", b"https"} else last :])
    return unescape(host, is_host=True)


def _check_port(port: bytes) -> None:
    if not _PORT.fullmatch(port):
        shown = runes.escaped(strconv.quote(port))
        raise GoError(f"invalid port {shown} after host")


def _parse_literal(host: bytes) -> bytes:
    end = host.rfind(b"]")
    if end < 0:
        raise GoError("missing ']' in host")
    _check_port(host[end + 1 :])
    name = host[1:end]
    zone_at = name.find(_PERCENT)
    if zone_at >= 0:
        address = unescape(name[:zone_at], is_host=True)
        zone = unescape(name[zone_at:], is_zone=True)
    else:
        address, zone = unescape(name, is_host=True), b""
    _check_address(address, zone)
    return b"[" + address + zone + b"]" + host[end + 1 :]


def _check_address(address: bytes, zone: bytes) -> None:
    try:
        ipaddress.IPv6Address(address.decode("ascii"))
    except ValueError:
        refuse("urlParse", "an address in brackets that is not IPv6")
    if zone == b"%":
        refuse("urlParse", "an IPv6 address with an empty zone")


def _user_text(user: tuple[bytes, bytes | None] | None) -> bytes:
    if user is None:
        return b""
    name, password = user
    shown = escape(name, _USER)
    return shown if password is None else shown + b":" + escape(password, _USER)


def _hostname(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    if colon and _PORT.fullmatch(colon + port):
        host = name
    if host.startswith(b"[") and host.endswith(b"]"):
        return host[1:-1]
    return host


def url_parse(data: bytes) -> Map:
    """The parts of a URL as a dict."""
    try:
        url = parse(data)
    except GoError as e:
        raise GoError(f"unable to parse url: {e}") from None
    return Map(
        DICT,
        {
            b"scheme": url.scheme,
            b"host": url.host,
            b"hostname": _hostname(url.host),
            b"path": url.path,
            b"query": url.query,
            b"opaque": url.opaque,
            b"fragment": url.fragment,
            b"userinfo": _user_text(url.user),
        },
    )


def url_join(given: Map) -> bytes:
    """The URL of the parts in a dict."""
    names = (b"scheme", b"host", b"path", b"query", b"opaque", b"fragment")
    scheme, host, path, query, opaque, fragment = (text_of(given, n) for n in names)
    user = None
    info = text_of(given, b"userinfo")
    if info:
        try:
            user = parse(b"proto://" + info + b"@host").user
        except GoError as e:
            raise GoError(f"unable to parse userinfo in dict: {e}") from None
    return show(Url(scheme, opaque, user, host, path, query, fragment))


def show(url: Url) -> bytes:
    """Go's URL.String."""
    shown = url.scheme + b":" if url.scheme else b""
    if url.opaque:
        shown += url.opaque
    else:
        shown = _with_path(shown, url)
    if url.query:
        shown += b"?" + url.query
    if url.fragment:
        shown += b"#" + escape(url.fragment, _FRAGMENT)
    return shown


def _with_path(shown: bytes, url: Url) -> bytes:
    if url.host or url.user is not None or (url.scheme and url.path):
        shown += b"//"
    if url.user is not None:
        shown += _user_text(url.user) + b"@"
    shown += escape(url.host, _HOST)
    path = url.path if url.path == b"*" else escape(url.path, _PATH)
    if path and not path.startswith(b"/") and url.host:
        shown += b"/"
    if not shown and b":" in path.partition(b"/")[0]:
        shown += b"./"
    return shown + path


def _metered_join(meter: Meter, given: Map) -> bytes:
    meter.slow(sum(len(v) for v in given.entries.values() if isinstance(v, bytes)))
    return url_join(given)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "urlJoin": Function(_metered_join, (DICT,)),
    "urlParse": slow(url_parse, STRING),
}
"""By name."""
