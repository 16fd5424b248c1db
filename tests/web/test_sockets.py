"""`/api/stream` as a WebSocket: the same candles as the events, and manners towards all kinds of clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.networks import read_networks
from backend.access.origins import read_origins
from backend.access.policy import Access
from backend.clock import Clock
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.errors import DatabaseUnavailable
from backend.services.service import Service
from backend.services.streaming.feed import Feeds
from backend.web.routes import make_application
from backend.web.streams.websocket import LARGEST_MESSAGE
from tests.conftest import NOW
from tests.fakes import MemoryCandles, MemoryCoverage
from tests.figures import scrape
from tests.following import PACE, HandClock, until, until_complete
from tests.simulator import Simulator, SimulatorClock
from tests.sockets import HANDSHAKE, TEXT, connected, raw_socket
from tests.web.client import Reply, error_code, get, send

CLOSED = NOW - NOW % MINUTE
SINCE = CLOSED - 20 * MINUTE
BTC, ETH = Series("binance", "spot", "BTCUSDT"), Series("bitget", "perpetual", "ETHUSDT")
ONE = "series=binance:spot:BTCUSDT"
BOTH = "series=binance:spot:BTCUSDT,bitget:perpetual:ETHUSDT"
KEY = "reader-0123456789"
PAGE = "https://charts.example.com"

pytestmark = pytest.mark.usefixtures("app")
"""Named, so that tests can parametrize what is behind it."""


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges whose clock hurries."""
    simulated = Simulator(clock=SimulatorClock(NOW, speed=PACE), limits=False)
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    return HandClock(simulator)


async def follow(service: Service, simulator: Simulator, *series: Series, since: int = SINCE) -> None:
    await service.following.follows.add(list(series), since)
    await until_complete(service, simulator)


async def try_to_open(client: AsyncHTTPServerClient, query: str, **headers: str) -> Reply:
    """The answer to a handshake that is refused."""
    named = HANDSHAKE | {name.replace("_", "-"): value for name, value in headers.items()}
    return await send(client, f"/api/stream?{query}", headers=named)


async def until_nobody_listens(service: Service) -> None:
    async def nobody() -> bool:
        return service.streaming.feeds.ledger_watch.streams == 0

    await until(nobody)


@pytest.mark.parametrize("place", ["header", "query"])
async def test_a_client_that_reconnects_sees_each_closed_candle_exactly_once(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator, place: str
) -> None:
    await follow(service, simulator, BTC, ETH)
    seen: list[dict[str, Any]] = []
    for pieces in (7, 40, 1, 12):
        last = seen[-1]["id"] if seen else ""
        query = f"{BOTH}&since={SINCE}" + (f"&last_event_id={last}" if place == "query" else "")
        headers = {"Last_Event_ID": last} if place == "header" else {}
        async with connected(http_server_client, query, **headers) as socket:
            simulator.clock.advance(5 * MINUTE)
            seen += await socket.messages(pieces)
    assert {message["event"] for message in seen} == {"candle"}
    for series in (BTC, ETH):
        name = f"{series.exchange}:{series.market}:{series.symbol}"
        told = [message["data"] for message in seen if message["data"]["series"] == name]
        end = told[-1]["open_time"] + MINUTE
        rows = simulator.history(series.symbol, SINCE, end, venue=series.exchange, market=series.market)
        assert [(one["open_time"], one["close"]) for one in told] == [(row[0], row[4]) for row in rows]


@pytest.mark.parametrize("interval", ["1m", "5m"])
async def test_both_forms_tell_the_same(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator, interval: str
) -> None:
    await follow(service, simulator, BTC)
    query = f"{ONE}&interval={interval}&since={SINCE}"
    async with connected(http_server_client, query) as socket:
        found = await socket.messages(4)
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port())
    writer.write(f"GET /api/stream?{query} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    for message in found:
        text = (await asyncio.wait_for(reader.readuntil(b"\n\n"), 60)).decode()
        while not text.startswith("id: "):
            text = (await asyncio.wait_for(reader.readuntil(b"\n\n"), 60)).decode()
        identity, name, data = text.strip().split("\n")
        assert (identity, name) == (f"id: {message['id']}", f"event: {message['event']}")
        assert json.loads(data.removeprefix("data: ")) == message["data"]
    writer.close()
    await writer.wait_closed()


# What is refused before there is a socket


BAD = {
    "no series": ("", "missing_series"),
    "unknown exchange": ("series=nasdaq:spot:AAPL", "unknown_exchange"),
    "misspelt": (f"{ONE}&from=0", "unknown_parameter"),
    "a foreign id": (f"{ONE}&last_event_id=00000000.1.1", "invalid_last_event_id"),
    "neither true nor false": (f"{ONE}&forming=yes", "invalid_forming"),
}


@pytest.mark.parametrize(("query", "code"), BAD.values(), ids=BAD.keys())
async def test_what_makes_no_sense_is_refused_in_http(
    http_server_client: AsyncHTTPServerClient, query: str, code: str
) -> None:
    reply = await try_to_open(http_server_client, query)
    assert (reply.status, error_code(reply)) == (400, code)


async def test_a_series_that_is_neither_stored_nor_followed_is_not_found(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await try_to_open(http_server_client, ONE)
    assert (reply.status, error_code(reply)) == (404, "not_stored")


@pytest.mark.parametrize(
    "broken", [{"Connection": "close"}, {"Sec-WebSocket-Key": ""}, {"Sec-WebSocket-Version": "12"}]
)
async def test_a_handshake_that_is_none_is_refused(
    http_server_client: AsyncHTTPServerClient, broken: dict[str, str]
) -> None:
    reply = await send(http_server_client, f"/api/stream?{ONE}", headers=HANDSHAKE | broken)
    assert (reply.status, error_code(reply)) == (400, "invalid_request")
    if "Sec-WebSocket-Version" in broken:
        assert reply.headers["Sec-WebSocket-Version"] == "13"


async def test_where_all_places_are_taken_the_next_is_429(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    with ExitStack() as stack:
        for number in range(200):
            stack.enter_context(app.settings["rooms"].streams.place(f"client {number}"))
        socket = await try_to_open(http_server_client, ONE)
        for reply in (socket, await get(http_server_client, f"/api/stream?{ONE}")):
            assert (reply.status, error_code(reply)) == (429, "too_many_streams")
            assert "Retry-After" in reply.headers


class TestBehindTheGuard:
    @pytest.fixture
    def access(self) -> Access:
        return Access()

    @pytest.fixture
    def app(self, service: Service, access: Access) -> Application:
        return make_application(service, access=access)

    @pytest.mark.parametrize("access", [Access(keys=read_keys(f"bot:{KEY}:read"))])
    async def test_a_key_is_sent_as_a_header_and_nowhere_else(
        self, http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
    ) -> None:
        await follow(service, simulator, BTC)
        async with connected(http_server_client, f"{ONE}&since={SINCE}", X_Api_Key=KEY) as socket:
            assert len(await socket.messages(1)) == 1
        reply = await try_to_open(http_server_client, ONE)
        assert (reply.status, error_code(reply)) == (401, "missing_key")
        reply = await try_to_open(http_server_client, f"{ONE}&key={KEY}")
        assert (reply.status, error_code(reply)) == (401, "missing_key")
        reply = await try_to_open(http_server_client, ONE, Authorization="Bearer somebody-elses-key")
        assert (reply.status, error_code(reply)) == (401, "invalid_key")

    @pytest.mark.parametrize("access", [Access(networks=read_networks("10.0.0.0/8"))])
    async def test_an_address_from_elsewhere_is_refused(
        self, http_server_client: AsyncHTTPServerClient
    ) -> None:
        reply = await try_to_open(http_server_client, ONE)
        assert (reply.status, error_code(reply)) == (403, "address_not_allowed")

    @pytest.mark.parametrize("access", [Access(requests_per_minute=1)])
    async def test_it_counts_as_a_request(self, http_server_client: AsyncHTTPServerClient) -> None:
        assert (await try_to_open(http_server_client, ONE)).status == 404
        reply = await try_to_open(http_server_client, ONE)
        assert (reply.status, error_code(reply)) == (429, "too_many_requests")

    @pytest.mark.parametrize("access", [Access(), Access(origins=read_origins("https://other.example"))])
    @pytest.mark.parametrize("told", [{}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}])
    async def test_a_page_of_another_origin_is_refused(
        self, http_server_client: AsyncHTTPServerClient, told: dict[str, str]
    ) -> None:
        reply = await try_to_open(http_server_client, ONE, Origin=PAGE, **told)
        assert (reply.status, error_code(reply)) == (403, "foreign_origin")

    @pytest.mark.parametrize("access", [Access(origins=read_origins(text)) for text in (PAGE, "*")])
    async def test_a_page_that_may_ask_is_served(
        self, http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
    ) -> None:
        await follow(service, simulator, BTC)
        async with connected(http_server_client, f"{ONE}&since={SINCE}", Origin=PAGE) as socket:
            assert len(await socket.messages(1)) == 1

    async def test_a_page_of_the_same_origin_is_served(
        self, http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
    ) -> None:
        await follow(service, simulator, BTC)
        own = f"http://127.0.0.1:{http_server_client.get_http_port()}"
        async with connected(http_server_client, f"{ONE}&since={SINCE}", Origin=own) as socket:
            assert len(await socket.messages(1)) == 1


# How it ends


async def test_what_a_client_says_is_refused(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator, BTC)
    async with connected(http_server_client, ONE) as socket:
        await socket.say('{"op":"subscribe"}')
        code, reason = await socket.closing()
    assert code == 1003
    assert "address" in (reason or "")
    await until_nobody_listens(service)


async def test_a_message_that_is_too_large_is_not_read(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator, BTC)
    async with raw_socket(http_server_client.get_http_port(), ONE) as socket:
        socket.announce(LARGEST_MESSAGE + 1)
        assert (await socket.last_frame()).closing[0] == 1009
    await until_nobody_listens(service)


async def test_the_service_says_that_it_stops(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator, BTC)
    async with connected(http_server_client, ONE) as socket:
        await service.streaming.feeds.ledger_watch.dismiss(30)
        assert service.streaming.feeds.ledger_watch.streams == 0
        assert (await socket.closing())[0] == 1001


async def test_a_socket_that_was_closed_leaves_no_task_and_one_figure(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator, BTC)

    def running() -> set[str]:
        return {getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks()}

    port = http_server_client.get_http_port()
    async with raw_socket(port, f"{ONE}&since={SINCE}") as rude, connected(http_server_client, ONE):
        assert (await rude.frame()).kind == TEXT
        assert "SocketHandler._tell" in running()
    await until_nobody_listens(service)

    async def quiet() -> bool:
        return not {name for name in running() if name.startswith(("SocketHandler", "Event.wait"))} - {
            "Event.wait"
        }

    await until(quiet)
    figures = await scrape(http_server_client)
    assert figures.value("http_requests_total", method="GET", route="/api/stream", status="101") == 2


class TestTroubles:
    @pytest.fixture
    def candles(self) -> MemoryCandles:
        return MemoryCandles()

    @pytest.fixture
    def app(self, service: Service, clock: Clock, candles: MemoryCandles) -> Application:
        """A service whose candles are elsewhere."""
        ledger_watch = service.streaming.feeds.ledger_watch
        feeds = Feeds(
            candles=candles,
            coverage=MemoryCoverage(),
            ledger_watch=ledger_watch,
            clock=clock,
            live=service.streaming.live,
        )
        return make_application(replace(service, streaming=replace(service.streaming, feeds=feeds)))

    async def test_a_client_is_told_to_come_back_when_the_database_is_away(
        self,
        http_server_client: AsyncHTTPServerClient,
        service: Service,
        simulator: Simulator,
        candles: MemoryCandles,
    ) -> None:
        await follow(service, simulator, BTC)
        candles.failure = DatabaseUnavailable("away")
        async with connected(http_server_client, f"{ONE}&since={SINCE}") as socket:
            assert await socket.closing() == (1013, "database_unavailable")

    async def test_a_fault_of_ours_is_told_as_such(
        self,
        http_server_client: AsyncHTTPServerClient,
        service: Service,
        simulator: Simulator,
        candles: MemoryCandles,
    ) -> None:
        await follow(service, simulator, BTC)
        candles.failure = RuntimeError("a bug")  # type: ignore[assignment]
        async with connected(http_server_client, f"{ONE}&since={SINCE}") as socket:
            assert (await socket.closing())[0] == 1011
        await until_nobody_listens(service)
