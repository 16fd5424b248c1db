"""Closed candles as they are stored. Each listener gets each candle once, in order, from any moment on.

There are no queues. A listener has a cursor for each of its series, and reads the stored minutes from there
up to the first gap. So history and live candles are the same, and a slow reader only falls behind. All
listeners of a process share one look at the ledgers (`ledger_watch.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from backend.clock import Clock
from backend.core.columns import Columns
from backend.core.contiguous import known_to, live_from
from backend.core.coverage import Coverage
from backend.core.cursors import Cursors
from backend.core.interval import Interval
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import Window
from backend.services.following.pushed_candles import LiveCandles
from backend.services.ports import CandleStore, CoverageStore
from backend.services.reading.bars import read_bars
from backend.services.streaming.forming import FormingCandles
from backend.services.streaming.ledger_watch import LedgerWatch

MOST_ROWS = 500
"""Most candles in one batch."""


class Feed:
    """The candles for one listener: one interval of some series, after `cursors`."""

    def __init__(
        self,
        *,
        candles: CandleStore,
        ledger_watch: LedgerWatch,
        interval: Interval,
        series: Sequence[Series],
        cursors: Cursors,
    ) -> None:
        self._candles = candles
        self._ledger_watch = ledger_watch
        self._interval = interval
        self._series = series
        self._told: dict[int, Coverage] = {}
        self.cursors = cursors

    async def new(self) -> AsyncIterator[tuple[int, Columns]]:
        """The new candles of each series, by its place in the list, ascending, in small batches.

        A batch counts as sent when the caller asks for the next one. May raise DatabaseUnavailable.
        """
        for place, series in enumerate(self._series):
            known = self._ledger_watch.known.get(series)
            if known is None or known.since is None or known is self._told.get(place):
                continue
            window = self._window(known, self.cursors.ends[place])
            self.cursors = self.cursors.moved(place, window.start)
            if window.start < window.end:
                bars = read_bars(self._candles, series, Selection(window, self._interval))
                async with aclosing(bars):
                    async for batch in bars:
                        for first in range(0, len(batch), MOST_ROWS):
                            yield place, batch[first : first + MOST_ROWS]
                self.cursors = self.cursors.moved(place, window.end)
            self._told[place] = known

    def _window(self, known: Coverage, cursor: int) -> Window:
        """Whole candles only, from the cursor or from where the series begins."""
        start = max(cursor, self._interval.ceiling(known.expected.start))
        return Window(start, max(start, self._interval.start(known_to(known, start))))


class Feeds:
    """Makes feeds. `open` may raise DatabaseUnavailable."""

    def __init__(
        self,
        *,
        candles: CandleStore,
        coverage: CoverageStore,
        ledger_watch: LedgerWatch,
        clock: Clock,
        live: LiveCandles,
    ) -> None:
        self._candles = candles
        self._coverage = coverage
        self._clock = clock
        self._live = live
        self.ledger_watch = ledger_watch

    async def open(
        self, series: Sequence[Series], interval: Interval, since: int | None, cursors: Cursors | None
    ) -> Feed:
        """A feed after `cursors`; else from the candle that opens at `since`; else from the next closed
        candle."""
        if cursors is None:
            known = await self._coverage.load_all(series)
            starts = [self._start(known[one], interval, since) for one in series]
            cursors = Cursors(tuple(starts))
        return Feed(
            candles=self._candles,
            ledger_watch=self.ledger_watch,
            interval=interval,
            series=series,
            cursors=cursors,
        )

    def forming(self, series: Sequence[Series], interval: Interval) -> FormingCandles:
        """The forming candles of the same series. Watch the series while this is used."""
        return FormingCandles(
            candles=self._candles,
            ledger_watch=self.ledger_watch,
            live=self._live,
            interval=interval,
            series=series,
        )

    def _start(self, known: Coverage, interval: Interval, since: int | None) -> int:
        if since is not None:
            return interval.ceiling(since)
        return interval.start(live_from(known, self._clock.now()))
