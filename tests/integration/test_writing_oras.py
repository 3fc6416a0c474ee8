"""What we write is what `oras attach` writes, and `oras` reads it.

The real `oras` attaches the same spec to the same image of another registry or
layout, with our date.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import oras.client
import pytest

from app.demo.layout import Layout
from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE, CREATED, OCI_MANIFEST, SPEC_TYPE
from app.oci.writing.folder import LayoutStore
from tests.tools import needed
from tests.tools.registries import distribution, push, referrers_registry
from tests.tools.writable import DATE, NAME, SPEC, attach, fill, tree
from tests.tools.writers import LIMITS, content, ways

pytestmark = pytest.mark.integration

IMAGES = pytest.mark.parametrize(
    ("wanted", "platform"),
    [
        pytest.param("1", None, id="a manifest"),
        pytest.param("multi", None, id="an index"),
        pytest.param("multi", "linux/arm64", id="a platform"),
    ],
)


@dataclass(frozen=True)
class Oras:
    """The real client.

    Attributes:
        program: where it is.
        folder: with `spec.yaml`.
    """

    program: Path
    folder: Path

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout

    def attach(self, *where: str, platform: str | None) -> bytes:
        """Attaches the spec; the manifest's bytes."""
        chosen: Sequence[str] = () if platform is None else ("--platform", platform)
        self.run(
            *("attach", "--artifact-type", ARTIFACT_TYPE),
            *("--annotation", f"{CREATED}={DATE}", "--export-manifest", "m.json"),
            *chosen,
            *where,
            f"spec.yaml:{SPEC_TYPE}",
        )
        return (self.folder / "m.json").read_bytes()


@pytest.fixture
def client(tmp_path: Path) -> Oras:
    (program,) = needed.programs("oras")
    (tmp_path / "spec.yaml").write_bytes(SPEC)
    return Oras(program, tmp_path)


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Two registries of one kind: one for us, one for `oras`."""
    needed.programs("distribution")
    make = tmp_path_factory.mktemp
    with distribution(make("ours")) as ours, distribution(make("theirs")) as theirs:
        yield ours, theirs


@pytest.fixture
def registries(addresses: tuple[str, str]) -> tuple[str, str]:
    for address in addresses:
        push(address, NAME, content())
    return addresses


@IMAGES
async def test_a_registry_holds_what_oras_would_have_written(
    registries: tuple[str, str], client: Oras, wanted: str, platform: str | None
) -> None:
    """The manifest, and the list of artifacts under the fallback tag."""
    _, theirs = registries
    name = f"{NAME}/{wanted}/{(platform or 'all').replace('/', '-')}"
    for address in registries:
        push(address, name, content())
    async with ways(*registries) as way:
        store, other = (way.store(one, wanted, name=name) for one in registries)
        attached = await attach(store, platform=platform)
        written = client.attach(
            "--plain-http", f"{theirs}/{name}:{wanted}", platform=platform
        )
        assert written == attached.manifest
        subject = Digest.parse(attached.subject)
        assert subject is not None
        tag = subject.fallback_tag
        assert await other.tagged(tag, most_bytes=9999) == await store.tagged(
            tag, most_bytes=9999
        )


@IMAGES
async def test_a_layout_holds_what_oras_would_have_written(
    client: Oras, wanted: str, platform: str | None
) -> None:
    folders = [client.folder / "ours", client.folder / "theirs"]
    for folder in folders:
        layout = Layout(folder)
        fill(layout)
        layout.close()
    attached = await attach(LayoutStore(folders[0], wanted, LIMITS), platform=platform)
    written = client.attach("--oci-layout", f"theirs:{wanted}", platform=platform)
    assert written == attached.manifest
    ours, theirs = map(tree, folders)
    indexes = [json.loads(one.pop("index.json")) for one in (ours, theirs)]
    assert theirs == ours
    both = [
        sorted(one["manifests"], key=lambda entry: str(entry["digest"]))
        for one in indexes
    ]
    assert [one["digest"] for one in both[1]] == [one["digest"] for one in both[0]]
    (entry,) = (one for one in both[0] if one["digest"] == attached.digest)
    assert entry in both[1]


@IMAGES
async def test_oras_discovers_and_pulls_what_we_attach(
    registries: tuple[str, str], client: Oras, wanted: str, platform: str | None
) -> None:
    ours, _ = registries
    name = f"{NAME}/read/{wanted}/{(platform or 'all').replace('/', '-')}"
    push(ours, name, content())
    async with ways(ours) as way:
        attached = await attach(way.store(ours, wanted, name=name), platform=platform)
    subject = f"{ours}/{name}@{attached.subject}"
    chosen = ("--artifact-type", ARTIFACT_TYPE, "--plain-http", "--format", "json")
    found = json.loads(client.run("discover", *chosen, subject))
    (one,) = found.get("referrers") or found["manifests"]
    assert (attached.digest, OCI_MANIFEST) == (one["digest"], one["mediaType"])
    artifact = f"{ours}/{name}@{attached.digest}"
    client.run("pull", "--plain-http", "--output", "pulled", artifact)
    assert SPEC == (client.folder / "pulled" / "spec.yaml").read_bytes()


async def test_a_layout_is_discovered_by_oras(client: Oras) -> None:
    layout = Layout(client.folder / "layout")
    fill(layout)
    layout.close()
    attached = await attach(LayoutStore(layout.folder, "1", LIMITS))
    chosen = ("--artifact-type", ARTIFACT_TYPE, "--format", "json")
    said = client.run("discover", *chosen, "--oci-layout", "layout:1")
    assert attached.digest in said


async def test_what_oras_attached_is_kept_beside_ours(
    registries: tuple[str, str], client: Oras
) -> None:
    ours, _ = registries
    name = f"{NAME}/beside"
    push(ours, name, content())
    client.attach("--plain-http", f"{ours}/{name}:1", platform=None)
    async with ways(ours) as way:
        store = way.store(ours, name=name)
        later = await attach(store, created="2026-04-01T00:00:00Z")
        listed = await store.referrers((await store.resolve()).digest)
    assert 2 == len(listed)
    assert later.digest in {one.digest for one in listed}


async def test_a_registry_with_an_api_gets_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, client: Oras
) -> None:
    needed.programs("registry")
    with referrers_registry(tmp_path_factory.mktemp("api")) as address:
        push(address, NAME, content())
        async with ways(address) as way:
            attached = await attach(way.store(address))
        written = client.attach("--plain-http", f"{address}/{NAME}:1", platform=None)
    assert written == attached.manifest


async def test_the_oras_package_of_python_pulls_what_we_attach(
    registries: tuple[str, str], tmp_path: Path
) -> None:
    ours, _ = registries
    async with ways(ours) as way:
        attached = await attach(way.store(ours))
    target = f"{ours}/{NAME}@{attached.digest}"
    reader = oras.client.OrasClient(insecure=True)
    assert 1 == len(reader.pull(target=target, outdir=str(tmp_path / "out")))
    assert SPEC == (tmp_path / "out" / "spec.yaml").read_bytes()
