"""What registries ask for."""

import time

import pytest

from app.oci.registry import challenges
from app.oci.registry.challenges import MAX_CHALLENGES, MAX_HEADER_CHARACTERS, Challenge


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("   ", [], id="blank"),
        pytest.param("Basic", [("basic", {})], id="scheme-alone"),
        pytest.param('Basic realm="x"', [("basic", {"realm": "x"})], id="basic"),
        pytest.param("BASIC REALM=x", [("basic", {"realm": "x"})], id="case-and-token"),
        pytest.param(
            'Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://a/t",
                        "service": "s",
                        "scope": "repository:x:pull,push",
                    },
                )
            ],
            id="bearer",
        ),
        pytest.param(
            'Bearer realm = "a" , service= "s"',
            [("bearer", {"realm": "a", "service": "s"})],
            id="blanks",
        ),
        pytest.param(
            r'Bearer realm="a\"b\\c"', [("bearer", {"realm": r'a"b\c'})], id="escapes"
        ),
        pytest.param(
            'Bearer realm="a", Basic realm="b"',
            [("bearer", {"realm": "a"}), ("basic", {"realm": "b"})],
            id="two-in-one",
        ),
        pytest.param(
            'Negotiate, Basic realm="b"',
            [("negotiate", {}), ("basic", {"realm": "b"})],
            id="bare-scheme-first",
        ),
        pytest.param(
            'Bearer realm="a",realm="b"',
            [("bearer", {"realm": "a"})],
            id="first-counts",
        ),
        pytest.param('Bearer realm=""', [("bearer", {"realm": ""})], id="empty-value"),
        pytest.param('Bearer realm="open', [("bearer", {})], id="unclosed"),
        pytest.param('="x" Basic', [], id="no-scheme"),
        pytest.param("<html>", [], id="nonsense"),
        pytest.param(
            'Negotiate YWJj==, Basic realm="b"',
            [("negotiate", {}), ("basic", {"realm": "b"})],
            id="token68-with-padding",
        ),
        pytest.param(
            'Negotiate YWJj/+, Basic realm="b"',
            [("negotiate", {}), ("basic", {"realm": "b"})],
            id="token68",
        ),
        pytest.param(
            "Bearer realm=https://a/t,service=s",
            [("bearer", {"realm": "https://a/t", "service": "s"})],
            id="value-without-quotes",
        ),
        pytest.param(
            ', ,Basic , ,realm="b",, Bearer realm="a"',
            [("basic", {"realm": "b"}), ("bearer", {"realm": "a"})],
            id="empty-elements",
        ),
        pytest.param(
            'Bearer realm="a, Basic realm=b"',
            [("bearer", {"realm": "a, Basic realm=b"})],
            id="a-challenge-in-quotes",
        ),
        pytest.param(
            'Bearer realm="a"x, Basic realm="b"',
            [("bearer", {})],
            id="text-behind-quotes",
        ),
    ],
)
def test_a_challenge_is_read(
    header: str, expected: list[tuple[str, dict[str, str]]]
) -> None:
    found = [
        (one.scheme, dict(one.parameters)) for one in challenges.read_challenges(header)
    ]
    assert expected == found


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer" + " " * 65_536 + "=", id="blanks"),
        pytest.param('Bearer a="' + "\\" * 65_536, id="escapes"),
        pytest.param("Bearer " + "a" * 65_536, id="one-word"),
        pytest.param("Bearer " + 'a="",' * 13_000 + "=", id="parameters"),
        pytest.param("Bearer a=" + '"' * 65_536, id="quotes"),
        pytest.param("Bearer a=" + "=" * 65_536, id="equals"),
        pytest.param("Bearer" + ", " * 32_000 + "=", id="commas"),
        pytest.param("Bearer " + "a " * 32_000, id="words"),
        pytest.param("Bearer " + "a/" * 32_000 + '"', id="token68"),
        pytest.param("Bearer " + "a," * 32_000, id="schemes"),
    ],
)
def test_a_hostile_header_takes_no_time(header: str) -> None:
    """Each of these takes minutes where a pattern goes back over what it read."""
    started = time.process_time()
    assert "bearer" == challenges.read_challenges(header)[0].scheme
    assert 0.5 > time.process_time() - started


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(["Basic"] * MAX_CHALLENGES, id="as-many"),
        pytest.param([*["Basic"] * MAX_CHALLENGES, "Bearer"], id="one-more"),
        pytest.param([", ".join(["Basic"] * MAX_CHALLENGES), "Bearer"], id="in-one"),
        pytest.param([", ".join([*["Basic"] * MAX_CHALLENGES, "Bearer"])], id="more"),
    ],
)
def test_as_many_challenges_as_the_limit_are_heard(headers: list[str]) -> None:
    assert (Challenge("basic", {}),) * 8 == challenges.read_all(headers)


def test_a_header_as_large_as_the_limit_is_read() -> None:
    def padded(size: int) -> str:
        return "Basic realm=".ljust(size, "x")

    (found,) = challenges.read_all([padded(MAX_HEADER_CHARACTERS)])
    assert MAX_HEADER_CHARACTERS - 12 == len(found.parameters["realm"])
    assert () == challenges.read_all([padded(MAX_HEADER_CHARACTERS + 1)])


def test_what_changes_with_each_challenge_is_not_of_its_essence() -> None:
    first = 'Bearer realm="a",service="s",scope="repository:x:pull"'
    other = 'Bearer realm="a",service="s",error="invalid_token"'
    third = 'Bearer realm="b",service="s"'
    one, two, three = challenges.read_all([first, other, third])
    assert ("bearer", "a", "s") == one.essence == two.essence
    assert one.essence != three.essence
