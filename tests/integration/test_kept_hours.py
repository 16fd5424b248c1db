"""Reads by kept hours are equal to reads of the minutes, to the last bit, whatever is changed and by whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tornado.ioloop import IOLoop

from backend.app import open_service
from backend.clock import LATEST, SystemClock
from backend.core.candles import Candle
from backend.core.columns import Columns, candles_of, joined, same
from backend.core.coverage import void_without_data
from backend.core.interval import INTERVALS, ONE_HOUR
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import DAY, MINUTE, Window
from backend.services.ports import ShortfallStore
from backend.services.reading.bars import Bars, read_bars
from backend.services.reading.kept_hours import CHUNK, KeptHours
from backend.services.service import Service
from backend.settings import Settings
from backend.store.market.coverage import MongoCoverage
from backend.store.market.hours import MongoHours
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database
from tests.examples import examples
from tests.syncing import save_ledger
from tests.web.stored import candle_store

pytestmark = pytest.mark.timeout(600)
START = 1_748_736_000_000 // CHUNK * CHUNK
CHUNKS = 5
END = START + CHUNKS * CHUNK
NAMES = count()
LONG = [name for name, interval in INTERVALS.items() if interval.is_of_hours or interval is ONE_HOUR]


class Change(NamedTuple):
    """Something that happens to the minutes of a window, given as parts of all time: 0 to 1."""

    kind: str
    start: float
    length: float
    seed: int

    @property
    def window(self) -> Window:
        start = START + int(self.start * (END - START)) // MINUTE * MINUTE
        return Window(start, min(END, start + MINUTE + int(self.length * 12 * DAY) // MINUTE * MINUTE))


changes = st.lists(
    st.builds(
        Change,
        st.sampled_from(["store", "revise", "delete", "lose", "restart"]),
        st.floats(0, 0.99),
        st.floats(0, 1),
        st.integers(0, 1000),
    ),
    min_size=1,
    max_size=5,
)
reads = st.lists(
    st.tuples(st.sampled_from(LONG), st.floats(0, 0.9), st.floats(0, 1), st.booleans()),
    min_size=1,
    max_size=3,
)


def candles(window: Window, seed: int) -> list[Candle]:
    """Candles of most minutes of a window."""
    chance = np.random.default_rng(seed)
    moments = np.arange(window.start, window.end, MINUTE)
    moments = moments[chance.uniform(size=len(moments)) > 0.01]
    values = chance.uniform(1, 2, (len(moments), 3))
    return [
        Candle(
            int(moment),
            open=float(price),
            high=float(price + 1),
            low=float(price - 1),
            close=float(price + 0.5),
            volume=float(volume),
            trades=int(1000 * other),
            quote_volume=None if seed % 7 == 0 else float(other),
        )
        for moment, (price, volume, other) in zip(moments, values, strict=True)
    ]


class Processes:
    """Two processes over one database, and the changes that others make to it."""

    def __init__(self, services: list[Service], database: Database) -> None:
        self.services = services
        self.series = Series("binance", "spot", f"C{next(NAMES)}USDT")
        self._database = database
        self.candles = candle_store(database)
        self._ledger = MongoCoverage(database)

    async def begin(self) -> None:
        await self.candles.create(self.series)
        await self.store(Window(START, END - CHUNK // 3), 1)

    async def store(self, window: Window, seed: int) -> None:
        """As a sync does: candles, then what is held; what the exchange left out is void."""
        rows = candles(window, seed)
        await self.candles.write(self.series, rows)
        await self.claim(window, rows)

    async def claim(self, window: Window, rows: list[Candle]) -> None:
        known = await self._ledger.load(self.series)
        held = [Window(one.open_time, one.open_time + MINUTE) for one in rows]
        known = known.asked(window).with_held(held)
        voids = [void_without_data(gap, END) for gap in known.held.gaps(window)]
        await save_ledger(self._ledger, self.series, known.with_voids(voids))

    async def change(self, change: Change) -> None:
        service = self.services[change.seed % 2]
        match change.kind:
            case "store":
                await self.store(change.window, change.seed)
            case "revise":
                rows = [
                    one for one in await self.minutes(change.window) if one.open_time % 7 == change.seed % 7
                ]
                revised = [msgspec.structs.replace(one, volume=one.volume + 0.125) for one in rows]
                await self.candles.write(self.series, revised)
            case "delete":
                await service.syncing.remover.remove(self.series, change.window)
            case "lose":
                ids = {"$gte": change.window.start, "$lt": change.window.end}
                await self._database[self.series.name].delete_many({"_id": ids})
                await service.syncing.auditor.verify(self.series)
            case "restart":
                service.reading.queries._kept_hours = hours_over(self._database)

    async def minutes(self, window: Window) -> list[Candle]:
        batches = [batch async for batch in self.candles.columns(self.series, window)]
        return candles_of(joined(batches)) if batches else []

    async def compare(self, wanted: Selection) -> None:
        """Both processes read what the minutes make, forwards and backwards."""
        opened = await self.services[0].reading.queries.open(self.series, wanted)
        plain = joined_of(read_bars(self.candles, self.series, opened.wanted))
        expected = await plain
        for service in self.services:
            opened = await service.reading.queries.open(self.series, wanted)
            assert same(await joined_of(service.reading.queries.read(opened)), expected)
            backwards = [batch async for batch in service.reading.queries.read_back(opened)]
            assert same(joined(backwards[::-1]) if backwards else None, expected)


async def joined_of(bars: Bars) -> Columns | None:
    batches = [batch async for batch in bars]
    return joined(batches) if batches else None


def hours_over(database: Database, room: int = 1 << 26) -> KeptHours:
    """What a process keeps that has just begun."""
    return KeptHours(
        candles=candle_store(database),
        revisions=MongoRevisions(database, SystemClock()),
        store=MongoHours(database),
        room=room,
    )


@pytest.fixture
def processes(service: Service, settings: Settings, io_loop: IOLoop) -> Iterator[list[Service]]:
    stack = AsyncExitStack()
    other = io_loop.run_sync(lambda: stack.enter_async_context(open_service(settings)))
    yield [service, other]
    io_loop.run_sync(stack.aclose)


@given(changes, reads)
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=examples(12),
    phases=(Phase.explicit, Phase.generate),
)
def test_reads_by_kept_hours_are_those_of_the_minutes_to_the_last_bit(
    processes: list[Service],
    database: Database,
    io_loop: IOLoop,
    changed: list[Change],
    read: list[tuple[str, float, float, bool]],
) -> None:
    async def story() -> None:
        world = Processes(processes, database)
        await world.begin()
        for change in (None, *changed):
            if change:
                await world.change(change)
            for name, start, length, whole in read:
                first = START + int(start * (END - START))
                window = Window(0, LATEST) if whole else Window(first, first + int(length * (END - first)))
                await world.compare(Selection(window, INTERVALS[name]))

    io_loop.run_sync(story)


@pytest.fixture
def world(processes: list[Service], database: Database, io_loop: IOLoop) -> Processes:
    made = Processes(processes, database)
    io_loop.run_sync(made.begin)
    return made


WHOLE = Selection(Window(0, LATEST), INTERVALS["1d"])


async def test_what_one_process_kept_another_reads_without_the_minutes(
    world: Processes, database: Database
) -> None:
    await world.compare(WHOLE)
    assert await database["hours"].count_documents({}) == CHUNKS - 1
    queries = world.services[1].reading.queries
    queries._kept_hours = hours_over(database)
    opened = await queries.open(world.series, WHOLE)
    expected = await joined_of(read_bars(world.candles, world.series, opened.wanted))
    closed = {"_id": {"$lt": END - CHUNK}}
    await database[world.series.name].delete_many(closed)
    assert same(await joined_of(queries.read(opened)), expected)


async def test_without_room_in_memory_and_in_a_database_without_hours_all_is_made_anew(
    world: Processes, database: Database
) -> None:
    for service in world.services:
        service.reading.queries._kept_hours = hours_over(database, room=0)
    await world.compare(WHOLE)
    await database["hours"].drop()
    await world.compare(WHOLE)


@pytest.mark.parametrize(
    "damage",
    [
        {"$set": {"columns.close": b"short"}},
        {"$set": {"columns.close": "text"}},
        {"$set": {"columns": 5}},
        {"$unset": {"key": 1}},
        {"$unset": {"columns.volume": 1}},
        {"$set": {"columns.strange": b""}},
    ],
)
async def test_a_kept_document_of_another_shape_is_made_anew(
    world: Processes, database: Database, damage: dict[str, object]
) -> None:
    await world.compare(WHOLE)
    await database["hours"].update_many({}, damage)
    for service in world.services:
        service.reading.queries._kept_hours = hours_over(database)
    await world.compare(WHOLE)


async def test_verify_drops_kept_hours_that_differ_and_nobody_uses_them_any_more(
    world: Processes, database: Database
) -> None:
    await world.compare(WHOLE)
    one = await database["hours"].find_one({})
    assert one is not None
    changed = np.frombuffer(one["columns"]["close"], "<f8") + 1
    await database["hours"].update_one({"_id": one["_id"]}, {"$set": {"columns.close": changed.tobytes()}})
    wrong = hours_over(database)
    world.services[1].reading.queries._kept_hours = wrong
    with pytest.raises(AssertionError):
        await world.compare(WHOLE)
    await world.services[0].syncing.auditor.verify(world.series)
    assert await database["hours"].count_documents({}) == 0
    await world.compare(WHOLE)


@pytest.mark.parametrize("name", ["1h", "4h", "1w"])
async def test_parts_of_a_chunk_without_any_candle_are_empty(
    processes: list[Service], database: Database, name: str
) -> None:
    """The market traded on the first day of each chunk only."""
    world = Processes(processes, database)
    await world.candles.create(world.series)
    for number in range(CHUNKS):
        start = START + number * CHUNK
        rows = candles(Window(start, start + DAY), 1)
        await world.candles.write(world.series, rows)
        await world.claim(Window(start, start + CHUNK), rows)
    interval = INTERVALS[name]
    await world.compare(Selection(Window(0, LATEST), interval))
    for start in (START + 2 * DAY, START + CHUNK + 7 * DAY):
        await world.compare(Selection(Window(start, LATEST), interval))
        await world.compare(Selection(Window(start, start + 2 * CHUNK), interval))
        await world.compare(Selection(Window(0, start + 2 * CHUNK), interval))
    [first, *_] = await world.minutes(Window(START + CHUNK, START + 2 * CHUNK))
    await world.candles.write(world.series, [msgspec.structs.replace(first, volume=99.0)])
    alone = Window(START + 2 * DAY, START + 2 * DAY + CHUNK)
    await world.compare(Selection(alone, interval))


async def test_a_deleted_series_leaves_no_kept_hours(world: Processes, database: Database) -> None:
    await world.compare(WHOLE)
    await world.services[0].syncing.remover.remove(world.series, None)
    assert await database["hours"].count_documents({}) == 0


async def test_a_database_that_takes_no_hours_is_read_all_the_same(
    world: Processes, database: Database
) -> None:
    await database.create_collection("hours", validator={"key": {"$type": "int"}})
    await world.compare(WHOLE)
    assert await database["hours"].count_documents({}) == 0


async def test_a_reader_who_began_before_a_deletion_leaves_no_tag_and_no_hours_that_lie(
    world: Processes,
) -> None:
    """It knows the ledger from before. What is stored anew has the same ledger, and other values."""
    service = world.services[0]
    queries, window = service.reading.queries, Window(START, START + 2 * CHUNK)
    wanted = Selection(window, ONE_HOUR)
    opened = await queries.open(world.series, wanted)
    before = await queries.validator(opened)
    assert before is not None
    rows = await world.minutes(window)
    bars = queries.read(opened)
    assert await joined_of(bars) is not None
    await service.syncing.remover.remove(world.series, window)
    other = [msgspec.structs.replace(one, close=one.close + 1, high=one.high + 1) for one in rows]
    await world.candles.write(world.series, other)
    await world.claim(window, rows)
    again = await queries.open(world.series, wanted)
    after = await queries.validator(again)
    assert after is not None
    assert (after.held, after != before) == (before.held, True)
    await world.compare(wanted)


class Interrupting:
    """Counts shortfalls, and lets somebody do something after the first."""

    def __init__(self, store: ShortfallStore, then: Callable[[], Awaitable[object]]) -> None:
        self._store = store
        self._then: Callable[[], Awaitable[object]] | None = then

    async def count(self, series: Series) -> int:
        return await self._store.count(series)

    async def add(self, series: Series) -> None:
        await self._store.add(series)
        if then := self._then:
            self._then = None
            await then()


async def test_a_reader_between_two_steps_of_a_deletion_keeps_no_hours_that_lie(world: Processes) -> None:
    """It reads when the deletion is on record and the ledger still has everything."""
    service, wanted = world.services[0], Selection(Window(START, START + 2 * CHUNK), ONE_HOUR)
    rows = await world.minutes(wanted.window)
    remover = service.syncing.remover
    shortfalls = Interrupting(remover._stores.shortfalls, lambda: world.compare(wanted))
    remover._stores = replace(remover._stores, shortfalls=shortfalls)
    await remover.remove(world.series, wanted.window)
    other = [msgspec.structs.replace(one, close=one.close + 1, high=one.high + 1) for one in rows]
    await world.candles.write(world.series, other)
    await world.claim(wanted.window, rows)
    await world.compare(wanted)


async def test_hours_of_minutes_that_were_away_are_not_kept(world: Processes, database: Database) -> None:
    """Rows that the ledger claims are gone, and come back: somebody restores a backup."""
    lost = {"_id": {"$gte": START, "$lt": START + CHUNK // 2}}
    rows = await database[world.series.name].find(lost).to_list(None)
    await database[world.series.name].delete_many(lost)
    await world.compare(WHOLE)
    await database[world.series.name].insert_many(rows)
    await world.compare(WHOLE)
