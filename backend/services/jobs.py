"""Jobs: syncs that are asked for, watched and cancelled here, and done by any process's worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

from backend.clock import Clock, wait_up_to
from backend.core.job import Job, Status, SyncRequest
from backend.errors import DatabaseUnavailable, TooManyJobs, UnknownJob
from backend.metrics import Metrics
from backend.services.ending import tell_end
from backend.services.ports import JobStore
from backend.services.worker import LOOK_SECONDS, Worker, interruption

EVENT_SECONDS = 0.5
ROOM_MAY_COME_AFTER = 10


class Jobs:
    """`most_queued` jobs may wait for their turn in all. All may raise DatabaseUnavailable."""

    def __init__(
        self, store: JobStore, worker: Worker, clock: Clock, most_queued: int, metrics: Metrics
    ) -> None:
        self._store = store
        self._worker = worker
        self._clock = clock
        self._most_queued = most_queued
        self._metrics = metrics
        self._added: set[str] = set()

    async def submit(self, requests: Sequence[SyncRequest]) -> list[Job]:
        """A job for each request: the one under way that does what is asked, or a new one.

        Raises TooManyJobs, with nothing submitted, when more would wait than may.
        """
        if self._worker.stopping:
            raise interruption()
        active = await self._store.active_of([request.series for request in requests])
        joined = [_doing(active, request) for request in requests]
        await self._check_room(joined.count(None))
        jobs = [
            job or await self._add(Job(uuid4().hex, request, created=self._clock.now()))
            for job, request in zip(joined, requests, strict=True)
        ]
        self._worker.take(job.id for job in jobs)
        return jobs

    async def get(self, job_id: str) -> Job:
        """The job as it stands. Raises UnknownJob."""
        if run := self._worker.runs.get(job_id):
            return run.job
        if job := await self._store.load(job_id):
            return job
        raise UnknownJob("there is no such job: jobs are forgotten a week after their end")

    async def newest(self, limit: int, status: Status | None = None) -> list[Job]:
        """The jobs that were asked for last, newest first."""
        runs = self._worker.runs
        found = await self._store.newest(limit, status)
        return [runs[job.id].job if job.id in runs else job for job in found]

    async def wait(self, job_id: str, seconds: float | None = None) -> Job:
        """The job when it is over, or as it stands after `seconds`.

        Raises Interrupted at a stop, DatabaseUnavailable while the database keeps the job from going on.
        """
        deadline = None if seconds is None else self._clock.monotonic() + seconds
        while True:
            news = self._worker.news
            job = await self.get(job_id)
            left = LOOK_SECONDS if deadline is None else deadline - self._clock.monotonic()
            if job.over or left <= 0:
                return job
            if self._worker.stopping:
                raise interruption()
            if self._worker.is_stuck(job_id):
                raise DatabaseUnavailable("the database keeps failing: the job goes on when it does not")
            await wait_up_to(min(left, LOOK_SECONDS), news)

    async def wait_for_all(self, job_ids: Sequence[str], seconds: float | None = None) -> list[Job]:
        """As `wait`, for several jobs together: after `seconds` each as it stands."""
        deadline = None if seconds is None else self._clock.monotonic() + seconds
        return [
            await self.wait(job_id, None if deadline is None else deadline - self._clock.monotonic())
            for job_id in job_ids
        ]

    async def watch(self, job_id: str) -> AsyncIterator[Job]:
        """The job as it stands, every EVENT_SECONDS, until it is over or we are stopped."""
        while True:
            job = await self.get(job_id)
            yield job
            if job.over or self._worker.stopping:
                return
            await self._clock.sleep(EVENT_SECONDS)

    async def cancel(self, job_id: str) -> Job:
        """End a job at its next page's edge; one that is over stays as it is. Raises UnknownJob."""
        now = self._clock.now()
        job = await self._store.cancel(job_id, now)
        if run := self._worker.runs.get(job_id):
            run.cancel()
            return run.job
        if job and job.started is None and job.finished == now:
            tell_end(job, self._metrics, now)
        self._worker.tell()
        return job or await self.get(job_id)

    async def abandon(self) -> None:
        """Cancel what was asked for here alone and what runs here: the user of a command is going away."""
        for job_id in {*self._worker.runs, *self._added}:
            await self.cancel(job_id)

    async def _add(self, fresh: Job) -> Job:
        job = await self._store.add(fresh)
        if job.id == fresh.id and not self._worker.everybodys:
            self._added.add(job.id)
        return job

    async def _check_room(self, new: int) -> None:
        if new and (queued := await self._store.queued()) + new > self._most_queued:
            raise TooManyJobs(
                f"{queued} jobs wait already and {self._most_queued} may: try again later",
                retry_after=ROOM_MAY_COME_AFTER,
            )


def _doing(active: Sequence[Job], request: SyncRequest) -> Job | None:
    return next((job for job in active if not job.cancelling and job.request.covers(request)), None)
