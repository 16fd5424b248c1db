"""The store as bots see it that believe they ask an exchange.

A bot's protocol has no place for a mark, so it is given whole candles alone: one that is still forming, or
that lacks a minute which the exchange may have, is left out. What the exchange lacks, its candles lack too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from backend.clock import LATEST, Clock
from backend.core.columns import Columns, columns_of, joined
from backend.core.coverage import Coverage
from backend.core.job import SyncRequest
from backend.core.plan import closed_until
from backend.core.series import Listing, Series
from backend.core.windows import Window
from backend.errors import ExchangeError, Interrupted, TooManyJobs
from backend.services.jobs.submission import Jobs
from backend.services.reading.bars import Selection, on_grid
from backend.services.reading.complete_candles import MOST_BROKEN, missing_in, told, without
from backend.services.reading.instruments import Instrument, instrument, of_listing
from backend.services.reading.queries import Queries
from backend.services.reading.validators import LONG_AGO, Opened, known_until
from backend.services.syncing.markets import Markets

SYNC_SECONDS = 8.0
"""How long a read waits for a sync: less than the 10 s after which common clients give up."""

LISTING_SECONDS = 1.0
"""How long a listing of what is stored waits for the states of symbols, where no young copy tells them."""

AT_ONCE = 16
"""Series that are looked at side by side for a listing."""

DECIMALS_FROM = 100
"""Newest candles from which the decimals of prices and volumes are read."""

NOTHING = columns_of([])


@dataclass(frozen=True, slots=True)
class Page:
    """Ascending candles of a series.

    `stored` says whether anything is held of it, `complete` whether every minute from the first that was
    asked for to the last that is told is held or known not to exist. `sync` is the code of what ended a sync
    that this read waited for, "unfinished" if it goes on, None if all is well.
    """

    candles: Columns = NOTHING
    stored: bool = False
    complete: bool = False
    sync: str | None = None


class Mirror:
    """With `sync_on_read` a read first fetches what closed since the last sync. All may raise
    DatabaseUnavailable."""

    def __init__(
        self, queries: Queries, jobs: Jobs, markets: Markets, clock: Clock, *, sync_on_read: bool
    ) -> None:
        self._queries = queries
        self._jobs = jobs
        self._markets = markets
        self._clock = clock
        self._sync_on_read = sync_on_read

    def now(self) -> int:
        """The service's time, ms UTC."""
        return self._clock.now()

    def series(self, exchange: str, market: str, symbol: str) -> Series:
        """The series that is meant; InvalidRequest if no symbol can be called so."""
        return self._markets.series(symbol, exchange, market)

    async def page(self, series: Series, wanted: Selection) -> Page:
        """The whole candles of a selection, after a sync where one is due."""
        sync = await self._sync(series, wanted.window) if self._sync_on_read else None
        return replace(await self.stored_page(series, wanted), sync=sync)

    async def stored_page(self, series: Series, wanted: Selection) -> Page:
        """The whole candles of a selection; nothing of a series that is not stored."""
        known = await self._queries.known(series)
        if not known.held:
            return Page()
        candles = await self._whole_candles(series, wanted, known)
        return Page(candles, True, not known.missing(told(wanted, known, candles), LONG_AGO))

    async def listed(self, exchange: str, market: str) -> list[Instrument]:
        """What is stored of a market, by symbol; with `sync_on_read` all that the exchange lists."""
        found = {each.symbol: each for each in await self._stored(exchange, market)}
        if found:
            source = self._markets.named(exchange, market)
            await self._listings(exchange, market, LISTING_SECONDS)
            found = {one: replace(each, status=source.known_status(one)) for one, each in found.items()}
        if self._sync_on_read:
            listings = await self._listings(exchange, market, SYNC_SECONDS)
            found = {symbol: of_listing(listing) for symbol, listing in listings.items()} | found
        return [found[symbol] for symbol in sorted(found)]

    async def stored(self) -> list[Series]:
        """Every series of which something is held."""
        markets = self._markets.names()
        return [each for market in markets for each in await self.stored_of(*market)]

    async def stored_of(self, exchange: str, market: str) -> list[Series]:
        """The same of one market."""
        symbols = await self._queries.stored_symbols(exchange, market)
        return [Series(exchange, market, symbol) for symbol in sorted(symbols)]

    async def instrument(self, series: Series) -> Instrument | None:
        """What is known of a stored series, None of any other."""
        known = await self._queries.known(series)
        if not known.held:
            return None
        newest = Selection(Window(0, LATEST + 1), limit=DECIMALS_FROM, newest=True)
        return instrument(series, known, await self._whole_candles(series, newest, known))

    async def _whole_candles(self, series: Series, wanted: Selection, known: Coverage) -> Columns:
        broken = missing_in(wanted, known)
        limit = wanted.limit
        more = MOST_BROKEN * len(broken)
        asked = wanted if limit is None else replace(wanted, limit=limit + more)
        opened = Opened(series, on_grid(asked, known_until(known)), known)
        async with aclosing(self._queries.read(opened)) as batches:
            found = [without(batch, wanted.interval, broken) async for batch in batches]
        candles = joined(found) if found else NOTHING
        if limit is None:
            return candles
        return candles[-limit:] if wanted.newest else candles[:limit]

    async def _sync(self, series: Series, window: Window) -> str | None:
        """Top the series up as `POST /api/sync` does where `window` asks for it, and wait for a while."""
        if not _is_behind(await self._queries.known(series), window, closed_until(self.now())):
            return None
        try:
            [job] = await self._jobs.submit([SyncRequest(series)])
            job = await self._jobs.wait(job.id, SYNC_SECONDS)
        except (TooManyJobs, Interrupted) as error:
            return error.code
        if not job.over:
            return "unfinished"
        return job.failure.code if job.failure else None

    async def _listings(self, exchange: str, market: str, seconds: float) -> Mapping[str, Listing]:
        """What the exchange lists; nothing if it does not say so in time."""
        try:
            return await asyncio.wait_for(self._markets.named(exchange, market).symbols(), seconds)
        except (ExchangeError, TimeoutError):
            return {}

    async def _stored(self, exchange: str, market: str) -> list[Instrument]:
        """Without symbols that cannot be cut into their halves: no venue's listing has a place for them."""
        stored = await self.stored_of(exchange, market)
        found: list[Instrument | None] = []
        for start in range(0, len(stored), AT_ONCE):
            some = stored[start : start + AT_ONCE]
            found += await asyncio.gather(*(self.instrument(series) for series in some))
        return [each for each in found if each is not None and each.quote]


def _is_behind(known: Coverage, window: Window, closed: int) -> bool:
    """Whether minutes of `window` have closed since the exchange was asked, or nothing is held at all."""
    return not known.held or known_until(known) < min(window.end, closed)
