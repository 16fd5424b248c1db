"""Clients that dawdle, over raw sockets: what they hold is let go of; whoever is merely slow is served."""

from __future__ import annotations

import asyncio
import json
import select
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial

import pytest
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.policy import Access
from backend.clock import SystemClock
from backend.services.service import Service
from backend.web.routes import make_application
from backend.web.server.client_connection import ClientTimes
from backend.web.server.guard import SECURITY_HEADERS
from backend.web.server.handler import ApiHandler
from backend.web.server.server import Limits, Server

TRADER, READER = "dummy-trader-key-0123456789", "dummy-reader-key-0123456789"
PATIENCE = 60.0
SHORT = 0.4
LIMITS = Limits(
    head_seconds=SHORT, body_seconds=SHORT, reader=ClientTimes(SHORT, 16 * 1024), connections=4, spare=2
)
STEADY = ClientTimes(2.0, 16 * 1024)
"""Long beside the pauses of who reads steadily, even where the kernel holds megabytes."""

PATIENT = replace(LIMITS, head_seconds=10 * PATIENCE)
CALM = replace(LIMITS, head_seconds=PATIENCE, body_seconds=PATIENCE, reader=ClientTimes(PATIENCE, 16 * 1024))
"""Nobody is dropped who is only late because this machine is busy."""
PIECE = b"0123456789abcdef" * (1 << 16)
PIECES = 32
"""32 MiB in all: far more than sockets take on both ends."""

GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Story:
    """What a handler did, and what it waits for."""

    def __init__(self) -> None:
        self.written = 0
        self.over = asyncio.Event()
        self.go_on = asyncio.Event()


class StreamHandler(ApiHandler):
    """Sends much, a piece at a time."""

    async def get(self) -> None:
        story: Story = self.settings["story"]
        try:
            for _ in range(PIECES):
                self.write(PIECE)
                await self.flush()
                story.written += 1
            await self.finish()
        finally:
            story.over.set()


class QuietHandler(ApiHandler):
    """Sends much, is silent for long, and sends something more."""

    async def get(self) -> None:
        self.write(8 * PIECE + b"begun ")
        await self.flush()
        await self.settings["story"].go_on.wait()
        await self.finish("ended")


@pytest.fixture
def story(io_loop: IOLoop) -> Story:
    async def begin() -> Story:
        return Story()

    made: Story = io_loop.run_sync(begin)
    return made


@pytest.fixture
def limits() -> Limits:
    """Of a server with little patience."""
    return LIMITS


@pytest.fixture
def access() -> Access:
    """Tests that want keys parametrize this by name."""
    return Access()


@pytest.fixture
def port(service: Service, story: Story, limits: Limits, access: Access, io_loop: IOLoop) -> Iterator[int]:
    """The API and two routes more."""
    application = make_application(service, "all", access)
    application.settings["story"] = story
    given = {"service": service}
    more = [("/stream", StreamHandler, given), ("/quiet", QuietHandler, given)]
    application.add_handlers(".*", more)
    server, listening = io_loop.run_sync(partial(listen, application, limits))
    yield listening
    server.stop()
    io_loop.run_sync(server.close_all_connections)


async def listen(application: Application, limits: Limits) -> tuple[Server, int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        server = Server(application, limits)
        duplicate = taken.dup()
        duplicate.setblocking(False)
        server.add_socket(duplicate)
        return server, taken.getsockname()[1]


async def within(work: Awaitable[object]) -> None:
    await asyncio.wait_for(work, PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    async def poll() -> None:
        while not condition():
            await SystemClock().sleep(0.01)

    await within(poll())


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """What still comes until the end, clean or not."""
    received = b""
    with suppress(ConnectionError):
        while piece := await asyncio.wait_for(reader.read(1 << 16), PATIENCE):
            received += piece
    return received


async def dribble(writer: asyncio.StreamWriter, text: bytes) -> None:
    """Send a byte now and then, for longer than anybody waits."""
    with suppress(ConnectionError):
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(SHORT / 8)


async def dropped(port: int, begin: bytes, then: bytes = b"") -> bytes:
    """What a client gets that sends `begin` at once and `then` in dribbles, until it is dropped."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begin)
    sending = asyncio.create_task(dribble(writer, then))
    received = await rest_of(reader)
    assert then == b"" or not sending.done()
    sending.cancel()
    writer.close()
    return received


def unread_socket(port: int) -> socket.socket:
    """A connection of a client whose own end takes little."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    return connection


def is_reset(connection: socket.socket) -> bool:
    """Whether the other side has dropped the connection, without reading from it."""
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(0))


@pytest.mark.parametrize("begin", [b"", b"G", b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"\r\n"])
async def test_a_head_that_does_not_come_to_its_end_is_given_up(port: int, begin: bytes) -> None:
    assert await dropped(port, begin) == b""


async def test_a_head_that_comes_in_dribbles_is_given_up(port: int) -> None:
    assert await dropped(port, b"GET /health HTTP/1.1\r\n", b"X-More: " + b"x" * 1000) == b""


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n"]
)
async def test_a_body_that_comes_in_dribbles_is_given_up(port: int, framing: bytes) -> None:
    head = b"POST /api/sync HTTP/1.1\r\nHost: localhost\r\n" + framing
    assert await dropped(port, head, b'{"symbol":"' + b"B" * 900) == b""


async def test_a_connection_that_idles_after_an_answer_is_closed(port: int) -> None:
    assert (await dropped(port, GET % b"/health")).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_client_that_does_not_read_is_given_up_and_holds_nothing(port: int, story: Story) -> None:
    with unread_socket(port) as connection:
        connection.sendall(GET % b"/stream")
        await until(lambda: is_reset(connection))
        await within(story.over.wait())
        assert story.written < PIECES
        with suppress(ConnectionError):
            received = b"".join(iter(partial(connection.recv, 1 << 20), b""))
            assert len(received) < len(PIECE) * PIECES


async def test_a_client_that_reads_a_byte_now_and_then_is_given_up(port: int, story: Story) -> None:
    with unread_socket(port) as connection:
        connection.sendall(GET % b"/stream")
        connection.setblocking(False)

        def nibbled_until_reset() -> bool:
            with suppress(BlockingIOError, ConnectionError):
                connection.recv(1)
            return story.over.is_set()

        await until(nibbled_until_reset)
        assert story.written < PIECES


@pytest.mark.parametrize("limits", [replace(LIMITS, reader=STEADY)])
async def test_a_client_that_reads_slowly_but_steadily_gets_everything(port: int, story: Story) -> None:
    """It pauses often, and takes twice as long in all as a client may take nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    writer.write(GET % b"/stream")
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"200 OK" in head
    received = bytearray()
    pauses = 0
    while not received.endswith(b"0\r\n\r\n"):
        received += await asyncio.wait_for(reader.read(1 << 18), PATIENCE)
        if len(received) >= pauses * len(PIECE) * PIECES // 16:
            pauses += 1
            await asyncio.sleep(STEADY.seconds / 8)
    writer.close()
    assert received.count(PIECE[:16]) >= PIECES * (len(PIECE) // 16) - PIECES
    assert story.written == PIECES


async def test_an_answer_may_be_silent_for_long_if_nothing_waits_to_be_read(port: int, story: Story) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    writer.write(GET % b"/quiet")
    received = await reader.readuntil(b"begun ")
    await SystemClock().sleep(3 * SHORT)
    story.go_on.set()
    received += await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), PATIENCE)
    writer.close()
    assert b"ended" in received


async def test_a_head_beyond_all_bounds_is_431(port: int) -> None:
    for head in (b"GET /" + b"x" * 300_000, b"GET / HTTP/1.1\r\n" + b"X-More: y\r\n" * 30_000):
        received = await dropped(port, head)
        answer, _, body = received.partition(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert json.loads(body)["error"]["code"] == "headers_too_large"
        for name, value in SECURITY_HEADERS:
            assert f"{name}: {value}".encode() in answer


async def test_an_address_of_a_hundred_kilobytes_is_414(port: int) -> None:
    received = await dropped(port, GET % (b"/" + b"x" * 100_000))
    assert received.startswith(b"HTTP/1.1 414 ")
    assert b"uri_too_long" in received


async def test_a_chunk_size_that_never_ends_is_not_answered_as_a_head(port: int) -> None:
    head = b"POST /api/sync HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b"431" not in await dropped(port, head + b"1" * 1000)


@pytest.mark.parametrize("limits", [PATIENT])
async def test_where_connections_are_too_many_the_one_that_idles_longest_makes_room(port: int) -> None:
    """All of them might idle for longer than this test lasts."""
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LIMITS.connections)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET % b"/health")
    assert b"healthy" in await asyncio.wait_for(reader.readuntil(b"}"), PATIENCE)
    assert await asyncio.wait_for(idle[0][0].read(), PATIENCE) == b""
    for _, other in [*idle, (reader, writer)]:
        other.close()


async def test_idlers_cannot_use_up_what_is_left_for_health(port: int, story: Story) -> None:
    others = []
    for _ in range(LIMITS.connections + 2 * LIMITS.spare):
        others.append(await asyncio.open_connection("127.0.0.1", port))
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        others.append((reader, writer))
        writer.write(GET % b"/quiet")
        assert (await asyncio.wait_for(reader.readline(), PATIENCE)).split()[1] in (b"200", b"429")
    assert (await dropped(port, GET % b"/health/live")).startswith(b"HTTP/1.1 200 ")
    story.go_on.set()
    for _, writer in others:
        writer.close()


@pytest.mark.parametrize("limits", [CALM])
async def test_where_all_connections_are_at_work_only_health_is_answered(port: int, story: Story) -> None:
    busy = [
        await asyncio.open_connection("127.0.0.1", port, limit=1 << 24) for _ in range(LIMITS.connections)
    ]
    for reader, writer in busy:
        writer.write(GET % b"/quiet")
        await reader.readuntil(b"begun ")
    for path, status in ((b"/health/live", b" 200 "), (b"/api/jobs", b" 429 "), (b"/quiet", b" 429 ")):
        assert status in (await dropped(port, LAST_GET % path)).splitlines()[0]
    story.go_on.set()
    for reader, writer in busy:
        assert b"ended" in await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), PATIENCE)
        writer.close()


@pytest.mark.parametrize("limits", [CALM])
@pytest.mark.parametrize("access", [Access(keys=read_keys(f"trader:{TRADER}:trade,reader:{READER}:read"))])
async def test_the_kill_switch_is_reached_where_all_connections_are_at_work(port: int, story: Story) -> None:
    """Here accounts are off, which is what its handler says; other keys do not get so far."""
    busy = [
        await asyncio.open_connection("127.0.0.1", port, limit=1 << 24) for _ in range(LIMITS.connections)
    ]
    keyed = (
        b"%b /%b HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: %b\r\nConnection: close\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    for reader, writer in busy:
        writer.write(b"GET /quiet HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: %b\r\n\r\n" % READER.encode())
        await reader.readuntil(b"begun ")
    for key, path, said in (
        (TRADER, b"kill", b"trading_off"),
        (READER, b"kill", b"too_many_streams"),
        (TRADER, b"orders", b"too_many_streams"),
    ):
        assert said in await dropped(port, keyed % (b"POST", path, key.encode()))
    story.go_on.set()
    for _, writer in busy:
        writer.close()
