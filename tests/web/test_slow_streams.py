"""`/api/stream` in both forms, with little patience for clients who do not read, or do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.clock import Clock
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.services.service import Service
from backend.web.routes import Route, make_application
from backend.web.streams.server_sent_events import StreamHandler
from backend.web.streams.stream_request import StreamTimes
from backend.web.streams.websocket import SocketHandler, UpgradePath
from tests.conftest import NOW
from tests.following import PACE, HandClock, until, until_complete
from tests.simulator import Simulator, SimulatorClock
from tests.sockets import CLOSE, PING, PONG, connected, raw_socket

MANY = 40_000
SINCE = NOW - NOW % MINUTE - MANY * MINUTE
BTC = Series("binance", "spot", "BTCUSDT")
ONE = "series=binance:spot:BTCUSDT"

HURRIED = StreamTimes(quiet=0.05, slow=0.2, silent=0.3)
UNREAD = StreamTimes(slow=0.1)

pytestmark = pytest.mark.usefixtures("app")
"""Named, so that tests can parametrize what is behind it."""


class Watched(SocketHandler):
    """Remembers how it closed, and counts answers to pings."""

    closed: list[tuple[int | None, str | None]]
    pongs = 0

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        if self.ws_connection:
            type(self).closed.append((code, reason))
        super().close(code, reason)

    def on_pong(self, data: bytes) -> None:
        type(self).pongs += 1
        super().on_pong(data)


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


@pytest.fixture
def manners() -> StreamTimes:
    return HURRIED


@pytest.fixture
def app(service: Service, manners: StreamTimes) -> Application:
    Watched.closed, Watched.pongs = [], 0
    given = {"service": service, "manners": manners}
    hurried: list[Route] = [
        (UpgradePath(r"/api/stream"), Watched, given),
        (r"/api/stream", StreamHandler, given),
    ]
    return Application(hurried, **make_application(service).settings)


async def follow(service: Service, simulator: Simulator, since: int | None = None) -> None:
    await service.following.follows.add([BTC], since or simulator.clock.now() - 10 * MINUTE)
    await until_complete(service, simulator)


async def until_nobody_listens(service: Service) -> None:
    async def nobody() -> bool:
        return service.streaming.feeds.ledger_watch.streams == 0

    await until(nobody)


@pytest.mark.parametrize("manners", [UNREAD])
async def test_a_reader_of_events_who_does_not_read_is_cut_off(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator, SINCE)
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port())
    writer.write(f"GET /api/stream?{ONE}&since={SINCE} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.wait_for(reader.readuntil(b"event: candle"), 60)
    await until_nobody_listens(service)
    assert (await reader.read()).count(b"event: candle") < MANY - 1
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("manners", [UNREAD])
async def test_a_socket_whose_client_does_not_read_is_closed_and_says_why(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator, SINCE)

    async def dropped() -> bool:
        return bool(Watched.closed)

    async with raw_socket(http_server_client.get_http_port(), f"{ONE}&since={SINCE}") as socket:
        await until(dropped)
        frames = [await socket.frame()]
        while frames[-1].kind != CLOSE:
            frames.append(await socket.frame())
        code, reason = frames[-1].closing
    assert code == 1008
    assert "not read in time" in reason
    assert 500 <= len(frames) < MANY
    await until_nobody_listens(service)


async def test_a_client_that_answers_pings_stays(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator)
    simulator.clock.freeze(simulator.clock.now())

    async def pinged_often() -> bool:
        return Watched.pongs > 20

    async with connected(http_server_client, ONE):
        await until(pinged_often)
        assert Watched.closed == []


async def test_a_client_that_does_not_answer_pings_is_cut_off(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator)
    async with raw_socket(http_server_client.get_http_port(), ONE) as socket:
        frame = await socket.frame()
        while frame.kind != PING:
            frame = await socket.frame()
        socket.send(PONG, frame.payload)
        assert (await socket.last_frame()).closing == (
            1008,
            "too slow: the client did not answer a ping in time",
        )
    await until_nobody_listens(service)


async def test_who_listens_to_events_without_a_candle_hears_a_comment(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await follow(service, simulator)
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port())
    writer.write(f"GET /api/stream?{ONE} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    for _ in range(3):
        await asyncio.wait_for(reader.readuntil(b": still here\n\n"), 60)
    writer.close()
    await writer.wait_closed()
