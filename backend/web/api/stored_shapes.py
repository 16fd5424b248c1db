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
        Count,
        Meta(description="Minutes that the exchange should have, between the first and the last request"),
    ]
    missing_records: MissingRecords
    void_records: VoidRecords
    complete: Complete


class SeriesStatistics(Statistics):
    """What is stored of a series, and how many of its candles the exchange changed later."""

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
    measured: Annotated[Moment, Meta(description="Time of that measurement")]


class StoredAnswer(Answer, kw_only=True):
    count: Count
    series: list[Stored]
    next: NextName


class Coverage(Answer, kw_only=True):
    """The ledger of a series: the requested time, and its held, missing and void minutes."""

    symbol: str
    exchange: str
    market: str
    since: Moment | None
    until: Annotated[Moment | None, Meta(description="The latest open time in any request")]
    first_candle: Annotated[Moment | None, Meta(description="The exchange's first candle of this series")]
    complete: Complete
    held_records: Annotated[Count, Meta(description="Minutes that are stored")]
    held_percent: float
    held: list[Window]
    missing_records: MissingRecords
    missing: list[Window]
    missing_percent: float
    void_records: VoidRecords
    void: list[Void]
    truncated: Annotated[bool, Meta(description="`true`: one of the lists is longer than the answer")]


class Map(Answer, kw_only=True):
    """A map of a series in columns: the number of minutes in each bucket."""

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
    bytes_on_disk: Annotated[
        Count, Meta(description="From the last measurement, which runs in the background")
    ]
    start: Annotated[int | None, Meta(description="Start of the first week in `weeks`")]
    weeks: Annotated[
        str,
        Meta(
            pattern="^[fvpm-]*$",
            description="One letter for each week: `f` all minutes are held, `v` the rest is void, `p` some "
            "are missing, `m` all are missing, `-` before the listing",
        ),
    ]
    state: Annotated[State | None, Meta(description="State of its follow; null: nobody follows it")]
    lag_minutes: Annotated[
        Count | None,
        Meta(description="Whole minutes since the end of the known time; null: not followed"),
    ]
    source: Annotated[Source | None, Meta(description="Source of its newest candles")]
    error: Annotated[Failure | None, Meta(description="Reason why the last visits of its follow failed")]


class OverviewAnswer(Answer, kw_only=True):
    count: Count
    series: list[OverviewRow]
    next: NextName


class Audit(Answer, kw_only=True):
    """Result of an audit: stored minutes, lost minutes, and minutes that the ledger did not claim."""

    symbol: str
    exchange: str
    market: str
    stored_records: Count
    drift: Annotated[bool, Meta(description="`true`: the ledger and the store differed")]
    lost_records: Annotated[
        Count, Meta(description="Minutes that the ledger claimed but the store does not have")
    ]
    lost: list[Window]
    unclaimed_records: Annotated[
        Count, Meta(description="Minutes that the store has but the ledger did not claim")
    ]
    unclaimed: list[Window]


class Removed(Answer, kw_only=True):
    """What a deletion removed, or would remove."""

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
    seen: Annotated[Moment, Meta(description="When the service saw the change")]
    before: dict[str, float]
    after: dict[str, float]


class RevisionsAnswer(Answer, kw_only=True):
    symbol: str
    count: Count
    revisions: list[Revision]
    next: Next
