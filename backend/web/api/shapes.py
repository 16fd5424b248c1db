"""The fields of answers, each declared once: handlers answer with these shapes, and the OpenAPI document,
`/docs` and docs/reference/api.md are made from them, with the sentence of each class. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from backend.access.keys import Scope
from backend.core.coverage import VoidReason
from backend.core.follow import Source
from backend.core.interval import INTERVALS
from backend.core.job import Status

Count = Annotated[int, Meta(ge=0)]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Next = Annotated[int | None, Meta(description="Where the following page begins; null: there is none")]
NextName = Annotated[str | None, Meta(description="The `start` of the following page; null: there is none")]
TotalRecords = Annotated[Count, Meta(description="Candles that are stored")]
FirstRecord = Annotated[Moment | None, Meta(description="Open time of the first stored candle")]
LastRecord = Annotated[Moment | None, Meta(description="Open time of the newest stored candle")]
MissingRecords = Annotated[Count, Meta(description="Minutes that are neither stored nor known not to exist")]
VoidRecords = Annotated[Count, Meta(description="Minutes that the exchange does not have")]
Complete = Annotated[bool, Meta(description="Whether nothing is missing")]
NewRecords = Annotated[Count, Meta(description="Candles that were stored")]
RevisedRecords = Annotated[Count, Meta(description="Stored candles that the exchange now tells differently")]
OffGridRows = Annotated[Count, Meta(description="Rows that open at no whole minute, and are left out")]
ContradictoryRows = Annotated[
    Count, Meta(description="Rows whose prices contradict each other, and are left out")
]
ArchiveFiles = Annotated[Count, Meta(description="Files that came from the exchange's archive")]
Notes = Annotated[list[str], Meta(description="Sentences on what was unusual")]


class Shape(Struct, forbid_unknown_fields=True):
    """Fields that are always there, and no others."""


class Answer(Shape):
    """The body of an answer that went well."""

    success: Annotated[bool, Meta(extra_json_schema={"const": True})] = True


class Window(Shape):
    """Minutes, the first and the last open time included."""

    start_time: Moment
    end_time: Moment
    minutes: Annotated[int, Meta(ge=1)]


class Absence(Window):
    """Minutes that the exchange does not have."""

    reason: VoidReason


class Void(Absence):
    """Minutes that the exchange does not have, when that was confirmed and when it is asked again."""

    confirmed: Annotated[Moment, Meta(description="When that was confirmed")]
    ask_again: Annotated[Moment | None, Meta(description="When it is asked for again")]


class Failure(Shape):
    """A code for programs and a sentence for people."""

    code: str
    message: str


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


class Weeks(Shape):
    """A letter for each week of a series."""

    series: str
    start: Annotated[int | None, Meta(description="Where the first week opens")]
    states: Annotated[
        str,
        Meta(
            pattern="^[fvpm-]*$",
            description="A letter a week: `f` all held, `v` the rest is void, `p` a part is missing, `m` all "
            "is missing, `-` older than the listing",
        ),
    ]


class WeeksAnswer(Answer, kw_only=True):
    count: Count
    weeks: list[Weeks]


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


class Taken(Answer, kw_only=True):
    """What came of a file."""

    symbol: str
    exchange: str
    market: str
    candles: Count
    new_records: NewRecords
    held_before: Annotated[Count, Meta(description="Candles that were stored already")]
    remark: Annotated[str, Meta(description="A sentence on the file")]


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


class Syncs(Answer, kw_only=True):
    results: list[Sync]


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


class Market(Shape):
    exchange: str
    market: str
    imported: Annotated[bool, Meta(description="Whether files of its candles are taken")]
    pushed: Annotated[bool, Meta(description="Whether the exchange pushes its candles to this service")]


class About(Answer, kw_only=True):
    """What the service is, and what you may do."""

    version: str
    markets: list[Market]
    key: Annotated[str | None, Meta(description="The name of the key that you sent")]
    scopes: list[Scope]


class Alive(Shape):
    status: Literal["alive"]


class Healthy(Shape):
    status: Literal["healthy"]
    service: str
    database: Literal["connected"]


class Unhealthy(Shape):
    status: Literal["unhealthy"]
    service: str
    database: Literal["disconnected"]


Troubles = Annotated[list[str], Meta(description="A sentence for each thing that does not work")]
Worker = Literal["running", "stopped", "none"]


class Ready(Shape):
    status: Literal["ready"]
    database: Literal["connected"]
    worker: Worker
    troubles: Annotated[list[str], Meta(max_length=0)]


class NotReady(Shape):
    status: Literal["not_ready"]
    database: Literal["connected", "disconnected"]
    worker: Worker
    troubles: Troubles
