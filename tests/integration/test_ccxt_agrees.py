"""What ccxt, a client that nobody here wrote, reads from an exchange equals what the service stored of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from backend.core.series import Series
from backend.services.service import Service
from backend.settings import Settings
from tests.integration.stored import stored_documents
from tests.integration.test_simulator_ccxt_binance_bitget import NOW, pointed_at
from tests.integration.test_simulator_ccxt_bingx import client_of
from tests.simulator import Simulator, SimulatorClock
from tests.simulator.times import MINUTE
from tests.syncing import sync

MARKETS = [
    (exchange, market) for exchange in ("binance", "bitget", "bingx") for market in ("spot", "perpetual")
]
SYMBOLS = {"spot": "BTC/USDT", "perpetual": "BTC/USDT:USDT"}
COUNT = 450


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges without rate limits at the moment that the ccxt clients take for now."""
    simulated = Simulator(clock=SimulatorClock(NOW, frozen=True), limits=False)
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.mark.parametrize(("exchange", "market"), MARKETS)
async def test_ccxt_reads_what_the_service_stored(
    service: Service, simulator: Simulator, settings: Settings, exchange: str, market: str
) -> None:
    end = NOW - NOW % MINUTE
    start = end - COUNT * MINUTE
    series = Series(exchange, market, "BTCUSDT")
    result = await sync(service, series, start, end)
    assert result.tally.new_records == COUNT
    stored = [
        tuple(document[name] for name in ("_id", "open", "high", "low", "close", "volume"))
        for document in stored_documents(settings.mongodb_uri, settings.mongodb_database, series.name)
    ]
    assert await _read_by_ccxt(simulator, exchange, SYMBOLS[market], start, end) == stored


async def _read_by_ccxt(
    simulator: Simulator, exchange: str, symbol: str, start: int, end: int
) -> list[tuple[float, ...]]:
    if exchange == "bingx":
        async with client_of(simulator) as client:
            rows = await client.fetch_ohlcv(symbol, "1m", start, COUNT, {"until": end})
    else:
        client = pointed_at(simulator.url, exchange)
        try:
            rows = await client.fetch_ohlcv(symbol, "1m", start, COUNT)
        finally:
            await client.close()
    return [tuple(row) for row in rows if start <= row[0] < end]
