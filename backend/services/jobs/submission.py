"""Jobs: this submits, watches and cancels syncs. The worker of any process runs them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from backend.clock import Clock, wait_up_to
from backend.core.job import Job, Status, SyncRequest
from backend.errors import DatabaseUnavailable, TooManyJobs, UnknownJob
from backend.services.jobs.job_report import tell_end
from backend.services.jobs.worker import LOOK_SECONDS, Worker, interruption
from backend.services.ports import JobStore
from backend.telemetry.metrics import Metrics

EVENT_SECONDS = 0.5
ROOM_MAY_COME_AFTER = 10


class Jobs:
    """At most `most_queued` jobs may wait, in all processes. All methods may raise DatabaseUnavailable."""

    def __init__(
        self, store: JobStore, worker: Worker, clock: Clock, most_queued: int, metrics: Metrics
    ) -> None:
        self._store = store
        self.worker = worker
        self._clock = clock
        self._most_queued = most_queued
        self._metrics = metrics
        self._added: set[str] = set()
        self._coming = 0
        self._waited: Counter[str] = Counter()
        self._look: asyncio.Task[dict[str, Job]] | None = None
        self._looked = -LOOK_SECONDS
        self._look_after: asyncio.Event | None = None

    async def submit(self, requests: Sequence[SyncRequest]) -> list[Job]:
        """A job for each request: a current job that does the same, or a new one.

        If too many jobs would wait, raises TooManyJobs and submits nothing.
        """
        if self.worker.stopping:
            raise interruption()
        active = await self._store.active_of([request.series for request in requests])
        joined = [_doing(active, request) for request in requests]
        with self._coming_in(joined.count(None)):
            await self._check_room(joined.count(None))
            jobs = [
                job or await self._add(Job(uuid4().hex, request, created=self._clock.now()))
                for job, request in zip(joined, requests, strict=True)
            ]
        self.worker.take(job.id for job in jobs)
        return jobs

    async def get(self, job_id: str) -> Job:
        """The job as it stands. Raises UnknownJob."""
        if run := self.worker.runs.get(job_id):
            return run.job
        if job := await self._store.load(job_id):
            return job
        raise UnknownJob("no job has this id: the service deletes jobs a week after their end")

    async def moving(self, limit: int, seen: Collection[str]) -> dict[str, Job]:
        """The oldest jobs that are not over and the newest ones, `limit` of each, and the jobs in `seen`,
        which may be over now; by id."""
        jobs = {job.id: job for job in await self._store.active(limit)}
        jobs |= {job.id: job for job in await self._store.newest(limit)}
        if others := set(seen) - jobs.keys():
            jobs |= await self._store.load_all(others)
        runs = self.worker.runs
        return {job_id: runs[job_id].job if job_id in runs else job for job_id, job in jobs.items()}

    async def newest(self, limit: int, status: Status | None = None) -> list[Job]:
        """The newest jobs, newest first."""
        runs = self.worker.runs
        jobs = await self._store.newest(limit, status)
        return [runs[job.id].job if job.id in runs else job for job in jobs]

    async def wait(self, job_id: str, seconds: float | None = None) -> Job:
        """The job when it is over, or as it stands after `seconds`.

        Raises Interrupted at a stop, DatabaseUnavailable while the database keeps the job from going on.
        """
        deadline = None if seconds is None else self._clock.monotonic() + seconds
        with self._awaited(job_id):
            return await self._wait(job_id, deadline)

    async def _wait(self, job_id: str, deadline: float | None) -> Job:
        while True:
            news = self.worker.news
            job = await self._seen(job_id, news)
            left = LOOK_SECONDS if deadline is None else deadline - self._clock.monotonic()
            if job.over or left <= 0:
                return job
            if self.worker.stopping:
                raise interruption()
            if self.worker.is_stuck(job_id):
                raise DatabaseUnavailable(
                    "the database does not answer: the job continues when the database is back"
                )
            await wait_up_to(min(left, LOOK_SECONDS), news)

    @contextmanager
    def _awaited(self, job_id: str) -> Iterator[None]:
        self._waited[job_id] += 1
        try:
            yield
        finally:
            self._waited[job_id] -= 1
            if not self._waited[job_id]:
                del self._waited[job_id]

    async def _seen(self, job_id: str, news: asyncio.Event) -> Job:
        """The current state of a job. All waiting clients share one query each second."""
        if run := self.worker.runs.get(job_id):
            return run.job
        now = self._clock.monotonic()
        is_fresh = now - self._looked < LOOK_SECONDS and self._look_after is news
        if self._look is None or not is_fresh or (self._look.done() and not self._knows(job_id)):
            self._looked, self._look_after = now, news
            self._look = asyncio.ensure_future(self._look_at_all())
            self._look.add_done_callback(lambda look: look.cancelled() or look.exception())
        jobs = await asyncio.shield(self._look)
        return jobs[job_id] if job_id in jobs else await self.get(job_id)

    async def _look_at_all(self) -> dict[str, Job]:
        return await self._store.load_all(list(self._waited))

    def _knows(self, job_id: str) -> bool:
        look = self._look
        return (
            look is not None and not look.cancelled() and look.exception() is None and job_id in look.result()
        )

    async def wait_for_all(self, job_ids: Sequence[str], seconds: float | None = None) -> list[Job]:
        """As `wait`, for several jobs together: after `seconds` each as it stands."""
        deadline = None if seconds is None else self._clock.monotonic() + seconds
        return [
            await self.wait(job_id, None if deadline is None else deadline - self._clock.monotonic())
            for job_id in job_ids
        ]

    async def watch(self, job_id: str) -> AsyncGenerator[Job, None]:
        """The state of a job every EVENT_SECONDS, until it is over or the service stops. The caller must
        close it."""
        with self._awaited(job_id):
            while True:
                job = await self._seen(job_id, self.worker.news)
                yield job
                if job.over or self.worker.stopping:
                    return
                await self._clock.sleep(EVENT_SECONDS)

    async def cancel(self, job_id: str) -> Job:
        """End a job after its current pages. A job that is over stays as it is. Raises UnknownJob."""
        now = self._clock.now()
        job = await self._store.cancel(job_id, now)
        if run := self.worker.runs.get(job_id):
            run.cancel()
            return run.job
        if job and job.started is None and job.finished == now:
            tell_end(job, self._metrics, now)
        self.worker.tell()
        return job or await self.get(job_id)

    async def abandon(self) -> None:
        """The user of a command leaves: cancel the jobs that only this process requested or runs."""
        for job_id in {*self.worker.runs, *self._added}:
            await self.cancel(job_id)

    async def _add(self, fresh: Job) -> Job:
        job = await self._store.add(fresh)
        if job.id == fresh.id and not self.worker.everybodys:
            self._added.add(job.id)
        return job

    @contextmanager
    def _coming_in(self, new: int) -> Iterator[None]:
        """Count jobs that are being added, so that requests side by side do not all take the same room."""
        self._coming += new
        try:
            yield
        finally:
            self._coming -= new

    async def _check_room(self, new: int) -> None:
        coming = self._coming  # read before counting: what is no longer coming then is counted
        if new and (queued := await self._store.queued()) + coming > self._most_queued:
            raise TooManyJobs(
                f"{queued} jobs are waiting, the limit is {self._most_queued}: try again later",
                retry_after=ROOM_MAY_COME_AFTER,
            )


def _doing(active: Sequence[Job], request: SyncRequest) -> Job | None:
    return next((job for job in active if not job.cancelling and job.request.covers(request)), None)
