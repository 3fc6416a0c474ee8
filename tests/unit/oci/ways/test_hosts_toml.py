"""What a `hosts.toml` says: containerd's own example, and everything that is none."""

import pytest

from app.oci.ways import hosts_toml
from app.oci.ways.hosts_toml import (
    MAX_FILE_BYTES,
    MAX_HOSTS,
    MAX_NAMED_FILES,
    BrokenHostsError,
    Host,
    of_files,
)

ALL = frozenset({"pull", "resolve", "push", "referrers"})
PULL = frozenset({"pull"})

CONTAINERD = """\
server = "https://test-default.registry"
ca = "/etc/path/default"
[header]
  x-custom-1 = "custom header"

[host."https://mirror.registry"]
  capabilities = ["pull"]
  ca = "/etc/certs/mirror.pem"
  skip_verify = false
  [host."https://mirror.registry".header]
    x-custom-2 = ["value1", "value2"]

[host."https://mirror-bak.registry/us"]
  capabilities = ["pull"]
  skip_verify = true

[host."http://mirror.registry"]
  capabilities = ["pull"]

[host."https://test-1.registry"]
  capabilities = ["pull", "resolve", "push", "referrers"]
  ca = ["/etc/certs/test-1-ca.pem", "/etc/certs/special.pem"]
  client = [["/etc/certs/client.cert", "/etc/certs/client.key"],\
            ["/etc/certs/client.pem", ""]]

[host."https://test-2.registry"]
  client = "/etc/certs/client.pem"

[host."https://test-3.registry"]
  client = ["/etc/certs/client-1.pem", "/etc/certs/client-2.pem"]

[host."https://no-referrers.registry"]
  capabilities = ["pull", "resolve", "push"]

[host."https://noncompliantmirror.registry/v2/namespaceprefix"]
  capabilities = ["pull"]
  override_path = true

[host."https://noprefixnoncompliant.registry"]
  override_path = true

[host."https://onlyheader.registry".header]
  x-custom-1 = "justaheader"

[host."https://dial-timeout.registry"]
  dial_timeout = "3s"
"""


def read(text: str) -> tuple[Host, ...]:
    return hosts_toml.read(text.encode())


def broken(text: str | bytes) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(BrokenHostsError) as caught:
        hosts_toml.read(content)
    return str(caught.value)


def test_containerd_s_own_example_is_read_as_containerd_reads_it() -> None:
    """`TestParseHostFile` of containerd, at the commit that the module names."""
    one, two = "/etc/certs/client-1.pem", "/etc/certs/client-2.pem"
    pem = "/etc/certs/client.pem"
    assert (
        Host(
            host="mirror.registry",
            capabilities=PULL,
            authorities=("/etc/certs/mirror.pem",),
            headers={"x-custom-2": "value1, value2"},
        ),
        Host(
            host="mirror-bak.registry",
            prefix="/us/v2",
            capabilities=PULL,
            skip_verify=True,
        ),
        Host(scheme="http", host="mirror.registry", capabilities=PULL),
        Host(
            host="test-1.registry",
            authorities=("/etc/certs/test-1-ca.pem", "/etc/certs/special.pem"),
            pairs=(("/etc/certs/client.cert", "/etc/certs/client.key"), (pem, pem)),
        ),
        Host(host="test-2.registry", pairs=((pem, pem),)),
        Host(host="test-3.registry", pairs=((one, one), (two, two))),
        Host(
            host="no-referrers.registry",
            capabilities=frozenset({"pull", "resolve", "push"}),
        ),
        Host(
            host="noncompliantmirror.registry",
            prefix="/v2/namespaceprefix",
            capabilities=PULL,
        ),
        Host(host="noprefixnoncompliant.registry", prefix=""),
        Host(host="onlyheader.registry", headers={"x-custom-1": "justaheader"}),
        Host(host="dial-timeout.registry", dial_seconds=3.0),
        Host(
            host="test-default.registry",
            authorities=("/etc/path/default",),
            headers={"x-custom-1": "custom header"},
        ),
    ) == read(CONTAINERD)


def test_without_a_server_the_last_is_the_image_s_own_with_every_capability() -> None:
    """`ConfigureHosts` sets its capabilities and path, and keeps the rest."""
    text = 'capabilities = ["pull"]\noverride_path = true\nca = "ca.crt"'
    assert (Host(capabilities=ALL, authorities=("ca.crt",)),) == read(text)


def test_an_empty_file_is_the_image_s_own_registry() -> None:
    assert (Host(),) == read("")


def test_keys_that_nobody_knows_are_left_alone_as_containerd_leaves_them() -> None:
    text = '[host."https://m.example"]\ncapabilites = ["pull"]\n[plugins]\nx = 1\n'
    assert (Host(host="m.example"), Host()) == read(text)


@pytest.mark.parametrize(
    ("url", "override", "address"),
    [
        ("https://M.example:5000", "false", ("https", "m.example:5000", "/v2")),
        ("http://m.example/", "false", ("http", "m.example", "/v2")),
        ("m.example", "false", ("https", "m.example", "/v2")),
        ("m.example:5000/a", "false", ("https", "m.example:5000", "/a/v2")),
        ("https://m.example/v2", "false", ("https", "m.example", "/v2")),
        ("https://m.example/a/v2/", "false", ("https", "m.example", "/a/v2")),
        ("https://m.example/a/../b", "false", ("https", "m.example", "/b/v2")),
        ("https://m.example/v2/a", "false", ("https", "m.example", "/v2/a/v2")),
        ("https://m.example/v2/a", "true", ("https", "m.example", "/v2/a")),
        ("https://[fd00::1]:5000", "false", ("https", "[fd00::1]:5000", "/v2")),
    ],
)
def test_a_url_says_where_the_api_is(
    url: str, override: str, address: tuple[str, str, str]
) -> None:
    host, _ = read(f'[host."{url}"]\noverride_path = {override}')
    assert address == (host.scheme, host.host, host.prefix)
    (server,) = read(f'server = "{url}"\noverride_path = {override}')
    assert address == (server.scheme, server.host, server.prefix)


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://u:canary@m.example",
        "https://m.example?x=1",
        "ftp://m.example",
        "https://m.example#x",
        "https://m.example:0",
        "https://m.example:65536",
        "https://m example",
        "https://m.example/a b",
        "https://m.example/%2e%2e/x",
        "https://[::1",
        "https://-m.example",
        "https://m.example/" + "a" * 2048,
        "https://m.example\\\\@evil.example",
        "https://m.example/a\\nb",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    told = broken(f'[host."{url}"]')
    assert "expected http(s)://HOST[:PORT][/PATH]" in told
    assert "canary" not in told


def test_capabilities_are_words_in_any_case() -> None:
    host, _ = read('[host."https://m.example"]\ncapabilities = ["Pull", "RESOLVE"]')
    assert {"pull", "resolve"} == host.capabilities
    host, _ = read('[host."https://m.example"]\ncapabilities = []')
    assert ALL == host.capabilities


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3s", 3.0),
        ("500ms", 0.5),
        ("1m30s", 90.0),
        (".5s", 0.5),
        ("1.5s", 1.5),
        ("0", None),
        ("0s", None),
        ("", None),
        ("2h", 7200.0),
        ("10µs", 1e-5),
    ],
)
def test_a_time_is_go_s(text: str, seconds: float | None) -> None:
    (host,) = read(f'dial_timeout = "{text}"')
    assert seconds == pytest.approx(host.dial_seconds) if seconds else seconds is None
    assert (seconds is None) == (host.dial_seconds is None)


@pytest.mark.parametrize(
    ("text", "say"),
    [
        pytest.param("a = ", "no valid TOML at end of document", id="no-toml"),
        pytest.param('x = "canary', "no valid TOML at", id="text-without-an-end"),
        pytest.param("a = 1\na = 2", "no valid TOML at", id="twice"),
        pytest.param(b"\xff", "expected UTF-8", id="no-utf-8"),
        pytest.param("a = " + "[" * 5000, "no valid TOML", id="deep"),
        pytest.param("a = 9" + "9" * 5000, "no valid TOML", id="huge-number"),
        pytest.param("host = 1", "host: expected tables", id="host"),
        pytest.param("[host]\nx = 1", 'host."x": expected a table', id="host-table"),
        pytest.param("server = 1", "server: expected a text", id="server"),
        pytest.param("capabilities = 1", "server: capabilities:", id="cap-type"),
        pytest.param(
            'capabilities = "pull"', "capabilities: expected a list", id="cap"
        ),
        pytest.param(
            '[host."m"]\ncapabilities = ["fly"]',
            'host."m": capabilities: expected some of pull, push, referrers, resolve',
            id="capability",
        ),
        pytest.param("ca = [1]", "ca: expected a list of texts", id="ca"),
        pytest.param("ca = {}", "ca: expected a list of texts", id="ca-table"),
        pytest.param("client = 1", "client: expected a file", id="client"),
        pytest.param('client = [["a"]]', "client: expected pairs", id="client-one"),
        pytest.param(
            'client = [["", "a"]]', "client: expected pairs", id="client-none"
        ),
        pytest.param('client = [["a", 1]]', "client: expected pairs", id="client-type"),
        pytest.param("client = [1]", "client: expected pairs", id="client-number"),
        pytest.param('skip_verify = "yes"', "skip_verify: expected true", id="skip"),
        pytest.param("override_path = 1", "override_path: expected true", id="path"),
        pytest.param("header = 1", "header: expected a table", id="header"),
        pytest.param("[header]\nx = 1", "header: expected texts", id="header-value"),
        pytest.param("[header]\nx = [1]", "header: expected texts", id="header-list"),
        pytest.param('[header]\nHost = "canary"', "header: Host is not", id="hop"),
        pytest.param("dial_timeout = 3", 'expected a time as "3s"', id="dial-type"),
        pytest.param('dial_timeout = "3"', 'expected a time as "3s"', id="dial-unit"),
        pytest.param('dial_timeout = "-3s"', 'expected a time as "3s"', id="dial-sign"),
        pytest.param('dial_timeout = "+3s"', 'expected a time as "3s"', id="dial-plus"),
        pytest.param(
            f'dial_timeout = "{"1s" * 32}x"', 'expected a time as "3s"', id="dial-long"
        ),
    ],
)
def test_what_is_none_is_refused_with_its_place(text: str | bytes, say: str) -> None:
    told = broken(text)
    assert say in told
    assert "canary" not in told


def test_bounds_hold_to_the_last_one() -> None:
    hosts = [f'[host."https://m{number}.example"]' for number in range(MAX_HOSTS + 1)]
    assert MAX_HOSTS + 1 == len(read("\n".join(hosts[:-1])))
    assert f"at most {MAX_HOSTS} hosts" in broken("\n".join(hosts))
    files = [f'"{number}.crt"' for number in range(MAX_NAMED_FILES + 1)]
    for name in ("ca", "client"):
        assert read(f"{name} = [{', '.join(files[:-1])}]")
        say = f"{name}: expected at most {MAX_NAMED_FILES} files"
        assert say in broken(f"{name} = [{', '.join(files)}]")
    assert read("#" + "x" * (MAX_FILE_BYTES - 1))
    assert "larger than" in broken("#" + "x" * MAX_FILE_BYTES)


def test_each_file_is_named_once() -> None:
    (host,) = read('ca = ["a", "b", "a"]\nclient = [["b", "c"], ["d", ""]]')
    assert ("a", "b", "c", "d") == host.files


def test_headers_are_not_shown() -> None:
    (host,) = read('[header]\nAuthorization = "canary"')
    assert "canary" not in repr(host)
    assert "canary" == host.headers["Authorization"]


def test_a_folder_without_a_file_holds_certificates_as_docker_s() -> None:
    """`loadCertFiles`: without a key the certificate's file may hold it."""
    names = ["z.crt", "b.cert", "b.key", "a.cert", "a.crt", "other.txt"]
    assert (
        Host(
            authorities=("a.crt", "z.crt"),
            pairs=(("a.cert", "a.cert"), ("b.cert", "b.key")),
        ),
    ) == of_files(names)
    assert (Host(),) == of_files([])
