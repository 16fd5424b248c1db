"""Many clients ask a running service for long answers, take nothing and leave: it keeps nothing of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from backend.store.mongo import Database
from tests.integration.processes import RunningService, running_service, until
from tests.integration.test_slow_readers import connected, has_begun
from tests.vitals import vitals_of
from tests.web.stored import candle, store

CLIENTS = 100
MOST_FOR_ONE = 4.0
"""MB of memory. Measured: 2.5 for columns, 0.1 for the others."""

SOME = 10
"""Descriptors that come and go by themselves: connections to the database."""

SILENT = "wait"
ASKED = {
    "wait": "POST /api/sync",
    "events": "GET /api/jobs/{job}/events",
    "stream": "GET /api/stream?series=binance:spot:BTCUSDT",
    "columns": "GET /api/data/BTCUSDT?format=columns",
}
BODY = json.dumps({"symbol": "BTCUSDT"})


@pytest.fixture
def service(tmp_path: Path, mongod_uri: str, database: Database) -> Iterator[RunningService]:
    """One that does no jobs: who waits for one waits for long."""
    settings = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": database.name, "ROLE": "api"}
    with running_service(tmp_path / "log", **settings) as found:
        yield found


def temporary_bytes(pid: int) -> int:
    """What the temporary files of a process take, which have no name."""
    total = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if "(deleted)" in os.readlink(descriptor):
                total += descriptor.stat().st_size
    return total


@pytest.mark.parametrize("kind", ASKED)
async def test_of_clients_that_left_nothing_stays(
    service: RunningService, database: Database, kind: str
) -> None:
    await store(database, [candle(number) for number in range(20_000)])
    job = service.call("/api/sync", {"symbol": "BTCUSDT", "wait": False})[1]["job"]["id"]
    pid, body = service.process.pid, BODY if kind == SILENT else ""
    asked = f"{ASKED[kind].format(job=job)} HTTP/1.1\r\nHost: localhost\r\n"
    asked += f"Content-Length: {len(body)}\r\n\r\n{body}"
    before, waiting = vitals_of(pid), temporary_bytes(pid)
    with ExitStack() as stack:
        clients = [connected(service, stack, asked.encode()) for _ in range(CLIENTS)]
        until(lambda: vitals_of(pid).descriptors >= before.descriptors + CLIENTS, "all to be connected")
        assert kind == SILENT or all(has_begun(client) for client in clients)
        assert service.call("/health/live")[0] == 200
        found = vitals_of(pid)
        assert found.descriptors <= before.descriptors + 2 * CLIENTS + SOME
        assert found.peak - before.peak < CLIENTS * MOST_FOR_ONE
        assert (temporary_bytes(pid) > waiting) == (kind == "columns")
    until(lambda: vitals_of(pid).descriptors <= before.descriptors + SOME, "the connections to be let go")
    until(lambda: temporary_bytes(pid) <= waiting, "the temporary files to be let go")
    assert service.call("/health")[0] == 200
