"""GET /api/series: everything that is stored."""

from __future__ import annotations

import msgspec
import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.clock import SystemClock, parse_time
from backend.core.series import Series
from backend.store.mongo import Database
from tests.web.client import error_code, get
from tests.web.stored import candle, candle_store, store

ALL = [
    Series("binance", "spot", "BTCUSDT"),
    Series("bingx", "perpetual", "ETHUSDT"),
    Series("bitget", "spot", "A.B-C"),
    Series("bitget", "spot", "币安人生USDT"),
]


@pytest.fixture(autouse=True)
def stored(database: Database, io_loop: IOLoop) -> None:
    """Four series, of which the last has a place but nothing in it; and a collection that is no series."""

    async def fill() -> None:
        for number, series in enumerate(ALL[:3]):
            await store(database, [candle(minute) for minute in range(number, 100)], series)
        await candle_store(database).create(ALL[3])
        await database["jobs.by.hand"].drop()
        await database["coverage.old"].insert_one({"_id": 1})

    io_loop.run_sync(fill)


async def test_everything_that_is_stored_is_listed(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/api/series")
    assert (reply.body["success"], reply.body["count"], reply.body["next"]) == (True, 4, None)
    sizes = [row.pop("bytes_on_disk") for row in reply.body["series"]]
    assert all(size >= 4096 for size in sizes)
    for row in reply.body["series"]:
        assert abs(parse_time(row.pop("measured")) - SystemClock().now()) < 3_600_000
    assert reply.body["series"] == [
        {
            "exchange": series.exchange,
            "market": series.market,
            "symbol": series.symbol,
            "first_record": f"2025-06-01T00:0{number}:00+00:00",
            "last_record": "2025-06-01T01:39:00+00:00",
            "total_records": 100 - number,
            "missing_records": 0,
            "void_records": 0,
            "complete": True,
        }
        for number, series in enumerate(ALL[:3])
    ] + [
        {
            "exchange": "bitget",
            "market": "spot",
            "symbol": "币安人生USDT",
            "first_record": None,
            "last_record": None,
            "total_records": 0,
            "missing_records": 0,
            "void_records": 0,
            "complete": False,
        }
    ]


async def test_listings_tell_at_once_what_another_process_writes(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    async def listed() -> tuple[object, ...]:
        series = (await get(http_server_client, "/api/series")).body["series"][0]
        [price] = (await get(http_server_client, "/binance/api/v3/ticker/price")).body
        [day] = (await get(http_server_client, "/binance/api/v3/ticker/24hr")).body
        return series["total_records"], float(price["price"]), float(day["lastPrice"]), day["count"]

    trades = sum(candle(minute).trades or 0 for minute in range(100))
    assert await listed() == (100, candle(99).close, candle(99).close, trades)
    await store(database, [candle(minute) for minute in range(101)], ALL[0])
    assert await listed() == (101, candle(100).close, candle(100).close, trades + (candle(100).trades or 0))
    revised = msgspec.structs.replace(candle(100), close=101.5)
    await store(database, [*(candle(minute) for minute in range(100)), revised], ALL[0])
    assert (await listed())[1:3] == (101.5, 101.5)
    await candle_store(database).drop(ALL[0])
    await database["coverage"].delete_one({"_id": ALL[0].name})
    assert (await get(http_server_client, "/binance/api/v3/ticker/price")).body == []


async def test_following_next_lists_everything_once(http_server_client: AsyncHTTPServerClient) -> None:
    found: list[str] = []
    path: str | None = "/api/series?limit=3"
    while path:
        reply = await get(http_server_client, path)
        found += [row["symbol"] for row in reply.body["series"]]
        following = reply.body["next"]
        path = following and f"/api/series?limit=3&start={following}"
    assert found == [series.symbol for series in ALL]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_limit"),
        ("limit=1001", "invalid_limit"),
        ("limit=all", "invalid_limit"),
        ("start=", "missing_start"),
        ("page=2", "unknown_parameter"),
    ],
)
async def test_bad_parameters_are_400(
    http_server_client: AsyncHTTPServerClient, query: str, code: str
) -> None:
    reply = await get(http_server_client, f"/api/series?{query}")
    assert (reply.status, error_code(reply)) == (400, code)
