"""The sockets of all six markets against simulated exchanges: what comes, and what happens when they fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tornado.ioloop import IOLoop

from backend.app.venues import pushed_markets
from backend.core.candles import Candle
from backend.core.windows import MINUTE
from backend.exchanges import QUOTES
from backend.net.rest.client import MarketClient
from backend.net.rest.requester import open_session
from backend.net.rest.throttle import Throttle
from backend.net.sockets.market_stream import MarketStream
from backend.net.sockets.socket_connection import open_socket_session
from backend.precedence import Precedence
from backend.settings import load_settings
from backend.telemetry.metrics import Metrics
from tests.conftest import NOW, simulated_urls
from tests.following import HandClock
from tests.pushing import Ear, until
from tests.simulator import Simulator, SimulatorClock

Key = tuple[str, str]

PACE = 30.0
"""Simulated seconds in a real one."""

SOCKET_URLS = (
    *("BINANCE_SPOT_WS_URL", "BINANCE_PERPETUAL_WS_URL", "BITGET_WS_URL"),
    *("BINGX_SPOT_WS_URL", "BINGX_PERPETUAL_WS_URL"),
)
COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges whose clock hurries."""
    simulated = Simulator(clock=SimulatorClock(NOW, speed=PACE))
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@asynccontextmanager
async def listening(simulator: Simulator, *symbols: str) -> AsyncIterator[dict[Key, Ear]]:
    """Somebody who listens to these symbols on each market."""
    urls = dict.fromkeys(SOCKET_URLS, simulator.url.replace("http", "ws"))
    settings = load_settings({**simulated_urls(simulator.url), **urls})
    clock, metrics, ears = HandClock(simulator, PACE), Metrics(), {}
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(10.0, "tests"))
        sockets = await stack.enter_async_context(open_socket_session("tests"))
        for exchange, market, url in pushed_markets(settings):
            throttle = Throttle(market.budget.limits, 0.9, clock)
            client = MarketClient(
                precedence=Precedence(),
                exchange=exchange,
                market=market,
                quotes=QUOTES[exchange, market.name],
                base_url=simulator.url,
                session=session,
                throttle=throttle,
                clock=clock,
                metrics=metrics,
            )
            stream = MarketStream(
                exchange=exchange,
                market=market,
                base_url=url,
                session=sockets,
                native=client.native,
                clock=clock,
                metrics=metrics,
            )
            stack.push_async_callback(stream.stop)
            ear = ears[exchange, market.name] = Ear()
            stream.start(ear)
            stream.want(symbols)
        yield ears


def final(ear: Ear, symbol: str) -> dict[int, Candle]:
    """The last state of each minute but the newest two, of which another state may come."""
    states = {candle.open_time: candle for heard, candle, _ in ear.heard if heard == symbol}
    return {moment: states[moment] for moment in sorted(states)[:-2]}


def knows(ear: Ear, *symbols: str, ended: int = 2) -> bool:
    """Whether minutes of each symbol were told to their end."""
    return all(len(final(ear, symbol)) >= ended for symbol in symbols)


def exchange_has(simulator: Simulator, key: Key, symbol: str, open_time: int) -> tuple[float, ...]:
    exchange, market = key
    (row,) = simulator.history(symbol, open_time, open_time + MINUTE, exchange, market)
    return tuple(row)


async def test_what_six_markets_push_is_what_they_have(simulator: Simulator) -> None:
    async with listening(simulator, *COINS) as ears:
        assert len(ears) == 6
        await until(lambda: all(knows(ear, *COINS) for ear in ears.values()))
        for key, ear in ears.items():
            for symbol in COINS:
                for open_time, candle in final(ear, symbol).items():
                    row = exchange_has(simulator, key, symbol, open_time)
                    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
                    assert prices == row[1:6]
                    assert candle.quote_volume in (None, row[6])
            assert {symbol for symbol, _, _ in ear.heard} == set(COINS)
            closed = [candle for _, candle, closed in ear.heard if closed]
            assert bool(closed) == (key[0] == "binance")
        await until(lambda: simulator.sockets == 6)


async def test_all_six_come_back_when_their_connections_are_cut(simulator: Simulator) -> None:
    async with listening(simulator, "BTCUSDT") as ears:
        await until(lambda: all(ear.heard for ear in ears.values()))
        simulator.cut_sockets()
        await until(lambda: all(ear.lost for ear in ears.values()))
        for ear in ears.values():
            assert ear.lost[0][0] == {"BTCUSDT"}
            ear.heard.clear()
        await until(lambda: all(knows(ear, "BTCUSDT") for ear in ears.values()))


async def test_torn_doubled_and_foreign_frames_do_no_harm(simulator: Simulator) -> None:
    faults = simulator.faults.sockets
    faults.torn_rate = faults.duplicate_rate = faults.wrong_topic_rate = 0.1
    async with listening(simulator, "BTCUSDT") as ears:
        await until(lambda: all(knows(ear, "BTCUSDT") for ear in ears.values()))
        for ear in ears.values():
            assert {symbol for symbol, _, _ in ear.heard} == {"BTCUSDT"}


async def test_exchanges_that_fall_silent_are_left_and_come_back(simulator: Simulator) -> None:
    async with listening(simulator, "BTCUSDT") as ears:
        await until(lambda: all(ear.heard for ear in ears.values()))
        simulator.faults.sockets.silence = True
        await until(lambda: all(ear.lost for ear in ears.values()))
        simulator.faults.sockets.silence = False
        for ear in ears.values():
            ear.heard.clear()
        await until(lambda: all(ear.heard for ear in ears.values()))


async def test_a_symbol_that_is_refused_does_not_keep_the_others_from_coming(simulator: Simulator) -> None:
    simulator.faults.sockets.refuse = {"ETHUSDT"}
    simulator.faults.sockets.leak = True
    async with listening(simulator, *COINS) as ears:
        await until(lambda: all(knows(ear, "BTCUSDT", "SOLUSDT") for ear in ears.values()))
        for ear in ears.values():
            assert {"ETHUSDT"} in [symbols for symbols, _ in ear.lost]
            assert not knows(ear, "ETHUSDT", ended=1)


async def test_binance_ends_connections_after_a_notice_and_nothing_is_lost(simulator: Simulator) -> None:
    simulator.faults.sockets.life = 4 * MINUTE
    simulator.faults.sockets.notice = MINUTE
    async with listening(simulator, "BTCUSDT") as ears:
        binance = [ear for (exchange, _), ear in ears.items() if exchange == "binance"]
        await until(lambda: all(knows(ear, "BTCUSDT", ended=8) for ear in binance))
        for ear in binance:
            assert ear.lost == []
            minutes = list(final(ear, "BTCUSDT"))
            assert minutes == list(range(minutes[0], minutes[0] + len(minutes) * MINUTE, MINUTE))
