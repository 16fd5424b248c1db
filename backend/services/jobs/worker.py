"""Runs the jobs in the database: one job for each series at a time, several at once, until stopped.

A job runs under the lease of its series' ledger. If its process dies, the lease runs out, and the first
worker that sees the job starts it again. The ledger says what is left to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Literal

from backend.clock import Clock, wait_up_to
from backend.core.job import Failure, Job, Status, next_jobs
from backend.errors import (
    Cancelled,
    DatabaseUnavailable,
    Interrupted,
    LeaseLost,
    MarketDataError,
    SeriesBusy,
)
from backend.loops import Loops
from backend.services.jobs.job_report import tell_end
from backend.services.jobs.running_job import Run
from backend.services.ports import JobStore
from backend.services.running.tasks import end
from backend.services.syncing.ledger import Ledger, Ledgers
from backend.services.syncing.sync import SyncService
from backend.telemetry.logs import bound
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Seconds between two looks for jobs of other processes."""

REPORT_SECONDS = 1.0
TRIES = 10
"""After this many starts without progress a job fails."""

MOST_SETBACKS = 3
"""After this many interruptions in a row by a lost database, waiting clients get an error."""

SEEN_AT_ONCE = 1000

Condition = Literal["running", "stopped", "none"]


class Worker:
    """Runs any job; with `everybodys` false only jobs that it was given.

    `runs` are the jobs under way here.
    """

    def __init__(
        self,
        *,
        store: JobStore,
        ledgers: Ledgers,
        syncs: SyncService,
        clock: Clock,
        at_once: int,
        metrics: Metrics,
        everybodys: bool = True,
        loops: Loops | None = None,
    ) -> None:
        self._store = store
        self._ledgers = ledgers
        self._syncs = syncs
        self._clock = clock
        self._at_once = at_once
        self._metrics = metrics
        self.everybodys = everybodys
        self._loops = loops or Loops(clock, metrics)
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked = asyncio.Event()
        self._news = asyncio.Event()
        self._beginner: asyncio.Task[None] | None = None
        self._ours: set[str] = set()
        self._setbacks: dict[str, int] = {}
        self.runs: dict[str, Run] = {}
        self.stopping = False

    def start(self) -> None:
        """Begin jobs from now on."""
        self._beginner = self._loops.start("looks for jobs", self._begin_jobs)

    async def stop(self, seconds: float) -> None:
        """Begin no more jobs. Running jobs have `seconds` to finish their current pages, and are then queued
        again."""
        self.stopping = True
        if self._beginner:
            self._beginner.cancel()
            with suppress(asyncio.CancelledError):
                await self._beginner
            self._beginner = None
        for run in self.runs.values():
            run.stop_signal.stop(interruption())
        await end(self._tasks, seconds)
        self.tell()

    def take(self, job_ids: Iterable[str]) -> None:
        """There are new jobs: do not wait to look for them."""
        if not self.everybodys:
            self._ours.update(job_ids)
        self._asked.set()

    def is_stuck(self, job_id: str) -> bool:
        """Whether a job fails here again and again without progress, for reasons outside the job."""
        run = self.runs.get(job_id)
        return self._setbacks.get(job_id, 0) >= MOST_SETBACKS and not (run and run.underway.is_set())

    @property
    def condition(self) -> Condition:
        """Whether this process runs jobs; "none" if it leaves them to others."""
        if self.stopping or (self._beginner and self._beginner.done()):
            return "stopped"
        return "running" if self._beginner else "none"

    @property
    def news(self) -> asyncio.Event:
        """Set when the next job has ended here. Take it before looking at a job, then wait for it."""
        return self._news

    def tell(self) -> None:
        """Wake all who wait for news."""
        self._news.set()
        self._news = asyncio.Event()

    async def _begin_jobs(self) -> None:
        self._asked.clear()
        for job in await self._next():
            self._begin(job)
        await wait_up_to(LOOK_SECONDS, self._asked)

    async def _next(self) -> Sequence[Job]:
        room = self._at_once - len(self.runs)
        if room <= 0:
            return ()
        active = await self._store.active(SEEN_AT_ONCE, None if self.everybodys else self._ours)
        known = {job.id for job in active}
        self._setbacks = {job_id: count for job_id, count in self._setbacks.items() if job_id in known}
        free = await self._ledgers.free([job.request.series for job in active])
        waiting = [job for job in active if job.request.series in free and job.id not in self.runs]
        return next_jobs(waiting, [run.job for run in self.runs.values()], room)

    def _begin(self, job: Job) -> None:
        self.runs[job.id] = Run(job, self._clock)
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: Job) -> None:
        """Run a job under its series' lease. If anything stops it, the job will start again."""
        name = job.request.series.name
        try:
            with bound(job=job.id, series=name):
                async with self._ledgers.hold(job.request.series) as ledger:
                    await self._do(self.runs[job.id], ledger)
        except SeriesBusy:
            log.debug("%s: job %s waits for another job of the series", name, job.id)
        except (LeaseLost, DatabaseUnavailable) as error:
            log.warning("%s: job %s stopped and will start again: %s", name, job.id, error)
            self._set_back(job)
        except Exception as error:  # noqa: BLE001 - the job is begun again
            self._loops.note("jobs", error)
            self._set_back(job)
        else:
            self._setbacks.pop(job.id, None)
            self._asked.set()
        finally:
            del self.runs[job.id]
            self.tell()

    def _set_back(self, job: Job) -> None:
        before = 0 if self.runs[job.id].underway.is_set() else self._setbacks.get(job.id, 0)
        self._setbacks[job.id] = before + 1

    async def _do(self, run: Run, ledger: Ledger) -> None:
        begun = await self._store.begin(run.job.id, ledger.token, self._clock.now())
        if begun is None:
            return
        run.job = begun
        if begun.tries > TRIES:
            ended = self._failed(begun, MarketDataError(f"begun {TRIES} times, the job never got anywhere"))
        else:
            ended = await self._work(run, ledger)
        await self._store.finish(ended, ledger.token)
        tell_end(ended, self._metrics, self._clock.now())

    async def _work(self, run: Run, ledger: Ledger) -> Job:
        """The job as it is when the work has ended."""
        reporter = asyncio.create_task(self._report(run, ledger.token))
        try:
            with run.counted():
                result = await self._syncs.sync(ledger, run.job.request, run.note, run.stop_signal)
            error = result.error
            run.job = replace(run.job, notes=run.job.notes + result.notes)
        except MarketDataError as raised:
            error = raised
        except Exception:
            log.exception(
                "%s: job %s failed with an unexpected error. Please report it",
                run.job.request.series.name,
                run.job.id,
            )
            error = MarketDataError("an unexpected error of the service: see its log")
        finally:
            reporter.cancel()
        return self._ended(run.job, error and (run.stop_signal.reason or error))

    def _ended(self, job: Job, error: MarketDataError | None) -> Job:
        if error is None:
            return replace(job, status="done", finished=self._clock.now())
        if isinstance(error, LeaseLost):
            raise error
        if isinstance(error, Interrupted):
            return replace(job, status="queued", tries=0)
        if isinstance(error, DatabaseUnavailable) and job.tries < TRIES:
            raise error
        return self._failed(job, error)

    def _failed(self, job: Job, error: MarketDataError) -> Job:
        failure = Failure(error.code, str(error), error.retry_after)
        status: Status = "cancelled" if isinstance(error, Cancelled) else "failed"
        return replace(job, status=status, finished=self._clock.now(), failure=failure)

    async def _report(self, run: Run, token: str) -> None:
        """Store the job's progress from time to time, and see whether somebody has cancelled it.

        The first progress is stored at once: the job must not look as if it had none.
        """
        if run.job.cancelling:
            run.cancel()
        await wait_up_to(REPORT_SECONDS, run.underway)
        await self._loops.run("reports of jobs", partial(self._report_once, run, token))

    async def _report_once(self, run: Run, token: str) -> None:
        if await self._store.report(run.job, token):
            run.cancel()
        await self._clock.sleep(REPORT_SECONDS)


def interruption() -> Interrupted:
    """The error for clients when the service stops."""
    return Interrupted("the service was told to stop: the job goes on when it is back")
