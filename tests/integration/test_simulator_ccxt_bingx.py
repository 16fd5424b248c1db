"""BingX in the simulator as the ccxt library sees it, a client that was written without it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.simulator import BingxRules, Faults, Forced, Quirks, Simulator, SimulatorClock
from tests.simulator.times import DAY, HOUR, MINUTE, parse_instant

ccxt = pytest.importorskip("ccxt.async_support")

NOON = parse_instant("2025-06-03T12:00Z")
SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
BOTH = pytest.mark.parametrize(("symbol", "kind"), [(SPOT, "spot"), (SWAP, "perpetual")])


def simulator_of(rules: BingxRules | None = None) -> Simulator:
    faults = Faults(quirks=Quirks(bingx=rules or BingxRules()))
    return Simulator(clock=SimulatorClock(NOON + 30_000, frozen=True), faults=faults)


@asynccontextmanager
async def client_of(simulator: Simulator, made_by: Any = None) -> AsyncIterator[Any]:
    client = (made_by or ccxt.bingx)({"enableRateLimit": False})
    client.urls["api"] = dict.fromkeys(client.urls["api"], f"{simulator.url}/openApi")
    try:
        yield client
    finally:
        await client.close()


async def paged(client: Any, symbol: str, start: int, end: int, limit: int) -> list[tuple[float, ...]]:
    """Return the candles that open in [start, end), asked for in windows of the page's size."""
    rows: list[tuple[float, ...]] = []
    for since in range(start, end, limit * MINUTE):
        until = min(since + limit * MINUTE, end)
        page = await client.fetch_ohlcv(symbol, "1m", since, limit, {"until": until})
        rows += [tuple(map(float, row)) for row in page]
    return rows


async def test_ccxt_loads_the_markets() -> None:
    async with simulator_of() as simulator, client_of(simulator) as client:
        markets = await client.load_markets()
        now = await client.fetch_time()
    spot, swap = markets[SPOT], markets[SWAP]
    assert (spot["id"], spot["active"], spot["precision"]["price"]) == ("BTC-USDT", True, 0.01)
    assert (swap["id"], swap["active"], swap["linear"], swap["settle"]) == ("BTC-USDT", True, True, "USDT")
    assert now == NOON + 30_000


@BOTH
async def test_ccxt_reads_pages_that_equal_the_history(symbol: str, kind: str) -> None:
    start = NOON - 2000 * MINUTE
    async with simulator_of() as simulator, client_of(simulator) as client:
        rows = await paged(client, symbol, start, NOON, limit=900)
        history = simulator.history("BTCUSDT", start, NOON, "bingx", kind)
        pages = [record for record in simulator.requests if "kline" in record.path]
    assert len(pages) == 3
    assert rows == [tuple(map(float, row[:6])) for row in history]


@BOTH
async def test_ccxt_reads_the_latest_candles_oldest_first(symbol: str, kind: str) -> None:
    async with simulator_of() as simulator, client_of(simulator) as client:
        rows = await client.fetch_ohlcv(symbol, "1m", limit=1440)
        history = simulator.history("BTCUSDT", NOON - DAY, NOON, "bingx", kind)
    assert [row[0] for row in rows] == [NOON - n * MINUTE for n in reversed(range(1440))]
    assert [tuple(map(float, row)) for row in rows[:-1]] == [
        tuple(map(float, row[:6])) for row in history[1:]
    ]


@BOTH
async def test_ccxt_sees_days_of_utc(symbol: str, kind: str) -> None:
    async with simulator_of() as simulator, client_of(simulator) as client:
        (row,) = await client.fetch_ohlcv(symbol, "1d", limit=1)
        minutes = simulator.history("BTCUSDT", row[0], NOON, "bingx", kind)
    assert row[0] == NOON - 12 * HOUR
    assert row[1] == minutes[0][1]


async def test_ccxt_reads_mark_prices() -> None:
    async with simulator_of() as simulator, client_of(simulator) as client:
        rows = await client.fetch_ohlcv(SWAP, "1m", limit=2, params={"price": "mark"})
    assert [row[0] for row in rows] == [NOON - MINUTE, NOON]


async def test_ccxt_knows_an_unknown_symbol_by_the_listing_and_by_the_answer() -> None:
    async with simulator_of() as simulator, client_of(simulator) as client:
        with pytest.raises(ccxt.BadSymbol):
            await client.fetch_ohlcv("NOPE/USDT:USDT")
        with pytest.raises(ccxt.BadSymbol, match="109425"):
            await client.swapV3PublicGetQuoteKlines({"symbol": "NOPE-USDT", "interval": "1m"})
        with pytest.raises(ccxt.BadRequest, match="symbol is not found"):
            await client.spotV1PublicGetMarketKline({"symbol": "NOPE-USDT", "interval": "1m"})
        with pytest.raises(ccxt.BadRequest, match="109400"):
            await client.swapV3PublicGetQuoteKlines({"symbol": "BTC-USDT", "interval": "1x"})


async def test_ccxt_takes_a_refusal_for_a_passing_failure() -> None:
    """ccxt reads the code before the status, and 100410 as OperationFailed, RateLimitExceeded's base."""
    async with simulator_of(BingxRules(limit=1)) as simulator, client_of(simulator) as client:
        await client.fetch_ohlcv(SWAP, limit=1)
        with pytest.raises(ccxt.OperationFailed, match="100410"):
            await client.fetch_ohlcv(SWAP, limit=1)
        assert simulator.requests[-1].status == 429
        assert issubclass(ccxt.RateLimitExceeded, ccxt.OperationFailed)


@pytest.mark.parametrize(
    ("forced", "error"),
    [
        (100410, ccxt.OperationFailed),
        (100500, ccxt.OperationFailed),
        (109400, ccxt.BadRequest),
        (502, ccxt.ExchangeNotAvailable),
    ],
)
async def test_ccxt_understands_forced_errors(forced: int, error: type[Exception]) -> None:
    async with simulator_of() as simulator, client_of(simulator) as client:
        await client.load_markets()
        simulator.faults.forced = Forced(forced)
        with pytest.raises(error):
            await client.fetch_ohlcv(SWAP)
