"""How values look in JSON."""

from __future__ import annotations

from itertools import islice

from msgspec.structs import asdict

from backend.clock import LATEST, iso
from backend.core.coverage import Absence, Coverage, Void
from backend.core.coverage_map import REASONS, CoverageMap, letters
from backend.core.coverage_map import coverage_map as map_of
from backend.core.follow import Standing
from backend.core.interval import INTERVALS
from backend.core.job import Failure, Job
from backend.core.series import Listing, Series, series_text
from backend.core.statistics import Statistics
from backend.core.symbol_pair import split_symbol
from backend.core.windows import MINUTE, Window, count_minutes, intersect
from backend.services.ports import Revision
from backend.services.reading.catalogue import Stored
from backend.services.syncing.audit import Audit
from backend.services.syncing.file_import import Taken
from backend.services.syncing.removal import Removed
from backend.services.syncing.sync import SyncResult
from backend.web.api import shapes

MOST_WINDOWS = 1000
ALL_TIME = Window(0, LATEST)


def statistics(found: Statistics) -> shapes.Statistics:
    return shapes.Statistics(
        symbol=found.series.symbol,
        exchange=found.series.exchange,
        market=found.series.market,
        total_records=found.total_records,
        first_record=_iso(found.first_record),
        last_record=_iso(found.last_record),
        expected_records=found.expected_records,
        missing_records=found.missing_records,
        void_records=found.void_records,
        complete=not found.missing_records,
    )


def statistics_answer(found: Statistics, revisions: int) -> shapes.StatisticsAnswer:
    about = shapes.SeriesStatistics(**asdict(statistics(found)), revisions=revisions)
    return shapes.StatisticsAnswer(statistics=about)


def stored(found: Stored) -> shapes.Stored:
    """A series in the list of all that is stored."""
    known = found.statistics
    return shapes.Stored(
        exchange=known.series.exchange,
        market=known.series.market,
        symbol=known.series.symbol,
        first_record=_iso(known.first_record),
        last_record=_iso(known.last_record),
        total_records=known.total_records,
        missing_records=known.missing_records,
        void_records=known.void_records,
        complete=bool(known.total_records and not known.missing_records),
        bytes_on_disk=found.size.bytes_on_disk,
        measured=iso(found.size.measured),
    )


def coverage(series: Series, known: Coverage, window: Window = ALL_TIME) -> shapes.Coverage:
    """All that the ledger says: what was asked for, what is held, void and missing of it; windows are those
    within `window`, and it is told where there are more than are listed."""
    expected = known.expected
    held = known.held.count(expected)
    missing_spans = known.lacking(known.expected)
    inside = Window(max(expected.start, window.start), min(expected.end, window.end))
    held_windows = [_window(*one) for one in islice(known.held.windows(inside), MOST_WINDOWS + 1)]
    missing_windows = [_window(*one) for one in intersect(missing_spans, window)[: MOST_WINDOWS + 1]]
    void = [_void(one) for one in islice(known.void_windows(window), MOST_WINDOWS + 1)]
    return shapes.Coverage(
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        since=_iso(known.since),
        until=_iso(known.until and known.until - MINUTE),
        first_candle=_iso(known.first_candle),
        complete=not missing_spans,
        held_records=held,
        held_percent=_percent(held, expected.minutes),
        held=held_windows[:MOST_WINDOWS],
        missing_records=count_minutes(missing_spans),
        missing=missing_windows[:MOST_WINDOWS],
        missing_percent=_percent(count_minutes(missing_spans), expected.minutes),
        void_records=known.count_absent(expected),
        void=void[:MOST_WINDOWS],
        truncated=max(len(held_windows), len(missing_windows), len(void)) > MOST_WINDOWS,
    )


def coverage_map(series: Series, interval: str, found: CoverageMap, following: int | None) -> shapes.Map:
    """A map as columns."""
    void = {reason: column.tolist() for reason, column in zip(REASONS, found.void, strict=True)}
    return shapes.Map(
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        interval=interval,
        count=len(found.held),
        open_time=found.open_times.tolist(),
        held=found.held.tolist(),
        missing=found.missing.tolist(),
        before_listing=void["before_listing"],
        no_data=void["no_data"],
        contradictory=void["contradictory"],
        next=following,
    )


def weeks(series: Series, known: Coverage) -> shapes.Weeks:
    """A letter for each week that was asked for, from the first one on."""
    found = map_of(known, INTERVALS["1w"], ALL_TIME)
    start = int(found.open_times[0]) if len(found.open_times) else None
    return shapes.Weeks(series=series_text(series), start=start, states=letters(found))


def audit(found: Audit) -> shapes.Audit:
    """What an audit found."""
    return shapes.Audit(
        symbol=found.series.symbol,
        exchange=found.series.exchange,
        market=found.series.market,
        stored_records=count_minutes(found.stored),
        drift=bool(found.lost or found.unclaimed),
        lost_records=count_minutes(found.lost),
        lost=[_window(*window) for window in found.lost[:MOST_WINDOWS]],
        unclaimed_records=count_minutes(found.unclaimed),
        unclaimed=[_window(*window) for window in found.unclaimed[:MOST_WINDOWS]],
    )


def taken(found: Taken) -> shapes.Taken:
    """What came of a file."""
    return shapes.Taken(
        symbol=found.series.symbol,
        exchange=found.series.exchange,
        market=found.series.market,
        candles=found.imported.candles,
        new_records=found.imported.new_records,
        held_before=found.imported.held_before,
        remark=found.remark,
    )


def removed(found: Removed, *, dry_run: bool) -> shapes.Removed:
    """What goes with a deletion, or went."""
    series, window = found.series, found.window
    return shapes.Removed(
        dry_run=dry_run,
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        start_time=_iso(window and window.start),
        end_time=_iso(window and window.end - MINUTE),
        candles=found.candles,
        revisions=found.revisions,
        follows=found.follows,
        jobs=found.jobs,
        bytes_on_disk=found.bytes_on_disk,
    )


def revision(found: Revision) -> shapes.Revision:
    """A candle's values before and after, and when the change was seen."""
    return shapes.Revision(
        open_time=found.open_time,
        timestamp=iso(found.open_time),
        seen=iso(found.at),
        before=dict(found.before),
        after=dict(found.after),
    )


def listing(found: Listing, stored: bool) -> shapes.Listing:
    """A symbol that an exchange lists; `native` is the venue's own spelling."""
    return shapes.Listing(
        symbol=found.symbol,
        native=found.native,
        base=found.base,
        quote=found.quote,
        status=found.status,
        listed=_iso(found.listed),
        stored=stored,
    )


def unlisted(symbol: str) -> shapes.Listing:
    """A stored symbol that its exchange does not list (any more); halves and spelling by the symbol alone."""
    base, quote = split_symbol(symbol) or (symbol, "")
    return shapes.Listing(
        symbol=symbol,
        native=None,
        base=base,
        quote=quote,
        status="unlisted",
        listed=None,
        stored=True,
    )


def sync(found: Job, result: SyncResult) -> shapes.Sync:
    """How a sync ended, and what is known since: the first windows of what is missing and void."""
    series, tally = found.request.series, result.tally
    return shapes.Sync(
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        job=found.id,
        new_records=tally.new_records,
        revised_records=tally.revised_records,
        statistics=statistics(result.statistics),
        complete=not result.missing,
        missing_records=count_minutes(result.missing),
        missing=[_window(*one) for one in result.missing[:MOST_WINDOWS]],
        void_records=result.absent_minutes,
        void=[_absence(one) for one in result.absent[:MOST_WINDOWS]],
        off_grid_rows=tally.off_grid,
        contradictory_rows=tally.contradictory,
        archive_files=tally.archive_files,
        notes=list(result.notes),
    )


def job(found: Job) -> shapes.Job:
    """How a job stands. Its window is what was asked for until it has begun, then what that came to."""
    request, tally, failure = found.request, found.tally, found.failure
    start, end = found.window or (request.start, request.end)
    left = found.seconds_left
    return shapes.Job(
        id=found.id,
        status=found.status,
        cancelling=found.cancelling and not found.over,
        symbol=request.series.symbol,
        exchange=request.series.exchange,
        market=request.series.market,
        refresh=request.refresh,
        start_time=_iso(start),
        end_time=_iso(end and end - MINUTE),
        minutes_done=tally.minutes_done,
        minutes_total=tally.minutes_total,
        candles_per_second=found.rate,
        seconds_left=None if left is None else round(left, 1),
        new_records=tally.new_records,
        revised_records=tally.revised_records,
        off_grid_rows=tally.off_grid,
        contradictory_rows=tally.contradictory,
        archive_files=tally.archive_files,
        notes=list(found.notes),
        requests=tally.requests,
        retries=tally.retries,
        rate_limit_waits=tally.waits,
        rate_limit_seconds=tally.waited,
        created=iso(found.created),
        started=_iso(found.started),
        finished=_iso(found.finished),
        error=_failure(failure),
    )


def job_path(found: Job) -> str:
    """Where a job can be asked for, below the base path."""
    return f"/api/jobs/{found.id}"


def follow(found: Standing) -> shapes.Follow:
    """How a follow stands, and what it came to."""
    wish = found.follow
    return shapes.Follow(
        series=series_text(wish.series),
        symbol=wish.series.symbol,
        exchange=wish.series.exchange,
        market=wish.series.market,
        since=_iso(wish.since),
        state=found.state,
        source=wish.source,
        last_record=_iso(found.last_minute),
        lag_seconds=None if found.lag is None else found.lag // 1000,
        checked=_iso(wish.checked),
        failures=wish.failures,
        error=_failure(wish.failure),
        new_records=wish.new_candles,
        healed_records=wish.healed,
        reconnects=wish.reconnects,
    )


def _failure(found: Failure | None) -> shapes.Failure | None:
    return found and shapes.Failure(code=found.code, message=found.message)


def _absence(found: Absence) -> shapes.Absence:
    start, end = found.window
    return shapes.Absence(iso(start), iso(end - MINUTE), (end - start) // MINUTE, found.reason)


def _void(found: Void) -> shapes.Void:
    start, end = found.window
    return shapes.Void(
        iso(start),
        iso(end - MINUTE),
        (end - start) // MINUTE,
        found.reason,
        iso(found.confirmed),
        _iso(found.ask_again),
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 4) if whole else 100.0


def _window(start: int, end: int) -> shapes.Window:
    return shapes.Window(iso(start), iso(end - MINUTE), (end - start) // MINUTE)


def _iso(moment: int | None) -> str | None:
    return None if moment is None else iso(moment)
