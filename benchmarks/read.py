"""How fast a year of candles is read: `python -m benchmarks.read`.

525,600 candles on a real mongod. Each format is asked for over HTTP, from a service in a process of its own,
by a client that does nothing but receive; against the raw limit, which is `find_raw_batches` alone, without
decoding anything, and against what one writes first: `find().to_list()` and `json.dumps`, which do not even
have to send it. Longer intervals are held against MongoDB's `$group` alone. Every way runs in a process of
its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import aiohttp
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from backend.app import open_service
from backend.app.memory import calm_garbage_collector, keep_freed_memory
from backend.clock import SystemClock, parse_time
from backend.core.candles import Candle
from backend.core.coverage import Coverage
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.formats import FORMATS
from backend.settings import load_settings
from backend.store.embedded import EmbeddedMongod
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import connect, disconnect
from backend.web.routes import make_server
from tests.syncing import save_ledger

SERIES = Series("binance", "spot", "BTCUSDT")
START = parse_time("2025-06-01T00:00:00Z")
YEAR = 525_600
DAY = 1_440
DATABASE = "read"
ROUNDS = 5
REQUESTS = 1_000
CLIENTS = 8
STEPS = {"1h": 60 * MINUTE, "1d": DAY * MINUTE}

Collection = AsyncIOMotorCollection[dict[str, Any]]


class Measured(NamedTuple):
    """Seconds of one round, and the most memory that its process ever had."""

    seconds: float
    peak_mb: float


async def raw_limit(candles: Collection) -> None:
    """What the driver hands over, without a look at it."""
    size = 0
    async for batch in candles.find_raw_batches({}, batch_size=10_000).sort("_id", 1):
        size += len(batch)
    assert size > YEAR


async def plain_way(candles: Collection) -> None:
    """What one writes first."""
    rows = await candles.find().sort("_id", 1).to_list(None)
    assert len(json.dumps({"data": rows})) > YEAR


async def grouped(candles: Collection, step: int) -> None:
    """The server's own way to longer intervals, without making anything of the answer."""
    names = ("volume", "quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume")
    fields: dict[str, object] = {
        "_id": {"$subtract": ["$_id", {"$mod": ["$_id", step]}]},
        "open": {"$first": "$open"},
        "high": {"$max": "$high"},
        "low": {"$min": "$low"},
        "close": {"$last": "$close"},
        **{name: {"$sum": f"${name}"} for name in names},
        "minutes": {"$sum": 1},
    }
    stages: list[dict[str, Any]] = [{"$sort": {"_id": 1}}, {"$group": fields}, {"$sort": {"_id": 1}}]
    assert len(await candles.aggregate(stages).to_list(None)) == YEAR * MINUTE // step


DIRECT: dict[str, Callable[[Collection], Awaitable[None]]] = {
    "raw": raw_limit,
    "plain": plain_way,
    **{f"group-{name}": partial(grouped, step=step) for name, step in STEPS.items()},
}


async def run_direct(way: str, uri: str) -> Measured:
    """Measure a way that needs no service, in this process."""
    calm_garbage_collector()
    keep_freed_memory()
    candles: Collection = AsyncIOMotorClient(uri)[DATABASE][SERIES.name]
    await candles.find_one()
    began = time.perf_counter()
    await DIRECT[way](candles)
    seconds = time.perf_counter() - began
    return Measured(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def direct(way: str, uri: str) -> Measured:
    """Measure a way that needs no service, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.read", "--direct", way, uri]
    return Measured(*json.loads(subprocess.check_output(command, text=True)))


async def serve(uri: str) -> None:
    """The service as it is, until somebody ends this process."""
    async with open_service(load_settings({"MONGODB_URI": uri, "MONGODB_DATABASE": DATABASE})) as service:
        server = make_server(service, "all")
        server.listen(0, "127.0.0.1")
        port = next(iter(server._sockets.values())).getsockname()[1]
        print(port, flush=True)
        await asyncio.Event().wait()


class Served(NamedTuple):
    port: int
    process: int

    @property
    def peak_mb(self) -> float:
        status = Path(f"/proc/{self.process}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line)


@contextmanager
def service(uri: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.read", "--serve", uri], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Served(int(process.stdout.readline()), process.pid)
    finally:
        process.terminate()
        process.communicate()


def fetch(port: int, query: str) -> tuple[float, int]:
    """Seconds and bytes of an answer, received and thrown away."""
    request = f"GET /api/data/BTCUSDT?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    buffer, size, tail = bytearray(1 << 20), 0, b""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.encode())
        while received := connection.recv_into(buffer):
            if not size:
                assert buffer.startswith(b"HTTP/1.1 200"), buffer[:received]
            size += received
            tail = (tail + buffer[max(0, received - 5) : received])[-5:]
    assert tail == b"0\r\n\r\n", tail
    return time.perf_counter() - began, size


async def days(port: int, requests: int) -> list[float]:
    """Seconds of each request for one day, CLIENTS at a time."""
    chance = Random(1)
    starts = iter([START + chance.randrange(YEAR // DAY - 1) * DAY * MINUTE for _ in range(requests)])
    seconds: list[float] = []

    async def client(session: aiohttp.ClientSession) -> None:
        for start in starts:
            began = time.perf_counter()
            query = f"start_time={start}&end_time={start + (DAY - 1) * MINUTE}"
            async with session.get(f"http://127.0.0.1:{port}/api/data/BTCUSDT?{query}") as answer:
                body = await answer.read()
            seconds.append(time.perf_counter() - began)
            assert body.count(b"open_time") == DAY

    async with aiohttp.ClientSession(
        auto_decompress=False, headers={"Accept-Encoding": "identity"}
    ) as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    return seconds


async def store(uri: str) -> None:
    """A year of candles that look like the market's, and the ledger's word for them."""
    database = connect(uri, DATABASE)
    candles = MongoCandles(database, MongoRevisions(database, SystemClock()))
    await candles.create(SERIES)
    chance, price = Random(1), 67_000.0
    for first in range(0, YEAR, 10_000):
        rows = []
        for number in range(first, min(first + 10_000, YEAR)):
            rows.append(candle(START + number * MINUTE, price, chance))
            price = rows[-1].close
        await candles.write(SERIES, rows)
    held = Window(START, START + YEAR * MINUTE)
    await save_ledger(MongoCoverage(database), SERIES, Coverage(START, Minutes.of((held,)), (), held.end))
    await disconnect(database)


def candle(open_time: int, price: float, chance: Random) -> Candle:
    close = round(price * (1 + chance.gauss(0, 0.0004)), 2)
    volume, share = round(chance.expovariate(0.05), 5), chance.random()
    return Candle(
        open_time,
        open=price,
        high=round(max(price, close) + abs(chance.gauss(0, 9)), 2),
        low=round(min(price, close) - abs(chance.gauss(0, 9)), 2),
        close=close,
        volume=volume,
        quote_volume=round(volume * close, 7),
        trades=chance.randrange(20, 4000),
        taker_buy_volume=round(volume * share, 5),
        taker_buy_quote_volume=round(volume * share * close, 7),
    )


QUERIES = {
    **{name: f"format={name}" for name in FORMATS},
    **{f"year -> {name}": f"interval={name}" for name in STEPS},
}


def main(rounds: int, requests: int) -> None:
    with ExitStack() as stack:
        mongod = EmbeddedMongod(Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-"))))
        stack.callback(mongod.stop)
        uri = mongod.start()
        asyncio.run(store(uri))
        services = {name: stack.enter_context(service(uri)) for name in QUERIES}
        sizes = {name: fetch(found.port, QUERIES[name])[1] for name, found in services.items()}
        seconds: dict[str, list[float]] = {name: [] for name in (*DIRECT, *QUERIES)}
        peaks = dict.fromkeys(DIRECT, 0.0)
        for _ in range(rounds):
            for way in DIRECT:
                measured = direct(way, uri)
                seconds[way].append(measured.seconds)
                peaks[way] = max(peaks[way], measured.peak_mb)
            for name, found in services.items():
                seconds[name].append(fetch(found.port, QUERIES[name])[0])
        peaks |= {name: found.peak_mb for name, found in services.items()}
        report({name: statistics.median(found) for name, found in seconds.items()}, peaks, sizes)
        report_days(services["json"].port, requests)


def report(seconds: dict[str, float], peaks: dict[str, float], sizes: dict[str, int]) -> None:
    print(f"{YEAR:,} candles, {os.cpu_count()} cores, medians")
    for way in ("raw", "plain"):
        print(f"{way:10} {YEAR / seconds[way]:11,.0f} rows/s, peak {peaks[way]:.0f} MB")
    for name in FORMATS:
        ratios = f"{seconds['raw'] / seconds[name]:.2f} of raw, {seconds['plain'] / seconds[name]:.1f}x plain"
        sent = f"{sizes[name] / 1e6:.0f} MB sent"
        print(f"{name:10} {YEAR / seconds[name]:11,.0f} rows/s, {ratios}, peak {peaks[name]:.0f} MB, {sent}")
    for name in STEPS:
        ours, group = seconds[f"year -> {name}"], seconds[f"group-{name}"]
        print(f"year -> {name} {ours * 1000:.0f} ms, $group alone {group * 1000:.0f} ms ({ours / group:.2f})")


def report_days(port: int, requests: int) -> None:
    asyncio.run(days(port, CLIENTS * 5))
    seconds = sorted(asyncio.run(days(port, requests)))
    middle, late = (seconds[len(seconds) * part // 100] * 1000 for part in (50, 95))
    print(f"a day, {requests} requests, {CLIENTS} clients: p50 {middle:.1f} ms, p95 {late:.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--direct", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
    elif options.direct:
        print(json.dumps(asyncio.run(run_direct(*options.direct))))
    else:
        main(options.rounds, options.requests)
