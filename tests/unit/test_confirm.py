"""A minute that sockets showed to be over is asked for once it has settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from backend.core.coverage import Coverage
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import Window
from backend.errors import ExchangeUnavailable
from backend.services.following.append import Appender, Edge
from backend.services.following.confirm import MOST_MINUTES, Confirmer
from backend.services.syncing.markets import Markets
from tests.fakes import BTC, START, FakeClock, MemoryCandles, MemoryCoverage, ScriptedSource, minute, minutes

SETTLE = 2


class World:
    """An exchange whose candles are held up to minute 3, and whose clock shows the end of minute 3."""

    def __init__(self, at_once: int = 16) -> None:
        self.clock = FakeClock(minute(4) + 100)
        moments = [minute(number) for number in range(200)]
        self.source, self.other = ScriptedSource(moments, self.clock), ScriptedSource(moments, self.clock)
        self.candles, self.coverage = MemoryCandles(), MemoryCoverage()
        self.coverage.entries[BTC] = Coverage(since=START, until=minute(3), held=Minutes.of((minutes(0, 3),)))
        self.appender = Appender(self.candles, self.coverage, lambda: None)
        self.appender.visited(BTC, Edge(minute(3), None, visited=minute(3), since=None))
        markets = Markets({"binance": {"spot": self.source}, "bitget": {"spot": self.other}})
        self.confirmer = Confirmer(
            markets=markets, appender=self.appender, clock=self.clock, settle_seconds=SETTLE, at_once=at_once
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(1000):
            if condition():
                return
            await self.clock.sleep(0.01)
        raise AssertionError("it did not happen")

    async def settled(self) -> None:
        """Let everything happen that is to happen within seconds."""
        await self.clock.sleep(10)


async def test_a_minute_that_ended_is_asked_for_when_it_has_settled() -> None:
    world = World()
    world.appender.start(lambda _: None)
    world.confirmer.ended(BTC, minute(4))
    await world.until(lambda: bool(world.source.asked))
    assert world.source.asked == [minutes(3, 4)]
    assert world.clock.now() >= minute(4) + SETTLE * 1000
    await world.until(lambda: world.coverage.known().held == (minutes(0, 4),))
    await world.appender.stop()


async def test_a_minute_that_has_not_settled_is_not_asked_for_however_late_the_word_comes() -> None:
    """The newest closed minute is left out of the question until it has settled."""
    world = World()
    world.clock.advance(60 - 0.1 + SETTLE - 0.5)
    world.confirmer.ended(BTC, minute(4))
    await world.until(lambda: bool(world.source.asked))
    assert world.clock.now() < minute(5) + SETTLE * 1000
    assert world.source.asked == [minutes(3, 4)]


async def test_all_minutes_that_are_lacking_are_asked_for_at_once() -> None:
    world = World()
    world.clock.advance(5 * 60)
    world.confirmer.ended(BTC, minute(9))
    await world.settled()
    assert world.source.asked == [minutes(3, 9)]


async def test_many_words_of_one_end_are_one_question() -> None:
    world = World()
    for _ in range(5):
        world.confirmer.ended(BTC, minute(4))
    await world.settled()
    assert world.source.asked == [minutes(3, 4)]


@pytest.mark.parametrize("end", [minute(4), minute(4) - (MOST_MINUTES + 1) * 60_000])
async def test_what_is_held_or_too_long_ago_is_not_asked_for(end: int) -> None:
    world = World()
    world.appender.visited(BTC, Edge(end, None, visited=minute(3), since=None))
    world.confirmer.ended(BTC, minute(4))
    await world.settled()
    assert world.source.asked == []


async def test_a_series_that_was_never_visited_is_not_asked_for() -> None:
    world = World()
    world.appender.forget([BTC])
    world.confirmer.ended(BTC, minute(4))
    await world.settled()
    assert world.source.asked == []


async def test_an_exchange_that_is_away_is_left_alone_until_the_next_minute() -> None:
    world = World()
    world.source.broken[minute(3)] = ExchangeUnavailable("away")
    world.confirmer.ended(BTC, minute(4))
    await world.settled()
    assert world.source.asked == [minutes(3, 4)]
    world.source.broken.clear()
    world.clock.advance(60)
    world.confirmer.ended(BTC, minute(5))
    await world.settled()
    assert world.source.asked == [minutes(3, 4), minutes(3, 5)]


async def test_stopped_it_asks_no_more() -> None:
    world = World()
    world.confirmer.ended(BTC, minute(4))
    await world.confirmer.stop()
    await world.settled()
    assert world.source.asked == []


async def test_a_market_that_does_not_answer_keeps_no_other_waiting() -> None:
    world, other = World(at_once=1), Series("bitget", "spot", "BTCUSDT")
    never = asyncio.Event()

    async def hang(_window: Window) -> None:
        await never.wait()

    world.source.delay = hang
    world.appender.visited(other, Edge(minute(3), None, visited=minute(3), since=None))
    world.confirmer.ended(BTC, minute(4))
    await world.until(lambda: bool(world.source.asked))
    world.confirmer.ended(other, minute(4))
    await world.until(lambda: world.other.asked == [minutes(3, 4)])
    await world.confirmer.stop()
