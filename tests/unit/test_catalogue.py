"""What the catalogue lists is what plain reading finds, after every write by anybody."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.columns import Columns, columns_of
from backend.core.day import day_of
from backend.core.series import Series
from backend.core.statistics import statistics_of
from backend.core.windows import MINUTE, Window
from backend.services.following.append import Appender
from backend.services.reading.catalogue import LOOK_SECONDS, WANTED_SECONDS, Catalogue, last_of
from backend.services.reading.instruments import DECIMALS_FROM, decimals_of
from backend.services.syncing.durable import keep
from backend.services.syncing.ledger import Ledgers
from tests.examples import examples
from tests.fakes import BTC, FakeClock, MemoryCandles, MemoryCoverage, candle, minute, minutes

ETH = Series("binance", "spot", "ETHUSDT")
NAMED = (BTC, ETH)
LEASE = 60.0


class World:
    """Two stores, whoever writes them, and a catalogue that is told of nothing."""

    def __init__(self) -> None:
        self.clock = FakeClock(minute(10_000))
        self.candles = MemoryCandles()
        self.coverage = MemoryCoverage()
        self.ledgers = Ledgers(store=self.coverage, clock=self.clock, owner="writer", seconds=LEASE)
        self.appender = Appender(self.candles, self.coverage, lambda: None)
        self.catalogue = Catalogue(self.candles, self.coverage, self.clock)

    async def write(self, series: Series, first: int, number: int, close: float | None) -> None:
        """As a sync, a refresh or an import does."""
        rows = [candle(minute(place), close) for place in range(first, first + number)]
        async with self.ledgers.hold(series, 1.0) as ledger:
            await keep(series, rows, self.candles, ledger)

    async def push(self, series: Series, number: int) -> None:
        """As a follow does, where it fits."""
        known = await self.coverage.load(series)
        if not known.held or known.until not in (None, known.held.end):
            return
        async with self.ledgers.hold(series, 1.0) as ledger:
            await ledger.record(lambda known: known.asked(Window(known.held.start, known.held.end)))
        end = known.held.end
        rows = [candle(end + place * MINUTE) for place in range(number)]
        await self.candles.add(series, rows)
        assert await self.coverage.extend({series: Window(end, end + number * MINUTE)}) == {series}

    async def remove(self, series: Series, first: int, number: int) -> None:
        """As a deletion of a window does."""
        window = minutes(first, first + number)
        async with self.ledgers.hold(series, 1.0) as ledger:
            await ledger.record(lambda known: known.without(window))
            await self.candles.remove(series, window)
            await ledger.record(lambda known: known, rewritten=True)

    async def check(self) -> None:
        marks = await self.catalogue.held("binance", "spot")
        stored = {one: columns_of(rows) for one in NAMED if (rows := self.candles.stored(one))}
        assert list(marks) == [one for one in NAMED if self.coverage.known(one).held]
        assert await self.catalogue.prices(marks) == {one: last_of(stored[one]) for one in marks}
        assert await self.catalogue.days(marks) == {one: day_of(_last(stored[one], 1440)) for one in marks}
        instruments = {one.symbol: one for one in await self.catalogue.instruments(marks)}
        for one in marks:
            decimals, known = decimals_of(_last(stored[one], DECIMALS_FROM)), self.coverage.known(one)
            found = instruments[one.symbol]
            assert (found.price_decimals, found.volume_decimals) == decimals
            assert found.listed == (known.first_candle or known.held.start)
        for told in await self.catalogue.stored(NAMED):
            series = told.statistics.series
            assert told.statistics == statistics_of(series, self.coverage.known(series))


def _last(columns: Columns, number: int) -> Columns:
    return columns[max(0, len(columns) - number) :]


places = st.integers(0, 30)
numbers = st.integers(1, 20)
closes = st.none() | st.sampled_from([1.25, 2.0, 3.123456])
one_of_them = st.sampled_from(NAMED)
writes = st.one_of(
    st.tuples(st.just("write"), one_of_them, places, numbers, closes),
    st.tuples(st.just("push"), one_of_them, numbers),
    st.tuples(st.just("remove"), one_of_them, places, numbers),
)


@given(st.lists(writes, max_size=8))
@settings(max_examples=examples(60), deadline=None)
def test_listings_are_exact_after_every_write(changes: list[tuple[Any, ...]]) -> None:
    async def story() -> None:
        world = World()
        await world.check()
        for name, *values in changes:
            await getattr(world, name)(*values)
            await world.check()

    asyncio.run(story())


async def test_a_revised_newest_candle_is_listed_at_once() -> None:
    """The ledger says the same before and after, and yet its mark tells."""
    world = World()
    await world.write(BTC, 0, 5, None)
    await world.check()
    await world.write(BTC, 4, 1, 7.5)
    await world.check()


async def test_a_holder_that_died_after_a_replacement_misleads_nobody() -> None:
    world = World()
    await world.write(BTC, 0, 5, None)
    lease = await world.coverage.acquire(BTC, "the dying", LEASE)
    assert lease is not None
    await world.check()
    await world.candles.write(BTC, [candle(minute(4), 7.5)])
    world.coverage.pass_seconds(2 * LEASE)
    await world.write(BTC, 4, 1, 7.5)
    await world.check()


async def test_a_size_is_told_with_its_moment_and_measured_again_beside() -> None:
    world = World()
    await world.write(BTC, 0, 5, None)
    world.catalogue.start()
    await world.clock.sleep(LOOK_SECONDS / 2)
    began = world.clock.now()
    [before] = await world.catalogue.stored([BTC])
    await world.write(BTC, 5, 5, None)
    [meanwhile] = await world.catalogue.stored([BTC])
    await world.clock.sleep(60 + 2 * LOOK_SECONDS)
    [after] = await world.catalogue.stored([BTC])
    await world.catalogue.stop()
    assert before.size == meanwhile.size
    assert before.size.measured <= began
    assert (after.size.bytes_on_disk, after.size.measured > began) == (2 * before.size.bytes_on_disk, True)


async def turns(number: int) -> None:
    """Let others act while no time passes."""
    for _ in range(number):
        await asyncio.sleep(0)


class Counting(MemoryCandles):
    """Counts who is read for how many candles."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int | None]] = []

    def columns(self, series: Series, window: Window, limit: int | None = None, **how: Any) -> Any:
        self.asked.append((series.symbol, limit))
        return super().columns(series, window, limit, **how)


async def test_what_somebody_listed_is_read_beside_for_a_while() -> None:
    world = World()
    world.candles = counting = Counting()
    world.catalogue = Catalogue(counting, world.coverage, world.clock)
    await world.write(BTC, 0, 5, None)
    world.catalogue.start()
    await world.clock.sleep(LOOK_SECONDS / 2)
    await world.check()
    await world.write(BTC, 5, 1, None)
    await world.clock.sleep(LOOK_SECONDS)
    await turns(100)
    counting.asked.clear()
    await world.check()
    assert counting.asked == []
    await world.clock.sleep(WANTED_SECONDS + 2 * LOOK_SECONDS)
    await world.write(BTC, 6, 1, None)
    await world.clock.sleep(2 * LOOK_SECONDS)
    await world.catalogue.stop()
    assert counting.asked == []


async def test_a_request_for_one_series_reads_one_series() -> None:
    world = World()
    world.candles = counting = Counting()
    world.catalogue = Catalogue(counting, world.coverage, world.clock)
    for one in NAMED:
        await world.write(one, 0, 5, None)
    [found] = await world.catalogue.instruments(await world.catalogue.held_of([ETH]))
    assert found.symbol == "ETHUSDT"
    assert counting.asked == [("ETHUSDT", DECIMALS_FROM)]


async def test_candles_that_were_taken_away_by_hand_are_not_listed() -> None:
    world = World()
    await world.write(BTC, 0, 5, None)
    world.candles.rows.clear()
    marks = await world.catalogue.held("binance", "spot")
    assert (await world.catalogue.prices(marks), await world.catalogue.days(marks)) == ({}, {})


async def test_a_candle_that_is_revised_under_a_lease_is_listed_before_the_lease_ends() -> None:
    """The lease was taken before the listing was read, so that only the write itself can tell."""
    world = World()
    await world.write(BTC, 0, 5, None)
    async with world.ledgers.hold(BTC, 1.0) as ledger:
        await world.check()
        await keep(BTC, [candle(minute(4), 7.5)], world.candles, ledger)
        await world.check()
