"""Challenges: what a registry accepts, as `WWW-Authenticate` says it.

    challenges := *( "," ) challenge *( "," challenge )
    challenge  := scheme [ 1*SP ( token68 / parameter *( "," parameter ) ) ]
    parameter  := token "=" ( token / quoted )

RFC 7235, sections 2.1 and 4.1, for several challenges in one header and several
headers. Looser where registries are: a value without quotes may hold `/` and `:`.
What is no challenge ends the reading of its header; what was read before counts.

A header is anybody's input: every pattern is possessive, so that no text is read
twice, and what is larger than `MAX_HEADER_CHARACTERS` is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

MAX_CHALLENGES: Final = 8
"""More than registries send; each may cost a request for a token."""

MAX_HEADER_CHARACTERS: Final = 16 << 10

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_SCHEME: Final = re.compile(rf"[\s,]*+({_WORD})(?=[\s,]|\Z)", re.ASCII)
_PARAMETER: Final = re.compile(
    rf"[\s,]*+({_WORD})\s*+=\s*+"
    r'(?:"((?:[^"\\]|\\.)*+)"|([^\s",=][^\s",]*+))(?=[\s,]|\Z)',
    re.ASCII | re.DOTALL,
)
_TOKEN68: Final = re.compile(r"\s*+[A-Za-z0-9._~+/-]++=*+(?=\s*+(?:,|\Z))", re.ASCII)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One thing that a registry accepts.

    Attributes:
        scheme: in lower case (`basic`, `bearer`).
        parameters: name in lower case -> value; the first of a name counts.
    """

    scheme: str
    parameters: Mapping[str, str]

    @property
    def essence(self) -> tuple[str, str, str]:
        """What counts of it: the scope and reports of errors differ each time."""
        given = self.parameters.get
        return self.scheme, given("realm", ""), given("service", "")


def read_all(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """The first `MAX_CHALLENGES` of all `WWW-Authenticate` headers of an answer."""
    found = (
        one
        for header in headers
        if len(header) <= MAX_HEADER_CHARACTERS
        for one in read_challenges(header)
    )
    return tuple(islice(found, MAX_CHALLENGES))


def read_challenges(header: str) -> tuple[Challenge, ...]:
    """The first challenges of a `WWW-Authenticate` header, up to the limit."""
    found: list[Challenge] = []
    at = 0
    while len(found) < MAX_CHALLENGES:
        scheme = _SCHEME.match(header, at)
        if scheme is None:
            break
        at = scheme.end()
        parameters: dict[str, str] = {}
        while (one := _PARAMETER.match(header, at)) is not None:
            value = one[3] or _ESCAPED.sub(r"\1", one[2] or "")
            parameters.setdefault(one[1].lower(), value)
            at = one.end()
        token68 = _TOKEN68.match(header, at) if not parameters else None
        if token68 is not None and header[at : at + 1].isspace():
            at = token68.end()
        found.append(Challenge(scheme[1].lower(), parameters))
    return tuple(found)
