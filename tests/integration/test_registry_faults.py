"""Registries that misbehave, over real sockets: what becomes of each lookup."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from app.demo import faults
from app.demo.content import CREATED, SPEC_TYPE, Repository
from app.demo.faults import Fault, Reply
from app.demo.registry import Registry
from app.oci.failure import LookupFailedError, TooLargeError
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts, Times
from app.oci.registry.client import Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport, Request
from app.ports import Found, ImageOutcome, Invalid, Platform, Resolved, Unavailable
from tests.tools.authority import Authority

pytestmark = pytest.mark.integration

AMD64 = Platform("linux", "amd64")
SPEC = b"version: v1alpha1\ncompatibilities: []\n"
OPEN = HostPolicy(plain_http=True, loopback=True, plain_http_credentials=True)
QUICK = Limits(connect_seconds=0.5, lookup_seconds=0.5)


@asynccontextmanager
async def registry(
    *, spec: bytes = SPEC, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Registry]:
    """A registry with one image that has one artifact."""
    repository = Repository()
    image = repository.image("amd64", "app")
    repository.tag(image, "1")
    repository.attach(image, spec, created="2026-03-01T00:00:00Z")
    served = Registry({"app": repository})
    async with served.serving(tls=tls):
        yield served


@asynccontextmanager
async def reading(
    hosts: Mapping[str, HostPolicy],
    *,
    limits: Limits | None = None,
    times: Times | None = None,
) -> AsyncIterator[RegistryArtifacts]:
    policy, limits = RegistryPolicy(hosts), limits or Limits()
    transport = AiohttpTransport(policy, limits)
    artifacts = RegistryArtifacts(
        Shared(transport, policy, limits=limits), times=times or Times()
    )
    try:
        yield artifacts
    finally:
        await artifacts.close()


async def outcome(
    served: Registry, *, limits: Limits | None = None, host: str | None = None
) -> object:
    """What is found for the image's one platform, or of the image."""
    async with reading({served.address: OPEN}, limits=limits) as artifacts:
        image = f"{host or served.address}/app:1"
        found = await artifacts.find(image, [AMD64], deadline_seconds=5)
    return found.platforms[AMD64] if isinstance(found, Resolved) else found


# Faults ------------------------------------------------------------------------------

NAN = b'{"manifests": [{"digest": NaN}]}'


@pytest.mark.parametrize("kind", ["resolve", "referrers", "manifest", "blob"])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(faults.status(503), "ServerError", id="503"),
        pytest.param(
            faults.status(429, {"Retry-After": "9999"}), "TooManyRequests", id="429"
        ),
        pytest.param(faults.status(418), "BadAnswer", id="418"),
        pytest.param(faults.hang, "Timeout", id="hang"),
        pytest.param(faults.no_http, "NetworkError", id="no-http"),
        pytest.param(
            faults.redirect("http://169.254.169.254/latest/meta-data"),
            "AddressRefused",
            id="metadata",
        ),
        pytest.param(
            faults.redirect("http://127.0.0.1:1/{path}"),
            "AddressRefused",
            id="loopback",
        ),
        pytest.param(
            faults.redirect("http://[::ffff:127.0.0.1]:1/"),
            "AddressRefused",
            id="mapped-loopback",
        ),
        pytest.param(
            faults.redirect("http://2130706433:1/"), "AddressRefused", id="number"
        ),
        pytest.param(
            faults.redirect("http://localhost:1/"), "AddressRefused", id="localhost"
        ),
        pytest.param(faults.redirect("{path}"), "TooManyRedirects", id="loop"),
        pytest.param(faults.redirect("ftp://x/"), "BadRedirect", id="ftp"),
        pytest.param(faults.redirect("http://h:99999/"), "BadAddress", id="port"),
    ],
)
async def test_a_fault_of_a_registry_is_unavailable(
    kind: str, fault: Fault, reason: str
) -> None:
    async with registry() as served:
        served.faults[kind] = fault
        found = await outcome(served, limits=QUICK)
    assert isinstance(found, Unavailable)
    assert reason == found.reason
    assert "secret" not in found.detail


@pytest.mark.parametrize("kind", ["referrers", "manifest", "blob"])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(faults.compressed, "UnwantedEncoding", id="gzip"),
        pytest.param(faults.cut_off, "CutOff", id="cut-off"),
        pytest.param(faults.drip(0.05), "Timeout", id="drip"),
    ],
)
async def test_a_fault_in_a_body_is_unavailable(
    kind: str, fault: Fault, reason: str
) -> None:
    async with registry() as served:
        served.faults[kind] = fault
        found = await outcome(served, limits=QUICK)
    assert isinstance(found, Unavailable)
    assert reason == found.reason


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("referrers", Unavailable, id="of-the-registry"),
        pytest.param("manifest", Invalid, id="of-the-author"),
        pytest.param("blob", Invalid, id="of-the-author-too"),
    ],
)
async def test_a_body_without_end_is_left_at_the_limit(
    kind: str, expected: type
) -> None:
    async with registry() as served:
        served.faults[kind] = faults.endless
        found = await outcome(served)
    assert isinstance(found, expected)
    assert "TooLarge" == getattr(found, "reason", None)


@pytest.mark.parametrize("kind", ["manifest", "blob"])
async def test_content_with_another_hash_is_invalid(kind: str) -> None:
    async with registry() as served:
        served.faults[kind] = faults.body(b"{}")
        found = await outcome(served)
    assert isinstance(found, Invalid)
    assert "DigestMismatch" == found.reason


@pytest.mark.parametrize("body", [b"<html>", b"[]", NAN, b"[" * 9999, b"\xff\xfe"])
async def test_a_list_of_nonsense_is_unavailable(body: bytes) -> None:
    async with registry() as served:
        served.faults["referrers"] = faults.body(body)
        found = await outcome(served)
    assert isinstance(found, Unavailable)
    assert "BadAnswer" == found.reason


@pytest.mark.parametrize(
    "link",
    [
        pytest.param('<http://127.0.0.1:1/v2/app/referrers/x>; rel="next"', id="host"),
        pytest.param('<?artifactType=&after=0>; rel="next"', id="for-ever"),
        pytest.param('<//evil.example/>; rel="next"', id="foreign"),
    ],
)
async def test_pages_that_lead_elsewhere_or_nowhere_end_the_lookup(link: str) -> None:
    async with registry() as served:
        served.faults["referrers"] = faults.header("Link", link)
        found = await outcome(served)
        assert isinstance(found, Unavailable)
        assert len(served.log) <= 1 + Limits().pages


async def test_an_error_s_endless_body_is_not_read() -> None:
    async def fault(request: web.Request, reply: Reply) -> web.StreamResponse:
        return await faults.endless(request, Reply(503, reply.headers))

    async with registry() as served:
        served.faults["referrers"] = fault
        found = await outcome(served)
    assert isinstance(found, Unavailable)
    assert "ServerError" == found.reason


# Sizes -------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [None, faults.drip(0)], ids=["declared", "streamed"])
async def test_a_body_may_have_as_many_bytes_as_the_limit(fault: Fault | None) -> None:
    async with registry() as served:
        if fault is not None:
            served.faults["blob"] = fault
        digest = next(iter(served.repositories["app"].blobs))
        size = len(served.repositories["app"].blobs[digest])
        url = f"http://{served.address}/v2/app/blobs/{digest}"
        transport = AiohttpTransport(RegistryPolicy({served.address: OPEN}), Limits())
        try:
            request = Request("GET", url, {}, size, 5)
            assert size == len((await transport.send(request)).body)
            with pytest.raises(TooLargeError):
                await transport.send(Request("GET", url, {}, size - 1, 5))
        finally:
            await transport.close()


@pytest.mark.parametrize("more", [0, 1])
async def test_a_spec_may_have_as_many_bytes_as_the_limit(more: int) -> None:
    limits = Limits()
    async with registry(spec=b"#" * (limits.spec_bytes + more)) as served:
        found = await outcome(served)
    assert isinstance(found, Invalid if more else Found)


@pytest.mark.parametrize("more", [0, 1])
async def test_an_artifact_s_manifest_may_have_as_many_bytes_as_the_limit(
    more: int,
) -> None:
    limits = Limits()
    async with registry() as served:
        repository = served.repositories["app"]
        image = next(iter(repository.types))
        subject = {"digest": image, "size": 1, "mediaType": repository.types[image]}
        created = {CREATED: "2026-05-01T00:00:00Z", "filler": ""}
        layer = repository.blob(SPEC_TYPE, SPEC)
        empty = repository.attach(
            subject,
            SPEC,
            created=None,
            changes={"annotations": created, "layers": [layer]},
        )
        repository.listed.pop()
        missing = limits.artifact_bytes - int(str(empty["size"])) + more
        created["filler"] = "x" * missing
        large = repository.attach(
            subject,
            SPEC,
            created=None,
            changes={"annotations": created, "layers": [layer]},
        )
        repository.listed[-1] = {
            **repository.listed[-1],
            "annotations": {CREATED: created[CREATED]},
        }
        assert limits.artifact_bytes + more == large["size"]
        found = await outcome(served)
    assert isinstance(found, Invalid if more else Found)


# Addresses and TLS -------------------------------------------------------------------


async def test_a_name_that_leads_to_this_machine_is_refused() -> None:
    async with registry() as served:
        port = served.address.partition(":")[2]
        hosts = {f"localhost:{port}": HostPolicy(plain_http=True, private=True)}
        async with reading(hosts) as artifacts:
            image = f"localhost:{port}/app:1"
            found = await artifacts.find(image, [AMD64], deadline_seconds=5)
        assert isinstance(found, Unavailable)
        assert "AddressRefused" == found.reason
        assert [] == served.log
        async with reading({f"localhost:{port}": OPEN}) as artifacts:
            found = await artifacts.find(image, [AMD64], deadline_seconds=5)
        assert isinstance(found, Resolved)


async def test_an_address_that_nobody_listed_is_not_connected_to() -> None:
    async with registry() as served, reading({}) as artifacts:
        image = f"{served.address}/app:1"
        found = await artifacts.find(image, [AMD64], deadline_seconds=5)
        assert isinstance(found, Unavailable)
        assert "AddressRefused" == found.reason
        assert [] == served.log


async def test_a_name_without_an_address_is_told_apart() -> None:
    async with reading({}) as artifacts:
        found = await artifacts.find("r.invalid/app:1", [AMD64], deadline_seconds=5)
        long = await artifacts.find(f"{'x' * 64}.io/a", [AMD64], deadline_seconds=5)
    assert isinstance(found, Unavailable)
    assert "NoSuchHost" == found.reason
    assert isinstance(long, Unavailable)


async def test_a_port_where_nobody_listens_is_told_apart() -> None:
    async with registry() as served:
        address = served.address
    async with reading({address: OPEN}) as artifacts:
        found = await artifacts.find(f"{address}/app:1", [AMD64], deadline_seconds=5)
    assert Unavailable("CannotConnect", "127.0.0.1 cannot be reached") == found


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


async def test_a_certificate_must_be_of_a_known_authority(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.certificate, authority.key)
    async with registry(tls=tls) as served:
        image = f"{served.address}/app:1"
        hosts = {served.address: HostPolicy(loopback=True)}
        async with reading(hosts) as artifacts:
            found = await artifacts.find(image, [AMD64], deadline_seconds=5)
        assert isinstance(found, Unavailable)
        assert "UntrustedCertificate" == found.reason
        assert [] == served.log
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
        async with reading(hosts) as artifacts:
            found = await artifacts.find(image, [AMD64], deadline_seconds=5)
        assert isinstance(found, Resolved)


async def test_a_registry_that_speaks_no_tls_is_not_asked_over_plain_http() -> None:
    async with registry() as served:
        hosts = {served.address: HostPolicy(loopback=True)}
        async with reading(hosts) as artifacts:
            image = f"{served.address}/app:1"
            found = await artifacts.find(image, [AMD64], deadline_seconds=5)
        assert isinstance(found, Unavailable)
        assert "TlsError" == found.reason
        assert [] == served.log


async def test_nothing_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password canary\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with registry() as served:
        assert isinstance(await outcome(served), Found)
        assert {""} == {one.authorization for one in served.log}
        assert {"identity"} == {one.headers["Accept-Encoding"] for one in served.log}


# Time --------------------------------------------------------------------------------


async def timed(artifacts: RegistryArtifacts, image: str) -> tuple[ImageOutcome, float]:
    started = time.monotonic()
    found = await artifacts.find(image, [AMD64], deadline_seconds=5)
    return found, time.monotonic() - started


async def test_a_registry_that_hangs_holds_the_first_caller_and_no_other() -> None:
    times = Times(patience_seconds=0.5)
    async with registry() as served:
        served.faults["all"] = faults.hang
        async with reading({served.address: OPEN}, times=times) as artifacts:
            image = f"{served.address}/app:1"
            first, first_seconds = await timed(artifacts, image)
            second, second_seconds = await timed(artifacts, image)
            asked = len(served.log)
    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)
    assert 0.4 < first_seconds < 1.5
    assert second_seconds < 0.2
    assert 1 == asked


async def test_who_cannot_wait_leaves_the_answer_to_the_next() -> None:
    async with registry() as served, reading({served.address: OPEN}) as artifacts:
        image = f"{served.address}/app:1"
        served.faults["blob"] = faults.drip(0.005)
        found = await artifacts.find(image, [AMD64], deadline_seconds=0.05)
        assert isinstance(found, Unavailable)
        found = await artifacts.find(image, [AMD64], deadline_seconds=3)
        assert isinstance(found, Resolved)
        assert 4 == len(served.log)


async def test_many_callers_at_once_cost_one_lookup() -> None:
    async with registry() as served, reading({served.address: OPEN}) as artifacts:
        image = f"{served.address}/app:1"
        found = await asyncio.gather(*(timed(artifacts, image) for _ in range(50)))
        assert 1 == len({repr(one) for one, _ in found})
        assert 4 == len(served.log)


async def test_a_transport_can_be_closed_while_it_waits(
    eventually: Callable[..., Awaitable[None]],
) -> None:
    async with registry() as served:
        served.faults["all"] = faults.hang
        async with reading({served.address: OPEN}) as artifacts:
            waiting = asyncio.create_task(timed(artifacts, f"{served.address}/app:1"))
            await eventually(lambda: served.log)
        found, _ = await waiting
    assert isinstance(found, Unavailable)


async def test_a_transport_that_was_never_used_can_be_closed() -> None:
    transport = AiohttpTransport(RegistryPolicy(), Limits())
    await transport.close()
    with pytest.raises(LookupFailedError):
        await transport.send(Request("GET", "http://127.0.0.1:1/", {}, 1, 1))
    await transport.close()
