"""Weeks of the service's life in minutes: simulated time runs fast, series are topped up without end.

Faults of the exchange come and go at random, readers come, go and hang up; at the end every series is
compared minute for minute with the exchange's history, and what the service takes from the machine with what
it took after the warm-up.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import aiohttp
from pymongo import MongoClient

from backend.clock import parse_time
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE
from backend.store.embedded import EmbeddedMongod
from tests.integration.processes import ROOT, environment, running_simulator
from tests.integration.stored import stored_documents
from tests.simulator import Simulator, SimulatorClock
from tests.vitals import vitals_of

NOW = parse_time("2025-06-02T01:00:30Z")
START = parse_time("2025-05-25T00:00:00Z")
"""More minutes than a batch holds: later ones make no reading take more memory."""

SERIES = (
    Series("binance", "spot", "BTCUSDT"),
    Series("binance", "spot", "ETHUSDT"),
    Series("binance", "perpetual", "BTCUSDT"),
    Series("bitget", "spot", "BTCUSDT"),
    Series("bitget", "perpetual", "BTCUSDT"),
    Series("bingx", "perpetual", "BTCUSDT"),
    Series("extended", "perpetual", "BTC-USD"),
)
DATABASE = "soak"
SAMPLES = 12
QUIET = {
    **dict.fromkeys(("error_rate", "reset_rate", "hang_rate", "garbage_rate"), 0.0),
    **dict.fromkeys(("unordered_rate", "duplicate_rate", "outside_rate", "latency", "jitter"), 0.0),
    "page_cap": None,
    "forced": None,
    "hang_seconds": 0.2,
}
BAD_TIMES: Sequence[dict[str, Any]] = (
    {"error_rate": 0.2},
    {"reset_rate": 0.2},
    {"garbage_rate": 0.2},
    {"hang_rate": 0.1},
    {"latency": 0.05, "jitter": 0.1},
    {"unordered_rate": 0.5, "duplicate_rate": 0.5, "outside_rate": 0.5},
    {"page_cap": 150},
    {"forced": {"status": 429, "count": 3, "retry_after": 1}},
    {"error_rate": 1.0},
    {},
    {},
)
READS = (
    "/api/data/BTCUSDT?last=1440",
    "/api/data/BTCUSDT?format=arrow",
    "/api/data/ETHUSDT?interval=1h&format=csv",
    "/api/coverage/BTCUSDT",
    "/api/stats/ETHUSDT",
    "/api/series",
    "/api/jobs",
    "/binance/api/v3/klines?symbol=BTCUSDT&interval=5m",
    "/metrics",
    "/health",
)
FIELDS = ("_id", "open", "high", "low", "close", "volume")


class Sample(NamedTuple):
    """What the service takes when it is at rest: MB, and counts. `tasks` are asyncio's."""

    resident: float
    threads: int
    descriptors: int
    connections: int
    tasks: int


class Soaked(NamedTuple):
    """Samples in the order of time, and how the soak went."""

    samples: Sequence[Sample]
    simulated_hours: float
    syncs: int
    failed_syncs: int
    reads: int
    differences: Sequence[str]

    @property
    def warm(self) -> Sequence[Sample]:
        """The samples of the second quarter: the first is the warm-up."""
        return self.samples[len(self.samples) // 4 : len(self.samples) // 2]

    @property
    def last(self) -> Sequence[Sample]:
        """The samples of the last quarter."""
        return self.samples[-(len(self.samples) // 4) :]

    def growth(self, name: str) -> float:
        """From the most in the second quarter to the least in the last: a leak grows here, noise does not."""
        before: float = max(getattr(sample, name) for sample in self.warm)
        after: float = min(getattr(sample, name) for sample in self.last)
        return after - before


class Hurried:
    """The service as a process on a fast clock."""

    def __init__(self, speed: float, log: Path, settings: dict[str, str]) -> None:
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.hurried", str(speed)],
                cwd=ROOT,
                env=environment(**settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self.pid = self._process.pid
        self.url = f"http://127.0.0.1:{int(self._line())}"

    def tasks(self) -> dict[str, int]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, int] = json.loads(self._line())
        return found

    def stop(self) -> None:
        self._process.communicate(timeout=60)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class Soak:
    """One soak of `seconds` real seconds."""

    def __init__(self, service: Hurried, exchange: str, mongodb: str, seconds: float, seed: int) -> None:
        self._service = service
        self._exchange = exchange
        self._mongodb = mongodb
        self._seconds = seconds
        self._chance = Random(seed)
        self._syncs = self._failed = self._reads = 0
        self._samples: list[Sample] = []

    async def run(self, speed: float) -> Soaked:
        async with aiohttp.ClientSession() as session:
            self._session = session
            await self._tell("clock", {"speed": speed})
            for _ in range(SAMPLES):
                await self._live(self._seconds / SAMPLES)
                await self._tell("faults", QUIET)
                await self._sync_all()
                self._samples.append(await self._at_rest())
            end = await self._now() // MINUTE * MINUTE - 2 * MINUTE
            results = await self._sync_all(end)
        differences = [f"not complete: {result}" for result in results if not result["complete"]]
        differences += [text for series in SERIES for text in self._compared(series, end)]
        hours = (end - NOW) / HOUR
        return Soaked(self._samples, hours, self._syncs, self._failed, self._reads, differences)

    async def _live(self, seconds: float) -> None:
        """Sync and read for some seconds, through bad times of the exchange."""
        async with asyncio.timeout(seconds + 60):
            over = asyncio.Event()
            asyncio.get_running_loop().call_later(seconds, over.set)
            await asyncio.gather(
                self._trouble(over),
                *(self._keep_synced(one, over) for one in SERIES),
                self._keep_reading(over),
            )

    async def _trouble(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self._tell("faults", QUIET | self._chance.choice(BAD_TIMES))
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), self._chance.uniform(0.3, 1.5))
        await self._tell("faults", QUIET)

    async def _keep_synced(self, series: Series, over: asyncio.Event) -> None:
        while not over.is_set():
            self._failed += not (await self._sync(series))["success"]
            self._syncs += 1
            await asyncio.sleep(self._chance.uniform(0.0, 0.3))

    async def _keep_reading(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await asyncio.gather(*(self._read(self._chance.choice(READS)) for _ in range(4)))
            await asyncio.sleep(self._chance.uniform(0.0, 0.2))

    async def _read(self, path: str) -> None:
        """Read to the end, or hang up after the first bytes."""
        async with self._session.get(self._service.url + path) as answer:
            if self._chance.random() < 0.2:
                await answer.content.readany()
                answer.close()
            else:
                body = await answer.read()
                # A series may not be stored yet.
                assert answer.status in (200, 404), body[:300]
        self._reads += 1

    async def _sync_all(self, end: int | None = None) -> list[dict[str, Any]]:
        """Sync every series without faults."""
        return list(await asyncio.gather(*(self._sync(series, end) for series in SERIES)))

    async def _sync(self, series: Series, end: int | None = None) -> dict[str, Any]:
        window = {"start_time": START} | ({} if end is None else {"end_time": end - MINUTE})
        whole = {"exchange": series.exchange, "market": series.market, "wait": 86_400}
        body = {"symbol": series.symbol} | whole | window
        async with self._session.post(f"{self._service.url}/api/sync", json=body) as answer:
            found: dict[str, Any] = await answer.json()
        assert answer.status in (200, 429, 502, 503), found
        return found

    async def _at_rest(self) -> Sample:
        """What the service takes when nobody asks it for anything: the least of some looks."""
        looks = []
        for _ in range(3):
            await asyncio.sleep(0.2)
            vitals = vitals_of(self._service.pid)
            tasks = sum(self._service.tasks().values())
            looks.append(
                Sample(vitals.resident, vitals.threads, vitals.descriptors, self._connections(), tasks)
            )
        return Sample(*map(min, zip(*looks, strict=True)))

    def _connections(self) -> int:
        """Connections to MongoDB, without the one that asks (and its monitors)."""
        with MongoClient[dict[str, Any]](self._mongodb, appname="soak") as client:
            stages = [{"$currentOp": {"allUsers": True, "idleConnections": True}}]
            found = client.admin.aggregate(stages)
            return sum(one.get("appName") == "market-data-service" for one in found)

    async def _tell(self, what: str, changes: dict[str, Any]) -> None:
        async with self._session.post(f"{self._exchange}/_sim/{what}", json=changes) as answer:
            assert answer.status == 200, await answer.text()

    async def _now(self) -> int:
        async with self._session.get(f"{self._exchange}/_sim/clock") as answer:
            now: int = (await answer.json())["now"]
            return now

    def _compared(self, series: Series, end: int) -> Iterator[str]:
        """Where what is stored differs from what the exchange has."""
        symbol = series.symbol.replace("-", "")
        exchange = Simulator(clock=SimulatorClock(end + HOUR, frozen=True))
        has = {
            row[0]: row[:6] for row in exchange.history(symbol, START, end, series.exchange, series.market)
        }
        documents = stored_documents(self._mongodb, DATABASE, series.name)
        stored = {
            document["_id"]: tuple(document[name] for name in FIELDS)
            for document in documents
            if document["_id"] < end
        }
        assert len(has) == (end - START) // MINUTE
        differing = [moment for moment in has.keys() | stored.keys() if has.get(moment) != stored.get(moment)]
        if differing:
            yield f"{series.name}: {len(differing)} minutes differ, the first is {min(differing)}"


@contextmanager
def _surroundings(folder: Path, speed: float) -> Iterator[tuple[Hurried, str, str]]:
    """The service on a fast clock, its exchange and its database, which is its own."""
    with ExitStack() as stack:
        mongod = EmbeddedMongod(folder)
        stack.callback(mongod.stop)
        mongodb = mongod.start()
        exchange = stack.enter_context(running_simulator("--no-limit", "--now", str(NOW), "--frozen"))
        names = ("BINANCE_SPOT_URL", "BINANCE_PERPETUAL_URL", "BITGET_URL", "BINGX_URL")
        settings = {
            **dict.fromkeys(names, exchange),
            "EXTENDED_URL": f"{exchange}/api/v1",
            "MONGODB_URI": mongodb,
            "MONGODB_DATABASE": DATABASE,
            "REQUEST_TIMEOUT": "5",
            "LOG_LEVEL": "WARNING",
        }
        service = Hurried(speed, folder / "log", settings)
        stack.callback(service.stop)
        yield service, exchange, mongodb


def soak(folder: Path, seconds: float, speed: float, seed: int) -> Soaked:
    """Let the service live for so many real seconds at so many times the pace of time."""
    with _surroundings(folder, speed) as (service, exchange, mongodb):
        return asyncio.run(Soak(service, exchange, mongodb, seconds, seed).run(speed))
