"""Reading what is stored."""

from __future__ import annotations

from functools import partial
from math import inf

from backend.core.coverage import Coverage
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.statistics import Statistics, statistics_of
from backend.core.windows import Window
from backend.errors import SeriesNotStored
from backend.services.ports import CandleStore, CoverageStore, Revision, RevisionStore, ShortfallStore
from backend.services.reading.bars import Bars, Hours, on_grid, read_bars, read_bars_back
from backend.services.reading.kept_hours import HOURS, KeptHours
from backend.services.reading.validators import OpenSelection, Validator, closed_window


def _not_stored(series: Series) -> SeriesNotStored:
    return SeriesNotStored(
        f"nothing is stored of {series.symbol} ({series.exchange} {series.market}): sync it first"
    )


class Queries:
    """Statistics and candles raise SeriesNotStored for a series of which nothing is held. All may raise
    DatabaseUnavailable."""

    def __init__(
        self,
        candles: CandleStore,
        coverage: CoverageStore,
        revisions: RevisionStore,
        shortfalls: ShortfallStore,
        kept_hours: KeptHours,
    ) -> None:
        self._candles = candles
        self._coverage = coverage
        self._revisions = revisions
        self._shortfalls = shortfalls
        self._kept_hours = kept_hours

    async def statistics(self, series: Series) -> Statistics:
        statistics = statistics_of(series, await self._coverage.load(series))
        if not statistics.total_records:
            raise _not_stored(series)
        return statistics

    async def stored_symbols(self, exchange: str, market: str) -> set[str]:
        """The symbols of a market of which at least one candle is stored."""
        return await self._coverage.stored_symbols(exchange, market)

    async def revision_count(self, series: Series) -> int:
        """How many stored candles the exchange changed later."""
        return await self._revisions.count(series)

    async def revisions(self, series: Series, window: Window, limit: int) -> list[Revision]:
        """The first `limit` revisions of candles that open in `window`."""
        await self.coverage(series)
        return await self._revisions.page(series, window, limit)

    async def coverage(self, series: Series) -> Coverage:
        """The ledger of a series that was requested at least once."""
        known = await self._coverage.load(series)
        if known.since is None:
            raise _not_stored(series)
        return known

    async def open(self, series: Series, wanted: Selection) -> OpenSelection:
        """An open selection of a series that has candles.

        If a candle ends after the last question to the exchange, it is still forming: a read does not ask the
        exchange.
        """
        shortfalls = await self._shortfalls.count(series)
        known = await self._coverage.load(series)
        if not known.held:
            raise _not_stored(series)
        return OpenSelection(series, on_grid(wanted, known.known_until), known, shortfalls)

    async def bars(self, series: Series, wanted: Selection) -> Bars:
        """The wanted candles in ascending batches, the oldest batch first. Close it to stop the reading."""
        return self.read(await self.open(series, wanted))

    def read(self, opened: OpenSelection) -> Bars:
        """The same of a selection that is open."""
        return read_bars(self._candles, opened.series, opened.wanted, self._hours_of(opened))

    def read_back(self, opened: OpenSelection) -> Bars:
        """The newest batch first, each batch ascending; a `limit` counts from the newest candle."""
        return read_bars_back(self._candles, opened.series, opened.wanted, self._hours_of(opened))

    async def validator(self, opened: OpenSelection) -> Validator | None:
        """The value that shows whether an earlier answer is still right; None if that is unknown."""
        window = closed_window(opened)
        if window is None or opened.shortfalls is None:
            return None
        revisions = await self._revisions.state(opened.series, window)
        if revisions.pending:
            return None
        held = opened.known.held.within(window)
        return Validator(opened.series, window, held, revisions, opened.shortfalls)

    def _hours_of(self, opened: OpenSelection) -> Hours | None:
        """Kept hours, where a read is worth a look at them."""
        wanted = opened.wanted
        rows = inf if wanted.limit is None else wanted.limit * wanted.interval.most_minutes / 60
        if opened.shortfalls is None or min(rows, wanted.window.minutes / 60) < HOURS:
            return None
        return partial(self._kept_hours.read, opened)

    async def record_shortfall(self, series: Series) -> None:
        """A read found less than the ledger claims: all earlier validators become invalid."""
        await self._shortfalls.add(series)

    async def known(self, series: Series) -> Coverage:
        """What the ledger says of a series, even if that is nothing."""
        return await self._coverage.load(series)
