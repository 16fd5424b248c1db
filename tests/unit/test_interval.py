"""Where buckets begin and end, and how intervals are spelt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LATEST, iso, parse_time
from backend.core.interval import INTERVALS, Interval, parse_interval
from tests.simulator.intervals import GRIDS

moments = st.integers(0, LATEST)
intervals = st.sampled_from(list(INTERVALS.values()))


def bounds(interval: str, moment: str) -> tuple[str, str]:
    found = INTERVALS[interval]
    start = found.start(parse_time(moment))
    return iso(start)[:16], iso(found.following(start))[:16]


@pytest.mark.parametrize(
    ("interval", "moment", "expected"),
    [
        ("1m", "2025-06-01T12:34:56Z", ("2025-06-01T12:34", "2025-06-01T12:35")),
        ("15m", "2025-06-01T12:34:56Z", ("2025-06-01T12:30", "2025-06-01T12:45")),
        ("8h", "2025-06-01T12:34:56Z", ("2025-06-01T08:00", "2025-06-01T16:00")),
        ("1d", "2025-06-01T00:00:00Z", ("2025-06-01T00:00", "2025-06-02T00:00")),
        ("3d", "1970-01-04T00:00:00Z", ("1970-01-04T00:00", "1970-01-07T00:00")),
        ("1w", "2025-06-01T23:59:59Z", ("2025-05-26T00:00", "2025-06-02T00:00")),
        ("1w", "2025-06-02T00:00:00Z", ("2025-06-02T00:00", "2025-06-09T00:00")),
        ("1M", "2024-02-29T12:00:00Z", ("2024-02-01T00:00", "2024-03-01T00:00")),
        ("1M", "2025-12-31T23:59:59Z", ("2025-12-01T00:00", "2026-01-01T00:00")),
    ],
)
def test_buckets_are_utc_weeks_open_on_monday_and_months_on_the_first(
    interval: str, moment: str, expected: tuple[str, str]
) -> None:
    assert bounds(interval, moment) == expected


@given(interval=intervals, moment=st.integers(4 * 86_400_000, LATEST - 31 * 86_400_000))
def test_buckets_are_those_of_the_simulated_exchanges(interval: Interval, moment: int) -> None:
    grid = GRIDS[interval.name]
    start = interval.start(moment)
    assert start == grid.floor(moment)
    assert interval.following(start) == grid.following(start)


@given(interval=intervals, moment=moments, buckets=st.integers(0, 1000))
def test_counting_buckets_undoes_going_on_by_buckets(interval: Interval, moment: int, buckets: int) -> None:
    starts = interval.starts(np.array([moment]))
    later = interval.later(starts, np.array([buckets]))
    assert interval.between(starts, later).tolist() == [buckets]
    assert interval.starts(later).tolist() == later.tolist()


@given(interval=intervals, moment=moments)
def test_the_ceiling_is_the_first_bucket_that_opens_at_a_moment_or_later(
    interval: Interval, moment: int
) -> None:
    start, ceiling = interval.start(moment), interval.ceiling(moment)
    assert start <= moment <= ceiling
    assert ceiling in (start, interval.following(start))
    assert (ceiling == moment) == (start == moment)


def test_months_have_as_many_minutes_as_days() -> None:
    starts = np.array([parse_time(f"2024-{month:02}-01") for month in (1, 2, 4)])
    assert INTERVALS["1M"].expected_minutes(starts).tolist() == [days * 1440 for days in (31, 29, 30)]
    assert INTERVALS["1w"].expected_minutes(starts).tolist() == [7 * 1440] * 3


@pytest.mark.parametrize("name", INTERVALS)
def test_an_interval_reads_its_own_name(name: str) -> None:
    assert parse_interval(name) is INTERVALS[name]


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        ("1m 1 1min 1Min 1minute m min PT1M", "1m"),
        ("5m 5 5min 5MIN PT5M", "5m"),
        ("1h 1H 60 60m 60min 1hour 1HOUR h H PT1H PT60M", "1h"),
        ("2h 2H 120 2hour PT2H", "2h"),
        ("6h 6H 6Hutc 360", "6h"),
        ("1d 1D D 1day 1Day 1440 24h 24H P1D PT24H 1Dutc", "1d"),
        ("3d 3D 3day 3Dutc P3D", "3d"),
        ("1w 1W W 1week 7d 7D P7D P1W 1Wutc", "1w"),
        ("1M M 1mo 1MO 1mon 1month 1Month P1M 1Mutc", "1M"),
    ],
)
def test_the_spellings_of_the_ecosystem_are_understood(spellings: str, name: str) -> None:
    assert {parse_interval(text).name for text in spellings.split()} == {name}


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "0m", "2m", "7", "1s", "2M", "5M", "2w", "1y", "-1m", "1.5h", "1 h", "m1", "hour1", "utc"),
        *("P1", "PT", "P1H", "PT1D", "P2M", "999999999m", "1m\n1", "\uff11m"),
    ],
)
def test_anything_else_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r"give one of 1m, 3m, .*, 1w, 1M "):
        parse_interval(text)


@given(st.text(max_size=8))
def test_any_text_is_an_interval_or_refused_in_words(text: str) -> None:
    try:
        found = parse_interval(text)
    except ValueError:
        return
    assert found in INTERVALS.values()
