"""How soon is a closed minute there? `python -m benchmarks.live`.

Series are followed on six simulated markets in real time, by sockets and then, as the alternative, by
requests (`LIVE=rest`): 10, 300 and 1,000 of them. For some minutes it is measured how long after its end a
candle comes on the stream (every series), and can be read by `GET /api/data` (a few series). The clock
is this machine's for all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import aiohttp

from backend.core.windows import MINUTE
from backend.store.embedded import EmbeddedMongod
from tests.integration.processes import ROOT, RunningService, running_service, until
from tests.simulator import Simulator, synthetic_market
from tests.vitals import vitals_of

MARKETS = [
    (exchange, market) for exchange in ("binance", "bitget", "bingx") for market in ("spot", "perpetual")
]
SIZES = (10, 300, 1000)
MINUTES = 3
A_STREAM = 100
"""Series that one stream may tell of."""

READERS = 10
"""Series whose newest minute is asked for again and again."""

ASK_AGAIN = 0.1
REST_URLS = ("BINANCE_SPOT_URL", "BINANCE_PERPETUAL_URL", "BITGET_URL", "BINGX_URL")
SOCKET_URLS = (
    "BINANCE_SPOT_WS_URL",
    "BINANCE_PERPETUAL_WS_URL",
    "BITGET_WS_URL",
    "BINGX_SPOT_WS_URL",
    "BINGX_PERPETUAL_WS_URL",
)


class Delays(NamedTuple):
    """Seconds from a minute's end, by exchange, until its candle was told and could be read."""

    told: dict[str, list[float]]
    read: dict[str, list[float]]


def names_of(size: int) -> list[str]:
    """As many series as wanted, spread over the markets: "binance:spot:C0USDT"."""
    found = [f"{exchange}:{market}:C{coin}USDT" for coin in range(size) for exchange, market in MARKETS]
    return found[:size]


async def exchange(size: int) -> None:
    """Be the exchanges, with coins enough for so many series, until killed."""
    coins = [
        synthetic_market(
            f"C{coin}", "USDT", "2025-01-01", price=100, volume=50, decimals=(2, 3), kind=kind, flat_share=0.1
        )
        for coin in range(-(-size // len(MARKETS)))
        for kind in ("spot", "perpetual")
    ]
    async with Simulator(coins) as simulator:
        print(simulator.url, flush=True)
        await asyncio.Event().wait()


@contextmanager
def running_exchange(size: int) -> Iterator[str]:
    """The exchanges as a process of their own; gives their URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.live", "--exchange", str(size)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


@contextmanager
def surroundings(folder: Path, size: int, live: str) -> Iterator[RunningService]:
    """The service with a database of its own and simulated exchanges."""
    with ExitStack() as stack:
        mongod = EmbeddedMongod(folder)
        stack.callback(mongod.stop)
        settings = {"MONGODB_URI": mongod.start(), "LIVE": live, "LOG_LEVEL": "WARNING", "ARCHIVE": "off"}
        url = stack.enter_context(running_exchange(size))
        settings |= dict.fromkeys(REST_URLS, url)
        settings |= dict.fromkeys(SOCKET_URLS, url.replace("http://", "ws://"))
        yield stack.enter_context(running_service(folder / "log", **settings))


def follow(service: RunningService, size: int) -> None:
    """Follow them all since a few minutes, and wait until they are complete, and pushed where they can be."""
    since = time.time_ns() // 1_000_000 // MINUTE * MINUTE - 5 * MINUTE
    for exchange_name, market in MARKETS:
        prefix = f"{exchange_name}:{market}:"
        symbols = [name.removeprefix(prefix) for name in names_of(size) if name.startswith(prefix)]
        for first in range(0, len(symbols), A_STREAM):
            body = {
                "symbols": symbols[first : first + A_STREAM],
                "exchange": exchange_name,
                "market": market,
                "since": since,
            }
            status, answer = service.call("/api/follow", body)
            assert status == 200, answer


def are_ready(service: RunningService, live: str) -> bool:
    source = "socket" if live == "sockets" else "rest"
    follows = service.call("/api/follow")[1]["follows"]
    return all(one["state"] == "live" and one["source"] == source for one in follows)


async def listen(url: str, names: Sequence[str], began: float, found: dict[str, list[float]]) -> None:
    """Note when the candles of some series are told."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout, read_bufsize=2**20) as session,
        session.get(f"{url}/api/stream?series={','.join(names)}") as events,
    ):
        async for line in events.content:
            if line.startswith(b"data: "):
                came, told = time.time(), json.loads(line[6:])
                end = (told["open_time"] + MINUTE) / 1000
                if end >= began:
                    found.setdefault(told["series"].split(":")[0], []).append(came - end)


async def ask(url: str, name: str, began: float, found: dict[str, list[float]]) -> None:
    """Note when a series' newest minute can be read, minute after minute."""
    exchange_name, market, symbol = name.split(":")
    about = f"{url}/api/data/{symbol}?exchange={exchange_name}&market={market}"
    minute = int(began * 1000) // MINUTE * MINUTE
    end = (minute + MINUTE) / 1000
    async with aiohttp.ClientSession() as session:
        while True:
            await asyncio.sleep(max(ASK_AGAIN, end - time.time()))
            if await _is_there(session, f"{about}&start_time={minute}&end_time={minute}"):
                found.setdefault(exchange_name, []).append(time.time() - end)
                minute, end = minute + MINUTE, end + MINUTE / 1000


async def _is_there(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(url) as answer:
        return bool((await answer.json())["data"])


async def measure(service: RunningService, size: int, minutes: int) -> Delays:
    """Whatever comes for some minutes."""
    url, began = f"http://127.0.0.1:{service.port}", time.time()
    names, delays = names_of(size), Delays({}, {})
    work = [
        listen(url, names[first : first + A_STREAM], began, delays.told) for first in range(0, size, A_STREAM)
    ]
    work += [ask(url, name, began, delays.read) for name in names[:READERS]]
    tasks = [asyncio.create_task(one) for one in work]
    await asyncio.sleep(minutes * 60 + 59 - began % 60)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise RuntimeError("a client broke down") from (ended if isinstance(ended, Exception) else None)
    return delays


def percentiles(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    at = (ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] for percent in (50, 95, 99))
    return " ".join(f"{one:7.2f}" for one in at)


def report(live: str, size: int, delays: Delays, service: RunningService, expected: int) -> None:
    memory = vitals_of(service.process.pid).resident
    told = sum(map(len, delays.told.values()))
    print(f"{size:5} series by {live:8} told {told} of {expected}, {memory:.0f} MB", flush=True)
    for what, found in (("told", delays.told), ("readable", delays.read)):
        for exchange_name, seconds in sorted(found.items()):
            print(f"      {what:9} {exchange_name:8} {percentiles(seconds)} s", flush=True)


def main(sizes: Sequence[int], minutes: int, ways: Sequence[str]) -> None:
    print(f"seconds after a minute's end: p50, p95, p99; {os.cpu_count()} cores")
    for size in sizes:
        for live in ways:
            with (
                TemporaryDirectory(prefix="benchmark-") as folder,
                surroundings(Path(folder), size, live) as service,
            ):
                follow(service, size)
                until(lambda service=service, live=live: are_ready(service, live), "all to be live", 900)  # type: ignore[misc]
                delays = asyncio.run(measure(service, size, minutes))
                report(live, size, delays, service, size * minutes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="how many series")
    parser.add_argument("--minutes", type=int, default=MINUTES, help="minutes to measure each time")
    parser.add_argument("--ways", nargs="+", choices=("sockets", "rest"), default=("sockets", "rest"))
    parser.add_argument("--exchange", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.exchange:
        asyncio.run(exchange(options.exchange))
    else:
        main(options.sizes, options.minutes, options.ways)
