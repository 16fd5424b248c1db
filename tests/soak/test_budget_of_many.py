"""Workers that come and go behind one address never spend more than the exchange allows it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from backend.store.mongo import Database
from tests.integration.processes import running_service, running_simulator
from tests.integration.test_roles import statuses

SECONDS = 75
"""A minute and a quarter each alone, together, and alone again: longer than the exchange's window."""


def keep_busy(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(1)


def test_workers_that_come_and_go_are_never_refused(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(running_simulator("--weight-limit", "600"))
        environment = {
            "BINANCE_SPOT_URL": url,
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            "RATE_LIMIT_SHARE": "0.09",  # of 6000: nine tenths of what this exchange allows
            "JOBS_AT_ONCE": "1",
            "LEASE_SECONDS": "3",
        }
        first = stack.enter_context(running_service(tmp_path / "first", **environment))
        symbols = {"symbols": ["BTCUSDT", "ETHUSDT"], "start_time": "2019-01-01", "wait": False}
        assert first.call("/api/sync", symbols)[0] == 202
        keep_busy(SECONDS)
        with running_service(tmp_path / "second", **environment, ROLE="worker"):
            keep_busy(2 * SECONDS)
        keep_busy(SECONDS)
        jobs = first.call("/api/jobs")[1]["jobs"]
        assert all(job["minutes_done"] > 100_000 for job in jobs)
        assert statuses(url) == {"200"}
