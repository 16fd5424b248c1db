"""Which candles a Bitget request selects: always the newest ones before `endTime`, sent oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.simulator.archive import Archive
from tests.simulator.bitget_families import RETENTION, Family
from tests.simulator.bitget_params import Rejected, empty, instant_of, limit_of
from tests.simulator.intervals import Grid
from tests.simulator.pages import Selection

DEFAULT_LIMIT = 100
RECENT_LIMIT, HISTORY_LIMIT = 1000, 200


def recent(params: Mapping[str, str], family: Family, grid: Grid, archive: Archive) -> Selection | None:
    """Return what `candles` selects, the forming candle included; None where it reaches beyond the
    retention, which gets an empty success.

    The retention is measured at endTime - limit x step, whatever `startTime` says.
    """
    limit = limit_of(params, DEFAULT_LIMIT, RECENT_LIMIT)
    start, now = instant_of(params, "startTime"), archive.clock.now()
    end = _end(params, family, grid, archive)
    _check_span(start, end, family)
    if end - limit * grid.step < now - RETENTION[grid.step]:
        return None
    return _selection(_lower_bound(start, grid, archive), end, limit, family, grid, archive)


def history(params: Mapping[str, str], family: Family, grid: Grid, archive: Archive) -> Selection:
    """Return what `history-candles` selects: closed candles only."""
    limit = limit_of(params, DEFAULT_LIMIT, HISTORY_LIMIT)
    if family.history_needs_end and not params.get("endTime"):
        raise empty("endTime")
    rules = archive.faults.quirks.bitget
    end = _end(params, family, grid, archive)
    limit += rules.extra_candle and grid.floor(end) != end
    start = instant_of(params, "startTime") if rules.history_start else None
    lower = 0 if start is None else grid.floor(start)
    return closed(_selection(lower, end, limit, family, grid, archive), grid, archive)


def closed(wanted: Selection, grid: Grid, archive: Archive) -> Selection:
    """Return the selection without the candle that is still forming."""
    return replace(wanted, end=min(wanted.end, archive.finished_until(grid) - 1))


def _end(params: Mapping[str, str], family: Family, grid: Grid, archive: Archive) -> int:
    """Return the instant (ms UTC) before which the selected candles open."""
    end = instant_of(params, "endTime")
    if end is None:
        return archive.clock.now() + 1
    floored = archive.faults.quirks.bitget.end_floored and family.widest is not None
    return grid.floor(end) if floored else end


def _check_span(start: int | None, end: int, family: Family) -> None:
    if start is None:
        return
    if start > end:
        raise Rejected("40707", "Start time is greater than end time")
    if family.widest is not None and end - start > family.widest:
        raise Rejected("40705", "The start and end time cannot exceed 90 days")


def _lower_bound(start: int | None, grid: Grid, archive: Archive) -> int:
    rules = archive.faults.quirks.bitget
    if start is None or rules.start_ignored:
        return 0
    return grid.floor(start) + rules.start_excluded


def _selection(start: int, end: int, limit: int, family: Family, grid: Grid, archive: Archive) -> Selection:
    cap = archive.faults.page_cap or limit
    return Selection(start, end - 1, min(limit, family.longest(grid.step), cap), newest=True)
