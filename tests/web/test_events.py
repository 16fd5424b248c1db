"""`/api/stream`: closed candles in order, each once, across reconnections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.clock import Clock
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.services.service import Service
from tests.conftest import NOW
from tests.following import PACE, HandClock, until_complete
from tests.simulator import Simulator, SimulatorClock
from tests.web.client import error_code, get, send

CLOSED = NOW - NOW % MINUTE
SINCE = CLOSED - 20 * MINUTE
BTC, ETH = Series("binance", "spot", "BTCUSDT"), Series("bitget", "perpetual", "ETHUSDT")
BOTH = "binance:spot:BTCUSDT,bitget:perpetual:ETHUSDT"


class Event(NamedTuple):
    id: str
    candle: dict[str, Any]


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


@asynccontextmanager
async def stream(client: AsyncHTTPServerClient, query: str, last: str = "") -> AsyncIterator[Any]:
    """The reader's end of a stream whose head has been read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.get_http_port())
    header = f"Last-Event-ID: {last}\r\n" if last else ""
    writer.write(f"GET /api/stream?{query} HTTP/1.0\r\nHost: localhost\r\n{header}\r\n".encode())
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert b" 200 " in head.splitlines()[0]
        yield reader
    finally:
        writer.close()
        await writer.wait_closed()


async def events(reader: asyncio.StreamReader, count: int) -> list[Event]:
    """The next so many candles."""
    found: list[Event] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            lines = (await reader.readuntil(b"\n\n")).decode().strip().split("\n")
            if lines[0].startswith("id: "):
                found.append(Event(lines[0][4:], json.loads(lines[2].removeprefix("data: "))))
    return found


def opened(found: list[Event], series: str) -> list[int]:
    return [event.candle["open_time"] for event in found if event.candle["series"] == series]


async def test_a_client_that_reconnects_sees_each_closed_candle_exactly_once(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await service.following.follows.add([BTC, ETH], SINCE)
    await until_complete(service, simulator)
    seen: list[Event] = []
    simulator.faults.error_rate = 0.2
    for pieces in (7, 40, 1, 12, 20):
        last = seen[-1].id if seen else ""
        async with stream(http_server_client, f"series={BOTH}&since={SINCE}", last) as reader:
            simulator.clock.advance(5 * MINUTE)
            seen += await events(reader, pieces)
        simulator.clock.advance(MINUTE)
    for series in (BTC, ETH):
        name = f"{series.exchange}:{series.market}:{series.symbol}"
        told = [event.candle for event in seen if event.candle["series"] == name]
        end = told[-1]["open_time"] + MINUTE
        rows = simulator.history(series.symbol, SINCE, end, venue=series.exchange, market=series.market)
        assert [(one["open_time"], one["close"]) for one in told] == [(row[0], row[4]) for row in rows]


async def test_without_a_beginning_only_what_closes_from_now_on_is_sent(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await service.following.follows.add([BTC], SINCE)
    await until_complete(service, simulator)
    async with stream(http_server_client, "series=binance:spot:BTCUSDT") as reader:
        known = await service.reading.queries.known(BTC)
        simulator.clock.advance(2 * MINUTE)
        [first, second] = await events(reader, 2)
    assert first.candle["open_time"] >= CLOSED
    assert first.candle["open_time"] <= known.held[-1].end
    assert second.candle["open_time"] == first.candle["open_time"] + MINUTE


async def test_longer_candles_are_sent_when_they_are_whole(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await service.following.follows.add([BTC], SINCE)
    await until_complete(service, simulator)
    query = f"series=binance:spot:BTCUSDT&interval=5m&since={SINCE}"
    async with stream(http_server_client, query) as reader:
        found = await events(reader, 4)
        simulator.clock.advance(5 * MINUTE)
        found += await events(reader, 1)
    assert opened(found, "binance:spot:BTCUSDT") == [SINCE + number * 5 * MINUTE for number in range(5)]
    assert all(event.candle["minutes"] == 5 and event.candle["interval"] == "5m" for event in found)


async def test_nothing_is_sent_past_a_missing_minute_until_it_came(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    gap = CLOSED - 10 * MINUTE
    simulator.faults.outages = [(gap, gap + MINUTE)]
    simulator.clock.freeze(gap + MINUTE + 30_000)
    await service.following.follows.add([BTC], SINCE)
    async with stream(http_server_client, f"series=binance:spot:BTCUSDT&since={SINCE}") as reader:
        found = await events(reader, 10)
        assert opened(found, "binance:spot:BTCUSDT")[-1] == gap - MINUTE
        simulator.faults.outages = []
        simulator.clock.run(PACE)
        found += await events(reader, 3)
    moments = opened(found, "binance:spot:BTCUSDT")
    assert moments == [SINCE + number * MINUTE for number in range(13)]


BAD = {
    "no series": ("", "missing_series"),
    "no market": ("series=BTCUSDT", "invalid_series"),
    "too many": (f"series={','.join(['binance:spot:BTCUSDT'] * 101)}", "invalid_series"),
    "unknown exchange": ("series=nasdaq:spot:AAPL", "unknown_exchange"),
    "unknown interval": ("series=binance:spot:BTCUSDT&interval=7m", "unknown_interval"),
    "no time": ("series=binance:spot:BTCUSDT&since=soon", "invalid_time"),
    "misspelt": ("series=binance:spot:BTCUSDT&from=0", "unknown_parameter"),
}


@pytest.mark.parametrize(("query", "code"), BAD.values(), ids=BAD.keys())
async def test_what_makes_no_sense_is_refused(
    http_server_client: AsyncHTTPServerClient, query: str, code: str
) -> None:
    reply = await get(http_server_client, f"/api/stream?{query}")
    assert (reply.status, error_code(reply)) == (400, code)


async def test_a_last_event_id_of_another_stream_is_refused(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    headers = {"Last-Event-ID": "00000000.1.1"}
    reply = await send(http_server_client, "/api/stream?series=binance:spot:BTCUSDT", headers=headers)
    assert (reply.status, error_code(reply)) == (400, "invalid_last_event_id")


async def test_a_series_that_is_neither_stored_nor_followed_is_not_found(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await get(http_server_client, "/api/stream?series=binance:spot:BTCUSDT")
    assert (reply.status, error_code(reply)) == (404, "not_stored")
