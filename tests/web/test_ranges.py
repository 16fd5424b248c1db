"""Readers that seek read Parquet and Feather by their address, and fetch only what they need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import IO, Any

import fsspec
import msgspec
import polars
import pyarrow.feather
import pyarrow.parquet
import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httpclient import HTTPResponse
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.core.windows import MINUTE
from backend.store.mongo import Database
from backend.web.server.files import Files, LentFile, Maker
from tests.web.stored import SERIES, START, candle, candle_store, store

COUNT = 70_000
PATH = f"/api/data/BTCUSDT?start_time={START}&end_time={START + (COUNT - 1) * MINUTE}"


class Counted:
    """What the service sent, by method and status."""

    def __init__(self, app: Application) -> None:
        self.requests: list[tuple[str, int, int]] = []
        log = app.settings["log_function"]

        def count(handler: Any) -> None:
            length = int(handler._headers.get("Content-Length", 0))
            request: HTTPServerRequest = handler.request
            self.requests.append((request.method or "", handler.get_status(), length))
            log(handler)

        app.settings["log_function"] = count

    @property
    def sent(self) -> int:
        return sum(length for method, _, length in self.requests if method == "GET")


@pytest.fixture
def counted(app: Application) -> Counted:
    return Counted(app)


@pytest.fixture(autouse=True)
def stored(database: Database, io_loop: IOLoop) -> None:
    io_loop.run_sync(lambda: store(database, [candle(n) for n in range(COUNT)]))


async def fetch(
    client: AsyncHTTPServerClient, name: str, method: str = "GET", **headers: str
) -> HTTPResponse:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    answer: HTTPResponse = await client.fetch(
        f"{PATH}&format={name}", method=method, headers=named, raise_error=False
    )
    return answer


def url(client: AsyncHTTPServerClient, name: str) -> str:
    return f"http://127.0.0.1:{client.get_http_port()}{PATH}&format={name}"


def closes(first: int = 0, last: int = COUNT) -> list[float | None]:
    return [candle(number).close for number in range(first, last)]


async def with_polars(address: str) -> list[float]:
    frame = polars.scan_parquet(address).select("close").collect
    return (await asyncio.to_thread(frame))["close"].to_list()


async def with_arrow(address: str) -> list[float]:
    def read() -> list[float]:
        with fsspec.open(address, block_size=1 << 16) as file:
            found: list[float] = pyarrow.parquet.read_table(file, columns=["close"])["close"].to_pylist()
            return found

    return await asyncio.to_thread(read)


@pytest.mark.parametrize("read", [with_polars, with_arrow])
async def test_a_reader_of_one_column_fetches_little_more_than_that_column(
    http_server_client: AsyncHTTPServerClient, counted: Counted, read: Callable[[str], Any]
) -> None:
    whole = int((await fetch(http_server_client, "parquet", "HEAD")).headers["Content-Length"])
    assert await read(url(http_server_client, "parquet")) == closes()
    assert 206 in {status for _, status, _ in counted.requests}
    assert 0 < counted.sent < whole / 3


async def test_feather_is_read_by_seeking_too(http_server_client: AsyncHTTPServerClient) -> None:
    def read() -> list[float]:
        with fsspec.open(url(http_server_client, "feather"), block_size=1 << 16) as file:
            found: list[float] = pyarrow.feather.read_table(file, columns=["close"])["close"].to_pylist()
            return found

    assert await asyncio.to_thread(read) == closes()


@pytest.mark.parametrize("name", ["parquet", "feather"])
async def test_parts_are_parts_of_the_whole(http_server_client: AsyncHTTPServerClient, name: str) -> None:
    whole = await fetch(http_server_client, name)
    size = len(whole.body)
    assert (whole.code, whole.headers["Accept-Ranges"], whole.headers["Content-Length"]) == (
        200,
        "bytes",
        f"{size}",
    )
    for header, cut in (
        ("bytes=0-3", slice(0, 4)),
        ("bytes=-8", slice(size - 8, size)),
        ("bytes=1000-2000", slice(1000, 2001)),
    ):
        answer = await fetch(http_server_client, name, Range=header, Accept_Encoding="gzip")
        assert (answer.code, answer.body) == (206, whole.body[cut]), header
        assert answer.headers["Content-Range"] == f"bytes {cut.start}-{cut.stop - 1}/{size}"
        assert answer.headers["Etag"] == whole.headers["Etag"]
        assert "Content-Encoding" not in answer.headers


async def test_beyond_the_end_there_is_nothing(http_server_client: AsyncHTTPServerClient) -> None:
    size = int((await fetch(http_server_client, "parquet", "HEAD")).headers["Content-Length"])
    answer = await fetch(http_server_client, "parquet", Range=f"bytes={size}-")
    assert (answer.code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert b"range_beyond_end" in answer.body


async def test_several_ranges_are_answered_by_the_whole(http_server_client: AsyncHTTPServerClient) -> None:
    answer = await fetch(http_server_client, "parquet", Range="bytes=0-3,8-9")
    assert (answer.code, answer.body[:4]) == (200, b"PAR1")


async def test_who_has_part_of_another_file_gets_the_whole(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    tag = (await fetch(http_server_client, "parquet", "HEAD")).headers["Etag"]
    same = await fetch(http_server_client, "parquet", Range="bytes=0-3", If_Range=tag)
    assert (same.code, same.body) == (206, b"PAR1")
    for other in (f"W/{tag}", '"other"', "Sun, 01 Jun 2025 00:00:00 GMT"):
        assert (await fetch(http_server_client, "parquet", Range="bytes=0-3", If_Range=other)).code == 200


async def test_every_process_makes_the_same_bytes(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    for name in ("parquet", "feather"):
        first = await fetch(http_server_client, name)
        app.settings["files"] = Files()
        second = await fetch(http_server_client, name)
        assert second.body == first.body
        assert second.headers["Etag"] == first.headers["Etag"]


@pytest.mark.parametrize("query", ["format=parquet&last=5", "format=csv&limit=10", "format=arrow&limit=10"])
async def test_what_is_open_or_no_such_file_has_no_parts(
    http_server_client: AsyncHTTPServerClient, query: str
) -> None:
    answer = await http_server_client.fetch(f"/api/data/BTCUSDT?{query}", headers={"Range": "bytes=0-3"})
    assert answer.code == 200
    assert "Accept-Ranges" not in answer.headers


async def test_a_file_without_room_is_sent_as_a_whole(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    whole = await fetch(http_server_client, "parquet")
    app.settings["files"] = Files(room=1 << 20)
    answer = await fetch(http_server_client, "parquet", Range="bytes=0-3")
    assert (answer.code, answer.body) == (200, whole.body)
    assert "Accept-Ranges" not in answer.headers


async def test_a_file_that_lacks_what_the_ledger_claims_has_no_tag_and_is_not_kept(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await database[SERIES.name].delete_many({"_id": {"$gt": START + 9 * MINUTE}})
    short = await fetch(http_server_client, "parquet", Range="bytes=0-3")
    assert short.code == 200
    assert {"Etag", "Last-Modified", "Accept-Ranges"} & set(short.headers) == set()


async def test_a_candle_that_changes_while_a_file_is_made_spoils_its_tag(
    http_server_client: AsyncHTTPServerClient, app: Application, database: Database
) -> None:
    """Its bytes may be of before and after; what is asked for next is of after."""

    class Changing(Files):
        @asynccontextmanager
        async def lent(self, tag: str, at_most: int, make: Maker) -> AsyncIterator[LentFile | None]:
            async def changed(file: IO[bytes]) -> bool:
                await candle_store(database).write(SERIES, [msgspec.structs.replace(candle(5), close=99.5)])
                return await make(file)

            async with super().lent(tag, at_most, changed) as lent:
                yield lent

    app.settings["files"] = Changing()
    during = await fetch(http_server_client, "parquet", Range="bytes=0-3")
    assert (during.code, "Etag" in during.headers) == (200, False)
    app.settings["files"] = Files()
    assert (await fetch(http_server_client, "parquet", Range="bytes=0-3")).code == 206
