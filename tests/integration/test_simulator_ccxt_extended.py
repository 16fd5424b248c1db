"""Extended in the simulator as the ccxt library sees it, a client that was written without it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.simulator import ExtendedRules, Faults, Quirks, Simulator, SimulatorClock
from tests.simulator.times import MINUTE, parse_instant

ccxt = pytest.importorskip("ccxt.async_support")
pytestmark = pytest.mark.skipif(not hasattr(ccxt, "extended"), reason="this ccxt does not know Extended")

NOON = parse_instant("2025-06-03T12:00Z")
SYMBOL = "BTC/USDC:USDC"


def simulator_of(rules: ExtendedRules | None = None) -> Simulator:
    faults = Faults(quirks=Quirks(extended=rules or ExtendedRules()))
    return Simulator(clock=SimulatorClock(NOON + 30_000, frozen=True), faults=faults)


@asynccontextmanager
async def client_of(simulator: Simulator) -> AsyncIterator[Any]:
    client = ccxt.extended({"enableRateLimit": False})
    client.urls["api"] = {"rest": simulator.url}
    try:
        yield client
    finally:
        await client.close()


async def test_ccxt_loads_the_markets() -> None:
    async with simulator_of() as simulator, client_of(simulator) as client:
        market = (await client.load_markets())[SYMBOL]
    assert (market["id"], market["active"], market["linear"]) == ("BTC-USD", True, True)
    assert (market["precision"]["amount"], market["precision"]["price"]) == (0.001, 0.01)


async def test_ccxt_reads_pages_that_equal_the_history() -> None:
    start, end = NOON - 2000 * MINUTE, NOON - 1
    rows: list[tuple[float, ...]] = []
    async with simulator_of() as simulator, client_of(simulator) as client:
        while end >= start:
            page = await client.fetch_ohlcv(SYMBOL, "1m", limit=900, params={"until": end})
            rows = [tuple(map(float, row)) for row in page] + rows
            end = page[0][0] - 1
        history = simulator.history("BTCUSD", int(rows[0][0]), NOON, "extended", "perpetual")
    assert len(rows) == 2700
    assert rows == [tuple(map(float, row[:6])) for row in history]


async def test_ccxt_does_not_take_a_short_page_for_the_beginning() -> None:
    async with simulator_of() as simulator, client_of(simulator) as client:
        page = await client.fetch_ohlcv(SYMBOL, "1m", limit=10_000)
        before = await client.fetch_ohlcv(SYMBOL, "1m", limit=1, params={"until": page[0][0] - 1})
    assert (len(page), before[0][0]) == (2800, page[0][0] - MINUTE)


async def test_ccxt_knows_an_unknown_symbol_by_the_listing_and_by_the_answer() -> None:
    path = {"market": "NOPE-USD", "candleType": "trades", "interval": "PT1M", "limit": 1}
    async with simulator_of() as simulator, client_of(simulator) as client:
        with pytest.raises(ccxt.BadSymbol):
            await client.fetch_ohlcv("NOPE/USDC:USDC")
        with pytest.raises(ccxt.ExchangeError, match="1001"):
            await client.v1PublicGetInfoCandlesMarketCandleType(path)


async def test_ccxt_takes_a_refusal_for_an_error_of_the_exchange() -> None:
    """ccxt reads the error object before the status, and has no class for its code."""
    async with simulator_of(ExtendedRules(limit=3)) as simulator, client_of(simulator) as client:
        await client.load_markets()
        await client.fetch_ohlcv(SYMBOL)
        with pytest.raises(ccxt.ExchangeError, match="Rate limit exceeded"):
            await client.fetch_ohlcv(SYMBOL)
        assert simulator.requests[-1].status == 429
