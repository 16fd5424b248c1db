"""SYNC_ON_READ: what a bot's read finds missing is fetched first, for as long as a bot waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.app import open_service
from backend.clock import Clock
from backend.core.windows import MINUTE
from backend.services.service import Service
from backend.settings import Settings
from tests.conftest import NOW
from tests.simulator import Forced, Simulator
from tests.web.client import Reply, get, post

CLOSED = NOW - NOW % MINUTE
MARKETS = {
    "binance": "/binance/api/v3/klines?symbol={base}USDT&interval=1m",
    "bitget": "/bitget/api/v2/spot/market/candles?symbol={base}USDT&granularity=1min",
    "bingx": "/bingx/openApi/swap/v3/quote/klines?symbol={base}-USDT&interval=1m",
}
EARLY_END = CLOSED - 600 * MINUTE
EARLY = {"symbol": "BTCUSDT", "end_time": EARLY_END}
REFUSED = Forced(451, count=1000)
ALL = pytest.mark.parametrize("exchange", MARKETS)


@pytest.fixture
def service(settings: Settings, clock: Clock, io_loop: IOLoop) -> Iterator[Service]:
    """A service that syncs on reads."""
    stack = AsyncExitStack()
    syncing = replace(settings, sync_on_read=True)
    yield io_loop.run_sync(lambda: stack.enter_async_context(open_service(syncing, clock)))
    io_loop.run_sync(stack.aclose)


async def read(client: AsyncHTTPServerClient, exchange: str, base: str = "BTC", more: str = "") -> Reply:
    return await get(client, MARKETS[exchange].format(base=base) + more)


def rows_of(reply: Reply) -> list[Any]:
    rows: list[Any] = reply.body if isinstance(reply.body, list) else reply.body["data"]
    return rows


@ALL
async def test_a_symbol_that_is_not_stored_is_synced_first(
    http_server_client: AsyncHTTPServerClient, exchange: str
) -> None:
    reply = await read(http_server_client, exchange)
    assert (reply.status, reply.headers["X-Series"]) == (200, "stored")
    assert len(rows_of(reply)) == {"binance": 500, "bitget": 100, "bingx": 500}[exchange]
    assert "X-Sync" not in reply.headers


async def test_what_is_missing_at_the_end_is_fetched_and_what_is_known_is_not_asked_for_again(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await post(http_server_client, "/api/sync", EARLY)
    asked = len(simulator.requests)
    known = await read(http_server_client, "binance", more=f"&endTime={EARLY_END}&limit=1")
    assert (rows_of(known)[0][0], len(simulator.requests)) == (EARLY_END, asked)
    newest = await read(http_server_client, "binance", more="&limit=1")
    assert rows_of(newest)[0][0] == CLOSED - MINUTE
    assert len(simulator.requests) > asked


@pytest.mark.parametrize(
    ("exchange", "status", "code"),
    [("binance", 400, -1121), ("bitget", 400, "40034"), ("bingx", 200, 109425)],
)
async def test_a_symbol_that_the_exchange_does_not_list_is_refused_in_its_words(
    http_server_client: AsyncHTTPServerClient, exchange: str, status: int, code: object
) -> None:
    reply = await read(http_server_client, exchange, "NOPE")
    assert (reply.status, reply.body["code"]) == (status, code)


async def test_an_exchange_that_refuses_leaves_what_is_stored(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await post(http_server_client, "/api/sync", EARLY)
    simulator.faults.forced = REFUSED
    reply = await read(http_server_client, "binance")
    assert (reply.status, rows_of(reply)[-1][0]) == (200, EARLY_END)
    assert reply.headers["X-Sync"] == "region_blocked"
    never = await read(http_server_client, "bitget")
    assert (never.status, rows_of(never), never.headers["X-Series"]) == (200, [], "not stored")
    assert never.headers["X-Sync"] == "region_blocked"


async def test_the_listing_is_the_exchanges_own(http_server_client: AsyncHTTPServerClient) -> None:
    body = (await get(http_server_client, "/binance/api/v3/exchangeInfo")).body
    assert {"BTCUSDT", "ETHUSDT"} <= {each["symbol"] for each in body["symbols"]}


async def test_a_list_of_tickers_is_of_what_is_stored_and_asks_nobody(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await post(http_server_client, "/api/sync", EARLY)
    asked = len(simulator.requests)
    listed = await get(http_server_client, "/binance/api/v3/ticker/price")
    assert ([each["symbol"] for each in listed.body], len(simulator.requests)) == (["BTCUSDT"], asked)
    one = await get(http_server_client, "/binance/api/v3/ticker/price?symbol=BTCUSDT")
    assert (one.body["symbol"], len(simulator.requests) > asked) == ("BTCUSDT", True)
    several = await get(http_server_client, "/binance/api/v3/ticker/price?symbols=%5B%22ETHUSDT%22%5D")
    assert (several.status, several.body["code"]) == (400, -1121)


async def test_without_the_exchange_the_listing_is_what_is_stored(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.forced = REFUSED
    body = (await get(http_server_client, "/binance/api/v3/exchangeInfo")).body
    assert body["symbols"] == []
