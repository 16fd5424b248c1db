"""The result of a sync's job, for the client that requested it."""

from __future__ import annotations

from typing import NamedTuple

from backend.core.job import Job
from backend.errors import MarketDataError, error_named
from backend.services.reading.queries import Queries
from backend.services.syncing.sync import SyncEnd, SyncResult, result_of


class Outcome(NamedTuple):
    """`error` is the job's error, as a sentence for the client. `result` is None if the job never began."""

    error: MarketDataError | None
    result: SyncResult | None


async def outcome_of(job: Job, queries: Queries) -> Outcome:
    """Of a job that is over: its work, and the ledger of its window now."""
    error = error_named(*job.failure) if job.failure else None
    if job.window is None:
        return Outcome(error, None)
    known = await queries.known(job.request.series)
    result = result_of(job.request.series, known, SyncEnd(job.window, job.tally, error, job.notes))
    if error is not None:
        error = error_named(error.code, result.shortfall, error.retry_after)
    return Outcome(error, result)
