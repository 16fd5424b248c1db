"""Every format of GET /api/data reads back to the stored values, through the libraries that people use."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pandas
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
import zstandard
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httpclient import HTTPResponse
from tornado.ioloop import IOLoop

from backend.clock import iso
from backend.core.candles import Candle
from backend.core.windows import MINUTE
from backend.formats import FORMATS
from backend.formats.arrow import ROW_GROUP
from backend.store.market.candles import BATCH
from backend.store.mongo import Database
from tests.web.stored import START, candle, store

NUMBERS = [number for number in range(1500) if number not in range(600, 660)]
NOT_PUBLISHED = range(1400, 1410)
FIELDS = [
    *("open_time", "open", "high", "low", "close", "volume", "close_time"),
    *("quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume"),
]
MEDIA_TYPES = {
    "json": "application/json; charset=UTF-8",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=UTF-8",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
    "feather": "application/vnd.apache.arrow.file",
    "columns": "application/json; charset=UTF-8",
}


def stored_candles() -> list[Candle]:
    return [
        candle(number, quote_volume=None, trades=None) if number in NOT_PUBLISHED else candle(number)
        for number in NUMBERS
    ]


@pytest.fixture(autouse=True)
def stored(database: Database, io_loop: IOLoop) -> None:
    """Minutes with an hour's hole, some without what a venue may not publish."""
    io_loop.run_sync(lambda: store(database, stored_candles()))


def expected() -> list[dict[str, Any]]:
    """The stored candles with the fields of a file; None where there is no value."""
    return [
        {name: getattr(one, name, one.open_time + MINUTE - 1) for name in FIELDS} for one in stored_candles()
    ]


async def fetch(client: AsyncHTTPServerClient, query: str, **headers: str) -> HTTPResponse:
    path = f"/api/data/BTCUSDT?{query}"
    answer: HTTPResponse = await client.fetch(
        path, headers=headers, decompress_response=False, raise_error=False
    )
    return answer


def rows_of(table: pyarrow.Table, unit: str = "ms") -> list[dict[str, Any]]:
    """The rows of an Arrow table with its times as numbers again."""
    for place, name in enumerate(table.column_names):
        if name in ("open_time", "close_time"):
            assert table.schema.field(name).type == pyarrow.timestamp(unit, tz="UTC")
            table = table.set_column(place, name, table.column(name).cast(pyarrow.int64()))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def of_json(body: bytes) -> list[dict[str, Any]]:
    return [{name: row.get(name) for name in FIELDS} for row in json.loads(body)["data"]]


def of_lines(body: bytes) -> list[dict[str, Any]]:
    return [{name: json.loads(line).get(name) for name in FIELDS} for line in body.splitlines()]


def of_csv(body: bytes) -> list[dict[str, Any]]:
    text = body.decode().replace(",count,", ",trades,", 1)
    return [
        {
            name: None
            if not row[name]
            else (int if name in ("open_time", "close_time", "trades") else float)(row[name])
            for name in FIELDS
        }
        for row in csv.DictReader(io.StringIO(text))
    ]


def of_columns(body: bytes) -> list[dict[str, Any]]:
    columns = json.loads(body)
    assert list(columns) == FIELDS
    return [dict(zip(FIELDS, row, strict=True)) for row in zip(*columns.values(), strict=True)]


READERS = {
    "json": of_json,
    "ndjson": of_lines,
    "csv": of_csv,
    "arrow": lambda body: rows_of(pyarrow.ipc.open_stream(body).read_all()),
    "parquet": lambda body: rows_of(pyarrow.parquet.read_table(io.BytesIO(body))),
    "feather": lambda body: rows_of(pyarrow.feather.read_table(io.BytesIO(body))),
    "columns": of_columns,
}


def test_every_format_has_a_reader_here() -> None:
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
async def test_a_format_reads_back_to_what_is_stored(
    http_server_client: AsyncHTTPServerClient, name: str
) -> None:
    answer = await fetch(http_server_client, f"format={name}")
    assert answer.headers["Content-Type"] == MEDIA_TYPES[name]
    assert READERS[name](answer.body) == expected()


@pytest.mark.parametrize("name", FORMATS)
async def test_a_format_can_be_empty(http_server_client: AsyncHTTPServerClient, name: str) -> None:
    answer = await fetch(http_server_client, f"format={name}&end_time=2020-01-01")
    assert READERS[name](answer.body) == []


@pytest.mark.parametrize("name", ["ndjson", "csv", "arrow", "parquet", "feather"])
async def test_files_have_a_name(http_server_client: AsyncHTTPServerClient, name: str) -> None:
    answer = await fetch(http_server_client, f"format={name}&interval=1M&forming=true")
    extension = "arrows" if name == "arrow" else name
    file = f"binance.spot.BTCUSDT-1mo.{extension}"
    expected = f"attachment; filename=\"{file}\"; filename*=UTF-8''{file}"
    assert answer.headers["Content-Disposition"] == expected


@pytest.mark.parametrize("name", ["json", "columns"])
async def test_answers_for_programs_have_none(http_server_client: AsyncHTTPServerClient, name: str) -> None:
    answer = await fetch(http_server_client, f"format={name}")
    assert "Content-Disposition" not in answer.headers


async def test_the_header_of_csv_is_that_of_the_public_archive(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    answer = await fetch(http_server_client, "format=csv&limit=1")
    assert answer.body.splitlines() == [
        b"open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
        b"taker_buy_quote_volume,ignore",
        b"1748736000000,100.0,102.125,98.0,101.0,3.5,1748736059999,350.25,7,1.5,150.0,0",
    ]


async def test_pandas_reads_csv_columns_and_parquet_to_the_same(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    names = ["open_time", "open", "close", "volume"]
    answers = {
        name: (await fetch(http_server_client, f"format={name}&fields={','.join(names)}")).body
        for name in ("csv", "columns", "parquet")
    }
    from_csv = pandas.read_csv(io.BytesIO(answers["csv"]))
    from_columns = pandas.DataFrame(json.loads(answers["columns"]))
    from_parquet = pandas.read_parquet(io.BytesIO(answers["parquet"]))
    pandas.testing.assert_frame_equal(from_csv, from_columns)
    times = from_parquet["open_time"].astype("datetime64[ms, UTC]").astype("int64")
    pandas.testing.assert_frame_equal(from_parquet.assign(open_time=times), from_columns)


@pytest.mark.parametrize(
    ("time", "first", "close"),
    [
        ("ms", START, START + MINUTE - 1),
        ("s", START // 1000, START // 1000 + 59),
        ("us", START * 1000, START * 1000 + 59_999_999),
        ("ns", START * 1_000_000, START * 1_000_000 + 59_999_999_999),
        ("iso", "2025-06-01T00:00:00+00:00", "2025-06-01T00:00:59.999000+00:00"),
    ],
)
async def test_times_come_in_the_unit_that_is_asked_for(
    http_server_client: AsyncHTTPServerClient, time: str, first: object, close: object
) -> None:
    query = f"time={time}&limit=2&fields=open_time,close_time"
    answer = await fetch(http_server_client, f"{query}&format=json")
    assert json.loads(answer.body)["data"][0] == {"open_time": first, "close_time": close}
    answer = await fetch(http_server_client, f"{query}&format=csv")
    assert answer.body.splitlines()[1] == f"{first},{close}".encode()
    answer = await fetch(http_server_client, f"{query}&format=arrow")
    table = pyarrow.ipc.open_stream(answer.body).read_all()
    rows = table.to_pylist() if time == "iso" else rows_of(table, time)
    assert rows[0] == {"open_time": first, "close_time": close}


async def test_fields_come_in_the_order_that_is_asked_for(http_server_client: AsyncHTTPServerClient) -> None:
    query = "limit=1&fields=close,timestamp,open_time,minutes,partial"
    answer = await fetch(http_server_client, f"{query}&format=csv")
    assert answer.body == (
        b"close,timestamp,open_time,minutes,partial\n101.0,2025-06-01T00:00:00+00:00,1748736000000,1,false\n"
    )
    answer = await fetch(http_server_client, query)
    assert list(json.loads(answer.body)["data"][0]) == ["close", "timestamp", "open_time", "minutes"]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("name", FORMATS)
async def test_answers_are_compressed_for_those_who_understand_it(
    http_server_client: AsyncHTTPServerClient, name: str, coding: str
) -> None:
    answer = await fetch(http_server_client, f"format={name}", **{"Accept-Encoding": f"br, {coding}"})
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    body = answer.body
    if name in ("parquet", "feather"):
        assert "Content-Encoding" not in answer.headers
    else:
        assert answer.headers["Content-Encoding"] == coding
        body = gzip.decompress(body) if coding == "gzip" else unpacked(body)
    assert READERS[name](body) == expected()


def unpacked(body: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)) as reader:
        return reader.read()


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/csv", "text/csv; charset=UTF-8"),
        ("application/json;q=0.5, application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json; charset=UTF-8"),
        ("application/x-ndjson;q=0", "application/json; charset=UTF-8"),
        ("text/csv;q=nonsense", "application/json; charset=UTF-8"),
    ],
)
async def test_accept_chooses_where_no_format_is_given(
    http_server_client: AsyncHTTPServerClient, accept: str, media_type: str
) -> None:
    answer = await fetch(http_server_client, "limit=1", Accept=accept)
    assert answer.headers["Content-Type"] == media_type
    answer = await fetch(http_server_client, "limit=1&format=arrow", Accept=accept)
    assert answer.headers["Content-Type"] == "application/vnd.apache.arrow.stream"


async def test_parquet_comes_in_row_groups(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    more = [candle(number) for number in range(2000, 2000 + 2 * ROW_GROUP)]
    await store(database, [*stored_candles(), *more])
    answer = await fetch(http_server_client, "format=parquet")
    file = pyarrow.parquet.ParquetFile(io.BytesIO(answer.body))
    assert file.metadata.num_rows == len(NUMBERS) + len(more)
    groups = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    assert len(groups) > 1
    assert all(ROW_GROUP <= rows < ROW_GROUP + BATCH for rows in groups[:-1])
    assert file.read().column("open_time").cast(pyarrow.int64())[-1].as_py() == more[-1].open_time


async def test_derived_candles_say_how_many_minutes_they_have(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    answer = await fetch(http_server_client, f"interval=6h&start_time={START}")
    body = json.loads(answer.body)
    assert (body["interval"], body["count"], body["next"]) == ("6h", 4, None)
    first, second, *_ = body["data"]
    assert "partial" not in first
    assert (first["minutes"], first["expected_minutes"]) == (360, 360)
    assert (second["minutes"], second["expected_minutes"], second["partial"]) == (300, 360, True)
    assert second["open_time"] == START + 6 * 60 * MINUTE
    assert second["close_time"] == START + 12 * 60 * MINUTE - 1
    assert second["timestamp"] == iso(second["open_time"])
    assert second["open"] == candle(360).open
    assert second["close"] == candle(719).close
    assert second["high"] == candle(719).high
    assert second["low"] == candle(360).low
    assert second["trades"] == sum(7 + number for number in range(360, 720) if number in NUMBERS)


async def test_the_forming_candle_is_left_out_unless_it_is_wanted(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    answer = await fetch(http_server_client, "interval=1d")
    assert [row["open_time"] for row in json.loads(answer.body)["data"]] == [START]
    answer = await fetch(http_server_client, "interval=1D&forming=true&format=csv&last=1")
    row = next(csv.DictReader(io.StringIO(answer.body.decode())))
    assert (row["open_time"], row["minutes"], row["expected_minutes"], row["partial"]) == (
        *(str(START + 1440 * MINUTE), "60", "1440", "true"),
    )


async def test_holes_are_filled_and_marked_for_those_who_ask(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    bounds = f"start_time={START + 599 * MINUTE}&end_time={START + 660 * MINUTE}"
    answer = await fetch(http_server_client, f"fill=previous&{bounds}")
    rows = json.loads(answer.body)["data"]
    assert [row["open_time"] for row in rows] == [START + number * MINUTE for number in range(599, 661)]
    assert [row.get("filled") for row in rows] == [None, *[True] * 60, None]
    flat = rows[30]
    assert {flat[name] for name in ("open", "high", "low", "close")} == {candle(599).close}
    assert {flat[name] for name in ("volume", "quote_volume", "trades", "taker_buy_volume")} == {0}
    answer = await fetch(http_server_client, f"fill=previous&interval=15m&format=csv&{bounds}")
    filled = [row["filled"] for row in csv.DictReader(io.StringIO(answer.body.decode()))]
    assert filled == ["true"] * 4 + ["false"]
