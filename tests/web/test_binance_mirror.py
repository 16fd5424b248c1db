"""`/binance`: bounds, defaults, order, limits and refusals as Binance documents them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.core.candles import Candle
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE
from backend.store.mongo import Database
from tests.fakes import minute
from tests.integration.shelf import DAY, END, LISTED, bars, fill, shelf
from tests.web.client import Reply, get, send

SPOT = Series("binance", "spot", "BTCUSDT")
PERPETUAL = Series("binance", "perpetual", "BTCUSDT")
PATHS = {SPOT: "/binance/api/v3", PERPETUAL: "/binance/fapi/v1"}
BOTH = pytest.mark.parametrize("series", PATHS, ids=lambda series: series.market)


async def ask(client: AsyncHTTPServerClient, series: Series, path: str, **query: object) -> Reply:
    return await get(client, f"{PATHS[series]}/{path}?{urlencode(query)}")


async def klines(client: AsyncHTTPServerClient, series: Series, **query: object) -> Any:
    reply = await ask(client, series, "klines", **{"symbol": "BTCUSDT", "interval": "1m", **query})
    assert reply.status == 200, reply.body
    return reply.body


@BOTH
async def test_a_row_has_twelve_slots_of_binances_types(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    stored = shelf(series)
    await fill(database, [stored])
    [row] = await klines(http_server_client, series, limit=1)
    last = stored.candles[-1]
    assert len(row) == 12
    assert [type(slot) for slot in row] == [int, *[str] * 5, int, str, int, str, str, str]
    assert (row[0], row[6], row[11]) == (last.open_time, last.open_time + MINUTE - 1, "0")
    assert [float(row[place]) for place in (1, 2, 3, 4, 5, 7, 9, 10)] == [
        *(last.open, last.high, last.low, last.close, last.volume, last.quote_volume),
        *(last.taker_buy_volume, last.taker_buy_quote_volume),
    ]
    assert row[8] == last.trades
    assert all(len(row[place].partition(".")[2]) >= 8 for place in (1, 2, 3, 4, 5, 7, 9, 10))


@pytest.mark.parametrize(
    ("market", "path", "subject"),
    [
        ("perpetual-mark", "markPriceKlines", "symbol"),
        ("perpetual-index", "indexPriceKlines", "pair"),
    ],
)
async def test_mark_and_index_prices_have_rows_without_trades(
    database: Database, http_server_client: AsyncHTTPServerClient, market: str, path: str, subject: str
) -> None:
    traded = shelf(Series("binance", market, "BTCUSDT"))
    prices = [
        Candle(one.open_time, one.open, one.high, one.low, one.close, volume=0.0) for one in traded.candles
    ]
    stored = traded._replace(candles=prices)
    await fill(database, [stored])
    query = urlencode({subject: "BTCUSDT", "interval": "1m", "limit": 1})
    reply = await get(http_server_client, f"/binance/fapi/v1/{path}?{query}")
    assert reply.status == 200, reply.body
    [row], last = reply.body, stored.candles[-1]
    assert row[0] == last.open_time
    assert [float(row[place]) for place in (1, 2, 3, 4)] == [last.open, last.high, last.low, last.close]
    assert [float(row[place]) for place in (5, 7, 8, 9, 10)] == [0] * 5
    reply = await get(http_server_client, f"/binance/fapi/v1/{path}?interval=1m")
    assert (reply.status, reply.body["code"]) == (400, -1102)


@BOTH
async def test_both_bounds_are_included_and_the_oldest_are_kept(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series)])
    start, end = minute(200), minute(203)
    found = await klines(http_server_client, series, startTime=start, endTime=end)
    assert [row[0] for row in found] == [minute(number) for number in range(200, 204)]
    assert [row[0] for row in await klines(http_server_client, series, startTime=start, endTime=start)] == [
        start
    ]
    assert await klines(http_server_client, series, startTime=start + 1, endTime=end, limit=1) == found[1:2]
    assert await klines(http_server_client, series, endTime=end, limit=2) == found[2:]


@BOTH
async def test_without_a_limit_five_hundred_come(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    stored = shelf(series)
    await fill(database, [stored])
    newest = [row[0] for row in await klines(http_server_client, series)]
    assert newest == [bar[0] for bar in bars(stored, "1m")[-500:]]
    oldest = [row[0] for row in await klines(http_server_client, series, startTime=0)]
    assert oldest == [minute(LISTED + number) for number in range(500)]


async def test_spot_serves_a_limit_that_is_too_large_as_a_thousand(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(SPOT)])
    assert len(await klines(http_server_client, SPOT, limit=1001)) == 1000


async def test_spot_takes_microseconds_and_another_clock(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(SPOT)])
    window = {"startTime": minute(200) * 1000 - 1, "endTime": minute(201) * 1000 + 999}
    assert [row[0] for row in await klines(http_server_client, SPOT, **window)] == [minute(200), minute(201)]
    clock: dict[str, object] = {"timeZone": "8", "interval": "1d"}
    [day] = await klines(http_server_client, SPOT, **clock, limit=1, startTime=minute(LISTED))
    assert (day[0], day[6]) == (minute(DAY) - 8 * HOUR, minute(2 * DAY) - 8 * HOUR - 1)
    clock = {"timeZone": "-0:30", "interval": "1h"}
    [hour] = await klines(http_server_client, SPOT, **clock, limit=1, startTime=minute(100))
    assert hour[0] == minute(150)


@BOTH
async def test_a_candle_that_lacks_what_the_exchange_may_have_is_left_out(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    stored = shelf(series)
    await fill(database, [stored])
    found = await klines(http_server_client, series, interval="1h", startTime=0, limit=1000)
    assert [row[0] for row in found] == [bar[0] for bar in bars(stored, "1h")]
    kept = [row[0] for row in await klines(http_server_client, series, interval="4h", startTime=0, limit=9)]
    assert kept == [bar[0] for bar in bars(stored, "4h")][:9]


@BOTH
async def test_the_header_tells_what_an_empty_answer_means(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series)])

    async def told(start: int, end: int) -> tuple[list[object], str]:
        window = {"startTime": minute(start), "endTime": minute(end)}
        reply = await ask(http_server_client, series, "klines", symbol="BTCUSDT", interval="1m", **window)
        return reply.body, reply.headers["X-Series"]

    assert (await told(0, 3000))[1] == "stored"
    assert await told(2000, 2036) == ([], "stored")
    assert await told(3200, 3300) == ([], "incomplete")
    assert (await told(3000, 3600))[1] == "incomplete"
    other = await ask(http_server_client, series, "klines", symbol="ETHUSDT", interval="1m")
    assert (other.status, other.body, other.headers["X-Series"]) == (200, [], "not stored")


@BOTH
async def test_the_listing_names_what_is_stored_alone(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    await fill(database, [shelf(series), shelf(Series(series.exchange, series.market, "SHIBUSDT"))])
    everything = (await ask(http_server_client, series, "exchangeInfo")).body
    assert [each["symbol"] for each in everything["symbols"]] == ["BTCUSDT", "SHIBUSDT"]
    assert (everything["timezone"], everything["rateLimits"]) == ("UTC", [])


async def test_spots_listing_can_be_asked_for_some(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(SPOT), shelf(Series("binance", "spot", "ETHBTC"))])
    for query in ({"symbol": "ETHBTC"}, {"symbols": '["ETHBTC"]'}):
        found = (await ask(http_server_client, SPOT, "exchangeInfo", **query)).body["symbols"]
        halves = [(each["symbol"], each["baseAsset"], each["quoteAsset"]) for each in found]
        assert halves == [("ETHBTC", "ETH", "BTC")]
    unknown = await ask(http_server_client, SPOT, "exchangeInfo", symbol="NOPEUSDT")
    assert (unknown.body["symbols"], unknown.headers["X-Series"]) == ([], "not stored")
    halted = await ask(http_server_client, SPOT, "exchangeInfo", symbolStatus="HALT")
    assert halted.body["symbols"] == []


@BOTH
async def test_tickers_tell_the_last_stored_day(
    database: Database, http_server_client: AsyncHTTPServerClient, series: Series
) -> None:
    stored = shelf(series)
    await fill(database, [stored])
    day = [candle for candle in stored.candles if candle.open_time >= minute(END - DAY)]
    one = (await ask(http_server_client, series, "ticker/24hr", symbol="BTCUSDT")).body
    assert (float(one["openPrice"]), float(one["lastPrice"])) == (day[0].open, day[-1].close)
    assert (one["openTime"], one["closeTime"]) == (minute(END - DAY), minute(END) - 1)
    assert one["count"] == sum(candle.trades or 0 for candle in day)
    assert float(one["priceChange"]) == pytest.approx(day[-1].close - day[0].open)
    assert not {"bidPrice", "askPrice", "firstId", "lastQty"} & set(one)
    [listed] = (await ask(http_server_client, series, "ticker/24hr")).body
    assert listed == one
    price = (await ask(http_server_client, series, "ticker/price", symbol="BTCUSDT")).body
    assert (price["symbol"], float(price["price"])) == ("BTCUSDT", day[-1].close)
    assert price.get("time") == (None if series is SPOT else minute(END) - 1)


async def test_a_short_ticker_leaves_out_what_the_long_one_has(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(SPOT)])
    [short] = (await ask(http_server_client, SPOT, "ticker/24hr", symbols='["BTCUSDT"]', type="MINI")).body
    assert "priceChange" not in short
    assert {"symbol", "lastPrice", "volume", "count"} < set(short)


@BOTH
async def test_ping_and_time(http_server_client: AsyncHTTPServerClient, series: Series) -> None:
    assert (await ask(http_server_client, series, "ping")).body == {}
    assert (await ask(http_server_client, series, "time")).body["serverTime"] > minute(0)
    assert (await ask(http_server_client, SPOT, "uiKlines", symbol="A", interval="1m")).body == []


GOOD = {"symbol": "BTCUSDT", "interval": "1m"}


@BOTH
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"interval": "1m"}, -1102),
        ({"symbol": "BTCUSDT"}, -1102),
        (GOOD | {"symbol": ""}, -1105),
        (GOOD | {"symbol": "btcusdt"}, -1100),
        (GOOD | {"symbol": "BTC/USDT"}, -1100),
        (GOOD | {"symbol": "B" * 51}, -1100),
        (GOOD | {"interval": "7m"}, -1120),
        (GOOD | {"interval": "1s"}, -1120),
        (GOOD | {"interval": "1D"}, -1120),
        (GOOD | {"limit": "many"}, -1100),
        (GOOD | {"limit": -5}, -1100),
        (GOOD | {"startTime": "yesterday"}, -1100),
        (GOOD | {"endTime": -1}, -1100),
        (GOOD | {"endTime": "9" * 21}, -1100),
    ],
)
async def test_bad_input_is_refused_as_binance_refuses(
    http_server_client: AsyncHTTPServerClient, series: Series, query: dict[str, object], code: int
) -> None:
    reply = await ask(http_server_client, series, "klines", **query)
    assert (reply.status, reply.body["code"]) == (400, code)
    assert set(reply.body) == {"code", "msg"}


@pytest.mark.parametrize(
    ("series", "path", "query", "code"),
    [
        (SPOT, "klines", GOOD | {"limit": 0}, -1102),
        (PERPETUAL, "klines", GOOD | {"limit": 0}, -1130),
        (PERPETUAL, "klines", GOOD | {"limit": 1501}, -1130),
        (PERPETUAL, "klines", GOOD | {"startTime": 2, "endTime": 1}, -1023),
        (SPOT, "klines", GOOD | {"timeZone": "15"}, -1102),
        (SPOT, "klines", GOOD | {"timeZone": "UTC"}, -1102),
        (SPOT, "klines", GOOD | {"starttime": 1}, -1104),
        (SPOT, "exchangeInfo", {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128),
        (SPOT, "exchangeInfo", {"symbols": "BTCUSDT"}, -1100),
        (SPOT, "exchangeInfo", {"symbolStatus": "OPEN"}, -1122),
        (SPOT, "exchangeInfo", {"symbolStatus": "HALT", "symbol": "BTCUSDT"}, -1128),
        (SPOT, "ticker/24hr", {"type": "TINY"}, -1139),
        (SPOT, "ticker/price", {"symbol": "NOPEUSDT"}, -1121),
        (PERPETUAL, "ticker/24hr", {"symbol": "NOPEUSDT"}, -1121),
    ],
)
async def test_the_interfaces_differ_in_what_they_refuse(
    http_server_client: AsyncHTTPServerClient,
    series: Series,
    path: str,
    query: dict[str, object],
    code: int,
) -> None:
    reply = await ask(http_server_client, series, path, **query)
    assert (reply.status, reply.body["code"]) == (400, code)


async def test_what_the_futures_interface_does_not_know_it_ignores(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    assert await klines(http_server_client, PERPETUAL, timeZone="8", whatever=1) == []


async def test_spot_answers_an_inverted_window_with_nothing(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(SPOT)])
    assert await klines(http_server_client, SPOT, startTime=minute(300), endTime=minute(200)) == []


async def test_a_parameter_given_twice_and_another_unit_of_time_are_refused(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    twice = await get(http_server_client, "/binance/api/v3/klines?symbol=A&symbol=B&interval=1m")
    assert (twice.status, twice.body["code"]) == (400, -1101)
    unit = {"headers": {"X-MBX-TIME-UNIT": "MICROSECOND"}}
    micro = await send(http_server_client, "/binance/api/v3/time", **unit)
    assert (micro.status, micro.body["code"]) == (400, -1194)


async def test_times_at_the_ends_of_the_world_are_empty_not_errors(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(SPOT), shelf(PERPETUAL)])
    for series in PATHS:
        for interval in ("1m", "1w", "1M"):
            assert await klines(http_server_client, series, interval=interval, startTime="9" * 20) == []
            found = await klines(http_server_client, series, interval=interval, endTime="9" * 20, limit=1)
            assert len(found) == (0 if interval == "1M" else 1)
