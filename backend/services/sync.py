"""The main job: work out which minutes a series lacks, fetch exactly those, and say what is known then.

Time is the cursor and the ledger is the checkpoint: a sync that stopped anywhere goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias
from weakref import WeakValueDictionary

from backend.core.coverage import (
    Absence,
    Coverage,
    Spans,
    Void,
    Window,
    count_minutes,
    void_before_listing,
    void_without_data,
)
from backend.core.plan import closed_until, rechecked
from backend.core.series import Series
from backend.errors import Interrupted, MarketDataError
from backend.services.audit import Audit, Auditor
from backend.services.backfill import Backfill, Progress
from backend.services.brake import Brake
from backend.services.bulk import Bulk, BulkResult
from backend.services.ledger import Ledger
from backend.services.markets import Markets
from backend.services.ports import CandleSource, CandleStore, CoverageStore
from backend.services.queries import Statistics, statistics_of

log = logging.getLogger(__name__)


Select: TypeAlias = Callable[[Coverage, Window, int], Spans]
"""From what is known, what is wanted and the exchange's time to the minutes to ask for."""


def no_progress(_progress: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How a sync ended. `error` says why it did not read all that it meant to, None when it did.

    `window` is what was wanted, `revised_records` counts stored candles that read differently now, `absent`
    is what the exchange does not have since its listing, `off_grid` counts rows that were left out because
    they do not open on a whole minute. `files` counts files of the exchange's public archive, `notes` tell
    of those that did not do.
    """

    statistics: Statistics
    window: Window
    new_records: int
    revised_records: int
    off_grid: int
    absent: tuple[Absence, ...]
    missing: Spans
    error: MarketDataError | None
    files: int = 0
    notes: tuple[str, ...] = ()

    @property
    def shortfall(self) -> str:
        """What an incomplete sync means for the user."""
        symbol = self.statistics.series.symbol
        if not self.missing:
            return f"not all minutes of {symbol} could be read again: {self.error}"
        return (
            f"{count_minutes(self.missing)} minutes of {symbol} are still missing: {self.error}. "
            "What came is stored; sync again to fetch only the rest"
        )


class SyncService:
    """Syncs series, one sync a series at a time: a second one waits, and then finds little left to do."""

    def __init__(
        self,
        markets: Markets,
        candles: CandleStore,
        coverage: CoverageStore,
        *,
        sync_start: int,
        pages_in_flight: int,
        settle_seconds: int = 0,
        recheck_minutes: int = 0,
        bulk: Bulk | None = None,
    ) -> None:
        self._markets = markets
        self._candles = candles
        self._coverage = coverage
        self._auditor = Auditor(candles, coverage)
        self._sync_start = sync_start
        self._pages_in_flight = pages_in_flight
        self._settle_ms = settle_seconds * 1000
        self._recheck_minutes = recheck_minutes
        self._locks: WeakValueDictionary[Series, asyncio.Lock] = WeakValueDictionary()
        self._api_alone = Bulk({}, candles)
        self._bulk = bulk or self._api_alone
        self._running: set[Backfill | Brake] = set()
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False

    async def sync(
        self,
        series: Series,
        start: int | None = None,
        end: int | None = None,
        on_progress: Callable[[Progress], None] = no_progress,
    ) -> SyncResult:
        """Fetch what is missing of the minutes that open in `[start, end)`, both on the minute grid.

        Without `start`: from where the series was first asked for, at the very first from the default start.
        `end` is cut at the last minute that is closed by the exchange's clock and has settled. A top-up reads
        the newest stored minutes once more. Raises MarketDataError when it cannot begin (an unknown symbol,
        an exchange or a database that is away); once begun, what goes wrong is told in the result, because
        what came before is stored.
        """

        def missing(known: Coverage, wanted: Window, now: int) -> Spans:
            return rechecked(known.missing(wanted, now), wanted, known.held, self._recheck_minutes)

        return await self._alone(series, start, end, on_progress, missing, self._bulk)

    async def refresh(
        self,
        series: Series,
        start: int,
        end: int,
        on_progress: Callable[[Progress], None] = no_progress,
    ) -> SyncResult:
        """Read the minutes that open in `[start, end)` again, stored or not. Otherwise as `sync`."""
        return await self._alone(series, start, end, on_progress, Coverage.readable, self._api_alone)

    async def _alone(
        self,
        series: Series,
        start: int | None,
        end: int | None,
        on_progress: Callable[[Progress], None],
        select: Select,
        bulk: Bulk,
    ) -> SyncResult:
        lock = self._locks.setdefault(series, asyncio.Lock())
        self._active += 1
        self._idle.clear()
        try:
            async with lock:
                return await self._sync(series, start, end, on_progress, select, bulk)
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()

    async def verify(self, series: Series) -> Audit:
        """Recount the series against its ledger, with no sync of it under way. Raises as `Auditor.audit`."""
        async with self._locks.setdefault(series, asyncio.Lock()):
            return await self._auditor.audit(series)

    async def stop(self, seconds: float) -> None:
        """Let every sync finish its pages in flight and end with what it has; wait at most `seconds`."""
        self._stopping = True
        for running in self._running:
            running.pull(_interruption()) if isinstance(running, Brake) else running.halt(_interruption())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)

    async def _sync(
        self,
        series: Series,
        start: int | None,
        end: int | None,
        on_progress: Callable[[Progress], None],
        select: Select,
        bulk: Bulk,
    ) -> SyncResult:
        if self._stopping:
            raise _interruption()
        source = self._markets.source(series)
        ledger = await Ledger.load(self._coverage, series)
        now = await source.now()
        wanted = self._wanted(ledger.coverage, start, end, now)
        learnt = await self._listing(series, source, ledger.coverage, wanted, now)
        if wanted.minutes:
            await self._candles.create(series)
            await ledger.record(lambda known: known.asked(wanted).with_voids(learnt))
        brake = Brake()
        self._running.add(brake)
        try:
            missing = ledger.coverage.missing(wanted, now)
            brought = await bulk.run(series, missing, ledger, now, brake, on_progress)
        finally:
            self._running.discard(brake)
        chosen = select(ledger.coverage, wanted, now)
        told = brought.added_to(on_progress)
        backfill = Backfill(series, source, self._candles, ledger, chosen, now, told)
        if brake.reason:
            backfill.halt(brake.reason)
        await self._run(backfill)
        log.info("%s: %d new candles", series.name, brought.new_records + backfill.new_records)
        return _result(series, ledger.coverage, wanted, now, backfill, brought)

    def _wanted(self, known: Coverage, start: int | None, end: int | None, now: int) -> Window:
        begin = start if start is not None else self._sync_start if known.since is None else known.since
        closed = closed_until(now - self._settle_ms)
        return Window(begin, max(begin, closed if end is None else min(end, closed)))

    async def _listing(
        self, series: Series, source: CandleSource, known: Coverage, wanted: Window, now: int
    ) -> list[Void]:
        """Ask once for the first candle ever: nothing before it is asked for page by page."""
        if known.first_candle is not None:
            return []
        first = await source.first_candle(series.symbol)
        return [void_without_data(wanted, now) if first is None else void_before_listing(first, now)]

    async def _run(self, backfill: Backfill) -> None:
        if self._stopping:
            backfill.halt(_interruption())
        self._running.add(backfill)
        try:
            await backfill.run(self._pages_in_flight)
        finally:
            self._running.discard(backfill)


def _result(
    series: Series, known: Coverage, wanted: Window, now: int, backfill: Backfill, brought: BulkResult
) -> SyncResult:
    missing = known.missing(wanted, now)
    return SyncResult(
        statistics=statistics_of(series, known),
        window=wanted,
        new_records=brought.new_records + backfill.new_records,
        revised_records=brought.revised_records + backfill.revised_records,
        off_grid=backfill.off_grid,
        absent=known.absent(wanted),
        missing=missing,
        error=backfill.error if backfill.unfinished else None,
        files=brought.files,
        notes=brought.notes,
    )


def _interruption() -> Interrupted:
    return Interrupted("the service was told to stop")
