"""Flat candles for holes. A reader can ask for them; they are never stored and always marked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backend.core.columns import OPTIONAL, Columns, Floats, Integers
from backend.core.interval import Interval

PIECE = 10_000
"""The most candles that a piece of filled ones has, however long the hole is."""


def filled(candles: Columns, interval: Interval, end: int, *, backwards: bool = False) -> Iterator[Columns]:
    """Ascending candles with flat ones of zero volume after each, up to the next one, and up to `end`.

    In pieces, each ascending; `backwards` gives the last piece first.
    """
    after = np.append(candles.open_time[1:], end)
    upto = np.cumsum(np.maximum(interval.between(candles.open_time, after), 1))
    pieces = range(0, int(upto[-1]), PIECE)
    for first in reversed(pieces) if backwards else pieces:
        places = np.arange(first, min(first + PIECE, int(upto[-1])))
        yield _piece(candles, interval, upto, places)


def flat(open_time: int, close: float, like: Columns) -> Columns:
    """One flat candle with the columns of `like`."""
    model = like[:1]
    return _flattened(
        model, np.array([True]), open_time=np.array([open_time], np.int64), close=np.array([close])
    )


def _piece(candles: Columns, interval: Interval, upto: Integers, places: Integers) -> Columns:
    rows = np.searchsorted(upto, places, side="right")
    begins = np.append(0, upto[:-1])
    steps = places - begins[rows]
    chosen = candles[rows]
    times = interval.later(chosen.open_time, steps)
    return _flattened(chosen, steps > 0, times, chosen.close)


def _flattened(candles: Columns, hole: np.ndarray, open_time: Integers, close: Floats) -> Columns:
    """The candles with those marked by `hole` made flat at `close`; an earlier mark stays."""
    mark = hole if candles.filled is None else hole | candles.filled
    flat_prices = {name: np.where(hole, close, getattr(candles, name)) for name in ("open", "high", "low")}
    sums = {
        name: np.where(hole & _known(column), column.dtype.type(0), column)
        for name, column in candles.present().items()
        if name in ("volume", *OPTIONAL, "minutes")
    }
    return candles.with_columns(open_time=open_time, close=close, filled=mark, **flat_prices, **sums)


def _known(column: np.ndarray) -> np.ndarray:
    """Where a sum has a value: what a venue does not publish is not zero in a hole either."""
    return column >= 0
