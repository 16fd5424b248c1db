"""What the use cases need from the outside world, as shapes. The edges fit them; `app/` introduces them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from backend.core.archive_file import ArchiveFile
from backend.core.candles import Candle
from backend.core.columns import Columns
from backend.core.coverage import Coverage
from backend.core.follow import Follow, Source, Visit
from backend.core.job import Job, Status
from backend.core.series import Listing, Series
from backend.core.windows import Spans, Window


class CandleSource(Protocol):
    """One market of one exchange. Every call may raise ExchangeError or UnknownSymbol."""

    def canonical(self, text: str) -> str:
        """Our spelling of a symbol; ValueError if no symbol can be called so."""

    def page_size(self, age: int) -> int:
        """The most minutes that one call of `candles` may ask for when the oldest opened `age` ms ago."""

    async def symbols(self) -> Mapping[str, Listing]:
        """What the exchange lists, by our spelling; a copy that may be some time old."""

    def known_status(self, symbol: str) -> str | None:
        """The venue's word for the state of a symbol, as far as its list is known without asking.

        Of a symbol that is not in the list: its word for one that is traded no more.
        """

    async def ensure_known(self, symbol: str) -> None:
        """Raise UnknownSymbol unless the exchange lists `symbol`, or answers a question about its candles."""

    async def is_traded(self, symbol: str) -> bool:
        """Whether the exchange lists `symbol` now, as one that is traded."""

    async def candles(self, symbol: str, window: Window) -> Sequence[Candle]:
        """What the exchange sends for `window`: in any order, with gaps, repeats and strays."""

    async def first_candle(self, symbol: str, known: int | None = None) -> int | None:
        """Open time of the exchange's oldest candle, None if it has none; `known` was found before."""

    async def now(self) -> int:
        """The exchange's time, ms; behind it rather than ahead."""

    def known_now(self) -> int | None:
        """The exchange's time as it is known without asking, None where it is not."""


class StreamListener(Protocol):
    """Who is told what the sockets of a market bring. Told at once, so it must not take long."""

    def on_candle(self, symbol: str, candle: Candle, *, closed: bool) -> None:
        """The newest state of a candle; `closed` where the exchange says that it will not change."""

    def on_lost(self, symbols: Collection[str], reason: str) -> None:
        """The candles of these symbols come no more: the connection broke, or the exchange refuses them.

        A connection is made again by itself; what happened meanwhile is not told.
        """


class CandleStream(Protocol):
    """The sockets of one market."""

    def want(self, symbols: Collection[str]) -> None:
        """Have the candles of exactly these symbols pushed, in our spelling; returns at once."""

    def start(self, listener: StreamListener) -> None:
        """Keep connections from now on, and tell `listener` what they bring."""

    async def stop(self) -> None:
        """Close all connections."""


class Written(NamedTuple):
    """How many candles were new, and how many replaced a stored one that differed."""

    inserted: int
    replaced: int


class CandleStore(Protocol):
    """Where candles are kept. Every call may raise DatabaseUnavailable."""

    async def create(self, series: Series) -> None:
        """Make the place for a series unless it is there."""

    async def write(self, series: Series, candles: Sequence[Candle]) -> Written:
        """Store ascending candles so that a crash cannot lose them."""

    async def add(self, series: Series, candles: Sequence[Candle]) -> bool:
        """Store candles durably where nothing is stored; False if a stored one differs, which then stays."""

    async def remove(self, series: Series, window: Window) -> None:
        """Take the candles that open in `window` away, durably."""

    async def drop(self, series: Series) -> None:
        """Take a series' place away, with all that is in it."""

    async def stored_series(self) -> list[Series]:
        """Every series that has a place, by name."""

    async def bytes_on_disk(self, series: Series) -> int:
        """What a series takes on the database's disk; 0 if it has no place."""

    def columns(
        self,
        series: Series,
        window: Window,
        limit: int | None = None,
        *,
        backwards: bool = False,
        batch: int = ...,
    ) -> AsyncGenerator[Columns, None]:
        """The candles that open in `window` in ascending batches of up to `batch`; the first `limit`.

        `backwards` gives the newest batch first, and the newest `limit`. Close it to stop the reading.
        """

    async def span(self, series: Series) -> Window | None:
        """From the first to the last stored minute, None when nothing is stored."""

    async def count(self, series: Series, window: Window) -> int:
        """How many minutes of `window` are stored, counted where they lie."""

    async def open_times(self, series: Series, window: Window) -> list[int]:
        """The stored minutes of `window`, ascending."""


class Revision(NamedTuple):
    """A stored candle that was told differently later: its fields before and after, and when that showed."""

    open_time: int
    at: int
    before: Mapping[str, float]
    after: Mapping[str, float]


class RevisionState(NamedTuple):
    """The revisions of a window: how many, the newest one's key, and when that was seen (ms, 0 for never).

    `pending` says that a candle may not have been replaced yet although its revision is recorded.
    """

    number: int = 0
    newest: str = ""
    at: int = 0
    pending: bool = False


class RevisionStore(Protocol):
    """Where revisions are kept. Every call may raise DatabaseUnavailable."""

    async def state(self, series: Series, window: Window) -> RevisionState:
        """What tells whether candles that open in `window` were replaced since the last look."""

    async def count(self, series: Series, window: Window | None = None) -> int:
        """How many revisions a series has, or has of the candles that open in `window`."""

    async def page(self, series: Series, window: Window, limit: int) -> list[Revision]:
        """The first `limit` revisions of candles that open in `window`, ascending by open time."""

    async def remove(self, series: Series, window: Window) -> None:
        """Forget the revisions of candles that open in `window`."""


class ShortfallStore(Protocol):
    """How often a series held less than its ledger claims. Every call may raise DatabaseUnavailable."""

    async def count(self, series: Series) -> int:
        """How many shortfalls of a series were recorded."""

    async def add(self, series: Series) -> None:
        """Record one more."""


class Lease(NamedTuple):
    """The sole right to write a series' ledger, and the coverage as it was when the right was given.

    `token` is never given twice. Whoever holds an older one cannot write any more.
    """

    series: Series
    token: str
    coverage: Coverage


class Mark(NamedTuple):
    """The version of a ledger: equal marks of a series mean that neither its ledger nor its candles were
    written in between, by any process. `holds` is False where no candle is held."""

    version: tuple[object, ...]
    holds: bool


class CoverageStore(Protocol):
    """Where the ledger is kept. Every call may raise DatabaseUnavailable."""

    async def marks(self, market: tuple[str, str] | None = None) -> dict[Series, Mark]:
        """The mark of every ledger, or of those of one market (its exchange and its name), by name."""

    async def marks_of(self, series: Collection[Series]) -> dict[Series, Mark]:
        """The marks of some series; a series without a ledger has none."""

    async def load(self, series: Series) -> Coverage:
        """What is known of a series; an empty coverage if nothing is."""

    async def load_all(self, series: Collection[Series]) -> Mapping[Series, Coverage]:
        """What is known of several series; one of which nothing is has an empty coverage."""

    async def count(self) -> int:
        """How many series are known."""

    async def newest(self, limit: int) -> Sequence[tuple[Series, Coverage]]:
        """What is known of the `limit` series that were asked for up to the latest moments."""

    async def stored_symbols(self, exchange: str, market: str) -> set[str]:
        """The symbols of a market of which at least one candle is held."""

    async def acquire(self, series: Series, owner: str, seconds: float) -> Lease | None:
        """Lease the ledger for `seconds` by the database's clock; None while somebody else holds it.

        What `owner` itself held before is taken from it: an owner asks for nothing that it still uses.
        """

    async def renew(self, lease: Lease, seconds: float) -> bool:
        """Hold on for `seconds` from now; False if the lease is somebody else's by now."""

    async def save(self, lease: Lease, coverage: Coverage, saved: Coverage | None = None) -> bool:
        """Write the ledger durably; False, and nothing written, if the lease is somebody else's by now.

        It has a new mark then, also where it says the same. `saved` is what was saved last under this lease
        (default: what it began with): only what changed since has to be sent.
        """

    async def extend(self, held: Mapping[Series, Window]) -> set[Series]:
        """Add minutes that are stored, without a lease, to those ledgers that nobody leases and whose last
        held minute, also the last one asked for, ends where they begin. Durable. Tells which hold them now.
        """

    async def release(self, lease: Lease) -> None:
        """Give the lease back. A ledger of which nobody ever asked for a minute vanishes with it."""

    async def leased(self, series: Sequence[Series], owner: str) -> set[Series]:
        """Those of `series` that others than `owner` hold now."""

    async def holders(self, series: Collection[Series]) -> dict[Series, str]:
        """Who holds the ledgers of some series now; one that nobody holds has none."""


class JobStore(Protocol):
    """Where jobs are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, job: Job) -> Job:
        """Keep a new job; or the one that does the same and is not over, if there is one."""

    async def load(self, job_id: str) -> Job | None:
        """The job, None if there is no such."""

    async def load_all(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those of some jobs that there are, by id."""

    async def newest(self, limit: int, status: Status | None = None) -> list[Job]:
        """The jobs that were asked for last, newest first."""

    async def active(self, limit: int, among: Collection[str] | None = None) -> list[Job]:
        """The jobs that are not over, oldest first; with `among` only those of these ids."""

    async def active_of(self, series: Sequence[Series]) -> list[Job]:
        """The jobs of some series that are not over, oldest first."""

    async def queued(self) -> int:
        """How many jobs wait to be begun."""

    async def running(self) -> int:
        """How many jobs were begun and are not over."""

    async def begin(self, job_id: str, token: str, now: int) -> Job | None:
        """Make a job that is not over run under the lease `token`; None if it is over."""

    async def report(self, job: Job, token: str) -> bool:
        """Write down how far a job is; True if somebody asked to cancel it. Ignored with an old token."""

    async def finish(self, job: Job, token: str) -> None:
        """Write down how a job ended, or that it waits again. Ignored with an old token."""

    async def cancel(self, job_id: str, now: int) -> Job | None:
        """End a job that is queued; ask for the end of one that runs. None if there is no such job."""

    async def count_over(self, series: Series) -> int:
        """How many jobs of a series are over."""

    async def forget(self, series: Series) -> None:
        """Forget the jobs of a series that are over."""


class FollowStore(Protocol):
    """Where it is kept what is followed. Every call may raise DatabaseUnavailable."""

    async def add(self, follow: Follow) -> None:
        """Keep a follow; of one that is there already only `since` changes, where the new one has any."""

    async def all(self) -> Sequence[Follow]:
        """Everything that is followed, by name."""

    async def page(self, start: str, limit: int) -> Sequence[Follow]:
        """The first `limit` follows of series whose names are `start` or later, by name."""

    async def has(self, series: Series) -> bool:
        """Whether `series` is followed."""

    async def remove(self, series: Series) -> bool:
        """Follow `series` no longer; False if it was not followed."""

    async def report(self, series: Series, visit: Visit) -> None:
        """Write down how a visit went; nothing where the series is not followed any more."""

    async def told(self, series: Collection[Series], source: Source, lost: bool) -> None:
        """Write down where the newest candles of `series` come from now, and whether a socket of theirs was
        lost; nothing where they are not followed any more."""


class Member(NamedTuple):
    """A process: its name, the address it reaches exchanges from, its share of it, and whether it does jobs
    and looks after follows."""

    name: str
    egress: str
    weight: float
    works: bool


class FleetStore(Protocol):
    """Where processes learn of each other. Every call may raise DatabaseUnavailable."""

    async def beat(self, member: Member, seconds: float) -> Sequence[Member]:
        """Say that `member` is there for the next `seconds`, and tell who is."""

    async def present(self) -> Sequence[Member]:
        """Who is there, by name."""

    async def leave(self, member: Member) -> None:
        """Forget `member`."""


class CandleArchive(Protocol):
    """Whole days and months of one market's candles as files, beside its API. It is no proof of absence."""

    def files(self, symbol: str, missing: Spans, now: int) -> Sequence[ArchiveFile]:
        """The files to take for missing minutes at exchange time `now`: apart, ascending, within them."""

    async def has(self, file: ArchiveFile) -> bool:
        """Whether there is such a file (yet). Raises ExchangeError."""

    async def candles(self, file: ArchiveFile) -> Sequence[Candle] | None:
        """The file's candles, ascending, each minute once, checked; None if there is no such file (yet).

        Raises MalformedAnswer for a file that is wrong anywhere, ExchangeUnavailable.
        """
