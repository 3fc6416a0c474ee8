"""Credentials of a Pod's pull secrets, as the kubelet takes them.

The rules of `pkg/credentialprovider/secrets` at Kubernetes v1.35.4
(`secrets.go#L50`):

1. A Secret counts if its type and its key belong together; any other is left out,
   and so is one whose value is empty.
2. One that counts and cannot be read is an error for the whole pull, whatever image
   it is for: the kubelet pulls nothing then.
3. Entries of one key stay in the order of the Secrets.

Ours: what one Pod's Secrets hold together is bounded as one config is, for anybody may
write them who may write Pods; beyond is as (2).

`identitytoken`, `credHelpers` and `credsStore` in a Secret count nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from app.errors import ConfigError
from app.oci.credentials.docker_config import (
    MAX_CONFIG_BYTES,
    MAX_ENTRIES,
    MAX_VALUES,
    read,
    read_auths,
    values,
)
from app.oci.credentials.keyring import NOTHING, Entry, Keyring
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
    content_bytes = count = 0
    entries: list[Entry] = []
    for secret in secrets:
        form = _FORMS.get(secret.type)
        content = secret.data.get(form.key) if form is not None else None
        if form is None or not content:
            continue
        content_bytes += len(content)
        count += values(content)
        if content_bytes > MAX_CONFIG_BYTES or count > MAX_VALUES:
            raise _too_much(secret)
        entries += _entries(secret.name, form, content)
        if len(entries) > MAX_ENTRIES:
            raise _too_much(secret)
    return Keyring.of(entries) if entries else NOTHING


def _entries(name: str, form: _Form, content: bytes) -> Sequence[Entry]:
    try:
        return form.read(content).entries
    except ConfigError:
        text = f"Secret {name}: {form.key} is no Docker config"
    # Outside: what was wrong may show a part of it.
    raise ConfigError("InvalidPullSecret", text)


def _too_much(secret: PullSecret) -> ConfigError:
    text = f"Secret {secret.name}: too much, together with those before it"
    return ConfigError("InvalidPullSecret", text)
