"""GET /api/overview: a line a series, whether it is stored, followed or both."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.core.follow import Follow
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.settings import Settings
from backend.store.market.follows import MongoFollows
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.web.client import error_code, get
from tests.web.stored import START, candle, store

BTC, ETH, SOL = (Series("binance", "spot", f"{base}USDT") for base in ("BTC", "ETH", "SOL"))
XRP = Series("bitget", "perpetual", "XRPUSDT")
MONDAY_BEFORE = START - 6 * 1440 * MINUTE


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Of a process that does not visit follows: what is stored stays as it is."""
    return replace(settings, role="api")


@pytest.fixture(autouse=True)
def stored(database: Database, io_loop: IOLoop) -> None:
    """One series that is stored, one that is followed too, one that is only followed; and one more."""

    async def fill() -> None:
        await store(database, [candle(minute) for minute in range(100)], BTC)
        await store(database, [candle(minute) for minute in range(1490) if not 10 <= minute < 15], ETH)
        await store(database, [candle(0)], XRP)
        follows = MongoFollows(database)
        for one in (ETH, SOL):
            await follows.add(Follow(one, None, created=NOW))

    io_loop.run_sync(fill)


async def test_a_line_says_all_that_is_known(http_server_client: AsyncHTTPServerClient) -> None:
    body = (await get(http_server_client, "/api/overview")).body
    assert (body["success"], body["count"], body["next"]) == (True, 4, None)
    sizes = [row.pop("bytes_on_disk") for row in body["series"]]
    assert [size >= 4096 for size in sizes] == [True, True, False, True]
    btc, eth, sol, _ = body["series"]
    unfollowed = dict.fromkeys(("state", "lag_minutes", "source", "error"))
    assert btc == {
        "exchange": "binance",
        "market": "spot",
        "symbol": "BTCUSDT",
        "first_record": "2025-06-01T00:00:00+00:00",
        "last_record": "2025-06-01T01:39:00+00:00",
        "total_records": 100,
        "missing_records": 0,
        "void_records": 0,
        "start": MONDAY_BEFORE,
        "weeks": "f",
        **unfollowed,
    }
    assert (eth["void_records"], eth["weeks"], eth["state"], eth["source"]) == (5, "vf", "behind", "rest")
    assert eth["lag_minutes"] >= 10
    assert (sol["first_record"], sol["total_records"], sol["start"], sol["weeks"]) == (None, 0, None, "")
    assert (sol["state"], sol["lag_minutes"]) == ("waiting", None)


async def test_pages_follow_each_other_by_name_and_none_is_left_out(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    whole = (await get(http_server_client, "/api/overview")).body["series"]
    for limit in (1, 2, 3, 4):
        rows, start = [], "a"
        while start is not None:
            body = (await get(http_server_client, f"/api/overview?limit={limit}&start={start}")).body
            assert body["count"] == len(body["series"]) <= limit
            rows += body["series"]
            start = body["next"]
        assert [row["symbol"] for row in rows] == [row["symbol"] for row in whole]
    names = [f"{row['exchange']}.{row['market']}.{row['symbol']}" for row in whole]
    assert names == sorted(one.name for one in (BTC, ETH, SOL, XRP))


async def test_who_has_it_already_is_told_so_until_something_changes(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await MongoFollows(database).remove(ETH)  # else minutes pass
    first = await http_server_client.fetch("/api/overview")
    assert first.headers["Cache-Control"] == "no-cache"
    tag = first.headers["Etag"]
    for _ in range(2):
        same = await http_server_client.fetch(
            "/api/overview", headers={"If-None-Match": tag}, raise_error=False
        )
        assert (same.code, same.body) == (304, b"")
    await MongoFollows(database).remove(SOL)
    other = await http_server_client.fetch("/api/overview", headers={"If-None-Match": tag})
    assert other.code == 200
    assert other.headers["Etag"] != tag
    assert [row["symbol"] for row in json.loads(other.body)["series"]] == ["BTCUSDT", "ETHUSDT", "XRPUSDT"]


async def test_it_comes_compressed_to_who_takes_that(http_server_client: AsyncHTTPServerClient) -> None:
    plain = await http_server_client.fetch("/api/overview?start=bitget")
    small = await http_server_client.fetch(
        "/api/overview?start=bitget", headers={"Accept-Encoding": "gzip"}, decompress_response=False
    )
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small.headers["Vary"]
    assert gzip.decompress(small.body) == plain.body


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "start=a&start=b", "by=day"])
async def test_what_makes_no_sense_is_refused(http_server_client: AsyncHTTPServerClient, query: str) -> None:
    reply = await get(http_server_client, f"/api/overview?{query}")
    assert reply.status == 400
    assert error_code(reply)
