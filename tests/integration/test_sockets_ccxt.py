"""The simulated sockets against ccxt.pro, a client that nobody here wrote.

Its addresses are the simulator's. It tells Binance spot from futures by the host's name, so that is
overridden here; on futures it turns `/ws` into `/market/ws` by itself. Of BingX spot it keeps one candle.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro
import pytest

from tests.integration.test_simulator_ccxt_binance_bitget import pointed_at
from tests.integration.test_simulator_ccxt_bingx import client_of
from tests.simulator import Simulator, SimulatorClock
from tests.simulator.asking_sockets import NOON, at_noon
from tests.simulator.times import MINUTE

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
KINDS = {SPOT: "spot", SWAP: "perpetual"}
PATHS: dict[str, Any] = {
    "binance": {"spot": "/ws", "linear": "/ws"},
    "binanceusdm": {"spot": "/ws", "linear": "/ws"},
    "bitget": {"public": "/v2/ws/public"},
    "bingx": {"spot": "/market", "linear": "/swap-market"},
}
WATCHED = [
    ("binance", SPOT),
    ("binance", SWAP),
    ("binanceusdm", SWAP),
    ("bitget", SPOT),
    ("bitget", SWAP),
    ("bingx", SPOT),
    ("bingx", SWAP),
]


class Binance(ccxt.pro.binance):  # type: ignore[misc]
    """ccxt's Binance, which knows spot by the simulator's path."""

    def is_spot_url(self, client: Any) -> bool:
        return "/market/" not in client.url


class BinanceUsdm(ccxt.pro.binanceusdm):  # type: ignore[misc]
    """ccxt's Binance futures, which knows spot by the simulator's path."""

    def is_spot_url(self, client: Any) -> bool:
        return "/market/" not in client.url


@asynccontextmanager
async def watcher(simulator: Simulator, venue: str) -> AsyncIterator[Any]:
    """ccxt.pro's client of an exchange, which keeps all candles that it hears of."""
    if venue == "bingx":
        async with client_of(simulator, ccxt.pro.bingx) as client:
            yield prepared(client, simulator, venue)
        return
    made_by = {"binance": Binance, "binanceusdm": BinanceUsdm, "bitget": ccxt.pro.bitget}[venue]
    client = pointed_at(simulator.url, venue.removesuffix("usdm"), made_by)
    try:
        yield prepared(client, simulator, venue)
    finally:
        await client.close()


def prepared(client: Any, simulator: Simulator, venue: str) -> Any:
    socket_url = simulator.url.replace("http", "ws", 1)
    client.urls["api"]["ws"] = {name: socket_url + path for name, path in PATHS[venue].items()}
    client.newUpdates = False
    return client


async def watched_until(client: Any, symbol: str, open_time: int) -> dict[int, tuple[float, ...]]:
    """Return the candles that the client tells of until there is one of this minute or later."""
    candles: dict[int, tuple[float, ...]] = {}
    while not any(opened >= open_time for opened in candles):
        rows = await client.watch_ohlcv(symbol, "1m")
        candles |= {row[0] - row[0] % MINUTE: tuple(map(float, row[1:])) for row in rows}
    return candles


@pytest.mark.parametrize(("venue", "symbol"), WATCHED)
async def test_ccxt_watches_candles_that_equal_the_history(venue: str, symbol: str) -> None:
    async with at_noon(limits=False) as simulator, watcher(simulator, venue) as client:
        await watched_until(client, symbol, NOON)
        simulator.clock.advance(30_100)
        candles = await watched_until(client, symbol, NOON)
        simulator.clock.advance(MINUTE)
        candles = await watched_until(client, symbol, NOON + MINUTE) | candles
        exchange = venue.removesuffix("usdm")
        (history,) = simulator.history("BTCUSDT", NOON, NOON + MINUTE, exchange, KINDS[symbol])
    assert candles[NOON] == tuple(map(float, history[1:6]))


@pytest.mark.parametrize("symbol", [SPOT, SWAP])
async def test_ccxt_keeps_the_snapshot_of_bitget(symbol: str) -> None:
    async with at_noon(limits=False) as simulator, watcher(simulator, "bitget") as client:
        candles = await watched_until(client, symbol, NOON)
        history = simulator.history("BTCUSDT", NOON - 499 * MINUTE, NOON, "bitget", KINDS[symbol])
    assert {row[0]: tuple(map(float, row[1:6])) for row in history}.items() <= candles.items()


@pytest.mark.parametrize(("venue", "symbol"), [pair for pair in WATCHED if pair[0] != "bitget"])
async def test_ccxt_answers_the_heartbeats(venue: str, symbol: str) -> None:
    simulated = Simulator(clock=SimulatorClock(NOON, speed=60), limits=False)
    async with simulated as simulator, watcher(simulator, venue) as client:
        await watched_until(client, symbol, NOON + 2 * MINUTE)
        assert simulator.sockets == 1
