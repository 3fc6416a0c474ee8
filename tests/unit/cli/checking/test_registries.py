"""Where specs are looked up, without a socket: layouts, and what is typed first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from app.cli.checking import registries
from app.cli.specs.options import Reach
from app.demo.layout import Layout
from app.oci.credentials import Credential, Entry, Keyring
from app.oci.images import reference
from app.oci.images.reference import Reference
from app.ports import Invalid
from tests.tools.doubles import AMD64, ARM64, FakeArtifacts, resolved
from tests.unit.cli.checking.conftest import IMAGE, SPEC, Files, manifest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.fixture
def settings(files: Files) -> str:
    """Settings by which the image is in a folder of layouts, spec attached."""
    folder = files.folder / "layouts" / "registry.example.com" / "ml" / "trainer"
    layout = Layout(folder)
    digest = layout.image("amd64", "trainer")
    layout.tag(digest, "2.1")
    layout.attach(digest, SPEC.encode(), created="2026-03-01T00:00:00Z")
    layout.close()
    root = files.folder / "layouts"
    return files.write("settings.yaml", f"registry: {{layoutRoot: {root}}}")


def test_a_folder_of_layouts_takes_the_place_of_registries(
    run: Run, files: Files, settings: str
) -> None:
    given = ("--nodes", files.hosts, "--settings", settings)
    ran = run("check", "-f", files.train, *given)
    assert (0, "") == (ran.status, ran.err)
    assert "2 of 3 candidate nodes can run it" in ran.out


def layout_image(files: Files) -> str:
    return f"oci-layout://{files.folder}/layouts/registry.example.com/ml/trainer:2.1"


@pytest.mark.usefixtures("settings")
def test_an_image_that_is_typed_may_be_a_layout(run: Run, files: Files) -> None:
    ran = run("check", "--image", layout_image(files), "--nodes", files.hosts)
    assert 0 == ran.status
    assert "2 of 3 candidate nodes can run it" in ran.out


@pytest.mark.usefixtures("settings")
def test_a_manifest_cannot_have_any_folder_read(run: Run, files: Files) -> None:
    path = files.write("evil.json", manifest("evil", image=layout_image(files)))
    ran = run("check", "-f", path, "--nodes", files.hosts)
    assert 3 == ran.status
    assert "not judged: its compatibility spec is invalid" in ran.out


async def test_what_is_no_reference_is_told_when_it_is_looked_up() -> None:
    async with registries.opened(Reach(), ["UPPER", "nginx:1"]) as found:
        outcome = await found.find("UPPER", [AMD64], deadline_seconds=1.0)
    assert isinstance(outcome, Invalid)
    assert "InvalidReference" == outcome.reason


class Others:
    """Implements `Offers`."""

    async def offers(self, image: Reference) -> AsyncIterator[Credential]:
        del image
        yield Credential("file", "two")


async def test_what_is_typed_is_offered_first() -> None:
    keyring = Keyring.of([Entry.of("r.example.com", Credential("typed", "one"))])
    offers = registries.Typed(keyring, Others())
    image = reference.parse("r.example.com/app:1")
    assert ["typed", "file"] == [one.username async for one in offers.offers(image)]


def test_a_secret_for_one_registry_is_taken() -> None:
    one = reference.parse("r.example.com/app:1")
    other = reference.parse("r.example.com/other:1")
    reach = Reach(registry_token_stdin=True)
    registries.require_one_registry(reach, [one, other])
    assert registries.stdin_is_taken(reach)
    assert not registries.stdin_is_taken(Reach())


def test_images_that_are_found_are_resolved(
    run: Run, files: Files, settings: str
) -> None:
    """A digest is told where the image was looked up."""
    given = ("--nodes", files.hosts, "--settings", settings, "-o", "json")
    ran = run("check", "-f", files.train, *given)
    assert '"digest": "sha256:' in ran.out
    assert IMAGE in ran.out


def test_images_are_looked_up_once_for_all_nodes_that_there_are_or_may_be(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FakeArtifacts({IMAGE: resolved(SPEC)})

    @asynccontextmanager
    async def opened(*_: object, **__: object) -> AsyncIterator[FakeArtifacts]:
        yield source

    monkeypatch.setattr(registries, "opened", opened)
    flags: object = {"cpu.cpuid": {"elements": {"ASIMD": {}}}}
    pool = files.write("pool/arm.json", {"flags": flags})
    ran = run("check", "-f", files.train, "--nodes", files.hosts, "--what-if", pool)
    assert 0 == ran.status
    assert [(IMAGE, (AMD64, ARM64))] == source.asked
