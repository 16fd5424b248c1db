"""`python -m backend import` as a user runs it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.clock import parse_time
from backend.core.candles import Candle
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.store.market.coverage import MongoCoverage
from backend.store.mongo import Database
from tests.archives import text_of, zipped
from tests.fakes import candle
from tests.integration.processes import PATIENCE, command, running_simulator
from tests.integration.stored import stored_rows

DAY = parse_time("2025-05-20")
NOW = "2025-06-02T01:00:30Z"
WHOLE = [candle(DAY + number * MINUTE) for number in range(1440)]
NAME = "BTCUSDT-1m-2025-05-20"
LUNA = Series("binance", "spot", "LUNAUSDT")


@pytest.fixture(scope="module")
def simulated() -> Iterator[str]:
    with running_simulator("--now", NOW, "--frozen") as url:
        yield url


@pytest.fixture
def surroundings(mongod_uri: str, database: Database, simulated: str) -> dict[str, str]:
    urls = dict.fromkeys(("BINANCE_SPOT_URL", "BINANCE_PERPETUAL_URL"), simulated)
    return {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": database.name, **urls}


def run(settings: dict[str, str], *arguments: str | Path) -> tuple[int, str]:
    process = command("import", *map(str, arguments), **settings)
    output, _ = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in output
    return process.returncode, output


def rows_of(candles: list[Candle]) -> list[tuple[object, ...]]:
    return [tuple(getattr(row, name) for name in Candle.__struct_fields__) for row in candles]


def written(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


async def test_files_are_taken_into_the_store_and_the_ledger(
    surroundings: dict[str, str], database: Database, tmp_path: Path
) -> None:
    first = written(tmp_path, f"{NAME}.zip", zipped({f"{NAME}.csv": text_of(WHOLE, 1000)}))
    second = written(tmp_path, "more.csv", text_of([candle(DAY + 1440 * MINUTE)], names=True))
    status, output = run(surroundings, first, second, "--symbol", "btc-usdt")
    assert status == 0, output
    assert f"{NAME}.zip: 1,440 candles of binance.spot.BTCUSDT, 1,440 new\n" in output
    assert "more.csv: 1 candles of binance.spot.BTCUSDT, 1 new\n" in output
    stored = stored_rows(surroundings["MONGODB_URI"], database.name)
    assert stored == rows_of([*WHOLE, candle(DAY + 1440 * MINUTE)])
    known = await MongoCoverage(database).load(Series("binance", "spot", "BTCUSDT"))
    assert known.held == (Window(DAY, DAY + 1441 * MINUTE),)
    assert (known.since, known.until) == known.held[0]


async def test_a_bad_line_is_named_and_nothing_of_its_file_is_in(
    surroundings: dict[str, str], database: Database, tmp_path: Path
) -> None:
    bad = written(tmp_path, f"{NAME}.csv", text_of(WHOLE) + b"1,2,3\n")
    good = written(tmp_path, "ETHUSDT-1m-2025-05-20.csv", text_of(WHOLE))
    status, output = run(surroundings, bad, good)
    assert status == 1
    assert f"error: {NAME}.csv, line 1441: the line should have 12 columns and has 3" in output
    assert stored_rows(surroundings["MONGODB_URI"], database.name) == []
    assert "binance.spot.BTCUSDT" not in await database.list_collection_names()
    assert "1,440 candles of binance.spot.ETHUSDT, 1,440 new" in output


async def test_a_delisted_symbol_may_have_a_history(
    surroundings: dict[str, str], database: Database, tmp_path: Path
) -> None:
    path = written(tmp_path, "LUNAUSDT-1m-2025-05-20.csv", text_of(WHOLE))
    status, output = run(surroundings, path)
    assert status == 0, output
    assert "binance does not list LUNAUSDT" in output
    assert len(stored_rows(surroundings["MONGODB_URI"], database.name, LUNA.name)) == 1440


def test_what_is_held_stays(surroundings: dict[str, str], tmp_path: Path) -> None:
    path = written(tmp_path, f"{NAME}.csv", text_of(WHOLE))
    run(surroundings, path)
    status, output = run(surroundings, path)
    assert status == 0
    assert "0 new, 1,440 were held before and stay as they are" in output


def test_the_market_may_be_perpetual(
    surroundings: dict[str, str], database: Database, tmp_path: Path
) -> None:
    path = written(tmp_path, f"{NAME}.csv", text_of(WHOLE, names=True))
    assert run(surroundings, path, "--exchange", "binance", "--market", "perpetual")[0] == 0
    name = "binance.perpetual.BTCUSDT"
    assert len(stored_rows(surroundings["MONGODB_URI"], database.name, name)) == 1440


def test_without_the_exchange_a_file_is_taken_all_the_same(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    path = written(tmp_path, f"{NAME}.csv", text_of(WHOLE))
    status, output = run({**surroundings, "BINANCE_SPOT_URL": "http://127.0.0.1:9"}, path)
    assert status == 0, output
    assert "1,440 new" in output
    assert "cannot be reached" in output


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("data.csv", text_of(WHOLE), "give the symbol"),
        ("BTC$-1m-2025-05-20.csv", text_of(WHOLE), "is not a symbol"),
        (f"{NAME}.txt", text_of(WHOLE), "neither a .csv nor a .zip"),
        (f"{NAME}.csv.gz", gzip.compress(text_of(WHOLE)), "give the symbol"),
        (f"{NAME}.zip", text_of(WHOLE), "cannot be unzipped"),
        (f"{NAME}.zip", zipped({"a.csv": b"", "b.csv": b""}), "2 files instead of one"),
        (f"{NAME}.csv", b"", "no candle"),
        ("BTCUSDT-1m-2025-05-21.csv", text_of(WHOLE), "line 1: open_time"),
        ("BTCUSDT-1m-2025-07.csv", text_of(WHOLE), "not over yet"),
        ("BTCUSDT-1m-2025-06.csv", text_of([candle(parse_time("2025-06-02T01:00Z"))]), "line 1: open_time"),
    ],
)
def test_a_file_that_does_not_do_is_told_in_a_sentence(
    surroundings: dict[str, str], database: Database, tmp_path: Path, name: str, body: bytes, said: str
) -> None:
    status, output = run(surroundings, written(tmp_path, name, body))
    assert status == 1
    assert said in output
    assert stored_rows(surroundings["MONGODB_URI"], database.name) == []


def test_a_file_that_is_not_there_is_told(surroundings: dict[str, str], tmp_path: Path) -> None:
    status, output = run(surroundings, tmp_path / f"{NAME}.csv")
    assert status == 1
    assert "cannot be read: No such file" in output


def test_a_file_of_another_symbol_is_refused(surroundings: dict[str, str], tmp_path: Path) -> None:
    path = written(tmp_path, f"{NAME}.csv", text_of(WHOLE))
    status, output = run(surroundings, path, "--symbol", "ETHUSDT")
    assert status == 1
    assert "is a file of BTCUSDT, not of ETHUSDT" in output


@pytest.mark.parametrize(
    "arguments", [("f.csv", "--exchange", "bitget"), ("f.csv", "--market", "options"), ()]
)
def test_wrong_usage_is_told(arguments: tuple[str, ...]) -> None:
    status, output = run({}, *arguments)
    assert status == 2
    assert "usage" in output
