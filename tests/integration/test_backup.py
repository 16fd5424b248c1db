"""What was exported is restored by the service itself: everything back, and verify finds it sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.clock import parse_time
from backend.core.windows import MINUTE
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.integration.processes import PATIENCE, command, running_simulator
from tests.integration.stored import SERIES, stored_rows
from tests.simulator import Faults, Simulator, SimulatorClock

START = parse_time("2025-06-01T00:00:00Z")
CLOSED = NOW - NOW % MINUTE
OUTAGE = ("2025-06-01T10:00Z", "2025-06-01T10:20Z")
TOTAL = 1500 - 20


@pytest.fixture
def surroundings(mongod_uri: str, database: Database) -> Iterator[dict[str, str]]:
    """Settings of a service whose exchange once had an outage."""
    with running_simulator("--now", str(NOW), "--frozen", "--outage", "/".join(OUTAGE)) as url:
        yield {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": database.name, "BINANCE_SPOT_URL": url}


def run(settings: dict[str, str], *arguments: str | Path) -> tuple[int, str]:
    process = command(*map(str, arguments), **settings)
    output, _ = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in output
    return process.returncode, output


def exported(settings: dict[str, str], folder: Path) -> Path:
    """A backup of a series that was just synced."""
    assert run(settings, "sync", "BTCUSDT")[0] == 0
    backup = folder / "btcusdt.csv"
    assert run(settings, "export", "BTCUSDT", "--format", "csv", "--out", backup)[0] == 0
    return backup


def imported(settings: dict[str, str], backup: Path) -> None:
    status, output = run(settings, "import", "--symbol", "BTCUSDT", backup)
    assert (status, f"{TOTAL:,} new" in output) == (0, True), output


def is_sound(settings: dict[str, str]) -> bool:
    status, output = run(settings, "verify", "BTCUSDT")
    assert f"{TOTAL:,} candles stored, " in output
    return status == 0


def exchange() -> Simulator:
    first, end = map(parse_time, OUTAGE)
    return Simulator(clock=SimulatorClock(NOW, frozen=True), faults=Faults(outages=[(first, end)]))


async def test_after_the_whole_database_is_lost_an_export_brings_everything_back(
    surroundings: dict[str, str], database: Database, tmp_path: Path, mongod_uri: str
) -> None:
    backup = exported(surroundings, tmp_path)
    before = stored_rows(mongod_uri, database.name)
    await database.client.drop_database(database.name)
    imported(surroundings, backup)
    assert is_sound(surroundings)
    assert stored_rows(mongod_uri, database.name) == before
    status, output = run(surroundings, "sync", "BTCUSDT")
    assert (status, "0 new candles" in output, "20 minutes" in output) == (0, True, True), output
    assert stored_rows(mongod_uri, database.name) == exchange().history("BTCUSDT", START, CLOSED)


async def test_after_a_collection_is_lost_verify_makes_room_for_the_export(
    surroundings: dict[str, str], database: Database, tmp_path: Path, mongod_uri: str
) -> None:
    """The ledger still claims what is gone, and an import leaves alone what is held."""
    backup = exported(surroundings, tmp_path)
    before = stored_rows(mongod_uri, database.name)
    await database[SERIES.name].drop()
    assert run(surroundings, "verify", "BTCUSDT")[0] == 1
    imported(surroundings, backup)
    assert is_sound(surroundings)
    assert stored_rows(mongod_uri, database.name) == before
