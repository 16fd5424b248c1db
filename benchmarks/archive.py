"""A year by the public archive against a year by the API: `python -m benchmarks.archive`.

`python -m backend sync` as a user runs it, into a real mongod, from a simulator that enforces the real rate
limits with 100 ms latency, once with `ARCHIVE=on` and once with `off`. The simulator has made its files
before, as a file host has; between two measurements its limits have a minute to forget. What is stored is
counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from pymongo import MongoClient

from backend.clock import iso, parse_time
from backend.core.windows import MINUTE, Window
from backend.exchanges.binance.archive import files_for
from backend.store.embedded import EmbeddedMongod

LATENCY = "0.1"
CLOCK_STARTS = "2026-02-01T12:00:00Z"
YEAR = Window(parse_time("2025-01-01"), parse_time("2026-01-01"))
FORGOTTEN = 61.0
"""Seconds after which the simulator's limits count nothing of what was before."""


class Case(NamedTuple):
    """What is synced side by side."""

    market: str
    symbols: tuple[str, ...]


CASES = (
    Case("spot", ("BTCUSDT",)),
    Case("perpetual", ("BTCUSDT",)),
    Case("perpetual", ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")),
)


class Measured(NamedTuple):
    seconds: float
    peak_mb: float
    requests: int
    weight: int


def sync(case: Case, archive: str, settings: Mapping[str, str]) -> Measured:
    """Run one sync as a process of its own."""
    url = settings["BINANCE_ARCHIVE_URL"]
    before = counts(url)
    bounds = ("--start", iso(YEAR.start), "--end", iso(YEAR.end - MINUTE))
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", "sync", *case.symbols, "--market", case.market, *bounds],
        env={**os.environ, **settings, "ARCHIVE": archive},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0, f"the sync ended with {status}"
    after = counts(url)
    check_stored(case, settings)
    return Measured(
        seconds, usage.ru_maxrss / 1024, after["total"] - before["total"], after["weight"] - before["weight"]
    )


def check_stored(case: Case, settings: Mapping[str, str]) -> None:
    """Whether every minute of the year is there."""
    with MongoClient[dict[str, Any]](settings["MONGODB_URI"]) as client:
        database = client[settings["MONGODB_DATABASE"]]
        for symbol in case.symbols:
            stored = database[f"binance.{case.market}.{symbol}"].count_documents({})
            assert stored == YEAR.minutes, f"{stored} candles of {symbol} instead of {YEAR.minutes}"


def counts(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/_sim/requests") as answer:
        found: dict[str, int] = json.load(answer)
    return found


def warm(url: str, cases: Sequence[Case]) -> None:
    """Have the simulator make the files."""
    now = parse_time(CLOCK_STARTS)
    for market, symbol in {(case.market, symbol) for case in cases for symbol in case.symbols}:
        for file in files_for(market, symbol, (YEAR,), now):
            with urllib.request.urlopen(f"{url}/{file.path}") as answer:
                answer.read()


@contextmanager
def simulated_exchanges() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", "--latency", LATENCY, "--now", CLOCK_STARTS],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.communicate()


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
        mongod = EmbeddedMongod(folder)
        stack.callback(mongod.stop)
        uri = mongod.start()
        url = stack.enter_context(simulated_exchanges())
        warm(url, CASES)
        names = ("BINANCE_SPOT_URL", "BINANCE_PERPETUAL_URL", "BINANCE_ARCHIVE_URL")
        settings = {**dict.fromkeys(names, url), "MONGODB_URI": uri}
        for number, case in enumerate(CASES):
            found = {}
            for archive in ("on", "off"):
                found[archive] = sync(
                    case, archive, {**settings, "MONGODB_DATABASE": f"case_{number}_{archive}"}
                )
                time.sleep(FORGOTTEN)
            report(case, found["on"], found["off"])


def report(case: Case, by_archive: Measured, by_api: Measured) -> None:
    candles = YEAR.minutes * len(case.symbols)
    print(f"{case.market}, {len(case.symbols)} x a year, {candles:,} candles", flush=True)
    for way, measured in (("archive", by_archive), ("api", by_api)):
        print(
            f"  {way:7} {measured.seconds:6.1f} s, {candles / measured.seconds:8,.0f} candles/s, "
            f"{measured.requests:,} requests, {measured.weight:,} weight, peak {measured.peak_mb:.0f} MB"
        )
    print(f"  ratio   {by_api.seconds / by_archive.seconds:.1f}x", flush=True)


if __name__ == "__main__":
    main()
