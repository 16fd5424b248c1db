"""Charts over years: kept hours beside the minutes. `python -m benchmarks.zoomed_out [years]`.

A series of eight years (4.2 million minutes) on a real mongod, over HTTP, from a service in a process of its
own. `first` finds nothing kept, and keeps what it makes; `cold` finds kept hours in the database and nothing
in memory; `warm` finds them in memory. `plain` makes candles of the minutes, in this process, without sending
them. Answers are asked for with fields in another order each time, so that no kept answer serves them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import ExitStack
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import numpy as np

from backend.clock import SystemClock
from backend.core.candles import Candle
from backend.core.coverage import Coverage
from backend.core.interval import INTERVALS
from backend.core.minutes import Minutes
from backend.core.selection import Selection
from backend.core.windows import MINUTE, Window
from backend.services.reading.bars import read_bars
from backend.store.embedded import EmbeddedMongod
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import connect, disconnect
from benchmarks.read import DATABASE, SERIES, YEAR
from tests.integration.processes import RunningService, running_service
from tests.syncing import save_ledger
from tests.vitals import vitals_of

END = 1_790_726_400_000
"""2026-09-30T00:00Z."""

PAGE = 50_000
REPEATS = 5
FIELDS = ("open_time", "open", "high", "low", "close", "volume", "trades")
ORDERS = iter(permutations(FIELDS))


async def store(uri: str, years: float) -> int:
    """Candles of so many years, up to END; when they begin."""
    database = connect(uri, DATABASE)
    candles = MongoCandles(database, MongoRevisions(database, SystemClock()))
    await candles.create(SERIES)
    start = END - int(years * YEAR) * MINUTE
    chance = np.random.default_rng(1)
    for first in range(start, END, PAGE * MINUTE):
        moments = range(first, min(first + PAGE * MINUTE, END), MINUTE)
        numbers = chance.uniform(1, 2, (len(moments), 3)).tolist()
        rows = [
            Candle(moment, open=a, high=a + 1, low=a - 1, close=a, volume=b, quote_volume=c, trades=7)
            for moment, (a, b, c) in zip(moments, numbers, strict=True)
        ]
        await candles.write(SERIES, rows)
    held = Window(start, END)
    await save_ledger(MongoCoverage(database), SERIES, Coverage(start, Minutes.of((held,)), (), END))
    await disconnect(database)
    return start


async def asked(service: RunningService, start: int, interval: str) -> float:
    """The seconds of an answer that nobody asked for before."""
    query = f"interval={interval}&start_time={start}&end_time={END - 1}&fields={','.join(next(ORDERS))}"
    url = f"http://127.0.0.1:{service.port}/api/data/BTCUSDT?{query}"
    async with aiohttp.ClientSession(headers={"Accept-Encoding": "identity"}) as session:
        began = time.perf_counter()
        async with session.get(url) as answer:
            body = await answer.read()
            assert answer.status == 200, body[:200]
        return time.perf_counter() - began


def main(years: float) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
        mongod = EmbeddedMongod(folder / "database")
        stack.callback(mongod.stop)
        uri = mongod.start()
        began = asyncio.run(store(uri, years))
        settings = {"MONGODB_URI": uri, "MONGODB_DATABASE": DATABASE, "LOG_LEVEL": "WARNING"}
        cases = {f"{years:g} years as 1d": (began, "1d"), "a year as 1h": (END - YEAR * MINUTE, "1h")}
        with running_service(folder / "log", **settings) as service:
            first = {name: asyncio.run(asked(service, *case)) for name, case in cases.items()}
        for name, case in cases.items():
            cold = []
            for _ in range(3):
                with running_service(folder / "log", **settings) as service:
                    cold.append(asyncio.run(asked(service, *case)))
            with running_service(folder / "log", **settings) as service:
                asyncio.run(asked(service, *case))
                warm = [asyncio.run(asked(service, *case)) for _ in range(REPEATS)]
                memory = vitals_of(service.process.pid).peak
            plain = asyncio.run(plainly(uri, case))
            print(
                f"{name}: plain {plain * 1000:.0f} ms, first {first[name] * 1000:.0f} ms, "
                f"cold {min(cold) * 1000:.0f} ms, warm {min(warm) * 1000:.0f} ms "
                f"({plain / min(warm):.0f} times as fast), peak {memory:.0f} MB",
                flush=True,
            )


async def plainly(uri: str, case: tuple[int, str]) -> float:
    """Candles of the minutes, in this process and without sending them."""
    database = connect(uri, DATABASE)
    candles = MongoCandles(database, MongoRevisions(database, SystemClock()))
    start, interval = case
    began = time.perf_counter()
    rows = 0
    async for batch in read_bars(candles, SERIES, Selection(Window(start, END), INTERVALS[interval])):
        rows += len(batch)
    seconds = time.perf_counter() - began
    assert rows
    await disconnect(database)
    return seconds


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 8)
