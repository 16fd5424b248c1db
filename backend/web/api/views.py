"""How values look in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from backend.clock import LATEST, iso
from backend.core.coverage import Absence, Coverage, Void
from backend.core.coverage_map import REASONS, CoverageMap, letters
from backend.core.coverage_map import coverage_map as map_of
from backend.core.follow import Standing
from backend.core.interval import INTERVALS
from backend.core.job import Job
from backend.core.series import Listing, Series, series_text
from backend.core.statistics import Statistics
from backend.core.symbol_pair import split_symbol
from backend.core.windows import MINUTE, Spans, Window, count_minutes, intersect
from backend.services.ports import Revision
from backend.services.reading.catalogue import Stored
from backend.services.syncing.audit import Audit
from backend.services.syncing.file_import import Taken
from backend.services.syncing.removal import Removed
from backend.services.syncing.sync import SyncResult

MOST_WINDOWS = 1000
ALL_TIME = Window(0, LATEST)


def statistics(found: Statistics) -> dict[str, object]:
    return {
        "symbol": found.series.symbol,
        "exchange": found.series.exchange,
        "market": found.series.market,
        "total_records": found.total_records,
        "first_record": _iso(found.first_record),
        "last_record": _iso(found.last_record),
        "expected_records": found.expected_records,
        "missing_records": found.missing_records,
        "void_records": found.void_records,
        "complete": not found.missing_records,
    }


def stored(found: Stored) -> dict[str, object]:
    """A series in the list of all that is stored."""
    known = found.statistics
    return {
        "exchange": known.series.exchange,
        "market": known.series.market,
        "symbol": known.series.symbol,
        "first_record": _iso(known.first_record),
        "last_record": _iso(known.last_record),
        "total_records": known.total_records,
        "missing_records": known.missing_records,
        "void_records": known.void_records,
        "complete": bool(known.total_records and not known.missing_records),
        "bytes_on_disk": found.size.bytes_on_disk,
        "measured": _iso(found.size.measured),
    }


def coverage(known: Coverage, window: Window = ALL_TIME) -> dict[str, object]:
    """All that the ledger says: what was asked for, what is held, void and missing of it; windows are those
    within `window`, and it is told where there are more than are listed."""
    expected = known.expected
    held = known.held.count(expected)
    missing_spans = known.lacking(known.expected)
    inside = Window(max(expected.start, window.start), min(expected.end, window.end))
    lists = [
        [_window(*one) for one in islice(known.held.windows(inside), MOST_WINDOWS + 1)],
        [_window(*one) for one in intersect(missing_spans, window)[: MOST_WINDOWS + 1]],
        [_void(void) for void in islice(known.void_windows(window), MOST_WINDOWS + 1)],
    ]
    return {
        "since": _iso(known.since),
        "until": _iso(known.until and known.until - MINUTE),
        "first_candle": _iso(known.first_candle),
        "complete": not missing_spans,
        "held_records": held,
        "held_percent": _percent(held, expected.minutes),
        "held": lists[0][:MOST_WINDOWS],
        "missing_records": count_minutes(missing_spans),
        "missing": lists[1][:MOST_WINDOWS],
        "missing_percent": _percent(count_minutes(missing_spans), expected.minutes),
        "void_records": known.count_absent(expected),
        "void": lists[2][:MOST_WINDOWS],
        "truncated": any(len(one) > MOST_WINDOWS for one in lists),
    }


def coverage_map(found: CoverageMap) -> dict[str, object]:
    """A map as columns."""
    columns = {"open_time": found.open_times, "held": found.held, "missing": found.missing}
    columns |= dict(zip(REASONS, found.void, strict=True))
    return {name: column.tolist() for name, column in columns.items()}


def weeks(series: Series, known: Coverage) -> dict[str, object]:
    """A letter for each week that was asked for, from the first one on."""
    found = map_of(known, INTERVALS["1w"], ALL_TIME)
    start = int(found.open_times[0]) if len(found.open_times) else None
    return {"series": series_text(series), "start": start, "states": letters(found)}


def audit(found: Audit) -> dict[str, object]:
    """What an audit found."""
    return {
        "symbol": found.series.symbol,
        "exchange": found.series.exchange,
        "market": found.series.market,
        "stored_records": count_minutes(found.stored),
        "drift": bool(found.lost or found.unclaimed),
        "lost_records": count_minutes(found.lost),
        "lost": [_window(*window) for window in found.lost[:MOST_WINDOWS]],
        "unclaimed_records": count_minutes(found.unclaimed),
        "unclaimed": [_window(*window) for window in found.unclaimed[:MOST_WINDOWS]],
    }


def taken(found: Taken) -> dict[str, object]:
    """What came of a file."""
    return {
        "symbol": found.series.symbol,
        "exchange": found.series.exchange,
        "market": found.series.market,
        "candles": found.imported.candles,
        "new_records": found.imported.new_records,
        "held_before": found.imported.held_before,
        "remark": found.remark,
    }


def removed(found: Removed) -> dict[str, object]:
    """What goes with a deletion, or went."""
    series, window = found.series, found.window
    return {
        "symbol": series.symbol,
        "exchange": series.exchange,
        "market": series.market,
        "start_time": _iso(window and window.start),
        "end_time": _iso(window and window.end - MINUTE),
        "candles": found.candles,
        "revisions": found.revisions,
        "follows": found.follows,
        "jobs": found.jobs,
        "bytes_on_disk": found.bytes_on_disk,
    }


def revision(found: Revision) -> dict[str, object]:
    """A candle's values before and after, and when the change was seen."""
    return {
        "open_time": found.open_time,
        "timestamp": iso(found.open_time),
        "seen": iso(found.at),
        "before": found.before,
        "after": found.after,
    }


def listing(found: Listing, stored: bool) -> dict[str, object]:
    """A symbol that an exchange lists; `native` is the venue's own spelling."""
    return {
        "symbol": found.symbol,
        "native": found.native,
        "base": found.base,
        "quote": found.quote,
        "status": found.status,
        "listed": _iso(found.listed),
        "stored": stored,
    }


def unlisted(symbol: str) -> dict[str, object]:
    """A stored symbol that its exchange does not list (any more); halves and spelling by the symbol alone."""
    base, quote = split_symbol(symbol) or (symbol, "")
    return {
        "symbol": symbol,
        "native": None,
        "base": base,
        "quote": quote,
        "status": "unlisted",
        "listed": None,
        "stored": True,
    }


def missing(spans: Spans) -> dict[str, object]:
    """How many minutes are missing and the first windows of them, bounds inclusive of open times."""
    return {
        "missing_records": count_minutes(spans),
        "missing": [_window(start, end) for start, end in spans[:MOST_WINDOWS]],
    }


def absent(minutes: int, found: Sequence[Absence]) -> dict[str, object]:
    """How many minutes the exchange does not have and the first windows of them, each with its reason."""
    return {
        "void_records": minutes,
        "void": [_window(*absence.window) | {"reason": absence.reason} for absence in found[:MOST_WINDOWS]],
    }


def sync_result(result: SyncResult) -> dict[str, object]:
    """How a sync ended, and what is known since."""
    return {
        "new_records": result.tally.new_records,
        "revised_records": result.tally.revised_records,
        "statistics": statistics(result.statistics),
        "complete": not result.missing,
        **missing(result.missing),
        **absent(result.absent_minutes, result.absent),
        "off_grid_rows": result.tally.off_grid,
        "contradictory_rows": result.tally.contradictory,
        "archive_files": result.tally.archive_files,
        "notes": result.notes,
    }


def job(found: Job) -> dict[str, object]:
    """How a job stands. Its window is what was asked for until it has begun, then what that came to."""
    request, tally, failure = found.request, found.tally, found.failure
    start, end = found.window or (request.start, request.end)
    left = found.seconds_left
    return {
        "id": found.id,
        "status": found.status,
        "cancelling": found.cancelling and not found.over,
        "symbol": request.series.symbol,
        "exchange": request.series.exchange,
        "market": request.series.market,
        "refresh": request.refresh,
        "start_time": _iso(start),
        "end_time": _iso(end and end - MINUTE),
        "minutes_done": tally.minutes_done,
        "minutes_total": tally.minutes_total,
        "candles_per_second": found.rate,
        "seconds_left": None if left is None else round(left, 1),
        "new_records": tally.new_records,
        "revised_records": tally.revised_records,
        "off_grid_rows": tally.off_grid,
        "contradictory_rows": tally.contradictory,
        "archive_files": tally.archive_files,
        "notes": found.notes,
        "requests": tally.requests,
        "retries": tally.retries,
        "rate_limit_waits": tally.waits,
        "rate_limit_seconds": tally.waited,
        "created": iso(found.created),
        "started": _iso(found.started),
        "finished": _iso(found.finished),
        "error": failure and {"code": failure.code, "message": failure.message},
    }


def job_path(found: Job) -> str:
    """Where a job can be asked for, below the base path."""
    return f"/api/jobs/{found.id}"


def follow(found: Standing) -> dict[str, object]:
    """How a follow stands, and what it came to."""
    wish = found.follow
    return {
        "series": series_text(wish.series),
        "symbol": wish.series.symbol,
        "exchange": wish.series.exchange,
        "market": wish.series.market,
        "since": _iso(wish.since),
        "state": found.state,
        "source": wish.source,
        "last_record": _iso(found.last_minute),
        "lag_seconds": None if found.lag is None else found.lag // 1000,
        "checked": _iso(wish.checked),
        "failures": wish.failures,
        "error": wish.failure and {"code": wish.failure.code, "message": wish.failure.message},
        "new_records": wish.new_candles,
        "healed_records": wish.healed,
        "reconnects": wish.reconnects,
    }


def _void(void: Void) -> dict[str, object]:
    about = {"reason": void.reason, "confirmed": iso(void.confirmed), "ask_again": _iso(void.ask_again)}
    return _window(*void.window) | about


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 4) if whole else 100.0


def _window(start: int, end: int) -> dict[str, object]:
    return {"start_time": iso(start), "end_time": iso(end - MINUTE), "minutes": (end - start) // MINUTE}


def _iso(moment: int | None) -> str | None:
    return None if moment is None else iso(moment)
