"""How near to the exchanges' limits the service goes, and is it ever refused? `python -m benchmarks.budget`.

A simulator enforces the real limits with 100 ms latency. Every market's client asks for candles without end,
all markets side by side through the throttles that a sync uses. After a warm-up, requests that were accepted
are counted over whole windows and held against what the budget's share allows. Windows ask for one minute
each: a request costs the same whatever it brings, and the measurement is of requests, not of candles.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from backend.app import open_service
from backend.core.plan import closed_until
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.exchanges import EXCHANGES
from backend.services.venue_ports import CandleSource
from backend.settings import load_settings

LATENCY = "0.1"
IN_FLIGHT = 16
WARM_UP, MEASURED = 60.0, 120.0
SHARE = 0.9


class Line(NamedTuple):
    """A budget as the venue counts it: the candle paths that draw on it and requests a minute at full use."""

    name: str
    paths: tuple[str, ...]
    requests_a_minute: float


LINES = (
    Line("binance spot", ("/api/v3/klines",), 6000 / 2),
    Line("binance perpetual", ("/fapi/v1/klines",), 2400 / 2),
    Line("bitget spot", ("/api/v2/spot/market/candles",), 20 * 60),
    Line("bitget perpetual", ("/api/v2/mix/market/candles",), 20 * 60),
    Line("bingx, one pool", ("/openApi/spot/v1/market/kline", "/openApi/swap/v3/quote/klines"), 500 * 6),
    Line("extended perpetual", ("/api/v1/info/candles/BTC-USD/trades",), 1000),
)


class Counts(NamedTuple):
    paths: Mapping[str, int]
    refused: int
    at: float


async def main() -> None:
    with simulated_exchanges() as url, TemporaryDirectory(prefix="benchmark-") as folder:
        names = ("BINANCE_SPOT_URL", "BINANCE_PERPETUAL_URL", "BITGET_URL", "BINGX_URL")
        settings = load_settings(
            {
                **dict.fromkeys(names, url),
                "EXTENDED_URL": f"{url}/api/v1",
                "DATA_DIR": folder,
                "RATE_LIMIT_SHARE": str(SHARE),
            }
        )
        async with open_service(settings) as service, asyncio.TaskGroup() as group:
            tasks = []
            for exchange in EXCHANGES.values():
                for market in exchange.markets:
                    symbol = "BTC-USD" if exchange.name == "extended" else "BTCUSDT"
                    source = service.markets.source(Series(exchange.name, market, symbol))
                    tasks += [group.create_task(_ask_on(source, symbol)) for _ in range(IN_FLIGHT)]
            await asyncio.sleep(WARM_UP)
            before = counts(url)
            await asyncio.sleep(MEASURED)
            after = counts(url)
            for task in tasks:
                task.cancel()
    report(before, after)


async def _ask_on(source: CandleSource, symbol: str) -> None:
    while True:
        end = closed_until(await source.now()) - 10 * MINUTE
        await source.candles(symbol, Window(end - MINUTE, end))


def counts(url: str) -> Counts:
    with urllib.request.urlopen(f"{url}/_sim/requests") as answer:
        found: dict[str, Any] = json.load(answer)
    refused = sum(found["statuses"].get(status, 0) for status in ("429", "418"))
    return Counts(found["paths"], refused, time.monotonic())


def report(before: Counts, after: Counts) -> None:
    minutes = (after.at - before.at) / 60
    print(f"{minutes:.1f} minutes after {WARM_UP:.0f} s, share {SHARE}, latency {LATENCY} s")
    print(f"refused: {after.refused - before.refused} (in the warm-up {before.refused})")
    for line in LINES:
        accepted = sum(after.paths.get(path, 0) - before.paths.get(path, 0) for path in line.paths)
        ratio = accepted / minutes / (line.requests_a_minute * SHARE)
        print(f"{line.name:20} {accepted / minutes:7,.0f} requests a minute, {ratio:.3f} of the share")


@contextmanager
def simulated_exchanges() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", "--latency", LATENCY], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    asyncio.run(main())
