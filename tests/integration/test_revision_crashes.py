"""A write that ends between a revision and its candle, at each step, on a real mongod that fails on demand.

What is listed is what took place, once, whoever comes next: a writer or a reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import pytest
from tornado.ioloop import IOLoop

from backend.core.candles import Candle
from backend.core.columns import candles_of
from backend.core.windows import Window
from backend.errors import DatabaseUnavailable
from backend.services.ports import RevisionState
from backend.store.market.candles import MongoCandles
from backend.store.market.revisions import ABANDONED_MS, MongoRevisions
from backend.store.mongo import Database, connect, disconnect
from tests.fakes import BTC, FakeClock, candle, minute
from tests.integration.mongods import OUT_OF_DISK_SPACE, Mongod, running_mongod

NAME = "candles"
EVERYTHING = Window(0, 2**50)
FIRST, OTHER = candle(minute(0)), candle(minute(1))
SECOND, THIRD = (msgspec.structs.replace(FIRST, close=close) for close in (100.5, 100.25))

STEPS = {
    "the revision": ("insert", f"{NAME}.revisions"),
    "the candle": ("update", f"{NAME}.{BTC.name}"),
    "the settling": ("update", f"{NAME}.revisions"),
}


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with running_mongod(tmp_path_factory.mktemp("mongod")) as found:
        yield found


@pytest.fixture
def database(mongod: Mongod, io_loop: IOLoop) -> Iterator[Database]:
    """It holds FIRST and OTHER."""
    mongod.recover()
    found = connect(mongod.uri, NAME)
    io_loop.run_sync(lambda: found.client.drop_database(NAME))
    io_loop.run_sync(lambda: candles_in(found).write(BTC, [FIRST, OTHER]))
    yield found
    io_loop.run_sync(lambda: disconnect(found))


def revisions_in(database: Database, later: int = 0) -> MongoRevisions:
    """As another process has them, some ms later."""
    return MongoRevisions(database, FakeClock(minute(500) + later))


def candles_in(database: Database) -> MongoCandles:
    return MongoCandles(database, revisions_in(database))


async def cut_off(mongod: Mongod, database: Database, step: str, one: Candle) -> None:
    """Write a candle and fail at `step`."""
    command, namespace = STEPS[step]
    mongod.fail([command], errorCode=OUT_OF_DISK_SPACE, namespace=namespace)
    with pytest.raises(DatabaseUnavailable):
        await candles_in(database).write(BTC, [one, OTHER])
    mongod.recover()


async def stored(database: Database) -> Candle:
    [rows] = [candles_of(batch) async for batch in candles_in(database).columns(BTC, EVERYTHING)]
    return rows[0]


async def listed(database: Database) -> list[tuple[float, float]]:
    """The closes before and after, which must be as many as are counted."""
    found = await revisions_in(database).page(BTC, EVERYTHING, 10)
    assert await revisions_in(database).count(BTC) == len(found)
    return [(one.before["close"], one.after["close"]) for one in found]


@pytest.mark.parametrize("step", STEPS)
async def test_the_next_write_leaves_the_change_listed_once(
    mongod: Mongod, database: Database, step: str
) -> None:
    await cut_off(mongod, database, step, SECOND)
    if await stored(database) == FIRST:
        await cut_off(mongod, database, step, SECOND)
    await candles_in(database).write(BTC, [SECOND, OTHER])
    assert await stored(database) == SECOND
    assert await listed(database) == [(FIRST.close, SECOND.close)]
    assert not (await revisions_in(database).state(BTC, EVERYTHING)).pending


@pytest.mark.parametrize("step", STEPS)
async def test_the_next_write_of_another_value_lists_what_took_place(
    mongod: Mongod, database: Database, step: str
) -> None:
    await cut_off(mongod, database, step, SECOND)
    between = await stored(database)
    await candles_in(database).write(BTC, [THIRD, OTHER])
    took_place = [FIRST, SECOND, THIRD] if between == SECOND else [FIRST, THIRD]
    closes = [one.close for one in took_place]
    assert await listed(database) == list(pairwise(closes))
    assert not (await revisions_in(database).state(BTC, EVERYTHING)).pending


@pytest.mark.parametrize("step", STEPS)
async def test_the_next_reader_is_told_what_took_place(mongod: Mongod, database: Database, step: str) -> None:
    await cut_off(mongod, database, step, SECOND)
    took_place = await stored(database) == SECOND
    assert took_place == (step == "the settling")
    assert await listed(database) == [(FIRST.close, SECOND.close)] * took_place


async def test_a_change_is_recorded_before_it_takes_place(mongod: Mongod, database: Database) -> None:
    """The other way round, a crash would leave a changed candle that nobody can tell was another."""
    await cut_off(mongod, database, "the revision", SECOND)
    assert await stored(database) == FIRST
    await cut_off(mongod, database, "the candle", SECOND)
    assert (await revisions_in(database).state(BTC, EVERYTHING)).pending


async def test_a_revision_is_dropped_only_when_nobody_can_be_about_to_replace_its_candle(
    mongod: Mongod, database: Database
) -> None:
    await cut_off(mongod, database, "the candle", SECOND)
    for later in (0, ABANDONED_MS):
        assert (await revisions_in(database, later).state(BTC, EVERYTHING)).pending
    assert await revisions_in(database, ABANDONED_MS + 1).state(BTC, EVERYTHING) == RevisionState()


async def test_a_change_that_took_place_after_it_was_given_up_is_listed(database: Database) -> None:
    """The writer slept for long between revision and candle, as a machine does."""
    revisions = revisions_in(database)
    before = {"_id": FIRST.open_time, "close": FIRST.close}
    recorded = await revisions.record(BTC, [(before, before | {"close": SECOND.close})])
    await revisions_in(database, ABANDONED_MS + 1).state(BTC, EVERYTHING)
    await revisions.settle(recorded)
    assert await listed(database) == [(FIRST.close, SECOND.close)]
    await revisions.settle(recorded)
    assert await listed(database) == [(FIRST.close, SECOND.close)]


async def test_a_database_that_cannot_be_written_is_read_all_the_same(
    mongod: Mongod, database: Database
) -> None:
    await cut_off(mongod, database, "the settling", SECOND)
    mongod.fail(["update", "delete"], errorCode=OUT_OF_DISK_SPACE, namespace=f"{NAME}.revisions")
    assert (await revisions_in(database).state(BTC, EVERYTHING)).pending
    assert await listed(database) == []
    mongod.recover()
    assert await listed(database) == [(FIRST.close, SECOND.close)]
