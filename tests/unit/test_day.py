"""The numbers of the last 24 hours."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from backend.core.candles import Candle
from backend.core.columns import columns_of
from backend.core.day import MINUTES_A_DAY, day_of
from backend.core.windows import MINUTE
from tests.fakes import candle, minute

volumes = (
    st.integers(0, 10**15).map(lambda steps: steps / 10**8)
    | st.integers(0, 10**9).map(lambda steps: steps / 10)
    | st.floats(0, 1e12)
    | st.sampled_from([0.1, 0.2, 0.3, 1e-9, 5e-324, 123_456_789.123_456_78])
)


def rows(numbers: list[float]) -> list[Candle]:
    return [msgspec.structs.replace(candle(minute(place)), volume=one) for place, one in enumerate(numbers)]


@given(st.lists(volumes, min_size=1, max_size=20))
@example([0.1, 0.2])
@example([1e-9, 1.0])
@example([405848930921988.5])
def test_a_volume_is_the_exact_sum_of_what_was_told(told: list[float]) -> None:
    assert day_of(columns_of(rows(told))).volume == sum(Decimal(repr(one)) for one in told)


def test_a_day_ends_with_the_newest_candle_and_takes_nothing_older() -> None:
    candles = [
        candle(minute(0), close=1.0),
        *(candle(minute(place)) for place in range(1, MINUTES_A_DAY + 1)),
    ]
    day = day_of(columns_of(candles))
    assert (day.closed, day.first, day.last) == (
        minute(MINUTES_A_DAY) + MINUTE,
        candles[1].open,
        candles[-1].close,
    )
    assert (day.high, day.low) == (max(one.high for one in candles[1:]), min(one.low for one in candles[1:]))
    assert (day.volume, day.trades) == (Decimal("1.5") * MINUTES_A_DAY, 7 * MINUTES_A_DAY)


def test_what_one_candle_does_not_tell_the_day_does_not_tell() -> None:
    silent = msgspec.structs.replace(candle(minute(1)), quote_volume=None, trades=None)
    day = day_of(columns_of([candle(minute(0)), silent]))
    assert (day.quote_volume, day.trades) == (None, None)
    assert day.volume == Decimal(3)
