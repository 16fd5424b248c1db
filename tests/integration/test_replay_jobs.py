"""Replays as jobs of several processes: each is carried out by one at a time, whoever dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from backend.clock import SystemClock
from backend.core.windows import MINUTE
from backend.errors import DatabaseUnavailable
from backend.loops import Loops
from backend.services.alarms import replays as module
from backend.services.alarms.replay_course import ReplayCourse, Report
from backend.services.alarms.replays import Replays
from backend.store.mongo import Database
from backend.store.trading.replays import MongoReplays
from backend.trading.alarms.alarm import Alarm
from backend.trading.alarms.replay import ReplayRun
from backend.trading.alarms.strategy import Strategy
from tests.extracting import until
from tests.integration.test_alarms import strategy
from tests.integration.test_paper_accounts import paper
from tests.ordering import NOW, Floor


class Course(ReplayCourse):
    """Reports a first day, then waits until it may go on."""

    def __init__(self, here: Floor) -> None:
        super().__init__(accounts=here.first.accounts, prices=here.first.prices, clock=SystemClock())
        self.begun = 0
        self.may_go_on = asyncio.Event()
        self.failure: Exception | None = None

    async def go(
        self, run: ReplayRun, strategy: Strategy, alarms: Sequence[Alarm], report: Report
    ) -> ReplayRun:
        self.begun += 1
        await report(replace(run, alarms_done=1))
        await self.may_go_on.wait()
        if failure := self.failure:
            self.failure = None
            raise failure
        return await super().go(run, strategy, alarms, report)


class Process:
    """What one process has of replays."""

    def __init__(self, here: Floor, database: Database) -> None:
        self.course = Course(here)
        clock = SystemClock()
        self.replays = Replays(
            store=MongoReplays(database),
            alarms=here.first.alarms,
            strategies=here.first.strategies,
            accounts=here.first.accounts,
            course=self.course,
            clock=clock,
            loops=Loops(clock),
        )

    async def begin(self) -> str:
        run = await self.replays.begin("ema", NOW - MINUTE, NOW, Decimal(5000), caller="test")
        return run.id

    async def has_begun(self) -> bool:
        return self.course.begun > 0


@asynccontextmanager
async def processes(database: Database) -> AsyncIterator[tuple[Process, Process]]:
    """Two of them; none has started its work."""
    async with paper(database, balance=5000) as here, AsyncExitStack() as stack:
        await strategy(here)
        first, second = Process(here, database), Process(here, database)
        for one in (first, second):
            stack.push_async_callback(one.replays.stop)
        yield first, second


async def until_done(process: Process, run_id: str) -> ReplayRun:
    async def is_over() -> bool:
        return (await process.replays.get(run_id)).status != "running"

    await until(is_over)
    return await process.replays.get(run_id)


async def test_a_process_that_does_no_jobs_leaves_the_replay_to_one_that_does(database: Database) -> None:
    async with processes(database) as (asked, working):
        run_id = await asked.begin()
        working.course.may_go_on.set()
        working.replays.start()
        run = await until_done(asked, run_id)
        assert (run.status, run.begun, asked.course.begun) == ("done", 1, 0)
        assert run.result is not None
        assert run.result.equity[-1][1] == 5000


async def test_two_processes_carry_a_replay_out_once(database: Database) -> None:
    async with processes(database) as both:
        for one in both:
            one.replays.start()
            one.course.may_go_on.set()
        ids = [await both[0].begin() for _ in range(6)]
        runs = [await until_done(both[0], run_id) for run_id in ids]
        assert {run.status for run in runs} == {"done"}
        assert sum(one.course.begun for one in both) == len(ids)


async def test_a_replay_of_a_dead_process_is_begun_again_and_the_dead_one_writes_nothing(
    database: Database,
) -> None:
    async with processes(database) as (dead, alive):
        dead.replays.start()
        run_id = await dead.begin()
        await until(dead.has_begun)
        await database["replays"].update_one({"_id": run_id}, {"$set": {"run.until": 0}})
        alive.replays.start()
        await until(alive.has_begun)
        dead.course.may_go_on.set()
        await asyncio.sleep(0.05)
        assert (await alive.replays.get(run_id)).status == "running"
        alive.course.may_go_on.set()
        run = await until_done(alive, run_id)
        assert (run.status, run.begun) == ("done", 2)


async def test_a_process_that_stops_gives_its_replays_back_at_once(database: Database) -> None:
    async with processes(database) as (first, second):
        first.replays.start()
        run_id = await first.begin()
        await until(first.has_begun)
        await first.replays.stop()
        second.course.may_go_on.set()
        second.replays.start()
        run = await until_done(second, run_id)
        assert (run.status, run.begun) == ("done", 1)


async def test_a_replay_outlives_an_absence_of_the_database(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    async with processes(database) as (process, _):
        process.course.failure = DatabaseUnavailable("the database is away")
        process.course.may_go_on.set()
        process.replays.start()
        run = await until_done(process, await process.begin())
        assert (run.status, run.begun, process.course.begun) == ("done", 1, 2)


async def test_an_error_that_nobody_expects_is_logged_and_the_replay_begun_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)

    async def is_logged() -> bool:
        return "a fault of the service" in caplog.text

    async with processes(database) as (process, _):
        process.course.failure = KeyError("a fault of the service")
        process.course.may_go_on.set()
        process.replays.start()
        run_id = await process.begin()
        await until(is_logged)
        await database["replays"].update_one({"_id": run_id}, {"$set": {"run.until": 0}})
        run = await until_done(process, run_id)
        assert (run.status, run.begun, process.course.begun) == ("done", 2, 2)


async def test_a_cancelled_replay_ends_where_it_runs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE_MS", 300)
    async with processes(database) as (running, other):
        running.replays.start()
        run_id = await running.begin()
        await until(running.has_begun)
        assert (await other.replays.cancel(run_id)).status == "cancelled"

        async def is_free() -> bool:
            return not any(task.get_name() == f"replay {run_id}" for task in asyncio.all_tasks())

        await until(is_free)
        assert (await other.replays.get(run_id)).status == "cancelled"
