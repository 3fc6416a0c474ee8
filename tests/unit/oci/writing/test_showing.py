"""The spec of an image that counts."""

import pytest

from app.demo.content import digest_of
from app.demo.faults import status
from app.oci.writing.showing import Shown, failed, show
from app.oci.writing.store import Failed
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unauthorized,
    Unavailable,
)
from tests.tools.writable import DATE, LIMITS, OTHER, SPEC, World, attach


async def test_it_is_shown_as_it_was_written_with_its_digests(api: World) -> None:
    attached = await attach(api.store())
    for platform in (None, "linux/amd64", "linux/s390x"):
        store = api.store()
        digest = api.repository.tags["1"]
        assert Shown(
            image=store.name,
            image_digest=digest,
            subject=digest,
            is_index=False,
            digest=attached.digest,
            spec_digest=digest_of(SPEC),
            content=SPEC,
            created=DATE,
        ) == await show(store, LIMITS, platform=platform)


async def test_for_a_platform_it_is_its_own_or_else_the_index_s(api: World) -> None:
    await attach(api.store("multi"))
    await attach(api.store("multi"), OTHER, platform="linux/arm64")
    expected = {None: (SPEC, True), "linux/amd64": (SPEC, True)}
    expected["linux/arm64"] = (OTHER, False)
    for platform, (content, is_index) in expected.items():
        shown = await show(api.store("multi"), LIMITS, platform=platform)
        assert isinstance(shown, Shown)
        assert (content, is_index) == (shown.content, shown.is_index)
        assert api.repository.tags["multi"] == shown.image_digest


@pytest.mark.parametrize(
    ("wanted", "platform", "reason"),
    [
        ("1", None, "NoSpec"),
        ("multi", None, "NoSpec"),
        ("multi", "linux/s390x", "NoSuchPlatform"),
        ("multi", "s390x", "InvalidPlatform"),
        ("none", None, "ImageNotFound"),
        ("none", "linux/amd64", "ImageNotFound"),
    ],
)
async def test_without_one_it_says_why(
    api: World, wanted: str, platform: str | None, reason: str
) -> None:
    shown = await show(api.store(wanted), LIMITS, platform=platform)
    assert isinstance(shown, Failed)
    assert reason == shown.reason


async def test_what_is_no_manifest_shows_no_spec(api: World) -> None:
    kind = "application/vnd.example"
    api.repository.tag(api.repository.manifest(kind, {"mediaType": kind}), "odd")
    shown = await show(api.store("odd"), LIMITS)
    assert isinstance(shown, Failed)
    assert "UnsupportedManifest" == shown.reason


async def test_a_registry_that_cannot_answer_is_a_reason(api: World) -> None:
    api.registry.faults["referrers"] = status(500)
    shown = await show(api.store(), LIMITS)
    assert isinstance(shown, Failed)
    assert "ServerError" == shown.reason


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Missing(), "NoSpec"),
        (PlatformAbsent(has_spec=True), "NoSuchPlatform"),
        (Invalid("TypeMismatch", "text"), "TypeMismatch"),
        (Unavailable("Timeout", "text"), "Timeout"),
        (Unauthorized("text"), "Unauthorized"),
        (ImageNotFound("text"), "ImageNotFound"),
    ],
)
def test_each_outcome_without_a_spec_is_a_reason(
    outcome: ImageOutcome | PlatformOutcome, reason: str
) -> None:
    one = failed("image", outcome)
    assert ("image", reason) == (one.image, one.reason)
    assert one.detail


@pytest.mark.parametrize("outcome", [Resolved("d"), Found("d", "s", "p", b"")])
def test_an_outcome_with_a_spec_is_no_reason(
    outcome: ImageOutcome | PlatformOutcome,
) -> None:
    with pytest.raises(TypeError):
        failed("image", outcome)
