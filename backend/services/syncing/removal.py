"""Deletes stored candles: a whole series, or a window of one.

The order of the steps keeps the ledger true at every moment, also after a crash between two steps:

1. a whole series is followed no longer, so that nobody brings it back;
2. a shortfall is recorded, so that no validator from before it is ever answered with "not modified" again;
3. the ledger claims the minutes no longer, and another shortfall is recorded, for readers between the two;
4. revisions go, hours that were kept, of a whole series its finished jobs, and last the candles;
5. the ledger of what is left has a new mark, so that no listing tells of the candles any more.

So the ledger never claims deleted candles. After a crash there may be candles without a claim; the same call
deletes them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import NamedTuple

from backend.clock import LATEST
from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.core.windows import Window
from backend.errors import SeriesBusy, SeriesNotStored
from backend.services.following.append import Appender
from backend.services.ports import (
    CandleStore,
    CoverageStore,
    FollowStore,
    HourStore,
    JobStore,
    RevisionStore,
    ShortfallStore,
)
from backend.services.syncing.ledger import Ledger, Ledgers

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds to wait for a visit of the series to end."""

ALL_TIME = Window(0, LATEST + 1)


@dataclass(frozen=True, slots=True)
class Traces:
    """Where a series leaves traces."""

    candles: CandleStore
    coverage: CoverageStore
    revisions: RevisionStore
    shortfalls: ShortfallStore
    follows: FollowStore
    jobs: JobStore
    hours: HourStore


class Removed(NamedTuple):
    """The deleted data, or the data to delete. `window` is None for a whole series; then its follow and
    finished jobs go too.

    `bytes_on_disk` is the size of the series; for a window it is the share of its candles.
    """

    series: Series
    window: Window | None
    candles: int
    revisions: int
    follows: int
    jobs: int
    bytes_on_disk: int


class Remover:
    """Deletes series while nobody else works on them. All methods may raise DatabaseUnavailable."""

    def __init__(self, stores: Traces, ledgers: Ledgers, appender: Appender) -> None:
        self._stores = stores
        self._ledgers = ledgers
        self._appender = appender

    async def survey(self, series: Series, window: Window | None) -> Removed:
        """What `remove` would delete. Raises SeriesNotStored if that is nothing."""
        stores, within = self._stores, window or ALL_TIME
        candles = await stores.candles.count(series, within)
        in_all = candles if window is None else await stores.candles.count(series, ALL_TIME)
        size = await stores.candles.bytes_on_disk(series)
        removed = Removed(
            series,
            window,
            candles=candles,
            revisions=await stores.revisions.count(series, window),
            follows=int(window is None and await stores.follows.has(series)),
            jobs=await stores.jobs.count_over(series) if window is None else 0,
            bytes_on_disk=round(size * candles / in_all) if window and in_all else size,
        )
        known = await stores.coverage.load(series)
        if known.since is None and not size and not removed.follows and not removed.revisions:
            raise SeriesNotStored(f"nothing is stored of {series.name}, so there is nothing to delete")
        return removed

    async def remove(self, series: Series, window: Window | None) -> Removed:
        """Delete the minutes that open in `window`, or a whole series. Returns what was deleted.

        Raises SeriesNotStored, and SeriesBusy while a job of the series waits or runs.
        """
        removed = await self.survey(series, window)
        async with self._ledgers.hold(series, PATIENCE) as ledger:
            await self._refuse_beside_jobs(series)
            await self._take(ledger, window)
        self._appender.forget([series])
        log.info("%s: deleted %d candles", series.name, removed.candles)
        return removed

    async def _refuse_beside_jobs(self, series: Series) -> None:
        """Called under the lease: jobs that begin from now on wait until the lease is released."""
        if jobs := await self._stores.jobs.active_of([series]):
            raise SeriesBusy(f"job {jobs[0].id} of {series.name} is not over: wait for its end, or cancel it")

    async def _take(self, ledger: Ledger, window: Window | None) -> None:
        series, stores = ledger.series, self._stores
        if window is None:
            await stores.follows.remove(series)
        await stores.shortfalls.add(series)
        await ledger.record(lambda known: Coverage() if window is None else known.without(window))
        await stores.shortfalls.add(series)
        await stores.hours.drop(series)
        await stores.revisions.remove(series, window or ALL_TIME)
        if window is None:
            await stores.jobs.forget(series)
            await stores.candles.drop(series)
        else:
            await stores.candles.remove(series, window)
            await ledger.record(_unchanged, rewritten=True)


def _unchanged(known: Coverage) -> Coverage:
    return known
