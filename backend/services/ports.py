"""What the use cases need of the database, as shapes that the store fits. `app/` introduces them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from backend.core.candles import Candle
from backend.core.columns import Columns
from backend.core.coverage import Coverage
from backend.core.follow import Follow, Source, Visit
from backend.core.job import Job, Status
from backend.core.series import Series
from backend.core.windows import Window


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
        """Delete the candles that open in `window`, durably."""

    async def drop(self, series: Series) -> None:
        """Delete a series' place with all its candles."""

    async def stored_series(self) -> list[Series]:
        """Every series that has a place, by name."""

    async def bytes_on_disk(self, series: Series) -> int:
        """The size of a series on the database's disk; 0 if it has no place."""

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
    """A stored candle that the exchange changed later: its fields before and after, and when the service saw
    it."""

    open_time: int
    at: int
    before: Mapping[str, float]
    after: Mapping[str, float]


class RevisionState(NamedTuple):
    """The revisions of a window: how many, the newest one's key, and when that was seen (ms, 0 for never).

    `pending`: a revision is recorded, but its candle may not be replaced yet.
    """

    number: int = 0
    newest: str = ""
    at: int = 0
    pending: bool = False


class RevisionStore(Protocol):
    """Where revisions are kept. Every call may raise DatabaseUnavailable."""

    async def state(self, series: Series, window: Window) -> RevisionState:
        """The state that changes whenever a candle in `window` is replaced."""

    async def states(self, series: Series, window: Window, step: int) -> Mapping[int, RevisionState]:
        """The same for each `step` ms of time that has revisions, by its number since the epoch."""

    async def count(self, series: Series, window: Window | None = None) -> int:
        """How many revisions a series has, or has of the candles that open in `window`."""

    async def page(self, series: Series, window: Window, limit: int) -> list[Revision]:
        """The first `limit` revisions of candles that open in `window`, ascending by open time."""

    async def remove(self, series: Series, window: Window) -> None:
        """Forget the revisions of candles that open in `window`."""


class KeptChunk(NamedTuple):
    """Candles of an hour, and the key of what they were made from."""

    key: str
    hours: Columns


class HourStore(Protocol):
    """Where candles of an hour are kept: derived data. Every call may raise DatabaseUnavailable."""

    async def load(self, series: Series, numbers: Sequence[int]) -> Mapping[int, KeptChunk]:
        """The chunks with these numbers that are kept."""

    async def save(self, series: Series, chunks: Mapping[int, KeptChunk]) -> None:
        """Keep some chunks in place of older ones."""

    async def drop(self, series: Series) -> None:
        """Drop all chunks of a series."""


class ShortfallStore(Protocol):
    """How often a series held less than its ledger claims. Every call may raise DatabaseUnavailable."""

    async def count(self, series: Series) -> int:
        """How many shortfalls of a series were recorded."""

    async def add(self, series: Series) -> None:
        """Record one more."""


class Lease(NamedTuple):
    """The sole right to write a series' ledger, and the coverage at the start of the lease.

    Each `token` is unique. The holder of an older one cannot write any more.
    """

    series: Series
    token: str
    coverage: Coverage


class Mark(NamedTuple):
    """The version of a ledger. If two marks of a series are equal, no process has written its ledger or its
    candles in between. `holds` is False if no candle is held."""

    version: tuple[object, ...]
    holds: bool


class CoverageStore(Protocol):
    """Where the ledger is kept. Every call may raise DatabaseUnavailable."""

    async def marks(self, market: tuple[str, str] | None = None) -> dict[Series, Mark]:
        """The mark of every ledger, or of those of one market (its exchange and its name), by name."""

    async def marks_of(self, series: Collection[Series]) -> dict[Series, Mark]:
        """The marks of some series; a series without a ledger has none."""

    async def load(self, series: Series) -> Coverage:
        """The coverage of a series; empty if it has none."""

    async def load_all(self, series: Collection[Series]) -> Mapping[Series, Coverage]:
        """The coverage of several series; empty for a series without one."""

    async def count(self) -> int:
        """How many series are known."""

    async def newest(self, limit: int) -> Sequence[tuple[Series, Coverage]]:
        """The ledgers of the `limit` series with the latest requested end."""

    async def stored_symbols(self, exchange: str, market: str) -> set[str]:
        """The symbols of a market of which at least one candle is held."""

    async def acquire(self, series: Series, owner: str, seconds: float) -> Lease | None:
        """Lease the ledger for `seconds` by the database's clock; None while somebody else holds it.

        A lease that `owner` itself held before becomes invalid: an owner never acquires a lease that it still
        uses.
        """

    async def renew(self, lease: Lease, seconds: float) -> bool:
        """Renew the lease for `seconds` from now; False if somebody else has it."""

    async def save(self, lease: Lease, coverage: Coverage, saved: Coverage | None = None) -> bool:
        """Write the ledger durably. False, with nothing written, if somebody else has the lease.

        The ledger gets a new mark, even if it is the same. `saved` is the last saved state under this lease
        (default: the first state): only changes since then have to be sent.
        """

    async def extend(self, held: Mapping[Series, Window]) -> set[Series]:
        """Add stored minutes without a lease. Only ledgers that nobody leases take them, and only if their
        last held minute is the last requested one and ends where the new minutes begin. Durable. Returns the
        series that hold them now.
        """

    async def release(self, lease: Lease) -> None:
        """Release the lease. A ledger without any requested minute is deleted."""

    async def leased(self, series: Sequence[Series], owner: str) -> set[Series]:
        """Those of `series` that others than `owner` hold now."""

    async def holders(self, series: Collection[Series]) -> dict[Series, str]:
        """The holders of some ledgers now; a ledger without a holder is left out."""


class JobStore(Protocol):
    """Where jobs are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, job: Job) -> Job:
        """Keep a new job; if an equal job is not over, return that one."""

    async def load(self, job_id: str) -> Job | None:
        """The job, None if there is no such."""

    async def load_all(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those of some jobs that there are, by id."""

    async def newest(self, limit: int, status: Status | None = None) -> list[Job]:
        """The newest jobs, newest first."""

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
        """Store the progress of a job; True if somebody wants to cancel it. Ignored with an old token."""

    async def finish(self, job: Job, token: str) -> None:
        """Store the result of a job, or that it waits again. Ignored with an old token."""

    async def cancel(self, job_id: str, now: int) -> Job | None:
        """End a job that is queued; ask for the end of one that runs. None if there is no such job."""

    async def count_over(self, series: Series) -> int:
        """How many jobs of a series are over."""

    async def forget(self, series: Series) -> None:
        """Forget the jobs of a series that are over."""


class FollowStore(Protocol):
    """Where follows are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, follow: Follow) -> None:
        """Keep a follow. If it exists already, only `since` changes, if the new follow has one."""

    async def all(self) -> Sequence[Follow]:
        """Everything that is followed, by name."""

    async def page(self, start: str, limit: int) -> Sequence[Follow]:
        """The first `limit` follows of series whose names are `start` or later, by name."""

    async def has(self, series: Series) -> bool:
        """Whether `series` is followed."""

    async def remove(self, series: Series) -> bool:
        """Follow `series` no longer; False if it was not followed."""

    async def report(self, series: Series, visit: Visit) -> None:
        """Store the result of a visit, if the series is still followed."""

    async def told(self, series: Collection[Series], source: Source, lost: bool) -> None:
        """Store the source of the newest candles of `series`, and whether a socket was lost. Series without a
        follow are ignored."""


class Member(NamedTuple):
    """A process: its name, the address that exchanges see, its weight there, whether it runs jobs and keeps
    follows, and whether it sends orders."""

    name: str
    egress: str
    weight: float
    works: bool
    trades: bool = False


class FleetStore(Protocol):
    """Where processes find each other. Every call may raise DatabaseUnavailable."""

    async def beat(self, member: Member, seconds: float) -> Sequence[Member]:
        """Announce `member` for the next `seconds`, and return all living members."""

    async def present(self) -> Sequence[Member]:
        """Who is there, by name."""

    async def leave(self, member: Member) -> None:
        """Forget `member`."""
