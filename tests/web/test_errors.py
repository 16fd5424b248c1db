"""Answers that do not depend on what is stored: routes, methods, faults of our own, broken streams."""

from __future__ import annotations

import asyncio

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httpclient import HTTPClientError
from tornado.testing import ExpectLog

from backend.core.candles import Candle
from backend.core.columns import columns_of
from backend.core.coverage import Coverage
from backend.core.selection import Selection
from backend.core.series import Series
from backend.errors import DatabaseUnavailable
from backend.services.reading.bars import Bars
from backend.services.reading.queries import Queries
from backend.services.reading.validators import OpenSelection
from backend.services.service import Service
from tests.figures import scrape
from tests.web.client import error_code, get, send


@pytest.mark.parametrize("path", ["/u", "/api", "/api/nothing", "/healthy", "/api/sync/BTCUSDT"])
async def test_an_unknown_route_is_404(http_server_client: AsyncHTTPServerClient, path: str) -> None:
    reply = await get(http_server_client, path)
    assert (reply.status, error_code(reply)) == (404, "unknown_route")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/sync", "POST"),
        ("DELETE", "/api/sync", "POST"),
        ("DELETE", "/api/data/BTCUSDT", "GET, HEAD"),
        ("OPTIONS", "/health", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_405_and_names_the_right_one(
    http_server_client: AsyncHTTPServerClient, method: str, path: str, allowed: str
) -> None:
    reply = await send(http_server_client, path, method=method)
    assert (reply.status, error_code(reply)) == (405, "method_not_allowed")
    assert reply.headers["Allow"] == allowed


class BrokenStore:
    """Answers one batch, then fails: with a deliberate error or with a fault of our own."""

    def __init__(self, error: Exception, batches: int) -> None:
        self._error = error
        self._batches = batches

    async def bars(self) -> Bars:
        for number in range(self._batches):
            yield columns_of([Candle(number * 60_000, 1.0, 1.0, 1.0, 1.0, 1.0)])
        raise self._error


class BrokenQueries(Queries):
    def __init__(self, error: Exception, batches: int) -> None:
        self._store = BrokenStore(error, batches)

    async def open(self, series: Series, wanted: Selection) -> OpenSelection:
        return OpenSelection(series, wanted, Coverage())

    async def validator(self, _opened: OpenSelection) -> None:
        return None

    def read(self, _opened: OpenSelection) -> Bars:
        return self._store.bars()


def broken(service: Service, error: Exception, batches: int) -> None:
    object.__setattr__(service.reading, "queries", BrokenQueries(error, batches))


async def test_a_fault_of_our_own_is_500_without_a_traceback(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    broken(service, RuntimeError("secret detail"), batches=0)
    with ExpectLog("tornado.application", "Uncaught exception"):
        reply = await get(http_server_client, "/api/data/BTCUSDT")
    assert (reply.status, error_code(reply)) == (500, "internal_error")
    assert "secret" not in str(reply.body)


async def test_a_database_that_fails_before_the_first_row_is_503(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    broken(service, DatabaseUnavailable("away"), batches=0)
    reply = await get(http_server_client, "/api/data/BTCUSDT")
    assert (reply.status, error_code(reply)) == (503, "database_unavailable")


async def test_an_answer_that_breaks_in_the_middle_cannot_pass_for_a_whole_one(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    broken(service, DatabaseUnavailable("away"), batches=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port())
    writer.write(b"GET /api/data/BTCUSDT HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b'"open_time":0' in answer
    assert not answer.endswith(b"0\r\n\r\n")
    assert b'"next"' not in answer


async def test_an_answer_that_breaks_in_the_middle_is_counted_as_cut(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    broken(service, DatabaseUnavailable("away"), batches=1)
    with pytest.raises(HTTPClientError):
        await http_server_client.fetch("/api/data/BTCUSDT", decompress_response=False)
    figures = await scrape(http_server_client)
    told = {"method": "GET", "route": "/api/data/{symbol}"}
    assert figures.value("http_requests_total", **told, status="cut") == 1
    assert figures.value("http_requests_total", **told, status="200") is None


@pytest.mark.parametrize("length", ["\u00b2", "9" * 5000, "-1", "5x", ""])
async def test_a_content_length_that_is_none_is_400(
    http_server_client: AsyncHTTPServerClient, length: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port())
    writer.write(
        f"POST /api/sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode("latin-1")
    )
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    writer.close()
