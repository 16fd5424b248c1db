"""Buckets on another clock are the buckets of that clock's own time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import parse_time
from backend.core.interval import INTERVALS, Interval
from backend.core.shifted_interval import shifted
from backend.core.windows import HOUR, MINUTE

EVERY = st.sampled_from(list(INTERVALS.values()))
OFFSETS = st.integers(-48, 56).map(lambda quarters: quarters * HOUR // 4)
MOMENTS = st.integers(0, parse_time("2100-01-01"))


@given(EVERY, OFFSETS, MOMENTS)
def test_a_bucket_opens_where_the_other_clock_says(interval: Interval, offset: int, moment: int) -> None:
    other = shifted(interval, offset)
    start = other.start(moment)
    assert start + offset == interval.start(moment + offset)
    assert other.following(start) + offset == interval.following(start + offset)
    assert start <= moment < other.following(start)
    assert other.ceiling(start) == start


@given(EVERY, st.integers(-14, 14))
def test_what_another_clock_does_not_change_stays_the_same_interval(interval: Interval, number: int) -> None:
    assert shifted(interval, number * (interval.step or 0)) is interval


@pytest.mark.parametrize(
    ("name", "moment", "opens"),
    [
        ("1d", "2025-06-03T12:00Z", "2025-06-02T16:00Z"),
        ("6h", "2025-06-03T12:00Z", "2025-06-03T10:00Z"),
        ("4h", "2025-06-03T13:00Z", "2025-06-03T12:00Z"),
        ("1w", "2025-06-01T17:00Z", "2025-06-01T16:00Z"),
        ("1M", "2025-06-30T17:00Z", "2025-06-30T16:00Z"),
    ],
)
def test_in_hong_kong(name: str, moment: str, opens: str) -> None:
    assert shifted(INTERVALS[name], 8 * HOUR).start(parse_time(moment)) == parse_time(opens)


def test_a_minute_is_a_minute_everywhere() -> None:
    assert shifted(INTERVALS["1m"], 345 * MINUTE) is INTERVALS["1m"]
