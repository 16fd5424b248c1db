"""One look after a follow: what is missing of it is fetched under its ledger's lease, and written down."""

from __future__ import annotations

import logging
from typing import NamedTuple

from backend.clock import Clock
from backend.core.coverage import Window
from backend.core.follow import Follow, Visit, healed
from backend.core.job import Failure, SyncRequest, Tally
from backend.errors import (
    Cancelled,
    DatabaseUnavailable,
    Interrupted,
    MarketDataError,
    SeriesBusy,
)
from backend.logs import bound
from backend.services.brake import Brake
from backend.services.ledger import Ledger, Ledgers
from backend.services.markets import Markets
from backend.services.ports import FollowStore
from backend.services.sync import SyncService

log = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """How a visit went: `now` is the exchange's time after it (ms), None where it did not take place."""

    now: int | None
    failure: Failure | None = None


NOT_NOW = Outcome(None)


class Visitor:
    """Visits any follow, once."""

    def __init__(
        self, store: FollowStore, ledgers: Ledgers, syncs: SyncService, markets: Markets, clock: Clock
    ) -> None:
        self._store = store
        self._ledgers = ledgers
        self._syncs = syncs
        self._markets = markets
        self._clock = clock

    async def visit(self, follow: Follow, brake: Brake) -> Outcome:
        """Make the follow complete. Where somebody else works on the series, or is to, nothing happens."""
        if brake.reason:
            return NOT_NOW
        name = follow.series.name
        try:
            with bound(series=name):
                visit = await self._try(follow, brake)
                await self._store.report(follow.series, visit)
                now = None if visit.failure else await self._markets.source(follow.series).now()
        except (SeriesBusy, Interrupted, Cancelled) as error:
            log.debug("%s: not visited: %s", name, error)
            return NOT_NOW
        except DatabaseUnavailable as error:
            log.warning("%s: not visited: %s", name, error)
            return NOT_NOW
        except MarketDataError as error:
            return Outcome(None, Failure(error.code, str(error), error.retry_after))
        return Outcome(now, visit.failure)

    async def _try(self, follow: Follow, brake: Brake) -> Visit:
        try:
            async with self._ledgers.hold(follow.series) as ledger:
                return await self._sync(follow, ledger, brake)
        except (SeriesBusy, Interrupted, Cancelled, DatabaseUnavailable):
            raise
        except MarketDataError as error:
            return self._failed(follow, error)
        except Exception:
            log.exception("%s: a visit broke down", follow.series.name)
            return self._failed(follow, MarketDataError("something went wrong here"))

    async def _sync(self, follow: Follow, ledger: Ledger, brake: Brake) -> Visit:
        before = ledger.coverage
        request = SyncRequest(follow.series, follow.since)
        result = await self._syncs.sync(ledger, request, _tell_nobody, brake)
        visit = Visit(self._clock.now(), result.tally.new_records, healed(before, ledger.coverage), None)
        if result.error is None:
            return visit
        if isinstance(result.error, Interrupted | Cancelled | DatabaseUnavailable):
            raise result.error
        return self._failed(follow, result.error, visit)

    def _failed(self, follow: Follow, error: MarketDataError, visit: Visit | None = None) -> Visit:
        log.warning("%s: following it failed: %s", follow.series.name, error)
        failure = Failure(error.code, str(error), error.retry_after)
        return (visit or Visit(self._clock.now()))._replace(failure=failure)


def _tell_nobody(_window: Window, _tally: Tally) -> None:
    """Nobody watches a visit."""
