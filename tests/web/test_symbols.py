"""GET /api/symbols over HTTP, on a real mongod and simulated exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.core.series import Series
from backend.exchanges import EXCHANGES
from backend.store.mongo import Database
from tests.following import until
from tests.simulator import Forced, Simulator
from tests.web.client import Reply, error_code, get, post, send
from tests.web.stored import candle, store

EXCHANGE_INFO = "/api/v3/exchangeInfo"

MARKETS = [(exchange.name, market) for exchange in EXCHANGES.values() for market in exchange.markets]


def by_symbol(reply: Reply) -> Mapping[str, Any]:
    """The listed symbols by their names."""
    assert reply.status == 200
    return {found["symbol"]: found for found in reply.body["symbols"]}


def times_asked(simulator: Simulator, path: str) -> int:
    return sum(record.path == path for record in simulator.requests)


async def test_the_symbols_of_binance_spot_are_listed_when_nothing_else_is_said(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await get(http_server_client, "/api/symbols")
    assert {name: value for name, value in reply.body.items() if name != "symbols"} == {
        "success": True,
        "exchange": "binance",
        "market": "spot",
        "count": len(reply.body["symbols"]),
    }
    assert by_symbol(reply)["BTCUSDT"] == {
        "symbol": "BTCUSDT",
        "native": "BTCUSDT",
        "base": "BTC",
        "quote": "USDT",
        "status": "TRADING",
        "listed": None,
        "stored": False,
    }


async def test_symbols_are_listed_once_each_in_the_order_of_their_names(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await get(http_server_client, "/api/symbols?exchange=binance&market=spot")
    names = [found["symbol"] for found in reply.body["symbols"]]
    assert len(names) > 1
    assert names == sorted(set(names))


@pytest.mark.parametrize(("exchange", "market"), MARKETS)
async def test_every_market_lists_its_symbols(
    http_server_client: AsyncHTTPServerClient, exchange: str, market: str
) -> None:
    reply = await get(http_server_client, f"/api/symbols?exchange={exchange}&market={market}")
    assert (reply.body["exchange"], reply.body["market"]) == (exchange, market)
    assert {found["base"] for found in by_symbol(reply).values()} >= {"BTC"}


async def test_a_symbol_has_our_spelling_and_the_exchanges_own(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    bingx = by_symbol(await get(http_server_client, "/api/symbols?exchange=bingx&market=perpetual"))
    extended = by_symbol(await get(http_server_client, "/api/symbols?exchange=extended&market=perpetual"))
    assert (bingx["BTCUSDT"]["native"], extended["BTC-USD"]["native"]) == ("BTC-USDT", "BTC-USD")


async def test_a_symbol_says_when_it_was_listed_where_the_exchange_publishes_it(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await get(http_server_client, "/api/symbols?market=perpetual")
    assert by_symbol(reply)["BTCUSDT"]["listed"].endswith("+00:00")


async def test_a_symbol_is_stored_after_its_sync_and_on_its_own_market_only(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    before = by_symbol(await get(http_server_client, "/api/symbols"))
    assert not any(found["stored"] for found in before.values())
    await post(
        http_server_client,
        "/api/sync",
        {"symbol": "BTCUSDT", "start_time": "2025-06-01T00:00Z", "end_time": "2025-06-01T00:09Z"},
    )
    spot = by_symbol(await get(http_server_client, "/api/symbols"))
    perpetual = by_symbol(await get(http_server_client, "/api/symbols?market=perpetual"))
    assert [name for name, found in spot.items() if found["stored"]] == ["BTCUSDT"]
    assert not any(found["stored"] for found in perpetual.values())


async def test_a_sync_that_found_no_candle_stores_no_symbol(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await post(
        http_server_client,
        "/api/sync",
        {"symbol": "BTCUSDT", "start_time": "2010-01-01", "end_time": "2010-01-01T00:09Z"},
    )
    assert reply.body["statistics"]["total_records"] == 0
    assert not by_symbol(await get(http_server_client, "/api/symbols"))["BTCUSDT"]["stored"]


async def test_what_is_listed_is_asked_of_the_exchange_once(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    first = await get(http_server_client, "/api/symbols")
    second = await get(http_server_client, "/api/symbols")
    assert first.body == second.body
    assert times_asked(simulator, EXCHANGE_INFO) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("exchange=nyse", "unknown_exchange"),
        ("exchange=Binance", "unknown_exchange"),
        ("market=options", "unknown_market"),
        ("exchange=extended", "unknown_market"),
        ("exchange=", "missing_exchange"),
        ("market=", "missing_market"),
        ("symbol=BTCUSDT", "unknown_parameter"),
        ("limit=10", "unknown_parameter"),
        ("market=spot&market=perpetual", "repeated_parameter"),
    ],
)
async def test_bad_parameters_are_400_with_a_code_and_ask_nothing(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, query: str, code: str
) -> None:
    reply = await get(http_server_client, f"/api/symbols?{query}")
    assert (reply.status, error_code(reply)) == (400, code)
    assert times_asked(simulator, EXCHANGE_INFO) == 0


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("exchange=nyse", "binance, bingx, bitget, extended"),
        ("market=x", "perpetual, perpetual-index, perpetual-mark, spot"),
    ],
)
async def test_an_unknown_name_is_answered_with_those_that_are_known(
    http_server_client: AsyncHTTPServerClient, query: str, names: str
) -> None:
    reply = await get(http_server_client, f"/api/symbols?{query}")
    assert names in reply.body["error"]["message"]


@pytest.mark.parametrize(
    ("forced", "status", "code"),
    [
        (Forced(503, count=100), 503, "exchange_unavailable"),
        (Forced(418, count=100, retry_after=7), 503, "banned"),
        (Forced(403, count=100), 503, "rate_limited"),
        (Forced(451, count=100), 502, "region_blocked"),
        (Forced(400, count=100), 502, "exchange_refused"),
        (Forced(200, count=100, body={"symbols": None}), 502, "malformed_answer"),
    ],
)
async def test_an_exchange_that_does_not_say_what_it_lists_is_told(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, forced: Forced, status: int, code: str
) -> None:
    simulator.faults.forced = forced
    reply = await get(http_server_client, "/api/symbols")
    assert (reply.status, error_code(reply)) == (status, code)


async def test_an_exchange_that_cannot_be_reached_is_503(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await simulator.stop()
    reply = await get(http_server_client, "/api/symbols")
    assert (reply.status, error_code(reply)) == (503, "exchange_unavailable")


async def test_a_failure_is_remembered_for_a_moment_only(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.forced = Forced(451)
    assert (await get(http_server_client, "/api/symbols")).status == 502

    async def is_told() -> bool:
        return (await get(http_server_client, "/api/symbols")).status == 200

    await until(is_told)
    assert times_asked(simulator, EXCHANGE_INFO) == 2


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS"])
async def test_symbols_can_only_be_read(http_server_client: AsyncHTTPServerClient, method: str) -> None:
    reply = await send(http_server_client, "/api/symbols", method=method)
    assert (reply.status, error_code(reply), reply.headers["Allow"]) == (
        405,
        "method_not_allowed",
        "GET, HEAD",
    )


async def test_a_stored_symbol_that_is_not_listed_any_more_is_told_as_such(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.unlisted = ["BTCUSDT"]
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert by_symbol(await get(http_server_client, "/api/symbols"))["BTCUSDT"] == {
        "symbol": "BTCUSDT",
        "native": None,
        "base": "BTC",
        "quote": "USDT",
        "status": "unlisted",
        "listed": None,
        "stored": True,
    }


@pytest.mark.parametrize(
    ("exchange", "market", "path", "field", "trades", "gone"),
    [
        ("binance", "spot", "/binance/api/v3/exchangeInfo", "status", "TRADING", "BREAK"),
        ("binance", "perpetual", "/binance/fapi/v1/exchangeInfo", "status", "TRADING", "CLOSE"),
        ("bitget", "spot", "/bitget/api/v2/spot/public/symbols", "status", "online", "offline"),
        (
            *("bitget", "perpetual", "/bitget/api/v2/mix/market/contracts?productType=USDT-FUTURES"),
            *("symbolStatus", "normal", "off"),
        ),
        ("bingx", "spot", "/bingx/openApi/spot/v1/common/symbols", "status", 1, 0),
        ("bingx", "perpetual", "/bingx/openApi/swap/v2/quote/contracts", "status", 1, 0),
    ],
)
async def test_bots_are_told_the_exchanges_word_for_the_state_of_a_symbol(
    http_server_client: AsyncHTTPServerClient,
    simulator: Simulator,
    database: Database,
    exchange: str,
    market: str,
    path: str,
    field: str,
    trades: object,
    gone: object,
) -> None:
    simulator.faults.unlisted = ["ETHUSDT"]
    for symbol in ("BTCUSDT", "ETHUSDT"):
        await store(database, [candle(number) for number in range(10)], Series(exchange, market, symbol))
    body = (await get(http_server_client, path)).body
    listed = body.get("data", body)
    found = listed["symbols"] if isinstance(listed, dict) else listed
    assert [each[field] for each in found] == [trades, gone]


async def test_bots_may_ask_for_the_symbols_of_one_state(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.unlisted = ["ETHUSDT"]
    for symbol in ("BTCUSDT", "ETHUSDT"):
        await post(http_server_client, "/api/sync", {"symbol": symbol})
    for status, symbols in (("TRADING", ["BTCUSDT"]), ("BREAK", ["ETHUSDT"]), ("HALT", [])):
        reply = await get(http_server_client, f"/binance/api/v3/exchangeInfo?symbolStatus={status}")
        assert [each["symbol"] for each in reply.body["symbols"]] == symbols
