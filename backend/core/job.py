"""A job: one sync of one series, from the request to the result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

from backend.core.series import Series
from backend.core.windows import Window

Status = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: tuple[Status, ...] = ("done", "failed", "cancelled")


class SyncRequest(NamedTuple):
    """The minutes of a series that open in `[start, end)`, ms on the minute grid.

    Without `start`: from the first requested minute of the series. Without `end`: to the last closed minute.
    `refresh` reads stored minutes again too, and needs both.
    """

    series: Series
    start: int | None = None
    end: int | None = None
    refresh: bool = False

    def covers(self, other: SyncRequest) -> bool:
        """Whether this request includes all of the other one."""
        return (
            (self.series, self.refresh) == (other.series, other.refresh)
            and (self.start == other.start or _is_no_later(self.start, other.start))
            and (self.end is None or _is_no_later(other.end, self.end))
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """The work of a job: finished minutes and all minutes, candles, and traffic with the exchange.

    `waited` is in seconds, of `waits` pauses for a rate limit.
    """

    minutes_done: int = 0
    minutes_total: int = 0
    new_records: int = 0
    revised_records: int = 0
    off_grid: int = 0
    contradictory: int = 0
    archive_files: int = 0
    requests: int = 0
    retries: int = 0
    waits: int = 0
    waited: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Tally)))


class Failure(NamedTuple):
    """Why a job did not finish: the error's code and sentence, and the seconds to wait if known."""

    code: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Moments are in ms UTC by the service's clock; `window` is known once the job has begun.

    `rate` is in minutes resolved a second. `notes` say what was unusual, such as a wrong file of an archive.
    `cancelling`: the job ends after the current pages. `tries` is the number of starts without any progress.
    """

    id: str
    request: SyncRequest
    created: int
    status: Status = "queued"
    started: int | None = None
    finished: int | None = None
    window: Window | None = None
    tally: Tally = Tally()
    rate: float = 0.0
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    cancelling: bool = False
    tries: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in OVER

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the rate so far, None when that cannot be said."""
        if self.status != "running" or not self.rate:
            return None
        return (self.tally.minutes_total - self.tally.minutes_done) / self.rate


def next_jobs(waiting: Iterable[Job], running: Iterable[Job], room: int) -> list[Job]:
    """Choose up to `room` jobs: one a series, the exchange with the fewest running first, then the oldest."""
    busy = [job.request.series for job in running]
    chosen: list[Job] = []
    left = sorted(waiting, key=lambda job: job.created)
    while len(chosen) < room:
        free = [job for job in left if job.request.series not in busy]
        if not free:
            break
        exchanges = [series.exchange for series in busy]
        chosen.append(min(free, key=lambda job: exchanges.count(job.request.series.exchange)))
        busy.append(chosen[-1].request.series)
    return chosen


def _is_no_later(one: int | None, two: int | None) -> bool:
    return one is not None and two is not None and one <= two
