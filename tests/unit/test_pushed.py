"""What sockets told of a series: the minute that runs and those that have just ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.core.candles import Candle
from backend.core.pushed import KEPT, PushedCandles
from tests.fakes import candle, minute

FIRST, SECOND, THIRD = candle(minute(0)), candle(minute(1)), candle(minute(2))
CHANGED = candle(minute(0), close=99.0)


def tape(*told: Candle, closed: tuple[Candle, ...] = ()) -> PushedCandles:
    """After these frames; those in `closed` were told to be closed."""
    found = PushedCandles()
    for one in told:
        found = found.told(one, closed=one in closed)
    return found


def test_the_newest_state_of_a_minute_counts() -> None:
    assert tape(FIRST, CHANGED) == PushedCandles(forming=CHANGED)


def test_a_minute_ends_with_the_first_frame_of_a_later_one() -> None:
    assert tape(FIRST, THIRD) == PushedCandles(forming=THIRD, ended=(FIRST,))


def test_a_late_frame_counts_for_its_minute() -> None:
    assert tape(FIRST, SECOND, CHANGED) == PushedCandles(forming=SECOND, ended=(CHANGED,))


def test_a_minute_that_is_closed_runs_no_longer() -> None:
    assert tape(FIRST, closed=(FIRST,)) == PushedCandles(ended=(FIRST,))
    assert tape(FIRST, SECOND, closed=(FIRST,)) == PushedCandles(forming=SECOND, ended=(FIRST,))


def test_what_comes_after_the_closing_frame_of_its_minute_does_not_run() -> None:
    assert tape(FIRST, CHANGED, closed=(FIRST,)) == PushedCandles(ended=(FIRST,))


def test_a_frame_off_the_minute_grid_does_not_count() -> None:
    assert tape(FIRST, candle(minute(1) + 5)) == PushedCandles(forming=FIRST)


def test_few_ended_minutes_are_remembered() -> None:
    found = tape(*(candle(minute(number)) for number in range(20)))
    assert found.ended == tuple(candle(minute(number)) for number in range(19 - KEPT, 19))


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30))
def test_the_newest_minute_that_was_told_never_goes_back(frames: list[tuple[int, bool]]) -> None:
    found = PushedCandles()
    for number, closed in frames:
        before = found.newest
        found = found.told(candle(minute(number)), closed=closed)
        assert found.newest == max(before, minute(number))
        assert [one.open_time for one in found.ended] == sorted({one.open_time for one in found.ended})
        assert found.forming is None or all(one.open_time < found.forming.open_time for one in found.ended)
