"""Two processes on one database: what one of them does, pages at the other one hear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from backend.store.mongo import Database
from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_service, running_simulator


@contextmanager
def listening(service: RunningService, last: str = "") -> Iterator[HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.request("GET", "/api/changes", headers={"Last-Event-ID": last} if last else {})
    try:
        with connection.getresponse() as answer:
            yield answer
    finally:
        connection.close()


def heard(answer: HTTPResponse) -> tuple[str, str, Any]:
    """The next event: its id, its name, its data."""
    found: dict[str, str] = {}
    while line := answer.readline().decode().strip() or not found.get("data"):
        name, _, value = str(line).partition(": ")
        found[name] = value
    return found["id"], found["event"], json.loads(found["data"])


def test_what_one_process_does_is_heard_at_the_other(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    with ExitStack() as stack:
        exchange = stack.enter_context(running_simulator("--now", "2025-06-02T01:00:30Z", "--frozen"))
        settings = {
            **simulated_urls(exchange),
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            "LIVE": "rest",
        }
        front = stack.enter_context(running_service(tmp_path / "front", **settings, ROLE="api"))
        worker = stack.enter_context(running_service(tmp_path / "worker", **settings))
        with listening(front) as answer:
            place, name, data = heard(answer)
            assert (name, data) == ("begin", {"resumed": False})
            reply = worker.call("/api/sync", {"symbol": "BTCUSDT", "start_time": "2025-06-02"})
            assert reply[0] == 200
            assert worker.call("/api/follow", {"symbol": "ETHUSDT", "since": "2025-06-02"})[0] == 200
            wanted = {("job", "done"), ("series", "binance:spot:BTCUSDT"), ("follow", "binance:spot:ETHUSDT")}
            while wanted:
                _, name, data = heard(answer)
                wanted -= {(name, data.get("status"))} | {(name, one) for one in data.get("series", ())}
        with listening(front, place) as answer:
            assert heard(answer)[1:] == ("begin", {"resumed": True})
        with listening(worker, place) as answer:
            assert heard(answer)[1:] == ("begin", {"resumed": False})
