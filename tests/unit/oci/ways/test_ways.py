"""Which ways lead to an image, and under which name it is known there."""

import pytest

from app.oci.credentials import Credential, Entry, Keyring, fingerprint
from app.oci.images import reference
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import Request
from app.oci.ways import hosts_toml
from app.oci.ways.trust import Material
from app.oci.ways.way import Way
from app.oci.ways.ways import Configured, Silent, Ways, folders

PLAIN = RegistryPolicy({"r.example:5000": HostPolicy(plain_http=True)})
SKIP = Material(skip_verify=True)


def ways(**texts: str) -> Ways:
    """Folders by name, with `__` for what no Python name holds."""
    return Ways(
        {
            name: tuple(map(Configured, hosts_toml.read(text.encode())))
            for name, text in texts.items()
        }
    )


def of(found: Ways, image: str, policy: RegistryPolicy = PLAIN) -> tuple[Way, ...]:
    return found.of(reference.parse(image), policy)


def bases(found: Ways, image: str, policy: RegistryPolicy = PLAIN) -> list[str]:
    parsed = reference.parse(image)
    return [one.base(parsed) for one in found.of(parsed, policy)]


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("docker.io", ("docker.io", "_default")),
        ("r.example:5000", ("r.example_5000_", "r.example:5000", "_default")),
        ("[::1]:5000", ("[::1]_5000_", "[::1]:5000", "_default")),
        ("[::1]", ("[:_1]_", "[::1]", "_default")),
    ],
)
def test_folders_are_found_as_containerd_finds_them(
    domain: str, names: tuple[str, ...]
) -> None:
    """`hostPaths` and `hostDirectory`; the last colon counts, in an address too."""
    assert names == folders(domain)


def test_without_mirrors_the_registry_is_asked() -> None:
    assert (Way("https", "q.example"),) == of(Ways(), "q.example/a")
    assert (Way("http", "r.example:5000"),) == of(Ways(), "r.example:5000/a")
    assert ["https://registry-1.docker.io/v2/library/nginx"] == bases(Ways(), "nginx")


def test_the_first_folder_counts_and_others_do_not() -> None:
    found = Ways(
        {
            "r.example:5000": (Configured(hosts_toml.Host(host="second")),),
            "r.example_5000_": (Configured(hosts_toml.Host(host="first")),),
            "_default": (Configured(hosts_toml.Host(host="other")),),
        }
    )
    assert ["first"] == [one.host for one in of(found, "r.example:5000/a")]
    assert ["other"] == [one.host for one in of(found, "r.example/a")]


def test_mirrors_come_in_the_file_s_order_and_the_registry_last() -> None:
    text = '[host."https://z.example"]\n[host."http://a.example/x"]\n'
    found = of(ways(_default=text), "q.example/team/a")
    assert [
        Way("https", "z.example", query="ns=q.example", is_upstream=False),
        Way("http", "a.example", "/x/v2", query="ns=q.example", is_upstream=False),
        Way("https", "q.example"),
    ] == list(found)


def test_the_server_stands_for_the_registry() -> None:
    text = 'server = "https://mirror.example/v2/proxy"\noverride_path = true\n'
    (way,) = of(ways(_default=text), "q.example:5000/a")
    assert way.is_upstream
    assert "ns=q.example%3A5000" == way.query
    assert "https://mirror.example/v2/proxy/a" == way.base(
        reference.parse("q.example:5000/a")
    )


@pytest.mark.parametrize(
    "server", ["https://docker.io", "https://registry-1.docker.io"]
)
def test_docker_hub_is_itself_by_both_names(server: str) -> None:
    (way,) = of(ways(_default=f'server = "{server}"'), "nginx")
    image = reference.parse("nginx")
    assert "" == way.query
    assert "https://registry-1.docker.io/v2/library/nginx" == way.base(image)
    assert image == way.named(image)


def test_a_registry_that_the_file_names_itself_gets_no_namespace() -> None:
    text = 'server = "https://q.example"'
    assert "" == of(ways(_default=text), "q.example/a")[0].query


def test_the_registry_itself_may_have_material_and_headers() -> None:
    (host,) = hosts_toml.read(b'dial_timeout = "1s"\n[header]\nx = "y"')
    found = Ways({"_default": (Configured(host, SKIP),)})
    (way,) = of(found, "r.example:5000/a")
    assert ("http", "r.example:5000", SKIP) == (way.scheme, way.host, way.trust)
    assert ({"x": "y"}, 1.0, "") == (way.headers, way.connect_seconds, way.query)


@pytest.mark.parametrize(
    ("capabilities", "resolve", "pull", "lists"),
    [
        pytest.param([], True, True, True, id="all"),
        pytest.param(["pull"], False, True, False, id="pull"),
        pytest.param(["pull", "resolve"], True, True, True, id="resolve"),
        pytest.param(["pull", "referrers"], False, True, True, id="referrers"),
        pytest.param(["resolve"], False, False, False, id="resolve-alone"),
        pytest.param(["push"], False, False, False, id="push"),
    ],
)
def test_capabilities_say_what_a_host_is_asked(
    capabilities: list[str], *, resolve: bool, pull: bool, lists: bool
) -> None:
    text = f'[host."https://m.example"]\ncapabilities = {capabilities}'
    way = of(ways(_default=text), "q.example/a")[0]
    assert (resolve, pull, lists) == (way.can_resolve, way.can_pull, way.can_list)


# Names and credentials ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("/v2", "m.example:5000/team/a"),
        ("/us/v2", "m.example:5000/team/a"),
        ("/v2/proxy", "m.example:5000/proxy/team/a"),
        ("", "m.example:5000/team/a"),
    ],
)
def test_a_mirror_knows_the_image_by_a_name_of_its_own(prefix: str, name: str) -> None:
    image = reference.parse("q.example/team/a:1")
    named = Way("https", "m.example:5000", prefix).named(image)
    assert (name, "1") == (named.name, named.tag)


def test_a_registry_knows_its_image_by_its_own_name() -> None:
    image = reference.parse("Q.example/team/a:1")
    assert image == Way("https", "q.example").named(image)
    assert "Q.example/p/team/a" == Way("https", "q.example", "/v2/p").named(image).name


@pytest.mark.parametrize("name", ["r.example:0443/a", "R.Example/a", "[0::1]:5000/a"])
def test_its_own_registry_knows_an_image_as_it_was_written(name: str) -> None:
    """Credentials are matched with that, as the kubelet matches them."""
    image = reference.parse(name)
    (way,) = Ways().of(image, RegistryPolicy())
    assert image == way.named(image)
    assert image.host == way.host


def keyring(*hosts: str) -> Keyring:
    return Keyring.of(Entry.of(host, Credential(host, "secret")) for host in hosts)


def test_rings_hold_what_is_offered_on_every_way() -> None:
    image = reference.parse("q.example/a")
    found = ways(_default='[host."https://m.example"]')
    one, two = keyring("q.example"), keyring("m.example")
    rings = {found.rings(image, ring) for ring in (one, two, keyring(*"ab"), Keyring())}
    assert 3 == len(rings)
    assert "" == found.rings(image, keyring("other.example"))
    assert "" == found.rings(image, Keyring())


def test_without_mirrors_a_ring_is_the_registry_s() -> None:
    image = reference.parse("q.example/a")
    ring = keyring("q.example")
    assert fingerprint(ring.lookup(image)) == Ways().rings(image, ring)


# What goes along ---------------------------------------------------------------------


WAY = Way(
    "https", "m.example", headers={"X-A": "canary"}, trust=SKIP, connect_seconds=1.0
)


def test_a_request_to_the_way_s_host_carries_what_belongs_there() -> None:
    marked = WAY.marked(Request("GET", "https://m.example/token?x", {"Accept": "*"}))
    assert {"Accept": "*", "X-A": "canary"} == marked.headers
    assert (SKIP, 1.0) == (marked.trust, marked.connect_seconds)


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "http://m.example/", "https://m.example:8443/"],
)
def test_a_request_to_elsewhere_carries_nothing_of_it(url: str) -> None:
    request = Request("GET", url)
    assert request is WAY.marked(request)


def test_our_own_headers_win() -> None:
    request = Request("GET", "https://m.example/", {"x-a": "ours"})
    assert {"x-a": "ours"} == WAY.marked(request).headers


def test_plain_http_is_allowed_on_a_way_and_not_for_its_host() -> None:
    policy = RegistryPolicy({"m.example": HostPolicy(private=True)})
    on_way = Way("http", "m.example").policy(policy)
    assert HostPolicy(plain_http=True, private=True) == on_way.of("m.example")
    assert not policy.of("m.example").plain_http
    assert policy is Way("https", "m.example").policy(policy)


def test_nothing_of_a_way_s_headers_is_shown() -> None:
    assert "canary" not in repr(WAY)


def test_somebody_who_is_told_nothing_says_nothing() -> None:
    Silent().passed_over("m.example", "Timeout")
