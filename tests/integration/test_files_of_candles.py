"""Candles from files, served by the simulator: the sync ends equal to the file, holes named.

The first test makes its file. The second reads real candles from the folder that REAL_CANDLES names.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.app import open_service
from backend.clock import iso, parse_time
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.settings import load_settings
from backend.store.mongo import Database
from tests.conftest import ImpatientClock
from tests.integration.stored import stored_rows
from tests.simulator import Simulator, SimulatorClock, market_of_file
from tests.syncing import sync

FIRST = parse_time("2019-11-13T00:00:00Z")


def rows_of(path: Path) -> dict[int, tuple[float, ...]]:
    """The file's unique minutes: open time -> open, high, low, close, volume."""
    with gzip.open(path, "rt", newline="") as text:
        rows = csv.DictReader(text)
        time = next(name for name in rows.fieldnames or [] if name.startswith("open_time"))
        return {
            int(row[time]): tuple(float(row[name]) for name in ("open", "high", "low", "close", "volume"))
            for row in rows
        }


async def assert_synced_equal(path: Path, mongod_uri: str, database: Database) -> list[tuple[str, int]]:
    """Sync the file's window; the voids as (first minute, minutes)."""
    market = market_of_file(path)
    expected = rows_of(path)
    start, end = min(expected), max(expected) + MINUTE
    async with Simulator(markets=[market], clock=SimulatorClock(end + 10_000, frozen=True)) as simulator:
        settings = load_settings(
            {
                "MONGODB_URI": mongod_uri,
                "MONGODB_DATABASE": database.name,
                "BINANCE_SPOT_URL": simulator.url,
            }
        )
        async with open_service(settings, ImpatientClock()) as service:
            series = Series("binance", "spot", market.symbol)
            result = await sync(service, series, start=start, end=end)
            rows = stored_rows(mongod_uri, database.name, series.name)
            assert {row[0]: row[1:6] for row in rows} == expected
            assert result.missing == ()
            absent = {minute for absence in result.absent for minute in range(*absence.window, MINUTE)}
            assert absent == set(range(start, end, MINUTE)) - set(expected)
            return [(iso(absence.window.start), absence.window.minutes) for absence in result.absent]


async def test_a_files_outage_is_named_and_its_duplicates_are_stored_once(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    path = tmp_path / "binance_spot_ETHBTC_1m_made.csv.gz"
    with gzip.open(path, "wt") as text:
        text.write("open_time_ms,open,high,low,close,volume\n")
        for minute in _with_an_outage_and_duplicates():
            price = 0.02 + minute * 1e-6
            text.write(
                f"{FIRST + minute * MINUTE},{price:.8f},{price:.8f},{price:.8f},{price:.8f},{minute}\n"
            )
    voids = await assert_synced_equal(path, mongod_uri, database)
    assert voids == [("2019-11-13T02:00:00+00:00", 140), ("2019-11-13T05:30:00+00:00", 3)]


def _with_an_outage_and_duplicates() -> Iterator[int]:
    for minute in range(2500):
        if 120 <= minute < 260 or 330 <= minute < 333:
            continue
        yield minute
        if minute % 300 == 0:
            yield minute


@pytest.mark.skipif(
    not os.environ.get("REAL_CANDLES"), reason="REAL_CANDLES names no folder of recorded candle files"
)
@pytest.mark.parametrize(
    ("name", "voids"),
    [
        (
            "binance_spot_ETHBTC_1m_20191015-20191114.csv.gz",
            [("2019-11-13T02:00:00+00:00", 140), ("2019-11-13T05:30:00+00:00", 3)],
        ),
        ("binance_spot_ADAUSDT_1m_20230316-20230501.csv.gz", [("2023-03-24T12:40:00+00:00", 80)]),
        ("binance_um_NEARUSDT_1m_2023-09.csv.gz", []),
    ],
)
async def test_real_candles_end_equal_to_their_file(
    mongod_uri: str, database: Database, name: str, voids: list[tuple[str, int]]
) -> None:
    path = Path(os.environ["REAL_CANDLES"]) / name
    assert await assert_synced_equal(path, mongod_uri, database) == voids
