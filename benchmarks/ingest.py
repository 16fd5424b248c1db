"""How fast a sync is against a plain loop: `python -m benchmarks.ingest`.

Both read the same simulated exchange, without limits or latency, from a cache that was warmed before, and
write to the same real mongod. The plain loop is what one writes first: one page after the other, `json`, one
`UpdateOne(..., upsert=True)` a candle in a bulk write a page, documents with an ObjectId and a unique index
on the open time. Each measurement is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import aiohttp
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import UpdateOne

from backend.app import open_service
from backend.clock import parse_time
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.settings import load_settings
from backend.store.embedded import EmbeddedMongod
from tests.syncing import run_job

START = parse_time("2025-06-01T00:00:00Z")
CLOCK_STARTS = "2026-11-01T00:00:00Z"
PAGE = 1000
ROUNDS = 3
CANDLES = 500_000


class Measured(NamedTuple):
    candles: int
    seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        return self.candles / self.seconds


async def sync(exchange: str, uri: str, database: str, candles: int) -> int:
    """This service's own sync."""
    settings = load_settings({"MONGODB_URI": uri, "MONGODB_DATABASE": database, "BINANCE_SPOT_URL": exchange})
    async with open_service(settings) as service:
        series = Series("binance", "spot", "BTCUSDT")
        job = await run_job(service, series, START, START + candles * MINUTE)
        assert job.status == "done", job
        return job.tally.new_records


async def plain_loop(exchange: str, uri: str, database: str, candles: int) -> int:
    """What one writes first."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri)
    collection = client[database]["btcusdt"]
    await collection.create_index("open_time", unique=True)
    end = START + candles * MINUTE
    stored, cursor = 0, START
    async with aiohttp.ClientSession() as session:
        while cursor < end:
            bounds = {"startTime": cursor, "endTime": end - 1, "limit": PAGE}
            async with session.get(
                f"{exchange}/api/v3/klines", params={"symbol": "BTCUSDT", "interval": "1m", **bounds}
            ) as answer:
                rows = json.loads(await answer.text())
            updates = [
                UpdateOne(
                    {"open_time": row[0]},
                    {
                        "$set": {
                            "open": float(row[1]),
                            "high": float(row[2]),
                            "low": float(row[3]),
                            "close": float(row[4]),
                            "volume": float(row[5]),
                            "close_time": row[6],
                            "quote_volume": float(row[7]),
                            "trades": row[8],
                            "taker_buy_volume": float(row[9]),
                            "taker_buy_quote_volume": float(row[10]),
                        }
                    },
                    upsert=True,
                )
                for row in rows
            ]
            stored += (await collection.bulk_write(updates, ordered=False)).upserted_count
            cursor = rows[-1][0] + MINUTE
    client.close()
    return stored


WAYS: dict[str, Callable[[str, str, str, int], Coroutine[Any, Any, int]]] = {
    "sync": sync,
    "plain loop": plain_loop,
}


def measure(way: str, exchange: str, uri: str, database: str, candles: int) -> Measured:
    """Run one way in a process of its own."""
    output = subprocess.check_output(
        [sys.executable, "-m", "benchmarks.ingest", "--way", way, exchange, uri, database, str(candles)],
        text=True,
    )
    return Measured(*json.loads(output))


def run_way(way: str, exchange: str, uri: str, database: str, candles: int) -> Measured:
    began = time.perf_counter()
    stored = asyncio.run(WAYS[way](exchange, uri, database, candles))
    seconds = time.perf_counter() - began
    assert stored == candles, f"{stored} candles stored instead of {candles}"
    return Measured(stored, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


@contextmanager
def simulated_exchange() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", "--no-limit", "--now", CLOCK_STARTS],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.communicate()


def warm(exchange: str, candles: int) -> None:
    """Let the simulator invent its candles before anybody is measured."""
    for start in range(START, START + candles * MINUTE, PAGE * MINUTE):
        query = f"symbol=BTCUSDT&interval=1m&limit={PAGE}&startTime={start}"
        with urllib.request.urlopen(f"{exchange}/api/v3/klines?{query}") as answer:
            answer.read()


def main(candles: int, rounds: int) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
        mongod = EmbeddedMongod(folder)
        stack.callback(mongod.stop)
        uri = mongod.start()
        exchange = stack.enter_context(simulated_exchange())
        warm(exchange, candles)
        print(f"{candles:,} candles, {rounds} rounds, {os.cpu_count()} cores")
        found: dict[str, list[Measured]] = {way: [] for way in WAYS}
        for number in range(rounds):
            for way, measured in found.items():
                database = f"{way.replace(' ', '_')}_{number}"
                measured.append(measure(way, exchange, uri, database, candles))
        short = measure("sync", exchange, uri, "sync_short", candles // 5)
    for way, measured in found.items():
        rates = ", ".join(f"{one.rate:,.0f}" for one in measured)
        print(f"{way:10} {_median_rate(measured):9,.0f} candles/s ({rates}), peak {_peak(measured):.0f} MB")
    ratio = _median_rate(found["sync"]) / _median_rate(found["plain loop"])
    print(f"ratio      {ratio:.1f}x the plain loop")
    print(f"memory     {_peak(found['sync']) / short.peak_mb:.2f}x the peak of a fifth of the range")


def _median_rate(measured: list[Measured]) -> float:
    return statistics.median(one.rate for one in measured)


def _peak(measured: list[Measured]) -> float:
    return max(one.peak_mb for one in measured)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candles", type=int, default=CANDLES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("inner", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        inner_exchange, inner_uri, inner_database, inner_candles = options.inner
        print(json.dumps(run_way(options.way, inner_exchange, inner_uri, inner_database, int(inner_candles))))
    else:
        main(options.candles, options.rounds)
