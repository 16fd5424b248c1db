"""What the store of processes does, over both drivers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from backend.services.ports import Member
from backend.store.market.processes import MongoFleet
from tests.contract.drivers import DRIVERS, empty_database

ONE, TWO = Member("one", "", 1.0, True), Member("two", "vpn", 0.05, False, trades=True)


@pytest.fixture(params=DRIVERS)
def database(request: pytest.FixtureRequest, mongod_uri: str, io_loop: IOLoop) -> Iterator[Any]:
    """A database on a real server, through either driver."""
    with empty_database(request.param, mongod_uri, io_loop) as found:
        yield found


async def test_processes_hear_of_each_other(database: Any) -> None:
    store = MongoFleet(database)
    assert await store.beat(ONE, 60) == [ONE]
    assert sorted(await store.beat(TWO, 60)) == [ONE, TWO]
    assert sorted(await store.beat(ONE, 60)) == [ONE, TWO]


async def test_who_only_asks_who_is_there_is_not_counted(database: Any) -> None:
    store = MongoFleet(database)
    assert await store.present() == []
    await store.beat(TWO, 60)
    await store.beat(ONE, 60)
    assert await store.present() == [ONE, TWO]
    await store.beat(ONE, 0.001)
    while len(await store.present()) > 1:
        continue
    assert await store.present() == [TWO]


async def test_a_process_that_leaves_is_forgotten_at_once(database: Any) -> None:
    store = MongoFleet(database)
    await store.beat(ONE, 60)
    await store.leave(ONE)
    assert await store.beat(TWO, 60) == [TWO]


async def test_a_process_that_is_silent_for_too_long_is_forgotten(database: Any) -> None:
    store = MongoFleet(database)
    await store.beat(ONE, 0.001)
    while len(await store.beat(TWO, 60)) > 1:
        continue
    assert await database["processes"].count_documents({}) == 1


async def test_a_process_of_another_version_hides_no_other(
    database: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = MongoFleet(database)
    await store.beat(ONE, 60)
    later = {"$dateAdd": {"startDate": "$$NOW", "unit": "hour", "amount": 1}}
    await database["processes"].update_one({"_id": "three"}, [{"$set": {"until": later}}], upsert=True)
    for _ in range(3):
        assert sorted(await store.beat(TWO, 60)) == [ONE, TWO]
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
