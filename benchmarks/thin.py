"""A market in which a random half of the minutes has no trade: `python -m benchmarks.thin`.

A year of it is synced into a real mongod, and a year of a market that trades every minute, from the same
simulated exchange; requests and minutes a second are compared. Then what it costs to record one page in a
ledger with a million holes: in memory alone, and saved durably.
"""

from __future__ import annotations

import asyncio
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import bson

from backend.app import open_service
from backend.clock import parse_time
from backend.core.coverage import Coverage, void_without_data
from backend.core.minutes import BLOCK, LONG, Minutes
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.services.syncing.ledger import Ledger
from backend.settings import load_settings
from backend.store.embedded import EmbeddedMongod
from backend.store.market.coverage import MongoCoverage
from backend.store.market.ledger_document import document_of
from backend.store.mongo import connect, disconnect
from tests.simulator import Market, Simulator, SimulatorClock, synthetic_market
from tests.simulator.markets import Minutes as Source
from tests.simulator.rows import Row
from tests.syncing import run_job

LISTED = parse_time("2020-01-01")
YEAR = Window(parse_time("2024-01-01"), parse_time("2025-01-01"))
NOW = parse_time("2025-06-01")
FULL, THIN = "FULLUSDT", "THINUSDT"
HOLES = 1_000_000
RECORDS = 100
PAGE = 1000


@dataclass(frozen=True, slots=True)
class HalfTraded:
    """A source of candles of which a random half is left out."""

    source: Source

    def block(self, number: int) -> Sequence[Row]:
        random = Random(number)
        return [row for row in self.source.block(number) if random.random() < 0.5]


class Cost(NamedTuple):
    requests: int
    seconds: float
    stored: int


def markets() -> list[Market]:
    made = [
        synthetic_market(name, "USDT", LISTED, price=100.0, volume=5.0, decimals=(2, 5))
        for name in ("FULL", "THIN")
    ]
    return [made[0], replace(made[1], minutes=HalfTraded(made[1].minutes))]


async def sync_a_year(uri: str, symbol: str) -> Cost:
    async with Simulator(
        markets=markets(), clock=SimulatorClock(NOW, frozen=True), limits=False, kept_requests=1_000_000
    ) as simulator:
        series = Series("binance", "spot", symbol)
        settings = {
            "MONGODB_URI": uri,
            "MONGODB_DATABASE": f"thin_{symbol}",
            "BINANCE_SPOT_URL": simulator.url,
            "ARCHIVE": "off",
        }
        async with open_service(load_settings(settings)) as service:
            simulator.history(symbol, YEAR.start, YEAR.end)
            began = time.perf_counter()
            job = await run_job(service, series, YEAR.start, YEAR.end)
            seconds = time.perf_counter() - began
            assert job.status == "done", job
            asked = sum("klines" in record.path for record in simulator.requests)
            known = await service.reading.queries.known(series)
            assert not known.missing(YEAR, NOW)
            return Cost(asked, seconds, known.held.count())


async def record_in(uri: str) -> tuple[float, float, int]:
    """Median seconds of a record in memory, and saved; bytes of the document."""
    first = 600
    years = range(first, first + 2 * HOLES // BLOCK + 1)
    held = Minutes(dict.fromkeys(years, int("01" * (BLOCK // 2), 2)))
    window = Window(first * LONG, years[-1] * LONG)
    known = Coverage(window.start, held, until=window.end).with_voids([void_without_data(window, NOW)])
    database = connect(uri, "thin_ledger", 60)
    store, series = MongoCoverage(database), Series("binance", "spot", "HOLESUSDT")
    lease = await store.acquire(series, "benchmark", 600)
    assert lease is not None
    assert await store.save(lease, known)
    ledger = Ledger(store, lease._replace(coverage=known))
    inside, saved = [], []
    for number in range(RECORDS):
        start = window.start + number * PAGE * MINUTE
        page = [
            Window(start + minute * MINUTE, start + (minute + 1) * MINUTE) for minute in range(0, PAGE, 4)
        ]
        began = time.perf_counter()
        known.with_held(page).with_voids([void_without_data(Window(start, start + PAGE * MINUTE), NOW)])
        inside.append(time.perf_counter() - began)
        began = time.perf_counter()
        await ledger.record(_with(page))
        saved.append(time.perf_counter() - began)
    await disconnect(database)
    return statistics.median(inside), statistics.median(saved), len(bson.encode(document_of(ledger.coverage)))


def _with(page: Sequence[Window]) -> Callable[[Coverage], Coverage]:
    return lambda known: known.with_held(page)


def main() -> None:
    with TemporaryDirectory() as folder:
        mongod = EmbeddedMongod(Path(folder))
        uri = mongod.start()
        try:
            full = asyncio.run(sync_a_year(uri, FULL))
            thin = asyncio.run(sync_a_year(uri, THIN))
            inside, saved, size = asyncio.run(record_in(uri))
        finally:
            mongod.stop()
    for name, cost in (("every minute", full), ("half of them", thin)):
        rate = YEAR.minutes / cost.seconds
        print(f"{name}: {cost.requests} requests, {rate:,.0f} minutes/s, {cost.stored:,} candles stored")
    print(
        f"requests {thin.requests / full.requests:.2f}x, minutes a second {full.seconds / thin.seconds:.2f}x"
    )
    tracemalloc.start()
    held = Minutes(dict.fromkeys(range(600, 600 + 2 * HOLES // BLOCK + 1), 0))
    held = Minutes({number: int("01" * (BLOCK // 2), 2) for number in held.blocks})
    print(
        f"a ledger with {held.count():,} holes: a record {inside * 1000:.2f} ms in memory, "
        f"{saved * 1000:.2f} ms saved; a document of {size:,} bytes, "
        f"{tracemalloc.get_traced_memory()[0]:,} bytes in memory"
    )


if __name__ == "__main__":
    main()
