"""GET /health with a database that is there."""

from __future__ import annotations

from pytest_tornasync.plugin import AsyncHTTPServerClient

from tests.web.client import error_code, get


async def test_with_a_database_the_service_is_healthy(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/health")
    assert reply.status == 200
    assert reply.body == {"status": "healthy", "service": "binance-backend", "database": "connected"}


async def test_it_takes_no_parameters(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/health?verbose=1")
    assert (reply.status, error_code(reply)) == (400, "unknown_parameter")
