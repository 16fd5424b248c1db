"""A service that is told to stop while somebody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import simulated_urls
from tests.integration.processes import PATIENCE, RunningService, running_service, running_simulator
from tests.sockets import TEXT, raw_socket

NOW = "2025-06-01T00:10:30Z"
QUERY = "series=binance:spot:BTCUSDT&since=2025-06-01"


@pytest.fixture
def service(tmp_path: Path, mongod_uri: str) -> Iterator[RunningService]:
    """A service with ten stored minutes."""
    settings = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": "stopping"}
    with (
        running_simulator("--now", NOW, "--frozen") as url,
        running_service(tmp_path / "log", **settings, **simulated_urls(url)) as running,
    ):
        assert running.call("/api/sync", {"symbol": "BTCUSDT"})[0] == 200
        yield running


async def test_streams_of_both_forms_are_ended_when_the_service_stops(service: RunningService) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(f"GET /api/stream?{QUERY} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await asyncio.wait_for(reader.readuntil(b"event: candle"), PATIENCE)
    async with raw_socket(service.port, QUERY) as socket:
        assert (await socket.frame()).kind == TEXT
        service.process.terminate()
        assert (await socket.last_frame()).closing == (1001, "the service is stopping")
    text = await asyncio.wait_for(reader.read(), PATIENCE)
    assert text.endswith(b"0\r\n\r\n")
    writer.close()
    assert service.process.wait(PATIENCE) == 0
    service.stop()
