"""Candles of files into the store and the ledger, with stores and an exchange that the tests own."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import SystemClock
from backend.core.candles import inside
from backend.core.coverage import Coverage, void_without_data
from backend.core.minutes import NO_MINUTES, Minutes
from backend.core.series import Series
from backend.errors import DatabaseUnavailable, ExchangeUnavailable, MarketDataError
from backend.services.syncing.file_import import TRUST_IN_THIS_CLOCK, Imported, Imports
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets
from tests.fakes import (
    BTC,
    FakeClock,
    MemoryCandles,
    MemoryCoverage,
    ScriptedSource,
    candle,
    minute,
    minutes,
    minutes_of,
    spans_of,
)

FILE = [candle(minute(number)) for number in range(20)]


class AwaySource(ScriptedSource):
    """An exchange that cannot be reached."""

    async def now(self) -> int:
        raise ExchangeUnavailable("binance cannot be reached")


class World:
    def __init__(self, source: ScriptedSource | None = None, known: Coverage | None = None) -> None:
        self.clock = FakeClock(minute(5000) + 30_000)
        self.candles = MemoryCandles()
        self.coverage = MemoryCoverage()
        if known is not None:
            self.coverage.entries[BTC] = known
        markets = Markets({"binance": {"spot": source or ScriptedSource(clock=self.clock)}})
        ledgers = Ledgers(store=self.coverage, clock=SystemClock(), owner="tests", seconds=3600)
        self.imports = Imports(markets, self.candles, ledgers, self.clock)


async def test_candles_are_stored_and_claimed() -> None:
    world = World()
    assert await world.imports.store(BTC, FILE) == Imported(20, 20, 0)
    assert world.candles.stored() == FILE
    assert world.coverage.known() == Coverage(minute(0), Minutes.of((minutes(0, 20),)), (), minute(20))
    assert world.candles.created == [BTC]


async def test_holes_of_a_file_are_missing_and_no_voids() -> None:
    world = World()
    await world.imports.store(BTC, [FILE[0], FILE[5], FILE[6]])
    known = world.coverage.known()
    assert known.held == (minutes(0, 1), minutes(5, 7))
    assert known.missing(known.expected, minute(5000)) == (minutes(1, 5),)


async def test_held_candles_stay_as_they_are() -> None:
    world = World(known=Coverage(minute(3), Minutes.of((minutes(3, 9),)), (), minute(9)))
    world.candles.rows[BTC] = {minute(number): candle(minute(number), close=1.0) for number in range(3, 9)}
    assert await world.imports.store(BTC, FILE) == Imported(20, 14, 6)
    assert [row.close == 1.0 for row in world.candles.stored()] == [3 <= number < 9 for number in range(20)]
    assert world.coverage.known().held == (minutes(0, 20),)


async def test_a_file_that_is_held_already_changes_nothing() -> None:
    world = World()
    await world.imports.store(BTC, FILE)
    saves = world.coverage.saves
    assert await world.imports.store(BTC, FILE) == Imported(20, 0, 20)
    assert world.coverage.saves == saves


async def test_an_imported_minute_is_void_no_longer() -> None:
    world = World(
        known=Coverage(minute(0), NO_MINUTES, (void_without_data(minutes(5, 9), minute(50)),), minute(20))
    )
    await world.imports.store(BTC, FILE[:7])
    assert world.coverage.known().count_absent(minutes(0, 20)) == 2


async def test_what_breaks_off_claims_nothing() -> None:
    world = World()
    world.candles.failure = DatabaseUnavailable("away")
    with pytest.raises(MarketDataError):
        await world.imports.store(BTC, FILE)
    assert world.coverage.known().held == ()


async def test_the_exchange_tells_what_is_closed() -> None:
    assert tuple(await World().imports.horizon(BTC)) == (minute(5000), "")


async def test_a_symbol_that_is_not_listed_is_told() -> None:
    closed, remark = await World().imports.horizon(Series("binance", "spot", "LUNAUSDT"))
    assert closed == minute(5000)
    assert remark.startswith("binance does not list LUNAUSDT on its spot market")


async def test_without_the_exchange_the_youngest_day_is_not_trusted() -> None:
    closed, remark = await World(AwaySource()).imports.horizon(BTC)
    assert closed == minute(5000) - TRUST_IN_THIS_CLOCK
    assert remark.startswith("binance cannot be reached")


numbers = st.sets(st.integers(0, 40))


@given(numbers, numbers)
def test_candles_inside_spans_are_those_that_open_there(have: set[int], wanted: set[int]) -> None:
    candles = [candle(minute(number)) for number in sorted(have)]
    spans = spans_of(map(minute, wanted))
    assert inside(candles, spans) == [candle(minute(number)) for number in sorted(have & wanted)]


@given(numbers.filter(bool), numbers)
def test_after_an_import_exactly_what_is_stored_is_claimed(have: set[int], held: set[int]) -> None:
    async def story() -> None:
        world = World(known=Coverage().with_held(spans_of(map(minute, held))))
        world.candles.rows[BTC] = {minute(number): candle(minute(number)) for number in held}
        done = await world.imports.store(BTC, [candle(minute(number)) for number in sorted(have)])
        assert done == Imported(len(have), len(have - held), len(have & held))
        assert minutes_of(world.coverage.known().held) == world.candles.moments()
        assert world.candles.moments() == set(map(minute, have | held))

    asyncio.run(story())
