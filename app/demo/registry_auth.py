"""What the registry of this process asks for: a password, or a token of its own.

Source: distribution `docs/spec/auth/token.md`.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

_SCOPE: Final = re.compile(r"repository:(.+):([a-z,]+)")


@dataclass(frozen=True, slots=True)
class Basic:
    """Asks for a user and a password.

    Attributes:
        users: user -> password.
        rights: user -> repositories; `None` for all of them.
    """

    users: Mapping[str, str]
    rights: Mapping[str, Collection[str]] | None = None


@dataclass
class Bearer:
    """Asks for a token of a token server, which is this registry too.

    Attributes:
        users: user -> password, for the token server.
        is_open: whether the token server serves anonymous clients.
        seconds: how long a token lasts.
        realm: named in challenges; `None` for `/token` of this registry.
        now: the clock, in seconds.
        rights: user -> repositories; `None` for all of them.
        issued: token -> (repository, when it expires); all of them are kept.
        granted: token -> the actions that it allows.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    is_open: bool = True
    seconds: float = 300.0
    realm: str | None = None
    now: Callable[[], float] = time.monotonic
    rights: Mapping[str, Collection[str]] | None = None
    issued: dict[str, tuple[str, float]] = field(default_factory=dict)
    granted: dict[str, frozenset[str]] = field(default_factory=dict)

    def issue(self, repository: str, actions: str = "pull") -> str:
        """A new token for one repository; `actions` with commas between them."""
        token = f"token-{len(self.issued)}-{repository.replace('/', '-')}"
        self.issued[token] = (repository, self.now() + self.seconds)
        self.granted[token] = frozenset(actions.split(","))
        return token

    def accepts(self, token: str, repository: str, action: str = "pull") -> bool:
        """Whether a token allows an action on a repository now."""
        of, ends = self.issued.get(token, ("", 0.0))
        is_granted = action in self.granted.get(token, frozenset())
        return of == repository and self.now() < ends and is_granted


Auth: TypeAlias = Basic | Bearer


def is_open(
    auth: Auth | None, authorization: str, repository: str, action: str
) -> bool:
    """Whether a request may go on.

    Args:
        auth: what the registry asks for.
        authorization: the header's value; empty for none.
        repository: that it is about.
        action: `pull`, `push` or `delete`.
    """
    scheme, _, value = authorization.partition(" ")
    if auth is None:
        return True
    if isinstance(auth, Basic):
        is_known = scheme == "Basic" and opens(value, auth.users)
        return is_known and _may(auth, value, repository)
    return scheme == "Bearer" and auth.accepts(value, repository, action)


def challenge(auth: Auth, own_realm: str, repository: str, action: str) -> str:
    """The value of `WWW-Authenticate`."""
    if isinstance(auth, Basic):
        return 'Basic realm="registry"'
    actions = "delete" if action == "delete" else "pull,push"
    scope = f"repository:{repository}:{actions}"
    realm = auth.realm or own_realm
    return f'Bearer realm="{realm}",service="registry",scope="{scope}"'


def token(auth: Bearer, authorization: str, scope: str) -> dict[str, object] | int:
    """What the token server answers, or the status with which it refuses."""
    scheme, _, value = authorization.partition(" ")
    is_known = scheme == "Basic" and opens(value, auth.users)
    if not (is_known or (auth.is_open and not scheme)):
        return 401
    found = _SCOPE.fullmatch(scope)
    if found is None:
        return 400
    if is_known and not _may(auth, value, found[1]):
        return 401
    return {"token": auth.issue(*found.groups()), "expires_in": int(auth.seconds)}


def opens(value: str, users: Mapping[str, str]) -> bool:
    """Whether the value of a `Basic` authorization is a user's."""
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return users.get(user) == password


def _may(auth: Auth, value: str, repository: str) -> bool:
    """Whether a user who is known may use a repository."""
    user = base64.b64decode(value).decode().partition(":")[0]
    return auth.rights is None or repository in auth.rights.get(user, ())
