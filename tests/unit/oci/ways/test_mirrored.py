"""An image over several hosts: who is asked, and whose word counts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.errors import RegistryError
from app.oci.failure import (
    LookupFailedError,
    NotThereError,
    invalid,
    not_found,
    unauthorized,
    unavailable,
)
from app.oci.images import reference
from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE, OCI_MANIFEST, Descriptor
from app.oci.images.source import Root
from app.oci.registry.client import RemoteSource, Shared
from app.oci.registry.guard import RegistryPolicy
from app.oci.ways import hosts_toml, mirrored
from app.oci.ways.mirrored import MirroredSource
from app.oci.ways.way import Way
from app.oci.ways.ways import Configured, Ways
from app.ports import ImageNotFound, Unauthorized, Unavailable
from tests.tools.answers import Table, Time

DIGEST = Digest.of(b"content")
ROOT = Root(DIGEST, OCI_MANIFEST)
OURS = Descriptor(
    digest=str(DIGEST), size=1, media_type=OCI_MANIFEST, artifact_type=ARTIFACT_TYPE
)
OTHERS = Descriptor(
    digest=str(DIGEST), size=1, media_type=OCI_MANIFEST, artifact_type="a/signature"
)
DOWN = unavailable("CannotConnect", "it cannot be reached")
FAILURES = [
    pytest.param(DOWN, id="unavailable"),
    pytest.param(unavailable("UntrustedCertificate", "x"), id="tls"),
    pytest.param(unauthorized("x"), id="unauthorized"),
    pytest.param(not_found("x"), id="not-found"),
    pytest.param(invalid("DigestMismatch", "x"), id="invalid"),
    pytest.param(RegistryError("InvalidIndex", "x"), id="broken"),
    pytest.param(NotThereError("x"), id="not-there"),
]


@dataclass
class Fake:
    """A host: answers the same to everything, fails, or never answers (`None`)."""

    answer: Any
    asked: list[str] = field(default_factory=list)

    async def _say(self, what: str) -> Any:
        self.asked.append(what)
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def resolve(self) -> Root:
        return await self._say("resolve")  # type: ignore[no-any-return]

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        del digest, most_bytes
        return await self._say("manifest")  # type: ignore[no-any-return]

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        del digest, most_bytes
        return await self._say("blob")  # type: ignore[no-any-return]

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        del subject
        return await self._say("referrers")  # type: ignore[no-any-return]


@dataclass
class Passed:
    """Implements `Observer`."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    def passed_over(self, host: str, reason: str) -> None:
        self.seen.append((host, reason))


class Scene:
    """Hosts `m0`, `m1`, ... and `r.example`, the last of the answers."""

    def __init__(self, *answers: Any, seconds: float = 10.0, **first: Any) -> None:
        self.hosts = [Fake(one) for one in answers]
        self.passed = Passed()
        clock = Time()
        shared = Shared(
            Table(), RegistryPolicy(), clock=clock, ways=Ways({}, self.passed)
        )
        names = [f"m{number}" for number in range(len(answers) - 1)]
        ways = [Way("https", name, is_upstream=False, **first) for name in names]
        ways.append(Way("https", "r.example"))
        self.image = reference.parse("r.example/a:1")
        given = (list(zip(ways, self.hosts, strict=True)), shared)
        self.clock = clock
        self.source = MirroredSource(*given, self.image, ends=clock() + seconds)
        by_digest = reference.parse(f"r.example/a@{DIGEST}")
        self.by_digest = MirroredSource(*given, by_digest, ends=clock() + seconds)

    def asked(self) -> list[list[str]]:
        return [one.asked for one in self.hosts]


async def test_the_first_that_answers_counts() -> None:
    scene = Scene(ROOT, DOWN)
    assert ROOT == await scene.source.resolve()
    assert [["resolve"], []] == scene.asked()
    assert [("m0", "")] == scene.passed.seen


@pytest.mark.parametrize("failure", FAILURES)
async def test_whatever_is_wrong_with_a_mirror_the_next_host_is_asked(
    failure: RegistryError,
) -> None:
    scene = Scene(failure, b"content", DOWN)
    assert b"content" == await scene.source.blob(DIGEST, most_bytes=9)
    assert [["blob"], ["blob"], []] == scene.asked()
    assert [("m0", failure.reason), ("m1", "")] == scene.passed.seen


@pytest.mark.parametrize(
    ("mirror", "last", "kind"),
    [
        pytest.param(not_found("x"), DOWN, Unavailable, id="could-not-look"),
        pytest.param(DOWN, not_found("x"), ImageNotFound, id="not-found"),
        pytest.param(not_found("x"), unauthorized("x"), Unauthorized, id="not-ours"),
    ],
)
async def test_if_all_fail_the_last_one_s_word_counts(
    mirror: RegistryError, last: RegistryError, kind: type
) -> None:
    with pytest.raises(LookupFailedError) as caught:
        await Scene(mirror, last).source.resolve()
    assert isinstance(caught.value.outcome, kind)


async def test_content_that_no_host_has_is_not_there() -> None:
    with pytest.raises(NotThereError):
        await Scene(DOWN, NotThereError("x")).source.manifest(DIGEST, most_bytes=9)


# What hosts are asked for ------------------------------------------------------------


async def test_a_tag_is_resolved_only_by_who_is_trusted_with_it() -> None:
    scene = Scene(ROOT, ROOT, can_resolve=False)
    await scene.source.resolve()
    assert [[], ["resolve"]] == scene.asked()
    await scene.by_digest.resolve()
    assert [["resolve"], ["resolve"]] == scene.asked()


async def test_who_may_not_be_pulled_from_is_asked_for_no_content() -> None:
    scene = Scene(b"content", b"content", can_pull=False)
    await scene.source.manifest(DIGEST, most_bytes=9)
    await scene.source.blob(DIGEST, most_bytes=9)
    await scene.by_digest.resolve()
    assert [[], ["manifest", "blob", "resolve"]] == scene.asked()


async def test_lists_come_only_from_who_is_trusted_with_them() -> None:
    scene = Scene([OURS], [OURS], can_list=False)
    await scene.source.referrers(DIGEST)
    assert [[], ["referrers"]] == scene.asked()


async def test_if_nobody_may_be_asked_we_could_not_look() -> None:
    shared = Shared(Table(), RegistryPolicy(), clock=Time())
    way = Way("https", "r.example", can_resolve=False)
    image = reference.parse("r.example/a:1")
    source = MirroredSource([(way, Fake(ROOT))], shared, image, ends=1010)
    with pytest.raises(LookupFailedError) as caught:
        await source.resolve()
    assert "NoWay" == caught.value.reason


# Referrers ---------------------------------------------------------------------------


@pytest.mark.parametrize("listed", [[], [OTHERS]], ids=["empty", "others"])
async def test_a_mirror_without_a_spec_is_not_final(listed: list[Descriptor]) -> None:
    scene = Scene(listed, [OURS])
    assert [OURS] == await scene.source.referrers(DIGEST)
    scene = Scene(listed, [])
    assert [] == await scene.source.referrers(DIGEST)
    assert [["referrers"], ["referrers"]] == scene.asked()


async def test_a_mirror_s_spec_is_enough() -> None:
    scene = Scene([OTHERS, OURS], DOWN)
    assert [OTHERS, OURS] == await scene.source.referrers(DIGEST)


async def test_a_mirror_without_a_spec_and_a_registry_that_is_down_is_no_answer() -> (
    None
):
    with pytest.raises(LookupFailedError) as caught:
        await Scene([], DOWN).source.referrers(DIGEST)
    assert DOWN.outcome == caught.value.outcome


# Time --------------------------------------------------------------------------------


async def test_a_mirror_that_hangs_leaves_time_for_the_next_and_is_asked_once() -> None:
    scene = Scene(None, b"content", seconds=0.04)
    began = asyncio.get_running_loop().time()
    assert b"content" == await scene.source.blob(DIGEST, most_bytes=9)
    assert asyncio.get_running_loop().time() - began < 0.04
    assert b"content" == await scene.source.manifest(DIGEST, most_bytes=9)
    assert [["blob"], ["blob", "manifest"]] == scene.asked()
    assert [("m0", "Timeout")] == scene.passed.seen


async def test_a_mirror_that_lacks_something_is_asked_for_the_next() -> None:
    scene = Scene(not_found("x"), b"content")
    await scene.source.blob(DIGEST, most_bytes=9)
    await scene.source.manifest(DIGEST, most_bytes=9)
    assert [["blob", "manifest"], ["blob", "manifest"]] == scene.asked()


async def test_without_time_no_mirror_is_waited_for() -> None:
    scene = Scene(None, b"content", seconds=-1.0)
    assert b"content" == await scene.source.blob(DIGEST, most_bytes=9)


# Made of what the operator configured ------------------------------------------------


def made(text: str, image: str = "r.example/a:1") -> Any:
    hosts = tuple(map(Configured, hosts_toml.read(text.encode())))
    shared = Shared(
        Table(), RegistryPolicy(), clock=Time(), ways=Ways({"_default": hosts})
    )
    return mirrored.source(shared, reference.parse(image), ends=1010)


def test_one_way_is_asked_itself() -> None:
    assert isinstance(made(""), RemoteSource)
    assert isinstance(made('server = "https://m.example"'), RemoteSource)
    assert isinstance(made('[host."https://m.example"]'), MirroredSource)
