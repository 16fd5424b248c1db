"""The forming candle: the sum of its stored minutes, plus the pushed minutes after them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf, nan
from typing import Any

import numpy as np

from backend.core.candles import Candle
from backend.core.columns import NO_TRADES, OPTIONAL, Columns, candles_of, columns_of, is_absent
from backend.core.contiguous import lacking
from backend.core.coverage import Coverage
from backend.core.interval import Interval
from backend.core.pushed import PushedCandles
from backend.core.windows import MINUTE, Window

SUMS = ("volume", *OPTIONAL)
NOTHING = np.longdouble(0)


@dataclass(frozen=True, slots=True)
class RunningCandle:
    """The minutes of a bucket that opens at `start`, added up to `upto` (ms): none in between is missing.

    `sums` are those of SUMS, None where a minute lacks it. They have more digits than candles keep, so that
    adding minute by minute loses nothing. Two are equal if they make the same candle.
    """

    start: int
    upto: int = field(compare=False)
    minutes: int = 0
    open: float = nan
    high: float = -inf
    low: float = inf
    close: float = nan
    sums: tuple[np.longdouble | None, ...] = (NOTHING,) * len(SUMS)

    def plus(self, minutes: Columns, upto: int) -> RunningCandle:
        """With these minutes too, which come later; nothing is missing up to `upto`."""
        return RunningCandle(
            self.start,
            upto,
            minutes=self.minutes + len(minutes),
            open=self.open if self.minutes else float(minutes.open[0]),
            high=max(self.high, float(minutes.high.max())),
            low=min(self.low, float(minutes.low.min())),
            close=float(minutes.close[-1]),
            sums=tuple(
                _sum(known, getattr(minutes, name)) for name, known in zip(SUMS, self.sums, strict=True)
            ),
        )

    def until(self, upto: int) -> RunningCandle:
        """The same, after which the exchange has no minute up to `upto`."""
        return replace(self, upto=upto)

    def candle(self) -> Columns:
        """The one candle that its minutes make."""
        sums = {name: total for name, total in zip(SUMS, self.sums, strict=True) if total is not None}
        columns: dict[str, Any] = {name: np.array([total], np.float64) for name, total in sums.items()}
        columns |= {name: np.array([getattr(self, name)]) for name in ("open", "high", "low", "close")}
        columns["trades"] = np.array([int(sums.get("trades", NO_TRADES))], np.int64)
        return Columns(
            open_time=np.array([self.start], np.int64),
            minutes=np.array([self.minutes], np.int32),
            **columns,
        )


@dataclass(frozen=True, slots=True)
class CandlesNow:
    """What is known of a series now: its ledger, and its pushed candles."""

    known: Coverage
    tape: PushedCandles

    def bucket(self, interval: Interval) -> Window | None:
        """The minutes of the forming candle, up to the newest known minute.

        None where no candle runs, because the newest minute is the last of its own and is over; or where
        nothing is told.
        """
        newest = max(self.known.held.end - MINUTE if self.known.held else 0, self.tape.newest)
        start, end = interval.start(newest), newest + MINUTE
        is_over = end == interval.following(start) and not self._runs(newest)
        return None if is_over or not self.tape.newest else Window(start, end)

    def told(self, window: Window) -> list[Candle] | None:
        """The pushed candles of the minutes of `window` that are not stored, ascending.

        None where one is missing that the exchange may have.
        """
        by_minute = {one.open_time: one for one in (*self.tape.ended, self.tape.forming) if one}
        gaps = lacking(self.known, window)
        if sum(gap.minutes for gap in gaps) > len(by_minute):
            return None
        candles = [by_minute.get(moment) for start, end in gaps for moment in range(start, end, MINUTE)]
        return None if None in candles else [one for one in candles if one]

    def _runs(self, moment: int) -> bool:
        forming = self.tape.forming
        minute = Window(moment, moment + MINUTE)
        return forming is not None and forming.open_time == moment and not self.known.held.within(minute)


def woven(stored: Sequence[Columns], told: Sequence[Candle]) -> Columns | None:
    """Minutes of both kinds in order; None for none at all."""
    candles = [*told, *(candle for batch in stored for candle in candles_of(batch))]
    return columns_of(sorted(candles, key=lambda candle: candle.open_time)) if candles else None


def _sum(known: np.longdouble | None, column: np.ndarray | None) -> np.longdouble | None:
    if known is None or column is None or is_absent(column).any():
        return None
    total: np.longdouble = known + column.sum(dtype=np.longdouble)
    return total
