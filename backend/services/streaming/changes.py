"""What changed of jobs, follows, series and health, in this process or in another: for pages that stay open.

One look a second for all who listen in this process, and none while nobody does. The database is asked what
it can tell by an index. What it says is compared with what it said before, so that no process has to tell any
other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from backend.clock import Clock
from backend.core.follow import State
from backend.core.job import Failure, Job
from backend.core.series import Series
from backend.core.statistics import Statistics
from backend.core.strip import Strip
from backend.core.windows import MINUTE
from backend.loops import Loops
from backend.services.jobs.submission import Jobs
from backend.services.reading.overview import Overview, Row
from backend.services.running.tasks import end
from backend.services.streaming.change_log import Changed, ChangeLog, Health, Kind

LOOK_SECONDS = 1.0
ROWS_A_SECOND = 1000
"""Of so many series a look may tell each second: of five thousand every five."""

KEPT_SECONDS = 60.0
"""For so long looks go on when the last one has left: who comes back by then has missed nothing."""

MOST_NAMED = 100
MOST_JOBS = 200
ALL = 1_000_000


class FollowFacts(NamedTuple):
    """What a row says of a follow."""

    state: State
    lag_minutes: int | None
    source: str
    failure: Failure | None


class RowFacts(NamedTuple):
    stored: tuple[Statistics, Strip]
    follow: FollowFacts | None


class Changes:
    """`news` is set when there are changes; another event takes its place then."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        overview: Overview,
        health: Callable[[], Awaitable[Health]],
        clock: Clock,
        loops: Loops | None = None,
    ) -> None:
        self._jobs = jobs
        self._overview = overview
        self._health = health
        self._clock = clock
        self._loops = loops or Loops(clock)
        self._tasks: list[asyncio.Task[None]] = []
        self._listeners = 0
        self._wanted = asyncio.Event()
        self._left = 0.0
        self._rows_due = 0.0
        self._seen_health: Health | None = None
        self._seen_jobs: Mapping[str, Job] | None = None
        self._seen_rows: Mapping[Series, RowFacts] | None = None
        self.log = ChangeLog()
        self.is_ready = False
        self.news = asyncio.Event()

    def start(self) -> None:
        """Look from now on, while somebody listens."""
        self._tasks = [self._loops.start("looks for changes", self._step)]

    async def stop(self) -> None:
        """Look no longer."""
        await end(self._tasks, 0)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Look for as long as the block lasts. What is read when it `is_ready` is no older than the log."""
        self._listeners += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._listeners -= 1
            self._left = self._clock.monotonic()

    async def _step(self) -> None:
        await self._wanted.wait()
        if not self._listeners and self._clock.monotonic() - self._left >= KEPT_SECONDS:
            self._forget()
            return
        before = self.log.end
        try:
            await self._look()
        finally:
            if self.log.end != before:
                self.news.set()
                self.news = asyncio.Event()
        await self._clock.sleep(LOOK_SECONDS)

    def _forget(self) -> None:
        self._wanted.clear()
        self.is_ready = False
        self._seen_health = self._seen_jobs = self._seen_rows = None

    async def _look(self) -> None:
        """Each part by itself: while the database is away its health is told."""
        await self._look_at_health()
        await self._look_at_jobs()
        if self._seen_rows is None or self._clock.monotonic() >= self._rows_due:
            await self._look_at_rows()
        if not self.is_ready:
            self.is_ready = True
            self.log.begin()

    async def _look_at_health(self) -> None:
        health = await self._health()
        if health != self._seen_health and self.is_ready:
            self.log.add("health", health)
        self._seen_health = health

    async def _look_at_jobs(self) -> None:
        seen = self._seen_jobs or {}
        jobs = await self._jobs.moving(MOST_JOBS, [one.id for one in seen.values() if not one.over])
        for job in jobs.values():
            if self.is_ready and seen.get(job.id) != job:
                self.log.add("job", job)
        self._seen_jobs = jobs

    async def _look_at_rows(self) -> None:
        rows, _ = await self._overview.page("", ALL)
        facts = {row.statistics.series: _facts(row) for row in rows}
        if self.is_ready:
            before = self._seen_rows or {}
            both = {**before, **facts}
            self._add("series", [one for one in both if _stored(before, one) != _stored(facts, one)])
            self._add("follow", [one for one in both if _follow(before, one) != _follow(facts, one)])
        self._seen_rows = facts
        self._rows_due = self._clock.monotonic() + len(rows) / ROWS_A_SECOND

    def _add(self, kind: Kind, series: Sequence[Series]) -> None:
        if series:
            self.log.add(kind, Changed(tuple(series[:MOST_NAMED]), more=len(series) > MOST_NAMED))


def _facts(row: Row) -> RowFacts:
    standing = row.standing
    follow = standing and FollowFacts(
        standing.state,
        None if standing.lag is None else standing.lag // MINUTE,
        standing.follow.source,
        standing.follow.failure,
    )
    return RowFacts((row.statistics, row.strip), follow)


def _stored(facts: Mapping[Series, RowFacts], series: Series) -> tuple[Statistics, Strip] | None:
    return facts[series].stored if series in facts else None


def _follow(facts: Mapping[Series, RowFacts], series: Series) -> FollowFacts | None:
    return facts[series].follow if series in facts else None
