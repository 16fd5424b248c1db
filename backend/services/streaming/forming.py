"""The forming candles for one listener: stored minutes plus pushed candles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from backend.core.columns import Columns, same
from backend.core.contiguous import known_to
from backend.core.coverage import Coverage
from backend.core.cursors import Cursors
from backend.core.interval import Interval
from backend.core.running_candle import CandlesNow, RunningCandle, woven
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import Window
from backend.services.following.pushed_candles import LiveCandles
from backend.services.ports import CandleStore
from backend.services.reading.bars import Bars, read_bars
from backend.services.streaming.ledger_watch import LedgerWatch

MOST_UNSURE = 60
"""If more minutes than this follow the first minute that is not stored, the candle waits for that minute."""


class FormingCandles:
    """The stored minutes of a bucket are read once, and new ones are added. If the exchange corrects a minute
    later, the closed candle has the right value."""

    def __init__(
        self,
        *,
        candles: CandleStore,
        ledger_watch: LedgerWatch,
        live: LiveCandles,
        interval: Interval,
        series: Sequence[Series],
    ) -> None:
        self._candles = candles
        self._ledger_watch = ledger_watch
        self._live = live
        self._interval = interval
        self._series = series
        self._seen: dict[Series, CandlesNow] = {}
        self._stored: dict[Series, RunningCandle] = {}
        self._told: dict[Series, Columns] = {}

    async def changed(self, cursors: Cursors) -> AsyncIterator[tuple[int, Columns]]:
        """The candles that changed since the last call, by their place in the list; none that was sent as
        closed.

        May raise DatabaseUnavailable.
        """
        for place, series in enumerate(self._series):
            present = CandlesNow(self._ledger_watch.known.get(series, Coverage()), self._live.pushed(series))
            window = present.bucket(self._interval)
            if present == self._seen.get(series) or window is None or window.start < cursors.ends[place]:
                continue
            candle = await self._running(series, present, window)
            self._seen[series] = present
            if candle is not None and not same(candle, self._told.get(series)):
                self._told[series] = candle
                yield place, candle

    async def _running(self, series: Series, present: CandlesNow, window: Window) -> Columns | None:
        """The candle of the minutes of `window`; None if one is missing, or there are none."""
        running = await self._grown(series, present.known, window)
        rest = Window(running.upto, window.end)
        told = present.told(rest) if rest.minutes <= MOST_UNSURE else None
        if told is None:
            return None
        held = [batch for part in present.known.held.within(rest) async for batch in self._read(series, part)]
        minutes = woven(held, told)
        return (running.plus(minutes, window.end) if minutes else running).candle()

    async def _grown(self, series: Series, known: Coverage, window: Window) -> RunningCandle:
        """The minutes of `window` up to the first that is not stored."""
        running = self._stored.get(series)
        if running is None or running.start != window.start:
            running = RunningCandle(self._interval, window.start, window.start)
        end = min(known_to(known, running.upto), window.end)
        if end > running.upto:
            async with aclosing(self._read(series, Window(running.upto, end))) as batches:
                async for batch in batches:
                    running = running.plus(batch, end)
            running = running.until(end)
        self._stored[series] = running
        return running

    def _read(self, series: Series, window: Window) -> Bars:
        return read_bars(self._candles, series, Selection(window))
