"""ccxt, pointed at the service by its `urls`, reads from the store what it would read from six markets."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import ccxt.async_support as ccxt
import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.store.mongo import Database
from tests.fakes import minute
from tests.integration.shelf import END, LISTED, MARKETS, STEPS, Shelf, bars, fill, shelf

SYMBOLS = {"spot": "BTC/USDT", "perpetual": "BTC/USDT:USDT"}
ALL = pytest.mark.parametrize(("exchange", "market"), MARKETS)
INTERVALS = pytest.mark.parametrize("interval", ["1m", "5m", "1h", "1d"])
PRINT = """
import json
print(json.dumps([candles, *(list(venue.load_markets()) for venue in (binance, bitget, bingx))]))
"""
BINANCE = {
    "public": "api/v3",
    "fapiPublic": "fapi/v1",
    "fapiPublicV2": "fapi/v2",
    "dapiPublic": "dapi/v1",
}
"""ccxt's names of Binance's interfaces. At the other venues all addresses are the same."""


class YoungBitget(ccxt.bitget):  # type: ignore[misc]
    """ccxt's Bitget half a minute after the last stored candle."""

    def milliseconds(self) -> int:
        return minute(END) + MINUTE // 2


@asynccontextmanager
async def client_of(url: str, exchange: str, kind: Any = None) -> AsyncIterator[Any]:
    """ccxt as a user would set it up: nothing but the addresses is changed."""
    client = (kind or getattr(ccxt, exchange))({"enableRateLimit": False})
    if exchange == "binance":
        client.urls["api"].update({name: f"{url}/binance/{path}" for name, path in BINANCE.items()})
    else:
        root = f"{url}/bingx/openApi" if exchange == "bingx" else f"{url}/bitget"
        client.urls["api"] = dict.fromkeys(client.urls["api"], root)
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
def url(http_server_client: AsyncHTTPServerClient, http_server_port: tuple[Any, int]) -> str:
    assert http_server_client
    return f"http://127.0.0.1:{http_server_port[1]}"


async def filled(database: Database, exchange: str, market: str) -> Shelf:
    found = shelf(Series(exchange, market, "BTCUSDT"))
    await fill(database, [found])
    return found


async def paged(client: Any, symbol: str, interval: str, size: int) -> list[tuple[float, ...]]:
    """Everything, in windows of `size` candles one after the other, across holes and beyond the end."""
    step = STEPS[interval] * MINUTE
    rows: list[tuple[float, ...]] = []
    for since in range(minute(0), minute(END) + step, size * step):
        page = await client.fetch_ohlcv(symbol, interval, since, size, {"until": since + size * step})
        rows += [tuple(row) for row in page if since <= row[0] < since + size * step]
    return rows


@ALL
@INTERVALS
async def test_ccxt_pages_what_is_stored(
    database: Database, url: str, exchange: str, market: str, interval: str
) -> None:
    stored = await filled(database, exchange, market)
    async with client_of(url, exchange) as client:
        rows = await paged(client, SYMBOLS[market], interval, 200 if interval == "1m" else 50)
    assert rows == [pytest.approx(bar, rel=1e-12) for bar in bars(stored, interval)]
    if interval == "1m":
        assert rows == bars(stored, interval)


@ALL
async def test_ccxt_loads_the_markets_that_are_stored(
    database: Database, url: str, exchange: str, market: str
) -> None:
    await filled(database, exchange, market)
    async with client_of(url, exchange) as client:
        markets = await client.load_markets()
    assert list(markets) == [SYMBOLS[market]]
    found = markets[SYMBOLS[market]]
    assert (found["base"], found["quote"], found["active"]) == ("BTC", "USDT", True)
    assert (found["spot"], found["swap"]) == (market == "spot", market == "perpetual")
    assert found["precision"] == {**found["precision"], "price": 1e-8, "amount": 1e-5}


@pytest.mark.parametrize("market", SYMBOLS)
async def test_binance_is_paged_by_the_last_candle(database: Database, url: str, market: str) -> None:
    """The loop of ccxt's own manual: a page begins where the last one ended, until nothing comes."""
    stored = await filled(database, "binance", market)
    rows: list[tuple[float, ...]] = []
    async with client_of(url, "binance") as client:
        since = minute(0)
        while page := await client.fetch_ohlcv(SYMBOLS[market], "1m", since, 1000):
            rows += [tuple(row) for row in page]
            since = page[-1][0] + 1
    assert rows == bars(stored, "1m")


@ALL
async def test_without_a_beginning_the_newest_candles_come(
    database: Database, url: str, exchange: str, market: str
) -> None:
    stored = await filled(database, exchange, market)
    async with client_of(url, exchange) as client:
        minutes_ = await client.fetch_ohlcv(SYMBOLS[market], "1m", limit=5)
        hours = await client.fetch_ohlcv(SYMBOLS[market], "1h", limit=5)
    assert [tuple(row) for row in minutes_] == bars(stored, "1m")[-5:]
    assert [row[0] for row in hours] == [bar[0] for bar in bars(stored, "1h")[-5:]]


@pytest.mark.parametrize("market", SYMBOLS)
async def test_bitgets_recent_endpoint_is_read_when_candles_are_young(
    database: Database, url: str, market: str
) -> None:
    """ccxt takes the other endpoint then, with larger pages."""
    stored = await filled(database, "bitget", market)
    async with client_of(url, "bitget", YoungBitget) as client:
        rows = await paged(client, SYMBOLS[market], "1m", 1000)
    assert rows == bars(stored, "1m")


@ALL
async def test_ccxt_reads_the_time(url: str, exchange: str, market: str) -> None:
    async with client_of(url, exchange) as client:
        now = await client.fetch_time(params={"type": "spot" if market == "spot" else "swap"})
        assert abs(now - client.milliseconds()) < 60 * MINUTE


@pytest.mark.parametrize("market", SYMBOLS)
async def test_ccxt_reads_binances_tickers(database: Database, url: str, market: str) -> None:
    stored = await filled(database, "binance", market)
    day = [bar for bar in bars(stored, "1m") if bar[0] >= minute(END - 1440)]
    async with client_of(url, "binance") as client:
        ticker = await client.fetch_ticker(SYMBOLS[market])
        prices = await client.fetch_last_prices([SYMBOLS[market]])
    assert (ticker["open"], ticker["last"]) == (day[0][1], day[-1][4])
    assert (ticker["high"], ticker["low"]) == (max(bar[2] for bar in day), min(bar[3] for bar in day))
    assert ticker["baseVolume"] == pytest.approx(sum(bar[5] for bar in day))
    assert ticker["timestamp"] == minute(END) - 1
    assert prices[SYMBOLS[market]]["price"] == day[-1][4]


async def test_when_a_contract_was_listed_is_told(database: Database, url: str) -> None:
    await filled(database, "binance", "perpetual")
    async with client_of(url, "binance") as client:
        market = (await client.load_markets())[SYMBOLS["perpetual"]]
    assert market["created"] == minute(LISTED)


async def test_the_guides_example_runs(database: Database, url: str) -> None:
    stored = await filled(database, "binance", "spot")
    guide = (Path(__file__).parents[2] / "docs/guide/bots.md").read_text()
    example = guide.partition("```python\nimport ccxt\n")[2].partition("```")[0]
    program = "import ccxt\n" + example.replace("http://localhost:8888", url) + PRINT
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    candles, *markets = json.loads(told)
    assert [row[0] for row in candles] == [bar[0] for bar in bars(stored, "1h")]
    assert markets == [["BTC/USDT"], [], []]
