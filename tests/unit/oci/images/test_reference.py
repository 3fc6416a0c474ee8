"""References, beside what Go says of them.

`GO_READS` and `GO_REFUSES` are answers of `reference.ParseDockerRef` of
`github.com/distribution/reference` v0.6.0, which the kubelet uses.
"""

import pytest

from app.errors import RegistryError
from app.oci.images import reference
from app.oci.images.digest import Digest
from app.oci.images.reference import Reference

SHA256 = "sha256:" + "a" * 64

# text -> domain, repository, tag or digest
GO_READS = [
    ("nginx", "docker.io", "library/nginx", "latest"),
    ("nginx:1.27", "docker.io", "library/nginx", "1.27"),
    ("nginx:latest", "docker.io", "library/nginx", "latest"),
    ("library/nginx", "docker.io", "library/nginx", "latest"),
    ("docker.io/nginx", "docker.io", "library/nginx", "latest"),
    ("docker.io/library/nginx", "docker.io", "library/nginx", "latest"),
    ("index.docker.io/nginx", "docker.io", "library/nginx", "latest"),
    ("index.docker.io/a/b", "docker.io", "a/b", "latest"),
    ("docker.io/a/b/c:x", "docker.io", "a/b/c", "x"),
    (
        "registry-1.docker.io/library/nginx",
        "registry-1.docker.io",
        "library/nginx",
        "latest",
    ),
    ("quay.io/org/app", "quay.io", "org/app", "latest"),
    ("quay.io/app", "quay.io", "app", "latest"),
    ("quay.io", "docker.io", "library/quay.io", "latest"),
    ("quay.io:443/app", "quay.io:443", "app", "latest"),
    ("localhost/app", "localhost", "app", "latest"),
    ("localhost:5000/app", "localhost:5000", "app", "latest"),
    ("localhost", "docker.io", "library/localhost", "latest"),
    ("localhost:5000", "docker.io", "library/localhost", "5000"),
    ("LOCALHOST/app", "LOCALHOST", "app", "latest"),
    ("Localhost/app", "Localhost", "app", "latest"),
    ("localhosts/app", "docker.io", "localhosts/app", "latest"),
    ("registry:5000/app", "registry:5000", "app", "latest"),
    ("registry/app", "docker.io", "registry/app", "latest"),
    ("Registry/app", "Registry", "app", "latest"),
    ("REGISTRY.example/app", "REGISTRY.example", "app", "latest"),
    ("registry.example/app:Tag", "registry.example", "app", "Tag"),
    ("registry.example/app:TAG_1.2-x", "registry.example", "app", "TAG_1.2-x"),
    ("a/b", "docker.io", "a/b", "latest"),
    ("A/b", "A", "b", "latest"),
    ("aB/c", "aB", "c", "latest"),
    ("a.b/c", "a.b", "c", "latest"),
    ("a_b/c", "docker.io", "a_b/c", "latest"),
    ("a-b/c", "docker.io", "a-b/c", "latest"),
    ("a:1/c", "a:1", "c", "latest"),
    ("a:1/c:2", "a:1", "c", "2"),
    ("127.0.0.1/app", "127.0.0.1", "app", "latest"),
    ("127.0.0.1:5000/app", "127.0.0.1:5000", "app", "latest"),
    ("[::1]/app", "[::1]", "app", "latest"),
    ("[::1]:5000/app", "[::1]:5000", "app", "latest"),
    ("[2001:db8::1]:5000/a/b:c", "[2001:db8::1]:5000", "a/b", "c"),
    ("2130706433/app", "docker.io", "2130706433/app", "latest"),
    ("2130706433:80/app", "2130706433:80", "app", "latest"),
    ("0x7f.1/app", "0x7f.1", "app", "latest"),
    ("127.1/app", "127.1", "app", "latest"),
    ("a.b:65535/c", "a.b:65535", "c", "latest"),
    ("a.b:0/c", "a.b:0", "c", "latest"),
    ("a--b.c/d", "a--b.c", "d", "latest"),
    ("xn--4ca.b/c", "xn--4ca.b", "c", "latest"),
    ("nginx:_x", "docker.io", "library/nginx", "_x"),
    ("nginx:x_", "docker.io", "library/nginx", "x_"),
    ("nginx:x.", "docker.io", "library/nginx", "x."),
    ("nginx:x-", "docker.io", "library/nginx", "x-"),
    ("nginx:" + "t" * 128, "docker.io", "library/nginx", "t" * 128),
    ("a.b/c.d", "a.b", "c.d", "latest"),
    ("a.b/c_d", "a.b", "c_d", "latest"),
    ("a.b/c__d", "a.b", "c__d", "latest"),
    ("a.b/c-d", "a.b", "c-d", "latest"),
    ("a.b/c--d", "a.b", "c--d", "latest"),
    ("a.b/c---d", "a.b", "c---d", "latest"),
    ("a" * 64 + ":x", "docker.io", "library/" + "a" * 64, "x"),
    ("library/" + "a" * 64, "docker.io", "library/" + "a" * 64, "latest"),
    ("docker.io/" + "a" * 64, "docker.io", "library/" + "a" * 64, "latest"),
    ("a" * 63, "docker.io", "library/" + "a" * 63, "latest"),
    ("a" * 65, "docker.io", "library/" + "a" * 65, "latest"),
    ("nginx@sha256:" + "a" * 64, "docker.io", "library/nginx", "sha256:" + "a" * 64),
    (
        "nginx:1.27@sha256:" + "a" * 64,
        "docker.io",
        "library/nginx",
        "sha256:" + "a" * 64,
    ),
    ("nginx@sha512:" + "b" * 128, "docker.io", "library/nginx", "sha512:" + "b" * 128),
    ("a.b/c@sha256:" + "a" * 64, "a.b", "c", "sha256:" + "a" * 64),
    ("a.b:5/c:t@sha256:" + "a" * 64, "a.b:5", "c", "sha256:" + "a" * 64),
    ("sha256:" + "a" * 64, "docker.io", "library/sha256", "a" * 64),
    ("a.b/" + "c" * 255, "a.b", "c" * 255, "latest"),
    ("c" * 247, "docker.io", "library/" + "c" * 247, "latest"),
    ("a/" * 100 + "b", "docker.io", "a/" * 100 + "b", "latest"),
    ("a.b/" + "a/" * 126 + "abc", "a.b", "a/" * 126 + "abc", "latest"),
    ("a" * 250 + ".b/c", "a" * 250 + ".b", "c", "latest"),
    ("a." * 100 + "b/c", "a." * 100 + "b", "c", "latest"),
    (
        "mcr.microsoft.com/dotnet/sdk:9.0-alpine",
        "mcr.microsoft.com",
        "dotnet/sdk",
        "9.0-alpine",
    ),
    (
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:v1",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        "app",
        "v1",
    ),
    ("us-docker.pkg.dev/p/r/i:t", "us-docker.pkg.dev", "p/r/i", "t"),
    ("gcr.io/google.com/p/i", "gcr.io", "google.com/p/i", "latest"),
    ("registry.k8s.io/pause:3.10", "registry.k8s.io", "pause", "3.10"),
    ("r.example:5000/a/b/c/d/e:f", "r.example:5000", "a/b/c/d/e", "f"),
    ("docker.io", "docker.io", "library/docker.io", "latest"),
    ("index.docker.io", "docker.io", "library/index.docker.io", "latest"),
    ("DOCKER.IO/x", "DOCKER.IO", "x", "latest"),
    ("Docker.io/nginx", "Docker.io", "nginx", "latest"),
    ("index.docker.io:443/x", "index.docker.io:443", "x", "latest"),
    ("docker.io:443/x", "docker.io:443", "x", "latest"),
    ("r.example:0443/x", "r.example:0443", "x", "latest"),
    ("r.example:0000000443/x", "r.example:0000000443", "x", "latest"),
]
GO_REFUSES = [
    "registry.example/App",
    "a/B",
    "a:b/c",
    "a:1:2/c",
    "[fe80::1%25eth0]/app",
    "::1/app",
    "[::1",
    "[]/app",
    "[g::1]/app",
    "[::1]:/app",
    "[1.2.3.4]/app",
    "a.b:/c",
    "a.b:-1/c",
    "a.b:80x/c",
    ".a/b",
    "a./b",
    "a..b/c",
    "-a.b/c",
    "a-.b/c",
    "a.-b/c",
    "ä.b/c",
    "a.b/",
    "a.b//c",
    "a.b/c/",
    "/a",
    "//a",
    "a//b",
    "/",
    "",
    ".",
    " ",
    ":",
    "@",
    "a:",
    "a@",
    "a:@",
    "a/",
    "a/:b",
    "nginx:",
    "nginx:-x",
    "nginx:.x",
    "nginx:" + "t" * 129,
    "nginx:a:b",
    "nginx:a/b",
    "nginx:a b",
    "nginx: a",
    " nginx",
    "nginx ",
    "nginx\n",
    "\nnginx",
    "ngi\nnx",
    "ngi\tnx",
    "nginx\r\n",
    "nginx\x00",
    "nginx:1\n",
    "nginx:ä",
    "ñginx",
    "nginx:1%2f",
    "nginx%2fx",
    "nginx?x=1",
    "nginx#x",
    "nginx;x",
    "nginx&x",
    "nginx\\x",
    "nginx'x",
    'nginx"x',
    "nginx<x>",
    "a.b/c?d",
    "a.b/c#d",
    "a.b/../c",
    "a.b/./c",
    "../c",
    "a.b/c..d",
    "a.b/c._d",
    "a.b/c___d",
    "a.b/c-_d",
    "a.b/c.-d",
    "a.b/-c",
    "a.b/c-",
    "a.b/_c",
    "a.b/c_",
    "a.b/.c",
    "a.b/c.",
    "a.b/c/../d",
    "a.b/c/%2e%2e/d",
    "https://a.b/c",
    "http://a.b/c",
    "oci-layout://a:b",
    "docker://nginx",
    "oci://a.b/c",
    "user@a.b/c",
    "user:pw@a.b/c",
    "a.b@c/d",
    "a.b/c@d",
    "a" * 64,
    "A" * 64,
    "0123456789abcdef" * 4,
    "0123456789ABCDEF" * 4,
    "nginx:@sha256:" + "a" * 64,
    "nginx@sha256:" + "a" * 64 + ":1",
    "nginx@sha256:" + "a" * 63,
    "nginx@sha256:" + "a" * 65,
    "nginx@sha256:" + "A" * 64,
    "nginx@sha256:" + "g" * 64,
    "nginx@SHA256:" + "a" * 64,
    "nginx@sha512:" + "a" * 64,
    "nginx@md5:dddddddddddddddddddddddddddddddd",
    "nginx@sha256:",
    "nginx@" + "a" * 64,
    "nginx@:" + "a" * 64,
    "nginx@sha256+b64:" + "a" * 64,
    "nginx@sha256:" + "a" * 64 + "@sha256:" + "a" * 64,
    "@sha256:" + "a" * 64,
    "nginx@sha256:../../x",
    "a.b/c@sha256:" + "a" * 64 + "\n",
    "a.b/" + "c" * 256,
    "c" * 255,
    "c" * 248,
    "a/" * 200 + "b",
    "a.b/" + "a/" * 127 + "ab",
    "ghcr.io/O/r",
    "docker.io/",
    "docker.io//x",
    "docker.io/x/",
]

REFUSED_HERE = [
    pytest.param("a.b:65536/c", id="port-out-of-range"),
    pytest.param("a.b:0065536/c", id="port-out-of-range-after-zeros"),
    pytest.param("a_b.c/d", id="go-finds-no-registry-at-all"),
    pytest.param("[:::]/c", id="no-address"),
    pytest.param("nginx@sha384:" + "c" * 96, id="an-algorithm-that-nobody-uses"),
]


@pytest.mark.parametrize(
    ("text", "domain", "repository", "wanted"),
    [pytest.param(*row, id=f"{at}") for at, row in enumerate(GO_READS)],
)
def test_a_reference_is_read_as_go_reads_it(
    text: str, domain: str, repository: str, wanted: str
) -> None:
    found = reference.parse(text)
    assert (domain, repository, wanted) == (
        found.domain,
        found.repository,
        found.wanted,
    )


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=f"{at}") for at, text in enumerate(GO_REFUSES)]
)
def test_what_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        reference.parse(text)
    assert "InvalidReference" == caught.value.reason


@pytest.mark.parametrize("text", REFUSED_HERE)
def test_what_go_would_find_out_later_is_refused_at_once(text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        reference.parse(text)
    assert "InvalidReference" == caught.value.reason


def test_the_refusal_does_not_repeat_the_input() -> None:
    with pytest.raises(RegistryError) as caught:
        reference.parse("evil\x1b[31m\n")
    assert "evil" not in caught.value.message


def test_a_reference_may_have_as_many_characters_as_the_limit() -> None:
    domain = "x" * (reference.MAX_CHARACTERS - len(".y/a")) + ".y"
    assert "a" == reference.parse(f"{domain}/a").repository
    with pytest.raises(RegistryError, match="longer than 1024 characters"):
        reference.parse(f"{domain}x/a")


def test_a_digest_counts_and_the_tag_beside_it_does_not() -> None:
    found = reference.parse(f"r.example/app:1@{SHA256}")
    assert Reference("r.example", "app", None, Digest.parse(SHA256)) == found
    assert f"r.example/app@{SHA256}" == str(found)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        pytest.param("nginx", "registry-1.docker.io", id="docker-hub"),
        pytest.param("r.example:5000/app", "r.example:5000", id="port"),
        pytest.param("R.Example/app", "r.example", id="upper-case"),
        pytest.param("r.example:0443/app", "r.example:443", id="zero-before-the-port"),
        pytest.param("r.example:00/app", "r.example:0", id="port-of-zeros"),
        pytest.param("[FD00:0::9]/app", "[fd00::9]", id="address"),
        pytest.param("[fd00:0::09]:05000/app", "[fd00::9]:5000", id="address-and-port"),
        pytest.param("010.example/app", "010.example", id="digits-of-a-name"),
    ],
)
def test_a_reference_knows_where_its_registry_answers(text: str, host: str) -> None:
    assert host == reference.parse(text).host


@pytest.mark.parametrize("name", ["R.Example/app", "r.example:0443/app", "[0::1]/app"])
def test_credentials_see_the_domain_as_it_was_written(name: str) -> None:
    assert name == reference.parse(f"{name}:1").name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("sha256:" + "a" * 64, "sha256-" + "a" * 64, id="sha256"),
        pytest.param("sha512:" + "b" * 128, "sha512-" + "b" * 64, id="sha512-cut"),
    ],
)
def test_the_fallback_tag_of_a_digest_is_that_of_the_tag_schema(
    text: str, expected: str
) -> None:
    digest = Digest.parse(text)
    assert digest is not None
    assert expected == digest.fallback_tag
    assert text == str(digest)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sha256:" + "a" * 63, id="short"),
        pytest.param("sha256:" + "a" * 65, id="long"),
        pytest.param("sha256:" + "A" * 64, id="upper-case"),
        pytest.param("sha256:" + "g" * 64, id="no-hex"),
        pytest.param("sha256:" + "../" * 21 + "a", id="path"),
        pytest.param("sha256:" + "a" * 63 + "\n", id="line-end"),
        pytest.param("sha512:" + "a" * 64, id="length-of-another"),
        pytest.param("md5:" + "a" * 32, id="weak"),
        pytest.param("a" * 64, id="no-algorithm"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_digest_is_not_taken_for_one(text: str) -> None:
    assert Digest.parse(text) is None


def test_a_digest_matches_its_content_and_no_other() -> None:
    digest = Digest.of(b"x")
    assert digest.matches(b"x")
    assert not digest.matches(b"y")
    sha512 = Digest(
        "sha512",
        "a4abd4448c49562d828115d13a1fccea927f52b4d5459297f8b43e42da89238b"
        "c13626e43dcb38ddb082488927ec904fb42057443983e88585179d50551afe62",
    )
    assert sha512.matches(b"x")
