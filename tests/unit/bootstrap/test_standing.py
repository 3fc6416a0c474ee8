"""What may change so that what was found before may still stand in."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap.registry_files import (
    CA,
    DOCKER_CONFIG,
    HOSTS,
    PROVIDERS,
    PROXY,
    File,
    Folder,
    RegistryFiles,
)
from app.bootstrap.standing import Standing
from app.settings.faults import Path as Setting
from app.settings.registry import RegistrySettings

CANARY = "canary-7f3a"
ECR, HUB = "1.dkr.ecr.example", "docker.io"


def config(*auths: tuple[str, str, str], **more: Any) -> bytes:
    """Of host, user and password."""
    found = {host: {"username": user, "password": word} for host, user, word in auths}
    return json.dumps({"auths": found, **more}).encode()


def files(
    docker: bytes = config((ECR, "AWS", "one"), (HUB, "u", "two")),
    plugins: bytes = b"plugins",
    proxy: bytes = b"u:one",
    authority: bytes = b"one",
    mirrors: tuple[Folder, ...] = (Folder("docker.io", b"toml"),),
) -> RegistryFiles:
    contents: dict[Setting, bytes] = {
        DOCKER_CONFIG: docker,
        PROVIDERS: plugins,
        PROXY: proxy,
        (*HOSTS, "r.example", CA): authority,
    }
    found = (File(name, Path("x"), content) for name, content in contents.items())
    return RegistryFiles(tuple(found), mirrors)


def standing(given: RegistryFiles | None = None, **settings: Any) -> Standing:
    return Standing.of(RegistrySettings(**settings), given or files())


@pytest.mark.parametrize(
    "rotated",
    [
        pytest.param(files(), id="nothing"),
        pytest.param(
            files(config((ECR, "AWS", "new"), (HUB, "u", "new"))), id="passwords"
        ),
        pytest.param(files(config((HUB, "u", "two"), (ECR, "AWS", "one"))), id="order"),
        pytest.param(files(authority=b"new"), id="authority"),
        pytest.param(files(proxy=b"u:new"), id="password-of-proxies"),
    ],
)
def test_what_is_rotated_takes_nothing_away(rotated: RegistryFiles) -> None:
    assert standing() == standing(rotated)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(files(config((ECR, "AWS", "one"))), id="an-account-less"),
        pytest.param(
            files(config((ECR, "AWS", "one"), (HUB, "v", "two"))), id="another-user"
        ),
        pytest.param(
            files(config((ECR, "AWS", "one"), ("quay.io", "u", "two"))), id="elsewhere"
        ),
        pytest.param(
            files(config((ECR, "AWS", "one"), (HUB, "u", "two"), credsStore="desktop")),
            id="a-helper",
        ),
        pytest.param(files(b"{}"), id="no-account"),
        pytest.param(files(plugins=b"others"), id="plugins"),
        pytest.param(files(mirrors=()), id="no-mirror"),
        pytest.param(
            files(mirrors=(Folder("docker.io", b"other"),)), id="another-mirror"
        ),
        pytest.param(RegistryFiles(), id="no-file"),
    ],
)
def test_anything_else_may_take_something_away(other: RegistryFiles) -> None:
    assert standing() != standing(other)


def test_other_settings_are_another_standing() -> None:
    assert standing() != standing(deny=["r.example"])


def test_a_standing_shows_no_secret() -> None:
    docker = config((ECR, CANARY, CANARY))
    text = repr(standing(files(docker, plugins=CANARY.encode(), proxy=CANARY.encode())))
    assert CANARY not in text
    assert CANARY not in repr(standing(files(docker)))
