"""The shapes of answers about syncs, jobs, follows, files and listings. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from backend.core.follow import Source
from backend.core.job import Status
from backend.web.api.common_shapes import (
    Absence,
    Answer,
    ArchiveFiles,
    Complete,
    ContradictoryRows,
    Count,
    Failure,
    LastRecord,
    MissingRecords,
    Moment,
    NewRecords,
    NextName,
    Notes,
    OffGridRows,
    RevisedRecords,
    Shape,
    VoidRecords,
    Window,
)
from backend.web.api.stored_shapes import Statistics


class Sync(Answer, kw_only=True):
    """How a sync ended, and what is known since."""

    symbol: str
    exchange: str
    market: str
    job: str
    new_records: NewRecords
    revised_records: RevisedRecords
    statistics: Statistics
    complete: Complete
    missing_records: MissingRecords
    missing: list[Window]
    void_records: VoidRecords
    void: list[Absence]
    off_grid_rows: OffGridRows
    contradictory_rows: ContradictoryRows
    archive_files: ArchiveFiles
    notes: Notes


class Syncs(Answer, kw_only=True):
    results: list[Sync]


class Job(Shape):
    """How a job stands. Its window is what was asked for until it has begun, then what that came to."""

    id: str
    status: Status
    cancelling: Annotated[bool, Meta(description="Whether somebody has cancelled it and it is not over yet")]
    symbol: str
    exchange: str
    market: str
    refresh: bool
    start_time: Moment | None
    end_time: Moment | None
    minutes_done: Annotated[
        Count, Meta(description="Minutes that are settled: stored, or known not to exist")
    ]
    minutes_total: Annotated[Count, Meta(description="Minutes that were to be settled")]
    candles_per_second: float
    seconds_left: Annotated[float | None, Meta(description="At the present pace; null: not known")]
    new_records: NewRecords
    revised_records: RevisedRecords
    off_grid_rows: OffGridRows
    contradictory_rows: ContradictoryRows
    archive_files: ArchiveFiles
    notes: Notes
    requests: Annotated[Count, Meta(description="Requests to the exchange")]
    retries: Annotated[Count, Meta(description="Requests that were sent again")]
    rate_limit_waits: Annotated[Count, Meta(description="How often the exchange's rate limit was waited for")]
    rate_limit_seconds: Annotated[float, Meta(description="How long that took")]
    created: Moment
    started: Moment | None
    finished: Moment | None
    error: Failure | None


class JobAnswer(Answer, kw_only=True):
    job: Job


class JobsBegun(Answer, kw_only=True):
    jobs: list[Job]


class JobsAnswer(Answer, kw_only=True):
    count: Count
    jobs: list[Job]


class Follow(Shape):
    """How a follow stands, and what it came to."""

    series: str
    symbol: str
    exchange: str
    market: str
    since: Moment | None
    state: str
    source: Source
    last_record: LastRecord
    lag_seconds: Annotated[int | None, Meta(description="How far the newest stored candle is behind")]
    checked: Annotated[Moment | None, Meta(description="When a visit last went well")]
    failures: Annotated[Count, Meta(description="Visits that failed since then")]
    error: Annotated[Failure | None, Meta(description="Why the newest attempt failed")]
    new_records: NewRecords
    healed_records: Annotated[
        Count, Meta(description="Minutes that came although later ones were stored already")
    ]
    reconnects: Annotated[Count, Meta(description="How often a socket was lost")]


class FollowsAnswer(Answer, kw_only=True):
    count: Count
    follows: list[Follow]


class FollowsPage(FollowsAnswer, kw_only=True):
    next: NextName


class Unfollowed(Answer, kw_only=True):
    series: str


class Taken(Answer, kw_only=True):
    """What came of a file."""

    symbol: str
    exchange: str
    market: str
    candles: Count
    new_records: NewRecords
    held_before: Annotated[Count, Meta(description="Candles that were stored already")]
    remark: Annotated[str, Meta(description="A sentence on the file")]


class Listing(Shape):
    """A symbol that an exchange lists, or that is stored."""

    symbol: str
    native: Annotated[str | None, Meta(description="The exchange's own spelling")]
    base: str
    quote: str
    status: Annotated[str, Meta(description="The exchange's word; `unlisted` for what it does not list")]
    listed: Moment | None
    stored: bool


class ListingAnswer(Answer, kw_only=True):
    exchange: str
    market: str
    count: Count
    symbols: list[Listing]


class Beginning(Shape):
    """How a stream of changes begins, or goes on after something was missed."""

    resumed: Annotated[
        bool, Meta(description="Whether nothing was missed since `Last-Event-ID`; else read all anew")
    ]


class ChangedSeries(Shape):
    """Series of which something changed: read their lines of the overview anew."""

    series: Annotated[list[str], Meta(description="Such as `binance:spot:BTCUSDT`, 100 at most")]
    more: Annotated[bool, Meta(description="Whether others changed too, which are not named")]
