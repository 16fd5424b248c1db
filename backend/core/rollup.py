"""From one-minute candles to candles of longer intervals.

Candles of several hours are made of hours, and hours of minutes: always in these two steps. The last digit of
a sum of floats depends on the steps, and kept hours must lead to the same candles as minutes do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.columns import NO_TRADES, OPTIONAL, Columns, Integers, is_absent
from backend.core.interval import ONE_HOUR, Interval


def rollup(minutes: Columns, interval: Interval) -> Columns:
    """Candles of `interval` from the ascending one-minute candles of whole buckets.

    Open of the first, close of the last, highest high, lowest low, sums of the rest. If one minute has no
    value, the sum has none: a partial sum would look like the whole.
    """
    return merged(merged(minutes, ONE_HOUR), interval) if interval.is_of_hours else merged(minutes, interval)


def merged(candles: Columns, interval: Interval) -> Columns:
    """One step: candles of `interval` from the ascending shorter candles of whole buckets."""
    starts = interval.starts(candles.open_time)
    first = _first_rows(starts)
    after = np.append(first[1:], len(candles))
    sums = {name: _sums(column, first) for name, column in candles.present().items() if name in OPTIONAL}
    numbers = (after - first).astype(np.int32)
    if candles.minutes is not None:
        numbers = np.add.reduceat(candles.minutes, first)
    return Columns(
        open_time=starts[first],
        open=candles.open[first],
        high=np.maximum.reduceat(candles.high, first),
        low=np.minimum.reduceat(candles.low, first),
        close=candles.close[after - 1],
        volume=_sums(candles.volume, first),
        minutes=numbers,
        **sums,
    )


def before_last_bucket(candles: Columns, interval: Interval) -> int:
    """Number of rows before the last bucket. That bucket may continue in the next batch."""
    last = interval.start(int(candles.open_time[-1]))
    return int(np.searchsorted(candles.open_time, last))


def first_bucket(candles: Columns, interval: Interval) -> int:
    """Number of rows of the first bucket. When reading backwards, that bucket may continue in the next
    batch."""
    following = interval.following(interval.start(int(candles.open_time[0])))
    return int(np.searchsorted(candles.open_time, following))


def _first_rows(starts: Integers) -> Integers:
    return np.flatnonzero(np.append(True, starts[1:] != starts[:-1]))


def _sums(column: NDArray[Any], first: Integers) -> NDArray[Any]:
    """Sums of buckets. Floats are added with more digits than they keep, so that 0.1 ten times is 1.0."""
    if column.dtype == np.float64:
        return np.add.reduceat(column, first, dtype=np.longdouble).astype(np.float64)
    sums: NDArray[Any] = np.add.reduceat(column, first)
    sums[np.logical_or.reduceat(is_absent(column), first)] = NO_TRADES
    return sums
