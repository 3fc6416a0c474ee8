"""The law of mirrors: one that fails, or lies, changes no answer but by its slowness.

Where the registry itself answers right, a mirror before it, whatever it says, leads to
the right answer or to none; and it never sees what opens the registry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.demo.registry import Api, Basic, Registry
from app.oci.credentials import Credential, Entry, Keyring
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.client import Shared
from app.oci.registry.guard import RegistryPolicy
from app.oci.ways import hosts_toml
from app.oci.ways.ways import Configured, Ways
from app.ports import Unavailable
from tests.property.test_registry_faults import (
    BODIES,
    FAULTS,
    HONEST,
    HOST,
    MIRROR,
    PLATFORMS,
    SECRET,
    USERS,
    is_right,
    parts,
    rights,
    world,
)
from tests.tools import hostile_memory as memory
from tests.tools import virtual
from tests.tools.hostile_memory import Fault, MemoryTransport

FILE = f"""\
server = "https://{HOST}"
[host."https://{MIRROR}"]
  capabilities = ["pull", "referrers"]
""".encode()
KINDS = ("referrers", "manifest", "blob")
VERIFIABLE = (*HONEST, memory.FLIP, memory.FLOOD, memory.status(404))
"""What shows: by itself, by a digest, or because another host is asked after it."""


async def law(tag: str, by_kind: Mapping[str, Fault], *, is_verifiable: bool) -> None:
    loop = asyncio.get_running_loop()
    made = world(Api(), Basic(USERS))
    mirror = Registry({"org/app": made.registry.repository("org/app")}, scheme="https")
    transport = MemoryTransport(
        {HOST: made.registry, MIRROR: mirror}, by_kind=dict(by_kind), only=MIRROR
    )
    ways = Ways({HOST: tuple(map(Configured, hosts_toml.read(FILE)))})
    keyring = Keyring.of([Entry.of(HOST, Credential("u", SECRET))])
    shared = Shared(
        transport, RegistryPolicy(), operator=keyring, clock=loop.time, ways=ways
    )
    artifacts = RegistryArtifacts(shared, clock=loop.time)
    try:
        image = f"{HOST}/org/app:{tag}"
        found = await artifacts.find(image, PLATFORMS, deadline_seconds=30)
    finally:
        await artifacts.close()
    right = rights(made, tag, is_open=True)
    for platform, one in parts(found).items():
        is_one = is_right(one, right[platform], made)
        assert not is_verifiable or is_one or isinstance(one, Unavailable), (
            one,
            by_kind,
        )
    assert any(host == MIRROR for host, _, _ in transport.sent)
    assert {HOST} >= {host for host, _, secret in transport.sent if secret}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tag", ["single", "multi", "bare"])
def test_a_mirror_that_fails_changes_no_answer(kind: str, tag: str) -> None:
    for fault in VERIFIABLE:
        if (kind, fault) != ("referrers", memory.FLIP):  # nobody verifies a list
            virtual.run(law(tag, {kind: fault}, is_verifiable=True))


@settings(deadline=None)
@given(
    tag=st.sampled_from(("single", "multi", "bare")),
    by_kind=st.dictionaries(
        st.sampled_from(("manifest", "blob")),
        st.sampled_from(VERIFIABLE) | BODIES.map(memory.body),
        min_size=1,
    ),
)
def test_content_of_a_mirror_is_the_registry_s_or_none(
    tag: str, by_kind: dict[str, Fault]
) -> None:
    virtual.run(law(tag, by_kind, is_verifiable=True))


@settings(deadline=None)
@given(
    tag=st.sampled_from(("single", "multi", "bare")),
    by_kind=st.dictionaries(st.sampled_from((*KINDS, "token")), FAULTS, min_size=1),
)
def test_no_mirror_sees_what_opens_the_registry(
    tag: str, by_kind: dict[str, Fault]
) -> None:
    virtual.run(law(tag, by_kind, is_verifiable=False))
