"""Ways to make us connect to where we should not: names, redirects, token servers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from app.demo import faults
from app.demo.registry import Bearer
from app.oci.registry.guard import RegistryPolicy
from app.ports import Invalid, Unavailable
from tests.tools.hostile import (
    CANARY,
    HERE,
    SPEC,
    Names,
    app,
    content,
    filled,
    keys,
    listening,
    look,
    outcome,
    part,
    reading,
    word,
)

pytestmark = pytest.mark.integration

INSIDE = {
    "metadata": "169.254.169.254",
    "metadata-in-ipv6": "[fd00:ec2::254]",
    "metadata-elsewhere": "100.100.100.200",
    "link-local": "169.254.1.1",
    "loopback": "127.0.0.1:1",
    "loopback-in-ipv6": "[::1]:1",
    "loopback-mapped": "[::ffff:127.0.0.1]:1",
    "loopback-mapped-in-hex": "[::ffff:7f00:1]:1",
    "loopback-by-nat64": "[64:ff9b::7f00:1]:1",
    "unspecified": "0.0.0.0:1",
    "unspecified-in-ipv6": "[::]:1",
    "decimal": "2130706433:1",
    "octal": "0177.0.0.1:1",
    "hexadecimal": "0x7f000001:1",
    "short": "127.1:1",
    "private": "10.0.0.1",
    "private-in-ipv6": "[fc00::1]",
    "carrier": "100.64.0.1",
    "multicast": "224.0.0.1",
    "name": "localhost:1",
}
"""Where nothing of ours may be asked, as hosts of a URL."""


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The resolver; nothing is asked in the world outside."""
    double = Names({"localhost": [["127.0.0.1"]]})
    monkeypatch.setattr(socket, "getaddrinfo", double)
    return double


# (6) Redirects -----------------------------------------------------------------------


@pytest.mark.parametrize("host", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("kind", ["resolve", "referrers", "manifest", "blob"])
@pytest.mark.usefixtures("names")
async def test_a_redirect_leads_to_no_address_inside(kind: str, host: str) -> None:
    registry = filled()
    registry.faults[kind] = faults.redirect(f"http://{host}/latest/meta-data/")
    async with registry.serving():
        assert "Unavailable AddressRefused" == word(await outcome(registry))


@pytest.mark.usefixtures("names")
async def test_a_redirect_of_a_redirect_is_checked_like_the_first() -> None:
    registry, other = filled(), filled()
    async with registry.serving(), other.serving():
        registry.faults["blob"] = faults.redirect(f"http://{other.address}/x")
        other.faults["all"] = faults.redirect("http://169.254.169.254/")
        async with reading(registry, other) as artifacts:
            found = await look(artifacts, app(registry))
    assert "Unavailable AddressRefused" == word(found)
    assert 1 == len(other.log)


# (6) Names that change ---------------------------------------------------------------


async def test_a_name_that_changes_between_check_and_connection_gains_nothing(
    names: Names,
) -> None:
    """What is connected to is what was checked: the second answer is not asked for."""
    registry = filled()
    async with (
        registry.serving(host="127.0.0.2"),
        listening("127.0.0.3", int(registry.address.rpartition(":")[2])) as (_, heard),
    ):
        host = f"rebind.example:{registry.address.rpartition(':')[2]}"
        policy = RegistryPolicy({host: HERE}, refused=frozenset({"127.0.0.3"}))
        names.answers = {"rebind.example": [["127.0.0.2"], ["127.0.0.3"]]}
        async with reading(policy=policy) as artifacts:
            found = await look(artifacts, f"{host}/team/app:1")
    assert [] == heard
    assert names.asked.count("rebind.example") >= 1
    assert registry.log
    # One connection served all requests, or a second one was refused.
    assert word(found) in {"Found", "Unavailable AddressRefused"}


async def test_a_name_that_alternates_never_reaches_what_is_refused(
    names: Names,
) -> None:
    """Each request has a connection of its own here, so each resolves again."""
    registry = filled()
    registry.faults["all"] = faults.header("Connection", "close")
    async with (
        registry.serving(host="127.0.0.2"),
        listening("127.0.0.3", int(registry.address.rpartition(":")[2])) as (_, heard),
    ):
        host = f"rebind.example:{registry.address.rpartition(':')[2]}"
        policy = RegistryPolicy({host: HERE}, refused=frozenset({"127.0.0.3"}))
        answers = [["127.0.0.2"], ["127.0.0.3"]] * 20
        names.answers = {"rebind.example": answers}
        for _ in range(5):
            async with reading(policy=policy) as artifacts:
                found = await look(artifacts, f"{host}/team/app:1")
                assert word(found) in {"Found", "Unavailable AddressRefused"}
    assert [] == heard
    assert len(names.asked) > 5


async def test_of_several_addresses_only_those_that_are_allowed_are_tried(
    names: Names,
) -> None:
    registry = filled()
    async with (
        registry.serving(host="127.0.0.2"),
        listening("127.0.0.3", int(registry.address.rpartition(":")[2])) as (_, heard),
    ):
        host = f"both.example:{registry.address.rpartition(':')[2]}"
        policy = RegistryPolicy({host: HERE}, refused=frozenset({"127.0.0.3"}))
        names.answers = {"both.example": [["127.0.0.3", "127.0.0.2"]]}
        async with reading(policy=policy) as artifacts:
            assert SPEC == content(await look(artifacts, f"{host}/team/app:1"))
    assert [] == heard


# (7) Names of images -----------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [*INSIDE.values(), "kubernetes.default.svc", "evil.example:6443", "127.0.0.1:443"],
)
async def test_the_name_of_an_image_leads_to_no_address_inside(
    host: str, names: Names
) -> None:
    names.answers = {
        "localhost": [["127.0.0.1"]],
        "kubernetes.default.svc": [["10.96.0.1"]],
        "evil.example": [["127.0.0.1", "::1", "fe80::1", "169.254.169.254"]],
    }
    async with reading() as artifacts:
        found = await look(artifacts, f"{host}/x:1")
    assert isinstance(found, Unavailable | Invalid)
    assert found.reason in {"AddressRefused", "InvalidReference", "BadAddress"}


async def test_the_api_server_is_refused_to_who_lists_its_range(names: Names) -> None:
    async with listening("127.0.0.9") as (port, heard):
        host = f"kubernetes.default.svc:{port}"
        names.answers = {"kubernetes.default.svc": [["127.0.0.9"]]}
        policy = RegistryPolicy({host: HERE}, refused=frozenset({"127.0.0.9"}))
        async with reading(policy=policy) as artifacts:
            found = await look(artifacts, f"{host}/x:1")
    assert "Unavailable AddressRefused" == word(found)
    assert [] == heard


@pytest.mark.parametrize("status", [200, 400, 403, 404, 418, 500])
async def test_what_answers_is_never_shown(status: int) -> None:
    """Else a Pod could read what stands where we reach and its author does not."""
    registry = filled()
    secret = f"<h1>{CANARY}</h1>".encode()

    async def fault(_request: object, _reply: faults.Reply) -> faults.Reply:
        named = {"Content-Type": "text/html", "X-Secret": CANARY, "Server": CANARY}
        return faults.Reply(status, named, secret)

    registry.faults["all"] = fault
    async with registry.serving():
        found = await outcome(registry)
    assert CANARY not in repr(found)


# (8) Token servers -------------------------------------------------------------------


@pytest.mark.parametrize(
    "realm",
    [
        *(f"http://{host}/token" for host in INSIDE.values()),
        *(f"https://{host}/token" for host in INSIDE.values()),
        "https://evil.example/token",
        "http://evil.example/token",
        "https://{host}.evil.example/token",
        "https://evil.example#{host}/token",
        "https://evil.example/{host}/token",
        "https://{host}@evil.example/token",
        "https://evil.example\\@{host}/token",
        "//evil.example/token",
        "evil.example/token",
        "file:///etc/passwd",
        "ftp://{host}/token",
        "javascript:alert(1)",
        "http://{host}/token#x",
    ],
)
@pytest.mark.usefixtures("names")
async def test_a_token_server_that_is_not_known_gets_nothing(realm: str) -> None:
    registry = filled()
    async with registry.serving():
        registry.auth = Bearer({"u": CANARY}, realm=realm.format(host=registry.address))
        keyring = keys({registry.address: CANARY})
        found = part(await outcome(registry, keyring=keyring))
    assert isinstance(found, Unavailable)
    assert found.reason in {"RealmRefused", "AddressRefused", "BadAddress"}
    assert "token" not in registry.asked()


async def test_a_token_server_s_redirect_is_not_followed() -> None:
    registry, thief = filled(), filled()
    registry.auth = Bearer({"u": CANARY}, is_open=False)
    async with registry.serving(), thief.serving():
        registry.faults["token"] = faults.redirect(f"http://{thief.address}/token")
        policy = RegistryPolicy({registry.address: HERE, thief.address: HERE})
        async with reading(
            policy=policy, keyring=keys({registry.address: CANARY})
        ) as artifacts:
            found = await look(artifacts, app(registry))
    assert isinstance(part(found), Unavailable)
    assert [] == thief.log


# (19) Names that would be headers or paths -------------------------------------------


@pytest.mark.parametrize(
    "rest",
    [
        "team/app:1\r\nX-Injected: 1",
        "team/app\r\nHost: evil.example",
        "team/app\n:1",
        "team/%2e%2e/app",
        "team/../app",
        "team/./app",
        "team//app",
        "team/app?x=1",
        "team/app#x",
        "team/app:1?x=1",
        "team/app:1#x",
        "team/app:1/../2",
        "team/app@sha256:" + "0" * 64 + "?x",
        "team/app@sha256:../../x",
        "team/app:1\x00",
        "team/app:1 ",
        " team/app:1",
        "team/äpp",
        "team/app:\u0661",
        "team\\app",
        "team/app:1\t",
        "team/app:" + "1" * 129,
        "t" * 1100,
    ],
)
async def test_a_name_that_is_none_is_never_sent(rest: str) -> None:
    registry = filled()
    async with registry.serving(), reading(registry) as artifacts:
        found = await look(artifacts, f"{registry.address}/{rest}")
    assert "Invalid InvalidReference" == word(found)
    assert [] == registry.log


@pytest.mark.parametrize(
    "host", ["evil.example\r\nX: 1", "u:p@{host}", "{host}#", "{host}?", "{host}\\x"]
)
async def test_a_host_that_is_none_is_never_connected_to(host: str) -> None:
    registry = filled()
    async with registry.serving(), reading(registry) as artifacts:
        named = host.format(host=registry.address)
        found = await look(artifacts, f"{named}/team/app:1")
    assert "Invalid InvalidReference" == word(found)
    assert [] == registry.log


# (20) The environment ----------------------------------------------------------------


async def test_nothing_of_the_environment_leads_or_opens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither proxies, nor `.netrc`, nor a Docker config that lies around."""
    registry = filled()
    async with registry.serving(), listening("127.0.0.1") as (port, heard):
        login = f"machine 127.0.0.1 login u password {CANARY}\n"
        (tmp_path / ".netrc").write_text(login)
        (tmp_path / ".netrc").chmod(0o600)
        entry = f'{{"username": "u", "password": "{CANARY}"}}'
        for folder in (tmp_path / ".docker", tmp_path / "docker"):
            folder.mkdir()
            config = f'{{"auths": {{"{registry.address}": {entry}}}}}'
            (folder / "config.json").write_text(config)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "docker/config.json"))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert SPEC == content(await outcome(registry))
        registry.auth = Bearer({"u": CANARY}, is_open=False)
        assert "Unauthorized" == word(await outcome(registry))
    assert [] == heard
    assert {""} == {one.authorization for one in registry.log}
