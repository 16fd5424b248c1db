"""HEAD: the status and headers of GET on every route, no body, and none of its work where that is long."""

from __future__ import annotations

import asyncio

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.policy import Access, is_open
from backend.core.windows import MINUTE
from backend.services.service import Service
from backend.store.mongo import Database
from backend.web.routes import make_application
from tests.web.stored import SERIES, START, candle, store
from tests.web.walking import ENDLESS, methods, routes

READER = "reader-0123456789"
CHANGING = {"Date", "X-Request-Id", "Etag", "Content-Length", "Transfer-Encoding"}
"""Headers that differ from one GET to the next where figures or clocks do, or that say how a body is sent."""


@pytest.fixture
def access() -> Access:
    """Tests that want other access parametrize this by name."""
    return Access()


@pytest.fixture
def app(service: Service, access: Access) -> Application:
    return make_application(service, access=access)


@pytest.fixture(autouse=True)
def stored(database: Database, io_loop: IOLoop) -> None:
    io_loop.run_sync(lambda: store(database, [candle(n) for n in range(600)]))


@pytest.mark.parametrize("name", ["BTCUSDT", "x", "binance"])
async def test_every_route_answers_head_as_it_answers_get(
    http_server_client: AsyncHTTPServerClient, app: Application, name: str
) -> None:
    for path, handler in routes(app, name):
        if path in ENDLESS:
            continue
        answers = [
            await http_server_client.fetch(path, method=method, raise_error=False)
            for method in ("GET", "HEAD")
        ]
        get, head = (
            {key: value for key, value in one.headers.get_all() if key not in CHANGING} for one in answers
        )
        if "GET" in methods(handler):
            assert (answers[1].code, head) == (answers[0].code, get), path
        else:
            assert (answers[1].code, head["Allow"]) == (405, get["Allow"]), path
        assert answers[1].body == b"", path


@pytest.mark.parametrize("path", ["/health/live", "/openapi.json", "/docs", "/api/data/BTC$", "/nothing"])
async def test_the_length_of_a_short_body_is_told(
    http_server_client: AsyncHTTPServerClient, path: str
) -> None:
    get = await http_server_client.fetch(path, raise_error=False)
    head = await http_server_client.fetch(path, method="HEAD", raise_error=False)
    assert int(head.headers["Content-Length"]) == len(get.body) > 0


async def test_an_address_that_takes_get_says_so(http_server_client: AsyncHTTPServerClient) -> None:
    for path, allowed in (
        ("/health", "GET, HEAD"),
        ("/api/sync", "POST"),
        ("/api/jobs/x", "GET, HEAD, DELETE"),
    ):
        answer = await http_server_client.fetch(
            path, method="PATCH", allow_nonstandard_methods=True, raise_error=False
        )
        assert (answer.code, answer.headers["Allow"]) == (405, allowed)


async def test_of_a_known_answer_head_says_that_it_is_known(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    path = f"/api/data/BTCUSDT?start_time={START}&end_time={START + 599 * MINUTE}"
    tag = (await http_server_client.fetch(path)).headers["Etag"]
    head = await http_server_client.fetch(path, method="HEAD")
    assert head.headers["Etag"] == tag
    known = await http_server_client.fetch(
        path, method="HEAD", headers={"If-None-Match": tag}, raise_error=False
    )
    assert known.code == 304


@pytest.mark.parametrize("format", ["json", "columns", "csv", "arrow", "ndjson"])
async def test_for_a_head_no_candle_is_read(
    http_server_client: AsyncHTTPServerClient, database: Database, format: str
) -> None:
    """Who reads candles that are gone raises a doubt, which changes the tag."""
    path = f"/api/data/BTCUSDT?start_time={START}&end_time={START + 599 * MINUTE}&format={format}"
    await database[SERIES.name].drop()
    tags = [(await http_server_client.fetch(path, method="HEAD")).headers["Etag"] for _ in range(2)]
    assert tags[0] == tags[1]
    await http_server_client.fetch(path)
    assert (await http_server_client.fetch(path, method="HEAD")).headers["Etag"] != tags[0]


async def test_a_stream_that_is_only_asked_about_is_over_at_once(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    asked = http_server_client.fetch("/api/stream?series=binance:spot:BTCUSDT", method="HEAD")
    head = await asyncio.wait_for(asked, 60)
    assert head.headers["Content-Type"] == "text/event-stream"
    assert service.streaming.feeds.ledger_watch.streams == 0


@pytest.mark.parametrize("upgrade", [{}, {"Upgrade": "websocket", "Connection": "upgrade"}])
async def test_a_connection_goes_on_after_a_head(
    http_server_client: AsyncHTTPServerClient, upgrade: dict[str, str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port())
    more = "".join(f"{name}: {value}\r\n" for name, value in upgrade.items())
    for path in ("/api/stream?series=binance:spot:BTCUSDT", "/api/data/BTCUSDT", "/health"):
        writer.write(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert head.startswith(b"HTTP/1.1 200 OK\r\n"), path
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("access", [Access(keys=read_keys(f"bot:{READER}:read"))])
async def test_head_needs_the_key_that_get_needs(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    for path, handler in routes(app):
        if "GET" in methods(handler) and not is_open(path):
            for headers, refused in (({}, True), ({"X-Api-Key": READER}, False)):
                answer = await http_server_client.fetch(
                    path, method="HEAD", headers=headers, raise_error=False
                )
                assert (answer.code == 401) is refused, path
