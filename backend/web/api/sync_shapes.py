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
    """Result of a sync, and the state after it."""

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
    """State of a job. Before the job starts, its window is the request's; then it is the real one."""

    id: str
    status: Status
    cancelling: Annotated[bool, Meta(description="`true`: somebody has cancelled it, and it is not over yet")]
    symbol: str
    exchange: str
    market: str
    refresh: bool
    start_time: Moment | None
    end_time: Moment | None
    minutes_done: Annotated[Count, Meta(description="Minutes that are done: stored, or void")]
    minutes_total: Annotated[Count, Meta(description="Minutes that the job has to do")]
    candles_per_second: float
    seconds_left: Annotated[float | None, Meta(description="At the present speed; null: unknown")]
    new_records: NewRecords
    revised_records: RevisedRecords
    off_grid_rows: OffGridRows
    contradictory_rows: ContradictoryRows
    archive_files: ArchiveFiles
    notes: Notes
    requests: Annotated[Count, Meta(description="Requests to the exchange")]
    retries: Annotated[Count, Meta(description="Repeated requests")]
    rate_limit_waits: Annotated[Count, Meta(description="Number of waits for the exchange's rate limit")]
    rate_limit_seconds: Annotated[float, Meta(description="Seconds of these waits")]
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
    """State of a follow, and its results."""

    series: str
    symbol: str
    exchange: str
    market: str
    since: Moment | None
    state: str
    source: Source
    last_record: LastRecord
    lag_seconds: Annotated[
        int | None, Meta(description="How many seconds the newest stored candle is behind")
    ]
    checked: Annotated[Moment | None, Meta(description="Time of the last successful visit")]
    failures: Annotated[Count, Meta(description="Failed visits since then")]
    error: Annotated[Failure | None, Meta(description="Reason why the newest attempt failed")]
    new_records: NewRecords
    healed_records: Annotated[Count, Meta(description="Minutes that the service stored after later minutes")]
    reconnects: Annotated[Count, Meta(description="Number of lost sockets")]


class FollowsAnswer(Answer, kw_only=True):
    count: Count
    follows: list[Follow]


class FollowsPage(FollowsAnswer, kw_only=True):
    next: NextName


class Unfollowed(Answer, kw_only=True):
    series: str


class Taken(Answer, kw_only=True):
    """Result of an import."""

    symbol: str
    exchange: str
    market: str
    candles: Count
    new_records: NewRecords
    held_before: Annotated[Count, Meta(description="Candles that were stored already")]
    remark: Annotated[str, Meta(description="A sentence about the file")]


class Listing(Shape):
    """A symbol that the exchange lists or the service stores."""

    symbol: str
    native: Annotated[str | None, Meta(description="The exchange's own spelling")]
    base: str
    quote: str
    status: Annotated[
        str, Meta(description="The exchange's word; `unlisted` if the exchange does not list it")
    ]
    listed: Moment | None
    stored: bool


class ListingAnswer(Answer, kw_only=True):
    exchange: str
    market: str
    count: Count
    symbols: list[Listing]


class Beginning(Shape):
    """First event of a stream of changes, and the event after a loss."""

    resumed: Annotated[
        bool,
        Meta(description="`true`: nothing is lost since `Last-Event-ID`; `false`: read everything again"),
    ]


class ChangedSeries(Shape):
    """Changed series: read their entries of the overview again."""

    series: Annotated[list[str], Meta(description="Such as `binance:spot:BTCUSDT`, 100 at most")]
    more: Annotated[bool, Meta(description="`true`: other series changed too; the list is not complete")]
