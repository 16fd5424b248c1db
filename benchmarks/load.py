"""Many readers, alone and beside a running sync: `python -m benchmarks.load`.

64 clients read a day of minutes each (`GET /api/data/BTCUSDT`, 1,440 candles), the next as soon as they have
one, from a service in a process of its own on a real mongod; every answer is compared byte by byte with the
right one. A sync of ETHUSDT from a simulated exchange without limits runs alone first, then beside the
readers: without limits it takes all that it can get, which is the hardest neighbour that a reader can have.
With `--workers 1` the sync runs in a worker process of its own, beside one that only takes requests.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from backend.clock import parse_time
from backend.core.windows import MINUTE
from backend.store.embedded import EmbeddedMongod
from tests.integration.processes import RunningService, running_service, running_simulator
from tests.readers import DAY, Reading, days_of, read_days
from tests.vitals import forget_peak, vitals_of

NOW = "2026-11-01T00:00:30Z"
FIRST_DAY = parse_time("2026-09-01T00:00:00Z")
DAYS = [FIRST_DAY + number * DAY * MINUTE for number in range(30)]
LONG_AGO = "2017-08-17T04:00:00Z"
LATENCY = "0.05"
CLIENTS = 64
SECONDS = 60.0


class Pace(NamedTuple):
    """What a sync did in some seconds."""

    minutes: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.minutes / self.seconds


class Load:
    """A service, what it should answer, and the job that it does meanwhile."""

    def __init__(self, service: RunningService, clients: int, seconds: float) -> None:
        self._service = service
        self._url = f"http://127.0.0.1:{service.port}"
        self._clients = clients
        self._seconds = seconds

    async def run(self) -> None:
        self._sync({"symbol": "BTCUSDT", "start_time": DAYS[0], "end_time": DAYS[-1] + (DAY - 1) * MINUTE})
        days = await days_of(self._url, DAYS)
        await self._read(days, min(3, self._seconds))
        self._report("readers alone", await self._read(days, self._seconds))
        body = {"symbol": "ETHUSDT", "start_time": LONG_AGO, "wait": False}
        job = self._sync(body)["job"]["id"]
        await asyncio.sleep(2)
        alone = await self._pace(job)
        self._report("sync alone", None, alone)
        pace = asyncio.create_task(self._pace(job))
        beside = await self._read(days, self._seconds)
        self._report("both", beside, await pace)
        print(f"the sync keeps {(await pace).rate / alone.rate:.2f} of its pace beside the readers")

    def _sync(self, body: object) -> Any:
        status, answer = self._service.call("/api/sync", body, seconds=600)
        assert answer["success"], (status, answer)
        return answer

    async def _read(self, days: Mapping[str, bytes], seconds: float) -> Reading:
        forget_peak(self._service.process.pid)
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, over.set)
        return await read_days(self._url, days, self._clients, over)

    async def _pace(self, job: str) -> Pace:
        """How far the job comes in the time; asked by the job's own clock, twice."""
        loop = asyncio.get_running_loop()
        before, began = await self._minutes(job), loop.time()
        await asyncio.sleep(self._seconds)
        return Pace(await self._minutes(job) - before, loop.time() - began)

    async def _minutes(self, job: str) -> int:
        found = (await asyncio.to_thread(self._service.call, f"/api/jobs/{job}"))[1]["job"]
        assert found["status"] == "running", f"the sync is {found['status']}: give fewer --seconds"
        done: int = found["minutes_done"]
        return done

    def _report(self, name: str, reading: Reading | None, pace: Pace | None = None) -> None:
        told = [f"{name:14}"]
        if reading:
            middle, late = reading.milliseconds(50), reading.milliseconds(95)
            told.append(f"{reading.rate:6,.0f} requests/s, p50 {middle:.0f} ms, p95 {late:.0f} ms,")
            told.append(f"errors {len(reading.errors)} of {len(reading.seconds):,},")
        if pace:
            told.append(f"sync {pace.rate:,.0f} minutes/s,")
        print(*told, f"peak {vitals_of(self._service.process.pid).peak:.0f} MB", flush=True)
        for error in (reading.errors if reading else ())[:5]:
            print(" ", error)


@contextmanager
def surroundings(folder: Path, workers: int) -> Iterator[RunningService]:
    """The service with its own database and a simulated exchange; with workers it only takes requests."""
    with ExitStack() as stack:
        mongod = EmbeddedMongod(folder)
        stack.callback(mongod.stop)
        uri = mongod.start()
        exchange = stack.enter_context(running_simulator("--no-limit", "--latency", LATENCY, "--now", NOW))
        settings = {"MONGODB_URI": uri, "BINANCE_SPOT_URL": exchange, "LOG_LEVEL": "WARNING"}
        for number in range(workers):
            stack.enter_context(running_service(folder / f"worker-{number}", ROLE="worker", **settings))
        role = "api" if workers else "all"
        yield stack.enter_context(running_service(folder / "log", ROLE=role, **settings))


def main(clients: int, seconds: float, workers: int) -> None:
    with TemporaryDirectory(prefix="benchmark-") as folder, surroundings(Path(folder), workers) as service:
        print(f"{clients} clients, {workers} workers, {seconds:.0f} s each, {os.cpu_count()} cores")
        asyncio.run(Load(service, clients, seconds).run())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--workers", type=int, default=0, help="processes that do nothing but jobs")
    options = parser.parse_args()
    main(options.clients, options.seconds, options.workers)
