"""Fetches missing minutes page by page, several pages in flight, until each minute is held or known void.

A page's minutes that did not come, or whose candle contradicts itself, are asked for again as a page of their
own; they are void only when that narrower question brings nothing at all. So a page cap that shrank, a short
page, a bad edge or one wrong answer costs requests, never candles. Candles are on disk before the ledger
claims them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from backend.core.candles import clean, held_by
from backend.core.coverage import (
    MINUTE,
    Coverage,
    Spans,
    Void,
    Window,
    count_minutes,
    normalise,
    subtract,
    void_of,
    void_without_data,
)
from backend.core.job import Tally
from backend.core.plan import pages
from backend.errors import ExchangeUnavailable, MalformedAnswer, MarketDataError, RateLimited
from backend.services.brake import Brake
from backend.services.ledger import Ledger
from backend.services.ports import CandleSource, CandleStore

log = logging.getLogger(__name__)

GIVE_UP_AFTER = 5
"""So many pages lost in a row mean that the exchange is away, not that a page is bad."""


class Page(NamedTuple):
    """Minutes to ask for. `again` marks those that a wider question did not bring."""

    window: Window
    again: bool = False


class Backfill:
    """One pass over the missing minutes of one series; used once.

    `now` is the exchange's time, by which pages are cut; `brake` ends the pass at a page's edge. After `run`,
    `error` says why minutes may still be missing: the first page that was lost, or what ended the pass early.
    The ledger says which they are.
    """

    def __init__(
        self,
        source: CandleSource,
        store: CandleStore,
        ledger: Ledger,
        missing: Spans,
        now: int,
        on_progress: Callable[[Tally], None],
        brake: Brake,
    ) -> None:
        self._series = ledger.series
        self._source = source
        self._store = store
        self._ledger = ledger
        self._pages = deque(
            Page(window) for window in pages(missing, lambda start: source.page_size(now - start))
        )
        self._on_progress = on_progress
        self._total = count_minutes(missing)
        self._done = 0
        self._lost_in_a_row = 0
        self._brake = brake
        self._lost = False
        self._new_records = 0
        self._revised_records = 0
        self._off_grid = 0
        self._contradictory = 0
        self.error: MarketDataError | None = None

    async def run(self, pages_in_flight: int) -> None:
        """Work until nothing is left to ask or going on makes no sense."""
        self._report()
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(pages_in_flight, len(self._pages))):
                workers.create_task(self._work())
        self.error = self.error or self._brake.reason

    @property
    def tally(self) -> Tally:
        """How far it is."""
        return Tally(
            minutes_done=self._done,
            minutes_total=self._total,
            new_records=self._new_records,
            revised_records=self._revised_records,
            off_grid=self._off_grid,
            contradictory=self._contradictory,
        )

    @property
    def unfinished(self) -> bool:
        """Whether pages were lost, or left because the pass ended early."""
        return self._lost or bool(self._pages)

    async def _work(self) -> None:
        while self._pages and not self._brake.reason:
            page = self._pages.popleft()
            try:
                await self._fetch(page)
            except MarketDataError as error:
                self._lose(page, error)
            else:
                self._lost_in_a_row = 0

    async def _fetch(self, page: Page) -> None:
        rows = await self._source.candles(self._series.symbol, page.window)
        candles, off_grid, contradictory = clean(rows, page.window)
        if not page.again:
            self._off_grid += off_grid
            self._contradictory += len(contradictory)
        if candles:
            written = await self._store.write(self._series, candles)
            self._new_records += written.inserted
            self._revised_records += written.replaced
        held = held_by(candles)
        absent = subtract(subtract((page.window,), held), self._ledger.coverage.held)
        if page.again and not held:
            voids = _voids(page.window, contradictory, await self._source.now())
            await self._learn(lambda known: known.with_voids(voids), absent)
            return
        self._pages.extendleft(Page(window, again=True) for window in reversed(absent))
        await self._learn(lambda known: known.with_held(held), subtract((page.window,), absent))

    async def _learn(self, change: Callable[[Coverage], Coverage], resolved: Spans) -> None:
        await self._ledger.record(change)
        self._done += count_minutes(resolved)
        self._report()

    def _lose(self, page: Page, error: MarketDataError) -> None:
        level = logging.WARNING if _concerns_one_page(error) else logging.INFO
        log.log(level, "%s: gave up on the page from %d: %s", self._series.name, page.window.start, error)
        self._lost = True
        self.error = self.error or error
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= GIVE_UP_AFTER or not _concerns_one_page(error):
            self._brake.pull(error)

    def _report(self) -> None:
        self._on_progress(self.tally)


def _voids(window: Window, contradictory: Sequence[int], now: int) -> list[Void]:
    """What is known of minutes of which two questions brought no candle that can be believed."""
    refused = normalise(Window(moment, moment + MINUTE) for moment in contradictory)
    return [void_without_data(window, now), *(void_of(one, "contradictory", now) for one in refused)]


def _concerns_one_page(error: MarketDataError) -> bool:
    """Whether the next page may fare better: not after a refusal of everything, or without a database."""
    return isinstance(error, ExchangeUnavailable | MalformedAnswer) and not isinstance(error, RateLimited)
