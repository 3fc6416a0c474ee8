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


class Config(NamedTuple):
    """A Secret that counts.

    Attributes:
        name: of the Secret.
        type: of it, that says where the config stands, and in which form.
        content: the config; at least one byte.
    """

    name: str
    type: str
    content: bytes


def counted(secrets: Sequence[PullSecret]) -> tuple[Config, ...]:
    """Those that count, in the Pod's order (1); none of them is read here.

    Raises:
        ConfigError: they are larger than they may be; as `keyring_of`.
    """
    found: list[Config] = []
    content_bytes = 0
    for secret in secrets:
        form = _FORMS.get(secret.type)
        content = secret.data.get(form.key) if form is not None else None
        if content:
            content_bytes += len(content)
            found.append(Config(secret.name, secret.type, content))
            if content_bytes > MAX_CONFIG_BYTES:
                raise _too_much(secret.name)
    return tuple(found)


def keyring_of(secrets: Sequence[PullSecret]) -> Keyring:
    """What the pull secrets of a Pod open together.

    Args:
        secrets: in the Pod's order.

    Raises:
        ConfigError: one cannot be read (2); the reason is `InvalidPullSecret`, and
            the message names the Secret and shows nothing of it.
    """
    return opened(counted(secrets))


def opened(configs: Sequence[Config]) -> Keyring:
    """The same, of Secrets that count; raises as `keyring_of`."""
    count = 0
    for one in configs:
        count += values(one.content)
        if count > MAX_VALUES:
            raise _too_much(one.name)
    entries: list[Entry] = []
    for one in configs:
        entries += _entries(one)
        if len(entries) > MAX_ENTRIES:
            raise _too_much(one.name)
    return Keyring.of(entries) if entries else NOTHING


def _entries(config: Config) -> Sequence[Entry]:
    form = _FORMS[config.type]
    try:
        return form.read(config.content).entries
    except ConfigError:
        text = f"Secret {config.name}: {form.key} is no Docker config"
    # Outside: what was wrong may show a part of it.
    raise ConfigError("InvalidPullSecret", text)


def _too_much(name: str) -> ConfigError:
    text = f"Secret {name}: too much, together with those before it"
    return ConfigError("InvalidPullSecret", text)
