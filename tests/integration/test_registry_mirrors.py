"""Images over mirrors: two of them, and the registry itself behind."""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.demo import faults
from app.demo.registry import Api, Basic, Bearer, Registry
from tests.tools.authority import Authority
from tests.tools.servers import free_port
from tests.tools.ways import HERE, Reader, filled, mirrors, reading, server_context

pytestmark = pytest.mark.integration

USERS = {"u": "canary-hunter2"}


@dataclass
class Scene:
    """Registries, and the folder of mirrors of the last one."""

    folder: Path
    one: Registry = field(default_factory=lambda: filled("one"))
    two: Registry = field(default_factory=lambda: filled("two"))
    upstream: Registry = field(default_factory=lambda: filled("upstream"))
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> str:
        return f"{self.upstream.address}/team/app:1"

    def url(self, registry: Registry) -> str:
        return f"{registry.scheme}://{registry.address}"

    def hosts_toml(self, text: str) -> None:
        """Writes the file; `ONE`, `TWO` and `UPSTREAM` stand for URLs."""
        for name in ("one", "two", "upstream"):
            text = text.replace(name.upper(), self.url(getattr(self, name)))
        mirrors(self.folder, {self.upstream.address: text})

    def asked(self) -> list[list[str]]:
        return [one.asked() for one in (self.one, self.two, self.upstream)]

    @asynccontextmanager
    async def reading(self, **more: Any) -> AsyncIterator[Reader]:
        """By the settings; every registry may be here, only the last is plain."""
        here = {"loopback": True}
        hosts: dict[str, Any] = {self.one.address: here, self.two.address: here}
        hosts[self.upstream.address] = HERE
        async with reading(mirrors=self.folder, hosts=hosts, **more) as reader:
            yield reader

    async def word(self, **more: Any) -> str:
        async with self.reading(**more) as reader:
            return await reader.word(self.image)


BOTH = '[host."ONE"]\n[host."TWO"]\n'
LOOKUP = ["resolve", "referrers", "manifest", "blob"]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = Scene(tmp_path / "mirrors")
    async with made.one.serving(), made.two.serving(), made.upstream.serving():
        made.hosts_toml(BOTH)
        yield made


# Order -------------------------------------------------------------------------------


async def test_the_first_mirror_answers_for_the_registry(scene: Scene) -> None:
    """Over plain HTTP, which the file says and no other setting does."""
    assert "one" == await scene.word()
    assert [LOOKUP, [], []] == scene.asked()
    asked = [parse_qs(urlsplit(one.path).query) for one in scene.one.log]
    assert [scene.upstream.address] * 4 == [query["ns"][0] for query in asked]


async def test_the_registry_itself_gets_no_namespace(scene: Scene) -> None:
    scene.hosts_toml('server = "UPSTREAM"')
    assert "upstream" == await scene.word()
    assert not any("ns=" in one.path for one in scene.upstream.log)


async def test_a_mirror_that_is_down_is_passed_over(scene: Scene) -> None:
    scene.hosts_toml(f'[host."http://127.0.0.1:{free_port()}"]\n[host."TWO"]\n')
    assert "two" == await scene.word()
    assert [[], LOOKUP, []] == scene.asked()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.status(503), id="503"),
        pytest.param(faults.status(404), id="404"),
        pytest.param(faults.status(401), id="401"),
        pytest.param(faults.redirect("http://169.254.169.254/"), id="redirect"),
    ],
)
async def test_a_mirror_that_fails_is_passed_over(
    scene: Scene, fault: faults.Fault
) -> None:
    scene.one.faults["all"] = fault
    limits = {"retries": 0}
    assert "two" == await scene.word(limits=limits)
    assert [] == scene.upstream.asked()


async def test_a_mirror_that_lies_is_passed_over(scene: Scene) -> None:
    scene.one.faults["blob"] = faults.body(b"evil")
    scene.two.faults["blob"] = faults.body(b"evil")
    digests = (r.repository("team/app").tags["1"] for r in (scene.one, scene.upstream))
    assert 1 == len(set(digests))
    repository = scene.upstream.repository("team/app")
    for mirror in (scene.one, scene.two):  # they all hold the registry's own spec
        mirror.repositories["team/app"] = repository
    assert "upstream" == await scene.word()
    assert "blob" in scene.upstream.asked()


async def test_a_mirror_whose_certificate_nobody_knows_is_passed_over(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path / "authority")
    async with filled("tls").serving(tls=server_context(authority)) as secure:
        own = f'[host."https://{secure.address}"]\n'
        scene.hosts_toml(own + '[host."TWO"]\n')
        more: dict[str, Any] = {secure.address: {"loopback": True}}
        hosts = {one.address: HERE for one in (scene.two, scene.upstream)}
        async with reading(mirrors=scene.folder, hosts={**hosts, **more}) as reader:
            assert "two" == await reader.word(scene.image)
        told = [one for one in caplog.records if one.msg == "mirror passed over"]
        assert [{"host": secure.address, "reason": "UntrustedCertificate"}] == [
            vars(one)["fields"] for one in told
        ]
        folder = scene.folder / f"{scene.upstream.address.replace(':', '_')}_"
        (folder / "ca.crt").write_bytes(authority.ca.read_bytes())
        scene.hosts_toml(own + 'ca = "ca.crt"\n')
        async with reading(mirrors=scene.folder, hosts={**hosts, **more}) as reader:
            assert "tls" == await reader.word(scene.image)
        scene.hosts_toml(own)  # what the settings say of the host counts as well
        more[secure.address]["caFile"] = authority.ca
        async with reading(mirrors=scene.folder, hosts={**hosts, **more}) as reader:
            assert "tls" == await reader.word(scene.image)


async def test_a_mirror_that_hangs_leaves_time_for_the_registry(scene: Scene) -> None:
    scene.one.faults["all"] = faults.hang
    scene.two.faults["all"] = faults.hang
    began = time.monotonic()
    word = await scene.word(limits={"lookupSeconds": 2.0, "retries": 0})
    assert "upstream" == word
    assert time.monotonic() - began < 1.8
    assert [["resolve"], ["resolve"], LOOKUP] == scene.asked()


# Who is trusted with what ------------------------------------------------------------


async def test_a_tag_is_resolved_by_the_registry_and_content_pulled_from_a_mirror(
    scene: Scene,
) -> None:
    for mirror in (scene.one, scene.two):
        mirror.repositories = scene.upstream.repositories
    scene.hosts_toml('[host."ONE"]\ncapabilities = ["pull"]\n')
    assert "upstream" == await scene.word()
    assert [["manifest", "blob"], [], ["resolve", "referrers"]] == scene.asked()


async def test_a_mirror_without_referrers_is_not_final(scene: Scene) -> None:
    for mirror, api in ((scene.one, Api(referrers=False)), (scene.two, Api())):
        mirror.api = api
        mirror.repositories = filled(None).repositories
    assert "upstream" == await scene.word()
    assert "referrers" in scene.upstream.asked()
    assert "resolve" not in scene.upstream.asked()


async def test_mirrors_without_a_spec_and_a_registry_that_is_down_are_no_answer(
    scene: Scene,
) -> None:
    """That we could not look is never that there is none."""
    for mirror in (scene.one, scene.two):
        mirror.repositories = filled(None).repositories
    scene.upstream.faults["all"] = faults.status(503)
    word = await scene.word(limits={"retries": 0})
    assert "Unavailable ServerError" == word


async def test_the_registry_s_word_is_final(scene: Scene) -> None:
    for registry in (scene.one, scene.two, scene.upstream):
        registry.repositories = filled(None).repositories
    assert "Missing" == await scene.word()


async def test_where_the_mirror_is_the_server_the_registry_is_never_asked(
    scene: Scene,
) -> None:
    scene.one.repositories = filled(None).repositories
    scene.hosts_toml('server = "ONE"')
    assert "Missing" == await scene.word()
    assert [[], []] == scene.asked()[1:]


async def test_an_image_that_is_denied_is_looked_for_nowhere(scene: Scene) -> None:
    word = await scene.word(deny=[f"{scene.upstream.address}/team/"])
    assert "Unavailable RegistryNotAllowed" == word
    assert [[], [], []] == scene.asked()
    word = await scene.word(allow=["other.example"])
    assert "Unavailable RegistryNotAllowed" == word
    assert "one" == await scene.word(allow=[f"{scene.upstream.address}/team/"])


# Addresses and credentials -----------------------------------------------------------


async def test_a_mirror_must_be_listed_to_be_inside(scene: Scene) -> None:
    hosts = {scene.upstream.address: HERE}
    async with reading(mirrors=scene.folder, hosts=hosts) as reader:
        assert "upstream" == await reader.word(scene.image)
    assert [[], []] == scene.asked()[:2]


async def test_plain_http_of_a_mirror_is_not_its_host_s(scene: Scene) -> None:
    async with scene.reading() as reader:
        assert "one" == await reader.word(scene.image)
        word = await reader.word(f"{scene.one.address}/team/app:1")
        assert word.startswith("Unavailable ")


def docker_config(folder: Path, *hosts: str) -> Path:
    auth = base64.b64encode(f"u:{USERS['u']}".encode()).decode()
    path = folder / "config.json"
    path.write_text(json.dumps({"auths": {host: {"auth": auth} for host in hosts}}))
    return path


@pytest.mark.parametrize("auth", [Basic(USERS), Bearer(USERS, is_open=False)])
async def test_what_opens_the_registry_is_not_sent_to_a_mirror(
    scene: Scene, tmp_path: Path, auth: Basic | Bearer
) -> None:
    for registry in (scene.one, scene.two, scene.upstream):
        registry.auth = auth
    config = docker_config(tmp_path, scene.upstream.address)
    hosts = {scene.upstream.address: {**HERE, "plainHttpCredentials": True}}
    for mirror in (scene.one, scene.two):
        hosts[mirror.address] = {**HERE, "plainHttpCredentials": True}
    given = {"mirrors": scene.folder, "hosts": hosts, "dockerConfig": config}
    async with reading(**given) as reader:
        assert "upstream" == await reader.word(scene.image)
    for mirror in (scene.one, scene.two):
        assert {""} == {one.authorization for one in mirror.log}
    docker_config(tmp_path, scene.one.address)
    async with reading(**given) as reader:
        assert "one" == await reader.word(scene.image)


async def test_headers_of_the_file_go_to_the_mirror_alone(scene: Scene) -> None:
    header = '[host."ONE".header]\nX-Team = ["a", "b"]\nAuthorization = "canary"\n'
    scene.one.faults["blob"] = faults.redirect(f"{scene.url(scene.two)}{{path}}")
    scene.two.repositories = scene.one.repositories
    scene.hosts_toml(header)
    hosts = dict.fromkeys([r.address for r in (scene.one, scene.two)], HERE)
    hosts[scene.upstream.address] = HERE
    async with reading(mirrors=scene.folder, hosts=hosts) as reader:
        assert "one" == await reader.word(scene.image)
    assert {"a, b"} == {one.headers["X-Team"] for one in scene.one.log}
    assert {"canary"} == {one.authorization for one in scene.one.log}
    assert ["blob"] == scene.two.asked()
    assert "X-Team" not in scene.two.log[0].headers
    assert "" == scene.two.log[0].authorization


async def test_a_mirror_may_hold_the_repository_elsewhere(scene: Scene) -> None:
    repository = scene.one.repositories.pop("team/app")
    scene.one.repositories["cache/team/app"] = repository
    scene.one.auth = Bearer(USERS)
    prefix = f"{scene.url(scene.one)}/v2/cache"
    scene.hosts_toml(f'[host."{prefix}"]\noverride_path = true\n')
    assert "one" == await scene.word()
    assert [[], []] == scene.asked()[1:]
