"""What a one-minute top-up costs when much is stored already: `python -m benchmarks.topup`.

The same series with 1,000, 100,000 and 5,000,000 candles stored in a real mongod; the simulated exchange's
clock moves on by a minute, the service syncs, and the requests it made and the time it took are noted; then
statistics and coverage are read. Flat means: the largest series costs what the smallest does.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from backend.app import open_service
from backend.clock import SystemClock, parse_time
from backend.core.candles import Candle
from backend.core.coverage import Coverage, void_before_listing
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.services.service import Service
from backend.settings import load_settings
from backend.store.embedded import EmbeddedMongod
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database, connect, disconnect
from tests.simulator import Simulator, SimulatorClock, synthetic_market
from tests.syncing import run_job, save_ledger

SIZES = (1_000, 100_000, 5_000_000)
ROUNDS = 25
BATCH = 10_000
LISTED = parse_time("2010-01-01")
NOW = parse_time("2026-01-01T00:00:30Z")
END = NOW - NOW % MINUTE
SERIES = Series("binance", "spot", "BTCUSDT")


class SteppedClock(SystemClock):
    """Real time, and the minutes that the benchmark lets pass at once."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped


class Cost(NamedTuple):
    """Medians: requests and seconds of a top-up, seconds of reading statistics and coverage."""

    requests: float
    topup: float
    statistics: float
    coverage: float


async def store_history(database: Database, size: int) -> None:
    """Candles up to the last 500 minutes, which a sync fetches, and the ledger that claims them."""
    candles = MongoCandles(database, MongoRevisions(database, SystemClock()))
    await candles.create(SERIES)
    start, end = END - size * MINUTE, END - 500 * MINUTE
    for first in range(start, end, BATCH * MINUTE):
        minutes = range(first, min(first + BATCH * MINUTE, end), MINUTE)
        await candles.write(SERIES, [Candle(minute, 1.0, 2.0, 0.5, 1.5, 3.0) for minute in minutes])
    known = Coverage(start, Minutes.of((Window(start, end),)), (void_before_listing(LISTED, NOW),), end)
    await save_ledger(MongoCoverage(database), SERIES, known)


async def measure(uri: str, size: int) -> Cost:
    database = connect(uri, f"size_{size}", 60)
    await store_history(database, size)
    await disconnect(database)
    market = synthetic_market("BTC", "USDT", LISTED, price=100.0, volume=5.0, decimals=(2, 5))
    clock = SteppedClock()
    async with Simulator(markets=[market], clock=SimulatorClock(NOW, frozen=True), limits=False) as simulator:
        settings = {"MONGODB_URI": uri, "MONGODB_DATABASE": f"size_{size}", "BINANCE_SPOT_URL": simulator.url}
        async with open_service(load_settings(settings), clock) as service:
            await run_job(service, SERIES)
            rounds = [await _round(service, simulator, clock) for _ in range(ROUNDS)]
    return Cost(*(statistics.median(values) for values in zip(*rounds, strict=True)))


async def _round(service: Service, simulator: Simulator, clock: SteppedClock) -> Cost:
    simulator.clock.advance(MINUTE)
    clock.skipped += 60
    simulator.requests.clear()
    topup = await _timed(lambda: _top_up(service))
    requests = len(simulator.requests)
    return Cost(
        requests,
        topup,
        await _timed(lambda: service.reading.queries.statistics(SERIES)),
        await _timed(lambda: service.reading.queries.coverage(SERIES)),
    )


async def _top_up(service: Service) -> None:
    job = await run_job(service, SERIES)
    assert (job.tally.new_records, job.tally.revised_records, job.status) == (1, 0, "done"), job


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def main() -> None:
    with TemporaryDirectory(prefix="benchmark-") as folder:
        mongod = EmbeddedMongod(Path(folder))
        uri = mongod.start()
        try:
            costs = {size: asyncio.run(measure(uri, size)) for size in SIZES}
        finally:
            mongod.stop()
    smallest = costs[SIZES[0]]
    print(f"medians of {ROUNDS} top-ups; ratios to the series of {SIZES[0]:,} candles")
    for size, cost in costs.items():
        print(
            f"{size:>9,} candles: {cost.requests:.0f} requests, "
            f"top-up {cost.topup * 1000:.1f} ms ({cost.topup / smallest.topup:.2f}x), "
            f"statistics {cost.statistics * 1000:.2f} ms ({cost.statistics / smallest.statistics:.2f}x), "
            f"coverage {cost.coverage * 1000:.2f} ms ({cost.coverage / smallest.coverage:.2f}x)"
        )


if __name__ == "__main__":
    main()
