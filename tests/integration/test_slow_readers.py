"""Clients that ask for much and take nothing, or stop in the middle of asking, hold little memory.

When they are given up is tested elsewhere; here they stay, and everybody else is served.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from backend.store.mongo import Database
from tests.integration.processes import RunningService, running_service, until
from tests.vitals import vitals_of
from tests.web.stored import candle, store

CANDLES = 200_000
"""As JSON over 50 MB, of which a client that takes nothing leaves all but some KB with us."""

FOR_OTHERS = 10_000
SLOW_READERS = 50
HALF_OPEN = 200
MOST_FOR_ONE_READER = 10.0
MOST_FOR_ALL_HALF_OPEN = 32.0
"""MB. Measured: 6 and 15."""

SMALL_BUFFER = 4096
ASKED = b"GET /api/data/BTCUSDT HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALVES = {
    "nothing": b"",
    "half a line": b"GET /api/da",
    "half a head": b"GET /api/data/BTCUSDT HTTP/1.1\r\nHost: local",
    "half a body": b"POST /api/sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
    + b" " * 30_000,
}


@pytest.fixture
def service(tmp_path: Path, mongod_uri: str, database: Database) -> Iterator[RunningService]:
    environment = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": database.name}
    with running_service(tmp_path / "log", **environment) as found:
        yield found


async def stored(database: Database, candles: int) -> None:
    await store(database, [candle(number) for number in range(candles)])


def assert_it_serves(service: RunningService) -> None:
    """Others get several batches of candles."""
    for _ in range(3):
        status, body = service.call(f"/api/data/BTCUSDT?limit={FOR_OTHERS}")
        assert (status, body["count"]) == (200, FOR_OTHERS)


def connected(service: RunningService, stack: ExitStack, sent: bytes) -> socket.socket:
    """A client that has sent something, and whose side takes next to nothing."""
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    client.connect(("127.0.0.1", service.port))
    client.sendall(sent)
    return client


def has_begun(client: socket.socket) -> bool:
    return bool(client.recv(1, socket.MSG_PEEK))


async def test_readers_who_do_not_read_hold_a_piece_of_their_answer_each(
    service: RunningService, database: Database
) -> None:
    await stored(database, CANDLES)
    assert_it_serves(service)
    before = vitals_of(service.process.pid).resident
    with ExitStack() as stack:
        readers = [connected(service, stack, ASKED) for _ in range(SLOW_READERS)]
        assert all(has_begun(reader) for reader in readers)
        assert_it_serves(service)
        found = vitals_of(service.process.pid)
        assert found.peak - before < SLOW_READERS * MOST_FOR_ONE_READER
        assert found.descriptors >= SLOW_READERS
    few = found.descriptors - SLOW_READERS
    until(lambda: vitals_of(service.process.pid).descriptors <= few + 5, "the connections to be let go")
    assert_it_serves(service)


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
async def test_requests_that_stop_in_the_middle_hold_next_to_nothing(
    service: RunningService, database: Database, half: bytes
) -> None:
    await stored(database, FOR_OTHERS)
    assert_it_serves(service)
    before = vitals_of(service.process.pid)
    with ExitStack() as stack:
        for _ in range(HALF_OPEN):
            connected(service, stack, half)
        assert_it_serves(service)
        found = vitals_of(service.process.pid)
        assert found.descriptors >= HALF_OPEN
        assert found.peak - before.peak < MOST_FOR_ALL_HALF_OPEN
    until(
        lambda: vitals_of(service.process.pid).descriptors <= before.descriptors + 5,
        "the connections to be let go",
    )
