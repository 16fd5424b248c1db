"""Many readers at once beside a running sync: no error, every answer right, the sync complete.

How fast, and how much one slows the other: `benchmarks/load.py`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from backend.clock import parse_time
from backend.core.windows import MINUTE
from backend.store.mongo import Database
from tests.integration.processes import running_service, running_simulator
from tests.integration.stored import stored_rows
from tests.readers import DAY, days_of, read_days, stored_day
from tests.simulator import Simulator, SimulatorClock

NOW = parse_time("2025-06-30T00:00:30Z")
CLOSED = NOW - NOW % MINUTE
FIRST_DAY = parse_time("2025-06-01T00:00:00Z")
DAYS = [FIRST_DAY + number * DAY * MINUTE for number in range(3)]
SYNCED = CLOSED - 50_000 * MINUTE
CLIENTS = 16


async def test_readers_beside_a_sync_get_right_answers_and_the_sync_ends_complete(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    exchange = Simulator(clock=SimulatorClock(NOW, frozen=True))
    with running_simulator("--now", str(NOW), "--frozen", "--no-limit", "--latency", "0.05") as simulated:
        environment = {"BINANCE_SPOT_URL": simulated, "MONGODB_URI": mongod_uri}
        with running_service(
            tmp_path / "log", **environment, MONGODB_DATABASE=database.name, PAGES_IN_FLIGHT="2"
        ) as service:
            url = f"http://127.0.0.1:{service.port}"
            await sync(url, "BTCUSDT", DAYS[0], DAYS[-1] + (DAY - 1) * MINUTE)
            for day in DAYS:
                assert await stored_day(url, day) == exchange.history("BTCUSDT", day, day + DAY * MINUTE)
            days = await days_of(url, DAYS)
            over = asyncio.Event()
            reading = asyncio.create_task(read_days(url, days, CLIENTS, over))
            result = await sync(url, "ETHUSDT", SYNCED, CLOSED - MINUTE)
            over.set()
            found = await reading
    assert (found.errors, result["complete"], result["missing"]) == ([], True, [])
    assert len(found.seconds) >= 2 * CLIENTS, "nobody read beside the sync"
    rows = stored_rows(mongod_uri, database.name, "binance.spot.ETHUSDT")
    assert rows == exchange.history("ETHUSDT", SYNCED, CLOSED)


async def sync(url: str, symbol: str, start: int, end: int) -> dict[str, object]:
    """Sync a window, both ends included, and wait for it."""
    body = {"symbol": symbol, "start_time": start, "end_time": end}
    async with aiohttp.ClientSession(url) as session, session.post("/api/sync", json=body) as answer:
        assert answer.status == 200
        found: dict[str, object] = await answer.json()
        return found
