"""Registries on loopback, real ones and one with every habit: what is asked, and found.

The figures are those of the design: requests for each image that nobody asked for
before.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from app.demo.content import Repository
from app.demo.registry import Api, Basic, Bearer, Registry, Types, failing_registry
from app.oci import credentials
from app.oci.credentials import Keyring
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.client import Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Missing,
    Platform,
    PlatformAbsent,
    Resolved,
    Unauthorized,
    Unavailable,
)
from tests.tools import needed
from tests.tools.registries import push, referrers_registry, tag_registry

pytestmark = pytest.mark.integration

AMD64, ARM64, S390X = (Platform("linux", one) for one in ("amd64", "arm64", "s390x"))
SPEC = b"version: v1alpha1\ncompatibilities: []\n"
ARM_SPEC = b"version: v1alpha1\ncompatibilities: [] # arm\n"
OLD = b"version: v1alpha1\ncompatibilities: [] # superseded\n"
OPEN = HostPolicy(plain_http=True, loopback=True, plain_http_credentials=True)


def content() -> Repository:
    """Artifacts: `single` two, `one` one, `multi` one at the index, one at arm64."""
    repository = Repository()
    single = repository.image("amd64", "single")
    repository.tag(single, "single")
    repository.attach(single, SPEC, created="2026-03-01T00:00:00Z")
    repository.attach(single, OLD, created="2026-01-01T00:00:00Z")
    one = repository.image("amd64", "one")
    repository.tag(one, "one")
    repository.attach(one, SPEC, created="2026-03-01T00:00:00Z")
    repository.tag(repository.image("amd64", "plain"), "plain")
    arm = repository.image("arm64", "multi")
    amd = repository.image("amd64", "multi")
    multi = repository.index([("amd64", amd), ("arm64", arm)])
    repository.tag(multi, "multi")
    repository.attach(multi, SPEC, created="2026-03-01T00:00:00Z")
    repository.attach(arm, ARM_SPEC, created="2026-02-01T00:00:00Z")
    return repository


@dataclass
class Counts:
    """Implements `Observer`: what each request was for."""

    seen: list[str] = field(default_factory=list)

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        del outcome, seconds
        self.seen.append(kind)

    def take(self) -> int:
        """How many requests there were since it was asked last."""
        number = len(self.seen)
        self.seen.clear()
        return number


@asynccontextmanager
async def reading(
    address: str, counts: Counts | None = None, keyring: Keyring | None = None
) -> AsyncIterator[RegistryArtifacts]:
    """The port on a registry of this machine."""
    policy, limits = RegistryPolicy({address: OPEN}), Limits()
    artifacts = RegistryArtifacts(
        Shared(
            AiohttpTransport(policy, limits),
            policy,
            keyring or Keyring(),
            limits,
            counts or Counts(),
        )
    )
    try:
        yield artifacts
    finally:
        await artifacts.close()


async def found(
    artifacts: RegistryArtifacts, image: str, *platforms: Platform
) -> ImageOutcome:
    return await artifacts.find(image, platforms or (AMD64,), deadline_seconds=10)


def specs(outcome: ImageOutcome) -> list[object]:
    """The spec of each platform; what came instead where there is none."""
    assert isinstance(outcome, Resolved), outcome
    return [
        one.content if isinstance(one, Found) else one
        for one in outcome.platforms.values()
    ]


# Real registries ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Addresses of real registries, by kind, with `content` in `org/app`."""
    needed.programs("registry", "distribution")
    with (
        referrers_registry(tmp_path_factory.mktemp("registry")) as with_api,
        referrers_registry(tmp_path_factory.mktemp("off"), has_api=False) as without,
        tag_registry(tmp_path_factory.mktemp("distribution")) as with_tags,
    ):
        addresses = {"api": with_api, "off": without, "tag": with_tags}
        for address in addresses.values():
            push(address, "org/app", content())
        yield addresses.__getitem__


@pytest.mark.parametrize(
    ("kind", "tag", "expected", "requests"),
    [
        pytest.param("api", "one", SPEC, 4, id="api-manifest"),
        pytest.param("off", "one", SPEC, 5, id="api-off-manifest"),
        pytest.param("off", "multi", SPEC, 7, id="api-off-index"),
        pytest.param("tag", "one", SPEC, 5, id="tag-manifest"),
        pytest.param("api", "multi", SPEC, 6, id="api-index"),
        pytest.param("tag", "multi", SPEC, 7, id="tag-index"),
        pytest.param("api", "plain", Missing(), 2, id="api-without-artifact"),
        pytest.param("tag", "plain", Missing(), 3, id="tag-without-artifact"),
        pytest.param("api", "single", SPEC, 5, id="api-two-artifacts"),
        pytest.param("tag", "single", SPEC, 5, id="tag-two-artifacts"),
    ],
)
async def test_real_registries_are_read_within_the_figures(
    real: Callable[[str], str], kind: str, tag: str, expected: object, requests: int
) -> None:
    """4 requests for a manifest (5 by tag), 6 for an index (8): at the most.

    go-containerregistry's API names neither types nor dates, so that of two
    artifacts both manifests are read.
    """
    image, counts = f"{real(kind)}/org/app:{tag}", Counts()
    async with reading(real(kind), counts) as artifacts:
        assert [expected] == specs(await found(artifacts, image))
        assert requests == counts.take()
        assert [expected] == specs(await found(artifacts, image))
        assert 0 == counts.take()


@pytest.mark.parametrize("kind", ["api", "off", "tag"])
async def test_real_registries_answer_for_each_platform(
    real: Callable[[str], str], kind: str
) -> None:
    async with reading(real(kind)) as artifacts:
        image = f"{real(kind)}/org/app:multi"
        outcome = await found(artifacts, image, AMD64, ARM64, S390X)
    assert [SPEC, ARM_SPEC, PlatformAbsent(has_spec=True)] == specs(outcome)


@pytest.mark.parametrize("kind", ["api", "off", "tag"])
@pytest.mark.parametrize("image", ["org/app:none", "org/none:single"])
async def test_real_registries_say_what_they_do_not_have(
    real: Callable[[str], str], kind: str, image: str
) -> None:
    async with reading(real(kind)) as artifacts:
        outcome = await found(artifacts, f"{real(kind)}/{image}")
    assert isinstance(outcome, ImageNotFound)


# Every habit -------------------------------------------------------------------------


@asynccontextmanager
async def registry(api: Api | None = None) -> AsyncIterator[Registry]:
    repository = content()
    for subject in set(repository.subjects.values()):
        repository.write_fallback_tag(subject)
    served = Registry({"org/app": repository}, api or Api())
    async with served.serving():
        yield served


SINGLE = ("resolve", "referrers", "manifest", "blob")
MULTI = ("resolve", "manifest", "referrers", "referrers", "manifest", "blob")


@pytest.mark.parametrize(
    ("api", "single", "multi"),
    [
        pytest.param(Api(), SINGLE, MULTI, id="as-the-spec-says"),
        pytest.param(Api(filtered=False), SINGLE, MULTI, id="unfiltered"),
        pytest.param(
            Api(types=Types.CONFIG, filtered=False),
            (*SINGLE, "manifest"),
            MULTI,
            id="types-of-the-config",
        ),
        pytest.param(
            Api(types=Types.CONFIG), (*SINGLE, "manifest"), MULTI, id="harbor"
        ),
        pytest.param(
            Api(types=Types.NONE, filtered=False),
            (*SINGLE, "manifest"),
            MULTI,
            id="no-types",
        ),
        pytest.param(
            Api(page_descriptors=1), (*SINGLE, "referrers"), MULTI, id="pages"
        ),
        pytest.param(
            Api(referrers=False),
            (*SINGLE, "manifest"),
            ("resolve", *["manifest"] * 4, "referrers", "blob"),
            id="fallback-tag",
        ),
        pytest.param(
            Api(head=False), (*SINGLE, "manifest"), (*MULTI, "manifest"), id="no-head"
        ),
        pytest.param(
            Api(digest_header=False),
            (*SINGLE, "manifest"),
            (*MULTI, "manifest"),
            id="no-digest-header",
        ),
    ],
)
async def test_every_habit_of_registries_leads_to_the_same_artifact(
    api: Api, single: Sequence[str], multi: Sequence[str]
) -> None:
    """The requests are those of the design's figures, and what a habit adds."""
    for tag, most in (("single", single), ("multi", multi)):
        async with registry(api) as served, reading(served.address) as artifacts:
            outcome = await found(artifacts, f"{served.address}/org/app:{tag}")
            assert [SPEC] == specs(outcome)
            assert sorted(most) == sorted(served.asked())
            served.log.clear()
            assert outcome == await found(artifacts, f"{served.address}/org/app:{tag}")
            assert [] == served.asked()


async def test_a_registry_that_fails_is_unavailable() -> None:
    async with failing_registry() as address, reading(address) as artifacts:
        outcome = await found(artifacts, f"{address}/org/app:1")
    assert Unavailable("ServerError", f"{address} answered 503") == outcome


# Credentials -------------------------------------------------------------------------

CANARY = "canary-7f3a"


def keys(address: str, *users: str) -> Keyring:
    """A config file; the same registry may stand there under several keys."""
    forms = ("https://{}", "{}/org", "http://{}/v2/")
    entries = (
        f'"{form.format(address)}":{{"username":"{user}","password":"{CANARY}"}}'
        for form, user in zip(forms, users, strict=False)
    )
    return credentials.read(f'{{"auths":{{{",".join(entries)}}}}}'.encode())


async def test_basic_authorization_works_end_to_end() -> None:
    async with registry() as served:
        served.auth = Basic({"good": CANARY})
        keyring = keys(served.address, "good", "bad")
        async with reading(served.address, keyring=keyring) as artifacts:
            outcome = await found(artifacts, f"{served.address}/org/app:single")
        assert [SPEC] == specs(outcome)
        sent = [one.authorization for one in served.log]
        assert 6 == len(sent)
        assert 1 == sent.count("")
        assert 4 == sent.count(sent[-1])


async def test_a_token_is_got_once_for_a_repository() -> None:
    async with registry() as served:
        served.auth = Bearer({"good": CANARY}, is_open=False)
        keyring = keys(served.address, "good")
        async with reading(served.address, keyring=keyring) as artifacts:
            for tag in ("single", "plain"):
                image = f"{served.address}/org/app:{tag}"
                assert isinstance(await found(artifacts, image), Resolved)
        expected = ["resolve", "token", *SINGLE, "resolve", "referrers"]
        assert expected == served.asked()


async def test_each_repository_has_a_token_of_its_own() -> None:
    async with registry() as served:
        served.auth = Bearer()
        served.repositories["org/other"] = content()
        async with reading(served.address) as artifacts:
            for name in ("app", "other"):
                image = f"{served.address}/org/{name}:plain"
                assert [Missing()] == specs(await found(artifacts, image))
        asked = ["resolve", "token", "resolve", "referrers"]
        assert [*asked, *asked[1:]] == served.asked()
        assert ["org/app", "org/other"] == [
            one for one, _ in served.auth.issued.values()
        ]


async def test_a_token_that_expires_under_way_is_replaced() -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 100
        return now

    async with registry() as served:
        served.auth = Bearer(seconds=250, now=clock)
        async with reading(served.address) as artifacts:
            outcome = await found(artifacts, f"{served.address}/org/app:multi")
        assert [SPEC] == specs(outcome)
        assert 2 <= len(served.auth.issued)


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param(Basic({"good": "other"}), id="basic"),
        pytest.param(Bearer({"good": "other"}, is_open=False), id="bearer"),
    ],
)
async def test_no_accepted_credential_is_unauthorized(auth: Basic | Bearer) -> None:
    async with registry() as served:
        served.auth = auth
        keyring = keys(served.address, "good", "bad")
        async with reading(served.address, keyring=keyring) as artifacts:
            outcome = await found(artifacts, f"{served.address}/org/app:single")
        assert isinstance(outcome, Unauthorized)
        assert CANARY not in repr(outcome)


async def test_a_token_server_elsewhere_gets_no_credential() -> None:
    async with registry() as thief, registry() as served:
        served.auth = Bearer(realm=f"http://{thief.address}/token")
        keyring = keys(served.address, "good")
        async with reading(served.address, keyring=keyring) as artifacts:
            outcome = await found(artifacts, f"{served.address}/org/app:single")
        assert isinstance(outcome, Unavailable)
        assert "RealmRefused" == outcome.reason
        assert [] == thief.log
