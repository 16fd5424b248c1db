"""What stands in the rows: which fields, in which order, and times in which unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.clock import iso
from backend.core.columns import Columns, Flags, Integers, absent
from backend.core.interval import DAY, ONE_MINUTE, Interval
from backend.core.windows import MINUTE
from backend.errors import InvalidRequest

FIELDS = {
    "open_time": "Open time of the candle, in the unit of `time`",
    "open": "The first price",
    "high": "The highest price",
    "low": "The lowest price",
    "close": "The last price",
    "volume": "Traded amount in the base currency",
    "close_time": "Last moment of the candle, in the unit of `time`",
    "timestamp": "The open time as text",
    "quote_volume": "Traded amount in the quote currency",
    "trades": "The number of trades",
    "taker_buy_volume": "Amount that takers bought, in the base currency",
    "taker_buy_quote_volume": "Amount that takers bought, in the quote currency",
    "minutes": "Number of minutes in the candle",
    "expected_minutes": "Number of minutes in a whole candle",
    "partial": "`true`: the candle has fewer minutes than expected",
    "filled": "`true`: the candle fills a hole and is not from the exchange",
}
"""All fields, each with its meaning."""

TIMES = ("ms", "s", "us", "ns", "iso")
"""Formats of `open_time` and `close_time`."""

UNITS_A_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

LAST_NANOSECOND = 2**63 // 1_000_000
"""Times beyond this, ms, do not fit in nanoseconds: 2262-04-11."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`fields` in order; `time` is one of TIMES; `picked` tells that somebody chose the fields."""

    interval: Interval
    fields: tuple[str, ...]
    time: str = "ms"
    picked: bool = False

    def values(self, candles: Columns) -> Iterator[tuple[str, Column]]:
        """The fields' columns, in order."""
        for name in self.fields:
            yield name, self._column(candles, name)

    def _column(self, candles: Columns, name: str) -> Column:
        match name:
            case "open_time":
                return self._times(candles.open_time, 0)
            case "close_time":
                return self._times(self.interval.ends(candles.open_time), 1)
            case "timestamp":
                return stamps(candles.open_time)
            case "minutes":
                return _minutes(candles)
            case "expected_minutes":
                return self.interval.expected_minutes(candles.open_time).astype(np.int32)
            case "partial":
                return _minutes(candles) < self.interval.expected_minutes(candles.open_time)
            case "filled":
                return _filled(candles)
        column: Column | None = getattr(candles, name)
        return absent(name, len(candles)) if column is None else column

    def _times(self, moments: Integers, before: int) -> Column:
        """Moments in the unit that was asked for, `before` so many of its units."""
        if self.time == "iso":
            return stamps(moments - before)
        if self.time == "s":
            return moments // 1000 - before
        if self.time == "ns" and len(moments) and moments.max() > LAST_NANOSECOND:
            raise InvalidRequest("times after 2262-04-11 do not fit in nanoseconds: ask for time=ms")
        return moments * (UNITS_A_SECOND[self.time] // 1000) - before


Column = NDArray[Any] | list[str]
"""Numbers and flags as arrays, texts as lists."""


def layout_for(interval: Interval, *, fills: bool, stamped: bool) -> Layout:
    """The fields that nobody has to ask for; `stamped` ones have their open time as text too."""
    fields = [name for name in list(FIELDS)[:12] if stamped or name != "timestamp"]
    if interval is not ONE_MINUTE:
        fields += ["minutes", "expected_minutes", "partial"]
    return Layout(interval, (*fields, "filled") if fills else tuple(fields))


def stamps(moments: Integers) -> list[str]:
    """ISO-8601 texts, as `clock.iso` writes them, of many moments at once."""
    if (moments % MINUTE).any():
        return [iso(moment) for moment in moments.tolist()]
    days, minutes = np.divmod(moments // MINUTE, DAY // MINUTE)
    texts = _minute_texts()
    names = {day: iso(day * DAY)[:10] for day in np.unique(days).tolist()}
    return [names[day] + texts[minute] for day, minute in zip(days.tolist(), minutes.tolist(), strict=True)]


@lru_cache
def _minute_texts() -> list[str]:
    return [iso(minute * MINUTE)[10:] for minute in range(DAY // MINUTE)]


def _minutes(candles: Columns) -> NDArray[np.int32]:
    if candles.minutes is not None:
        return candles.minutes
    return np.where(_filled(candles), 0, 1).astype(np.int32)


def _filled(candles: Columns) -> Flags:
    return np.zeros(len(candles), np.bool_) if candles.filled is None else candles.filled
