"""The settings by which a command reaches the registries that a person names.

Who types a registry's name at a terminal means it: addresses of private networks and
of this machine are allowed for the hosts that are named, and for no other. The
environment counts here (`DOCKER_CONFIG`, `HTTPS_PROXY`, `NO_PROXY`), as people
expect of a client; the webhook never looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from app.cli.specs.options import Reach
from app.errors import ConfigError
from app.oci.credentials import Credential, Entry, Keyring
from app.oci.images.reference import Reference
from app.settings.registry import RegistryHostSettings, RegistrySettings

_PROXIES: Final = {"http": ("http_proxy",), "https": ("https_proxy", "HTTPS_PROXY")}
"""`HTTP_PROXY` in upper case is a header's name to programs that serve HTTP."""


def settings(
    reach: Reach,
    references: Iterable[Reference],
    *,
    environment: Mapping[str, str],
    home: Path,
) -> RegistrySettings:
    """How the registries of these references are reached.

    Args:
        reach: as it was typed.
        references: whose hosts may be anywhere.
        environment: of the process.
        home: the user's folder.

    Raises:
        ConfigError: a file or a variable cannot be used.
    """
    base = RegistrySettings() if reach.settings is None else _read(reach.settings)
    wanted: dict[str, Any] = {
        "hosts": {**base.hosts, **_hosts(reach, references, base.hosts)}
    }
    if base.proxy == RegistrySettings().proxy:
        wanted["proxy"] = _proxies(environment)
    config = reach.docker_config or _docker_config(environment, home)
    if config is not None:
        wanted["docker_config"] = config
    try:
        return RegistrySettings.model_validate({**_given(base), **wanted})
    except ValidationError as error:
        detail = "; ".join(str(one["msg"]) for one in error.errors())
        raise ConfigError("InvalidOptions", f"registries: {detail}") from error


def keyring(reach: Reach, references: Iterable[Reference], secret: str) -> Keyring:
    """What was given on the command line, for the registries that are named.

    Args:
        reach: as it was typed.
        references: whose registries get it.
        secret: the password or token from standard input; `""` for none.
    """
    if not secret:
        return Keyring()
    if reach.registry_token_stdin:
        credential = Credential(registry_token=secret)
    else:
        credential = Credential(reach.registry_username, secret)
    domains = {one.domain for one in references}
    return Keyring.of(Entry.of(domain, credential) for domain in sorted(domains))


def _read(path: Path) -> RegistrySettings:
    from app.settings.loading import (  # noqa: PLC0415 - all sections, seldom asked
        Refused,
        judge,
        read_file,
    )

    content = read_file(path)
    said = content if isinstance(content, Refused) else judge(content, str(path))
    if isinstance(said, Refused):
        raise ConfigError("InvalidSettings", "\n".join(said.lines))
    return said.settings.registry


def _given(base: RegistrySettings) -> dict[str, Any]:
    return {name: getattr(base, name) for name in type(base).model_fields}


def _hosts(
    reach: Reach,
    references: Iterable[Reference],
    known: Mapping[str, RegistryHostSettings],
) -> dict[str, RegistryHostSettings]:
    """The hosts that are named; what was typed wins over the settings file."""
    typed: dict[str, Any] = {
        name: value
        for name, value in (
            ("plain_http", reach.plain_http),
            ("plain_http_credentials", reach.plain_http),
            ("ca_file", reach.ca_file),
            ("client_certificate", reach.client_certificate),
            ("client_key", reach.client_key),
            ("token_servers", frozenset(reach.token_server or ())),
        )
        if value
    }
    typed |= {"private": True, "loopback": True}
    return {
        host: known.get(host, RegistryHostSettings()).model_copy(update=typed)
        for host in {one.host for one in references}
    }


def _docker_config(environment: Mapping[str, str], home: Path) -> Path | None:
    """Docker's own file, if there is one."""
    folder = environment.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else home / ".docker") / "config.json"
    return path if path.is_file() else None


def _proxies(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for scheme, names in _PROXIES.items():
        for name in names:
            url = environment.get(name)
            if url and scheme not in found:
                found[scheme] = _proxy(name, url)
    direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [one.strip() for one in direct.split(",")]
    return found | {"no_proxy": tuple(filter(None, hosts))} if found else {}


def _proxy(name: str, url: str) -> str:
    text = url if "://" in url else f"http://{url}"
    if "@" in text.partition("://")[2].partition("/")[0]:
        text = (
            f"{name}: a proxy with a password: expected a settings file with "
            "registry.proxy.credentialsFile (--settings)"
        )
        raise ConfigError("InvalidProxy", text)
    return text.rstrip("/")
