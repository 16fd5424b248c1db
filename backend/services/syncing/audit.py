"""The audit: counts the stored candles, compares them with the ledger, and corrects the ledger.

The database counts. A window with as many candles as minutes is whole, and a window with none is empty. Any
other window is halved until it is small enough to list its open times. So the audit of a sound series needs
one count for every half million minutes.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from backend.clock import LATEST
from backend.core.coverage import Coverage
from backend.core.minutes import Minutes
from backend.core.plan import pages
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import MINUTE, Spans, Window, normalise
from backend.errors import SeriesNotStored
from backend.services.ports import CandleStore, ShortfallStore
from backend.services.reading.kept_hours import KeptHours
from backend.services.reading.validators import OpenSelection
from backend.services.syncing.ledger import Ledgers

log = logging.getLogger(__name__)

COUNTED_AT_ONCE = 500_000
LISTED_AT_ONCE = 1_000
PATIENCE = 10.0
"""Seconds to wait for a job of the series to end."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found: minutes that are stored, claimed but lost, and stored but not claimed."""

    series: Series
    stored: Spans
    lost: Spans
    unclaimed: Spans


class Auditor:
    """Compares the ledger with the collection while no sync of the series runs."""

    def __init__(
        self, candles: CandleStore, ledgers: Ledgers, shortfalls: ShortfallStore, kept_hours: KeptHours
    ) -> None:
        self._candles = candles
        self._ledgers = ledgers
        self._shortfalls = shortfalls
        self._kept_hours = kept_hours

    async def verify(self, series: Series) -> Audit:
        """Recount, correct the ledger durably, and tell the difference.

        Raises SeriesNotStored for a series that neither ledger nor collection knows, SeriesBusy while a job
        of it runs, DatabaseUnavailable when the database is away.
        """
        async with self._ledgers.hold(series, PATIENCE) as ledger:
            stored = await self._stored(series)
            held = ledger.coverage.held
            if not stored and not held and ledger.coverage.since is None:
                raise SeriesNotStored(f"nothing is stored of {series.name}: sync it first")
            lost = Minutes.of(stored).missing_from(tuple(held))
            if lost:
                await self._shortfalls.add(series)
            if stored != held:
                await ledger.record(lambda known: corrected(known, stored))
                if lost:
                    await self._shortfalls.add(series)
                log.warning(
                    "%s: the ledger differed from the stored candles; it is corrected now: sync the series",
                    series.name,
                )
            await self._check_kept_hours(series, ledger.coverage)
            return Audit(series, stored, lost, unclaimed=held.missing_from(stored))

    async def _check_kept_hours(self, series: Series, known: Coverage) -> None:
        """Hours that are kept must be those of the minutes. Otherwise nobody uses them any more."""
        shortfalls = await self._shortfalls.count(series)
        everything = Selection(Window(0, LATEST + 1))
        if not await self._kept_hours.check(OpenSelection(series, everything, known, shortfalls)):
            await self._shortfalls.add(series)
            log.warning("%s: kept hours differed from the stored candles: they are dropped", series.name)

    async def _stored(self, series: Series) -> Spans:
        span = await self._candles.span(series)
        if span is None:
            return ()
        chunks = pages((span,), lambda _start: COUNTED_AT_ONCE)
        return normalise([window for chunk in chunks async for window in self._present(series, chunk)])

    async def _present(self, series: Series, window: Window) -> AsyncIterator[Window]:
        count = await self._candles.count(series, window)
        if count == window.minutes:
            yield window
        elif count and window.minutes <= LISTED_AT_ONCE:
            for open_time in await self._candles.open_times(series, window):
                yield Window(open_time, open_time + MINUTE)
        elif count:
            middle = window.start + window.minutes // 2 * MINUTE
            for half in (Window(window.start, middle), Window(middle, window.end)):
                async for present in self._present(series, half):
                    yield present


def corrected(known: Coverage, stored: Spans) -> Coverage:
    """A ledger that claims exactly the stored minutes. Its requested time includes the old one and all stored
    minutes."""
    honest = known.holding(stored)
    return honest.asked(Window(stored[0].start, stored[-1].end)) if stored else honest
