"""The shapes of answers about the store: statistics, coverage, audits, revisions. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from backend.core.follow import Source, State
from backend.core.interval import INTERVALS
from backend.web.api.common_shapes import (
    Answer,
    Complete,
    Count,
    Failure,
    FirstRecord,
    LastRecord,
    MissingRecords,
    Moment,
    Next,
    NextName,
    Shape,
    TotalRecords,
    Void,
    VoidRecords,
    Window,
)


class Statistics(Shape):
    """What is stored of a series."""

    symbol: str
    exchange: str
    market: str
    total_records: TotalRecords
    first_record: FirstRecord
    last_record: LastRecord
    expected_records: Annotated[
        Count, Meta(description="Minutes that the exchange should have, of all that was ever asked for")
    ]
    missing_records: MissingRecords
    void_records: VoidRecords
    complete: Complete


class SeriesStatistics(Statistics):
    """What is stored of a series, and how many of its candles the exchange later told differently."""

    revisions: Count


class StatisticsAnswer(Answer, kw_only=True):
    statistics: SeriesStatistics


class Stored(Shape):
    """A series in the list of all that is stored."""

    exchange: str
    market: str
    symbol: str
    first_record: FirstRecord
    last_record: LastRecord
    total_records: TotalRecords
    missing_records: MissingRecords
    void_records: VoidRecords
    complete: Complete
    bytes_on_disk: Count
    measured: Annotated[Moment, Meta(description="When `bytes_on_disk` was measured")]


class StoredAnswer(Answer, kw_only=True):
    count: Count
    series: list[Stored]
    next: NextName


class Coverage(Answer, kw_only=True):
    """All that the ledger says of a series: what was asked for, and what of it is held, missing and void."""

    symbol: str
    exchange: str
    market: str
    since: Moment | None
    until: Annotated[Moment | None, Meta(description="The last open time that anybody asked for")]
    first_candle: Annotated[Moment | None, Meta(description="The first candle ever at the exchange")]
    complete: Complete
    held_records: Annotated[Count, Meta(description="Minutes that are stored")]
    held_percent: float
    held: list[Window]
    missing_records: MissingRecords
    missing: list[Window]
    missing_percent: float
    void_records: VoidRecords
    void: list[Void]
    truncated: Annotated[bool, Meta(description="Whether one of the lists ends before its end")]


class Map(Answer, kw_only=True):
    """A map of a series in columns: so many minutes in each bucket."""

    symbol: str
    exchange: str
    market: str
    interval: Annotated[str, Meta(extra_json_schema={"enum": list(INTERVALS)})]
    count: Count
    open_time: list[int]
    held: list[Count]
    missing: list[Count]
    before_listing: list[Count]
    no_data: list[Count]
    contradictory: list[Count]
    next: Next


class OverviewRow(Shape):
    """A series that is stored or followed, on one line."""

    exchange: str
    market: str
    symbol: str
    first_record: FirstRecord
    last_record: LastRecord
    total_records: TotalRecords
    missing_records: MissingRecords
    void_records: VoidRecords
    bytes_on_disk: Annotated[Count, Meta(description="As it was measured last, beside the answers")]
    start: Annotated[int | None, Meta(description="Where the first of `weeks` opens")]
    weeks: Annotated[
        str,
        Meta(
            pattern="^[fvpm-]*$",
            description="A letter a week: `f` all held, `v` the rest is void, `p` a part is missing, `m` all "
            "is missing, `-` older than the listing",
        ),
    ]
    state: Annotated[State | None, Meta(description="How its follow stands; null: it is not followed")]
    lag_minutes: Annotated[
        Count | None, Meta(description="Whole minutes since the end of what is known, of what is followed")
    ]
    source: Annotated[Source | None, Meta(description="Where its newest candles come from")]
    error: Annotated[Failure | None, Meta(description="Why the last visits of its follow failed")]


class OverviewAnswer(Answer, kw_only=True):
    count: Count
    series: list[OverviewRow]
    next: NextName


class Audit(Answer, kw_only=True):
    """What an audit found: what was stored, lost and stored without being claimed."""

    symbol: str
    exchange: str
    market: str
    stored_records: Count
    drift: Annotated[bool, Meta(description="Whether ledger and store differed")]
    lost_records: Annotated[
        Count, Meta(description="Minutes that the ledger claimed and that are not stored")
    ]
    lost: list[Window]
    unclaimed_records: Annotated[
        Count, Meta(description="Minutes that are stored and that the ledger did not claim")
    ]
    unclaimed: list[Window]


class Removed(Answer, kw_only=True):
    """What goes with a deletion, or went."""

    dry_run: bool
    symbol: str
    exchange: str
    market: str
    start_time: Moment | None
    end_time: Moment | None
    candles: Count
    revisions: Count
    follows: Count
    jobs: Count
    bytes_on_disk: Count


class Revision(Shape):
    """A candle's values before and after, and when the change was seen."""

    open_time: int
    timestamp: Moment
    seen: Annotated[Moment, Meta(description="When the change was seen")]
    before: dict[str, float]
    after: dict[str, float]


class RevisionsAnswer(Answer, kw_only=True):
    symbol: str
    count: Count
    revisions: list[Revision]
    next: Next
