"""Which candles are whole. A whole candle lacks no minute that the exchange may have. Pure."""

from __future__ import annotations

import numpy as np

from backend.core.columns import Columns
from backend.core.coverage import Coverage
from backend.core.interval import ONE_MINUTE, Interval
from backend.core.selection import Selection
from backend.core.windows import Spans, Window

MOST_BROKEN = 2
"""A span of missing minutes breaks at most the candle it begins in and the one it ends in."""


def told(wanted: Selection, known: Coverage, candles: Columns) -> Window:
    """The minutes that an answer is about."""
    interval, start, end = wanted.interval, wanted.window.start, wanted.window.end
    end = min(end, interval.start(known.known_until))
    if wanted.limit is not None and len(candles) == wanted.limit:
        if wanted.newest:
            start = int(candles.open_time[0])
        else:
            end = interval.following(int(candles.open_time[-1]))
    return Window(start, max(start, end))


def missing_in(wanted: Selection, known: Coverage) -> Spans:
    """The missing minutes inside the candles of a selection."""
    if wanted.interval is ONE_MINUTE:
        return ()
    start, end = wanted.window
    return known.lacking(Window(start, wanted.interval.following(end)))


def without(candles: Columns, interval: Interval, missing: Spans) -> Columns:
    """The candles that have no minute in `missing`."""
    if not missing:
        return candles
    starts = np.array([window.start for window in missing])
    ends = np.array([window.end for window in missing])
    bucket_ends = interval.ends(candles.open_time)
    ended_before = np.searchsorted(ends, candles.open_time, side="right")
    begun_before = np.searchsorted(starts, bucket_ends, side="left")
    return candles[np.flatnonzero(begun_before == ended_before)]
