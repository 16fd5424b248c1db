"""Real candles from files: the archive's form, named columns, gzip, µs, repeats, gaps."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.simulator import Simulator, SimulatorClock, market_of_file
from tests.simulator.asking import ask, klines
from tests.simulator.csvfile import split_symbol, symbol_of_name
from tests.simulator.times import HOUR, MINUTE

FIRST = 1_717_200_000_000
ARCHIVE = "{open},67540.01,67561.22,67530.00,67555.10,12.4123{n},{close},838412.1193,1034,6.1002,412003.519,0"


def archive_lines(count: int, unit: int = 1) -> str:
    return "".join(
        ARCHIVE.format(n=n, open=(FIRST + n * MINUTE) * unit, close=(FIRST + n * MINUTE + MINUTE) * unit - 1)
        + "\n"
        for n in range(count)
    )


def serving(path: Path, symbol: str | None = None) -> Simulator:
    market = market_of_file(path, symbol)
    return Simulator(markets=[market], clock=SimulatorClock(market.delisted, frozen=True))


async def test_an_archives_file_is_served_in_its_own_text(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-06.csv"
    path.write_text(archive_lines(3))
    async with serving(path) as simulator:
        rows = await klines(simulator)
    assert [row[0] for row in rows] == [FIRST, FIRST + MINUTE, FIRST + 2 * MINUTE]
    assert rows[2] == [
        FIRST + 2 * MINUTE,
        *("67540.01", "67561.22", "67530.00", "67555.10", "12.41232"),
        FIRST + 3 * MINUTE - 1,
        *("838412.1193", 1034, "6.1002", "412003.519", "0"),
    ]


async def test_microseconds_are_recognised_by_their_size(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m-2025-01.csv"
    path.write_text(archive_lines(3, unit=1000))
    async with serving(path) as simulator:
        rows = await klines(simulator)
    assert [row[0] for row in rows] == [FIRST, FIRST + MINUTE, FIRST + 2 * MINUTE]


async def test_gzip_is_recognised_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-06.csv"
    path.write_bytes(gzip.compress(archive_lines(3).encode()))
    async with serving(path) as simulator:
        assert len(await klines(simulator)) == 3


@pytest.mark.parametrize("column", ["open_time", "open_time_ms"])
async def test_columns_are_found_by_their_header_and_missing_ones_are_zero(
    tmp_path: Path, column: str
) -> None:
    path = tmp_path / "binance_spot_ETHBTC_1m_20240601-20240602.csv"
    path.write_text(f"close,{column},open,high,low,volume\n0.055,{FIRST},0.054,0.056,0.0535,12.5\n")
    async with serving(path) as simulator:
        rows = await klines(simulator, "ETHBTC")
        history = simulator.history("ETHBTC", 0, FIRST + HOUR)
    zeros = ("0", 0, "0", "0", "0")
    assert rows == [[FIRST, "0.054", "0.056", "0.0535", "0.055", "12.5", FIRST + MINUTE - 1, *zeros]]
    assert history == [(FIRST, 0.054, 0.056, 0.0535, 0.055, 12.5, 0.0, 0, 0.0, 0.0)]


async def test_other_columns_are_found_under_their_usual_names(tmp_path: Path) -> None:
    path = tmp_path / "candles.csv"
    header = "open_time,open,high,low,close,volume,quote_volume,count,taker_buy_volume,taker_buy_quote_volume"
    path.write_text(f"{header}\n{FIRST},1.0,2.0,0.5,1.5,10,15.0,7,4,6.0\n")
    async with serving(path, "ETHBTC") as simulator:
        (row,) = await klines(simulator, "ETHBTC")
    assert row[7:] == ["15.0", 7, "4", "6.0", "0"]


async def test_of_rows_with_the_same_minute_the_last_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "ETHBTC_1m.csv"
    path.write_text(
        "open_time,open,high,low,close,volume\n"
        f"{FIRST + MINUTE},1,1,1,1,1\n{FIRST},2,2,2,2,2\n{FIRST + MINUTE},3,3,3,3,3\n"
    )
    async with serving(path, "ETHBTC") as simulator:
        rows = await klines(simulator, "ETHBTC")
    assert [(row[0], row[1]) for row in rows] == [(FIRST, "2"), (FIRST + MINUTE, "3")]


async def test_minutes_that_the_file_lacks_are_absent(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-06.csv"
    lines = archive_lines(5000).splitlines()
    path.write_text("\n".join([*lines[:10], *lines[4990:]]))
    async with serving(path) as simulator:
        rows = await klines(simulator, startTime=FIRST + 5 * MINUTE, limit=10)
    assert [(row[0] - FIRST) // MINUTE for row in rows] == [*range(5, 10), *range(4990, 4995)]


async def test_the_market_lives_from_the_first_row_to_the_last(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-06.csv"
    path.write_text(archive_lines(3))
    market = market_of_file(path)
    assert (market.listed, market.delisted) == (FIRST, FIRST + 3 * MINUTE)
    async with serving(path) as simulator:
        info = (await ask(simulator, "/api/v3/exchangeInfo")).json
        simulator.clock.set(FIRST + HOUR)
        rows = await klines(simulator)
    assert [item["symbol"] for item in info["symbols"]] == ["BTCUSDT"]
    assert (info["symbols"][0]["baseAsset"], info["symbols"][0]["quoteAsset"]) == ("BTC", "USDT")
    assert len(rows) == 3


async def test_a_files_last_minute_may_be_seen_forming(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-06.csv"
    path.write_text(archive_lines(2))
    async with serving(path) as simulator:
        simulator.clock.set(FIRST + MINUTE + 30_000)
        row = (await klines(simulator))[-1]
    assert row[:6] == [FIRST + MINUTE, "67540.01", "67550.62", "67535.00", "67547.56", "6.20615"]
    assert row[8] == 517


async def test_a_file_may_be_a_perpetuals_and_is_served_by_every_exchange(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-06.csv"
    path.write_text(archive_lines(3))
    market = market_of_file(path, kind="perpetual")
    asked = {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "granularity": "1m"}
    async with Simulator(markets=[market], clock=SimulatorClock(market.delisted, frozen=True)) as simulator:
        binance = (await ask(simulator, "/fapi/v1/klines", {"symbol": "BTCUSDT", "interval": "1m"})).json
        bitget = (await ask(simulator, "/api/v2/mix/market/candles", asked)).json["data"]
        spot = (await ask(simulator, "/api/v3/exchangeInfo")).json["symbols"]
    assert binance[2][1:6] == ["67540.01", "67561.22", "67530.00", "67555.10", "12.41232"]
    assert bitget[2] == [str(FIRST + 2 * MINUTE), "67540.01", "67561.22", "67530", "67555.1", *bitget[2][5:]]
    assert spot == []


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("binance_spot_ETHBTC_1m_20191015-20191114.csv.gz", "ETHBTC"),
        ("binance_um_NEARUSDT_1m_2023-09.csv.gz", "NEARUSDT"),
        ("ETHBTC-1m-2024-06.csv", "ETHBTC"),
        ("1INCHUSDT-1m-2024-06.csv", "1INCHUSDT"),
    ],
)
def test_the_symbol_is_read_from_the_files_name(name: str, symbol: str) -> None:
    assert symbol_of_name(name) == symbol


def test_a_name_without_a_symbol_asks_for_one() -> None:
    with pytest.raises(ValueError, match="--symbol"):
        symbol_of_name("candles.csv")


@pytest.mark.parametrize(
    ("symbol", "parts"),
    [("ETHBTC", ("ETH", "BTC")), ("BTCFDUSD", ("BTC", "FDUSD")), ("ABCXYZ", ("ABC", "XYZ"))],
)
def test_a_symbol_is_split_at_its_quote_asset(symbol: str, parts: tuple[str, str]) -> None:
    assert split_symbol(symbol) == parts


@pytest.mark.parametrize("content", ["", "open_time,open,high\n1,2,3\n"])
def test_a_file_without_candles_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "BTCUSDT-1m-2024-06.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"no candles|lacks"):
        market_of_file(path)
