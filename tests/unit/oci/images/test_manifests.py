"""Manifests and indexes: what is read of them, and which child a node runs."""

import json

import pytest

from app.errors import RegistryError
from app.oci.images import manifests
from app.oci.images.manifests import (
    ARTIFACT_TYPE,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    PlatformField,
)
from app.ports import Platform


def child(
    platform: str | None, *, kind: str = OCI_MANIFEST, artifact: str = ""
) -> Descriptor:
    """A child whose digest is its platform: `os/architecture/variant`."""
    field = None
    if platform is not None:
        os, architecture, variant = (*platform.split("/"), "")[:3]
        field = PlatformField(os=os, architecture=architecture, variant=variant)
    return Descriptor(
        digest=str(platform), media_type=kind, artifact_type=artifact, platform=field
    )


@pytest.mark.parametrize(
    ("architecture", "listed", "expected"),
    [
        pytest.param("amd64", ["linux/arm64", "linux/amd64"], "linux/amd64", id="same"),
        pytest.param("amd64", ["windows/amd64"], None, id="another-os"),
        pytest.param("amd64", ["linux/arm64"], None, id="another-architecture"),
        pytest.param("amd64", [], None, id="nothing"),
        pytest.param("amd64", ["unknown/unknown"], None, id="attestation"),
        pytest.param(
            "amd64", ["linux/unknown", "unknown/amd64"], None, id="half-known"
        ),
        pytest.param("amd64", ["linux/x86_64"], "linux/x86_64", id="uname-s-word"),
        pytest.param("arm64", ["linux/aarch64"], "linux/aarch64", id="uname-s-arm"),
        pytest.param("amd64", ["Linux/AMD64"], "Linux/AMD64", id="case"),
        pytest.param(
            "amd64", ["linux/amd64/v3", "linux/amd64"], "linux/amd64", id="no-variant"
        ),
        pytest.param(
            "amd64", ["linux/amd64/v3", "linux/amd64/v2"], "linux/amd64/v3", id="first"
        ),
        pytest.param(
            "arm64", ["linux/arm64/v9", "linux/arm64/v8"], "linux/arm64/v8", id="v8"
        ),
        pytest.param(
            "arm64", ["linux/arm64/v8", "linux/arm64"], "linux/arm64", id="arm64-bare"
        ),
        pytest.param(
            "arm",
            ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"],
            "linux/arm/v7",
            id="v7",
        ),
        pytest.param(
            "arm", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6", id="v6-before-v5"
        ),
        pytest.param(
            "amd64", ["linux/amd64", "linux/amd64"], "linux/amd64", id="listed-twice"
        ),
        pytest.param("amd64", [None, "linux/amd64"], "linux/amd64", id="known-first"),
        pytest.param("amd64", [None, "linux/arm64"], "None", id="for-any-platform"),
    ],
)
def test_a_node_runs_the_child_of_its_platform(
    architecture: str, listed: list[str | None], expected: str | None
) -> None:
    found = manifests.child_for(map(child, listed), Platform("linux", architecture))
    assert expected == (None if found is None else found.digest)


@pytest.mark.parametrize(
    ("asked", "listed", "expected"),
    [
        pytest.param("v3", ["linux/amd64", "linux/amd64/v3"], 1, id="named"),
        pytest.param("v3", ["linux/amd64", "linux/amd64/v2"], None, id="not-there"),
        pytest.param("v1", ["linux/amd64/v2", "linux/amd64"], 1, id="bare"),
        pytest.param("v1", ["linux/amd64/v2", "linux/amd64/v1"], 1, id="the-same"),
    ],
)
def test_a_variant_that_is_asked_for_is_the_only_one(
    asked: str, listed: list[str], expected: int | None
) -> None:
    platform = Platform("linux", "amd64", asked)
    found = manifests.child_for(map(child, listed), platform)
    wanted = None if expected is None else listed[expected]
    assert wanted == (None if found is None else found.digest)


@pytest.mark.parametrize(
    ("asked", "is_for"),
    [
        pytest.param("", True, id="any"),
        pytest.param("10.0", True, id="begin"),
        pytest.param("10.0.20348", True, id="build"),
        pytest.param("10.0.20348.2113", True, id="whole"),
        pytest.param("10.0.2034", False, id="half-a-number"),
        pytest.param("10.0.20348.2113.1", False, id="more"),
    ],
)
def test_a_version_of_windows_is_asked_for_by_its_begin(
    asked: str, is_for: bool
) -> None:
    content = b'{"manifests": [{"digest": "x", "platform": {"os": "windows",'
    content += b'"architecture": "amd64", "os.version": "10.0.20348.2113"}}]}'
    listed = manifests.read_index(content).manifests or []
    platform = Platform("windows", "amd64", os_version=asked)
    assert is_for == (manifests.child_for(listed, platform) is not None)


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        pytest.param(Platform("linux", "arm64"), "linux/arm64", id="bare"),
        pytest.param(Platform("linux", "arm", "v7"), "linux/arm/v7", id="variant"),
        pytest.param(
            Platform("windows", "amd64", os_version="10.0"),
            "windows/amd64:10.0",
            id="version",
        ),
    ],
)
def test_a_platform_is_written_as_nfd_takes_it(
    platform: Platform, expected: str
) -> None:
    assert expected == str(platform)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(child(None, kind=OCI_INDEX), id="index"),
        pytest.param(child(None, artifact=ARTIFACT_TYPE), id="artifact"),
        pytest.param(child(None, kind="application/x"), id="something"),
    ],
)
def test_what_is_no_image_runs_nowhere(other: Descriptor) -> None:
    assert manifests.child_for([other], Platform("linux", "amd64")) is None


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(child("linux/amd64"), True, id="image"),
        pytest.param(child("unknown/unknown"), False, id="attestation"),
        pytest.param(child(None), True, id="for-any-platform"),
        pytest.param(child(None, artifact="x"), False, id="artifact"),
    ],
)
def test_an_image_is_told_from_an_attestation(one: Descriptor, expected: bool) -> None:
    assert expected is manifests.is_runnable(one)


# Reading -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said", "expected"),
    [
        pytest.param({"mediaType": OCI_INDEX}, "", OCI_INDEX, id="its-own"),
        pytest.param({"mediaType": OCI_INDEX}, "text/plain", OCI_INDEX, id="not-said"),
        pytest.param({"mediaType": OCI_INDEX}, OCI_INDEX, OCI_INDEX, id="both"),
        pytest.param({}, DOCKER_LIST, DOCKER_LIST, id="as-said"),
        pytest.param({"manifests": []}, "", OCI_INDEX, id="shape-of-an-index"),
        pytest.param({"layers": []}, "", OCI_MANIFEST, id="shape-of-a-manifest"),
        pytest.param({"mediaType": "x/y"}, "", "", id="of-another-kind"),
        pytest.param(
            {"mediaType": "x/y", "layers": []}, "", "", id="kind-before-shape"
        ),
        pytest.param({}, "application/json", "", id="neither"),
    ],
)
def test_a_manifest_has_a_type(content: object, said: str, expected: str) -> None:
    assert expected == manifests.type_of(json.dumps(content).encode(), said)


@pytest.mark.parametrize(
    ("own", "said"),
    [(OCI_INDEX, OCI_MANIFEST), (DOCKER_MANIFEST, OCI_MANIFEST), ("x/y", OCI_INDEX)],
)
def test_a_manifest_that_is_served_as_another_kind_is_refused(
    own: str, said: str
) -> None:
    """Else two readers could see two images in it."""
    with pytest.raises(RegistryError) as caught:
        manifests.type_of(json.dumps({"mediaType": own}).encode(), said)
    assert "TypeMismatch" == caught.value.reason


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"manifests": {}, "layers": {}}', id="no-lists"),
        pytest.param(b'{"manifests": [7], "layers": [7]}', id="no-descriptors"),
        pytest.param(
            b'{"manifests": [{"digest": 7}], "layers": [{"digest": 7}]}', id="numbers"
        ),
        pytest.param(
            b'{"manifests": [{"size": NaN}], "layers": [{"size": NaN}]}', id="nan"
        ),
        pytest.param(
            b'{"manifests": [{"size": 1e99}], "layers": [{"size": 1e99}]}', id="huge"
        ),
        pytest.param(
            b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="deep-elsewhere"
        ),
        pytest.param(b'{"mediaType": "\xff"}', id="no-utf-8"),
        pytest.param(b'{"manifests": []', id="cut-off"),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    for read in (manifests.read_manifest, manifests.read_index):
        with pytest.raises(RegistryError) as caught:
            read(content)
        assert "InvalidManifest" == caught.value.reason


@pytest.mark.parametrize("subject", ["[]", '"sha256:x"', "7"])
def test_a_subject_is_one_descriptor(subject: str) -> None:
    with pytest.raises(RegistryError):
        manifests.read_manifest(f'{{"subject": {subject}}}'.encode())


def test_keys_that_nobody_knows_do_no_harm() -> None:
    content = b'{"schemaVersion": 2, "new": {"a": [1]}, "annotations": {"a": "b"}}'
    assert {"a": "b"} == manifests.read_manifest(content).annotations


@pytest.mark.parametrize("text", ["", "sha256:x", "sha256:../../x", "md5:" + "a" * 32])
def test_a_descriptor_without_a_usable_digest_is_refused(text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        manifests.digest_of(Descriptor(digest=text))
    assert "InvalidManifest" == caught.value.reason
