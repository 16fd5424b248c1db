"""How what is known of the store looks in JSON."""

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


def statistics(found: Statistics) -> stored_shapes.Statistics:
    return stored_shapes.Statistics(
        symbol=found.series.symbol,
        exchange=found.series.exchange,
        market=found.series.market,
        total_records=found.total_records,
        first_record=maybe_iso(found.first_record),
        last_record=maybe_iso(found.last_record),
        expected_records=found.expected_records,
        missing_records=found.missing_records,
        void_records=found.void_records,
        complete=not found.missing_records,
    )


def statistics_answer(found: Statistics, revisions: int) -> stored_shapes.StatisticsAnswer:
    about = stored_shapes.SeriesStatistics(**asdict(statistics(found)), revisions=revisions)
    return stored_shapes.StatisticsAnswer(statistics=about)


def stored(found: Stored) -> stored_shapes.Stored:
    """A series in the list of all that is stored."""
    known = found.statistics
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
        bytes_on_disk=found.size.bytes_on_disk,
        measured=iso(found.size.measured),
    )


def overview_row(found: Row) -> stored_shapes.OverviewRow:
    """All that an overview says of a series."""
    known, standing = found.statistics, found.standing
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
        bytes_on_disk=found.bytes_on_disk,
        start=found.strip.start,
        weeks=found.strip.weeks,
        state=standing.state if standing else None,
        lag_minutes=None if standing is None or standing.lag is None else standing.lag // MINUTE,
        source=follow.source if follow else None,
        error=failure_shape(follow.failure if follow else None),
    )


def coverage(series: Series, known: Coverage, window: Window = ALL_TIME) -> stored_shapes.Coverage:
    """All that the ledger says: what was asked for, what is held, void and missing of it; windows are those
    within `window`, and it is told where there are more than are listed."""
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
    series: Series, interval: str, found: CoverageMap, following: int | None
) -> stored_shapes.Map:
    """A map as columns."""
    void = {reason: column.tolist() for reason, column in zip(REASONS, found.void, strict=True)}
    return stored_shapes.Map(
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


def audit(found: Audit) -> stored_shapes.Audit:
    """What an audit found."""
    return stored_shapes.Audit(
        symbol=found.series.symbol,
        exchange=found.series.exchange,
        market=found.series.market,
        stored_records=count_minutes(found.stored),
        drift=bool(found.lost or found.unclaimed),
        lost_records=count_minutes(found.lost),
        lost=[window_shape(*window) for window in found.lost[:MOST_WINDOWS]],
        unclaimed_records=count_minutes(found.unclaimed),
        unclaimed=[window_shape(*window) for window in found.unclaimed[:MOST_WINDOWS]],
    )


def removed(found: Removed, *, dry_run: bool) -> stored_shapes.Removed:
    """What goes with a deletion, or went."""
    series, window = found.series, found.window
    return stored_shapes.Removed(
        dry_run=dry_run,
        symbol=series.symbol,
        exchange=series.exchange,
        market=series.market,
        start_time=maybe_iso(window and window.start),
        end_time=maybe_iso(window and window.end - MINUTE),
        candles=found.candles,
        revisions=found.revisions,
        follows=found.follows,
        jobs=found.jobs,
        bytes_on_disk=found.bytes_on_disk,
    )


def revision(found: Revision) -> stored_shapes.Revision:
    """A candle's values before and after, and when the change was seen."""
    return stored_shapes.Revision(
        open_time=found.open_time,
        timestamp=iso(found.open_time),
        seen=iso(found.at),
        before=dict(found.before),
        after=dict(found.after),
    )


def _void(found: Void) -> common_shapes.Void:
    start, end = found.window
    return common_shapes.Void(
        iso(start),
        iso(end - MINUTE),
        (end - start) // MINUTE,
        found.reason,
        iso(found.confirmed),
        maybe_iso(found.ask_again),
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 4) if whole else 100.0
