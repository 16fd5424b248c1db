"""How syncs, jobs, follows, files and listings look in JSON."""

from __future__ import annotations

from backend.clock import iso
from backend.core.coverage import Absence
from backend.core.follow import Standing
from backend.core.job import Job
from backend.core.series import Listing, series_text
from backend.core.symbol_pair import split_symbol
from backend.core.windows import MINUTE, count_minutes
from backend.services.syncing.file_import import Taken
from backend.services.syncing.sync import SyncResult
from backend.web.api import common_shapes, sync_shapes
from backend.web.api.common_views import MOST_WINDOWS, failure_shape, maybe_iso, window_shape
from backend.web.api.stored_views import statistics


def taken(file: Taken) -> sync_shapes.Taken:
    """The result of an import."""
    return sync_shapes.Taken(
        symbol=file.series.symbol,
        exchange=file.series.exchange,
        market=file.series.market,
        candles=file.imported.candles,
        new_records=file.imported.new_records,
        held_before=file.imported.held_before,
        remark=file.remark,
    )


def listing(symbol: Listing, stored: bool) -> sync_shapes.Listing:
    """A symbol that an exchange lists; `native` is the venue's own spelling."""
    return sync_shapes.Listing(
        symbol=symbol.symbol,
        native=symbol.native,
        base=symbol.base,
        quote=symbol.quote,
        status=symbol.status,
        listed=maybe_iso(symbol.listed),
        stored=stored,
    )


def unlisted(symbol: str) -> sync_shapes.Listing:
    """A stored symbol that its exchange does not list (any more); halves and spelling by the symbol alone."""
    base, quote = split_symbol(symbol) or (symbol, "")
    return sync_shapes.Listing(
        symbol=symbol,
        native=None,
        base=base,
        quote=quote,
        status="unlisted",
        listed=None,
        stored=True,
    )


def sync(job: Job, result: SyncResult) -> sync_shapes.Sync:
    """The result of a sync, and the first windows that are missing and void after it."""
    series, tally = job.request.series, result.tally
    return sync_shapes.Sync(
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        job=job.id,
        new_records=tally.new_records,
        revised_records=tally.revised_records,
        statistics=statistics(result.statistics),
        complete=not result.missing,
        missing_records=count_minutes(result.missing),
        missing=[window_shape(*one) for one in result.missing[:MOST_WINDOWS]],
        void_records=result.absent_minutes,
        void=[_absence(one) for one in result.absent[:MOST_WINDOWS]],
        off_grid_rows=tally.off_grid,
        contradictory_rows=tally.contradictory,
        archive_files=tally.archive_files,
        notes=list(result.notes),
    )


def job(state: Job) -> sync_shapes.Job:
    """The state of a job. Before the job starts, its window is the request's; then it is the real one."""
    request, tally, failure = state.request, state.tally, state.failure
    start, end = state.window or (request.start, request.end)
    left = state.seconds_left
    return sync_shapes.Job(
        id=state.id,
        status=state.status,
        cancelling=state.cancelling and not state.over,
        symbol=request.series.symbol,
        exchange=request.series.exchange,
        market=request.series.market,
        refresh=request.refresh,
        start_time=maybe_iso(start),
        end_time=maybe_iso(end and end - MINUTE),
        minutes_done=tally.minutes_done,
        minutes_total=tally.minutes_total,
        candles_per_second=state.rate,
        seconds_left=None if left is None else round(left, 1),
        new_records=tally.new_records,
        revised_records=tally.revised_records,
        off_grid_rows=tally.off_grid,
        contradictory_rows=tally.contradictory,
        archive_files=tally.archive_files,
        notes=list(state.notes),
        requests=tally.requests,
        retries=tally.retries,
        rate_limit_waits=tally.waits,
        rate_limit_seconds=tally.waited,
        created=iso(state.created),
        started=maybe_iso(state.started),
        finished=maybe_iso(state.finished),
        error=failure_shape(failure),
    )


def job_path(job: Job) -> str:
    """The path of a job, below the base path."""
    return f"/api/jobs/{job.id}"


def follow(standing: Standing) -> sync_shapes.Follow:
    """The state of a follow, and its results."""
    wish = standing.follow
    return sync_shapes.Follow(
        series=series_text(wish.series),
        symbol=wish.series.symbol,
        exchange=wish.series.exchange,
        market=wish.series.market,
        since=maybe_iso(wish.since),
        state=standing.state,
        source=wish.source,
        last_record=maybe_iso(standing.last_minute),
        lag_seconds=None if standing.lag is None else standing.lag // 1000,
        checked=maybe_iso(wish.checked),
        failures=wish.failures,
        error=failure_shape(wish.failure),
        new_records=wish.new_candles,
        healed_records=wish.healed,
        reconnects=wish.reconnects,
    )


def _absence(void: Absence) -> common_shapes.Absence:
    start, end = void.window
    return common_shapes.Absence(iso(start), iso(end - MINUTE), (end - start) // MINUTE, void.reason)
