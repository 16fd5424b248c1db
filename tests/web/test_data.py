"""GET /api/data and GET /api/stats over HTTP, on a real mongod."""

from __future__ import annotations

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.clock import SystemClock, parse_time
from backend.core.candles import Candle
from backend.core.coverage import Coverage
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import MINUTE, Window
from backend.store.market.candles import BATCH, MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database
from tests.syncing import save_ledger
from tests.web.client import error_code, get

START = parse_time("2025-06-01T00:00:00Z")
STORED = BATCH + 500
SERIES = Series("binance", "spot", "BTCUSDT")


def candle(number: int) -> Candle:
    price = 100.0 + number
    return Candle(START + number * MINUTE, price, price + 2, price - 2, price + 1, 3.5, 350.25, 7, 1.5, 150.0)


@pytest.fixture(autouse=True)
def stored(database: Database, io_loop: IOLoop) -> None:
    """A series longer than one batch, in the store and in the ledger."""

    async def store() -> None:
        candles = MongoCandles(database, MongoRevisions(database, SystemClock()))
        await candles.create(SERIES)
        await candles.write(SERIES, [candle(number) for number in range(STORED)])
        held = Window(START, START + STORED * MINUTE)
        await save_ledger(MongoCoverage(database), SERIES, Coverage(START, Minutes.of((held,)), (), held.end))

    io_loop.run_sync(store)


async def test_a_candle_has_all_its_fields(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/api/data/BTCUSDT?limit=1")
    assert reply.body["data"] == [
        {
            "open_time": 1748736000000,
            "open": 100.0,
            "high": 102.0,
            "low": 98.0,
            "close": 101.0,
            "volume": 3.5,
            "close_time": 1748736059999,
            "timestamp": "2025-06-01T00:00:00+00:00",
            "quote_volume": 350.25,
            "trades": 7,
            "taker_buy_volume": 1.5,
            "taker_buy_quote_volume": 150.0,
        }
    ]


async def test_no_limit_means_everything_ascending(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/api/data/BTCUSDT")
    assert (reply.body["success"], reply.body["symbol"]) == (True, "BTCUSDT")
    assert (reply.body["count"], reply.body["next"]) == (STORED, None)
    assert [row["open_time"] for row in reply.body["data"]] == [
        START + number * MINUTE for number in range(STORED)
    ]


async def test_what_a_venue_does_not_publish_is_absent(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    candles = MongoCandles(database, MongoRevisions(database, SystemClock()))
    await candles.write(SERIES, [Candle(START, 1.0, 1.0, 1.0, 1.0, 0.0)])
    reply = await get(http_server_client, "/api/data/BTCUSDT?limit=1")
    assert set(reply.body["data"][0]) == {
        *("open_time", "open", "high", "low", "close", "volume", "close_time", "timestamp")
    }


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START + 5 * MINUTE, START + 9 * MINUTE),
        ("2025-06-01T00:05:00Z", "2025-06-01T00:09:00Z"),
        ("2025-06-01T00:05:00+00:00", "2025-06-01T02:09:00+02:00"),
        ("2025-06-01T00:05:00%2B00:00", "2025-06-01%2000:09"),
        (START + 4 * MINUTE + 1, START + 10 * MINUTE - 1),
    ],
)
async def test_both_bounds_include_a_candle_that_opens_exactly_there(
    http_server_client: AsyncHTTPServerClient, start: object, end: object
) -> None:
    reply = await get(http_server_client, f"/api/data/BTCUSDT?start_time={start}&end_time={end}")
    assert [row["open_time"] for row in reply.body["data"]] == [
        START + number * MINUTE for number in range(5, 10)
    ]


@pytest.mark.parametrize("limit", [1, 999, BATCH - 1, BATCH, BATCH + 1, STORED - 1])
async def test_following_next_reads_everything_once(
    http_server_client: AsyncHTTPServerClient, limit: int
) -> None:
    times: list[int] = []
    path: str | None = f"/api/data/BTCUSDT?limit={limit}&start_time={START + (STORED - 3 * limit) * MINUTE}"
    while path:
        reply = await get(http_server_client, path)
        assert reply.body["count"] == len(reply.body["data"]) <= limit
        times += [row["open_time"] for row in reply.body["data"]]
        following = reply.body["next"]
        path = following and f"/api/data/BTCUSDT?limit={limit}&start_time={following}"
    expected = min(3 * limit, STORED)
    assert times == [START + number * MINUTE for number in range(STORED - expected, STORED)]


async def test_next_is_null_when_the_last_page_is_exactly_full(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await get(http_server_client, f"/api/data/BTCUSDT?limit={STORED}")
    assert (reply.body["count"], reply.body["next"]) == (STORED, None)


async def test_a_range_without_candles_is_empty(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/api/data/BTCUSDT?end_time=2020-01-01")
    assert (reply.status, reply.body["count"], reply.body["data"]) == (200, 0, [])


@pytest.mark.parametrize("spelling", ["btcusdt", "BTC-USDT", "BTC%2FUSDT", "BTC/USDT"])
async def test_other_spellings_of_a_symbol_are_understood(
    http_server_client: AsyncHTTPServerClient, spelling: str
) -> None:
    reply = await get(http_server_client, f"/api/stats/{spelling}?exchange=binance&market=spot")
    assert reply.body["statistics"]["symbol"] == "BTCUSDT"


async def test_statistics_say_how_much_is_stored(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/api/stats/BTCUSDT")
    assert reply.body == {
        "success": True,
        "statistics": {
            "symbol": "BTCUSDT",
            "exchange": "binance",
            "market": "spot",
            "total_records": STORED,
            "first_record": "2025-06-01T00:00:00+00:00",
            "last_record": "2025-06-04T02:59:00+00:00",
            "expected_records": STORED,
            "missing_records": 0,
            "void_records": 0,
            "complete": True,
            "revisions": 0,
        },
    }


@pytest.mark.parametrize("area", ["data", "stats"])
async def test_a_series_with_nothing_stored_is_404(
    http_server_client: AsyncHTTPServerClient, area: str
) -> None:
    reply = await get(http_server_client, f"/api/{area}/ETHUSDT")
    assert (reply.status, error_code(reply)) == (404, "not_stored")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("data", "missing_symbol"),
        ("data/", "missing_symbol"),
        ("stats/", "missing_symbol"),
        ("data/BTC$USDT", "invalid_symbol"),
        ("data/%00", "invalid_symbol"),
        ("data/..", "invalid_symbol"),
        ("data/" + "B" * 51, "invalid_symbol"),
        ("data/BTCUSDT?exchange=nyse", "unknown_exchange"),
        ("data/BTCUSDT?market=options", "unknown_market"),
        ("data/BTCUSDT?exchange=", "missing_exchange"),
        ("data/BTCUSDT?start_time=noon", "invalid_time"),
        ("data/BTCUSDT?start_time=", "invalid_time"),
        ("data/BTCUSDT?start_time=1748736000", "invalid_time"),
        ("data/BTCUSDT?start_time=2025-06-02&end_time=2025-06-01", "invalid_time_range"),
        ("data/BTCUSDT?limit=0", "invalid_limit"),
        ("data/BTCUSDT?limit=-1", "invalid_limit"),
        ("data/BTCUSDT?limit=1.5", "invalid_limit"),
        ("data/BTCUSDT?limit=ten", "invalid_limit"),
        ("data/BTCUSDT?limit=", "invalid_limit"),
        ("data/BTCUSDT?limit=99999999999", "invalid_limit"),
        ("data/BTCUSDT?limt=1", "unknown_parameter"),
        ("data/BTCUSDT?limit=1&limit=2", "repeated_parameter"),
        ("stats/BTCUSDT?limit=1", "unknown_parameter"),
        ("data/BTCUSDT?start_time=%FF", "invalid_request"),
    ],
)
async def test_bad_parameters_are_400_with_a_code(
    http_server_client: AsyncHTTPServerClient, path: str, code: str
) -> None:
    reply = await get(http_server_client, f"/api/{path}")
    assert (reply.status, error_code(reply)) == (400, code)
