"""Jobs outlive their process: taken over, gone on with, shared; nothing is fetched twice or lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backend.app import open_service
from backend.clock import parse_time
from backend.core.job import Job, SyncRequest
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.services.jobs.worker import SEEN_AT_ONCE
from backend.services.service import Service
from backend.settings import Settings, load_settings
from backend.store.embedded import EmbeddedMongod
from backend.store.market.jobs import MongoJobs
from backend.store.mongo import Database
from tests.conftest import NOW, ImpatientClock
from tests.hurried import tasks
from tests.integration.processes import RunningService, running_service, running_simulator, until
from tests.integration.stored import SERIES, held_minutes, stored_rows
from tests.simulator import Simulator, SimulatorClock
from tests.syncing import run_job

LONG_AGO = "2025-05-01T00:00:00Z"
START = parse_time(LONG_AGO)
CLOSED = NOW - NOW % MINUTE
MINUTES = (CLOSED - START) // MINUTE
ETH = Series("binance", "spot", "ETHUSDT")
BODY = {"symbol": "BTCUSDT", "start_time": LONG_AGO}
FIRST_EVER = "0"
"""Where the question for the first candle begins, which is asked twice."""

ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))


@pytest.fixture
def exchange() -> Iterator[str]:
    """A slow exchange in a process of its own; its base URL."""
    slow = ("--now", "2025-06-02T01:00:30Z", "--frozen", "--latency", "0.05")
    with running_simulator(*slow) as url:
        yield url


@pytest.fixture
def environment(exchange: str, mongod_uri: str, database: Database) -> dict[str, str]:
    return {
        "BINANCE_SPOT_URL": exchange,
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": database.name,
        "PAGES_IN_FLIGHT": "2",
        "LEASE_SECONDS": "1",
    }


def history(start: int = START) -> list[tuple[Any, ...]]:
    simulated = Simulator(clock=SimulatorClock(NOW, frozen=True))
    return list(simulated.history("BTCUSDT", start, CLOSED))


def job(service: RunningService, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = service.call(f"/api/jobs/{job_id}")[1]["job"]
    return found


def is_done(service: RunningService, job_id: str) -> bool:
    return bool(job(service, job_id)["status"] == "done")


def is_underway(service: RunningService, job_id: str) -> bool:
    return bool(job(service, job_id)["minutes_done"])


def has_done(service: RunningService, job_id: str, minutes: int) -> bool:
    return bool(job(service, job_id)["minutes_done"] >= minutes)


def begin(service: RunningService, start: int = START) -> str:
    status, body = service.call("/api/sync", {"symbol": "BTCUSDT", "start_time": start, "wait": False})
    assert status == 202
    job_id: str = body["job"]["id"]
    return job_id


async def test_the_job_of_a_killed_process_is_taken_over_by_another(
    tmp_path: Path, environment: dict[str, str], mongod_uri: str, database: Database
) -> None:
    with running_service(tmp_path / "one", **environment) as one:
        job_id = begin(one)
        until(partial(is_underway, one, job_id), "the job to get somewhere")
        with running_service(tmp_path / "other", **environment, EGRESS="elsewhere") as other:
            one.kill()
            until(partial(is_done, other, job_id), "the other process to end the job")
            found = job(other, job_id)
    assert 0 < found["new_records"] <= MINUTES
    assert found["minutes_done"] == found["minutes_total"]
    assert stored_rows(mongod_uri, database.name) == history()


async def test_a_job_that_was_interrupted_goes_on_when_the_service_is_back(
    tmp_path: Path, environment: dict[str, str], mongod_uri: str, database: Database
) -> None:
    with running_service(tmp_path / "log", **environment) as service:
        job_id = begin(service)
        until(partial(is_underway, service, job_id), "the job to get somewhere")
        began = asyncio.get_running_loop().time()
        assert service.stop() == 0
        assert asyncio.get_running_loop().time() - began < 10
    assert 0 < len(await held_minutes(database)) < MINUTES
    with running_service(tmp_path / "log", **environment) as service:
        until(partial(is_done, service, job_id), "the job to go on by itself")
    assert stored_rows(mongod_uri, database.name) == history()


async def test_an_owner_that_slept_while_another_took_over_harms_nothing(
    tmp_path: Path, environment: dict[str, str], mongod_uri: str, database: Database
) -> None:
    with (
        running_service(tmp_path / "sleeper", **environment) as sleeper,
        running_service(tmp_path / "other", **environment, EGRESS="elsewhere") as other,
    ):
        job_id = begin(sleeper)
        until(partial(is_underway, other, job_id), "the job to get somewhere")
        sleeper.process.send_signal(signal.SIGSTOP)
        try:
            until(partial(is_done, other, job_id), "the other process to end the job")
            before = await held_minutes(database)
        finally:
            sleeper.process.send_signal(signal.SIGCONT)
        until(partial(is_done, sleeper, job_id), "the sleeper to see that it was replaced")
        status, body = sleeper.call("/api/sync", BODY)
        assert (status, body["complete"], body["new_records"]) == (200, True, 0)
        assert before == await held_minutes(database)
    assert stored_rows(mongod_uri, database.name) == history()


async def test_a_job_can_be_cancelled_from_another_process(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with (
        running_service(tmp_path / "one", **environment) as one,
        running_service(tmp_path / "other", **environment, EGRESS="elsewhere") as other,
    ):
        job_id = begin(one)
        until(partial(is_underway, other, job_id), "the job to get somewhere")
        assert other.call(f"/api/jobs/{job_id}", method="DELETE")[0] == 200
        until(lambda: job(other, job_id)["status"] == "cancelled", "the job to be cancelled")
        assert 0 < job(one, job_id)["new_records"] < MINUTES


async def test_killed_at_random_points_the_job_still_ends_with_the_exchanges_history(
    tmp_path: Path, environment: dict[str, str], mongod_uri: str, database: Database
) -> None:
    """kill -9 of the service, KILL_ROUNDS times (`make soak`: 50), each a moment after the job went on."""
    moments = random.Random(7)
    start = CLOSED - ROUNDS * 10_000 * MINUTE
    with running_service(tmp_path / "log", **environment) as service:
        job_id = begin(service, start)
    for _ in range(ROUNDS):
        with running_service(tmp_path / "log", **environment) as service:
            found = job(service, job_id)
            assert found["status"] in ("queued", "running")
            more = found["minutes_done"] + moments.randint(0, 2) * 1000
            until(partial(has_done, service, job_id, more), "the job to go on")
            service.kill()
    with running_service(tmp_path / "log", **environment) as service:
        until(partial(is_done, service, job_id), "the job to be done at last")
    rows = stored_rows(mongod_uri, database.name)
    assert rows == history(start)
    assert await held_minutes(database) == {row[0] for row in rows}


@pytest.fixture
def slow_settings(settings: Settings, simulator: Simulator) -> Settings:
    simulator.faults.latency = 0.01
    simulator.faults.jitter = 0.02
    return settings


async def run(service: Service, series: Series = SERIES) -> Job:
    [found] = await service.jobs.submit([SyncRequest(series, START)])
    return await service.jobs.wait(found.id)


async def test_two_services_asked_for_one_series_at_once_fetch_no_candle_twice(
    slow_settings: Settings, simulator: Simulator
) -> None:
    async with (
        open_service(slow_settings, ImpatientClock()) as one,
        open_service(slow_settings, ImpatientClock()) as other,
    ):
        first, second = await asyncio.gather(run(one), run(other))
    assert first.id == second.id
    assert (first.status, first.tally.new_records) == ("done", MINUTES)
    asked = sorted(record.params["startTime"] for record in klines(simulator))
    pages = [start for start in asked if start != FIRST_EVER]
    assert len(pages) == len(set(pages))
    rows = stored_rows(slow_settings.mongodb_uri, slow_settings.mongodb_database)
    assert rows == simulator.history("BTCUSDT", START, CLOSED)


async def test_jobs_at_one_exchange_share_its_budget_evenly(
    slow_settings: Settings, simulator: Simulator
) -> None:
    async with open_service(slow_settings, ImpatientClock()) as service:
        series = [Series("binance", "spot", symbol) for symbol in ("BTCUSDT", "ETHUSDT")]
        jobs = await asyncio.gather(*(run(service, one) for one in series))
    assert [found.status for found in jobs] == ["done", "done"]
    asked = [record.params["symbol"] for record in klines(simulator)]
    middle = asked[len(asked) // 4 : len(asked) // 2]
    assert 0.25 <= middle.count("BTCUSDT") / len(middle) <= 0.75


async def test_jobs_that_are_over_leave_no_task_behind(service: Service) -> None:
    for minutes in range(10, 0, -1):
        job = await run_job(service, SERIES, CLOSED - minutes * MINUTE, CLOSED)
        assert job.status == "done"
    await asyncio.sleep(0)
    assert [name for name in tasks() if "Worker" in name] == []


async def test_a_command_does_its_own_job_behind_a_thousand_older_ones(
    settings: Settings, database: Database
) -> None:
    older = MongoJobs(database)
    starts = (START - number * MINUTE for number in range(SEEN_AT_ONCE))
    await asyncio.gather(
        *(older.add(Job(str(start), SyncRequest(ETH, start), created=1)) for start in starts)
    )
    async with open_service(replace(settings, jobs_queued=2000), ImpatientClock(), role="command") as service:
        found = await run_job(service, SERIES, CLOSED - 10 * MINUTE, CLOSED)
    assert (found.status, found.tally.new_records) == ("done", 10)


def klines(simulator: Simulator) -> list[Any]:
    return [record for record in simulator.requests if record.path.endswith("/klines")]


@pytest.mark.parametrize("killed_at", [2000, 9000])
async def test_a_job_goes_on_by_itself_when_a_killed_database_is_back(tmp_path: Path, killed_at: int) -> None:
    mongod = EmbeddedMongod(tmp_path)
    async with Simulator(clock=SimulatorClock(NOW, frozen=True)) as simulator:
        simulator.faults.latency = 0.01
        settings = load_settings(
            {
                "BINANCE_SPOT_URL": simulator.url,
                "MONGODB_URI": mongod.start(),
                "DATABASE_TIMEOUT": "1",
                "PAGES_IN_FLIGHT": "2",
            }
        )
        try:
            async with open_service(settings, ImpatientClock()) as service:
                [submitted] = await service.jobs.submit([SyncRequest(SERIES, START)])
                async for found in service.jobs.watch(submitted.id):
                    if found.tally.minutes_done >= killed_at:
                        break
                assert mongod.pid is not None
                os.kill(mongod.pid, signal.SIGKILL)
                until(partial(_is_back, mongod, mongod.pid), "the database to be started again")
                while not await service.running.database_answers():
                    continue
                ended = await service.jobs.wait(submitted.id, 60)
                assert (ended.status, ended.failure) == ("done", None)
            rows = stored_rows(settings.mongodb_uri, settings.mongodb_database)
            assert rows == simulator.history("BTCUSDT", START, CLOSED)
        finally:
            mongod.stop()


def _is_back(mongod: EmbeddedMongod, killed: int) -> bool:
    mongod.revive()
    return mongod.pid != killed
