"""Asks exchanges for the minute that has just ended, if their sockets do not say which candle is final.

The last frame of a minute may be lost, so candles of such a socket are never stored. The first frame of the
next minute only starts a request. If that fails, the keeper's visits fetch the minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict

from backend.clock import Clock
from backend.core.candles import clean
from backend.core.plan import closed_until
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.errors import MarketDataError
from backend.loops import Loops
from backend.services.following.append import Appender
from backend.services.running.tasks import end
from backend.services.syncing.markets import Markets

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Most requests in flight to one market. So a slow market delays no other."""

MOST_MINUTES = 60
"""If a series lacks more minutes, a visit fetches them."""


class Confirmer:
    """Fetches minutes that sockets showed to be over and hands them to the appender."""

    def __init__(
        self,
        *,
        markets: Markets,
        appender: Appender,
        clock: Clock,
        settle_seconds: int,
        at_once: int = AT_ONCE,
        loops: Loops | None = None,
    ) -> None:
        self._markets = markets
        self._appender = appender
        self._clock = clock
        self._loops = loops or Loops(clock)
        self._settle_ms = settle_seconds * 1000
        self._asking = defaultdict[tuple[str, str], asyncio.Semaphore](lambda: asyncio.Semaphore(at_once))
        self._tasks: dict[Series, asyncio.Task[None]] = {}

    def ended(self, series: Series, at: int) -> None:
        """The socket says that the minute of `series` that ends at `at` (ms) is over."""
        if series not in self._tasks:
            task = asyncio.create_task(self._try(series, at))
            self._tasks[series] = task
            task.add_done_callback(lambda _: self._tasks.pop(series, None))

    async def stop(self) -> None:
        """Ask no more."""
        await end(set(self._tasks.values()), 0)

    async def _try(self, series: Series, at: int) -> None:
        with self._loops.surviving("questions for newest minutes"):
            await self._confirm(series, at)

    async def _confirm(self, series: Series, at: int) -> None:
        try:
            source = self._markets.source(series)
            await self._clock.sleep(max(0, at + self._settle_ms - await source.now()) / 1000)
            async with self._asking[series.exchange, series.market]:
                edge = self._appender.edge(series)
                closed = closed_until(await source.now() - self._settle_ms)
                if edge is None or not 0 < closed - edge.end <= MOST_MINUTES * MINUTE:
                    return
                window = Window(edge.end, closed)
                candles, *_ = clean(await source.candles(series.symbol, window), window)
            for candle in candles:
                self._appender.add(series, candle)
        except MarketDataError as error:
            log.debug("%s: the newest minute could not be read: %s", series.name, error)
