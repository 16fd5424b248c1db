"""Closed candles are appended where they continue what is held; anything else is left to a visit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.candles import Candle
from backend.core.coverage import Coverage, Void
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import Window
from backend.errors import DatabaseUnavailable
from backend.services.following.append import Appender, Edge, continuing
from tests.fakes import BTC, START, MemoryCandles, MemoryCoverage, candle, minute, minutes

ETH = Series("binance", "spot", "ETHUSDT")
HELD = Coverage(since=START, until=minute(3), held=Minutes.of((minutes(0, 3),)))
AT_THE_EDGE = Edge(minute(3), None, visited=minute(3), since=START)


@dataclass
class World:
    """An appender over stores in memory, in which BTC is held up to minute 3 and was just visited."""

    candles: MemoryCandles = field(default_factory=MemoryCandles)
    coverage: MemoryCoverage = field(default_factory=MemoryCoverage)
    gaps: list[Series] = field(default_factory=list)
    news: int = 0

    def __post_init__(self) -> None:
        self.coverage.entries[BTC] = HELD
        self.appender = Appender(self.candles, self.coverage, self.on_news)
        self.appender.visited(BTC, AT_THE_EDGE)

    def on_news(self) -> None:
        self.news += 1

    def on_gap(self, series: Collection[Series]) -> None:
        self.gaps += series

    def stored(self) -> list[int]:
        return sorted(self.candles.moments(BTC))


@asynccontextmanager
async def working(world: World) -> AsyncIterator[World]:
    world.appender.start(world.on_gap)
    yield world
    await world.appender.stop()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")


async def test_a_candle_that_follows_is_stored_and_known() -> None:
    async with working(World()) as world:
        world.appender.add(BTC, candle(minute(3)))
        await until(lambda: world.news == 1)
    assert world.stored() == [minute(3)]
    assert world.coverage.known() == replace(HELD, until=minute(4), held=Minutes.of((minutes(0, 4),)))
    assert world.appender.edge(BTC) == AT_THE_EDGE._replace(end=minute(4), appended_from=minute(3))
    assert world.gaps == []


async def test_what_was_appended_since_a_visit_is_remembered_from_its_first_minute_on() -> None:
    async with working(World()) as world:
        for number in (3, 4, 5):
            world.appender.add(BTC, candle(minute(number)))
            await until(lambda number=number: world.news == number - 2)  # type: ignore[misc]
    assert world.appender.edge(BTC) == AT_THE_EDGE._replace(end=minute(6), appended_from=minute(3))


async def test_candles_of_many_series_and_minutes_are_appended_together() -> None:
    async with working(World()) as world:
        world.coverage.entries[ETH] = HELD
        world.appender.visited(ETH, AT_THE_EDGE)
        for number in (4, 3):
            world.appender.add(BTC, candle(minute(number)))
        world.appender.add(ETH, candle(minute(3)))
        await until(lambda: world.news == 1)
    assert world.coverage.known(BTC).held == (minutes(0, 5),)
    assert world.coverage.known(ETH).held == (minutes(0, 4),)


@pytest.mark.parametrize(
    "known",
    [
        replace(HELD, until=minute(2), held=Minutes.of((minutes(0, 2),))),
        replace(HELD, until=minute(4)),
        Coverage(),
    ],
    ids=["a gap before it", "asked for and not held", "never synced"],
)
async def test_a_candle_that_does_not_follow_is_left_to_a_visit(known: Coverage) -> None:
    async with working(World()) as world:
        world.coverage.entries[BTC] = known
        world.appender.add(BTC, candle(minute(3)))
        await until(lambda: world.gaps == [BTC])
    assert world.stored() == []
    assert world.coverage.known() == known


async def test_a_candle_of_a_series_that_somebody_works_on_is_left_to_a_visit() -> None:
    async with working(World()) as world:
        lease = await world.coverage.acquire(BTC, "a job", 60)
        world.appender.add(BTC, candle(minute(3)))
        await until(lambda: world.gaps == [BTC])
        assert lease is not None
        assert await world.coverage.save(lease, HELD)
    assert world.coverage.known() == HELD


async def test_a_stored_candle_that_differs_stays_and_is_left_to_a_visit() -> None:
    async with working(World()) as world:
        other = candle(minute(3), close=1.0)
        await world.candles.add(BTC, [other])
        world.appender.add(BTC, candle(minute(3)))
        await until(lambda: world.gaps == [BTC])
    assert world.candles.stored(BTC) == [other]
    assert world.coverage.known() == HELD


async def test_while_the_database_is_away_nothing_is_queued_and_afterwards_all_goes_on() -> None:
    async with working(World()) as world:
        world.candles.failure = DatabaseUnavailable("away")
        world.appender.add(BTC, candle(minute(3)))
        await until(lambda: world.gaps == [BTC])
        world.candles.failure = None
        world.appender.add(BTC, candle(minute(3)))
        await until(lambda: world.news == 1)
    assert world.coverage.known().held == (minutes(0, 4),)


async def test_a_series_that_is_looked_after_elsewhere_is_forgotten() -> None:
    world = World()
    world.appender.add(BTC, candle(minute(3)))
    world.appender.forget([BTC, ETH])
    assert world.appender.edge(BTC) is None
    async with working(world):
        world.appender.add(ETH, candle(minute(3)))
        await until(lambda: world.gaps == [ETH])
    assert world.stored() == []


@given(st.sets(st.integers(0, 9)), st.integers(1, 6), st.booleans())
def test_what_is_appended_makes_no_hole(came: set[int], end: int, void: bool) -> None:
    asked = end + 1 if void else end
    voids = (Void(Window(minute(end), minute(asked)), "no_data", 0, None),) if void else ()
    known = Coverage(since=START, until=minute(asked), held=Minutes.of((minutes(0, end),)), voids=voids)
    run = [one.open_time for one in continuing(known, [candle(minute(number)) for number in came])]
    assert run == [minute(end + place) for place in range(len(run))]
    assert {minute(number) for number in came} >= set(run)
    assert not (void and run)


async def test_a_candle_that_contradicts_itself_is_left_to_a_visit() -> None:
    async with working(World()) as world:
        world.appender.add(BTC, replace_prices(candle(minute(3)), low=1e9))
        world.appender.add(BTC, candle(minute(4)))
        await until(lambda: world.gaps == [BTC])
    assert world.stored() == []


def replace_prices(row: Candle, **prices: float) -> Candle:
    return msgspec.structs.replace(row, **prices)
