"""The JSON of answers about the store."""

from __future__ import annotations

from itertools import islice

from msgspec.structs import asdict

from backend.clock import iso
from backend.core.coverage import Coverage, Void
from backend.core.coverage_map import REASONS, CoverageMap
from backend.core.series import Series
from backend.core.statistics import Statistics
from backend.core.windows import MINUTE, Window, count_minutes, intersect
from backend.services.ports import Revision
from backend.services.reading.catalogue import Stored
from backend.services.reading.overview import Row
from backend.services.syncing.audit import Audit
from backend.services.syncing.removal import Removed
from backend.web.api import common_shapes, stored_shapes
from backend.web.api.common_views import ALL_TIME, MOST_WINDOWS, failure_shape, maybe_iso, window_shape


def statistics(known: Statistics) -> stored_shapes.Statistics:
    return stored_shapes.Statistics(
        symbol=known.series.symbol,
        exchange=known.series.exchange,
        market=known.series.market,
        total_records=known.total_records,
        first_record=maybe_iso(known.first_record),
        last_record=maybe_iso(known.last_record),
        expected_records=known.expected_records,
        missing_records=known.missing_records,
        void_records=known.void_records,
        complete=not known.missing_records,
    )


def statistics_answer(known: Statistics, revisions: int) -> stored_shapes.StatisticsAnswer:
    about = stored_shapes.SeriesStatistics(**asdict(statistics(known)), revisions=revisions)
    return stored_shapes.StatisticsAnswer(statistics=about)


def stored(series: Stored) -> stored_shapes.Stored:
    """A series in the list of all that is stored."""
    known = series.statistics
    return stored_shapes.Stored(
        exchange=known.series.exchange,
        market=known.series.market,
        symbol=known.series.symbol,
        first_record=maybe_iso(known.first_record),
        last_record=maybe_iso(known.last_record),
        total_records=known.total_records,
        missing_records=known.missing_records,
        void_records=known.void_records,
        complete=bool(known.total_records and not known.missing_records),
        bytes_on_disk=series.size.bytes_on_disk,
        measured=iso(series.size.measured),
    )


def overview_row(row: Row) -> stored_shapes.OverviewRow:
    """All that an overview says of a series."""
    known, standing = row.statistics, row.standing
    follow = standing.follow if standing else None
    return stored_shapes.OverviewRow(
        exchange=known.series.exchange,
        market=known.series.market,
        symbol=known.series.symbol,
        first_record=maybe_iso(known.first_record),
        last_record=maybe_iso(known.last_record),
        total_records=known.total_records,
        missing_records=known.missing_records,
        void_records=known.void_records,
        bytes_on_disk=row.bytes_on_disk,
        start=row.strip.start,
        weeks=row.strip.weeks,
        state=standing.state if standing else None,
        lag_minutes=None if standing is None or standing.lag is None else standing.lag // MINUTE,
        source=follow.source if follow else None,
        error=failure_shape(follow.failure if follow else None),
    )


def coverage(series: Series, known: Coverage, window: Window = ALL_TIME) -> stored_shapes.Coverage:
    """The ledger: the requested time, and its held, void and missing minutes. Windows are those inside
    `window`. The answer says if a list is longer than it shows."""
    expected = known.expected
    held = known.held.count(expected)
    missing_spans = known.lacking(known.expected)
    inside = Window(max(expected.start, window.start), min(expected.end, window.end))
    held_windows = [window_shape(*one) for one in islice(known.held.windows(inside), MOST_WINDOWS + 1)]
    missing_windows = [window_shape(*one) for one in intersect(missing_spans, window)[: MOST_WINDOWS + 1]]
    void = [_void(one) for one in islice(known.void_windows(window), MOST_WINDOWS + 1)]
    return stored_shapes.Coverage(
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        since=maybe_iso(known.since),
        until=maybe_iso(known.until and known.until - MINUTE),
        first_candle=maybe_iso(known.first_candle),
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


def coverage_map(
    series: Series, interval: str, counts: CoverageMap, following: int | None
) -> stored_shapes.Map:
    """A map as columns."""
    void = {reason: column.tolist() for reason, column in zip(REASONS, counts.void, strict=True)}
    return stored_shapes.Map(
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        interval=interval,
        count=len(counts.held),
        open_time=counts.open_times.tolist(),
        held=counts.held.tolist(),
        missing=counts.missing.tolist(),
        before_listing=void["before_listing"],
        no_data=void["no_data"],
        contradictory=void["contradictory"],
        next=following,
    )


def audit(result: Audit) -> stored_shapes.Audit:
    """The result of an audit."""
    return stored_shapes.Audit(
        symbol=result.series.symbol,
        exchange=result.series.exchange,
        market=result.series.market,
        stored_records=count_minutes(result.stored),
        drift=bool(result.lost or result.unclaimed),
        lost_records=count_minutes(result.lost),
        lost=[window_shape(*window) for window in result.lost[:MOST_WINDOWS]],
        unclaimed_records=count_minutes(result.unclaimed),
        unclaimed=[window_shape(*window) for window in result.unclaimed[:MOST_WINDOWS]],
    )


def removed(result: Removed, *, dry_run: bool) -> stored_shapes.Removed:
    """What a deletion removed, or would remove."""
    series, window = result.series, result.window
    return stored_shapes.Removed(
        dry_run=dry_run,
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        start_time=maybe_iso(window and window.start),
        end_time=maybe_iso(window and window.end - MINUTE),
        candles=result.candles,
        revisions=result.revisions,
        follows=result.follows,
        jobs=result.jobs,
        bytes_on_disk=result.bytes_on_disk,
    )


def revision(change: Revision) -> stored_shapes.Revision:
    """A candle's values before and after, and when the change was seen."""
    return stored_shapes.Revision(
        open_time=change.open_time,
        timestamp=iso(change.open_time),
        seen=iso(change.at),
        before=dict(change.before),
        after=dict(change.after),
    )


def _void(void: Void) -> common_shapes.Void:
    start, end = void.window
    return common_shapes.Void(
        iso(start),
        iso(end - MINUTE),
        (end - start) // MINUTE,
        void.reason,
        iso(void.confirmed),
        maybe_iso(void.ask_again),
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 4) if whole else 100.0
