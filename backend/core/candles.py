"""A one-minute candle, and the cleaning of what an exchange sends into candles of a window."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from backend.core.windows import MINUTE, Spans, Window, normalise


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
    """Candles of one window, ascending, each minute once; the number of rows off the minute grid; and the
    open times, ascending, of minutes that have only a contradictory row."""

    candles: list[Candle]
    off_grid: int
    contradictory: list[int]


def unreadable(open_time: int) -> Candle:
    """A candle for a row of which only the open time is readable. It is contradictory."""
    return Candle(open_time, math.nan, math.nan, math.nan, math.nan, math.nan)


def is_sound(candle: Candle) -> bool:
    """Whether its prices agree with each other: none is lower than `low` or higher than `high`."""
    return candle.low <= candle.open <= candle.high and candle.low <= candle.close <= candle.high


def clean(rows: Iterable[Candle], window: Window) -> Cleaned:
    """Keep the sound rows that open on a whole minute inside `window`; of repeated minutes the last row wins.

    Wrong order, duplicates and rows outside the window are normal for exchanges: they are corrected in
    silence. Rows that open inside a minute, and rows whose prices contradict each other, are left out and
    reported.
    """
    by_minute: dict[int, Candle] = {}
    refused: set[int] = set()
    off_grid = 0
    for row in rows:
        if not window.start <= row.open_time < window.end:
            continue
        if row.open_time % MINUTE:
            off_grid += 1
        elif is_sound(row):
            by_minute[row.open_time] = row
        else:
            refused.add(row.open_time)
    candles = [by_minute[minute] for minute in sorted(by_minute)]
    return Cleaned(candles, off_grid, sorted(refused - by_minute.keys()))


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
    kept: list[Candle] = []
    for start, end in spans:
        kept += candles[bisect_left(candles, start, key=opens) : bisect_left(candles, end, key=opens)]
    return kept
