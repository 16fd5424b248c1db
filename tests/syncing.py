"""Syncs without a job around them: the ledger is held, the work is done, the result is at hand."""

from __future__ import annotations

from backend.core.coverage import Coverage
from backend.core.job import Job, SyncRequest, Tally
from backend.core.series import Series
from backend.core.windows import Window
from backend.services.ports import CoverageStore
from backend.services.service import Service
from backend.services.syncing.stop_signal import StopSignal
from backend.services.syncing.sync import OnProgress, SyncResult, result_of

PATIENCE = 60.0
"""Seconds to wait for another holder of the series."""


def no_progress(_window: Window, _tally: Tally) -> None:
    """Tell nobody."""


async def sync(
    service: Service,
    series: Series,
    start: int | None = None,
    end: int | None = None,
    *,
    refresh: bool = False,
    on_progress: OnProgress = no_progress,
) -> SyncResult:
    """What a job of this request would do."""
    async with service.syncing.ledgers.hold(series, PATIENCE) as ledger:
        request = SyncRequest(series, start, end, refresh)
        ended = await service.syncing.syncs.sync(ledger, request, on_progress, StopSignal())
        return result_of(series, ledger.coverage, ended)


async def run_job(service: Service, series: Series, start: int | None = None, end: int | None = None) -> Job:
    """Ask for a sync as a client does, and wait until the job is over."""
    [submitted] = await service.jobs.submit([SyncRequest(series, start, end)])
    return await service.jobs.wait(submitted.id)


async def save_ledger(store: CoverageStore, series: Series, coverage: Coverage) -> None:
    """Make the ledger say something, as if a sync had."""
    lease = await store.acquire(series, "tests", 60)
    assert lease is not None
    assert await store.save(lease, coverage)
    await store.release(lease)
