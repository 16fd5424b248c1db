"""Closed candles as they are stored: for each listener in order, each once, from any moment on.

Nothing is queued for anybody. A listener has a cursor for each of its series, and reads from there what is
stored and known without a gap; so history and live are the same to it, and who reads slowly only falls back.
What is shared is the look at the ledgers, once a second for all listeners of this process.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress

from backend.clock import Clock
from backend.core.columns import Columns
from backend.core.coverage import Coverage, Window
from backend.core.cursors import Cursors
from backend.core.frontier import known_to, live_from
from backend.core.interval import Interval
from backend.core.series import Series
from backend.errors import DatabaseUnavailable, TooManyStreams
from backend.services.bars import Selection, read_bars
from backend.services.ports import CandleStore, CoverageStore

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MOST_STREAMS = 200
ROOM_MAY_COME_AFTER = 30
MOST_ROWS = 500
"""Candles that are told at once."""


class Pulse:
    """Looks at the ledgers of all series that anybody listens to. `known` is what they said last,
    `streams` how many listen."""

    def __init__(self, coverage: CoverageStore, clock: Clock) -> None:
        self._coverage = coverage
        self._clock = clock
        self._listened: Counter[Series] = Counter()
        self.streams = 0
        self._looking: asyncio.Task[None] | None = None
        self.known: dict[Series, Coverage] = {}
        self.news = asyncio.Event()

    def start(self) -> None:
        """Look from now on."""
        self._looking = asyncio.create_task(self._look_for_ever())

    async def stop(self) -> None:
        """Look no longer."""
        if self._looking:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    def nudge(self) -> None:
        """Look soon: something was written here."""

    @contextmanager
    def listening(self, series: Sequence[Series]) -> Iterator[None]:
        """Look at these too for as long as the block lasts. Raises TooManyStreams."""
        if self.streams >= MOST_STREAMS:
            raise TooManyStreams(
                f"{MOST_STREAMS} streams are open here and no more may be", retry_after=ROOM_MAY_COME_AFTER
            )
        self.streams += 1
        self._listened.update(series)
        try:
            yield
        finally:
            self.streams -= 1
            self._listened.subtract(series)
            self._listened += Counter()

    async def _look_for_ever(self) -> None:
        while True:
            with suppress(DatabaseUnavailable):
                await self._look()
            await self._clock.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        found = dict(await self._coverage.load_all(list(self._listened))) if self._listened else {}
        changed = found != self.known
        self.known = found
        if changed:
            self.news.set()
            self.news = asyncio.Event()


class Feed:
    """What one listener is told: candles of one interval of some series, after `cursors`."""

    def __init__(
        self,
        candles: CandleStore,
        pulse: Pulse,
        interval: Interval,
        series: Sequence[Series],
        cursors: Cursors,
    ) -> None:
        self._candles = candles
        self._pulse = pulse
        self._interval = interval
        self._series = series
        self.cursors = cursors

    @property
    def news(self) -> asyncio.Event:
        """Set when a ledger has changed. Take it before reading what is new, then wait for it."""
        return self._pulse.news

    async def new(self) -> AsyncIterator[tuple[int, Columns]]:
        """What is new of each series, by its place in the list, ascending, in small batches.

        A batch counts as told when the next one is asked for. May raise DatabaseUnavailable.
        """
        for place, series in enumerate(self._series):
            known = self._pulse.known.get(series)
            if known is None or known.since is None:
                continue
            window = self._window(known, self.cursors.ends[place])
            self.cursors = self.cursors.moved(place, window.start)
            if window.start == window.end:
                continue
            bars = read_bars(self._candles, series, Selection(window, self._interval))
            async with aclosing(bars):
                async for batch in bars:
                    for first in range(0, len(batch), MOST_ROWS):
                        yield place, batch[first : first + MOST_ROWS]
            self.cursors = self.cursors.moved(place, window.end)

    def _window(self, known: Coverage, cursor: int) -> Window:
        """Whole candles only, from the cursor or from where the series begins."""
        start = max(cursor, self._interval.ceiling(known.expected.start))
        return Window(start, max(start, self._interval.start(known_to(known, start))))


class Feeds:
    """Makes feeds. `open` may raise DatabaseUnavailable."""

    def __init__(self, candles: CandleStore, coverage: CoverageStore, pulse: Pulse, clock: Clock) -> None:
        self._candles = candles
        self._coverage = coverage
        self._clock = clock
        self.pulse = pulse

    async def open(
        self, series: Sequence[Series], interval: Interval, since: int | None, cursors: Cursors | None
    ) -> Feed:
        """After `cursors`; else of candles that open at `since` or later; else of what closes from now on."""
        if cursors is None:
            known = await self._coverage.load_all(series)
            starts = [self._start(known[one], interval, since) for one in series]
            cursors = Cursors(tuple(starts))
        return Feed(self._candles, self.pulse, interval, series, cursors)

    def _start(self, known: Coverage, interval: Interval, since: int | None) -> int:
        if since is not None:
            return interval.ceiling(since)
        return interval.start(live_from(known, self._clock.now()))
