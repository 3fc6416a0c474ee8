"""What an image consists of."""

import pytest

from app.errors import RegistryError
from app.oci.images.manifests import OCI_INDEX, OCI_MANIFEST
from app.oci.limits import Limits
from app.oci.writing import subjects
from app.ports import Platform
from tests.tools.writable import LIMITS, World

ATTESTATION = {"os": "unknown", "architecture": "unknown"}


def index(world: World, *entries: object, tag: str = "index") -> dict[str, object]:
    value = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    descriptor = world.repository.manifest(OCI_INDEX, value)
    world.repository.tag(descriptor, tag)
    return descriptor


def image(world: World, name: str, **platform: str) -> dict[str, object]:
    said = {"platform": platform} if platform else {}
    return {**world.repository.image("amd64", name), **said}


async def platforms(world: World, limits: Limits = LIMITS) -> list[str]:
    read = await subjects.read(world.store("index"), limits)
    return [one.platform for one in read.children]


async def test_attestations_are_no_part_of_it(api: World) -> None:
    one = image(api, "one", os="linux", architecture="amd64")
    index(api, one, image(api, "two", **ATTESTATION))
    assert ["linux/amd64"] == await platforms(api)


async def test_a_manifest_without_a_platform_is_for_any(api: World) -> None:
    index(api, image(api, "one"))
    assert ["any"] == await platforms(api)


async def test_an_index_may_list_indexes(api: World) -> None:
    arm = image(api, "arm", os="linux", architecture="arm", variant="v6")
    inner = index(api, arm, tag="inner")
    amd = image(api, "amd", os="linux", architecture="amd64")
    index(api, amd, inner)
    assert ["linux/amd64", "linux/arm/v6"] == await platforms(api)


async def test_a_digest_that_is_listed_twice_is_one_subject(api: World) -> None:
    one = image(api, "one", os="linux", architecture="amd64")
    index(api, one, one)
    read = await subjects.read(api.store("index"), LIMITS)
    assert [read.root, read.children[0]] == list(read.subjects)


@pytest.mark.parametrize(("most", "is_read"), [(2, True), (1, False)])
async def test_as_many_manifests_are_read_as_may_be(
    api: World, most: int, is_read: bool
) -> None:
    one = image(api, "one", os="linux", architecture="amd64")
    index(api, one, image(api, "two", os="linux", architecture="arm64"))
    if is_read:
        assert 2 == len(await platforms(api, Limits(retries=0, children=most)))
        return
    with pytest.raises(RegistryError) as error:
        await platforms(api, Limits(retries=0, children=most))
    assert "TooManyManifests" == error.value.reason


@pytest.mark.parametrize("limits", [Limits(nested=0), Limits(children=2)])
async def test_indexes_of_indexes_are_bounded(api: World, limits: Limits) -> None:
    names = ("amd64", "arm64")
    both = [image(api, one, os="linux", architecture=one) for one in names]
    index(api, index(api, *both, tag="inner"))
    with pytest.raises(RegistryError) as error:
        await platforms(api, limits)
    assert "TooManyManifests" == error.value.reason


async def test_a_platform_that_is_lacking_says_which_there_are(api: World) -> None:
    index(api, image(api, "one", os="linux", architecture="amd64"))
    store = api.store("index")
    read = await subjects.read(store, LIMITS)
    with pytest.raises(RegistryError, match="it has: linux/amd64"):
        await subjects.of_platform(store, read, Platform("linux", "arm64"), LIMITS)
    index(api)
    read = await subjects.read(store, LIMITS)
    with pytest.raises(RegistryError, match="it has: none"):
        await subjects.of_platform(store, read, Platform("linux", "arm64"), LIMITS)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(None, id="none"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b'{"os":1}', id="other types"),
        pytest.param(b"{}", id="empty"),
    ],
)
async def test_a_manifest_that_does_not_say_its_platform_has_none(
    api: World, config: bytes | None
) -> None:
    manifest: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
    if config is not None:
        manifest["config"] = api.repository.blob("c", config)
    api.repository.tag(api.repository.manifest(OCI_MANIFEST, manifest), "index")
    store = api.store("index")
    read = await subjects.read(store, LIMITS)
    with pytest.raises(RegistryError) as error:
        await subjects.of_platform(store, read, Platform("linux", "amd64"), LIMITS)
    assert "NoSuchPlatform" == error.value.reason


async def test_a_config_that_is_gone_says_no_platform(api: World) -> None:
    store = api.store("1")
    read = await subjects.read(store, LIMITS)
    for digest in [one for one in api.repository.blobs if one != str(read.root.digest)]:
        del api.repository.blobs[digest]
    with pytest.raises(RegistryError) as error:
        await subjects.of_platform(store, read, Platform("linux", "amd64"), LIMITS)
    assert "NoSuchPlatform" == error.value.reason
