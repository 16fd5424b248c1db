"""`python -m backend export` as a user runs it: the same bytes as GET /api/data, or nothing."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pyarrow.parquet
import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.settings import Settings
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.integration.processes import PATIENCE, command, running_simulator
from tests.integration.stored import stored_rows
from tests.web.client import post

FORMATS = ["json", "ndjson", "csv", "arrow", "parquet", "feather", "columns"]


@pytest.fixture
def surroundings(settings: Settings) -> dict[str, str]:
    return {"MONGODB_URI": settings.mongodb_uri, "MONGODB_DATABASE": settings.mongodb_database}


def run(settings: dict[str, str], *arguments: str | Path) -> tuple[int, str]:
    process = command("export", *map(str, arguments), **settings)
    output, _ = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in output
    return process.returncode, output


async def stored(client: AsyncHTTPServerClient) -> None:
    assert (await post(client, "/api/sync", {"symbol": "BTCUSDT"})).status == 200


HOURS = ("--interval", "1h", "--order", "desc", "--last", "7")
FIELDS = ("--start", "2025-06-01T10:00Z", "--limit", "90", "--fields", "close,open_time", "--time", "iso")


@pytest.mark.parametrize(
    ("name", "options", "query"),
    [
        *((name, (), "") for name in FORMATS),
        ("csv", HOURS, "interval=1h&order=desc&last=7"),
        ("json", FIELDS, "start_time=2025-06-01T10:00Z&limit=90&fields=close,open_time&time=iso"),
    ],
)
async def test_an_export_is_what_the_route_answers(
    http_server_client: AsyncHTTPServerClient,
    surroundings: dict[str, str],
    tmp_path: Path,
    name: str,
    options: tuple[str, ...],
    query: str,
) -> None:
    await stored(http_server_client)
    out = tmp_path / "f"
    status, output = run(surroundings, "btc/usdt", "--format", name, "--out", out, *options)
    assert status == 0, output
    answer = await http_server_client.fetch(f"/api/data/BTCUSDT?format={name}&{query}")
    assert out.read_bytes() == answer.body
    assert os.listdir(tmp_path) == ["f"]


async def test_an_export_says_what_it_wrote(
    http_server_client: AsyncHTTPServerClient, surroundings: dict[str, str], tmp_path: Path
) -> None:
    await stored(http_server_client)
    out = tmp_path / "f.parquet"
    out.write_bytes(b"older")
    _, output = run(surroundings, "binance:spot:BTCUSDT", "--format", "parquet", "--out", out)
    assert f"{out}: 1,500 candles of 1m of binance.spot.BTCUSDT" in output
    assert pyarrow.parquet.read_table(out).num_rows == 1500


async def test_a_csv_that_was_exported_can_be_imported(
    http_server_client: AsyncHTTPServerClient,
    surroundings: dict[str, str],
    settings: Settings,
    database: Database,
    tmp_path: Path,
) -> None:
    await stored(http_server_client)
    out = tmp_path / "f.csv"
    assert run(surroundings, "BTCUSDT", "--format", "csv", "--out", out)[0] == 0
    with out.open() as file:
        assert {len(row) for row in csv.reader(file)} == {12}
    with running_simulator("--now", str(NOW), "--frozen") as url:
        process = command(
            *("import", "--market", "perpetual", "--symbol", "COPYUSDT", str(out)),
            **surroundings,
            BINANCE_PERPETUAL_URL=url,
        )
        output, _ = process.communicate(timeout=PATIENCE)
    assert "1,500 new" in output
    uri, name = settings.mongodb_uri, database.name
    assert stored_rows(uri, name, "binance.perpetual.COPYUSDT") == stored_rows(uri, name)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("NOSUCHCOIN",), 1, "sync it first"),
        (("BTC$",), 2, "is not a symbol"),
        (("BTCUSDT", "--exchange", "nyse"), 2, "unknown exchange"),
        (("BTCUSDT", "--interval", "7m"), 2, "1m"),
        (("BTCUSDT", "--fields", "price"), 2, "is not a field"),
        (("BTCUSDT", "--last", "3", "--limit", "3"), 2, "contradict"),
        (("BTCUSDT", "--start", "noon"), 2, "is not a time"),
        (("BTCUSDT", "--start", "2025-06-02", "--end", "2025-06-01"), 2, "after"),
        (("BTCUSDT", "--last", "0"), 2, "whole number"),
        (("BTCUSDT", "--time", "days"), 2, "invalid choice"),
        (("BTCUSDT", "ETHUSDT"), 2, "unrecognized"),
        ((), 2, "required"),
    ],
)
def test_what_cannot_be_exported_is_told_and_leaves_no_file(
    surroundings: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    found, output = run(surroundings, *arguments, "--format", "csv", "--out", tmp_path / "f.csv")
    assert (found, said in output) == (status, True), output
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_cannot_be_written_is_told(
    http_server_client: AsyncHTTPServerClient, surroundings: dict[str, str], tmp_path: Path
) -> None:
    await stored(http_server_client)
    status, output = run(surroundings, "BTCUSDT", "--format", "csv", "--out", tmp_path / "nowhere" / "f.csv")
    assert status == 2
    assert "cannot be written: No such file" in output


@pytest.mark.parametrize("out", ["", "/", "."])
def test_a_folder_is_no_file(surroundings: dict[str, str], out: str) -> None:
    status, output = run(surroundings, "BTCUSDT", "--format", "csv", "--out", out)
    assert status == 2
    assert "is no name of a file" in output


def test_a_format_is_one_of_those_of_the_route(surroundings: dict[str, str], tmp_path: Path) -> None:
    status, output = run(surroundings, "BTCUSDT", "--format", "xlsx", "--out", tmp_path / "f")
    assert status == 2
    assert all(name in output for name in FORMATS)
