"""The next step, from what one replica has seen: a table of situations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from app.certificates.authority import Authority
from app.certificates.holding import MAX_AUTHORITIES, Holding, published
from app.certificates.pair import pem_of
from app.certificates.rotation import (
    IDLE_SECONDS,
    Hold,
    Plan,
    Publish,
    Served,
    Step,
    View,
    choose,
    pause_seconds,
    renewal,
    steps,
)
from tests.tools.certifying import DAY, NAMES, NOW, authority, leaf

PLAN = Plan(
    names=NAMES,
    authority_seconds=900 * DAY,
    leaf_seconds=90 * DAY,
    renew_at=2 / 3,
    publish_seconds=60,
)
OLD = authority(days=900)
NEW = authority(NOW + timedelta(days=600), days=900)
LEAF = leaf(OLD)
FIRST = Holding((OLD.certificate,), OLD, LEAF)
LATER = NOW + timedelta(days=601)
LAST = leaf(OLD, NOW + timedelta(days=600))
BOTH = Holding((OLD.certificate, NEW.certificate), NEW, LAST)


def view(
    holding: Holding,
    *bundles: Sequence[Authority] | bytes,
    trusted: dict[x509.Certificate, float] | None = None,
) -> View:
    """What a replica sees: a configuration of one webhook for each bundle."""
    found = {
        f"c{number}": published(
            "1",
            [one if isinstance(one, bytes) else pem_of(*(a.certificate for a in one))],
        )
        for number, one in enumerate(bundles)
    }
    return View(holding, found, trusted or {})


def told(found: Step) -> tuple[object, ...]:
    match found:
        case Hold(_, makes):
            return ("hold", *makes)
        case Publish(name, bundle):
            return ("publish", name, len(bundle))


def at(days: float = 0) -> datetime:
    return NOW + timedelta(days=days)


@pytest.mark.parametrize(
    ("expected", "seen", "now"),
    [
        pytest.param(
            [("hold", "authority", "leaf")], view(Holding()), at(), id="first start"
        ),
        pytest.param([], view(FIRST, [OLD]), at(59), id="all is well"),
        pytest.param(
            [("publish", "c0", 1), ("publish", "c1", 1)],
            view(FIRST, b"", b""),
            at(),
            id="nothing published yet",
        ),
        pytest.param(
            [("publish", "c1", 1)], view(FIRST, [OLD], b"rubbish"), at(), id="rubbish"
        ),
        pytest.param([("hold", "leaf")], view(FIRST, [OLD]), at(60), id="leaf due"),
        pytest.param(
            [("hold", "leaf")],
            view(replace(FIRST, leaf=None), [OLD]),
            at(),
            id="no leaf",
        ),
        pytest.param(
            [("publish", "c0", 1), ("hold", "leaf")],
            view(FIRST, b""),
            at(91),
            id="leaf ended, unpublished",
        ),
        pytest.param(
            [("hold", "authority", "leaf")],
            view(replace(FIRST, leaf=leaf(OLD, at(590))), [OLD]),
            at(600),
            id="authority due",
        ),
        pytest.param(
            [("publish", "c0", 2)], view(BOTH, [OLD]), at(601), id="publish both"
        ),
        pytest.param(
            [],
            view(BOTH, [OLD, NEW], trusted={NEW.certificate: 59}),
            at(601),
            id="not published for long enough",
        ),
        pytest.param(
            [("hold", "leaf")],
            view(BOTH, [OLD, NEW], trusted={NEW.certificate: 60}),
            at(601),
            id="published for long enough",
        ),
        pytest.param(
            [("publish", "c0", 1), ("hold", "bundle")],
            view(replace(BOTH, leaf=leaf(NEW, at(890))), [OLD, NEW]),
            at(901),
            id="the older one has ended",
        ),
        pytest.param(
            [("hold", "authority"), ("publish", "c0", 1)],
            view(replace(FIRST, authority=None), b""),
            at(),
            id="the key is lost",
        ),
        pytest.param(
            [("hold", "authority", "leaf")],
            view(replace(FIRST, leaf=None), [OLD]),
            at(901),
            id="all has ended",
        ),
    ],
)
def test_the_most_urgent_step_comes_first(
    expected: list[tuple[object, ...]], seen: View, now: datetime
) -> None:
    found = [told(one) for one in steps(seen, PLAN, now)]
    assert expected == (found if len(expected) != 1 else found[:1])


def made(seen: View, now: datetime) -> Holding:
    first = next(steps(seen, PLAN, now))
    assert isinstance(first, Hold)
    return first.holding


def test_a_new_authority_comes_with_a_last_leaf_of_the_one_before() -> None:
    """So that its publication has a whole leaf's life."""
    found = made(view(replace(FIRST, leaf=leaf(OLD, at(550))), [OLD]), at(600))
    assert (2, OLD.certificate) == (len(found.bundle), found.issuer)
    assert found.leaf is not None
    assert at(690) == found.leaf.not_after
    assert found.authority is not None
    assert found.bundle[-1] == found.authority.certificate


def test_a_lost_secret_takes_over_what_is_published() -> None:
    """Others may serve from it."""
    found = made(view(Holding(), [OLD], [NEW]), at(601))
    assert (OLD.certificate, NEW.certificate) == found.bundle[:2]
    assert found.bundle[2] == found.issuer


def test_a_bundle_keeps_what_is_published_elsewhere() -> None:
    (one, two) = steps(view(FIRST, [OLD], [NEW]), PLAN, at(1))
    assert {("publish", "c0", 2), ("publish", "c1", 2)} == {told(one), told(two)}


def test_a_bundle_is_bounded_and_keeps_what_is_needed() -> None:
    """The leaf's authority and the newest, then the youngest of the others."""
    others = [authority(at(1 + number)) for number in range(MAX_AUTHORITIES + 2)]
    first = next(steps(view(FIRST, others), PLAN, at(20)))
    assert isinstance(first, Publish)
    assert MAX_AUTHORITIES == len(first.bundle)
    assert {OLD.certificate, others[-1].certificate} <= set(first.bundle)
    assert others[0].certificate not in first.bundle


SERVED = Served(LEAF, OLD.certificate)
NEWER = Holding(BOTH.bundle, NEW, leaf(NEW, LATER))


@pytest.mark.parametrize(
    ("is_taken", "serving", "seen", "now"),
    [
        pytest.param(True, None, view(NEWER), LATER, id="nothing is served yet"),
        pytest.param(False, None, view(Holding()), LATER, id="there is none"),
        pytest.param(False, None, view(NEWER), at(700), id="it has ended"),
        pytest.param(False, SERVED, view(FIRST, [OLD]), at(), id="the same"),
        pytest.param(
            True,
            SERVED,
            view(replace(FIRST, leaf=leaf(OLD, at(60)))),
            at(60),
            id="of the same authority",
        ),
        pytest.param(
            True, SERVED, view(NEWER, [OLD]), LATER, id="what is served has ended"
        ),
        pytest.param(
            False,
            Served(LAST, OLD.certificate),
            view(NEWER, [OLD]),
            LATER,
            id="not trusted",
        ),
        pytest.param(
            False,
            Served(LAST, OLD.certificate),
            view(NEWER, [OLD, NEW], trusted={NEW.certificate: 4.9}),
            LATER,
            id="trusted for a moment only",
        ),
        pytest.param(
            True,
            Served(LAST, OLD.certificate),
            view(NEWER, [OLD, NEW], trusted={NEW.certificate: 5}),
            LATER,
            id="trusted",
        ),
        pytest.param(
            True,
            Served(LAST, OLD.certificate),
            view(NEWER, [NEW], trusted={NEW.certificate: 0}),
            LATER,
            id="what is served is trusted no more",
        ),
    ],
)
def test_a_leaf_is_taken_when_it_is_trusted(
    is_taken: bool, serving: Served | None, seen: View, now: datetime
) -> None:
    found = choose(seen, serving, PLAN, now)
    assert is_taken == (found is not None)
    if found is not None:
        assert (seen.holding.leaf, seen.holding.issuer) == (found.pair, found.issuer)


@pytest.mark.parametrize(
    ("seconds", "seen", "now"),
    [
        pytest.param(IDLE_SECONDS, view(Holding()), at(), id="nothing there"),
        pytest.param(60 * DAY, view(FIRST, [OLD]), at(), id="until the leaf is due"),
        pytest.param(30 * DAY, view(FIRST), at(60), id="until it ends"),
        pytest.param(
            2,
            view(BOTH, trusted={NEW.certificate: 58}),
            at(601),
            id="until the newest may sign",
        ),
        pytest.param(
            1,
            view(BOTH, trusted={NEW.certificate: 4}),
            at(601),
            id="until its leaf may be served",
        ),
        pytest.param(
            1 * DAY, view(Holding(), [OLD]), at(899), id="until a published one ends"
        ),
    ],
)
def test_a_pause_ends_when_something_is_due(
    seconds: float, seen: View, now: datetime
) -> None:
    assert seconds == pytest.approx(pause_seconds(seen, PLAN, now))


def test_the_hour_before_a_certificate_was_made_is_no_part_of_its_life() -> None:
    assert at(60) == renewal(LEAF.leaf, 2 / 3)
