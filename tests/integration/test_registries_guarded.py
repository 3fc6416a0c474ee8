"""Real registries behind passwords, TLS and a token server of the test's own.

Each is distribution, of the third and of the second line, with what a test CA
signed. The figures are those of the design, plus a challenge for each registry, and
a token for each repository and credential.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.oci import credentials
from app.oci.credentials import Keyring
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.client import Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport
from app.oci.ways.trust import Material, Trust
from app.ports import (
    Doubt,
    Found,
    ImageNotFound,
    Missing,
    PlatformAbsent,
    Resolved,
    Unauthorized,
    Unavailable,
)
from tests.integration.test_registries import (
    AMD64,
    ARM64,
    ARM_SPEC,
    S390X,
    SPEC,
    Counts,
    content,
    found,
    specs,
)
from tests.tools import needed
from tests.tools.authority import Authority
from tests.tools.registries import (
    HTPASSWD,
    PASSWORD,
    PROGRAMS,
    READER,
    Guard,
    delete,
    distribution,
    push,
)
from tests.tools.tokens import Tokens

pytestmark = pytest.mark.integration

CHALLENGE = TOKEN = 1
FIGURES = [
    pytest.param("one", SPEC, 5, id="manifest"),
    pytest.param("multi", SPEC, 7, id="index"),
    pytest.param("plain", Missing(), 3, id="no-artifact"),
]


@dataclass(frozen=True)
class Real:
    """A program, and a folder with `org/app` and `org/other` for it to serve."""

    program: str
    folder: Path
    authority: Authority

    def passwords(self) -> Guard:
        return Guard(self.authority, htpasswd=HTPASSWD)


@pytest.fixture(scope="module", params=PROGRAMS)
def real(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Real:
    program: str = request.param
    needed.programs(program)
    folder = tmp_path_factory.mktemp(program)
    with distribution(folder, program=program) as address:
        for name in ("org/app", "org/other"):
            push(address, name, content())
    return Real(program, folder, Authority(tmp_path_factory.mktemp("authority")))


def keys(entries: Mapping[str, str]) -> Keyring:
    """A config file: key -> `USER:PASSWORD`."""
    auths = {
        key: {"auth": base64.b64encode(pair.encode()).decode()}
        for key, pair in entries.items()
    }
    return credentials.read(json.dumps({"auths": auths}).encode())


@asynccontextmanager
async def reading(
    real: Real,
    *addresses: str,
    keyring: Keyring | None = None,
    counts: Counts | None = None,
) -> AsyncIterator[RegistryArtifacts]:
    """The port on hosts of this machine, which the authority vouches for."""
    hosts = dict.fromkeys(addresses, HostPolicy(loopback=True))
    material = Material(authorities=(real.authority.ca.read_bytes(),))
    policy, limits = RegistryPolicy(hosts), Limits()
    shared = Shared(
        AiohttpTransport(policy, limits, Trust(dict.fromkeys(addresses, material))),
        policy,
        keyring or Keyring(),
        limits,
        counts or Counts(),
    )
    artifacts = RegistryArtifacts(shared)
    try:
        yield artifacts
    finally:
        await artifacts.close()


# Passwords ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(real: Real) -> Iterator[str]:
    with distribution(real.folder, real.passwords(), program=real.program) as address:
        yield address


@pytest.mark.parametrize(("tag", "expected", "requests"), FIGURES)
async def test_a_password_costs_one_request_more(
    real: Real, guarded: str, tag: str, expected: object, requests: int
) -> None:
    counts, keyring = Counts(), keys({guarded: f"{READER}:{PASSWORD}"})
    async with reading(real, guarded, keyring=keyring, counts=counts) as artifacts:
        outcome = await found(artifacts, f"{guarded}/org/app:{tag}")
        assert [expected] == specs(outcome)
        assert requests + CHALLENGE == counts.take()
        await found(artifacts, f"{guarded}/org/app:{tag}")
        assert 0 == counts.take()


async def test_each_platform_is_answered_for_behind_a_password(
    real: Real, guarded: str
) -> None:
    keyring = keys({guarded: f"{READER}:{PASSWORD}"})
    async with reading(real, guarded, keyring=keyring) as artifacts:
        image = f"{guarded}/org/app:multi"
        outcome = await found(artifacts, image, AMD64, ARM64, S390X)
    assert [SPEC, ARM_SPEC, PlatformAbsent(has_spec=True)] == specs(outcome)


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param({}, id="none"),
        pytest.param({"{}": f"{READER}:other"}, id="wrong"),
        pytest.param({"{}/org/other": f"{READER}:{PASSWORD}"}, id="of-another"),
    ],
)
async def test_without_the_right_password_it_is_unauthorized(
    real: Real, guarded: str, entries: Mapping[str, str]
) -> None:
    keyring = keys({key.format(guarded): pair for key, pair in entries.items()})
    async with reading(real, guarded, keyring=keyring) as artifacts:
        outcome = await found(artifacts, f"{guarded}/org/app:one")
    assert isinstance(outcome, Unauthorized)
    assert PASSWORD not in repr(outcome)


async def test_the_second_of_two_passwords_is_taken(real: Real, guarded: str) -> None:
    keyring = keys(
        {f"{guarded}/org": f"{READER}:other", guarded: f"{READER}:{PASSWORD}"}
    )
    async with reading(real, guarded, keyring=keyring) as artifacts:
        assert [SPEC] == specs(await found(artifacts, f"{guarded}/org/app:one"))


@pytest.mark.parametrize("image", ["org/app:none", "org/none:one"])
async def test_what_is_not_there_is_told_to_whom_may_know(
    real: Real, guarded: str, image: str
) -> None:
    keyring = keys({guarded: f"{READER}:{PASSWORD}"})
    async with reading(real, guarded, keyring=keyring) as artifacts:
        outcome = await found(artifacts, f"{guarded}/{image}")
    assert isinstance(outcome, ImageNotFound)


# TLS ---------------------------------------------------------------------------------


async def test_a_registry_of_an_unknown_authority_is_not_read(
    real: Real, tmp_path: Path
) -> None:
    guard = replace(real.passwords(), authority=Authority(tmp_path))
    with distribution(real.folder, guard, program=real.program) as address:
        async with reading(real, address) as artifacts:
            outcome = await found(artifacts, f"{address}/org/app:one")
    assert isinstance(outcome, Unavailable)
    assert "UntrustedCertificate" == outcome.reason


# Tokens ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Behind:
    """A registry, and the token server before it."""

    address: str
    tokens: Tokens

    @property
    def hosts(self) -> tuple[str, str]:
        return self.address, self.tokens.address


@asynccontextmanager
async def tokened(
    real: Real, grants: Mapping[str, tuple[str, ...]], *, ends_seconds: int = 300
) -> AsyncIterator[Behind]:
    users = {READER: PASSWORD, "other": PASSWORD, "": ""}
    tokens = Tokens(real.authority, users, grants, ends_seconds)
    async with tokens.serving():
        guard = Guard(real.authority, realm=tokens.realm)
        with distribution(real.folder, guard, program=real.program) as address:
            yield Behind(address, tokens)


BOTH = ("org/app", "org/other")


@pytest.mark.parametrize(("tag", "expected", "requests"), FIGURES)
async def test_a_token_server_costs_two_requests_more(
    real: Real, tag: str, expected: object, requests: int
) -> None:
    counts = Counts()
    async with tokened(real, {READER: BOTH}) as behind:
        host = behind.address
        keyring = keys({host: f"{READER}:{PASSWORD}"})
        async with reading(
            real, *behind.hosts, keyring=keyring, counts=counts
        ) as artifacts:
            outcome = await found(artifacts, f"{host}/org/app:{tag}")
            assert [expected] == specs(outcome)
            assert requests + CHALLENGE + TOKEN == counts.take()
            outcome = await found(artifacts, f"{host}/org/other:{tag}")
            assert [expected] == specs(outcome)
            assert requests + TOKEN == counts.take()
    assert [(READER, f"repository:{name}:pull") for name in BOTH] == behind.tokens.asked


async def test_a_token_server_that_serves_anybody_is_asked_without_a_password(
    real: Real,
) -> None:
    async with tokened(real, {"": BOTH}) as behind:
        host = behind.address
        async with reading(real, *behind.hosts) as artifacts:
            outcome = await found(artifacts, f"{host}/org/app:multi", AMD64, ARM64)
            assert [SPEC, ARM_SPEC] == specs(outcome)
    assert [("", "repository:org/app:pull")] == behind.tokens.asked


async def test_each_repository_is_opened_by_its_own_credential(real: Real) -> None:
    """A token that one of them got opens nothing of the other."""
    grants = {READER: ("org/app",), "other": ("org/other",)}
    async with tokened(real, grants) as behind:
        host = behind.address
        keyring = keys(
            {
                f"{host}/org/app": f"{READER}:{PASSWORD}",
                f"{host}/org/other": f"other:{PASSWORD}",
            }
        )
        async with reading(real, *behind.hosts, keyring=keyring) as artifacts:
            for name in BOTH:
                outcome = await found(artifacts, f"{host}/{name}:one")
                assert [SPEC] == specs(outcome)


async def test_a_repository_that_the_token_does_not_open_is_unauthorized(
    real: Real,
) -> None:
    async with tokened(real, {READER: ("org/app",)}) as behind:
        host = behind.address
        keyring = keys({host: f"{READER}:{PASSWORD}"})
        async with reading(real, *behind.hosts, keyring=keyring) as artifacts:
            assert [SPEC] == specs(await found(artifacts, f"{host}/org/app:one"))
            outcome = await found(artifacts, f"{host}/org/other:one")
    assert isinstance(outcome, Unauthorized)


async def test_a_token_that_the_registry_ends_early_is_replaced(real: Real) -> None:
    """It is said to hold for five minutes, and is refused after two seconds."""
    async with tokened(real, {READER: BOTH}, ends_seconds=2) as behind:
        host = behind.address
        keyring = keys({host: f"{READER}:{PASSWORD}"})
        async with reading(real, *behind.hosts, keyring=keyring) as artifacts:
            assert [SPEC] == specs(await found(artifacts, f"{host}/org/app:one"))
            before = len(behind.tokens.asked)
            await asyncio.sleep(4)
            assert [SPEC] == specs(await found(artifacts, f"{host}/org/app:multi"))
        assert before < len(behind.tokens.asked)


# Deletion ----------------------------------------------------------------------------


async def test_an_artifact_that_was_deleted_does_not_count(real: Real) -> None:
    """The registry leaves it on the list under the fallback tag."""
    policy, limits = HostPolicy(plain_http=True, loopback=True), Limits()
    with distribution(real.folder, program=real.program) as address:
        image, outcomes = f"{address}/org/deleted:single", []
        push(address, "org/deleted", content())
        for _ in range(3):
            hosts = RegistryPolicy({address: policy})
            shared = Shared(AiohttpTransport(hosts, limits), hosts, limits=limits)
            artifacts = RegistryArtifacts(shared)
            outcome = await found(artifacts, image)
            await artifacts.close()
            assert isinstance(outcome, Resolved)
            outcomes.append(one := outcome.platforms[AMD64])
            if isinstance(one, Found):
                delete(address, "org/deleted", one.digest)
    newest, older, none = outcomes
    assert isinstance(newest, Found)
    assert isinstance(older, Found)
    assert (SPEC, ()) == (newest.content, newest.doubts)
    assert (Doubt.GONE,) == older.doubts
    assert Missing() == none
