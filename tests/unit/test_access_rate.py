"""The rate that one caller may ask at: exact, and remembered in a bounded place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.access.rate import MINUTE, ClientRateLimit


def admitted(limit: ClientRateLimit, moments: list[float]) -> list[float]:
    """Of requests at these moments, those that were let in."""
    return [moment for moment in moments if not limit.spend("somebody", moment)]


@pytest.mark.parametrize("per_minute", [1, 3, 7, 60, 1000])
def test_a_minutes_worth_may_come_at_once_and_no_more(per_minute: int) -> None:
    assert len(admitted(ClientRateLimit(per_minute), [5.0] * (per_minute + 10))) == per_minute


def test_after_that_one_is_free_at_a_time() -> None:
    limit = ClientRateLimit(60)
    admitted(limit, [0.0] * 60)
    assert limit.spend("somebody", 0.25) == pytest.approx(0.75)
    assert limit.spend("somebody", 1.0) == 0
    assert limit.spend("somebody", 1.0) == pytest.approx(1.0)


def test_whoever_waits_as_long_as_told_is_let_in() -> None:
    limit, now = ClientRateLimit(7), 0.0
    for _ in range(50):
        if wait := limit.spend("somebody", now):
            now += wait
            assert limit.spend("somebody", now) == 0
    assert now > 5 * MINUTE


def test_being_refused_costs_nothing() -> None:
    limit = ClientRateLimit(1)
    assert len(admitted(limit, [float(second) for second in range(61)])) == 2


def test_callers_do_not_count_for_each_other() -> None:
    limit = ClientRateLimit(1)
    assert [limit.spend(name, 0.0) for name in ("one", "two")] == [0, 0]
    assert limit.spend("one", 0.0) == MINUTE


def test_zero_is_no_limit() -> None:
    limit = ClientRateLimit(0)
    assert len(admitted(limit, [0.0] * 5000)) == 5000
    assert len(limit) == 0


@given(st.integers(1, 40), st.lists(st.floats(0, 300), max_size=200))
def test_no_minute_sees_more_than_a_burst_and_the_rate(per_minute: int, moments: list[float]) -> None:
    times = admitted(ClientRateLimit(per_minute), sorted(moments))
    for first in times:
        for seconds in (1.0, 10.0, MINUTE):
            within = sum(first <= time < first + seconds for time in times)
            assert within <= per_minute + seconds * per_minute / MINUTE + 1


def test_memory_is_bounded_and_the_longest_silent_are_forgotten_first() -> None:
    limit = ClientRateLimit(1, most_callers=100)
    limit.spend("loud", 0.0)
    for number in range(1000):
        limit.spend(str(number), 0.0)
        assert limit.spend("loud", 0.0) > 0
    assert len(limit) == 100
