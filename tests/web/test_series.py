"""GET /api/series: everything that is stored."""

from __future__ import annotations

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

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
    assert reply.body["series"] == [
        {
            "exchange": series.exchange,
            "market": series.market,
            "symbol": series.symbol,
            "first_record": f"2025-06-01T00:0{number}:00+00:00",
            "last_record": "2025-06-01T01:39:00+00:00",
            "total_records": 100 - number,
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
            "complete": False,
        }
    ]


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
