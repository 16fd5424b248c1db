"""What every candle store does, over both drivers, a mock and the tests' own fake.

Motor is the driver in use and PyMongo's async client is its successor; both talk to a real server here. The
mock and the fakes show that tests which use them are not told fairy tales.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from mongomock_motor import AsyncMongoMockClient
from tornado.ioloop import IOLoop

from backend.clock import LATEST
from backend.core.candles import Candle
from backend.core.columns import candles_of
from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.core.windows import Window
from backend.errors import ConfigurationError, DatabaseUnavailable
from backend.services.ports import CandleStore, RevisionState, Written
from backend.store.market.candles import BATCH, MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.market.shortfalls import MongoShortfalls
from backend.store.mongo import connect, disconnect, is_connected
from tests.contract.drivers import DRIVERS, NOBODY, connected, empty_database
from tests.fakes import BTC, FakeClock, MemoryCandles, candle, minute, minutes
from tests.mongomock_shim import lend_raw_batches, mend_bulk_writes
from tests.syncing import save_ledger

ETH = Series("binance", "spot", "ETHUSDT")
EVERYTHING = Window(0, LATEST + 1)


class Stores(NamedTuple):
    """The candles of one database. `database` is the driver's, None for the fakes."""

    candles: CandleStore
    database: Any


def stores_in(database: Any) -> Stores:
    """The stores of one database."""
    revisions = MongoRevisions(database, FakeClock(minute(500)))
    return Stores(MongoCandles(database, revisions), database)


@pytest.fixture(params=["motor", "pymongo", "mongomock", "fakes"])
def stores(
    request: pytest.FixtureRequest, io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stores]:
    """Stores of every kind."""
    if request.param == "fakes":
        yield Stores(MemoryCandles(), None)
    elif request.param == "mongomock":
        mend_bulk_writes(monkeypatch)
        lend_raw_batches(monkeypatch)
        database: Any = AsyncMongoMockClient()["contract"]
        yield stores_in(database)
    else:
        with empty_database(request.param, request.getfixturevalue("mongod_uri"), io_loop) as found:
            yield stores_in(found)


@pytest.fixture(params=DRIVERS)
def real(request: pytest.FixtureRequest, mongod_uri: str, io_loop: IOLoop) -> Iterator[Stores]:
    """Stores on a real server, through either driver."""
    with empty_database(request.param, mongod_uri, io_loop) as found:
        yield stores_in(found)


@pytest.fixture(params=DRIVERS)
def deserted(request: pytest.FixtureRequest, io_loop: IOLoop) -> Iterator[Stores]:
    """Stores whose server is away."""
    database = connected(request.param, NOBODY, "away", 0.2)
    yield stores_in(database)
    io_loop.run_sync(lambda: disconnect(database))


counting = pytest.mark.parametrize("stores", ["motor", "pymongo", "fakes"], indirect=True)
"""Stores that can count by a rest, which the mock cannot."""


def candles_at(numbers: Iterable[int]) -> list[Candle]:
    return [candle(minute(number)) for number in numbers]


async def read(
    store: CandleStore, window: Window = EVERYTHING, limit: int | None = None, series: Series = BTC
) -> list[Candle]:
    return [row async for batch in store.columns(series, window, limit) for row in candles_of(batch)]


async def test_what_is_written_is_read_back(stores: Stores) -> None:
    rows = candles_at(range(5))
    assert await stores.candles.write(BTC, rows) == Written(inserted=5, replaced=0)
    assert await read(stores.candles) == rows


async def test_writing_the_same_again_changes_nothing(stores: Stores) -> None:
    rows = candles_at(range(5))
    await stores.candles.write(BTC, rows)
    assert await stores.candles.write(BTC, rows) == Written(0, 0)
    assert await read(stores.candles) == rows


async def test_a_candle_that_differs_is_replaced_and_counted(stores: Stores) -> None:
    await stores.candles.write(BTC, candles_at(range(5)))
    rows = candles_at(range(5))
    rows[2] = candle(minute(2), close=1.25)
    assert await stores.candles.write(BTC, rows) == Written(inserted=0, replaced=1)
    assert await read(stores.candles) == rows


async def test_new_equal_and_changed_candles_can_come_together(stores: Stores) -> None:
    await stores.candles.write(BTC, candles_at([1, 2, 4]))
    rows = candles_at(range(6))
    rows[4] = candle(minute(4), close=1.25)
    assert await stores.candles.write(BTC, rows) == Written(inserted=3, replaced=1)
    assert await read(stores.candles) == rows


async def test_a_field_that_is_published_later_is_a_change(stores: Stores) -> None:
    whole = candle(minute(0))
    await stores.candles.write(BTC, [msgspec.structs.replace(whole, trades=None)])
    assert await stores.candles.write(BTC, [whole]) == Written(inserted=0, replaced=1)
    assert await read(stores.candles) == [whole]


async def test_nothing_to_write_is_written_without_a_word(stores: Stores) -> None:
    assert await stores.candles.write(BTC, []) == Written(0, 0)
    assert await read(stores.candles) == []


async def test_what_a_venue_does_not_publish_stays_absent(stores: Stores) -> None:
    bare = Candle(open_time=minute(0), open=1.0, high=2.0, low=0.5, close=1.5, volume=0.0)
    await stores.candles.write(BTC, [bare])
    assert await read(stores.candles) == [bare]


async def test_candles_are_added_where_nothing_is_stored(stores: Stores) -> None:
    assert await stores.candles.add(BTC, [candle(minute(0)), candle(minute(1))])
    assert await stores.candles.add(BTC, [candle(minute(1)), candle(minute(2))])
    assert await read(stores.candles) == [candle(minute(number)) for number in range(3)]


async def test_a_stored_candle_that_differs_from_an_added_one_stays(stores: Stores) -> None:
    assert await stores.candles.add(BTC, [candle(minute(0), close=1.0)])
    assert not await stores.candles.add(BTC, [candle(minute(0)), candle(minute(1))])
    assert await read(stores.candles) == [candle(minute(0), close=1.0), candle(minute(1))]


async def test_candles_between_which_others_lie_are_written(stores: Stores) -> None:
    await stores.candles.write(BTC, candles_at(range(0, 10, 3)))
    assert await stores.candles.write(BTC, candles_at([1, 5])) == Written(2, 0)
    assert await read(stores.candles) == candles_at([0, 1, 3, 5, 6, 9])


async def test_extreme_numbers_come_back_as_they_were(stores: Stores) -> None:
    extreme = Candle(
        open_time=LATEST - LATEST % 60_000,
        open=1e18,
        high=1e18,
        low=1e-8,
        close=67540.01,
        volume=0.0,
        quote_volume=123456789.12345679,
        trades=2**53,
    )
    await stores.candles.write(BTC, [candle(0), extreme])
    assert await read(stores.candles) == [candle(0), extreme]


async def test_numbers_come_back_as_plain_python_numbers(stores: Stores) -> None:
    await stores.candles.write(BTC, candles_at([0]))
    (row,) = await read(stores.candles)
    kinds = {name: type(value) for name, value in msgspec.structs.asdict(row).items()}
    assert {name for name, kind in kinds.items() if kind is int} == {"open_time", "trades"}
    assert set(kinds.values()) == {int, float}


async def test_series_do_not_mix(stores: Stores) -> None:
    await stores.candles.write(BTC, candles_at([0, 1]))
    await stores.candles.write(ETH, candles_at([1, 2]))
    assert await read(stores.candles, series=BTC) == candles_at([0, 1])
    assert await read(stores.candles, series=ETH) == candles_at([1, 2])


async def test_candles_are_read_in_the_order_of_time(stores: Stores) -> None:
    for number in (3, 0, 4, 1):
        await stores.candles.write(BTC, candles_at([number]))
    assert await read(stores.candles) == candles_at([0, 1, 3, 4])


@pytest.mark.parametrize(
    ("window", "limit", "numbers"),
    [
        (minutes(2, 5), None, [2, 3, 4]),
        (Window(minute(2) + 1, minute(5) + 1), None, [3, 4, 5]),
        (minutes(-5, 1), None, [0]),
        (minutes(9, 50), None, [9]),
        (minutes(10, 50), None, []),
        (minutes(3, 3), None, []),
        (EVERYTHING, 4, [0, 1, 2, 3]),
        (minutes(2, 5), 2, [2, 3]),
        (minutes(2, 5), 3, [2, 3, 4]),
        (minutes(2, 5), 100, [2, 3, 4]),
        (EVERYTHING, 0, []),
    ],
)
async def test_the_first_candles_of_a_window_are_read(
    stores: Stores, window: Window, limit: int | None, numbers: list[int]
) -> None:
    await stores.candles.write(BTC, candles_at(range(10)))
    assert await read(stores.candles, window, limit) == candles_at(numbers)


async def test_a_series_that_is_not_there_has_no_candles(stores: Stores) -> None:
    assert await read(stores.candles) == []


async def test_the_span_of_a_series_runs_from_its_first_to_its_last_minute(stores: Stores) -> None:
    await stores.candles.write(BTC, candles_at([3, 4, 9]))
    assert await stores.candles.span(BTC) == minutes(3, 10)
    assert await stores.candles.span(ETH) is None


@counting
@pytest.mark.parametrize(
    ("window", "numbers"),
    [
        (EVERYTHING, [3, 4, 9]),
        (minutes(3, 9), [3, 4]),
        (minutes(4, 10), [4, 9]),
        (minutes(5, 9), []),
        (minutes(4, 4), []),
    ],
)
async def test_stored_minutes_are_counted_and_listed_by_window(
    stores: Stores, window: Window, numbers: list[int]
) -> None:
    await stores.candles.write(BTC, candles_at([3, 4, 9]))
    assert await stores.candles.count(BTC, window) == len(numbers)
    assert await stores.candles.open_times(BTC, window) == [minute(number) for number in numbers]


@counting
async def test_nothing_is_counted_of_a_series_that_is_not_there(stores: Stores) -> None:
    assert await stores.candles.count(BTC, EVERYTHING) == 0
    assert await stores.candles.open_times(BTC, EVERYTHING) == []


async def test_the_place_for_a_series_may_be_made_again(real: Stores) -> None:
    await real.candles.create(BTC)
    await real.candles.write(BTC, candles_at([0]))
    await real.candles.create(BTC)
    await asyncio.gather(*(real.candles.create(ETH) for _ in range(4)))
    assert await read(real.candles) == candles_at([0])


async def test_a_series_is_clustered_on_its_open_time_and_packed_with_zstd(real: Stores) -> None:
    await real.candles.create(BTC)
    found = await real.database.command("listCollections", filter={"name": "binance.spot.BTCUSDT"})
    (collection,) = found["cursor"]["firstBatch"]
    index = collection["options"]["clusteredIndex"]
    assert (index["key"], index["unique"]) == ({"_id": 1}, True)
    assert "indexes" not in collection
    statistics = await real.database.command("collStats", "binance.spot.BTCUSDT")
    assert "block_compressor=zstd" in statistics["wiredTiger"]["creationString"]
    assert statistics["indexSizes"] == {}


async def test_an_absent_field_takes_no_place_in_the_document(real: Stores) -> None:
    bare = Candle(open_time=minute(0), open=1.0, high=2.0, low=0.5, close=1.5, volume=0.0)
    await real.candles.write(BTC, [bare])
    document = await real.database["binance.spot.BTCUSDT"].find_one()
    prices = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5}
    assert document == {"_id": minute(0), **prices, "volume": 0.0}


async def test_more_candles_than_one_batch_are_written_and_read_in_bounded_batches(real: Stores) -> None:
    rows = candles_at(range(2 * BATCH + 500))
    assert await real.candles.write(BTC, rows) == Written(len(rows), 0)
    batches = [batch async for batch in real.candles.columns(BTC, EVERYTHING)]
    assert [len(batch) for batch in batches] == [BATCH, BATCH, 500]
    assert [row for batch in batches for row in candles_of(batch)] == rows


@pytest.mark.parametrize(
    ("window", "limit", "batches"),
    [
        (EVERYTHING, None, [[7, 8, 9], [4, 5, 6], [1, 2, 3], [0]]),
        (EVERYTHING, 4, [[7, 8, 9], [6]]),
        (EVERYTHING, 3, [[7, 8, 9]]),
        (minutes(2, 5), None, [[2, 3, 4]]),
        (minutes(2, 6), 2, [[4, 5]]),
        (minutes(3, 3), None, []),
        (minutes(10, 50), None, []),
        (EVERYTHING, 0, []),
    ],
)
async def test_backwards_the_newest_batch_comes_first(
    stores: Stores, window: Window, limit: int | None, batches: list[list[int]]
) -> None:
    await stores.candles.write(BTC, candles_at(range(10)))
    found = stores.candles.columns(BTC, window, limit, backwards=True, batch=3)
    assert [candles_of(batch) async for batch in found] == [candles_at(numbers) for numbers in batches]


@pytest.mark.parametrize(
    "odd",
    [
        {"trades": 2**40},
        {"quote_volume": None},
        {"trades": None, "taker_buy_volume": None, "taker_buy_quote_volume": None},
    ],
)
async def test_documents_of_different_layouts_in_one_batch_are_read(
    stores: Stores, odd: dict[str, Any]
) -> None:
    rows = candles_at(range(5))
    rows[3] = msgspec.structs.replace(rows[3], **odd)
    await stores.candles.write(BTC, rows)
    assert await read(stores.candles) == rows


async def test_whole_numbers_and_foreign_fields_that_others_stored_are_read(real: Stores) -> None:
    prices = {"open": 1, "high": 3, "low": 1, "close": 2, "volume": 5}
    documents = [{"_id": minute(number), **prices, "note": "by hand"} for number in range(3)]
    await real.database[BTC.name].insert_many(documents)
    assert await read(real.candles) == [Candle(minute(number), 1, 3, 1, 2, 5) for number in range(3)]


async def test_whoever_stops_reading_leaves_no_query_behind(real: Stores) -> None:
    await real.candles.write(BTC, candles_at(range(10)))
    found = real.candles.columns(BTC, EVERYTHING, batch=3)
    await anext(found)
    await found.aclose()
    assert not [task for task in asyncio.all_tasks() if "MongoCandles" in repr(task)]
    status = await real.database.client.admin.command("serverStatus")
    assert status["metrics"]["cursor"]["open"]["total"] == 0


@pytest.mark.parametrize("limit", [BATCH - 1, BATCH, BATCH + 1, 2 * BATCH])
async def test_a_limit_holds_across_batches(real: Stores, limit: int) -> None:
    rows = candles_at(range(2 * BATCH))
    await real.candles.write(BTC, rows)
    assert await read(real.candles, limit=limit) == rows[:limit]


async def test_exactly_one_full_batch_is_the_end(real: Stores) -> None:
    await real.candles.write(BTC, candles_at(range(BATCH)))
    batches = [batch async for batch in real.candles.columns(BTC, EVERYTHING)]
    assert [len(batch) for batch in batches] == [BATCH]


async def test_writers_of_overlapping_ranges_store_every_candle_once(real: Stores) -> None:
    await real.candles.create(BTC)
    ranges = [range(start, start + 300) for start in (0, 100, 200, 250)]
    written = await asyncio.gather(*(real.candles.write(BTC, candles_at(numbers)) for numbers in ranges))
    assert sum(one.inserted for one in written) == 550
    assert sum(one.replaced for one in written) == 0
    assert await read(real.candles) == candles_at(range(550))


async def test_writers_who_disagree_leave_one_of_their_candles_whole(real: Stores) -> None:
    await real.candles.create(BTC)
    versions = [[candle(minute(number), close=close) for number in range(100)] for close in (1.0, 2.0)]
    written = await asyncio.gather(*(real.candles.write(BTC, rows) for rows in versions))
    assert sum(one.inserted for one in written) == 100
    stored = await read(real.candles)
    assert len(stored) == 100
    assert all(row in (one, two) for row, one, two in zip(stored, *versions, strict=True))


async def test_candles_with_gaps_can_be_written_where_the_gaps_are_stored(real: Stores) -> None:
    await real.candles.write(BTC, candles_at(range(5)))
    assert await real.candles.write(BTC, candles_at([0, 4])) == Written(0, 0)
    assert await read(real.candles) == candles_at(range(5))


async def test_writes_are_acknowledged_when_a_crash_cannot_lose_them(real: Stores) -> None:
    assert real.database.write_concern.document == {"w": "majority", "j": True}


async def test_a_server_that_answers_is_connected(real: Stores) -> None:
    assert await is_connected(real.database)


async def test_a_server_that_is_away_is_not_connected(deserted: Stores) -> None:
    assert not await is_connected(deserted.database, 0.2)


async def test_whatever_is_asked_of_a_server_that_is_away_is_unavailable(deserted: Stores) -> None:
    found = await asyncio.gather(
        deserted.candles.create(BTC),
        deserted.candles.write(BTC, candles_at([0])),
        read(deserted.candles),
        deserted.candles.span(BTC),
        deserted.candles.count(BTC, EVERYTHING),
        deserted.candles.open_times(BTC, EVERYTHING),
        deserted.candles.stored_series(),
        deserted.candles.bytes_on_disk(BTC),
        MongoRevisions(deserted.database, FakeClock()).state(BTC, EVERYTHING),
        MongoShortfalls(deserted.database).count(BTC),
        MongoShortfalls(deserted.database).add(BTC),
        return_exceptions=True,
    )
    assert [type(one) for one in found] == [DatabaseUnavailable] * 11
    assert {str(one) for one in found} == {"the database does not answer: try again in a moment"}


async def test_series_that_have_a_place_are_listed_by_name(real: Stores) -> None:
    for series in (ETH, BTC, Series("bitget", "spot", "A.B")):
        await real.candles.create(series)
    await save_ledger(MongoCoverage(real.database), BTC, Coverage(since=0))
    await real.database["jobs.old"].insert_one({})
    assert await real.candles.stored_series() == [BTC, ETH, Series("bitget", "spot", "A.B")]


async def test_a_series_takes_place_on_disk_and_one_that_is_not_there_takes_none(real: Stores) -> None:
    await real.candles.create(BTC)
    await real.candles.write(BTC, candles_at(range(100)))
    assert await real.candles.bytes_on_disk(BTC) >= 4096
    assert await real.candles.bytes_on_disk(ETH) == 0


async def test_a_revision_is_pending_until_its_candle_is_replaced(real: Stores) -> None:
    revisions = MongoRevisions(real.database, FakeClock(minute(500)))
    assert await revisions.state(BTC, EVERYTHING) == RevisionState()
    before, after = {"_id": minute(3), "close": 1.0}, {"_id": minute(3), "close": 2.0}
    recorded = await revisions.record(BTC, [(before, after)])
    pending = await revisions.state(BTC, EVERYTHING)
    assert (pending.number, pending.at, pending.pending) == (1, minute(500), True)
    await revisions.settle(recorded)
    assert await revisions.state(BTC, EVERYTHING) == pending._replace(pending=False)
    assert await revisions.state(BTC, minutes(4, 50)) == RevisionState()
    assert await revisions.state(ETH, EVERYTHING) == RevisionState()


async def test_replacing_a_candle_leaves_its_revision_settled(real: Stores) -> None:
    await real.candles.write(BTC, candles_at(range(5)))
    await real.candles.write(BTC, [candle(minute(2), close=1.25)])
    state = await MongoRevisions(real.database, FakeClock()).state(BTC, minutes(2, 3))
    assert (state.number, state.pending) == (1, False)


async def test_doubts_are_counted_for_each_series(real: Stores) -> None:
    doubts = MongoShortfalls(real.database)
    assert await doubts.count(BTC) == 0
    await asyncio.gather(*(doubts.add(BTC) for _ in range(3)))
    assert (await doubts.count(BTC), await doubts.count(ETH)) == (3, 0)


@pytest.mark.parametrize("uri", ["mongodb://", "mongodb://me:p@ss@db/", "mongodb://db/a b"])
def test_a_uri_that_is_none_is_a_matter_of_configuration(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="MONGODB_URI is not valid"):
        connect(uri, "candles")


def test_a_uri_with_a_bad_port_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="MONGODB_URI is not valid"):
        connect("mongodb://db:port/", "candles")


def test_a_password_is_not_repeated_when_its_uri_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect("mongodb://me:hun/ter2@db/", "candles")
    assert "ter2" not in str(caught.value)


@pytest.mark.parametrize("window", [minutes(0, 0), minutes(3, 7), minutes(5, 900), Window(0, LATEST + 1)])
async def test_the_candles_of_a_window_can_be_removed(stores: Stores, window: Window) -> None:
    await stores.candles.write(BTC, candles_at(range(10)))
    await stores.candles.write(ETH, candles_at(range(10)))
    await stores.candles.remove(BTC, window)
    rows = candles_at(range(10))
    left = [row for row in rows if not window.start <= row.open_time < window.end]
    assert await read(stores.candles) == left
    assert await read(stores.candles, series=ETH) == rows


async def test_a_series_that_is_dropped_leaves_nothing_and_can_be_stored_again(real: Stores) -> None:
    await real.candles.write(BTC, candles_at(range(3)))
    for _ in range(2):
        await real.candles.drop(BTC)
        assert await real.candles.stored_series() == []
        await real.candles.remove(BTC, EVERYTHING)
    await real.candles.create(BTC)
    assert await real.candles.write(BTC, candles_at(range(3))) == Written(3, 0)


async def test_revisions_of_a_window_can_be_removed(real: Stores) -> None:
    await real.candles.write(BTC, candles_at(range(5)))
    await real.candles.write(BTC, [candle(minute(n), close=1.25) for n in range(5)])
    revisions = MongoRevisions(real.database, FakeClock())
    await revisions.remove(BTC, minutes(1, 4))
    assert [one.open_time for one in await revisions.page(BTC, EVERYTHING, 9)] == [minute(0), minute(4)]


async def test_an_error_among_repeated_candles_is_not_taken_for_a_repetition(mongod_uri: str) -> None:
    """A minute that the database refuses must not pass for one that is stored."""
    database = connected("motor", mongod_uri, "refusing", 10)
    store = MongoCandles(database, MongoRevisions(database, FakeClock()))
    await store.create(BTC)
    await store.write(BTC, candles_at([0]))
    await database.command("collMod", BTC.name, validator={"close": {"$lt": 1e6}})
    with pytest.raises(DatabaseUnavailable):
        await store.add(BTC, [candle(minute(0)), candle(minute(1), close=2e6)])
    await database.client.drop_database("refusing")
    await disconnect(database)
