"""Maps say of every bucket what the ledger says of its minutes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.columns import Integers
from backend.core.coverage import Coverage, Void, VoidReason
from backend.core.coverage_map import REASONS, asked_for, coverage_map, letters
from backend.core.interval import INTERVALS
from backend.core.minutes import Minutes
from backend.core.strip import Strip, strip_of
from backend.core.windows import DAY, MINUTE, Window, count_minutes

START = 1_748_736_000_000
ALL = Window(0, START + 1000 * DAY)
MINUTES = 3000


def window(first: int, length: int) -> Window:
    return Window(START + first * MINUTE, START + (first + length) * MINUTE)


WINDOWS = st.lists(st.builds(window, st.integers(0, MINUTES), st.integers(1, 400)), max_size=8)
LEDGERS = st.builds(
    lambda since, length, held, voids: (
        Coverage(START + since * MINUTE, Minutes(), (), START + (since + length) * MINUTE)
        .with_voids(Void(one, reason, 0, 1) for one, reason in voids)
        .with_held(held)
    ),
    st.integers(0, 200),
    st.integers(1, MINUTES),
    WINDOWS,
    st.lists(
        st.tuples(st.builds(window, st.integers(0, MINUTES), st.integers(1, 400)), st.sampled_from(REASONS)),
        max_size=6,
    ),
)


def state(known: Coverage, minute: int) -> str | VoidReason:
    one = Window(minute, minute + MINUTE)
    if known.held.count(one):
        return "held"
    return next((void.reason for void in known.void_windows(one)), "missing")


NAMES = st.sampled_from(["1m", "15m", "1h", "1d", "1w", "1M"])


@given(LEDGERS, NAMES, st.integers(0, 900), st.integers(1, 4000))
def test_every_bucket_counts_what_the_ledger_says_minute_by_minute(
    known: Coverage, name: str, first: int, length: int
) -> None:
    interval, wanted = INTERVALS[name], window(first, length)
    asked = asked_for(known)
    counted: dict[int, dict[str, int]] = {}
    for minute in range(max(asked.start, wanted.start), min(asked.end, wanted.end), MINUTE):
        bucket = counted.setdefault(interval.start(minute), dict.fromkeys(("held", "missing", *REASONS), 0))
        bucket[state(known, minute)] += 1
    found = coverage_map(known, interval, wanted)
    columns: dict[str, Integers] = {"held": found.held, "missing": found.missing}
    columns |= dict(zip(REASONS, found.void, strict=True))
    assert found.open_times.tolist() == list(counted)
    for column, values in columns.items():
        assert values.tolist() == [bucket[column] for bucket in counted.values()]


@given(LEDGERS)
def test_what_all_buckets_miss_is_what_statistics_say(known: Coverage) -> None:
    expected = known.expected
    found = coverage_map(known, INTERVALS["1d"], expected)
    assert found.missing.sum() == count_minutes(known.lacking(known.expected))
    assert found.held.sum() == known.held.count(expected)
    assert sum(one.sum() for one in found.void[1:]) == known.count_absent(expected)


@pytest.mark.parametrize(
    ("held", "voids", "told"),
    [
        ([(0, 7)], [], "f"),
        ([(0, 3)], [(3, 7, "no_data")], "v"),
        ([(0, 3)], [(3, 5, "contradictory")], "p"),
        ([], [], "m"),
        ([(3, 7)], [(0, 3, "before_listing")], "f"),
        ([], [(0, 7, "before_listing")], "-"),
    ],
)
def test_a_week_has_a_letter(
    held: list[tuple[int, int]], voids: list[tuple[int, int, VoidReason]], told: str
) -> None:
    monday = START + DAY
    days = [Window(monday + first * DAY, monday + last * DAY) for first, last in held]
    known = Coverage(monday, Minutes(), (), monday + 7 * DAY).with_held(days)
    known = known.with_voids(
        Void(Window(monday + first * DAY, monday + last * DAY), reason, 0, 1) for first, last, reason in voids
    )
    assert letters(coverage_map(known, INTERVALS["1w"], ALL)) == told


def test_of_a_series_that_nobody_asked_for_there_is_nothing() -> None:
    found = coverage_map(Coverage(), INTERVALS["1d"], ALL)
    assert len(found.open_times) == len(found.held) == 0
    assert letters(found) == ""
    assert np.array_equal(found.void[0], found.missing)


WEEKS_OF_DAYS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 90), st.integers(0, 1)).map(
        lambda one: Window(START + one[0] * DAY, START + (one[0] + one[1]) * DAY - one[2] * MINUTE)
    ),
    max_size=5,
)


@given(
    WEEKS_OF_DAYS,
    st.lists(st.tuples(WEEKS_OF_DAYS, st.sampled_from(REASONS)), max_size=3),
    st.integers(0, 100),
    st.integers(1, 400),
    st.integers(0, 300),
)
def test_a_strip_says_of_every_week_what_the_map_says(
    held: list[Window],
    voids: list[tuple[list[Window], VoidReason]],
    since: int,
    days: int,
    listing: int,
) -> None:
    known = Coverage(START + since * DAY, Minutes(), (), START + (since + days) * DAY + 7 * MINUTE)
    known = known.with_voids(Void(one, reason, 0, 1) for some, reason in voids for one in some)
    known = known.with_listing(START + listing * DAY + 3 * MINUTE, START + 1000 * DAY).with_held(held)
    plain = coverage_map(known, INTERVALS["1w"], ALL)
    assert strip_of(known) == Strip(int(plain.open_times[0]), letters(plain))


def test_a_series_of_which_nothing_was_asked_has_no_strip() -> None:
    assert strip_of(Coverage()) == Strip(None, "")
