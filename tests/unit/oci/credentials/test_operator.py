"""The operator's own credentials, in order."""

from dataclasses import dataclass

from app.oci.credentials import Credential, Entry, Keyring
from app.oci.credentials.operator import Operator
from app.oci.images import reference
from app.oci.images.reference import Reference

APP = reference.parse("r.example/org/app:1")
A, B, C, D = (Credential(name, "x") for name in "abcd")


@dataclass
class Given:
    """A source that counts how often it is asked."""

    credentials: tuple[Credential, ...]
    asked: int = 0

    async def lookup(self, image: Reference) -> tuple[Credential, ...]:
        assert APP == image
        self.asked += 1
        return self.credentials


def keyring(*credentials: Credential) -> Keyring:
    return Keyring.of(Entry.of("r.example", one) for one in credentials)


async def test_files_come_before_helpers_and_helpers_before_plugins() -> None:
    one = Operator(keyring(A, B), Given((C,)), Given((D,)))
    assert [A, B, C, D] == [found async for found in one.offers(APP)]


async def test_a_program_is_asked_when_what_came_before_was_taken() -> None:
    helpers, plugins = Given((B,)), Given((C,))
    one = Operator(keyring(A), helpers, plugins).offers(APP)
    assert A == await anext(one)
    assert (0, 0) == (helpers.asked, plugins.asked)
    assert B == await anext(one)
    assert (1, 0) == (helpers.asked, plugins.asked)
    assert C == await anext(one)


async def test_what_is_offered_twice_is_offered_once() -> None:
    one = Operator(keyring(A), Given((A, B)), Given((B, A, C)))
    assert [A, B, C] == [found async for found in one.offers(APP)]


async def test_without_anything_nothing_is_offered() -> None:
    assert [] == [found async for found in Operator().offers(APP)]


async def test_docker_hubs_entry_is_for_docker_hub_alone() -> None:
    """The kubelet also takes it for any registry of one word, as `localhost`."""
    one = Operator(Keyring.of([Entry.of("https://index.docker.io/v1/", A)]))
    hub, word = reference.parse("nginx"), reference.parse("localhost/nginx")
    assert [A] == [found async for found in one.offers(hub)]
    assert [] == [found async for found in one.offers(word)]


def test_it_shows_no_secret() -> None:
    one = Operator(keyring(Credential("u", "canary-7f3a")))
    assert "canary" not in repr(one)
