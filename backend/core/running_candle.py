"""The forming candle: the sum of its stored minutes, plus the pushed minutes after them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.core.candles import Candle
from backend.core.columns import Columns, candles_of, columns_of, joined
from backend.core.contiguous import lacking
from backend.core.coverage import Coverage
from backend.core.interval import ONE_HOUR, Interval
from backend.core.pushed import PushedCandles
from backend.core.rollup import before_last_bucket, merged
from backend.core.windows import MINUTE, Window


@dataclass(frozen=True, slots=True, eq=False)
class RunningCandle:
    """The minutes of a bucket of `interval` from its `start` up to `upto` (ms). None of them is missing.

    It is made in the same steps as a stored candle (`core/rollup.py`), so that it equals that one when it
    closes: `hours` are over, where the interval has several, and `rest` are the minutes after them.
    """

    interval: Interval
    start: int
    upto: int
    hours: Columns | None = None
    rest: Columns | None = None

    def plus(self, minutes: Columns, upto: int) -> RunningCandle:
        """With these minutes too, which come later; nothing is missing up to `upto`."""
        rows = minutes if self.rest is None else joined([self.rest, minutes])
        whole = before_last_bucket(rows, ONE_HOUR) if self.interval.is_of_hours else 0
        hours = self.hours
        if whole:
            over = merged(rows[:whole], ONE_HOUR)
            hours = over if hours is None else joined([hours, over])
        return replace(self, upto=upto, hours=hours, rest=rows[whole:])

    def until(self, upto: int) -> RunningCandle:
        """The same, after which the exchange has no minute up to `upto`."""
        return replace(self, upto=upto)

    def candle(self) -> Columns | None:
        """The one candle that its minutes make; None before the first."""
        if self.rest is None:
            return None
        if not self.interval.is_of_hours:
            return merged(self.rest, self.interval)
        last = merged(self.rest, ONE_HOUR)
        return merged(last if self.hours is None else joined([self.hours, last]), self.interval)


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
