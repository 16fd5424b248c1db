"""Listings of thousands of series: `python -m benchmarks.many`.

A service in a process of its own on a real mongod with 5,000 series of a day and an hour each, all of one
market. Each listing is asked for over HTTP: first some seconds after the start ("first"), then again with
nothing written meanwhile, and again after another process has written a candle to one series, and to a
hundred. After each write the listing is compared with what the write made of it. The alternative in the same
run is to read each series: its ledger, its size, its newest candles, sixteen side by side.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from backend.clock import LATEST, SystemClock, parse_time
from backend.core.candles import Candle
from backend.core.coverage import Coverage, void_before_listing
from backend.core.day import MINUTES_A_DAY
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.store.embedded import EmbeddedMongod
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database, connect, disconnect
from tests.integration.processes import RunningService, running_service
from tests.syncing import save_ledger

STORED = 1_500
START = parse_time("2026-01-01T00:00:00Z")
END = START + STORED * MINUTE
SIDE_BY_SIDE = 16
ROUNDS = 5
WARM_SECONDS = 30
"""Enough for the service to read all ledgers and newest candles after its start."""

LISTINGS = {
    ("binance", "spot"): {
        "exchangeInfo": "/binance/api/v3/exchangeInfo",
        "exchangeInfo of one": "/binance/api/v3/exchangeInfo?symbol=S00042USDT",
        "ticker/price": "/binance/api/v3/ticker/price",
        "ticker/price of one": "/binance/api/v3/ticker/price?symbol=S00042USDT",
        "ticker/24hr": "/binance/api/v3/ticker/24hr",
        "ticker/24hr of one": "/binance/api/v3/ticker/24hr?symbol=S00042USDT",
    },
    ("bitget", "spot"): {"symbols": "/bitget/api/v2/spot/public/symbols"},
    ("bingx", "perpetual"): {"contracts": "/bingx/openApi/swap/v2/quote/contracts"},
}
EVERYWHERE = {
    "series?limit=1000": "/api/series?limit=1000",
    "series": "/api/series",
    "overview?limit=1000": "/api/overview?limit=1000",
}


def candles(first: int, number: int) -> list[Candle]:
    moments = range(first, first + number * MINUTE, MINUTE)
    return [Candle(moment, 1.5, 2.25, 0.5, 1.75, 3.125, 5.5, 7, 1.5, 2.5) for moment in moments]


class Many:
    """Stored series, and a service that lists them."""

    def __init__(self, database: Database, series: Sequence[Series]) -> None:
        self._database = database
        self._series = series
        self._candles = MongoCandles(database, MongoRevisions(database, SystemClock()))
        self._coverage = MongoCoverage(database)
        self.ends = dict.fromkeys(series, END)

    async def store(self) -> None:
        """The same candles for each series, and a ledger that claims them."""
        rows = candles(START, STORED)
        known = Coverage(START, Minutes.of((Window(START, END),)), (void_before_listing(START, END),), END)

        async def one(series: Series) -> None:
            await self._candles.create(series)
            await self._candles.write(series, rows)
            await save_ledger(self._coverage, series, known)

        for first in range(0, len(self._series), SIDE_BY_SIDE):
            await asyncio.gather(*(one(each) for each in self._series[first : first + SIDE_BY_SIDE]))

    async def push(self, number: int) -> None:
        """Append one candle each to the first series, as a follow does."""
        windows = {}
        for one in self._series[:number]:
            [row] = candles(self.ends[one], 1)
            await self._candles.add(one, [row])
            self.ends[one] += MINUTE
            windows[one] = Window(row.open_time, self.ends[one])
        assert len(await self._coverage.extend(windows)) == number

    async def one_by_one(self, read: Callable[[Series], Awaitable[object]]) -> float:
        began = time.perf_counter()
        for first in range(0, len(self._series), SIDE_BY_SIDE):
            await asyncio.gather(*(read(each) for each in self._series[first : first + SIDE_BY_SIDE]))
        return time.perf_counter() - began

    async def read_statistics(self, series: Series) -> object:
        return await asyncio.gather(self._coverage.load(series), self._candles.bytes_on_disk(series))

    async def read_newest(self, series: Series, number: int = 100) -> object:
        newest = self._candles.columns(series, Window(0, LATEST), number, backwards=True)
        return await self._coverage.load(series), [part async for part in newest]

    async def read_day(self, series: Series) -> object:
        return await self.read_newest(series, MINUTES_A_DAY)


def ask(service: RunningService, path: str) -> tuple[float, Any]:
    """Milliseconds, and the answer."""
    began = time.perf_counter()
    with urlopen(f"http://127.0.0.1:{service.port}{path}", timeout=300) as reply:
        body = reply.read()
    return (time.perf_counter() - began) * 1000, json.loads(body)


def median_of(service: RunningService, path: str) -> float:
    return statistics.median(ask(service, path)[0] for _ in range(ROUNDS))


def check(name: str, answer: Any, closed: int) -> None:
    """The first series is the one that was written last."""
    if name == "ticker/24hr":
        assert (answer[0]["closeTime"], answer[0]["count"]) == (closed - 1, 7 * MINUTES_A_DAY), answer[0]
    if name.startswith(("series", "overview")):
        assert answer["series"][0]["total_records"] == (closed - START) // MINUTE, answer["series"][0]


async def measure(many: Many, service: RunningService, paths: dict[str, str]) -> None:
    first_series = next(iter(many.ends))
    for name, path in paths.items():
        first, answer = await asyncio.to_thread(ask, service, path)
        check(name, answer, many.ends[first_series])
        again = await asyncio.to_thread(median_of, service, path)
        told = [f"{name:20} first {first:8.1f} ms, again {again:7.1f} ms"]
        for number in (1, 100):
            await many.push(number)
            after, answer = await asyncio.to_thread(ask, service, path)
            check(name, answer, many.ends[first_series])
            told.append(f"after {number} {after:7.1f} ms")
        print(", ".join(told), flush=True)


async def compare(many: Many) -> None:
    for name, read in (
        ("ledger and size of each", many.read_statistics),
        ("ledger and newest 100 of each", many.read_newest),
        ("ledger and day of each", many.read_day),
    ):
        print(f"{name:30} {await many.one_by_one(read) * 1000:8.0f} ms", flush=True)


async def run(uri: str, folder: Path, where: str, number: int) -> None:
    exchange, market = where.split("/")
    database = connect(uri, "many", 60)
    series = [Series(exchange, market, f"S{each:05d}USDT") for each in range(number)]
    many = Many(database, series)
    began = time.perf_counter()
    await many.store()
    print(
        f"{number:,} series of {STORED:,} candles stored in {time.perf_counter() - began:.0f} s", flush=True
    )
    nowhere = {f"{name}_URL": "http://127.0.0.1:9" for name in ("BINANCE_SPOT", "BITGET", "BINGX")}
    with running_service(
        folder / "log", MONGODB_URI=uri, MONGODB_DATABASE="many", LOG_LEVEL="ERROR", **nowhere
    ) as service:
        await asyncio.sleep(WARM_SECONDS)
        await measure(many, service, EVERYWHERE | LISTINGS[exchange, market])
    await compare(many)
    await disconnect(database)


def main(where: str, number: int) -> None:
    with TemporaryDirectory(prefix="benchmark-") as folder:
        mongod = EmbeddedMongod(Path(folder))
        uri = mongod.start()
        try:
            asyncio.run(run(uri, Path(folder), where, number))
        finally:
            mongod.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--market", default="binance/spot", choices=[f"{one}/{two}" for one, two in LISTINGS])
    parser.add_argument("--series", type=int, default=5_000)
    options = parser.parse_args()
    main(options.market, options.series)
