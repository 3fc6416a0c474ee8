"""Docker's credential helpers: `credHelpers` and `credsStore` of a Docker config file.

A helper is a program `docker-credential-NAME`. It is called with `get`, reads the
registry's address from standard input, and answers
`{"ServerURL": ..., "Username": ..., "Secret": ...}`.

1. `credHelpers` names a helper for one registry; `credsStore` the one for all others.
   An empty name in `credHelpers` keeps `credsStore` away.
2. The address is the registry's host; Docker Hub's is `https://index.docker.io/v1/`.
3. The user `<token>` says that the secret is an identity token.
4. A helper that ends in failure and says that there are no credentials offers nothing,
   and that is no fault.

Source: docker-credential-helpers v0.9.3 (`client/client.go`, `credentials/error.go`),
docker/cli `cli/config/configfile/file.go`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from app.errors import ConfigError
from app.oci.cache import TimedCache
from app.oci.credentials.keyring import Credential
from app.oci.credentials.programs import (
    Failure,
    Observer,
    Output,
    Ran,
    Runner,
    Unobserved,
    is_name,
)
from app.oci.images.reference import DOCKER_HUB, Reference
from app.oci.joining import Joined

HELPER_SECONDS: Final = 5.0
HELPER_BYTES: Final = 64 << 10

KNOWN_SECONDS: Final = 60.0
"""How long an answer holds; the protocol does not say."""

FAILED_SECONDS: Final = 10.0
"""How long a program that failed is left alone."""

_PREFIX: Final = "docker-credential-"
_HUB_ADDRESS: Final = "https://index.docker.io/v1/"
_HUB_NAMES: Final = frozenset({"index.docker.io", "registry-1.docker.io"})
_TOKEN: Final = "<token>"  # noqa: S105 - a user's name, by which no secret is told
_NOT_FOUND: Final = b"credentials not found"
_KNOWN_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class HelperNames:
    """Which helper is for which registry.

    Attributes:
        by_registry: registry, as `Reference.domain` in lower case -> name.
        otherwise: for all others; empty for none.
    """

    by_registry: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""

    def of(self, domain: str) -> str:
        """The name of the helper for a registry; empty for none."""
        return self.by_registry.get(domain.lower(), self.otherwise)


class _Config(msgspec.Struct, rename="camel"):
    cred_helpers: dict[str, str | None] | None = None
    creds_store: str | None = None


def read_helpers(content: bytes) -> HelperNames:
    """Which helpers a Docker config file names.

    Args:
        content: of the file, that is known to be a Docker config.

    Raises:
        ConfigError: it names programs as it may not, with every place.
    """
    try:
        config = msgspec.json.decode(content, type=_Config)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The library's text may show a value, so it is left out.
        text = 'expected {"credHelpers": {REGISTRY: NAME}, "credsStore": NAME}'
        raise ConfigError("InvalidDockerConfig", text) from None
    faults = list(_faults(config))
    if faults:
        raise ConfigError("InvalidDockerConfig", "; ".join(faults))
    named = (config.cred_helpers or {}).items()
    return HelperNames(
        {_domain(key): name or "" for key, name in named}, config.creds_store or ""
    )


def _faults(config: _Config) -> Iterator[str]:
    say = "expected a name of letters, digits and `._-`"
    for key, name in (config.cred_helpers or {}).items():
        if name and not is_name(name):
            yield f"credHelpers.{_shown(key)}: {say}"
    if config.creds_store and not is_name(config.creds_store):
        yield f"credsStore: {say}"


def _shown(key: str) -> str:
    """A key in a text for people: on one line, and not without end."""
    return "".join(one if one.isprintable() else "?" for one in key[:255])


def _domain(key: str) -> str:
    """A registry, however a file spells it (`https://index.docker.io/v1/`)."""
    host = key.partition("://")[2] if "://" in key else key
    domain = host.partition("/")[0].lower()
    return DOCKER_HUB if domain in _HUB_NAMES else domain


class Helpers:
    """Asks the helpers that a Docker config file names.

    Args:
        names: of the helpers.
        programs: of their folder.
        observer: is told how they fare.
        clock: in seconds, monotonic.
    """

    def __init__(
        self,
        names: HelperNames,
        programs: Runner,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names: Final = names
        self._programs: Final = programs
        self._observer: Final = observer or Unobserved()
        self._clock: Final = clock
        self._known: Final[TimedCache[str, tuple[Credential, ...]]] = TimedCache(
            clock, most_bytes=_KNOWN_BYTES
        )
        self._runs: Final[Joined[str, tuple[Credential, ...]]] = Joined()

    async def lookup(self, image: Reference) -> tuple[Credential, ...]:
        """What the helper for an image's registry offers: one credential, or none."""
        name = self._names.of(image.domain)
        if not name:
            return ()
        address = _HUB_ADDRESS if image.domain == DOCKER_HUB else image.domain
        known = self._known.get(address)
        if known is not None:
            return known
        return await self._runs.run(address, lambda: self._ask(name, address))

    async def _ask(self, name: str, address: str) -> tuple[Credential, ...]:
        async with self._programs.turns:
            started = self._clock()
            ran = await self._programs.run(
                f"{_PREFIX}{name}", ["get"], address.encode()
            )
        outcome, found = _read(ran)
        seconds = self._clock() - started
        self._observer.program("helper", name, outcome, seconds=seconds)
        holds = KNOWN_SECONDS if outcome in _ANSWERS else FAILED_SECONDS
        self._known.put(address, found, seconds=holds, content_bytes=_size(ran))
        return found


_ANSWERS: Final = frozenset({"given", "nothing"})


class _Answer(msgspec.Struct, rename="pascal"):
    username: str = ""
    secret: str = ""


def _read(ran: Ran) -> tuple[str, tuple[Credential, ...]]:
    """An outcome, as `Observer.program` names it, and what is offered."""
    if isinstance(ran, Failure):
        return ran.value, ()
    if ran.status != 0:
        is_nothing = _NOT_FOUND in ran.content.lower()
        return "nothing" if is_nothing else "failed", ()
    try:
        answer = msgspec.json.decode(ran.content, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "invalid", ()
    if not answer.secret:
        return "nothing", ()
    if answer.username == _TOKEN:
        return "given", (Credential(identity_token=answer.secret),)
    return "given", (Credential(answer.username, answer.secret),)


def _size(ran: Ran) -> int:
    return len(ran.content) if isinstance(ran, Output) else 0
