"""A one-minute candle, and the cleaning of what an exchange sends into candles of a window."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from backend.core.coverage import MINUTE, Spans, Window, normalise


class Candle(msgspec.Struct, frozen=True, gc=False):
    """One minute of trading. Prices are in the quote asset, `volume` in the base asset.

    `open_time` is Unix ms UTC. What a venue does not publish is None, never zero.
    """

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float | None = None
    trades: int | None = None
    taker_buy_volume: float | None = None
    taker_buy_quote_volume: float | None = None


class Cleaned(NamedTuple):
    """Candles of one window, ascending, each minute once; and how many rows were off the minute grid."""

    candles: list[Candle]
    off_grid: int


def clean(rows: Iterable[Candle], window: Window) -> Cleaned:
    """Keep the rows that open on a whole minute inside `window`; of repeated minutes the last row wins.

    Order, duplicates and rows outside the window are the exchange's whim and are mended silently.
    An open time inside a minute is not: such rows are left out and counted.
    """
    by_minute: dict[int, Candle] = {}
    off_grid = 0
    for row in rows:
        if not window.start <= row.open_time < window.end:
            continue
        if row.open_time % MINUTE:
            off_grid += 1
            continue
        by_minute[row.open_time] = row
    return Cleaned([by_minute[minute] for minute in sorted(by_minute)], off_grid)


def held_by(candles: Sequence[Candle]) -> Spans:
    """The minutes that ascending candles cover, as windows."""
    if not candles:
        return ()
    first, last = candles[0].open_time, candles[-1].open_time
    if last - first == (len(candles) - 1) * MINUTE:
        return (Window(first, last + MINUTE),)
    return normalise(Window(candle.open_time, candle.open_time + MINUTE) for candle in candles)


def inside(candles: Sequence[Candle], spans: Spans) -> list[Candle]:
    """Those of ascending candles that open in `spans`."""
    opens = attrgetter("open_time")
    found: list[Candle] = []
    for start, end in spans:
        found += candles[bisect_left(candles, start, key=opens) : bisect_left(candles, end, key=opens)]
    return found
