"""The last 24 hours of a series in a few numbers, from its newest one-minute candles. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from backend.core.columns import Columns, Floats, is_absent
from backend.core.windows import DAY, MINUTE

MINUTES_A_DAY = DAY // MINUTE

STEPS = (8, 5, 3, 0)
"""Decimals of the steps in which venues publish volumes."""


@dataclass(frozen=True, slots=True)
class Day:
    """The 24 hours that end with the newest candle, which is over at `closed` (ms UTC, exclusive).

    `first` is the open of the first candle in them, `last` the close of the newest. Volumes are exact sums of
    the exchange's numbers. `quote_volume` and `trades` are None if a candle has no such value.
    """

    closed: int
    first: float
    high: float
    low: float
    last: float
    volume: Decimal
    quote_volume: Decimal | None
    trades: int | None


def day_of(newest: Columns) -> Day:
    """From ascending candles, not none, that reach back for a day where so much is stored."""
    minutes = newest[newest.open_time > newest.open_time[-1] - DAY]
    quote, trades = minutes.quote_volume, minutes.trades
    return Day(
        closed=int(minutes.open_time[-1]) + MINUTE,
        first=float(minutes.open[0]),
        high=float(minutes.high.max()),
        low=float(minutes.low.min()),
        last=float(minutes.close[-1]),
        volume=_sum(minutes.volume),
        quote_volume=None if quote is None or is_absent(quote).any() else _sum(quote),
        trades=None if trades is None or is_absent(trades).any() else int(trades.sum()),
    )


def _sum(values: Floats) -> Decimal:
    """The exact sum of numbers as decimals: of 0.1 and 0.2 it is 0.3.

    Nearly always they are whole multiples of a small decimal step, and their sum is one of whole numbers.
    """
    for decimals in STEPS:
        whole = np.rint(values * 10.0**decimals)
        # Below 10**15 no two decimals of so many places are the same float: the multiple is what was told.
        if np.abs(whole).max(initial=0.0) < 1e15 and (whole / 10.0**decimals == values).all():
            total = sum(whole.astype(np.int64).tolist())
            return Decimal(total).scaleb(-decimals)
    return sum((Decimal(repr(value)) for value in values.tolist()), Decimal())
