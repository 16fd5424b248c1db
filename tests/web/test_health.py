"""GET /health, and what becomes of requests when the database is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.app import open_service
from backend.settings import load_settings
from backend.web.app import make_application
from tests.web.client import error_code, get, post


async def test_with_a_database_the_service_is_healthy(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/health")
    assert reply.status == 200
    assert reply.body == {"status": "healthy", "service": "binance-backend", "database": "connected"}


@pytest.fixture
def app_without_database(io_loop: IOLoop) -> Iterator[Application]:
    """A service whose MongoDB is an address where nobody listens."""
    stack = AsyncExitStack()
    settings = load_settings({"MONGODB_URI": "mongodb://127.0.0.1:1/", "DATABASE_TIMEOUT": "0.5"})
    service = io_loop.run_sync(lambda: stack.enter_async_context(open_service(settings)))
    yield make_application(service)
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def lonely_client(app_without_database: Application, request: pytest.FixtureRequest) -> AsyncHTTPServerClient:
    request.config.option.app_fixture = "app_without_database"
    client: AsyncHTTPServerClient = request.getfixturevalue("http_server_client")
    request.config.option.app_fixture = "app"
    return client


async def test_without_a_database_it_says_so_within_two_seconds(
    lonely_client: AsyncHTTPServerClient,
) -> None:
    began = time.monotonic()
    reply = await get(lonely_client, "/health")
    assert time.monotonic() - began < 2
    assert reply.status == 503
    assert reply.body == {"status": "unhealthy", "service": "binance-backend", "database": "disconnected"}


@pytest.mark.parametrize("path", ["/api/data/BTCUSDT", "/api/stats/BTCUSDT"])
async def test_without_a_database_reading_is_503(lonely_client: AsyncHTTPServerClient, path: str) -> None:
    reply = await get(lonely_client, path)
    assert (reply.status, error_code(reply)) == (503, "database_unavailable")


async def test_without_a_database_syncing_is_503(lonely_client: AsyncHTTPServerClient) -> None:
    reply = await post(lonely_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (reply.status, error_code(reply)) == (503, "database_unavailable")
