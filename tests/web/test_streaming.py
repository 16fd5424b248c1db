"""Answers are streamed: a client that goes away stops the reading; memory does not grow with the range."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.core.columns import Columns, columns_of
from backend.core.coverage import Coverage
from backend.core.minutes import Minutes
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.formats import FORMATS
from backend.services.reading.queries import Queries
from backend.services.reading.validators import OpenSelection
from backend.services.service import Service
from tests.web.stored import START, candle

ROWS = 2_000


class Endless:
    """Batch after batch; `asleep` once a batch does not come, `closed` once nobody wants any more."""

    def __init__(self, batches: int) -> None:
        self._batches = batches
        self.asleep = asyncio.Event()
        self.closed = asyncio.Event()

    async def read(self) -> AsyncGenerator[Columns, None]:
        template = columns_of([candle(number) for number in range(ROWS)])
        try:
            for number in range(self._batches):
                yield template.with_columns(open_time=template.open_time + number * ROWS * MINUTE)
                await asyncio.sleep(0)
            self.asleep.set()
            await asyncio.Event().wait()
        finally:
            self.closed.set()


class Finite(Endless):
    """Comes to an end after its batches."""

    async def read(self) -> AsyncGenerator[Columns, None]:
        async for batch in super().read():
            yield batch
            self._batches -= 1
            if not self._batches:
                return


class ScriptedQueries(Queries):
    def __init__(self, script: Endless) -> None:
        self._script = script

    async def open(self, series: Series, wanted: Selection) -> OpenSelection:
        return OpenSelection(series, wanted, Coverage(held=Minutes.of((Window(START, START + MINUTE),))))

    async def validator(self, _opened: OpenSelection) -> None:
        return None

    def read(self, _opened: OpenSelection) -> AsyncGenerator[Columns, None]:
        return self._script.read()


def scripted(service: Service, script: Endless) -> None:
    object.__setattr__(service.reading, "queries", ScriptedQueries(script))


@pytest.mark.parametrize("name", FORMATS)
async def test_a_client_that_goes_away_stops_a_reading_that_waits(
    http_server_client: AsyncHTTPServerClient, service: Service, name: str
) -> None:
    script = Endless(batches=1)
    scripted(service, script)
    _, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port())
    writer.write(f"GET /api/data/BTCUSDT?format={name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await script.asleep.wait()
    assert not script.closed.is_set()
    writer.close()
    await asyncio.wait_for(script.closed.wait(), 60)


async def test_a_client_that_does_not_read_stops_nothing_but_itself(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    script = Endless(batches=10_000)
    scripted(service, script)
    _, writer = await asyncio.open_connection("127.0.0.1", http_server_client.get_http_port(), limit=1024)
    writer.write(b"GET /api/data/BTCUSDT HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await http_server_client.fetch("/health")
    assert answer.code == 200
    assert not script.asleep.is_set()
    writer.close()
    await asyncio.wait_for(script.closed.wait(), 60)


@pytest.mark.parametrize("name", FORMATS)
async def test_memory_does_not_grow_with_the_range(
    http_server_client: AsyncHTTPServerClient, service: Service, name: str
) -> None:
    peaks = []
    for batches in (20, 20, 100):
        scripted(service, Finite(batches))
        peaks.append(await peak_of(http_server_client, f"/api/data/BTCUSDT?format={name}"))
    assert peaks[2] < 1.5 * peaks[1]


async def peak_of(client: AsyncHTTPServerClient, path: str) -> int:
    """The most bytes that were in use at once while an answer came."""
    tracemalloc.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", client.get_http_port())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    while await reader.read(1 << 16):
        pass
    writer.close()
    await writer.wait_closed()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
