"""freqtrade's `download-data` reads history from the service. `make freqtrade` installs it and runs this."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.core.series import Series
from backend.store.mongo import Database
from tests.integration.shelf import bars, fill, shelf

FREQTRADE = os.environ.get("FREQTRADE", "")
INTERVALS = ("1m", "5m", "1h", "1d")
ONLY_CANDLES: dict[str, list[str]] = {"spot": [], "perpetual": ["--candle-types", "futures"]}
FILES = {"spot": "BTC_USDT-{}.feather", "perpetual": "futures/BTC_USDT_USDT-{}-futures.feather"}
FUTURES = {"trading_mode": "futures", "margin_mode": "isolated"}
GUIDE = (Path(__file__).parents[2] / "docs/guide/bots.md").read_text()
HERE = "http://localhost:8888"


def configuration(url: str, market: str) -> dict[str, Any]:
    """What the guide says."""
    example = GUIDE.partition("`config.json`:")[2].partition("```json\n")[2].partition("```")[0]
    found: dict[str, Any] = json.loads(example.replace(HERE, url))
    if market == "perpetual":
        found |= FUTURES
        found["exchange"]["pair_whitelist"] = ["BTC/USDT:USDT"]
    return found


async def run_freqtrade(*arguments: str | Path) -> str:
    process = await asyncio.create_subprocess_exec(
        FREQTRADE, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return told.decode()


def rows_of(file: Path) -> list[tuple[float, ...]]:
    table = pyarrow.ipc.open_file(file).read_all()
    times = table["date"].cast(pyarrow.timestamp("ms", "UTC")).cast(pyarrow.int64()).to_pylist()
    columns = [table[name].to_pylist() for name in ("open", "high", "low", "close", "volume")]
    return list(zip(times, *columns, strict=True))


@pytest.mark.skipif(not FREQTRADE, reason="FREQTRADE names no freqtrade executable: `make freqtrade`")
@pytest.mark.parametrize("market", FILES)
async def test_a_downloaded_pair_equals_the_store(
    database: Database,
    http_server_client: AsyncHTTPServerClient,
    http_server_port: tuple[Any, int],
    tmp_path: Path,
    market: str,
) -> None:
    assert http_server_client
    stored = shelf(Series("binance", market, "BTCUSDT"))
    await fill(database, [stored])
    config = tmp_path / "config.json"
    config.write_text(json.dumps(configuration(f"http://127.0.0.1:{http_server_port[1]}", market)))
    await run_freqtrade("create-userdir", "--userdir", tmp_path / "user")
    told = await run_freqtrade(
        "download-data",
        "--config",
        config,
        "--userdir",
        tmp_path / "user",
        "--timerange",
        "20250531-20250604",
        *ONLY_CANDLES[market],
        "--timeframes",
        *INTERVALS,
    )
    for interval in INTERVALS:
        file = tmp_path / "user/data/binance" / FILES[market].format(interval)
        assert file.exists(), told
        expected = [pytest.approx(bar, rel=1e-12) for bar in bars(stored, interval)]
        assert rows_of(file) == expected, interval
