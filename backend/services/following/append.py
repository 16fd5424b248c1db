"""Stores pushed closed candles at once if they continue the held minutes: without a job, a lease or a page.

Candles that do not fit are not stored here: after a gap, while somebody works on the ledger, while the
database is away. The keeper's next visit fetches them from the exchange. So nothing has to be queued, and
nothing can be lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from backend.clock import SystemClock, wait_up_to
from backend.core.candles import Candle, is_sound
from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.loops import Loops
from backend.services.ports import CandleStore, CoverageStore

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Seconds between two looks for new candles, besides the notices."""

WRITES_AT_ONCE = 16
SERIES_AT_ONCE = 200
MOST_PENDING = 5
"""Most minutes of one series that may wait. For more, a visit is better."""


OnGap = Callable[[Collection[Series]], None]


class Edge(NamedTuple):
    """The end of a series' held minutes as this process knows it; the first appended minute; the exchange's
    time of the last visit; and the start of that visit. All in ms."""

    end: int
    appended_from: int | None
    visited: int
    since: int | None


class Appender:
    """Appends closed candles to series. Calls `on_news` when new candles can be read."""

    def __init__(
        self,
        candles: CandleStore,
        coverage: CoverageStore,
        on_news: Callable[[], None],
        loops: Loops | None = None,
    ) -> None:
        self._candles = candles
        self._coverage = coverage
        self._on_news = on_news
        self._loops = loops or Loops(SystemClock())
        self._on_gap: OnGap = _nobody_visits
        self._edges: dict[Series, Edge] = {}
        self._pending: dict[Series, list[Candle]] = {}
        self._come = asyncio.Event()
        self._writes = asyncio.Semaphore(WRITES_AT_ONCE)
        self._appending: asyncio.Task[None] | None = None

    def start(self, on_gap: OnGap) -> None:
        """Append candles from now on. Call `on_gap` with series that need a visit."""
        self._on_gap = on_gap
        self._appending = self._loops.start("appended candles", self._append_what_came)

    async def stop(self) -> None:
        """Stop appending. The next visit fetches waiting candles."""
        if self._appending:
            self._appending.cancel()
            with suppress(asyncio.CancelledError):
                await self._appending

    def edge(self, series: Series) -> Edge | None:
        """The edge of a series, None before its first visit."""
        return self._edges.get(series)

    def visited(self, series: Series, edge: Edge) -> None:
        """A visit left the series complete."""
        self._edges[series] = edge

    def forget(self, series: Collection[Series]) -> None:
        """This process no longer keeps these series."""
        for one in series:
            self._edges.pop(one, None)
            self._pending.pop(one, None)

    def add(self, series: Series, candle: Candle) -> None:
        """Append a final candle soon, together with candles of other series.

        A candle whose prices contradict each other is left to a visit.
        """
        if not is_sound(candle):
            return
        waiting = self._pending.setdefault(series, [])
        if len(waiting) < MOST_PENDING:
            waiting.append(candle)
        self._come.set()

    async def _append_what_came(self) -> None:
        await wait_up_to(LOOK_SECONDS, self._come)
        self._come.clear()
        if not (batch := self._taken()):
            return
        appended = False
        with self._loops.surviving("appended candles"):
            await self._append(batch)
            appended = True
        if not appended:
            log.warning("pushed candles of %d series could not be stored: visits will fetch them", len(batch))
            self._on_gap(batch)

    def _taken(self) -> dict[Series, list[Candle]]:
        """The oldest ones first, in pieces: the first of a thousand need not wait for the last."""
        batch = {one: self._pending.pop(one) for one in list(islice(self._pending, SERIES_AT_ONCE))}
        if self._pending:
            self._come.set()
        return batch

    async def _append(self, batch: Mapping[Series, list[Candle]]) -> None:
        # The candles are stored first. Then the ledgers claim them, if they still end where the candles begin
        # and nobody leases them. If a visit has leased a ledger meanwhile, the claim fails and the visit
        # fetches the minute.
        known = await self._coverage.load_all(batch)
        fit = {
            series: run for series, candles in batch.items() if (run := continuing(known[series], candles))
        }
        stored = await asyncio.gather(*(self._store(series, run) for series, run in fit.items()))
        held = {
            series: Window(run[0].open_time, run[-1].open_time + MINUTE)
            for (series, run), is_stored in zip(fit.items(), stored, strict=True)
            if is_stored
        }
        extended = await self._coverage.extend(held)
        for series in extended:
            self._move(series, held[series])
        if extended:
            self._on_news()
        left = [series for series, candles in batch.items() if not self._reaches(series, candles[-1])]
        if left:
            self._on_gap(left)

    async def _store(self, series: Series, candles: list[Candle]) -> bool:
        async with self._writes:
            return await self._candles.add(series, candles)

    def _move(self, series: Series, held: Window) -> None:
        edge = self._edges.get(series)
        if edge and edge.end == held.start:
            began = held.start if edge.appended_from is None else edge.appended_from
            self._edges[series] = edge._replace(end=held.end, appended_from=began)

    def _reaches(self, series: Series, candle: Candle) -> bool:
        edge = self._edges.get(series)
        return edge is not None and edge.end > candle.open_time


def continuing(known: Coverage, candles: Collection[Candle]) -> list[Candle]:
    """The `candles` that follow the last held minute without a gap, ascending. None if the ledger has
    requested minutes after its held ones."""
    if not known.held or known.until != known.held.end:
        return []
    by_minute = {candle.open_time: candle for candle in candles}
    run = []
    moment = known.until
    while candle := by_minute.get(moment):
        run.append(candle)
        moment += MINUTE
    return run


def _nobody_visits(_series: Collection[Series]) -> None:
    """Before the start."""
