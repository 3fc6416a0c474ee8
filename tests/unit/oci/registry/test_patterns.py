"""Which repositories an operator allows or denies: the kubelet's rules for images.

Tables of `TestURLsMatch` in Kubernetes v1.35.4 `pkg/credentialprovider`, whose paths
are written here as repositories.
"""

import pytest

from app.oci.images import reference
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.patterns import MAX_CHARACTERS, Pattern, parse

DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("pattern", "image"),
    [
        pytest.param("*.kubernetes.io", "registry.kubernetes.io/a", id="star"),
        pytest.param("prefix.*.io", "prefix.kubernetes.io/a", id="star-in-the-middle"),
        pytest.param("prefix*.k8s.io", "prefixed.k8s.io/a", id="star-in-a-part"),
        pytest.param("[ab].k8s.io", "b.k8s.io/a", id="class"),
        pytest.param("k8s.io/foo", "k8s.io/foo/bar", id="path"),
        pytest.param("k8s.io/foo", "k8s.io/foobar/x", id="path-is-a-text"),
        pytest.param("k8s.io:8080", "k8s.io:8080/a", id="port"),
        pytest.param("K8S.io", "k8s.IO/a", id="case"),
        pytest.param("k8s.io", "k8s.io:443/a", id="port-of-https"),
        pytest.param("k8s.io:443", "k8s.io/a", id="port-of-https-in-the-pattern"),
        pytest.param("k8s.io", "k8s.io:0443/a", id="port-with-a-zero"),
        pytest.param("k8s.io:08080", "k8s.io:8080/a", id="zero-in-the-pattern"),
        pytest.param("docker.io/library/", "nginx", id="hub"),
        pytest.param("docker.io", "registry.hub.docker.com/a/b", id="hub-by-its-site"),
        pytest.param("docker.io", "registry-1.docker.io/library/nginx", id="hub-api"),
        pytest.param("index.docker.io", "library/nginx", id="hub-index"),
        pytest.param("[fd00::1]:5000", "[FD00:0::1]:5000/a", id="address"),
        pytest.param("[fd00::1]", "[fd00::1]/a", id="address-without-a-port"),
        pytest.param("192.0.2.5", "[::ffff:c000:205]/a", id="address-in-another"),
        pytest.param("[::FFFF:c000:205]", "192.0.2.5/a", id="another-in-the-pattern"),
        pytest.param("k8s.io/foo", f"k8s.io/foo{DIGEST}", id="digest"),
    ],
)
def test_a_pattern_is_for_these(pattern: str, image: str) -> None:
    assert parse(pattern).matches(reference.parse(image))


@pytest.mark.parametrize(
    ("pattern", "image"),
    [
        pytest.param("*.io", "a.k8s.io/a", id="more-parts"),
        pytest.param("*.kubernetes.io", "kubernetes.io/a", id="fewer-parts"),
        pytest.param("*", "k8s.io/a", id="one-star"),
        pytest.param("k8s.io:8080", "k8s.io:8888/a", id="port"),
        pytest.param("k8s.io", "k8s.io:5000/a", id="no-port"),
        pytest.param("k8s.io/foo", "k8s.io/fo", id="path"),
        pytest.param("k8s.io/team/", "k8s.io/team-b/a", id="path-with-its-end"),
        pytest.param("*.docker.io", "nginx", id="hub-has-two-parts"),
        pytest.param("[fd00::1]", "[fd00::2]/a", id="address"),
    ],
)
def test_a_pattern_is_not_for_these(pattern: str, image: str) -> None:
    assert not parse(pattern).matches(reference.parse(image))


@pytest.mark.parametrize(
    ("text", "say"),
    [
        ("", "expected HOST"),
        ("/team", "expected HOST"),
        ("https://k8s.io", "without a scheme"),
        ("k8s.io:x/a", "expected HOST"),
        ("k8s.io/*/a", "a path is a prefix"),
        ("k8s .io", "ASCII without spaces"),
        ("k8s.ïo", "ASCII without spaces"),
        ("k8s.io\n", "ASCII without spaces"),
        ("[ab.k8s.io", "expected a glob for each part"),
        ("k8s[.io", "expected a glob for each part"),
        ("k8s..io", "expected a glob for each part"),
        ("k8s\\*.io", "expected a glob for each part"),
        ("[fd00::x]", "expected HOST"),
        ("a" * (MAX_CHARACTERS + 1), f"at most {MAX_CHARACTERS}"),
    ],
)
def test_what_is_no_pattern_is_refused(text: str, say: str) -> None:
    with pytest.raises(ValueError, match=say):
        parse(text)


def test_the_longest_pattern_is_one() -> None:
    assert Pattern("a", "", "b" * (MAX_CHARACTERS - 2)) == parse(
        "a/" + "b" * (MAX_CHARACTERS - 2)
    )


# The policy --------------------------------------------------------------------------


def allowed(image: str, *, allow: str = "", deny: str = "") -> bool:
    policy = RegistryPolicy(
        allow=tuple(map(parse, allow.split())), deny=tuple(map(parse, deny.split()))
    )
    return policy.allows(reference.parse(image))


def test_without_patterns_everything_is_allowed() -> None:
    assert allowed("r.example/team/app:1")


def test_of_what_is_listed_one_must_match() -> None:
    assert allowed("r.example/team/app:1", allow="q.example r.example/team/")
    assert not allowed("r.example/other/app:1", allow="q.example r.example/team/")


def test_what_is_denied_is_so_though_it_is_allowed() -> None:
    deny = {"allow": "r.example", "deny": "r.example/secret"}
    assert allowed("r.example/team/app", **deny)
    assert not allowed("r.example/secret/app", **deny)
    assert not allowed("R.EXAMPLE:443/secret/app", **deny)
    assert not allowed("r.example:0443/secret/app", **deny)


@pytest.mark.parametrize("deny", ["r.example/secret/", "r.example:80/secret/"])
def test_on_plain_http_port_80_and_none_are_one(deny: str) -> None:
    hosts = {"r.example": HostPolicy(plain_http=True)}
    policy = RegistryPolicy(hosts, deny=(parse(deny),))
    for host in ("r.example", "r.example:80", "r.example:080"):
        assert not policy.allows(reference.parse(f"{host}/secret/app"))
    assert policy.allows(reference.parse("r.example:5000/secret/app"))
    allowing = RegistryPolicy(hosts, allow=(parse(deny),))
    assert allowing.allows(reference.parse("r.example:80/secret/app"))
    assert allowing.allows(reference.parse("r.example/secret/app"))
    https = RegistryPolicy(deny=(parse("r.example/secret/"),))
    assert https.allows(reference.parse("r.example:80/secret/app"))
