"""Authors write behind TLS and a token server, with the rights that it takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.oci.credentials import Credential, Entry, Keyring
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.shared import Shared
from app.oci.registry.transport import AiohttpTransport
from app.oci.ways.trust import Material, Trust
from app.oci.writing import attaching
from app.oci.writing.removing import All, Removal, Removed, remove
from app.oci.writing.showing import Shown, show
from app.oci.writing.store import Failed
from tests.tools import needed
from tests.tools.authority import Authority
from tests.tools.registries import (
    PASSWORD,
    PROGRAMS,
    READER,
    Guard,
    distribution,
    push,
)
from tests.tools.tokens import Tokens
from tests.tools.writable import DATE, NAME, SPEC, attach, spec
from tests.tools.writers import LIMITS, Ways, content

pytestmark = pytest.mark.integration

PULL = frozenset({"pull"})
PUSH = PULL | {"push"}
DELETE = PUSH | {"delete"}


@asynccontextmanager
async def writing(authority: Authority, *hosts: str) -> AsyncIterator[Ways]:
    """The author's way; the password is for the first of the hosts."""
    keyring = Keyring.of([Entry.of(hosts[0], Credential(READER, PASSWORD))])
    policy = RegistryPolicy(dict.fromkeys(hosts, HostPolicy(loopback=True)))
    material = Material(authorities=(authority.ca.read_bytes(),))
    trust = Trust(dict.fromkeys(hosts, material))
    transport = AiohttpTransport(policy, LIMITS, trust)
    try:
        yield Ways(Shared(transport, policy, operator=keyring, limits=LIMITS))
    finally:
        await transport.close()


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    needed.programs(name)
    return name


@asynccontextmanager
async def guarded(
    folder: Path, program: str, actions: frozenset[str]
) -> AsyncIterator[tuple[Ways, str, Tokens]]:
    """A registry behind a token server that allows these actions."""
    with distribution(folder, program=program) as is_open:
        push(is_open, NAME, content())
    (folder / "authority").mkdir()
    authority = Authority(folder / "authority")
    users = {READER: PASSWORD, "": ""}
    tokens = Tokens(authority, users, {READER: (NAME,)}, actions=actions)
    async with tokens.serving():
        guard = Guard(authority, realm=tokens.realm)
        with distribution(folder, guard, program=program) as address:
            async with writing(authority, address, tokens.address) as way:
                yield way, address, tokens


async def test_each_step_asks_for_the_rights_that_it_needs(
    tmp_path: Path, program: str
) -> None:
    async with guarded(tmp_path, program, DELETE) as (way, address, tokens):
        store = way.store(address)
        await attach(store)
        shown = await show(store, LIMITS)
        assert isinstance(shown, Shown)
        assert SPEC == shown.content
        scope = f"repository:{NAME}:pull"
        assert [scope, f"{scope},push"] == [one for _, one in tokens.asked]
        (one,) = await remove(store, All(), LIMITS)
        assert isinstance(one, Removed)
        assert Removal.REMOVED is one.state
        assert f"{scope},push,delete" == tokens.asked[-1][1]
        assert {READER} == {user for user, _ in tokens.asked}


async def test_who_may_only_read_attaches_nothing(tmp_path: Path, program: str) -> None:
    async with guarded(tmp_path, program, PULL) as (way, address, _):
        store = way.store(address)
        (failed,) = await attaching.attach([store], spec(), LIMITS, created=DATE)
        assert isinstance(failed, Failed)
        assert "Unauthorized" == failed.reason


async def test_who_may_not_delete_takes_it_from_the_list(
    tmp_path: Path, program: str
) -> None:
    async with guarded(tmp_path, program, PUSH) as (way, address, _):
        store = way.store(address)
        await attach(store)
        (one,) = await remove(store, All(), LIMITS)
        assert isinstance(one, Removed)
        assert Removal.UNLISTED is one.state
        assert "lets none of our credentials delete" in one.detail
