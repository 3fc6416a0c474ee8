"""Two registries behind one mirror: what is known of the one says nothing of the other.

A Pod's author chooses the name after `ns=`, and may own the registry behind it.
"""

from app.oci.credentials import Entry, Keyring
from app.oci.images import reference
from app.oci.limits import Limits
from app.oci.lookups.cached import CachedSource, Memory, Times
from app.oci.registry.client import RemoteSource, Shared
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.transport import Answer
from app.oci.ways.hosts_toml import read
from app.oci.ways.ways import Configured, Ways
from tests.tools.answers import (
    BAD,
    DIGEST,
    DIGESTED,
    GOOD,
    MANIFEST,
    Table,
    answer,
    challenged,
    descriptor,
    listed,
    opens,
    token,
)

MIRROR = "https://m.example/v2/org/app"
REALM = "https://m.example/token"
EVIL, HUB = "evil.example/org/app:1", "docker.io/org/app:1"


def through(toml: str, table: Table) -> Shared:
    """What lookups share, where every registry is asked as a `hosts.toml` says."""
    ways = Ways({"_default": tuple(map(Configured, read(toml.encode())))})
    return Shared(table, RegistryPolicy(), ways=ways, limits=Limits(retries=0))


def source(shared: Shared, image: str, *, at: int = 0) -> RemoteSource:
    named = reference.parse(image)
    way = shared.ways.of(named, shared.policy)[at]
    return RemoteSource(shared, named, ends=shared.clock() + 10, way=way)


def referrers(registry: str) -> str:
    return f"{MIRROR}/referrers/{DIGEST}?ns={registry}"


def manifest(registry: str) -> str:
    return f"{MIRROR}/manifests/{DIGEST}?ns={registry}"


async def test_a_registry_without_referrers_hides_none_of_another() -> None:
    table = Table({referrers("docker.io"): listed(descriptor(1))})
    shared = through('server = "https://m.example"', table)
    assert [] == await source(shared, EVIL).referrers(DIGEST)
    assert 1 == len(await source(shared, HUB).referrers(DIGEST))


async def test_an_api_without_referrers_hides_none_of_another_on_its_host() -> None:
    """The same registry, by two paths."""
    one, two = "https://m.example/one", "https://m.example/two"
    table = Table(
        {f"{two}/org/app/referrers/{DIGEST}?ns=docker.io": listed(descriptor(1))}
    )
    toml = f'server = "{two}"\noverride_path = true\n'
    toml += f'[host."{one}"]\noverride_path = true\n'
    shared = through(toml, table)
    assert [] == await source(shared, HUB, at=0).referrers(DIGEST)
    assert 1 == len(await source(shared, HUB, at=1).referrers(DIGEST))


async def test_a_token_for_one_registry_is_not_sent_for_another() -> None:
    table = Table(
        {
            manifest("evil.example"): opens("Bearer t1", otherwise=challenged(REALM)),
            manifest("docker.io"): opens("Bearer t2", otherwise=challenged(REALM)),
        }
    )
    shared = through('server = "https://m.example"', table)
    for image, value in ((EVIL, "t1"), (HUB, "t2")):
        scope = "scope=repository%3Aorg%2Fapp%3Apull"
        table.answers[f"{REALM}?{scope}"] = token(value)
        found = await source(shared, image).manifest(DIGEST, most_bytes=999)
        assert MANIFEST == found
    assert ["", "Bearer t2"] == table.sent_to(manifest("docker.io"))


async def test_what_one_registry_accepts_is_not_what_another_does() -> None:
    """A mirror that hands challenges on asks otherwise for each registry."""
    other = "https://m.example/evil"
    table = Table(
        {
            manifest("evil.example"): opens("Bearer t", otherwise=challenged(other)),
            manifest("docker.io"): answer(MANIFEST, headers=DIGESTED),
            f"{other}?scope=repository%3Aorg%2Fapp%3Apull": token("t"),
        }
    )
    shared = through('server = "https://m.example"', table)
    await source(shared, EVIL).manifest(DIGEST, most_bytes=999)
    del table.answers[f"{other}?scope=repository%3Aorg%2Fapp%3Apull"]
    assert MANIFEST == await source(shared, HUB).manifest(DIGEST, most_bytes=999)
    assert [""] == table.sent_to(manifest("docker.io"))


async def test_what_worked_for_one_registry_is_not_tried_first_for_another() -> None:
    basic = Answer(401, challenges=('Basic realm="x"',))
    urls = [manifest("evil.example"), manifest("docker.io")]
    table = Table(dict.fromkeys(urls, opens(GOOD.basic, otherwise=basic)))
    shared = through('server = "https://m.example"', table)
    shared.operator = Keyring.of(Entry.of("m.example", one) for one in (BAD, GOOD))
    for image, url in zip((EVIL, HUB), urls, strict=True):
        await source(shared, image).manifest(DIGEST, most_bytes=999)
        assert ["", BAD.basic, GOOD.basic] == table.sent_to(url)


async def test_content_by_another_name_of_docker_hub_is_its_own() -> None:
    """Another folder of mirrors may serve that name."""
    times = Times()
    table = Table({referrers("docker.io"): listed(descriptor(1))})
    shared = through('server = "https://m.example"', table)
    memory = Memory(shared.clock, times)
    counts = []
    for image in ("registry-1.docker.io/org/app:1", HUB):
        named = reference.parse(image)
        cached = CachedSource(source(shared, image), named, memory)
        counts.append(len(await cached.referrers(DIGEST)))
    assert [0, 1] == counts
