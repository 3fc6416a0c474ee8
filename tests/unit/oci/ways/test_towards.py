"""Questions to a registry on a way of the operator's: names, headers, credentials."""

import pytest

from app.oci.credentials import Credential, Entry, Keyring
from app.oci.failure import LookupFailedError
from app.oci.images import reference
from app.oci.registry.client import RemoteSource, Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import Answer
from app.oci.ways.trust import Material
from app.oci.ways.way import Way
from tests.tools.answers import (
    DIGEST,
    DIGESTED,
    MANIFEST,
    Table,
    answer,
    challenged,
    listed,
    opens,
    token,
)

MIRROR = Way(
    "https",
    "m.example",
    "/v2/proxy",
    headers={"X-A": "canary"},
    query="ns=r.example",
    trust=Material((b"ca",)),
    is_upstream=False,
)
BASE = "https://m.example/v2/proxy/org/app"
MANIFEST_URL = f"{BASE}/manifests/{DIGEST}?ns=r.example"
ADA = Credential("ada", "secret")


def keyring(*hosts: str) -> Keyring:
    return Keyring.of(Entry.of(host, Credential(host, "secret")) for host in hosts)


def source(
    table: Table,
    way: Way = MIRROR,
    *,
    policy: RegistryPolicy | None = None,
    operator: Keyring | None = None,
    pod: Keyring | None = None,
) -> RemoteSource:
    shared = Shared(table, policy or RegistryPolicy(), operator or Keyring())
    image = reference.parse("r.example/org/app:1")
    ends = shared.clock() + 10
    return RemoteSource(shared, image, ends=ends, keyring=pod or Keyring(), way=way)


async def test_every_question_names_the_registry_that_is_meant() -> None:
    table = Table(
        {
            f"HEAD {BASE}/manifests/1?ns=r.example": answer(headers=DIGESTED),
            MANIFEST_URL: answer(MANIFEST),
            f"{BASE}/blobs/{DIGEST}?ns=r.example": answer(MANIFEST),
        }
    )
    one = source(table)
    await one.resolve()
    assert MANIFEST == await one.manifest(DIGEST, most_bytes=999)
    assert MANIFEST == await one.blob(DIGEST, most_bytes=999)
    await one.referrers(DIGEST)
    assert all("ns=r.example" in request.url for request in table.asked)
    assert all("canary" == request.headers["X-A"] for request in table.asked)
    assert all(MIRROR.trust is request.trust for request in table.asked)


async def test_pages_of_referrers_are_asked_there() -> None:
    first = f"{BASE}/referrers/{DIGEST}?ns=r.example"
    table = Table({first: listed()})
    await source(table).referrers(DIGEST)
    assert [f"GET {first}"] == table.urls()


async def test_a_redirect_to_elsewhere_takes_nothing_of_the_way_along() -> None:
    elsewhere = "https://storage.example/x"
    table = Table(
        {
            f"{BASE}/blobs/{DIGEST}?ns=r.example": Answer(307, {"location": elsewhere}),
            elsewhere: answer(MANIFEST),
        }
    )
    assert MANIFEST == await source(table).blob(DIGEST, most_bytes=999)
    (sent,) = (one for one in table.asked if one.url == elsewhere)
    assert "X-A" not in sent.headers
    assert sent.trust is None


async def test_a_mirror_gets_its_own_credentials_and_never_the_registry_s() -> None:
    of = {host: Credential(host, "secret").basic for host in ("m.example", "r.example")}
    basic = Answer(401, challenges=("Basic",))
    for whose in ("operator", "pod"):
        table = Table({MANIFEST_URL: opens(of["m.example"], otherwise=basic)})
        ring = keyring("m.example", "r.example")
        one = source(table, **{whose: ring})  # type: ignore[arg-type]
        assert MANIFEST == await one.manifest(DIGEST, most_bytes=999)
        assert [of["m.example"]] == [
            *filter(None, table.sent_to(BASE + "/manifests/" + str(DIGEST)))
        ]


async def test_the_token_server_of_a_mirror_is_asked_on_the_same_way() -> None:
    realm = "https://m.example/token"
    url = f"{realm}?scope=repository%3Aproxy%2Forg%2Fapp%3Apull"
    table = Table(
        {
            MANIFEST_URL: opens("Bearer t", otherwise=challenged(realm)),
            url: token(),
        }
    )
    assert MANIFEST == await source(table).manifest(DIGEST, most_bytes=999)
    (asked,) = (one for one in table.asked if one.url == url)
    assert MIRROR.trust is asked.trust
    assert "canary" == asked.headers["X-A"]


async def test_who_is_not_looked_at_gets_no_credential() -> None:
    way = Way("https", "m.example", trust=Material(skip_verify=True))
    url = f"https://m.example/v2/org/app/manifests/{DIGEST}"
    table = Table({url: opens("", otherwise=Answer(500))})
    ring = keyring("m.example")
    one = source(table, way, operator=ring, pod=ring)
    assert MANIFEST == await one.manifest(DIGEST, most_bytes=999)
    table.answers[url] = Answer(401, challenges=("Basic",))
    with pytest.raises(LookupFailedError, match="wants a credential"):
        await source(table, way, operator=ring, pod=ring).manifest(DIGEST, most_bytes=9)
    assert {""} == set(table.sent_to(url))


async def test_a_way_over_plain_http_is_asked_so_and_its_host_else_is_not() -> None:
    way = Way("http", "m.example")
    url = f"http://m.example/v2/org/app/manifests/{DIGEST}"
    table = Table({url: answer(MANIFEST)})
    assert MANIFEST == await source(table, way).manifest(DIGEST, most_bytes=999)
    policy = RegistryPolicy({"m.example": HostPolicy(private=True)})
    assert MANIFEST == await source(table, way, policy=policy).manifest(
        DIGEST, most_bytes=999
    )
    image = reference.parse("m.example/org/app:1")
    direct = RemoteSource(Shared(table, policy), image, ends=float("inf"))
    assert direct._exchange.base.startswith("https://")


async def test_texts_name_the_mirror_that_failed() -> None:
    table = Table({MANIFEST_URL: Answer(418)})
    with pytest.raises(LookupFailedError, match=r"^m\.example answered 418"):
        await source(table).manifest(DIGEST, most_bytes=9)
