"""Pauses as client-go makes them."""

from __future__ import annotations

from app.kube.backoff import Backoff, Clock


class Hand:
    """A clock whose hand a test moves."""

    now = 0.0

    def clock(self, share: float = 0.0) -> Clock:
        return Clock(
            now=lambda: self.now,
            uniform=lambda low, high: low + (high - low) * share,
        )


def test_a_pause_is_stretched_by_up_to_its_own_length() -> None:
    backoff = Backoff(Hand().clock(share=1.0))
    assert [1.6, 3.2] == [backoff.pause_seconds() for _ in range(2)]


def test_pauses_stay_long_until_two_healthy_minutes_have_passed() -> None:
    hand = Hand()
    backoff = Backoff(hand.clock())
    assert 0.8 == backoff.pause_seconds()
    hand.now = 0.8 + 120.0
    assert 1.6 == backoff.pause_seconds()
    hand.now += 1.6 + 120.1
    assert 0.8 == backoff.pause_seconds()


def test_a_pause_is_as_long_as_the_server_asks() -> None:
    assert 9.0 == Backoff(Hand().clock()).pause_seconds(at_least=9.0)
