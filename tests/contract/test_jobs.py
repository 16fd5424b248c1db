"""What the store of jobs does, over both drivers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from backend.core.job import Failure, Job, SyncRequest, Tally
from backend.core.series import Series
from backend.store.market.jobs import MongoJobs
from tests.contract.drivers import DRIVERS, empty_database
from tests.fakes import BTC, START, minute, minutes

ETH = Series("binance", "spot", "ETHUSDT")


@pytest.fixture(params=DRIVERS)
def database(request: pytest.FixtureRequest, mongod_uri: str, io_loop: IOLoop) -> Iterator[Any]:
    """A database on a real server, through either driver."""
    with empty_database(request.param, mongod_uri, io_loop) as found:
        yield found


@pytest.fixture
def store(database: Any) -> MongoJobs:
    return MongoJobs(database)


def job(name: str, series: Series = BTC, created: int = START, **more: Any) -> Job:
    return Job(name, SyncRequest(series, **more), created)


RUN = replace(
    job("one"),
    window=minutes(0, 50),
    tally=Tally(20, 50, 19, 1, 0, 0, 3, 7, 2, 1, 0.25),
    rate=12.5,
    notes=("a file was late",),
)


async def test_a_job_is_kept_as_it_is(store: MongoJobs) -> None:
    kept = job("one", start=minute(3), end=minute(9), refresh=True)
    assert await store.add(kept) == kept
    assert await store.load("one") == kept
    assert await store.load("two") is None


async def test_an_equal_request_gets_the_job_that_is_not_over(store: MongoJobs) -> None:
    first = await store.add(job("one"))
    assert await store.add(job("two")) == first
    assert await store.add(job("three", start=minute(0))) == job("three", start=minute(0))


async def test_of_many_equal_requests_at_once_one_becomes_the_job(store: MongoJobs) -> None:
    jobs = await asyncio.gather(*(store.add(job(f"job {number}")) for number in range(8)))
    assert len({one.id for one in jobs}) == 1
    assert (await store.queued(), await store.running()) == (1, 0)


async def test_a_request_like_one_that_is_over_is_a_new_job(store: MongoJobs) -> None:
    await store.add(job("one"))
    await store.begin("one", "token", minute(1))
    await store.finish(replace(RUN, status="done", finished=minute(2)), "token")
    assert (await store.add(job("two"))).id == "two"


async def test_a_job_runs_once_it_is_begun(store: MongoJobs) -> None:
    await store.add(job("one"))
    begun = await store.begin("one", "token", minute(1))
    assert begun == replace(job("one"), status="running", started=minute(1), tries=1)
    again = await store.begin("one", "token of another", minute(5))
    assert again == replace(begun, tries=2)
    assert (await store.queued(), await store.running()) == (0, 1)
    assert await store.begin("two", "token", minute(1)) is None


async def test_how_far_a_job_is_can_be_read_by_others(store: MongoJobs) -> None:
    await store.add(job("one"))
    await store.begin("one", "token", minute(1))
    assert not await store.report(RUN, "token")
    assert await store.load("one") == replace(RUN, status="running", started=minute(1))


@pytest.mark.parametrize("status", ["done", "failed", "cancelled"])
async def test_a_job_that_ended_is_active_no_more_and_kept_for_a_week(
    database: Any, store: MongoJobs, status: Any
) -> None:
    await store.add(job("one"))
    await store.begin("one", "token", minute(1))
    failure = None if status == "done" else Failure("rate_limited", "slow down", 12.5)
    ended = replace(RUN, status=status, started=minute(1), finished=minute(2), failure=failure)
    await store.finish(ended, "token")
    assert await store.load("one") == ended
    assert await store.active(10) == await store.active_of([BTC]) == []
    assert await store.begin("one", "token", minute(3)) is None
    document = await database["jobs"].find_one()
    assert document["expire_at"].replace(tzinfo=UTC) == datetime(2025, 6, 8, 0, 2, tzinfo=UTC)


async def test_a_job_that_waits_again_is_queued_and_still_joined(store: MongoJobs) -> None:
    await store.add(job("one"))
    await store.begin("one", "token", minute(1))
    await store.finish(replace(RUN, status="queued"), "token")
    assert await store.queued() == 1
    assert (await store.add(job("two"))).id == "one"


async def test_an_old_token_writes_nothing(store: MongoJobs) -> None:
    await store.add(job("one"))
    await store.begin("one", "old", minute(1))
    begun = await store.begin("one", "new", minute(2))
    assert not await store.report(RUN, "old")
    await store.finish(replace(RUN, status="done", finished=minute(3)), "old")
    assert await store.load("one") == begun


async def test_cancelling_ends_a_queued_job_and_asks_a_running_one(store: MongoJobs) -> None:
    await store.add(job("one"))
    await store.add(job("two", ETH))
    await store.begin("two", "token", minute(1))
    assert await store.cancel("one", minute(2)) == replace(job("one"), status="cancelled", finished=minute(2))
    asked = await store.cancel("two", minute(2))
    assert asked is not None
    assert (asked.status, asked.cancelling) == ("running", True)
    assert await store.report(replace(RUN, id="two"), "token")
    assert await store.cancel("three", minute(2)) is None


@pytest.mark.parametrize("running", [True, False])
async def test_a_job_that_is_cancelled_is_joined_no_more(store: MongoJobs, running: bool) -> None:
    await store.add(job("one"))
    if running:
        await store.begin("one", "token", minute(1))
    await store.cancel("one", minute(2))
    assert (await store.add(job("two"))).id == "two"


async def test_a_job_that_is_over_stays_as_it_ended(store: MongoJobs) -> None:
    await store.add(job("one"))
    await store.begin("one", "token", minute(1))
    done = replace(RUN, status="done", started=minute(1), finished=minute(2))
    await store.finish(done, "token")
    assert await store.cancel("one", minute(3)) == done


async def test_jobs_are_listed_by_age_status_and_series(store: MongoJobs) -> None:
    for number in range(5):
        await store.add(job(f"job {number}", ETH if number == 2 else BTC, minute(number), start=number))
    await store.begin("job 3", "token", minute(9))
    assert [one.id for one in await store.newest(2)] == ["job 4", "job 3"]
    assert [one.id for one in await store.newest(10, "running")] == ["job 3"]
    assert [one.id for one in await store.active(3)] == ["job 0", "job 1", "job 2"]
    assert [one.id for one in await store.active_of([ETH])] == ["job 2"]


async def test_jobs_have_the_indexes_that_their_queries_need(database: Any, store: MongoJobs) -> None:
    await store.add(job("one"))
    indexes = await database["jobs"].index_information()
    assert {tuple(index["key"]) for index in indexes.values()} == {
        (("_id", 1),),
        (("key", 1),),
        (("active", 1), ("created", 1)),
        (("created", -1),),
        (("expire_at", 1),),
    }


async def test_jobs_that_are_over_can_be_forgotten(store: MongoJobs) -> None:
    for one in (job("one"), job("other", ETH)):
        await store.add(one)
        await store.cancel(one.id, minute(1))
    await store.add(job("waiting"))
    assert await store.count_over(BTC) == 1
    await store.forget(BTC)
    assert await store.count_over(BTC) == 0
    assert {one.id for one in await store.newest(9)} == {"other", "waiting"}


async def test_a_job_of_another_version_hides_no_other(store: MongoJobs, database: Any) -> None:
    kept = await store.add(job("one"))
    await database["jobs"].insert_one(
        {"_id": "strange", "active": True, "created": START, "status": "queued"}
    )
    assert await store.active(10) == await store.newest(10) == [kept]


async def test_jobs_of_some_ids_are_found_behind_any_number_of_others(store: MongoJobs) -> None:
    for number in range(5):
        await store.add(job(str(number), start=minute(number), created=START + number))
    assert [found.id for found in await store.active(2, {"4", "3", "nobody's"})] == ["3", "4"]
    assert await store.active(2, set()) == []
