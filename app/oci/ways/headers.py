"""Headers that an operator lets us send to a mirror; their values are secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

MAX_HEADERS: Final = 32
MAX_VALUE_CHARACTERS: Final = 8192

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")

_OURS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "te",  # codespell:ignore te
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Those of one hop (RFC 9110, 7.6.1), and those that say what is sent and wanted."""


def require(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, if all of them may be sent.

    Raises:
        ValueError: one may not; the message names it, and never its value.
    """
    if len(headers) > MAX_HEADERS:
        raise ValueError(f"expected at most {MAX_HEADERS}")
    seen: set[str] = set()
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:64]!r} is no header's name")
        if name.lower() in _OURS:
            raise ValueError(f"{name} is not to be set")
        if name.lower() in seen:
            raise ValueError(f"{name} stands twice")
        if len(value) > MAX_VALUE_CHARACTERS or not _VALUE.fullmatch(value):
            raise ValueError(f"{name} has a value that cannot be sent")
        seen.add(name.lower())
    return headers
