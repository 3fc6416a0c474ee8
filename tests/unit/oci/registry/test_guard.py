"""Addresses that a hostile reference, redirect or token realm may lead to."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from app.oci.failure import LookupFailedError
from app.oci.limits import Limits
from app.oci.registry.guard import (
    GuardedResolver,
    HostPolicy,
    RefusedAddressError,
    RegistryPolicy,
    is_allowed,
    literal_is_allowed,
    name_is_allowed,
)
from app.oci.registry.transport import AiohttpTransport, Request

NOTHING = HostPolicy()
ALL = HostPolicy(plain_http=True, private=True, loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("93.184.215.14", id="ipv4"),
        pytest.param("2606:2800:21f:cb07:6820:80da:af6b:8b2c", id="ipv6"),
        pytest.param("64:ff9b::5db8:d70e", id="nat64-of-a-public-address"),
    ],
)
def test_public_addresses_need_no_word_of_the_operator(address: str) -> None:
    assert is_allowed(address, NOTHING, frozenset())


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("169.254.169.254", id="metadata"),
        pytest.param("169.254.0.1", id="link-local"),
        pytest.param("fe80::1", id="link-local-v6"),
        pytest.param("fe80::1%eth0", id="link-local-with-a-zone"),
        pytest.param("fd00:ec2::254", id="metadata-v6-in-a-private-range"),
        pytest.param("100.100.100.200", id="metadata-in-a-carrier-range"),
        pytest.param("168.63.129.16", id="metadata-in-a-public-range"),
        pytest.param("::ffff:169.254.169.254", id="mapped"),
        pytest.param("64:ff9b::a9fe:a9fe", id="nat64"),
        pytest.param("2002:a9fe:a9fe::1", id="6to4"),
        pytest.param("0.0.0.0", id="unspecified"),
        pytest.param("::", id="unspecified-v6"),
        pytest.param("0.1.2.3", id="this-network"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("ff02::1", id="multicast-v6"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("192.0.0.192", id="protocol-assignments"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("::127.0.0.1", id="ipv4-compatible"),
        pytest.param("64:ff9b:1::7f00:1", id="local-nat64"),
    ],
)
def test_some_addresses_are_refused_whatever_the_operator_allows(address: str) -> None:
    assert not is_allowed(address, ALL, frozenset())


@pytest.mark.parametrize(
    ("address", "opened_by"),
    [
        pytest.param("10.0.0.1", HostPolicy(private=True), id="10"),
        pytest.param("172.16.0.1", HostPolicy(private=True), id="172-first"),
        pytest.param("172.31.255.254", HostPolicy(private=True), id="172-last"),
        pytest.param("192.168.1.1", HostPolicy(private=True), id="192.168"),
        pytest.param("100.64.0.1", HostPolicy(private=True), id="carrier"),
        pytest.param("fd12::1", HostPolicy(private=True), id="unique-local"),
        pytest.param("::ffff:10.0.0.1", HostPolicy(private=True), id="mapped"),
        pytest.param("127.0.0.1", HostPolicy(loopback=True), id="loopback"),
        pytest.param("127.255.0.9", HostPolicy(loopback=True), id="loopback-other"),
        pytest.param("::1", HostPolicy(loopback=True), id="loopback-v6"),
        pytest.param("::ffff:127.0.0.1", HostPolicy(loopback=True), id="loopback-map"),
    ],
)
def test_private_addresses_and_loopback_need_their_own_permission(
    address: str, opened_by: HostPolicy
) -> None:
    other = HostPolicy(
        plain_http=True, private=opened_by.loopback, loopback=opened_by.private
    )
    assert [True, False, False] == [
        is_allowed(address, policy, frozenset())
        for policy in (opened_by, other, NOTHING)
    ]


def test_the_api_server_is_refused_though_its_range_is_allowed() -> None:
    refused = frozenset({"10.96.0.1"})
    assert not is_allowed("10.96.0.1", ALL, refused)
    assert not is_allowed("::ffff:10.96.0.1", ALL, refused)
    assert is_allowed("10.96.0.2", ALL, refused)


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "0"],
)
def test_numbers_that_only_some_take_for_an_address_are_refused(host: str) -> None:
    policy = RegistryPolicy({host: ALL})
    assert not literal_is_allowed(policy, host, 443)


@pytest.mark.parametrize("host", ["registry.example", "r2d2", "123.example", "10x"])
def test_names_pass_on_to_the_resolver(host: str) -> None:
    assert literal_is_allowed(RegistryPolicy(), host, 443)


def opened(policy: RegistryPolicy, *ports: int) -> set[int]:
    return {port for port in ports if literal_is_allowed(policy, "10.0.0.9", port)}


@pytest.mark.parametrize(
    ("listed", "plain_http", "ports"),
    [
        pytest.param("10.0.0.9:5000", False, {5000}, id="port"),
        pytest.param("10.0.0.9:5000", True, {5000}, id="port-of-http"),
        pytest.param("10.0.0.9", False, {443}, id="no-port"),
        pytest.param("10.0.0.9", True, {80, 443}, id="no-port-of-http"),
    ],
)
def test_a_host_is_listed_for_one_port(
    listed: str, *, plain_http: bool, ports: set[int]
) -> None:
    """Else a Pod's author could ask which ports of it are open."""
    policy = RegistryPolicy({listed: HostPolicy(private=True, plain_http=plain_http)})
    assert ports == opened(policy, 22, 80, 443, 5000, 5001, 6443)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("r.example", HostPolicy(plain_http=True, plain_http_credentials=True)),
        ("r.example:80", HostPolicy(plain_http=True, plain_http_credentials=True)),
        ("r.example:443", HostPolicy()),
        ("r.example:5000", HostPolicy()),
        ("q.example:443", HostPolicy(private=True)),
        ("q.example:80", HostPolicy()),
        ("[fd00::443]", HostPolicy()),
    ],
)
def test_plain_http_is_spoken_on_the_port_that_it_is_allowed_for(
    host: str, expected: HostPolicy
) -> None:
    plain = HostPolicy(plain_http=True, plain_http_credentials=True)
    policy = RegistryPolicy(
        {"r.example": plain, "q.example": HostPolicy(private=True)},
    )
    assert expected == policy.of(host)


def test_token_servers_are_a_host_s_by_both_its_spellings() -> None:
    realms = {"r.example": frozenset({"t.example"})}
    policy = RegistryPolicy({"r.example": HostPolicy()}, realms=realms)
    assert {"t.example"} == policy.token_servers("r.example")
    assert {"t.example"} == policy.token_servers("r.example:443")
    assert frozenset() == policy.token_servers("r.example:5000")


def test_an_ipv6_host_is_listed_in_brackets() -> None:
    policy = RegistryPolicy({"[fd00::9]:5000": HostPolicy(private=True)})
    assert literal_is_allowed(policy, "fd00::9", 5000)
    assert not literal_is_allowed(policy, "fd00::a", 5000)


INSIDE = [
    "localhost",
    "app.localhost",
    "localhost.localdomain",
    "printer.local",
    "kubernetes.default.svc.cluster.local",
    "metadata.google.internal",
    "metadata.google.internal.",
    "kubernetes.default.svc",
    "kubernetes.default.svc.corp.example",
    "registry",
    "metadata.",
    "localhost..",
    "LOCALHOST",
]


@pytest.mark.parametrize("host", INSIDE)
def test_some_names_lead_inside_by_their_form(host: str) -> None:
    """What a proxy would resolve; we could not look at the address."""
    assert not name_is_allowed(RegistryPolicy(), host, 443)


@pytest.mark.parametrize("host", INSIDE)
def test_an_inside_name_is_the_operator_s_to_list(host: str) -> None:
    policy = RegistryPolicy({host.lower().rstrip("."): HostPolicy()})
    assert name_is_allowed(policy, host, 443)
    assert not name_is_allowed(policy, host, 9090)


@pytest.mark.parametrize(
    "host",
    [
        "registry.example",
        "svc.example",
        "svc-a.default.example",
        "internal.example",
        "local.example.com",
        "registry.mylocal",
        "192.0.2.1",
        "2001:db8::1",
    ],
)
def test_other_names_are_a_proxy_s_to_resolve(host: str) -> None:
    assert name_is_allowed(RegistryPolicy(), host, 443)


class Names(AbstractResolver):
    """A name service that answers with what it was made with."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses
        self.is_closed = False

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=one, port=port, family=family, proto=0, flags=0
            )
            for one in self._addresses
        ]

    async def close(self) -> None:
        self.is_closed = True


async def test_a_name_keeps_only_its_allowed_addresses() -> None:
    """What is left is connected to: asking again could give another address."""
    names = Names("127.0.0.1", "93.184.215.14", "10.0.0.1")
    resolver = GuardedResolver(RegistryPolicy(), names)
    found = await resolver.resolve("registry.example", 443)
    assert ["93.184.215.14"] == [one["host"] for one in found]
    await resolver.close()
    assert names.is_closed


async def test_a_name_without_an_allowed_address_is_refused() -> None:
    resolver = GuardedResolver(RegistryPolicy(), Names("127.0.0.1"))
    with pytest.raises(RefusedAddressError):
        await resolver.resolve("registry.example", 443)


async def test_a_listed_name_may_resolve_to_private_addresses() -> None:
    policy = RegistryPolicy({"registry.svc:5000": HostPolicy(private=True)})
    resolver = GuardedResolver(policy, Names("10.0.0.1"))
    assert ["10.0.0.1"] == [
        one["host"] for one in await resolver.resolve("registry.svc", 5000)
    ]
    with pytest.raises(RefusedAddressError):
        await resolver.resolve("registry.svc", 5001)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("https://127.0.0.1/v2/", "AddressRefused", id="loopback"),
        pytest.param("https://①②⑦.⓪.⓪.①/v2/", "AddressRefused", id="circled-digits"),
        pytest.param(
            "https://１６９.254.169.254/v2/", "AddressRefused", id="wide-digits"
        ),
        pytest.param("https://127。0。0。1/v2/", "AddressRefused", id="wide-dots"),
        pytest.param("https://2130706433/v2/", "AddressRefused", id="one-number"),
        pytest.param("ftp://registry.example/", "BadAddress", id="scheme"),
        pytest.param("https:///v2/", "BadAddress", id="no-host"),
        pytest.param("https://[::1/v2/", "BadAddress", id="broken"),
        pytest.param(f"https://{'a' * 256}/v2/", "BadAddress", id="long"),
    ],
)
async def test_no_request_goes_to_a_refused_address(url: str, reason: str) -> None:
    """Unicode hosts become addresses only when they are encoded."""
    transport = AiohttpTransport(RegistryPolicy(), Limits())
    with pytest.raises(LookupFailedError) as caught:
        await transport.send(Request("GET", url, {}, 100, 1.0))
    assert reason == caught.value.reason
    await transport.close()
