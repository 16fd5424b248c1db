"""`/bingx`: bounds, defaults, order, limits and refusals as BingX documents them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.clock import iso
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE
from backend.store.mongo import Database
from tests.fakes import minute
from tests.integration.shelf import DAY, bars, fill, shelf
from tests.web.client import Reply, get

SPOT = Series("bingx", "spot", "BTCUSDT")
SWAP = Series("bingx", "perpetual", "BTCUSDT")
PATHS = {SPOT: "spot/v1/market/kline", SWAP: "swap/v3/quote/klines"}
BOTH = pytest.mark.parametrize("series", PATHS, ids=lambda series: series.market)


async def ask(client: AsyncHTTPServerClient, path: str, **query: object) -> Reply:
    return await get(client, f"/bingx/openApi/{path}?{urlencode(query)}")


async def klines(client: AsyncHTTPServerClient, series: Series, path: str = "", **query: object) -> Any:
    known = {"symbol": "BTC-USDT", "interval": "1m", "timestamp": 1}
    reply = await ask(client, path or PATHS[series], **(known | query))
    assert (reply.status, reply.body["code"]) == (200, 0), reply.body
    return reply.body["data"]


def opens(rows: list[Any]) -> list[int]:
    return [row["time"] if isinstance(row, dict) else row[0] for row in rows]


async def test_a_spot_row_is_eight_bare_numbers(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    stored = shelf(SPOT)
    await fill(database, [stored])
    last = stored.candles[-1]
    for path in (PATHS[SPOT], "spot/v2/market/kline", "market/his/v1/kline"):
        assert await klines(http_server_client, SPOT, path, limit=1) == [
            [
                *(last.open_time, last.open, last.high, last.low, last.close, last.volume),
                *(last.open_time + MINUTE - 1, last.quote_volume),
            ]
        ]


async def test_a_swap_row_is_an_object_of_text(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    stored = shelf(SWAP)
    await fill(database, [stored])
    last = stored.candles[-1]
    for path in (PATHS[SWAP], "swap/v2/quote/klines"):
        [row] = await klines(http_server_client, SWAP, path, limit=1)
        assert row.pop("time") == last.open_time
        assert all(isinstance(value, str) for value in row.values())
        assert {name: float(value) for name, value in row.items()} == {
            name: getattr(last, name) for name in ("open", "close", "high", "low", "volume")
        }


@BOTH
async def test_the_newest_in_the_window_come_newest_first(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series)])
    first = 201 if series is SPOT else 200
    window: dict[str, Any] = {"startTime": minute(200), "endTime": minute(210)}
    found = opens(await klines(http_server_client, series, **window))
    assert found == [minute(number) for number in range(209, first - 1, -1)]
    assert opens(await klines(http_server_client, series, **window, limit=2)) == found[:2]
    early = opens(await klines(http_server_client, series, startTime=minute(200) - 1, endTime=minute(201)))
    assert early == [minute(200)]
    assert await klines(http_server_client, series, startTime=minute(210), endTime=minute(200)) == []


@BOTH
async def test_a_limit_that_is_too_large_is_the_largest(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    stored = shelf(series)
    await fill(database, [stored])
    newest = [bar[0] for bar in reversed(bars(stored, "1m"))]
    assert opens(await klines(http_server_client, series)) == newest[:500]
    assert opens(await klines(http_server_client, series, limit=2000)) == newest[:1440]


async def test_the_historical_path_holds_five_hundred(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(SPOT)])
    assert len(await klines(http_server_client, SPOT, "market/his/v1/kline", limit=1000)) == 500


@BOTH
async def test_spots_days_open_in_hong_kong_unless_told_otherwise(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series)])
    window: dict[str, Any] = {
        "startTime": minute(DAY) - 8 * HOUR - 1,
        "endTime": minute(DAY) + 1,
        "interval": "1d",
    }
    here, there = [minute(DAY)], [minute(DAY) - 8 * HOUR]
    assert opens(await klines(http_server_client, series, **window)) == (there if series is SPOT else here)
    assert opens(await klines(http_server_client, series, **window, timeZone=0)) == here
    assert opens(await klines(http_server_client, series, **window, timeZone=8)) == there


@BOTH
async def test_a_symbol_that_is_not_stored_is_empty(
    http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    reply = await ask(http_server_client, PATHS[series], symbol="NOPE-USDT", interval="1m")
    assert (reply.status, reply.body["data"], reply.headers["X-Series"]) == (200, [], "not stored")


async def test_the_listings_name_what_is_stored(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(SPOT), shelf(SWAP)])
    spot, swap = "spot/v1/common/symbols", "swap/v2/quote/contracts"
    for query in ({}, {"symbol": "BTC-USDT"}):
        [symbol] = (await ask(http_server_client, spot, **query)).body["data"]["symbols"]
        [contract] = (await ask(http_server_client, swap, **query)).body["data"]
        assert (symbol["symbol"], contract["symbol"]) == ("BTC-USDT", "BTC-USDT")
        assert (contract["asset"], contract["currency"]) == ("BTC", "USDT")
    assert (await ask(http_server_client, spot, symbol="NOPE-USDT")).body["data"] == {"symbols": []}
    assert (await ask(http_server_client, "cswap/v1/market/contracts", timestamp=1)).body["data"] == []


async def test_the_time_is_told_twice(http_server_client: AsyncHTTPServerClient) -> None:
    for path in ("swap/v2/server/time", "spot/v1/server/time"):
        assert (await ask(http_server_client, path)).body["data"]["serverTime"] > minute(0)


GOOD = {"symbol": "BTC-USDT", "interval": "1m"}


@BOTH
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"interval": "1m"}, "err:symbol"),
        (GOOD | {"symbol": "BTCUSDT"}, "err:symbol: This field must end with -USDT or -USDC."),
        ({"symbol": "BTC-USDT"}, "err:interval: This field must be one of 1m 3m 5m"),
        (GOOD | {"interval": "7m"}, "err:interval"),
        (GOOD | {"interval": "1min"}, "err:interval"),
        (GOOD | {"limit": 0}, "err:limit"),
        (GOOD | {"limit": "many"}, "err:limit"),
        (GOOD | {"startTime": "now"}, "err:startTime"),
        (GOOD | {"endTime": -1}, "err:endTime"),
        (GOOD | {"timeZone": 15}, "err:timeZone"),
        (GOOD | {"timeZone": "UTC"}, "err:timeZone"),
    ],
)
async def test_bad_input_is_refused_as_bingx_refuses(
    http_server_client: AsyncHTTPServerClient, series: Series, query: dict[str, object], said: str
) -> None:
    reply = await ask(http_server_client, PATHS[series], **query)
    assert (reply.status, reply.body["code"]) == (200, 100400 if series is SPOT else 109400)
    assert said in reply.body["msg"]
    assert ("timestamp" if series is SPOT else "data") in reply.body


@BOTH
@pytest.mark.parametrize("symbol", ["*-USDT", "B" * 60 + "-USDT"])
async def test_what_no_symbol_is_called_is_unknown(
    http_server_client: AsyncHTTPServerClient, series: Series, symbol: str
) -> None:
    reply = await ask(http_server_client, PATHS[series], **(GOOD | {"symbol": symbol}))
    assert (reply.status, reply.body["code"]) == (200, 100204 if series is SPOT else 109425)


async def test_k_line_data_between_two_dates_is_what_bingx_would_tell(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    stored = shelf(SWAP)
    await fill(database, [stored])
    first, last = stored.candles[-10].open_time, stored.candles[-1].open_time
    expected = await klines(http_server_client, SWAP, startTime=first, endTime=last, limit=5)
    for symbol, start, end in (
        ("BTC-USDT", str(first), str(last)),
        ("btcusdt", iso(first), iso(last)),
    ):
        dates = {"symbol": symbol, "interval": "1m", "start_date": start, "end_date": end, "limit": 5}
        reply = await get(http_server_client, f"/get-k-line-data?{urlencode(dates)}")
        assert (reply.status, reply.body["code"], reply.body["data"]) == (200, 0, expected)
    for wrong in (
        {"start_date": "soon"},
        {"end_date": "12"},
        {"limit": "many"},
        {"interval": "7m"},
        {"symbol": ""},
    ):
        given = {"symbol": "BTC-USDT", "interval": "1m"} | wrong
        reply = await get(http_server_client, f"/get-k-line-data?{urlencode(given)}")
        assert (reply.status, reply.body["code"]) == (200, 109400)
