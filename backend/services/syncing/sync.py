"""The main job: find the minutes that a series lacks, fetch exactly those, and report the new state.

Time is the cursor and the ledger is the checkpoint: a sync that stopped anywhere continues from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from backend.core.coverage import Absence, Coverage
from backend.core.job import SyncRequest, Tally
from backend.core.plan import closed_until, rechecked
from backend.core.series import Series
from backend.core.statistics import Statistics, statistics_of
from backend.core.windows import MINUTE, Spans, Window, count_minutes
from backend.errors import MarketDataError, UnknownSymbol
from backend.precedence import Precedence
from backend.services.ports import CandleStore
from backend.services.syncing.archive_fill import ArchiveFill, ArchiveFillResult
from backend.services.syncing.backfill import Backfill
from backend.services.syncing.ledger import Ledger
from backend.services.syncing.markets import Markets
from backend.services.syncing.stop_signal import StopSignal
from backend.services.venue_ports import CandleSource

PASSES = 3
"""Most passes of one sync. If a sync without an end takes over a minute, another pass fetches the minutes
that have closed meanwhile."""

MOST_ABSENCES = 1_000
"""Most windows in a result. A thin market has more."""

OnProgress = Callable[[Window, Tally], None]


class SyncEnd(NamedTuple):
    """The work of a sync on `window`. `error` says why it did not finish, None if it did."""

    window: Window
    tally: Tally
    error: MarketDataError | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The result of a sync. `error` says why it did not finish, None if it did.

    `window` is the requested time. In it the exchange lacks `absent_minutes` minutes since its listing;
    `absent` are the first windows of these. `notes` are about unusable files of its public archive.
    """

    statistics: Statistics
    window: Window
    tally: Tally
    absent: tuple[Absence, ...]
    absent_minutes: int
    missing: Spans
    error: MarketDataError | None
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


def result_of(series: Series, known: Coverage, end: SyncEnd) -> SyncResult:
    """What the ledger says of a sync's window after its end."""
    window = end.window
    return SyncResult(
        statistics=statistics_of(series, known),
        window=window,
        tally=end.tally,
        absent=tuple(islice(known.absent(window), MOST_ABSENCES)),
        absent_minutes=known.count_absent(window),
        missing=known.lacking(window),
        error=end.error,
        notes=end.notes,
    )


class SyncService:
    """Syncs series whose ledger the caller holds."""

    def __init__(
        self,
        markets: Markets,
        candles: CandleStore,
        *,
        sync_start: int,
        pages_in_flight: int,
        precedence: Precedence,
        settle_seconds: int = 0,
        recheck_minutes: int = 0,
        archives: ArchiveFill | None = None,
    ) -> None:
        self._markets = markets
        self._candles = candles
        self._sync_start = sync_start
        self._pages_in_flight = pages_in_flight
        self._settle_ms = settle_seconds * 1000
        self._recheck_minutes = recheck_minutes
        self._archives = archives or ArchiveFill({}, candles)
        self._precedence = precedence

    async def sync(
        self,
        ledger: Ledger,
        request: SyncRequest,
        on_progress: OnProgress,
        stop_signal: StopSignal,
        *,
        reopen: bool = True,
    ) -> SyncEnd:
        """Fetch the missing minutes of the requested time; with `refresh` read stored minutes again too.

        Without `start`: from where the series was first asked for, at the very first from the default start.
        `end` is cut at the last minute that is closed by the exchange's clock and has settled. A top-up reads
        the newest stored minutes once more. Raises MarketDataError when it cannot begin (an unknown symbol,
        an exchange or a database that is away); once begun, what goes wrong is told in the result, because
        what came before is stored. `stop_signal` ends it at a page's edge. With `reopen` a start before the
        listing, and `refresh`, have the exchange asked for older candles once more.
        """
        source = self._markets.source(request.series)
        before = Tally()
        notes: tuple[str, ...] = ()
        for _ in range(PASSES):
            now = await source.now()
            wanted = self._wanted(ledger.coverage, request, now)
            await self._learn_listing(source, ledger, wanted, now, reopen=reopen and _reopens(request))
            told = _adding(before, on_progress)
            result = await self._pass(source, ledger, request, wanted, now, told, stop_signal)
            reopen = False
            before, notes = before + result.tally, notes + result.notes
            if request.end is not None or result.error or await source.now() - now < MINUTE:
                break
        return SyncEnd(result.window, before, result.error, notes)

    async def _pass(
        self,
        source: CandleSource,
        ledger: Ledger,
        request: SyncRequest,
        wanted: Window,
        now: int,
        on_progress: OnProgress,
        stop_signal: StopSignal,
    ) -> SyncEnd:
        if wanted.minutes:
            await self._candles.create(request.series)
            await ledger.record(lambda known: known.asked(wanted))

        def tell(tally: Tally) -> None:
            on_progress(wanted, tally)

        brought = ArchiveFillResult()
        if not request.refresh:
            missing = ledger.coverage.missing(wanted, now)
            brought = await self._archives.run(missing, ledger, now, stop_signal, tell)
        chosen = self._chosen(ledger.coverage, request, wanted, now)
        backfill = Backfill(
            source=source,
            store=self._candles,
            ledger=ledger,
            missing=chosen,
            now=now,
            on_progress=lambda tally: tell(brought.tally + tally),
            stop_signal=stop_signal,
            precedence=self._precedence,
        )
        await backfill.run(self._pages_in_flight)
        error = backfill.error if backfill.unfinished else None
        tally = brought.tally + backfill.tally
        return SyncEnd(wanted, tally, error, brought.notes)

    def _wanted(self, known: Coverage, request: SyncRequest, now: int) -> Window:
        begin = request.start
        if begin is None:
            begin = self._sync_start if known.since is None else known.since
        closed = closed_until(now - self._settle_ms)
        return Window(begin, max(begin, closed if request.end is None else min(request.end, closed)))

    async def _learn_listing(
        self, source: CandleSource, ledger: Ledger, wanted: Window, now: int, *, reopen: bool
    ) -> None:
        """Ask for the first candle ever. No page is fetched before it.

        The answer is asked for again when it is due, or at once with `reopen`. If the exchange cannot answer,
        nothing is learnt, and the pages decide. If it no longer knows the symbol, its archive may have it. A
        symbol is unknown if both refuse it.
        """
        known = ledger.coverage.listing
        if known:
            is_due = reopen or known.ask_again is None or known.ask_again <= now
            if wanted.start >= known.window.end or not is_due:
                return
        try:
            first = await source.first_candle(ledger.series.symbol, known.window.end if known else None)
        except UnknownSymbol:
            missing = ledger.coverage.missing(wanted, now)
            if ledger.coverage.held or await self._archives.has_any(ledger.series, missing, now):
                return
            raise
        if first is not None and wanted.minutes:
            await ledger.record(lambda coverage: coverage.with_listing(first, now))

    def _chosen(self, known: Coverage, request: SyncRequest, wanted: Window, now: int) -> Spans:
        if request.refresh:
            return known.listed(wanted)
        return rechecked(known.missing(wanted, now), wanted, known.held, self._recheck_minutes)


def _reopens(request: SyncRequest) -> bool:
    return request.refresh or request.start is not None


def _adding(before: Tally, on_progress: OnProgress) -> OnProgress:
    return lambda window, tally: on_progress(window, before + tally)
