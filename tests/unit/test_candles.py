"""Mending what an exchange sends into candles of a window."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from backend.core.candles import Cleaned, clean, held_by, is_sound, unreadable
from tests.fakes import candle, minute, minutes, minutes_of

WINDOW = minutes(0, 5)


def test_rows_come_out_in_the_order_of_time() -> None:
    rows = [candle(minute(3)), candle(minute(0)), candle(minute(2))]
    assert clean(rows, WINDOW).candles == [candle(minute(0)), candle(minute(2)), candle(minute(3))]


def test_of_a_repeated_minute_the_last_row_wins() -> None:
    rows = [candle(minute(1), close=700), candle(minute(0)), candle(minute(1), close=702)]
    assert clean(rows, WINDOW) == Cleaned([candle(minute(0)), candle(minute(1), close=702)], 0, [])


def test_rows_outside_the_window_are_left_out_without_a_word() -> None:
    rows = [candle(minute(-1)), candle(minute(0)), candle(minute(4)), candle(minute(5))]
    assert clean(rows, WINDOW) == Cleaned([candle(minute(0)), candle(minute(4))], 0, [])


def test_a_row_whose_prices_contradict_each_other_is_left_out_and_told() -> None:
    upside_down = msgspec.structs.replace(candle(minute(1)), low=900, high=100)
    rows = [candle(minute(0)), upside_down, unreadable(minute(2)), candle(minute(3)), unreadable(minute(3))]
    assert clean(rows, WINDOW) == Cleaned([candle(minute(0)), candle(minute(3))], 0, [minute(1), minute(2)])


def test_rows_off_the_minute_grid_are_left_out_and_counted() -> None:
    rows = [candle(minute(0)), candle(minute(1) + 14_789), candle(minute(2) + 1)]
    assert clean(rows, WINDOW) == Cleaned([candle(minute(0))], 2, [])


def test_an_off_grid_row_outside_the_window_is_not_counted() -> None:
    assert clean([candle(minute(5) + 1), candle(minute(0) - 1)], WINDOW) == Cleaned([], 0, [])


def test_nothing_sent_is_nothing_kept() -> None:
    assert clean([], WINDOW) == Cleaned([], 0, [])


@given(st.lists(st.integers(-3 * 60_000, 8 * 60_000).map(lambda offset: minute(0) + offset)))
def test_every_row_is_kept_once_counted_or_outside(moments: list[int]) -> None:
    cleaned = clean([candle(moment) for moment in moments], WINDOW)
    inside = [moment for moment in moments if WINDOW.start <= moment < WINDOW.end]
    on_grid = {moment for moment in inside if moment % 60_000 == 0}
    assert [row.open_time for row in cleaned.candles] == sorted(on_grid)
    assert cleaned.off_grid == sum(moment % 60_000 != 0 for moment in inside)


def test_neighbouring_candles_hold_one_window() -> None:
    rows = [candle(minute(number)) for number in (0, 1, 2, 4)]
    assert held_by(rows) == (minutes(0, 3), minutes(4, 5))


def test_no_candles_hold_nothing() -> None:
    assert held_by([]) == ()


@given(st.sets(st.integers(0, 50).map(minute)))
def test_candles_hold_exactly_their_minutes(moments: set[int]) -> None:
    assert minutes_of(held_by([candle(moment) for moment in sorted(moments)])) == moments


def test_a_candle_is_sound_when_open_and_close_lie_between_low_and_high() -> None:
    sound = candle(minute(0))
    assert is_sound(sound)
    for name in ("open", "close"):
        for value in (sound.low, sound.high):
            assert is_sound(msgspec.structs.replace(sound, **{name: value}))
        for value in (sound.low - 0.5, sound.high + 0.5):
            assert not is_sound(msgspec.structs.replace(sound, **{name: value}))
