"""From one-minute candles to candles of longer intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.columns import NO_TRADES, OPTIONAL, Columns, Integers, is_absent
from backend.core.interval import Interval


def rollup(minutes: Columns, interval: Interval) -> Columns:
    """Candles of `interval` from the ascending one-minute candles of whole buckets.

    Open of the first, close of the last, highest high, lowest low, sums of the rest. If one minute has no
    value, the sum has none: a partial sum would look like the whole.
    """
    starts = interval.starts(minutes.open_time)
    first = _first_rows(starts)
    after = np.append(first[1:], len(minutes))
    sums = {name: _sums(column, first) for name, column in minutes.present().items() if name in OPTIONAL}
    return Columns(
        open_time=starts[first],
        open=minutes.open[first],
        high=np.maximum.reduceat(minutes.high, first),
        low=np.minimum.reduceat(minutes.low, first),
        close=minutes.close[after - 1],
        volume=_sums(minutes.volume, first),
        minutes=(after - first).astype(np.int32),
        **sums,
    )


def before_last_bucket(minutes: Columns, interval: Interval) -> int:
    """Number of rows before the last bucket. That bucket may continue in the next batch."""
    last = interval.start(int(minutes.open_time[-1]))
    return int(np.searchsorted(minutes.open_time, last))


def first_bucket(minutes: Columns, interval: Interval) -> int:
    """Number of rows of the first bucket. When reading backwards, that bucket may continue in the next
    batch."""
    following = interval.following(interval.start(int(minutes.open_time[0])))
    return int(np.searchsorted(minutes.open_time, following))


def _first_rows(starts: Integers) -> Integers:
    return np.flatnonzero(np.append(True, starts[1:] != starts[:-1]))


def _sums(column: NDArray[Any], first: Integers) -> NDArray[Any]:
    """Sums of buckets. Floats are added with more digits than they keep, so that 0.1 ten times is 1.0."""
    if column.dtype == np.float64:
        return np.add.reduceat(column, first, dtype=np.longdouble).astype(np.float64)
    sums: NDArray[Any] = np.add.reduceat(column, first)
    sums[np.logical_or.reduceat(is_absent(column), first)] = NO_TRADES
    return sums
