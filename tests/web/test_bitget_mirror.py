"""`/bitget`: bounds, defaults, order, limits and refusals as Bitget documents them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.core.series import Series
from backend.core.windows import HOUR
from backend.store.mongo import Database
from tests.fakes import minute
from tests.integration.shelf import DAY, END, bars, fill, shelf
from tests.web.client import Reply, get

SPOT = Series("bitget", "spot", "BTCUSDT")
PERPETUAL = Series("bitget", "perpetual", "BTCUSDT")
BOTH = pytest.mark.parametrize("series", [SPOT, PERPETUAL], ids=lambda series: series.market)
PATHS = {SPOT: "spot", PERPETUAL: "mix"}
GOOD = {
    SPOT: {"symbol": "BTCUSDT", "granularity": "1min"},
    PERPETUAL: {"symbol": "BTCUSDT", "granularity": "1m", "productType": "usdt-futures"},
}
LAST = {"endTime": minute(END)}


async def ask(client: AsyncHTTPServerClient, series: Series, path: str, **query: object) -> Reply:
    return await get(client, f"/bitget/api/v2/{PATHS[series]}/{path}?{urlencode(query)}")


async def candles(
    client: AsyncHTTPServerClient, series: Series, path: str = "candles", **query: object
) -> Any:
    reply = await ask(client, series, f"market/{path}", **(GOOD[series] | query))
    assert (reply.status, reply.body["code"], reply.body["msg"]) == (200, "00000", "success"), reply.body
    assert isinstance(reply.body["requestTime"], int)
    return reply.body["data"]


def opens(rows: list[list[str]]) -> list[int]:
    return [int(row[0]) for row in rows]


@BOTH
async def test_a_row_is_text(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    stored = shelf(series)
    await fill(database, [stored])
    [row] = await candles(http_server_client, series, limit=1)
    last = stored.candles[-1]
    prices = [last.open, last.high, last.low, last.close, last.volume, last.quote_volume]
    assert len(row) == (8 if series is SPOT else 7)
    assert row[0] == str(last.open_time)
    assert [float(slot) for slot in row[1:7]] == prices
    assert row[6] == row[-1]
    assert all(isinstance(slot, str) and "e" not in slot for slot in row)


async def test_what_a_spot_volume_is_worth_in_usdt_is_not_invented(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(Series("bitget", "spot", "ETHBTC"))])
    [row] = await candles(http_server_client, SPOT, symbol="ETHBTC", limit=1)
    assert row[6] is None
    assert row[7] is not None


@BOTH
async def test_the_newest_before_the_end_come_oldest_first(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series)])
    window: dict[str, Any] = {"startTime": minute(200), "endTime": minute(210)}
    inside = [minute(number) for number in range(200, 210)]
    assert opens(await candles(http_server_client, series, **window)) == inside
    assert opens(await candles(http_server_client, series, **window, limit=2)) == [minute(208), minute(209)]
    kept = await candles(http_server_client, series, "history-candles", **window, limit=20)
    assert opens(kept) == [minute(number) for number in range(190, 210)]


@BOTH
async def test_without_a_limit_a_hundred_come(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    stored = shelf(series)
    await fill(database, [stored])
    newest = [bar[0] for bar in bars(stored, "1m")]
    assert opens(await candles(http_server_client, series)) == newest[-100:]
    assert opens(await candles(http_server_client, series, limit=1000)) == newest[-1000:]
    old = await candles(http_server_client, series, "history-candles", **LAST, limit=200)
    assert opens(old) == newest[-200:]


@BOTH
async def test_long_candles_open_by_hong_kongs_clock_unless_they_say_utc(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series)])
    window: dict[str, Any] = {"startTime": minute(DAY) - 8 * HOUR, "endTime": minute(DAY) + 1}
    names = ("1day", "1h") if series is SPOT else ("1D", "1H")
    assert opens(await candles(http_server_client, series, granularity=names[0], **window)) == [
        minute(DAY) - 8 * HOUR
    ]
    assert opens(await candles(http_server_client, series, granularity="1Dutc", **window)) == [minute(DAY)]
    hours = opens(await candles(http_server_client, series, granularity=names[1], **window))
    assert hours == [minute(DAY) - number * HOUR for number in range(8, -1, -1)]


async def test_a_contracts_history_reaches_back_ninety_days(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(PERPETUAL)])
    near, far = minute(89 * DAY), minute(91 * DAY + 200)
    assert await candles(http_server_client, PERPETUAL, "history-candles", endTime=near)
    left = await candles(http_server_client, PERPETUAL, "history-candles", endTime=far, limit=200)
    assert opens(left)[0] >= far - 90 * DAY * 60_000
    beyond = await candles(http_server_client, PERPETUAL, "history-candles", endTime=minute(94 * DAY))
    assert beyond == []


@BOTH
async def test_the_header_tells_what_an_empty_answer_means(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series)])
    reply = await ask(http_server_client, series, "market/candles", **(GOOD[series] | {"symbol": "NOPEUSDT"}))
    assert (reply.status, reply.body["data"], reply.headers["X-Series"]) == (200, [], "not stored")
    hole = {"startTime": minute(2000), "endTime": minute(2037)}
    void = await ask(http_server_client, series, "market/candles", **(GOOD[series] | hole))
    assert (void.body["data"], void.headers["X-Series"]) == ([], "stored")


@BOTH
async def test_the_listing_names_what_is_stored(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series)])
    path = "public/symbols" if series is SPOT else "market/contracts"
    product = {} if series is SPOT else {"productType": "USDT-FUTURES"}
    for query in ({}, {"symbol": "BTCUSDT"}):
        [found] = (await ask(http_server_client, series, path, **product, **query)).body["data"]
        assert (found["symbol"], found["baseCoin"], found["quoteCoin"]) == ("BTCUSDT", "BTC", "USDT")
    other = await ask(http_server_client, series, path, **product, symbol="NOPEUSDT")
    assert (other.body["data"], other.headers["X-Series"]) == ([], "not stored")


@pytest.mark.parametrize("product", ["USDC-FUTURES", "coin-futures", "SUSDT-FUTURES"])
async def test_other_products_are_not_stored(
    database: Database, http_server_client: AsyncHTTPServerClient, product: str
) -> None:
    await fill(database, [shelf(PERPETUAL)])
    for path in ("contracts", "candles"):
        query = GOOD[PERPETUAL] | {"productType": product}
        reply = await ask(http_server_client, PERPETUAL, f"market/{path}", **query)
        assert (reply.body["data"], reply.headers["X-Series"]) == ([], "not stored")


async def test_prices_that_nobody_paid_are_not_stored(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(PERPETUAL)])
    assert await candles(http_server_client, PERPETUAL, kLineType="mark") == []
    assert len(await candles(http_server_client, PERPETUAL, kLineType="MARK")) == 100


async def test_the_time_and_what_clients_ask_for_on_the_way(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    body = (await get(http_server_client, "/bitget/api/v2/public/time")).body
    assert int(body["data"]["serverTime"]) == body["requestTime"] > minute(0)
    for path in ("spot/public/coins", "margin/currencies"):
        assert (await get(http_server_client, f"/bitget/api/v2/{path}")).body["data"] == []


@BOTH
@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("candles", {"symbol": ""}, "400172"),
        ("candles", {"symbol": "BTCUSDT_UMCBL"}, "40034"),
        ("candles", {"granularity": ""}, "400171"),
        ("candles", {"granularity": "7m"}, "400171"),
        ("candles", {"granularity": "8h"}, "400171"),
        ("candles", {"granularity": "1Min"}, "400171"),
        ("candles", {"limit": 0}, "40053"),
        ("candles", {"limit": 1001}, "40053"),
        ("candles", {"limit": "many"}, "40053"),
        ("history-candles", LAST | {"limit": 201}, "40053"),
        ("candles", {"startTime": "yesterday"}, "40020"),
        ("candles", {"endTime": -1}, "40020"),
        ("candles", {"startTime": 2, "endTime": 1}, "40707"),
    ],
)
async def test_bad_input_is_refused_as_bitget_refuses(
    http_server_client: AsyncHTTPServerClient, series: Series, path: str, query: dict[str, object], code: str
) -> None:
    reply = await ask(http_server_client, series, f"market/{path}", **(GOOD[series] | query))
    assert (reply.status, reply.body["code"], reply.body["data"]) == (400, code, None)
    assert set(reply.body) == {"code", "msg", "requestTime", "data"}


@pytest.mark.parametrize(
    ("series", "path", "query", "code"),
    [
        (SPOT, "history-candles", {}, "40019"),
        (SPOT, "candles", {"granularity": "1m"}, "400171"),
        (SPOT, "candles", {"granularity": "2h"}, "400171"),
        (PERPETUAL, "candles", {"granularity": "1min"}, "400171"),
        (PERPETUAL, "candles", {"granularity": "2h"}, "400171"),
        (PERPETUAL, "candles", {"productType": ""}, "400172"),
        (PERPETUAL, "candles", {"productType": "NOPE-FUTURES"}, "40019"),
        (PERPETUAL, "contracts", {"productType": "NOPE-FUTURES"}, "40019"),
        (PERPETUAL, "contracts", {"productType": ""}, "400172"),
    ],
)
async def test_spot_and_contracts_differ_in_what_they_refuse(
    http_server_client: AsyncHTTPServerClient,
    series: Series,
    path: str,
    query: dict[str, object],
    code: str,
) -> None:
    reply = await ask(http_server_client, series, f"market/{path}", **(GOOD[series] | query))
    assert (reply.status, reply.body["code"]) == (400, code)


async def test_a_refusal_lists_what_is_accepted(http_server_client: AsyncHTTPServerClient) -> None:
    query = GOOD[PERPETUAL] | {"granularity": "7m"}
    reply = await ask(http_server_client, PERPETUAL, "market/candles", **query)
    assert reply.body["msg"].endswith("3D,1W,1M,6Hutc,12Hutc,1Dutc,3Dutc,1Wutc,1Mutc]")
