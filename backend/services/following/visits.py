"""A visit of a follow: it fetches the missing minutes under the lease of the series' ledger, and stores them.

It reads the pushed candles since the last visit once more, in one request: they may have changed.
"""

from __future__ import annotations

import logging
from typing import Literal, NamedTuple

from backend.clock import Clock
from backend.core.coverage import Coverage
from backend.core.follow import Follow, Visit, beginnings, confirmed_for, healed, is_silent
from backend.core.job import Failure, SyncRequest, Tally
from backend.core.plan import closed_until
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.errors import (
    Cancelled,
    DatabaseUnavailable,
    ExchangeError,
    Interrupted,
    MarketDataError,
    SeriesBusy,
    UnknownSymbol,
)
from backend.services.following.append import Appender, Edge
from backend.services.ports import FollowStore
from backend.services.syncing.ledger import Ledger, Ledgers
from backend.services.syncing.markets import Markets
from backend.services.syncing.stop_signal import OVER, StopSignal, TimedStopSignal
from backend.services.syncing.sync import SyncService
from backend.telemetry.logs import bound
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """The result of a visit. `now` is the exchange's time after it (ms), None if it failed.

    `ended` says that the series has ended at its exchange.

    `more`: older minutes are still missing. `healed` are the minutes that it brought although later ones were
    held already. A visit is skipped if it is not needed, or not possible now.
    """

    now: int | None
    failure: Failure | None = None
    healed: int = 0
    skipped: bool = False
    more: bool = False
    ended: bool = False

    @property
    def name(self) -> Literal["ok", "failed", "skipped"]:
        """What it is counted as."""
        if self.failure:
            return "failed"
        return "skipped" if self.skipped else "ok"


NOT_NOW = Outcome(None, skipped=True)
NEVER = 0
REFUSALS = 3
"""After this many refused visits in a row a symbol counts as ended."""

ENDINGS = Interrupted, Cancelled, DatabaseUnavailable
"""Errors that end a visit but are not a problem of the series."""


class Visitor:
    """Visits any follow, once."""

    def __init__(
        self,
        *,
        store: FollowStore,
        ledgers: Ledgers,
        syncs: SyncService,
        markets: Markets,
        appender: Appender,
        clock: Clock,
        settle_seconds: int,
        recheck_minutes: int,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._ledgers = ledgers
        self._syncs = syncs
        self._markets = markets
        self._appender = appender
        self._clock = clock
        self._settle_ms = settle_seconds * 1000
        self._recheck_ms = recheck_minutes * MINUTE
        self._metrics = metrics

    async def visit(self, follow: Follow, stop_signal: StopSignal, seconds: float) -> Outcome:
        """Make the follow complete. If somebody else works on the series, or will, do nothing.

        If more than the newest hour is missing, spend up to `seconds` on older minutes.
        """
        outcome = await self._outcome(follow, stop_signal, seconds)
        series = follow.series
        self._metrics.visited(series.exchange, series.market, outcome.name, outcome.healed)
        return outcome

    async def _outcome(self, follow: Follow, stop_signal: StopSignal, seconds: float) -> Outcome:
        if stop_signal.reason:
            return NOT_NOW
        name = follow.series.name
        try:
            with bound(series=name):
                visit = await self._try(
                    follow, stop_signal, TimedStopSignal(stop_signal, self._clock, seconds)
                )
                if visit:
                    await self._store.report(follow.series, visit)
                failure = visit.failure if visit else None
                now = None if failure else await self._markets.source(follow.series).now()
        except (SeriesBusy, Interrupted, Cancelled) as error:
            log.debug("%s: visit skipped: %s", name, error)
            return NOT_NOW
        except DatabaseUnavailable as error:
            log.warning("%s: visit skipped: %s", name, error)
            return NOT_NOW
        except MarketDataError as error:
            return Outcome(None, Failure(error.code, str(error), error.retry_after))
        if visit is None:
            return Outcome(now, skipped=True)
        return Outcome(now, failure, visit.healed, more=not (visit.whole or failure), ended=visit.ended)

    async def _try(self, follow: Follow, stop_signal: StopSignal, turn: TimedStopSignal) -> Visit | None:
        """How the visit went, None where there was no need of one."""
        try:
            if await self._is_kept(follow):
                return None
            async with self._ledgers.hold(follow.series) as ledger:
                return await self._sync(follow, ledger, stop_signal, turn)
        except (SeriesBusy, *ENDINGS):
            raise
        except MarketDataError as error:
            return self._failed(follow, error)
        except Exception:
            log.exception("%s: a visit failed with an unexpected error. Please report it", follow.series.name)
            return self._failed(follow, MarketDataError("an unexpected error of the service: see its log"))

    async def _is_kept(self, follow: Follow) -> bool:
        """Whether sockets brought all closed minutes, and a recent visit confirmed them."""
        edge = self._appender.edge(follow.series)
        if edge is None or edge.since != follow.since:
            return False
        now = await self._markets.source(follow.series).now()
        is_held = edge.end >= closed_until(now - self._settle_ms)
        return is_held and now - edge.visited < confirmed_for(follow.series)

    async def _sync(
        self, follow: Follow, ledger: Ledger, stop_signal: StopSignal, turn: TimedStopSignal
    ) -> Visit:
        """Read the appended minutes once more, then the newest minutes, then older ones for one turn."""
        # A visit reads pushed candles from the exchange once more before it calls them confirmed. So their
        # window is fixed here, under the lease: nobody can append while we hold it. The newest minutes come
        # before older ones; otherwise a series with years to fetch would not be live meanwhile.
        before, appended = ledger.coverage, self._appended(follow.series)
        if before.since is None and not await self._store.has(follow.series):
            raise Cancelled(f"{follow.series.name} was deleted, so nobody follows it now")
        now = await self._markets.source(follow.series).now()
        starts = beginnings(follow, before, now)
        work = [(SyncRequest(follow.series, start), stop_signal) for start in starts]
        if len(starts) > 1 or (follow.since is None and before.since is None):
            work[-1] = SyncRequest(follow.series, starts[-1]), turn
        if appended.minutes:
            start = max(before.since or 0, appended.start - self._recheck_ms)
            again = SyncRequest(follow.series, start, closed_until(now), refresh=True)
            work.insert(0, (again, stop_signal))
        new, error = appended.minutes, None
        for request, how_long in work:
            came, problem = await self._synced(ledger, request, how_long)
            new, error = new + came, error or problem
        visit = Visit(self._clock.now(), new, healed(before, ledger.coverage), whole=error is None)
        if await self._has_ended(follow, ledger.coverage, now, error):
            visit = visit._replace(whole=True, ended=True)
        elif error and error is not OVER:
            return self._failed(follow, error, visit)
        _tell_end(follow, visit)
        visited = now if visit.whole else NEVER
        self._appender.visited(follow.series, Edge(_held_to(ledger.coverage), None, visited, follow.since))
        return visit

    async def _synced(
        self, ledger: Ledger, request: SyncRequest, stop_signal: StopSignal
    ) -> tuple[int, MarketDataError | None]:
        """The number of new candles, and the error that stopped the others."""
        try:
            result = await self._syncs.sync(ledger, request, _tell_nobody, stop_signal, reopen=False)
        except UnknownSymbol as error:
            return 0, error
        if result.error is not OVER and isinstance(result.error, ENDINGS):
            raise result.error
        return result.tally.new_records, result.error

    async def _has_ended(
        self, follow: Follow, known: Coverage, now: int, error: MarketDataError | None
    ) -> bool:
        """Whether the exchange, which does not list the symbol as traded, refuses it again and again, or has
        had nothing of it for a day."""
        refused = isinstance(error, UnknownSymbol) and (follow.ended or follow.failures + 1 >= REFUSALS)
        silent = error is None and is_silent(known, now)
        if not (known.held and (refused or silent)):
            return False
        try:
            return not await self._markets.source(follow.series).is_traded(follow.series.symbol)
        except ExchangeError:
            return follow.ended

    def _appended(self, series: Series) -> Window:
        """The minutes that sockets brought since the last visit."""
        edge = self._appender.edge(series)
        return Window(edge.appended_from, edge.end) if edge and edge.appended_from else Window(0, 0)

    def _failed(self, follow: Follow, error: MarketDataError, visit: Visit | None = None) -> Visit:
        log.warning("%s: a visit of the follow failed: %s", follow.series.name, error)
        failure = Failure(error.code, str(error), error.retry_after)
        return (visit or Visit(self._clock.now()))._replace(failure=failure)


def _tell_nobody(_window: Window, _tally: Tally) -> None:
    """Nobody watches a visit."""


def _tell_end(follow: Follow, visit: Visit) -> None:
    """Log once that a series has ended, and that it is back."""
    if visit.ended and not follow.ended:
        log.warning(
            "%s: the exchange no longer has this series: the service asks once a day", follow.series.name
        )
    if follow.ended and visit.whole and not visit.ended:
        log.warning("%s: the exchange has candles of this series again", follow.series.name)


def _held_to(known: Coverage) -> int:
    return known.held.end if known.held else 0
