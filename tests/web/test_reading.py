"""Which candles GET /api/data gives: intervals, order, the newest ones, pages; and what it refuses."""

from __future__ import annotations

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.core.windows import MINUTE
from backend.store.mongo import Database
from tests.web.client import error_code, get
from tests.web.stored import START, candle, store

DATA = "/api/data/BTCUSDT"


@pytest.fixture(autouse=True)
def stored(database: Database, io_loop: IOLoop) -> None:
    """A day and a half."""
    io_loop.run_sync(lambda: store(database, [candle(number) for number in range(2160)]))


async def numbers(client: AsyncHTTPServerClient, query: str) -> list[int]:
    """Which minutes after START the candles of an answer open at."""
    reply = await get(client, f"{DATA}?{query}")
    assert reply.status == 200
    return [(row["open_time"] - START) // MINUTE for row in reply.body["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("last=3", [2157, 2158, 2159]),
        ("last=3&order=asc", [2157, 2158, 2159]),
        ("last=3&order=desc", [2159, 2158, 2157]),
        ("order=desc&limit=2", [2159, 2158]),
        (f"last=2&end_time={START + 9 * MINUTE}", [8, 9]),
        (f"start_time={START + 5 * MINUTE}&end_time={START + 7 * MINUTE}&order=desc", [7, 6, 5]),
        ("interval=12h", [0, 720, 1440]),
        ("interval=12h&order=desc", [1440, 720, 0]),
        ("interval=12h&last=1", [1440]),
        ("interval=1d", [0]),
        ("interval=1d&forming=true", [0, 1440]),
        ("interval=1d&forming=true&order=desc", [1440, 0]),
        ("interval=1w", [-6 * 1440]),
        ("interval=W&forming=true", [-6 * 1440, 1440]),
        ("interval=1M&forming=true", [0]),
        (f"interval=6h&start_time={START + MINUTE}&end_time={START + 720 * MINUTE}", [360, 720]),
        ("interval=720&limit=2", [0, 720]),
    ],
)
async def test_the_candles_that_are_asked_for_come_in_the_order_that_is_asked_for(
    http_server_client: AsyncHTTPServerClient, query: str, expected: list[int]
) -> None:
    assert await numbers(http_server_client, query) == expected


@pytest.mark.parametrize("interval", ["1m", "5m", "1h"])
async def test_descending_pages_go_on_where_next_says(
    http_server_client: AsyncHTTPServerClient, interval: str
) -> None:
    found: list[int] = []
    bound = ""
    while True:
        reply = await get(http_server_client, f"{DATA}?interval={interval}&order=desc&limit=500{bound}")
        found += [row["open_time"] for row in reply.body["data"]]
        if reply.body["next"] is None:
            break
        bound = f"&end_time={reply.body['next']}"
    step = {"1m": 1, "5m": 5, "1h": 60}[interval] * MINUTE
    assert found == list(range(START + 2160 * MINUTE - step, START - step, -step))


async def test_ascending_pages_of_a_longer_interval_go_on_where_next_says(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    first = await get(http_server_client, f"{DATA}?interval=1h&limit=20")
    second = await get(http_server_client, f"{DATA}?interval=1h&start_time={first.body['next']}")
    times = [row["open_time"] for reply in (first, second) for row in reply.body["data"]]
    assert times == list(range(START, START + 2160 * MINUTE, 60 * MINUTE))


INTERVALS = "give one of 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d, 1w, 1M"


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("interval=7m", "unknown_interval", INTERVALS),
        ("interval=", "unknown_interval", INTERVALS),
        ("format=xml", "unknown_format", "give one of json, ndjson, csv, arrow, parquet, feather, columns"),
        ("format=", "unknown_format", "give one of json"),
        ("fields=open,closed", "unknown_field", "use some of open_time, open, high, low, close, volume"),
        ("fields=open,open", "unknown_field", "'open' appears more than once"),
        ("fields=", "unknown_field", "'' is not a field"),
        ("order=up", "unknown_order", "give one of asc, desc"),
        ("fill=linear", "unknown_fill", "give one of previous"),
        ("time=minutes", "unknown_time", "give one of ms, s, us, ns, iso"),
        ("forming=maybe", "invalid_forming", "true or false"),
        ("forming=1", "invalid_forming", "true or false"),
        ("last=0", "invalid_last", "from 1 to 999999999"),
        ("last=1000000000", "invalid_last", "from 1 to 999999999"),
        ("last=-5", "invalid_last", "from 1 to 999999999"),
        ("last=5&start_time=2025-06-01", "contradictory_parameters", "last and start_time contradict"),
        ("last=5&limit=5", "contradictory_parameters", "last and limit contradict"),
        ("end_time=9223372036854775808", "invalid_time", "out of range: use a time from 1970 to 9999"),
        ("start_time=99999999999999999999999", "invalid_time", "start_time"),
        ("intervall=1h", "unknown_parameter", "use exchange, market, interval, start_time"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_what_is_accepted(
    http_server_client: AsyncHTTPServerClient, query: str, code: str, said: str
) -> None:
    reply = await get(http_server_client, f"{DATA}?{query}")
    assert (reply.status, error_code(reply)) == (400, code)
    assert said in reply.body["error"]["message"]


async def test_an_error_is_json_whatever_format_is_asked_for(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await get(http_server_client, "/api/data/ETHUSDT?format=parquet")
    assert (reply.status, error_code(reply)) == (404, "not_stored")
    assert "Content-Disposition" not in reply.headers


async def test_times_that_do_not_fit_in_nanoseconds_are_refused(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await store(database, [candle(2**32 // 10)])
    reply = await get(http_server_client, f"{DATA}?time=ns")
    assert (reply.status, error_code(reply)) == (400, "invalid_request")
