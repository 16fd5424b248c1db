"""Processes that take requests and processes that do jobs, on one database and behind one address."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backend.clock import parse_time
from backend.core.windows import MINUTE
from backend.store.mongo import Database
from tests.integration.processes import RunningService, running_service, running_simulator, until
from tests.integration.stored import stored_documents
from tests.simulator import Simulator, SimulatorClock

NOW = "2025-06-02T01:00:30Z"
START = parse_time("2025-05-18T00:00:00Z")
CLOSED = parse_time(NOW) // MINUTE * MINUTE
SYMBOLS = ["BTCUSDT", "ETHUSDT"]


@pytest.fixture
def exchange() -> Iterator[str]:
    """Exchanges that enforce their limits; the base URL."""
    with running_simulator("--now", NOW, "--latency", "0.02") as url:
        yield url


@pytest.fixture
def environment(exchange: str, mongod_uri: str, database: Database) -> dict[str, str]:
    return {
        "BINGX_URL": exchange,
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": database.name,
        "JOBS_AT_ONCE": "1",
        "LEASE_SECONDS": "2",
    }


def are_done(service: RunningService, count: int) -> bool:
    jobs = service.call("/api/jobs?status=done")[1]["jobs"]
    return len(jobs) == count


def statuses(url: str) -> set[str]:
    """The statuses that the exchange ever answered with."""
    with urllib.request.urlopen(f"{url}/_sim/requests", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return set(found["statuses"])


def test_workers_do_what_an_api_process_takes(
    tmp_path: Path, exchange: str, environment: dict[str, str], mongod_uri: str, database: Database
) -> None:
    with ExitStack() as stack:
        api, *workers = [
            stack.enter_context(running_service(tmp_path / f"log {number}", **environment, ROLE=role))
            for number, role in enumerate(("api", "worker", "worker"))
        ]
        body = {
            "symbols": SYMBOLS,
            "exchange": "bingx",
            "market": "perpetual",
            "start_time": START,
            "end_time": CLOSED - MINUTE,
            "wait": False,
        }
        status, found = api.call("/api/sync", body)
        assert (status, [job["status"] for job in found["jobs"]]) == (202, ["queued", "queued"])
        until(partial(are_done, api, len(SYMBOLS)), "the workers to do the jobs")
        assert workers[0].call("/health")[0] == 200
        assert workers[0].call("/api/jobs")[0] == 404
    assert statuses(exchange) == {"200"}
    simulated = Simulator(clock=SimulatorClock(parse_time(NOW), frozen=True))
    for symbol in SYMBOLS:
        stored = stored_documents(mongod_uri, database.name, f"bingx.perpetual.{symbol}")
        expected = simulated.history(symbol, START, CLOSED, "bingx", "perpetual")
        assert [document["_id"] for document in stored] == [row[0] for row in expected]
        assert [document["close"] for document in stored] == [row[4] for row in expected]
