"""What a page of a long order history costs: `python -m benchmarks.history_pages [orders]`.

A million orders, or as many as are given, are written straight into a real mongod, as an extraction stores
them. Then pages of 100 are read at the beginning, in the middle and near the end, of the whole account and of
one symbol.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from backend.core.windows import DAY, MINUTE
from backend.services.history.ports import Place, RowsWanted
from backend.store.embedded import EmbeddedMongod
from backend.store.mongo import Database, connect, disconnect
from backend.store.trading.history import MongoHistory
from backend.store.trading.rows import document_of
from backend.trading.history import Kind
from tests.traded import traded

ACCOUNT = "9f3b2c1d0a7e4d55"
START = 1_700_000_000_000
PAGE, READS, AT_ONCE = 100, 100, 5_000


async def main(orders: int) -> None:
    with TemporaryDirectory(prefix="benchmark-") as folder:
        mongod = EmbeddedMongod(Path(folder))
        database = connect(mongod.start(), "pages")
        try:
            history = MongoHistory(database)
            assert await history.acquire(ACCOUNT, "the benchmark", 600)
            began = time.monotonic()
            await _store(database, orders)
            print(f"{orders:,} orders stored in {time.monotonic() - began:.0f} s")
            wanted = {"all": RowsWanted(account=ACCOUNT)}
            wanted["one symbol"] = replace(wanted["all"], symbol="COIN1USDT")
            for name, rows in wanted.items():
                for place in ("first", "middle", "last"):
                    start = {"first": 0, "middle": orders // 2, "last": orders - orders // 10}[place]
                    times = await _read(history, rows, START + start * MINUTE)
                    parts = quantiles(times, n=100)
                    print(f"a page of {name}, {place}: p50 {parts[49]:.1f} ms, p95 {parts[94]:.1f} ms")
        finally:
            await disconnect(database)
            mongod.stop()


async def _store(database: Database, orders: int) -> None:
    models = traded(5, 200, START, START + 9 * DAY).orders
    collection = database["account_orders"]
    for first in range(0, orders, AT_ONCE):
        documents = []
        for number in range(first, min(first + AT_ONCE, orders)):
            order_id, created = str(10**18 + number), START + number * MINUTE
            order = replace(models[number % len(models)], order_id=order_id, created=created)
            documents.append(document_of(ACCOUNT, order_id, order))
        await collection.insert_many(documents, ordered=False)


async def _read(history: MongoHistory, wanted: RowsWanted, start: int) -> list[float]:
    """The milliseconds of pages, one after the other."""
    times: list[float] = []
    after: Place | None = Place(start, "")
    for _ in range(READS):
        began = time.perf_counter()
        page = await history.page(Kind.ORDERS, wanted, after, PAGE)
        times.append((time.perf_counter() - began) * 1000)
        if len(page) < PAGE:
            break
        after = page[-1][0]
    return times


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
