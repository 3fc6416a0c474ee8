"""Credentials of a Pod's pull secrets, as the kubelet takes them.

The rules of `pkg/credentialprovider/secrets` at Kubernetes v1.35.4
(`secrets.go#L50`):

1. A Secret counts if its type and its key belong together; any other is left out,
   and so is one whose value is empty.
2. One that counts and cannot be read is an error for the whole pull, whatever image
   it is for: the kubelet pulls nothing then.
3. Entries of one key stay in the order of the Secrets.

`identitytoken`, `credHelpers` and `credsStore` in a Secret count nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple

from app.errors import ConfigError
from app.oci.credentials.docker_config import read, read_auths
from app.oci.credentials.keyring import NOTHING, Keyring
from app.ports import PullSecret


class _Form(NamedTuple):
    key: str
    read: Callable[[bytes], Keyring]


_FORMS: Final[Mapping[str, _Form]] = MappingProxyType(
    {
        "kubernetes.io/dockerconfigjson": _Form(".dockerconfigjson", read),
        "kubernetes.io/dockercfg": _Form(".dockercfg", read_auths),
    }
)
"""Type of a Secret -> where its config stands, and in which form (1)."""


def keyring_of(secrets: Sequence[PullSecret]) -> Keyring:
    """What the pull secrets of a Pod open together.

    Args:
        secrets: in the Pod's order.

    Raises:
        ConfigError: one cannot be read (2); the reason is `InvalidPullSecret`, and
            the message names the Secret and shows nothing of it.
    """
    found = [keyring for one in secrets if (keyring := _keyring(one)).entries]
    if len(found) < 2:  # noqa: PLR2004 - nothing to join
        return found[0] if found else NOTHING
    return Keyring.of(chain.from_iterable(keyring.entries for keyring in found))


def _keyring(secret: PullSecret) -> Keyring:
    form = _FORMS.get(secret.type)
    content = secret.data.get(form.key) if form is not None else None
    if form is None or not content:
        return NOTHING
    try:
        return form.read(content)
    except ConfigError:
        text = f"Secret {secret.name}: {form.key} is no Docker config"
    # Outside: what was wrong may show a part of it.
    raise ConfigError("InvalidPullSecret", text)
