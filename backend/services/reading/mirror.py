"""The store for bots, which expect the answers of an exchange.

A bot's protocol has no field that marks a candle, so bots get only whole candles. A candle that is still
forming, or that lacks a minute which the exchange may have, is left out. Minutes that the exchange does not
have are missing in its own candles too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from backend.clock import Clock
from backend.core.columns import Columns, columns_of, joined
from backend.core.coverage import Coverage
from backend.core.job import SyncRequest
from backend.core.plan import closed_until
from backend.core.selection import Selection
from backend.core.series import Listing, Series
from backend.core.windows import Window
from backend.errors import ExchangeError, Interrupted, TooManyJobs
from backend.services.jobs.submission import Jobs
from backend.services.reading.bars import on_grid
from backend.services.reading.catalogue import Catalogue
from backend.services.reading.complete_candles import MOST_BROKEN, missing_in, told, without
from backend.services.reading.instruments import Instrument, of_listing
from backend.services.reading.queries import Queries
from backend.services.reading.validators import OpenSelection
from backend.services.syncing.markets import Markets

SYNC_SECONDS = 8.0
"""How long a read waits for a sync: less than the 10 s after which common clients give up."""

LISTING_SECONDS = 1.0
"""How long the first listing of a market waits for the states of symbols."""

NOTHING = columns_of([])


@dataclass(frozen=True, slots=True)
class CandlePage:
    """Ascending candles of a series.

    `stored`: the series has candles. `complete`: every minute from the first requested one to the last one in
    the answer is held or void. `sync` is the error code of the sync that this read waited for, "unfinished"
    if it is still running, None if there was no error.
    """

    candles: Columns = NOTHING
    stored: bool = False
    complete: bool = False
    sync: str | None = None


class Mirror:
    """With `sync_on_read` a read first fetches what closed since the last sync. All may raise
    DatabaseUnavailable."""

    def __init__(
        self,
        queries: Queries,
        catalogue: Catalogue,
        jobs: Jobs,
        markets: Markets,
        clock: Clock,
        *,
        sync_on_read: bool,
    ) -> None:
        self._queries = queries
        self._catalogue = catalogue
        self._jobs = jobs
        self._markets = markets
        self._clock = clock
        self._sync_on_read = sync_on_read
        self._waited: set[tuple[str, str]] = set()

    def now(self) -> int:
        """The service's time, ms UTC."""
        return self._clock.now()

    def series(self, exchange: str, market: str, symbol: str) -> Series:
        """The series of a symbol. InvalidRequest if the symbol is not valid."""
        return self._markets.series(symbol, exchange, market)

    async def page(self, series: Series, wanted: Selection) -> CandlePage:
        """The whole candles of a selection, after a sync where one is due."""
        sync = await self._sync(series, wanted.window) if self._sync_on_read else None
        return replace(await self.stored_page(series, wanted), sync=sync)

    async def stored_page(self, series: Series, wanted: Selection) -> CandlePage:
        """The whole candles of a selection; nothing of a series that is not stored."""
        known = await self._queries.known(series)
        if not known.held:
            return CandlePage()
        candles = await self._whole_candles(series, wanted, known)
        return CandlePage(candles, True, not known.lacking(told(wanted, known, candles)))

    async def listed(
        self, exchange: str, market: str, symbols: Collection[str] | None = None
    ) -> list[Instrument]:
        """The stored instruments of a market, by symbol; with `sync_on_read` all that the exchange lists.

        If `symbols` (in our spelling) are given, only those. Symbols that cannot be split into base and quote
        are left out: no venue's list can show them.
        """
        if symbols is None:
            marks = await self._catalogue.held(exchange, market)
        else:
            marks = await self._catalogue.held_of([Series(exchange, market, symbol) for symbol in symbols])
        stored = [each for each in await self._catalogue.instruments(marks) if each.quote]
        listings = await self._listings(exchange, market, symbols) if self._sync_on_read else {}
        if stored:
            await self._wait_for_states(exchange, market)
        source = self._markets.named(exchange, market)
        instruments = {symbol: of_listing(listing) for symbol, listing in listings.items()} | {
            each.symbol: replace(each, status=source.known_status(each.symbol)) for each in stored
        }
        return [instruments[symbol] for symbol in sorted(instruments)]

    async def stored(self) -> list[Series]:
        """Every series of which something is held."""
        markets = self._markets.names()
        return [series for market in markets for series in await self._catalogue.held(*market)]

    async def instrument(self, series: Series) -> Instrument | None:
        """What is known of a stored series, None of any other."""
        instruments = await self._catalogue.instruments(await self._catalogue.held_of([series]))
        return instruments[0] if instruments else None

    async def _whole_candles(self, series: Series, wanted: Selection, known: Coverage) -> Columns:
        broken = missing_in(wanted, known)
        limit = wanted.limit
        more = MOST_BROKEN * len(broken)
        asked = wanted if limit is None else replace(wanted, limit=limit + more)
        opened = OpenSelection(series, on_grid(asked, known.known_until), known)
        async with aclosing(self._queries.read(opened)) as batches:
            whole = [without(batch, wanted.interval, broken) async for batch in batches]
        candles = joined(whole) if whole else NOTHING
        if limit is None:
            return candles
        return candles[-limit:] if wanted.newest else candles[:limit]

    async def _sync(self, series: Series, window: Window) -> str | None:
        """If `window` needs it, sync the series as `POST /api/sync` does, and wait for a while."""
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

    async def _listings(
        self, exchange: str, market: str, symbols: Collection[str] | None
    ) -> Mapping[str, Listing]:
        """The exchange's list; empty if it does not answer in time."""
        listings = await self._listed_by(exchange, market, SYNC_SECONDS)
        return listings if symbols is None else {one: listings[one] for one in symbols if one in listings}

    async def _wait_for_states(self, exchange: str, market: str) -> None:
        """Only once in the life of the process. Later the old copy answers, and is refreshed in the
        background."""
        if (exchange, market) not in self._waited:
            self._waited.add((exchange, market))
            await self._listed_by(exchange, market, LISTING_SECONDS)

    async def _listed_by(self, exchange: str, market: str, seconds: float) -> Mapping[str, Listing]:
        try:
            return await asyncio.wait_for(self._markets.named(exchange, market).symbols(), seconds)
        except (ExchangeError, TimeoutError):
            return {}


def _is_behind(known: Coverage, window: Window, closed: int) -> bool:
    """Whether minutes of `window` have closed since the last sync, or nothing is held at all."""
    return not known.held or known.known_until < min(window.end, closed)
