"""Candles that run on `/api/stream`: beside the closed ones, in both forms, never after them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.web import Application

from backend.clock import Clock
from backend.core.candles import Candle
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.services.following.pushed_candles import LiveCandles
from backend.services.service import Service
from backend.services.streaming.feed import Feeds
from backend.services.venue_ports import StreamListener
from backend.store.market.coverage import MongoCoverage
from backend.store.mongo import Database
from backend.web.routes import make_application
from tests.following import until
from tests.sockets import HANDSHAKE, Socket, connected
from tests.web.client import error_code, get, send
from tests.web.stored import SERIES, START, candle, candle_store, store

ONE = "series=binance:spot:BTCUSDT&forming=true"
FOREIGN = "series=bitget:spot:BTCUSDT&forming=true"


class Sockets:
    """Fits `services.ports.CandleStream`: says what is wanted of it."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()

    def want(self, symbols: Collection[str]) -> None:
        self.wanted = set(symbols)

    def start(self, listener: StreamListener) -> None: ...

    async def stop(self) -> None: ...


@pytest.fixture
def sockets() -> Sockets:
    return Sockets()


@pytest.fixture
def pushed(service: Service, database: Database, sockets: Sockets, clock: Clock) -> Service:
    """The service with sockets of Binance spot, which tests speak for."""
    live = LiveCandles({("binance", "spot"): sockets}, clock)
    coverage, ledger_watch = MongoCoverage(database), service.streaming.feeds.ledger_watch
    feeds = Feeds(
        candles=candle_store(database), coverage=coverage, ledger_watch=ledger_watch, clock=clock, live=live
    )
    return replace(service, streaming=replace(service.streaming, live=live, feeds=feeds))


@pytest.fixture
def app(pushed: Service) -> Application:
    return make_application(pushed)


def told(number: int, close: float) -> Candle:
    """The candle of a minute in a state of its own."""
    return msgspec.structs.replace(candle(number), close=close)


async def next_of(socket: Socket, event: str) -> dict[str, Any]:
    """The next message of this kind."""
    while True:
        [message] = await socket.messages(1)
        if message["event"] == event:
            return message


async def test_the_running_minute_is_told_as_it_changes_and_then_the_closed_one(
    http_server_client: AsyncHTTPServerClient, pushed: Service, database: Database
) -> None:
    await store(database, [candle(number) for number in range(3)])
    async with connected(http_server_client, ONE) as socket:
        pushed.streaming.live.told(SERIES, told(3, 101.5), closed=False)
        first = await next_of(socket, "forming")
        pushed.streaming.live.told(SERIES, told(3, 102.5), closed=False)
        second = await next_of(socket, "forming")
        pushed.streaming.live.told(SERIES, told(3, 103.5), closed=False)
        await store(database, [candle(number) for number in range(4)])
        closed = await next_of(socket, "candle")
        pushed.streaming.live.told(SERIES, told(4, 99.5), closed=False)
        fourth = await next_of(socket, "forming")
    assert [one["data"]["close"] for one in (first, second)] == [101.5, 102.5]
    assert "id" not in first
    assert closed["data"]["open_time"] == first["data"]["open_time"] == START + 3 * MINUTE
    assert closed["data"]["close"] == candle(3).close
    assert set(first["data"]) == set(closed["data"])
    assert fourth["data"]["open_time"] == START + 4 * MINUTE


async def test_a_longer_candle_grows_minute_by_minute(
    http_server_client: AsyncHTTPServerClient, pushed: Service, database: Database
) -> None:
    await store(database, [candle(number) for number in range(7)])
    async with connected(http_server_client, f"{ONE}&interval=5m&since={START}") as socket:
        closed = await next_of(socket, "candle")
        pushed.streaming.live.told(SERIES, told(7, 50.0), closed=False)
        running = (await next_of(socket, "forming"))["data"]
        pushed.streaming.live.told(SERIES, told(8, 60.0), closed=False)
        grown = (await next_of(socket, "forming"))["data"]
    assert (closed["data"]["open_time"], closed["data"]["minutes"]) == (START, 5)
    assert running["open_time"] == grown["open_time"] == START + 5 * MINUTE
    assert (running["minutes"], running["expected_minutes"], running["partial"]) == (3, 5, True)
    assert running["open"] == grown["open"] == candle(5).open
    assert (running["close"], grown["close"]) == (50.0, 60.0)
    assert grown["volume"] == sum(candle(number).volume for number in (5, 6, 7, 8))


async def test_events_tell_the_same_without_an_id(
    http_server_client: AsyncHTTPServerClient, pushed: Service, database: Database
) -> None:
    await store(database, [candle(number) for number in range(3)])
    async with lines(http_server_client, ONE) as reader, connected(http_server_client, ONE) as socket:
        pushed.streaming.live.told(SERIES, told(3, 101.5), closed=False)
        message = await next_of(socket, "forming")
        text = (await asyncio.wait_for(reader.readuntil(b"\n\n"), 60)).decode()
    name, data = text.strip().split("\n")
    assert name == "event: forming"
    assert json.loads(data.removeprefix("data: ")) == message["data"]


@asynccontextmanager
async def lines(client: AsyncHTTPServerClient, query: str) -> AsyncIterator[asyncio.StreamReader]:
    """The reader of events behind the first comment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.get_http_port())
    writer.write(f"GET /api/stream?{query} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    try:
        await asyncio.wait_for(reader.readuntil(b": candles follow\n\n"), 60)
        yield reader
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_series_is_pushed_for_as_long_as_somebody_watches_it(
    http_server_client: AsyncHTTPServerClient, sockets: Sockets, database: Database
) -> None:
    await store(database, [candle(0)])

    async def nobody_watches() -> bool:
        return not sockets.wanted

    async with connected(http_server_client, ONE), connected(http_server_client, ONE):
        assert sockets.wanted == {"BTCUSDT"}
    await until(nobody_watches)
    async with connected(http_server_client, "series=binance:spot:BTCUSDT"):
        assert sockets.wanted == set()


@pytest.mark.parametrize("headers", [{}, HANDSHAKE], ids=["events", "socket"])
async def test_where_nothing_is_pushed_forming_candles_are_refused(
    http_server_client: AsyncHTTPServerClient, database: Database, headers: dict[str, str]
) -> None:
    await store(database, [candle(0)], Series("bitget", "spot", "BTCUSDT"))
    reply = await send(http_server_client, f"/api/stream?{FOREIGN}", headers=headers)
    assert (reply.status, error_code(reply)) == (400, "forming_unavailable")


async def test_forming_is_true_or_false(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/api/stream?series=binance:spot:BTCUSDT&forming=1")
    assert (reply.status, error_code(reply)) == (400, "invalid_forming")
