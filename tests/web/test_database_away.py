"""What becomes of requests when MongoDB is at an address where nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.app import open_service
from backend.settings import load_settings
from backend.store.mongo import AWAY
from backend.web.routes import make_application
from tests.web.client import error_code, get, post


@pytest.fixture
def seconds() -> str:
    """How long an operation waits for the database."""
    return "0.5"


@pytest.fixture
def app(seconds: str, io_loop: IOLoop) -> Iterator[Application]:
    """A service that never finds its database."""
    stack = AsyncExitStack()
    settings = load_settings({"MONGODB_URI": "mongodb://127.0.0.1:1/", "DATABASE_TIMEOUT": seconds})
    service = io_loop.run_sync(lambda: stack.enter_async_context(open_service(settings)))
    yield make_application(service)
    io_loop.run_sync(stack.aclose)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("seconds", ["3"])
async def test_health_says_so_long_before_a_reader_is_told(http_server_client: AsyncHTTPServerClient) -> None:
    reading = asyncio.create_task(get(http_server_client, "/api/stats/BTCUSDT"))
    reply = await get(http_server_client, "/health")
    assert not reading.done()
    reading.cancel()
    assert reply.status == 503
    assert reply.body == {"status": "unhealthy", "service": "binance-backend", "database": "disconnected"}


async def test_the_process_is_alive_but_not_ready(http_server_client: AsyncHTTPServerClient) -> None:
    assert (await get(http_server_client, "/health/live")).status == 200
    reply = await get(http_server_client, "/health/ready")
    assert reply.status == 503
    assert reply.body == {
        "status": "not_ready",
        "database": "disconnected",
        "worker": "running",
        "troubles": [AWAY],
    }


@pytest.mark.parametrize("path", ["/api/data/BTCUSDT", "/api/stats/BTCUSDT"])
async def test_reading_is_503(http_server_client: AsyncHTTPServerClient, path: str) -> None:
    reply = await get(http_server_client, path)
    assert (reply.status, error_code(reply)) == (503, "database_unavailable")


@pytest.mark.parametrize(
    ("path", "status", "name", "code"),
    [
        ("/binance/api/v3/klines?symbol=BTCUSDT&interval=1m", 503, "code", -1001),
        ("/binance/fapi/v1/exchangeInfo", 503, "code", -1001),
        ("/bitget/api/v2/spot/market/candles?symbol=BTCUSDT&granularity=1min", 503, "code", "40015"),
        ("/bingx/openApi/swap/v3/quote/klines?symbol=BTC-USDT&interval=1m", 200, "code", 100500),
        ("/bingx/openApi/spot/v1/common/symbols", 200, "code", 100500),
        ("/udf/history?symbol=BTCUSDT&resolution=1&from=0&to=1", 503, "s", "error"),
    ],
)
async def test_bots_are_told_to_try_again_in_the_words_they_know(
    http_server_client: AsyncHTTPServerClient, path: str, status: int, name: str, code: object
) -> None:
    reply = await get(http_server_client, path)
    assert (reply.status, reply.body[name]) == (status, code)


async def test_syncing_is_503(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (reply.status, error_code(reply)) == (503, "database_unavailable")
