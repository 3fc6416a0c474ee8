from datetime import UTC, datetime, timedelta

import pytest

from app.admission.exemption import Exemption, exempt_images, expired

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def exempt(*given: Exemption, account: str = "") -> frozenset[str]:
    found = exempt_images(
        given,
        ("a.example/x:1", "b.example/y:1"),
        namespace="team-a",
        service_account=account,
        now=NOW,
    )
    return frozenset(found)


BOTH = frozenset({"a.example/x:1", "b.example/y:1"})


@pytest.mark.parametrize(
    ("exemption", "images"),
    [
        pytest.param(Exemption("o", "r", namespaces=("team-*",)), BOTH, id="namespace"),
        pytest.param(Exemption("o", "r", namespaces=("b",)), frozenset(), id="other"),
        pytest.param(
            Exemption("o", "r", images=("a.example/*",)),
            frozenset({"a.example/x:1"}),
            id="image",
        ),
        pytest.param(
            Exemption("o", "r", namespaces=("team-a",), images=("*/y:*",)),
            frozenset({"b.example/y:1"}),
            id="both lists must match",
        ),
        pytest.param(
            Exemption("o", "r", service_accounts=("team-a/default",)),
            BOTH,
            id="the default service account",
        ),
        pytest.param(
            Exemption("o", "r", service_accounts=("team-a/robot",)),
            frozenset(),
            id="another service account",
        ),
        pytest.param(
            Exemption("o", "r", namespaces=("*",), expires=NOW), frozenset(), id="ended"
        ),
    ],
)
def test_an_exemption_covers_what_all_its_lists_match(
    exemption: Exemption, images: frozenset[str]
) -> None:
    assert images == exempt(exemption)


def test_several_exemptions_add_up() -> None:
    first = Exemption("o", "r", images=("a.example/*",))
    second = Exemption("o", "r", service_accounts=("*/robot",), images=("b.*",))
    assert frozenset({"a.example/x:1"}) == exempt(first, second)
    assert BOTH == exempt(first, second, account="robot")
    assert frozenset() == exempt()


def test_an_exemption_ends_at_the_moment_that_it_names() -> None:
    ended = Exemption("o", "ended", expires=NOW)
    later = Exemption("o", "later", expires=NOW + timedelta(microseconds=1))
    lasting = Exemption("o", "lasting")
    assert (ended,) == expired((ended, later, lasting), now=NOW)
    assert BOTH == exempt(later)
    assert frozenset() == exempt(ended)


def test_the_first_exemption_that_covers_an_image_answers_for_it() -> None:
    one, two = Exemption("one", "r", images=("b*",)), Exemption("two", "r")
    found = exempt_images(
        (one, two), ("a:1", "b:1"), namespace="n", service_account="", now=NOW
    )
    assert {"a:1": two, "b:1": one} == found
