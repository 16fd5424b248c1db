"""What sockets bring: who is wanted, who is heard, and who is told of it."""

from __future__ import annotations

import logging
from collections.abc import Collection

import pytest

from backend.core.candles import Candle
from backend.core.pushed import PushedCandles
from backend.core.series import Series
from backend.services.following.pushed_candles import HEARD_FOR, LiveCandles
from backend.services.venue_ports import StreamListener
from tests.fakes import BTC, FakeClock, candle, minute

ETH = Series("binance", "spot", "ETHUSDT")
FAR = Series("extended", "perpetual", "BTCUSD")


class ScriptedStream:
    """Fits `services.ports.CandleStream`: what is wanted of it, and the listener that a test speaks to."""

    listener: StreamListener

    def __init__(self) -> None:
        self.wanted: set[str] = set()

    def want(self, symbols: Collection[str]) -> None:
        self.wanted = set(symbols)

    def start(self, listener: StreamListener) -> None:
        self.listener = listener

    async def stop(self) -> None:
        self.wanted = set()


class World:
    """Sockets of one market, with somebody who keeps series."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.stream = ScriptedStream()
        self.live = LiveCandles({("binance", "spot"): self.stream}, self.clock)
        self.closed: list[tuple[Series, Candle]] = []
        self.ended: list[tuple[Series, int]] = []
        self.live.start(
            lambda series, one: self.closed.append((series, one)),
            lambda series, end: self.ended.append((series, end)),
        )

    def push(self, number: int, *, closed: bool = False, series: Series = BTC) -> None:
        self.stream.listener.on_candle(series.symbol, candle(minute(number)), closed=closed)


def test_what_is_kept_or_watched_is_wanted() -> None:
    world = World()
    world.live.keep([BTC])
    with world.live.watching([BTC, ETH]), world.live.watching([ETH]):
        assert world.stream.wanted == {"BTCUSDT", "ETHUSDT"}
        world.live.keep([])
        assert world.stream.wanted == {"BTCUSDT", "ETHUSDT"}
    assert world.stream.wanted == set()


def test_a_market_without_sockets_is_not_heard() -> None:
    world = World()
    world.live.keep([FAR])
    with world.live.watching([FAR]):
        assert not world.live.can_hear(FAR)
        assert world.live.can_hear(BTC)
        assert world.stream.wanted == set()


def test_closed_candles_of_kept_series_are_told_of() -> None:
    world = World()
    world.live.keep([BTC])
    world.push(0)
    world.push(0, closed=True)
    assert world.closed == [(BTC, candle(minute(0)))]
    assert world.ended == []


def test_a_minute_is_over_when_the_next_one_appears() -> None:
    world = World()
    world.live.keep([BTC])
    for number in (0, 0, 1, 0, 1, 3):
        world.push(number)
    assert world.ended == [(BTC, minute(1)), (BTC, minute(3))]
    assert world.closed == []


def test_of_series_that_are_only_watched_nothing_is_stored() -> None:
    world = World()
    with world.live.watching([BTC]):
        world.push(0)
        world.push(0, closed=True)
        world.push(1)
        assert world.live.pushed(BTC) == PushedCandles(candle(minute(1)), (candle(minute(0)),))
    assert (world.closed, world.ended) == ([], [])
    assert world.live.pushed(BTC) == PushedCandles()


def test_who_was_not_heard_for_long_is_not_heard() -> None:
    world = World()
    world.live.keep([BTC])
    world.push(0)
    world.clock.advance(HEARD_FOR)
    assert world.live.is_heard(BTC)
    world.clock.advance(1)
    assert not world.live.is_heard(BTC)
    assert world.live.pushed(BTC) == PushedCandles()
    world.push(1)
    assert world.live.is_heard(BTC)


def test_a_lost_connection_is_told_once_for_each_kept_series_that_was_heard() -> None:
    world = World()
    world.live.keep([BTC, ETH])
    world.push(0)
    world.stream.listener.on_lost(["BTCUSDT", "ETHUSDT"], "cut")
    world.stream.listener.on_lost(["BTCUSDT"], "cut again")
    assert not world.live.is_heard(BTC)
    assert world.live.take_lost() == {BTC}
    assert world.live.take_lost() == set()


def test_series_of_which_nothing_is_pushed_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with caplog.at_level(logging.WARNING):
        world.live.keep([BTC, ETH])
        world.push(0, series=ETH)
        world.clock.advance(HEARD_FOR + 1)
        world.push(1, series=ETH)
        for _ in range(3):
            world.live.keep([BTC, ETH])
    [record] = caplog.records
    assert BTC.name in record.getMessage()
    assert ETH.name not in record.getMessage()


def test_a_minute_that_was_told_in_part_does_not_end_with_what_comes_after_a_loss() -> None:
    world = World()
    world.live.keep([BTC])
    world.push(0)
    world.stream.listener.on_lost(["BTCUSDT"], "cut")
    world.push(1)
    assert world.live.pushed(BTC) == PushedCandles(candle(minute(1)))
    assert world.ended == []


async def test_stopped_all_sockets_are_closed() -> None:
    world = World()
    world.live.keep([BTC])
    await world.live.stop()
    assert world.stream.wanted == set()
