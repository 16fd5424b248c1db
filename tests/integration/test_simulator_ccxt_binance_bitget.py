"""The simulated Binance and Bitget against ccxt, a client that nobody here wrote.

ccxt is pointed at the simulator by its `urls`; its own throttling is off, and its clock is the simulator's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import ccxt.async_support as ccxt
import pytest

from tests.simulator import Forced, Simulator, SimulatorClock
from tests.simulator.times import DAY, HOUR, MINUTE, parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
NOW = NOON + 30_000
MARKETS = {"BTC/USDT": "spot", "BTC/USDT:USDT": "perpetual"}
SYMBOLS = pytest.mark.parametrize("symbol", MARKETS)
VENUES = pytest.mark.parametrize("venue", ["binance", "bitget"])


class Binance(ccxt.binance):  # type: ignore[misc]
    """ccxt's Binance on the simulator's time."""

    def milliseconds(self) -> int:
        return NOW


class Bitget(ccxt.bitget):  # type: ignore[misc]
    """ccxt's Bitget on the simulator's time."""

    def milliseconds(self) -> int:
        return NOW


CLIENTS: dict[str, Any] = {"binance": Binance, "bitget": Bitget}
TYPES = {"binance": ["spot", "linear"], "bitget": ["spot", "swap"]}


def pointed_at(url: str, venue: str, made_by: Any = None) -> Any:
    """Return ccxt's client with every address of its own replaced; `made_by` is another class of it."""
    client = (made_by or CLIENTS[venue])(
        {
            "enableRateLimit": False,
            "options": {"fetchMarkets": {"types": TYPES[venue]}, "maxRetriesOnFailure": 0},
        }
    )
    client.has["fetchCurrencies"] = False
    paths = {"public": "/api/v3", "fapiPublic": "/fapi/v1"} if venue == "binance" else {}
    client.urls["api"] = {name: url + paths.get(name, "") for name in client.urls["api"]}
    return client


@asynccontextmanager
async def exchange(venue: str) -> AsyncIterator[tuple[Simulator, Any]]:
    """A simulator without limits, and ccxt's client of one of its exchanges."""
    async with Simulator(clock=SimulatorClock(NOW, frozen=True), limits=False) as simulator:
        client = pointed_at(simulator.url, venue)
        try:
            yield simulator, client
        finally:
            await client.close()


async def paged(client: Any, symbol: str, start: int, end: int, limit: int) -> list[tuple[float, ...]]:
    """Return the one-minute candles in [start, end), a page after the other."""
    rows: list[tuple[float, ...]] = []
    while start < end:
        page = await client.fetch_ohlcv(symbol, "1m", since=start, limit=limit)
        assert page, f"no candles from {start}"
        rows.extend(tuple(row) for row in page if row[0] < end)
        start = page[-1][0] + MINUTE
    return rows


def expected(simulator: Simulator, symbol: str, venue: str, start: int, end: int) -> list[tuple[float, ...]]:
    return [row[:6] for row in simulator.history("BTCUSDT", start, end, venue, MARKETS[symbol])]


@VENUES
async def test_markets_are_loaded(venue: str) -> None:
    async with exchange(venue) as (_, client):
        markets = await client.load_markets()
    assert {symbol for symbol in markets if symbol.startswith("BTC/")} == set(MARKETS)
    spot, swap = (markets[symbol] for symbol in MARKETS)
    assert (spot["type"], spot["active"], spot["precision"]["price"]) == ("spot", True, 0.01)
    assert (swap["type"], swap["linear"], swap["settle"], swap["active"]) == ("swap", True, "USDT", True)
    assert (swap["precision"]["price"], swap["precision"]["amount"]) == (0.01, 0.001)


async def test_binance_tells_when_a_contract_was_listed() -> None:
    async with exchange("binance") as (_, client):
        market = (await client.load_markets())["BTC/USDT:USDT"]
    assert market["created"] == parse_instant("2019-09-08T17:57Z")


@VENUES
@SYMBOLS
async def test_candles_of_a_year_ago_are_paged_as_the_exchange_has_them(venue: str, symbol: str) -> None:
    start, limit = NOON - 365 * DAY, 1000 if venue == "binance" else 200
    end = start + 2 * limit * MINUTE + 17 * MINUTE
    async with exchange(venue) as (simulator, client):
        rows = await paged(client, symbol, start, end, limit)
        asked = [record.path for record in simulator.requests if "cand" in record.path or "kl" in record.path]
    assert rows == expected(simulator, symbol, venue, start, end)
    assert len(asked) == 3
    assert all(path.endswith("klines" if venue == "binance" else "/history-candles") for path in asked)


@VENUES
@SYMBOLS
async def test_recent_candles_are_paged_up_to_the_forming_one(venue: str, symbol: str) -> None:
    start = NOON - 1500 * MINUTE
    async with exchange(venue) as (simulator, client):
        rows = await paged(client, symbol, start, NOON + MINUTE, 1000)
        paths = {record.path for record in simulator.requests if "candles" in record.path}
    assert rows[:-1] == expected(simulator, symbol, venue, start, NOON)
    assert rows[-1][0] == NOON
    assert not any("history" in path for path in paths)


@VENUES
@SYMBOLS
async def test_longer_candles_open_on_utc(venue: str, symbol: str) -> None:
    async with exchange(venue) as (_, client):
        days = await client.fetch_ohlcv(symbol, "1d", limit=3)
        hours = await client.fetch_ohlcv(symbol, "1h", limit=3)
    midnight = parse_instant("2025-06-03")
    assert [row[0] for row in days][-3:] == [midnight - 2 * DAY, midnight - DAY, midnight]
    assert [row[0] for row in hours][-3:] == [NOON - 2 * HOUR, NOON - HOUR, NOON]


@VENUES
async def test_the_servers_time_is_read(venue: str) -> None:
    async with exchange(venue) as (_, client):
        assert await client.fetch_time() == NOW


@VENUES
async def test_a_symbol_that_is_not_listed_is_unknown(venue: str) -> None:
    async with exchange(venue) as (_, client):
        with pytest.raises(ccxt.BadSymbol):
            await client.fetch_ohlcv("NOPE/USDT", "1m")


@SYMBOLS
async def test_binance_refuses_an_unknown_symbol_by_its_code(symbol: str) -> None:
    async with exchange("binance") as (_, client):
        with pytest.raises(ccxt.BadSymbol, match="-1121"):
            await client.fetch_ohlcv(symbol, "1m", params={"symbol": "NOPEUSDT"})


@SYMBOLS
async def test_bitget_refuses_an_unknown_symbol_by_its_code(symbol: str) -> None:
    """ccxt does not know what 40034 means."""
    async with exchange("bitget") as (_, client):
        with pytest.raises(ccxt.ExchangeError, match='"40034"'):
            await client.fetch_ohlcv(symbol, "1m", params={"symbol": "NOPEUSDT"})


@VENUES
@SYMBOLS
async def test_too_many_requests_are_a_rate_limit_to_ccxt(venue: str, symbol: str) -> None:
    async with exchange(venue) as (simulator, client):
        await client.load_markets()
        simulator.faults.forced = Forced(429)
        with rate_limited():
            await client.fetch_ohlcv(symbol, "1m", limit=1)


async def test_bitgets_twenty_requests_a_second_are_enforced_on_ccxt() -> None:
    async with Simulator(clock=SimulatorClock(NOW, frozen=True)) as simulator:
        client = pointed_at(simulator.url, "bitget")
        try:
            for _ in range(20):
                await client.fetch_ohlcv("BTC/USDT", "1m", limit=1)
            with rate_limited():
                await client.fetch_ohlcv("BTC/USDT", "1m", limit=1)
        finally:
            await client.close()


@contextmanager
def rate_limited() -> Iterator[None]:
    """Expect one of ccxt's two errors for too many requests; they are siblings of one parent."""
    with pytest.raises((ccxt.DDoSProtection, ccxt.RateLimitExceeded), match="429"):
        yield


@VENUES
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_errors_of_the_server_are_errors_of_ccxt(venue: str, status: int) -> None:
    async with exchange(venue) as (simulator, client):
        await client.load_markets()
        simulator.faults.forced = Forced(status)
        with pytest.raises(ccxt.BaseError):
            await client.fetch_ohlcv("BTC/USDT", "1m", limit=1)
