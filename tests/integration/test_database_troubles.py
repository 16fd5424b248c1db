"""Bad days of the database: full, read-only, slow, frozen. Clear errors, nothing lost, recovery by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient

from backend.app import open_service
from backend.core.job import Job, SyncRequest
from backend.core.windows import MINUTE
from backend.errors import DatabaseUnavailable
from backend.services.service import Service
from backend.settings import load_settings
from tests.conftest import NOW, ImpatientClock
from tests.integration.mongods import OUT_OF_DISK_SPACE, Mongod, running_mongod
from tests.integration.stored import SERIES, stored_rows
from tests.simulator import Simulator

CLOSED = NOW - NOW % MINUTE
MINUTES = 20_000
START = CLOSED - MINUTES * MINUTE


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    with running_mongod(tmp_path) as found:
        yield found


@asynccontextmanager
async def service_on(mongod: Mongod, simulator: Simulator, uri: str = "") -> AsyncIterator[Service]:
    settings = load_settings(
        {
            "BINANCE_SPOT_URL": simulator.url,
            "MONGODB_URI": uri or mongod.uri,
            "DATABASE_TIMEOUT": "1",
            "LEASE_SECONDS": "1",
            "PAGES_IN_FLIGHT": "2",
        }
    )
    async with open_service(settings, ImpatientClock()) as service:
        yield service


async def begun(service: Service, simulator: Simulator) -> Job:
    """A job that has brought its first pages and is not over soon."""
    simulator.faults.latency = 0.05
    [job] = await service.jobs.submit([SyncRequest(SERIES, START)])
    async for found in service.jobs.watch(job.id):
        if found.tally.minutes_done:
            break
    return job


async def assert_it_goes_on(service: Service, job: Job, mongod: Mongod, simulator: Simulator) -> None:
    """The job ends complete by itself."""
    while True:
        try:
            ended = await service.jobs.wait(job.id)
        except DatabaseUnavailable:
            await service.running.database_answers()
        else:
            break
    assert (ended.status, ended.failure) == ("done", None)
    assert stored_rows(mongod.uri, "binance_data") == simulator.history("BTCUSDT", START, CLOSED)


async def test_a_full_disk_is_told_and_the_job_goes_on_when_there_is_room(
    mongod: Mongod, simulator: Simulator
) -> None:
    async with service_on(mongod, simulator) as service:
        job = await begun(service, simulator)
        mongod.fail(["insert", "update", "findAndModify"], errorCode=OUT_OF_DISK_SPACE)
        with pytest.raises(DatabaseUnavailable, match="the job continues"):
            await service.jobs.wait(job.id)
        with pytest.raises(DatabaseUnavailable, match="could not write a job down"):
            await service.jobs.submit([SyncRequest(SERIES)])
        mongod.recover()
        await assert_it_goes_on(service, job, mongod, simulator)


async def test_a_slow_database_slows_a_sync_and_harms_nothing(mongod: Mongod, simulator: Simulator) -> None:
    async with service_on(mongod, simulator) as service:
        mongod.fail(["insert", "update", "find"], blockConnection=True, blockTimeMS=100)
        job = await begun(service, simulator)
        await assert_it_goes_on(service, job, mongod, simulator)


async def test_a_database_that_answers_too_late_is_told_and_the_job_goes_on(
    mongod: Mongod, simulator: Simulator
) -> None:
    async with service_on(mongod, simulator) as service:
        job = await begun(service, simulator)
        mongod.fail(["insert"], blockConnection=True, blockTimeMS=3000)
        with pytest.raises(DatabaseUnavailable):
            await service.jobs.wait(job.id)
        mongod.recover()
        await assert_it_goes_on(service, job, mongod, simulator)


async def test_a_frozen_database_is_told_and_the_job_goes_on_when_it_wakes(
    mongod: Mongod, simulator: Simulator
) -> None:
    async with service_on(mongod, simulator) as service:
        job = await begun(service, simulator)
        mongod.freeze()
        with pytest.raises(DatabaseUnavailable):
            await service.jobs.wait(job.id)
        assert not await service.running.database_answers()
        mongod.thaw()
        await assert_it_goes_on(service, job, mongod, simulator)


async def test_a_database_that_may_only_be_read_is_told_and_still_read(
    tmp_path: Path, simulator: Simulator
) -> None:
    with running_mongod(tmp_path) as mongod:
        async with service_on(mongod, simulator) as service:
            job = await begun(service, simulator)
            await assert_it_goes_on(service, job, mongod, simulator)
        roles = [{"role": "read", "db": "binance_data"}]
        with MongoClient[dict[str, object]](mongod.uri) as client:
            client.admin.command("createUser", "reader", pwd="dummy", roles=roles)
    with running_mongod(tmp_path, "--auth") as mongod:
        uri = f"mongodb://reader:dummy@127.0.0.1:{mongod.port}/?directConnection=true"
        async with service_on(mongod, simulator, uri) as service:
            assert (await service.reading.queries.statistics(SERIES)).total_records == MINUTES
            with pytest.raises(DatabaseUnavailable, match="could not write a job down"):
                await service.jobs.submit([SyncRequest(SERIES)])


async def test_a_database_that_refuses_our_password_says_so(tmp_path: Path, simulator: Simulator) -> None:
    with running_mongod(tmp_path, "--auth") as mongod:
        uri = f"mongodb://nobody:dummy@127.0.0.1:{mongod.port}/?directConnection=true"
        async with service_on(mongod, simulator, uri) as service:
            with pytest.raises(DatabaseUnavailable, match="refuses our user name or password"):
                await service.jobs.submit([SyncRequest(SERIES)])
