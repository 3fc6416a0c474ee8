"""Hosts and proxies of the section `registry`: what can never count is a fault."""

from pathlib import Path

import pytest

from app.errors import ConfigError
from app.oci.images.reference import parse
from app.settings import loading

NO_HOST = (
    "expected HOST, HOST:PORT or [ADDRESS]:PORT, as images name it: no scheme and no"
    " path"
)
NO_PROXY = "expected http://HOST:PORT or https://HOST:PORT"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


@pytest.mark.parametrize(
    "host",
    [
        "docker.io",
        "registry",
        "localhost:5000",
        "Registry.Example:443",
        "my_mirror:5000",
        "10.0.0.1:65535",
        "r.example:0443",
        "[::1]",
        "[FD00::1]:5000",
        "[::ffff:10.0.0.1]:1",
    ],
)
def test_hosts_are_written_as_images_name_them(file: Path, host: str) -> None:
    file.write_text(
        f'registry: {{hosts: {{"{host}": {{tokenServers: ["{host}"]}}}}}}\n'
    )
    (found,) = loading.load(file).registry.hosts.items()
    assert (host.lower(), {host}) == (found[0], set(found[1].token_servers))


@pytest.mark.parametrize(
    "image", ["a", "r.example:5000/a/b", "[fd00::1]:5000/a", "L/a"]
)
def test_the_host_of_every_image_is_one(file: Path, image: str) -> None:
    """Commands on specs list the hosts of the images that are typed."""
    host = parse(image).host
    file.write_text(f'registry: {{hosts: {{"{host}": {{}}}}}}\n')
    assert [host] == list(loading.load(file).registry.hosts)


@pytest.mark.parametrize(
    "host",
    [
        "https://r.example",
        "r.example/team",
        "docker.io/",
        "*.example",
        "r.example.",
        "-r.example",
        "r.example:",
        "r.example:0",
        "r.example:65536",
        "r.example:port",
        "r.example:" + "0" * 17,
        "ada@r.example",
        "r example",
        "ü.example",
        "fd00::1",
        "",
    ],
)
@pytest.mark.parametrize("is_token_server", [False, True])
def test_a_key_that_is_no_host_is_a_fault_with_its_place(
    file: Path, host: str, is_token_server: bool
) -> None:
    entry = (
        f'"r": {{tokenServers: ["{host}"]}}' if is_token_server else f'"{host}": {{}}'
    )
    file.write_text(f"registry:\n  hosts: {{{entry}}}\n")
    with pytest.raises(ConfigError) as caught:
        loading.load(file)
    column = 32 if is_token_server else 15 + len(host)
    name = "r.tokenServers.0" if is_token_server else host
    where = f"{file}:2:{column}: registry.hosts"
    assert f"{where}.{name}: {NO_HOST}" == caught.value.message


@pytest.mark.parametrize("host", ["[1.2.3.4]", "[::g]:1", "[:::]", "[a:b]:5000"])
def test_brackets_hold_an_address(file: Path, host: str) -> None:
    file.write_text(f'registry: {{hosts: {{"{host}": {{}}}}}}\n')
    with pytest.raises(ConfigError, match=r"expected ") as caught:
        loading.load(file)
    assert f"registry.hosts.{host}: expected " in caught.value.message


@pytest.mark.parametrize(
    "proxy",
    [
        "http://p",
        "http://p:1",
        "https://proxy.example:65535/",
        "http://my_proxy:3128",
        "http://[fd00::1]:3128",
        "HTTP://P.example:3128",
    ],
)
def test_a_proxy_is_a_host_and_a_port(file: Path, proxy: str) -> None:
    file.write_text(f'registry: {{proxy: {{https: "{proxy}"}}}}\n')
    assert proxy == loading.load(file).registry.proxy.https


@pytest.mark.parametrize(
    ("proxy", "more"),
    [
        ("http://p:99999", ", with a port from 1 to 65535"),
        ("http://p:65536", ", with a port from 1 to 65535"),
        ("http://p:-1", ", with a port from 1 to 65535"),
        ("http://p:x", ", with a port from 1 to 65535"),
        ("http://p:0", ", with a port from 1 to 65535"),
        ("http://[::1", ", with a port from 1 to 65535"),
        ("http://p q:1", ""),
        ("http://ü.example:1", ""),
        ("http://:1", ""),
        ("socks5://p:1", ""),
        ("p:1", ""),
    ],
)
def test_a_proxy_that_cannot_be_asked_is_a_fault(
    file: Path, proxy: str, more: str
) -> None:
    file.write_text(f'registry: {{proxy: {{https: "{proxy}"}}}}\n')
    with pytest.raises(ConfigError) as caught:
        loading.load(file)
    where = f"{file}:1:27: registry.proxy.https"
    assert f"{where}: {NO_PROXY}{more}" == caught.value.message


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "proxy: {https: 'http://ada:canary@p:1'}",
            "expected no user here: see credentialsFile",
        ),
        (
            "proxy: {https: 'http://ada:canary@p:99999'}",
            f"{NO_PROXY}, with a port from 1 to 65535",
        ),
        (
            "proxy: {https: 'http://p:1/path'}",
            "expected a host and a port, and no path",
        ),
        (
            "hosts: {r: {plainHttpCredentials: true}}",
            "plainHttpCredentials: expected plainHttp with it",
        ),
        (
            "hosts: {r: {clientKey: /key}}",
            "clientCertificate and clientKey: expected both or none",
        ),
    ],
)
def test_what_does_not_go_together_is_a_fault(
    file: Path, text: str, wanted: str
) -> None:
    file.write_text(f"registry: {{{text}}}\n")
    with pytest.raises(ConfigError) as caught:
        loading.load(file)
    assert caught.value.message.endswith(f": {wanted}")
    assert "canary" not in caught.value.message
