"""Whom we trust, over real sockets: addresses, redirects, credentials, TLS."""

import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.demo import certificates, faults
from app.demo.registry import Auth, Basic, Bearer, Registry
from app.oci.credentials import Keyring, read
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.lookups.cached import Times
from app.oci.registry.client import Shared
from app.oci.registry.connecting import SystemResolver
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport
from app.ports import (
    Found,
    ImageOutcome,
    Platform,
    PlatformOutcome,
    Resolved,
    Unauthorized,
)

pytestmark = pytest.mark.integration

AMD = Platform("linux", "amd64")
NEW = "2026-02-01T00:00:00Z"
HERE = HostPolicy(plain_http=True, loopback=True, plain_http_credentials=True)
PASSWORD = "canary-hunter2"
"""Searched for in everything that is shown."""


@asynccontextmanager
async def reading(
    *hosts: str,
    policy: RegistryPolicy | None = None,
    keyring: Keyring | None = None,
    times: Times | None = None,
) -> AsyncIterator[RegistryArtifacts]:
    """The port on real sockets; `hosts` are allowed to be here."""
    policy = policy or RegistryPolicy(dict.fromkeys(hosts, HERE))
    limits = Limits()
    transport = AiohttpTransport(policy, limits)
    shared = Shared(transport, policy, operator=keyring or Keyring(), limits=limits)
    artifacts = RegistryArtifacts(shared, times=times)
    try:
        yield artifacts
    finally:
        await artifacts.close()


async def look(
    artifacts: RegistryArtifacts,
    image: str,
    *platforms: Platform,
    seconds: float = 20.0,
) -> ImageOutcome:
    return await artifacts.find(image, platforms or (AMD,), deadline_seconds=seconds)


def one(outcome: ImageOutcome, platform: Platform = AMD) -> PlatformOutcome:
    assert isinstance(outcome, Resolved), outcome
    return outcome.platforms[platform]


def content(outcome: ImageOutcome, platform: Platform = AMD) -> bytes:
    found = one(outcome, platform)
    assert isinstance(found, Found), found
    return found.content


def word(outcome: ImageOutcome) -> str:
    """What kind of outcome for amd64, and its reason."""
    wrong: object = one(outcome) if isinstance(outcome, Resolved) else outcome
    return f"{type(wrong).__name__} {getattr(wrong, 'reason', '')}".strip()


def filled() -> Registry:
    """`team/app:1` with an artifact."""
    registry = Registry()
    repository = registry.repository("team/app")
    image = repository.image("amd64", "x")
    repository.tag(image, "1")
    repository.attach(image, b"spec", created=NEW)
    return registry


def app(registry: Registry, tag: str = "1") -> str:
    return f"{registry.address}/team/app:{tag}"


# Addresses -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "digest", ["sha256:../../../x", "md5:" + "0" * 32, "sha256:" + "0" * 63, ""]
)
async def test_a_digest_that_the_registry_makes_up_is_not_used(digest: str) -> None:
    registry = filled()
    registry.faults["resolve"] = faults.header("Docker-Content-Digest", digest)
    async with registry.serving(), reading(registry.address) as artifacts:
        assert b"spec" == content(await look(artifacts, app(registry)))
        assert not any("x" == entry.path[-1] for entry in registry.log)


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://0.0.0.0:1/",
        "http://2130706433:1/",
        "http://127.1:1/",
        "http://localhost:1/",
        "http://①②⑦.⓪.⓪.①:1/",
        "http://10.0.0.1/",
    ],
)
@pytest.mark.parametrize("kind", ["resolve", "blob"])
async def test_a_redirect_cannot_lead_to_an_address_inside(
    kind: str, location: str
) -> None:
    registry = filled()
    registry.faults[kind] = faults.redirect(location)
    async with registry.serving(), reading(registry.address) as artifacts:
        outcome = await look(artifacts, app(registry))
        assert "Unavailable AddressRefused" == word(outcome)


async def test_a_registry_here_must_be_listed() -> None:
    registry = filled()
    async with registry.serving():
        for policy in (
            RegistryPolicy(),
            RegistryPolicy({registry.address: HostPolicy(plain_http=True)}),
            RegistryPolicy({registry.address: HostPolicy(private=True)}),
        ):
            async with reading(policy=policy) as artifacts:
                outcome = await look(artifacts, app(registry))
                assert "Unavailable AddressRefused" == word(outcome)
    assert [] == registry.log


@pytest.mark.parametrize("hops", [3, 4])
async def test_three_redirects_are_followed_and_no_more(hops: int) -> None:
    registry = filled()
    left = [hops]

    async def fault(request: Any, reply: faults.Reply) -> faults.Reply:
        if left[0] == 0:
            return reply
        left[0] -= 1
        return faults.Reply(307, {"Location": request.path_qs})

    registry.faults["blob"] = fault
    async with registry.serving(), reading(registry.address) as artifacts:
        outcome = await look(artifacts, app(registry))
        if hops > Limits().redirects:
            assert "Unavailable TooManyRedirects" == word(outcome)
        else:
            assert b"spec" == content(outcome)


async def test_a_hanging_registry_holds_the_first_pod_and_not_the_second() -> None:
    """The mutating webhook asks first, then the validating one, then other Pods."""
    registry = filled()
    registry.faults["all"] = faults.hang
    times = Times(patience_seconds=0.6)
    async with registry.serving(), reading(registry.address, times=times) as artifacts:
        started = time.monotonic()
        for seconds in (0.2, 5.0):
            outcome = await look(artifacts, app(registry), seconds=seconds)
            assert "Unavailable Timeout" == word(outcome)
        assert 0.5 <= time.monotonic() - started < 1.5
        started = time.monotonic()
        for tag in ("1", "2", "3"):
            outcome = await look(artifacts, app(registry, tag), seconds=5.0)
            assert "Unavailable Timeout" == word(outcome)
        assert time.monotonic() - started < 0.2


async def test_a_name_is_resolved_to_addresses_that_are_not_resolved_again() -> None:
    resolver = SystemResolver()
    (found,) = await resolver.resolve("127.0.0.1", 443, socket.AF_INET)
    await resolver.close()
    assert ("127.0.0.1", "127.0.0.1", 443) == (
        found["hostname"],
        found["host"],
        found["port"],
    )
    assert socket.AI_NUMERICHOST & found["flags"]


# Credentials ---------------------------------------------------------------------


def keyring(**passwords: str) -> Keyring:
    """Users `u` with these passwords; a host's `_` stands for `.`."""
    auths = ",".join(
        f'"{host}": {{"username": "u", "password": "{password}"}}'
        for host, password in passwords.items()
    )
    return read(f'{{"auths": {{{auths}}}}}'.encode())


@pytest.mark.parametrize(
    ("auth", "asked"),
    [
        pytest.param(
            Basic({"u": PASSWORD}),
            ["resolve", "resolve", "referrers", "manifest", "blob"],
            id="basic",
        ),
        pytest.param(
            Bearer({"u": PASSWORD}, is_open=False),
            ["resolve", "token", "resolve", "referrers", "manifest", "blob"],
            id="bearer",
        ),
    ],
)
async def test_a_private_registry_costs_a_challenge_and_a_token(
    auth: Auth, asked: list[str]
) -> None:
    registry = filled()
    registry.auth = auth
    async with registry.serving():
        keys = keyring(**{registry.address: PASSWORD})
        async with reading(registry.address, keyring=keys) as artifacts:
            assert b"spec" == content(await look(artifacts, app(registry)))
    assert asked == registry.asked()


@pytest.mark.parametrize(
    "auth", [Basic({"u": "other"}), Bearer({"u": "other"}, is_open=False)]
)
async def test_a_credential_that_is_refused_is_said_without_its_words(
    auth: Auth, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry = filled()
    registry.auth = auth
    async with registry.serving():
        keys = keyring(**{registry.address: PASSWORD})
        async with reading(registry.address, keyring=keys) as artifacts:
            outcome = await look(artifacts, app(registry))
            shown = (repr(keys), repr(outcome), repr(vars(artifacts)), caplog.text)
    assert isinstance(outcome, Unauthorized)
    assert not any(PASSWORD in text for text in shown)


async def test_credentials_do_not_follow_a_redirect_to_another_registry() -> None:
    """Where blobs are elsewhere, their address holds what it takes."""
    registry, storage = filled(), filled()
    registry.auth = Bearer({"u": PASSWORD}, is_open=False)
    async with registry.serving(), storage.serving():
        registry.faults["blob"] = faults.redirect(f"http://{storage.address}{{path}}")
        keys = keyring(**{registry.address: PASSWORD})
        async with reading(
            registry.address, storage.address, keyring=keys
        ) as artifacts:
            assert b"spec" == content(await look(artifacts, app(registry)))
    assert ["blob"] == storage.asked()
    assert "" == storage.log[0].authorization
    assert all(entry.authorization for entry in registry.log[1:])


@pytest.mark.parametrize(
    "realm",
    [
        "https://evil.example/token",
        "http://169.254.169.254/token",
        "http://{host}@evil.example/token",
    ],
)
async def test_a_token_server_elsewhere_gets_nothing(realm: str) -> None:
    registry = filled()
    async with registry.serving():
        realm = realm.format(host=registry.address)
        registry.auth = Bearer({"u": PASSWORD}, realm=realm)
        keys = keyring(**{registry.address: PASSWORD})
        async with reading(registry.address, keyring=keys) as artifacts:
            outcome = await look(artifacts, app(registry))
    assert "Unavailable RealmRefused" == word(outcome)
    assert ["resolve"] == registry.asked()


async def test_a_token_server_that_the_operator_lists_is_asked() -> None:
    registry, tokens = filled(), filled()
    auth = Bearer({"u": PASSWORD}, is_open=False)
    registry.auth = tokens.auth = auth
    async with registry.serving(), tokens.serving():
        auth.realm = f"http://{tokens.address}/token"
        policy = RegistryPolicy(
            {registry.address: HERE, tokens.address: HERE},
            realms={registry.address: frozenset({tokens.address})},
        )
        keys = keyring(**{registry.address: PASSWORD})
        async with reading(policy=policy, keyring=keys) as artifacts:
            assert b"spec" == content(await look(artifacts, app(registry)))
    assert ["token"] == tokens.asked()


# TLS -----------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return certificates.write_pair(tmp_path)


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


async def test_a_registry_is_asked_over_tls(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    registry = filled()
    registry.auth = Bearer({"u": PASSWORD}, is_open=False)
    async with registry.serving(tls=_context(authority.parent)):
        policy = RegistryPolicy({registry.address: HostPolicy(loopback=True)})
        keys = keyring(**{registry.address: PASSWORD})
        async with reading(policy=policy, keyring=keys) as artifacts:
            assert b"spec" == content(await look(artifacts, app(registry)))


async def test_a_redirect_away_from_tls_is_not_followed(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    registry, plain = filled(), filled()
    async with registry.serving(tls=_context(authority.parent)), plain.serving():
        registry.faults["blob"] = faults.redirect(f"http://{plain.address}{{path}}")
        policy = RegistryPolicy(
            {registry.address: HostPolicy(loopback=True), plain.address: HERE}
        )
        async with reading(policy=policy) as artifacts:
            outcome = await look(artifacts, app(registry))
    assert "Unavailable BadRedirect" == word(outcome)
    assert [] == plain.log
