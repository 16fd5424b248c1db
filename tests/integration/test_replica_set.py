"""A replica set through MONGODB_URI: its primary is killed in mid-sync, again and again; the job goes on."""

from __future__ import annotations

import os
from pathlib import Path

from backend.app import open_service
from backend.clock import parse_time
from backend.core.job import SyncRequest
from backend.core.windows import MINUTE
from backend.settings import load_settings
from backend.store.market.coverage import MongoCoverage
from backend.store.mongo import connect, disconnect
from tests.conftest import ImpatientClock
from tests.integration.replicas import running_replica_set
from tests.integration.stored import SERIES, minutes_of, stored_rows
from tests.simulator import Simulator, SimulatorClock

NOW = parse_time("2025-06-15T00:00:30Z")
CLOSED = NOW - NOW % MINUTE
ROUNDS = int(os.environ.get("PRIMARY_ROUNDS", "3"))
"""`make soak`: 10."""

PAGES_A_ROUND = 6


async def test_a_job_goes_on_by_itself_whenever_the_primary_is_killed(tmp_path: Path) -> None:
    start = CLOSED - ROUNDS * PAGES_A_ROUND * 1000 * MINUTE
    async with Simulator(clock=SimulatorClock(NOW, frozen=True)) as simulator:
        simulator.faults.latency = 0.02
        with running_replica_set(tmp_path) as replicas:
            settings = load_settings(
                {
                    "BINANCE_SPOT_URL": simulator.url,
                    "MONGODB_URI": replicas.uri,
                    "DATABASE_TIMEOUT": "5",
                    "LEASE_SECONDS": "2",
                    "PAGES_IN_FLIGHT": "2",
                }
            )
            async with open_service(settings, ImpatientClock()) as service:
                [job] = await service.jobs.submit([SyncRequest(SERIES, start)])
                for number in range(ROUNDS):
                    goal = (number * PAGES_A_ROUND + 1) * 1000
                    async for found in service.jobs.watch(job.id):
                        if found.over or found.tally.minutes_done >= goal:
                            break
                    primary = replicas.primary()
                    replicas.kill(primary)
                    replicas.primary()
                    replicas.start_member(primary)
                ended = await service.jobs.wait(job.id, 120)
            assert (ended.status, ended.failure) == ("done", None)
            rows = stored_rows(replicas.uri, settings.mongodb_database)
            database = connect(replicas.uri, settings.mongodb_database)
            claimed = minutes_of(await MongoCoverage(database).load(SERIES))
            await disconnect(database)
        assert rows == simulator.history("BTCUSDT", start, CLOSED)
        assert claimed == {row[0] for row in rows}
