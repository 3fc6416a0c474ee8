"""What images say of themselves, read without their layers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.demo.content import LAYER_TYPE, MANIFEST_TYPE, Repository, digest_of, encode
from app.demo.faults import status
from app.demo.layout import Layout
from app.oci.writing import configurations
from app.oci.writing.configurations import (
    MAX_CONFIGURATION_BYTES,
    MAX_PLATFORMS,
    Configuration,
    read,
)
from app.oci.writing.folder import LayoutStore
from app.oci.writing.store import Failed
from app.ports import Platform
from tests.tools.writable import LIMITS, World

OCI = "application/vnd.oci.image.config.v1+json"
SAID = {
    "os": "linux",
    "architecture": "amd64",
    "config": {"Env": ["PATH=/bin", "A=b=c", "EMPTY"], "Labels": {"x": "y"}},
}


def image(
    repository: Repository, said: object = SAID, kind: str = OCI
) -> dict[str, object]:
    content = said if isinstance(said, bytes) else encode(said)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": repository.blob(kind, content),
        "layers": [repository.blob(LAYER_TYPE, b"layer")],
    }
    return repository.manifest(MANIFEST_TYPE, manifest)


def index(
    repository: Repository, *children: tuple[dict[str, object], dict[str, str] | None]
) -> dict[str, object]:
    kind = "application/vnd.oci.image.index.v1+json"
    listed = [
        {**one, "platform": platform} if platform else one for one, platform in children
    ]
    value = {"schemaVersion": 2, "mediaType": kind, "manifests": listed}
    return repository.manifest(kind, value)


async def reason(api: World, wanted: str = "x", platform: str | None = None) -> str:
    found = await read(api.store(wanted), LIMITS, platform=platform)
    assert isinstance(found, Failed)
    return found.reason


@pytest.mark.parametrize("kind", sorted(configurations.TYPES))
async def test_an_image_says_its_platform_environment_and_labels(
    api: World, kind: str
) -> None:
    api.repository.tag(image(api.repository, kind=kind), "x")
    found = await read(api.store("x"), LIMITS)
    expected = Configuration(
        Platform("linux", "amd64"),
        {"PATH": "/bin", "A": "b=c", "EMPTY": ""},
        {"x": "y"},
    )
    assert (expected,) == found


async def test_no_layer_is_read(api: World) -> None:
    """One manifest: it, and its configuration; one for each platform of an index."""
    layers = {digest_of(b"layer"), digest_of(b"one")}
    api.repository.tag(image(api.repository), "x")
    for wanted, requests in (("x", 3), ("multi", 6)):
        api.transport.asked.clear()
        assert not isinstance(await read(api.store(wanted), LIMITS), Failed)
        paths = [urlsplit(one.url).path for one in api.transport.asked]
        assert requests >= len(paths)
        assert [] == [one for one in paths if one.rpartition("/")[2] in layers]
        kinds = Counter(one.split("/")[-2] for one in paths)
        assert kinds["blobs"] == (1 if wanted == "x" else 2)


async def test_of_an_index_each_platform_speaks_or_one(api: World) -> None:
    found = await read(api.store("multi"), LIMITS)
    assert not isinstance(found, Failed)
    assert ["linux/amd64", "linux/arm64"] == [str(one.platform) for one in found]
    (one,) = await read(api.store("multi"), LIMITS, platform="linux/amd64")  # type: ignore[misc]
    assert Platform("linux", "amd64") == one.platform
    assert "NoSuchPlatform" == await reason(api, "multi", "linux/s390x")
    assert "InvalidPlatform" == await reason(api, "multi", "s390x")


async def test_the_index_says_the_platform_and_attestations_are_no_image(
    api: World,
) -> None:
    one, other = api.repository, image(api.repository)
    v3 = {"os": "linux", "architecture": "x86_64", "variant": "V3"}
    nobody = {"os": "unknown", "architecture": "unknown"}
    one.tag(index(one, (other, v3), (other, None), (other, nobody)), "x")
    first, second = await read(api.store("x"), LIMITS)  # type: ignore[misc]
    assert Platform("linux", "amd64", "v3") == first.platform
    assert Platform("linux", "amd64") == second.platform


async def test_what_the_index_leaves_open_is_the_configuration_s(api: World) -> None:
    one = api.repository
    arm = {"os": "linux", "architecture": "arm", "variant": "v6"}
    known = {"os": "", "architecture": ""}
    bare = {"os": "linux", "architecture": "arm"}
    one.tag(index(one, (image(one, arm), known), (image(one, arm), bare)), "x")
    found = await read(api.store("x"), LIMITS)
    assert not isinstance(found, Failed)
    assert [Platform("linux", "arm", "v6")] * 2 == [each.platform for each in found]


@pytest.mark.parametrize(
    ("said", "kind", "expected"),
    [
        (SAID, "application/vnd.sylabs.sif.config.v1+json", "NoConfiguration"),
        (b"[", OCI, "InvalidConfiguration"),
        (b'{"os": 5}', OCI, "InvalidConfiguration"),
        (b'{"config": {"Env": "A=b"}}', OCI, "InvalidConfiguration"),
        (b'{"os": "\xff"}', OCI, "InvalidConfiguration"),
        (b"[" * 5000, OCI, "InvalidConfiguration"),
    ],
)
async def test_what_is_no_configuration_is_refused(
    api: World, said: object, kind: str, expected: str
) -> None:
    api.repository.tag(image(api.repository, said, kind), "x")
    assert expected == await reason(api)


async def test_a_manifest_without_a_config_or_an_empty_index_has_none(
    api: World,
) -> None:
    kind = MANIFEST_TYPE
    bare = {"schemaVersion": 2, "mediaType": kind, "layers": []}
    api.repository.tag(api.repository.manifest(kind, bare), "x")
    assert "NoConfiguration" == await reason(api)
    api.repository.tag(index(api.repository), "x")
    assert "NoConfiguration" == await reason(api)


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
async def test_a_configuration_is_bounded(
    api: World, more: int, *, is_read: bool
) -> None:
    length = len(json.dumps({"os": ""}))
    said = json.dumps({"os": "x" * (MAX_CONFIGURATION_BYTES - length + more)})
    api.repository.tag(image(api.repository, said.encode()), "x")
    found = await read(api.store("x"), LIMITS)
    assert is_read is not isinstance(found, Failed)


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
async def test_platforms_are_bounded(api: World, more: int, *, is_read: bool) -> None:
    one = image(api.repository)
    children = [
        (one, {"os": "linux", "architecture": f"a{number}"})
        for number in range(MAX_PLATFORMS + more)
    ]
    api.repository.tag(index(api.repository, *children), "x")
    found = await read(api.store("x"), LIMITS)
    assert is_read is not isinstance(found, Failed)


async def test_a_configuration_with_another_hash_is_refused(api: World) -> None:
    api.repository.tag(image(api.repository), "x")
    api.repository.blobs[digest_of(encode(SAID))] = b"{}"
    assert "DigestMismatch" == await reason(api)


async def test_a_registry_that_cannot_answer_is_a_reason(api: World) -> None:
    assert "ImageNotFound" == await reason(api, "none")
    api.registry.faults["all"] = status(500)
    assert "ServerError" == await reason(api, "1")


async def test_a_layout_is_read_as_a_registry_is(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.tag(image(layout), "x")
    layout.close()
    (found,) = await read(LayoutStore(tmp_path, "x", LIMITS), LIMITS)  # type: ignore[misc]
    assert {"x": "y"} == found.labels


def test_the_environment_is_not_shown() -> None:
    one = Configuration(Platform("linux", "amd64"), {"TOKEN": "canary"}, {"l": "c2"})
    assert "canary" not in repr(one)
    assert "c2" not in repr(one)
