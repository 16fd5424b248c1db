"""Nothing is lost and nothing false is claimed when the service or its database is killed in mid-sync."""

from __future__ import annotations

import itertools
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from threading import Thread

import pytest
from pymongo import MongoClient

from backend.app import open_service
from backend.clock import parse_time
from backend.core.job import Tally
from backend.core.windows import MINUTE, Window
from backend.services.service import Service
from backend.services.syncing.sync import OnProgress
from backend.settings import load_settings
from backend.store.embedded import EmbeddedMongod
from backend.store.market.coverage import MongoCoverage
from backend.store.mongo import connect, disconnect
from tests.conftest import ImpatientClock
from tests.integration.processes import (
    RunningService,
    children,
    is_alive,
    requests_seen,
    running_service,
    running_simulator,
    until,
)
from tests.integration.stored import SERIES, minutes_of, stored_rows
from tests.simulator import Simulator, SimulatorClock
from tests.syncing import sync

NOW = "2025-06-15T00:00:30Z"
START = parse_time("2025-06-01T00:00:00Z")
MINUTES = 14 * 24 * 60
END = START + MINUTES * MINUTE
SLOW = ("--now", NOW, "--frozen", "--latency", "0.05")


def test_killed_in_mid_sync_the_service_ends_with_the_exchanges_history(tmp_path: Path) -> None:
    """kill -9 of the service, five times at random moments; its embedded database goes with it."""
    moments = random.Random(5)
    settings = {"DATA_DIR": str(tmp_path / "data"), "PAGES_IN_FLIGHT": "2", "LEASE_SECONDS": "1"}
    with running_simulator(*SLOW) as url:
        for _ in range(5):
            with running_service(tmp_path / "log", **settings, BINANCE_SPOT_URL=url) as service:
                [mongod] = children(service.process.pid)
                seen = requests_seen(url)
                request = Thread(target=_sync_and_be_cut_off, args=(service,), daemon=True)
                request.start()
                enough = seen + moments.randint(2, 8)
                until(partial(_has_seen, url, enough), "the sync to be under way")
                service.kill()
                request.join()
                until(partial(_is_gone, mongod), "the embedded database to go with its service")
        with running_service(tmp_path / "log", **settings, BINANCE_SPOT_URL=url) as service:
            status, body = service.call("/api/sync", {"symbol": "BTCUSDT"})
            assert (status, body["complete"]) == (200, True)
            assert body["statistics"]["total_records"] == MINUTES
            assert service.stop() == 0
    expected = Simulator(clock=SimulatorClock(parse_time(NOW), frozen=True))
    mongod_again = EmbeddedMongod(tmp_path / "data")
    try:
        rows = stored_rows(mongod_again.start(), "binance_data")
    finally:
        mongod_again.stop()
    assert rows == expected.history("BTCUSDT", START, END)


def _sync_and_be_cut_off(service: RunningService) -> None:
    with suppress(OSError, HTTPException):
        service.call("/api/sync", {"symbol": "BTCUSDT"})


def _has_seen(url: str, requests: int) -> bool:
    return requests_seen(url) >= requests


def _is_gone(pid: int) -> bool:
    return not is_alive(pid)


@pytest.mark.parametrize("killed_after", [1, 2, 5, 9])
async def test_a_ledger_never_claims_what_a_killed_mongod_has_lost(tmp_path: Path, killed_after: int) -> None:
    """kill -9 of mongod in mid-sync; after its recovery the ledger is held against the collection."""
    mongod = EmbeddedMongod(tmp_path)
    settings = {"MONGODB_URI": mongod.start(), "DATABASE_TIMEOUT": "1"}
    try:
        async with _simulator() as simulator, _service(simulator, **settings) as service:
            broken = await sync(service, SERIES, on_progress=_killer(mongod, killed_after))
            assert broken.missing
            assert broken.error is not None
            assert broken.error.code == "database_unavailable"
            until(partial(_is_revived, mongod), "mongod to be dead and started again")
            await _until_it_answers(service)
            await _assert_claims_are_stored(settings["MONGODB_URI"])
            mended = await sync(service, SERIES)
            assert (mended.missing, mended.error) == ((), None)
            rows = stored_rows(settings["MONGODB_URI"], "binance_data")
            assert rows == simulator.history("BTCUSDT", START, END)
    finally:
        mongod.stop()


async def test_the_embedded_database_is_revived_when_it_is_killed_in_mid_sync(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with _simulator() as simulator, _service(simulator, DATA_DIR=str(data)) as service:
        [mongod] = [pid for pid in children(os.getpid()) if str(data) in _command_line(pid)]
        await sync(service, SERIES, on_progress=lambda _window, _tally: _kill(mongod))
        await _until_it_answers(service)
        await _assert_claims_are_stored(_uri(data))
        assert (await sync(service, SERIES)).error is None
        assert stored_rows(_uri(data), "binance_data") == simulator.history("BTCUSDT", START, END)


@asynccontextmanager
async def _simulator() -> AsyncIterator[Simulator]:
    async with Simulator(clock=SimulatorClock(parse_time(NOW), frozen=True)) as simulator:
        simulator.faults.latency = 0.005
        yield simulator


def _service(simulator: Simulator, **settings: str) -> AbstractAsyncContextManager[Service]:
    return open_service(load_settings({"BINANCE_SPOT_URL": simulator.url, **settings}), ImpatientClock())


def _killer(mongod: EmbeddedMongod, after: int) -> OnProgress:
    """Kill the server after so many pages; the first report comes before any page."""
    reports = itertools.count()

    def kill(_window: Window, _tally: Tally) -> None:
        if next(reports) == after:
            assert mongod.pid is not None
            os.kill(mongod.pid, signal.SIGKILL)

    return kill


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def _is_revived(mongod: EmbeddedMongod) -> bool:
    before = mongod.pid
    mongod.revive()
    return mongod.pid != before


async def _until_it_answers(service: Service) -> None:
    for _ in range(40):
        if await service.running.database_answers():
            return
    raise AssertionError("the embedded database did not come back")


async def _assert_claims_are_stored(uri: str) -> None:
    database = connect(uri, "binance_data")
    coverage = await MongoCoverage(database).load(SERIES)
    await disconnect(database)
    with MongoClient[dict[str, int]](uri) as client:
        stored = {document["_id"] for document in client["binance_data"][SERIES.name].find({}, {"_id": 1})}
    assert minutes_of(coverage) <= stored


def _uri(data: Path) -> str:
    return f"mongodb://127.0.0.1:{(data / 'mongod.port').read_text()}/?directConnection=true"
