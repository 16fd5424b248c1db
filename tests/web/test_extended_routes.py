"""`/extended/v1`: market data, an account and its orders in Extended's own envelope and words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.policy import Access
from backend.core.series import Series
from backend.services.service import Service
from backend.settings import Settings
from backend.store.mongo import Database
from backend.web.routes import make_application
from tests.integration.shelf import fill, shelf
from tests.simulator.private.faults import Met
from tests.simulator.private.running import STARK_KEYS, PrivateSimulator
from tests.web.client import Reply, send
from tests.web.trading import ADMIN, keys, opened_market, with_accounts

TRADER, READER = "dummy-trader-key-0123456789", "dummy-reader-key-0123456789"
ROOT = "/extended/v1"
ORDER = {"market": "BTC-USD", "side": "BUY", "qty": "0.01", "price": "29000"}


@pytest.fixture
def venue(io_loop: IOLoop) -> Iterator[PrivateSimulator]:
    with opened_market(io_loop, "extended") as running:
        yield running


@pytest.fixture
def settings(settings: Settings, venue: PrivateSimulator) -> Settings:
    known = f"admin:{ADMIN}:admin+trade,trader:{TRADER}:trade+read,reader:{READER}:read"
    on = with_accounts(settings, venue.url)
    return replace(on, api_keys=read_keys(known), live_trading=True)


@pytest.fixture
def app(service: Service, settings: Settings) -> Application:
    return make_application(service, access=Access(keys=settings.api_keys))


async def ask(
    client: AsyncHTTPServerClient, method: str, path: str, body: object = None, key: str = TRADER
) -> Reply:
    text = None if body is None else json.dumps(body)
    headers = {"X-Api-Key": key} if key else {}
    return await send(client, path, method=method, body=text, headers=headers)


async def told(client: AsyncHTTPServerClient, method: str, path: str, body: object = None) -> Any:
    """The data of a success."""
    reply = await ask(client, method, f"{ROOT}{path}", body)
    assert (reply.status, reply.body["status"]) == (200, "ok"), reply.body
    assert set(reply.body) == {"status", "data", "pagination"}
    return reply.body["data"]


async def refused(
    client: AsyncHTTPServerClient, method: str, path: str, body: object = None
) -> tuple[int, str]:
    """The status and the code of an error."""
    reply = await ask(client, method, f"{ROOT}{path}", body)
    assert reply.body["status"] == "error", reply.body
    assert set(reply.body["error"]) == {"code", "message"}
    return reply.status, reply.body["error"]["code"]


async def opened(client: AsyncHTTPServerClient) -> str:
    key, secret, passphrase = STARK_KEYS
    body = keys(venue="extended", key=key, secret=secret, passphrase=passphrase)
    reply = await ask(client, "POST", "/accounts", body, key=ADMIN)
    assert reply.status == 201, reply.body
    # Extended has no list of addresses that a key could be bound to.
    assert not any("address" in warning for warning in reply.body["account"]["warnings"])
    made: str = reply.body["account"]["id"]
    return made


async def test_markets_are_told_without_an_account(http_server_client: AsyncHTTPServerClient) -> None:
    markets = await told(http_server_client, "GET", "/markets")
    assert {
        "name": "BTC-USD",
        "assetName": "BTC",
        "collateralAssetName": "USD",
        "status": "ACTIVE",
    } in markets
    assert [one["name"] for one in await told(http_server_client, "GET", "/markets?market=ETH-USD")] == [
        "ETH-USD"
    ]
    stats = await told(http_server_client, "GET", "/markets/BTC-USD/stats")
    assert Decimal(stats["lastPrice"]) > 0
    assert stats["fundingRate"] == "0.000013"
    book = await told(http_server_client, "GET", "/markets/BTC-USD/orderbook")
    assert book["market"] == "BTC-USD"
    assert Decimal(book["bid"][0]["price"]) <= Decimal(book["ask"][0]["price"])
    trades = await told(http_server_client, "GET", "/markets/BTC-USD/trades")
    assert [one["T"] for one in trades] == sorted((one["T"] for one in trades), reverse=True)
    assert {one["m"] for one in trades} == {"BTC-USD"}
    assert {one["S"] for one in trades} == {"BUY", "SELL"}
    assert {one["tT"] for one in trades} == {"TRADE", "LIQUIDATION"}
    assert trades[0]["i"] > 2**53
    assert all(Decimal(one["p"]) > 0 and Decimal(one["q"]) > 0 for one in trades)
    due = stats["nextFundingRate"] - 3_600_000
    paid = await told(
        http_server_client, "GET", f"/markets/BTC-USD/funding?startTime={due - 3_600_000}&endTime={due}"
    )
    assert [row["T"] for row in paid] == [due, due - 3_600_000]


@pytest.mark.parametrize(
    ("prices", "market"),
    [("trades", "perpetual"), ("mark-prices", "perpetual-mark"), ("index-prices", "perpetual-index")],
)
async def test_stored_candles_come_newest_first(
    http_server_client: AsyncHTTPServerClient, database: Database, prices: str, market: str
) -> None:
    stored = shelf(Series("extended", market, "BTC-USD"))
    await fill(database, [stored])
    path = f"/markets/BTC-USD/candles?interval=PT1M&limit=3&type={prices}"
    rows = await told(http_server_client, "GET", path)
    assert [row["T"] for row in rows] == [one.open_time for one in stored.candles[:-4:-1]]
    assert [float(row["c"]) for row in rows] == [one.close for one in stored.candles[:-4:-1]]
    end = stored.candles[-2].open_time
    rows = await told(http_server_client, "GET", f"{path}&endTime={end}")
    assert rows[0]["T"] == end


async def test_an_order_is_placed_read_changed_and_cancelled(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator
) -> None:
    client = http_server_client
    await opened(client)
    placed = await told(client, "POST", "/orders", ORDER | {"id": "mine", "postOnly": True})
    again = await told(client, "POST", "/orders", ORDER | {"id": "mine", "postOnly": True})
    assert placed == again
    assert (placed["state"], len(venue.book.orders)) == ("accepted", 1)
    [row] = await told(client, "GET", "/orders?market=BTC-USD")
    assert {name: row[name] for name in ("id", "externalId", "market", "side", "type", "status", "qty")} == {
        "id": placed["id"],
        "externalId": placed["externalId"],
        "market": "BTC-USD",
        "side": "BUY",
        "type": "LIMIT",
        "status": "NEW",
        "qty": "0.01",
    }
    assert (await told(client, "GET", f"/orders/{placed['externalId']}"))["id"] == placed["id"]
    changed = await told(client, "PATCH", f"/orders/{placed['externalId']}", {"price": "28500"})
    assert changed["id"] != placed["id"]
    gone = await told(client, "DELETE", f"/orders/{changed['externalId']}")
    assert gone["externalId"] == changed["externalId"]
    assert [one.status for one in venue.book.orders] == ["cancelled", "cancelled"]
    await told(client, "POST", "/orders", ORDER)
    assert await told(client, "DELETE", "/orders?market=BTC-USD") == {"cancelled": 1}


async def test_the_account_is_told_in_extendeds_words(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    client = http_server_client
    account = await opened(client)
    stops = {"takeProfit": {"triggerPrice": "31000"}, "stopLoss": {"triggerPrice": "29000"}}
    order = {"market": "BTC-USD", "side": "SELL", "qty": "0.02", "type": "MARKET"} | stops
    await told(client, "POST", "/orders", order)
    [position] = await told(client, "GET", f"/account/positions?account={account}")
    assert (position["market"], position["side"], position["size"]) == ("BTC-USD", "SHORT", "0.02")
    [wallet] = await told(client, "GET", "/account/balance")
    assert wallet["collateralName"] == "USD"
    assert Decimal(wallet["availableForTrade"]) < Decimal(wallet["equity"])
    [fees] = await told(client, "GET", "/account/fees?market=BTC-USD")
    assert (fees["makerFeeRate"], fees["takerFeeRate"]) == ("0.0002", "0.0006")
    set_to = await told(client, "PATCH", "/account/leverage", {"market": "BTC-USD", "leverage": 7})
    assert set_to == {"market": "BTC-USD", "leverage": "7"}
    assert await told(client, "GET", "/account/leverage?market=BTC-USD") == [set_to]
    for path in ("/orders/history", "/trades"):
        reply = await ask(client, "GET", f"{ROOT}{path}?limit=5")
        assert reply.body["pagination"] == {"cursor": None, "count": len(reply.body["data"])}


async def test_errors_have_the_envelope_and_its_statuses(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator
) -> None:
    client = http_server_client
    assert await refused(client, "GET", "/orders") == (400, "missing_account")
    await opened(client)
    wrong: list[tuple[str, str, object, tuple[int, str]]] = [
        ("GET", "/account/fees", None, (400, "missing_market")),
        ("GET", "/markets/BTC-USD/candles", None, (400, "missing_interval")),
        ("GET", "/markets/BTC-USD/candles?interval=1m", None, (400, "unknown_interval")),
        ("GET", "/markets/NOPE-USD/stats", None, (400, "unknown_symbol")),
        ("GET", "/markets/BTC-USD/funding?startTime=1&endTime=x", None, (400, "invalid_endTime")),
        ("GET", "/orders/i0", None, (400, "unknown_order")),
        ("POST", "/orders", {"market": "BTC-USD"}, (400, "missing_side")),
        ("POST", "/orders", ORDER | {"side": "LONG"}, (400, "unknown_side")),
        ("POST", "/orders", ORDER | {"qty": 0.01}, (400, "invalid_qty")),
        ("POST", "/orders", ORDER | {"qty": "0.0000001"}, (400, "invalid_order")),
        ("POST", "/orders", ORDER | {"takeProfit": "70000"}, (400, "invalid_takeProfit")),
        ("POST", "/orders", ORDER | {"postOnly": True, "timeInForce": "IOC"}, (400, "invalid_order")),
        ("POST", "/orders", {**ORDER, "price": None}, (400, "invalid_price")),
        ("PATCH", "/account/leverage", {"market": "BTC-USD", "leverage": 0}, (400, "invalid_leverage")),
        ("DELETE", "/trades", None, (405, "method_not_allowed")),
    ]
    for method, path, body, expected in wrong:
        assert await refused(client, method, path, body) == expected, path
    venue.faults.private.placing = [Met("refuse")]
    assert await refused(client, "POST", "/orders", ORDER) == (500, "exchange_refused")
    assert venue.book.orders.latest is None


async def test_who_may_not_trade_gets_no_further(http_server_client: AsyncHTTPServerClient) -> None:
    client = http_server_client
    await opened(client)
    for key, status, code in (
        ("", 401, "missing_key"),
        ("nobodys", 401, "invalid_key"),
        (READER, 403, "missing_scope"),
    ):
        for method, path, body in (("GET", "/orders", None), ("POST", "/orders", ORDER)):
            reply = await ask(client, method, f"{ROOT}{path}", body, key=key)
            assert (reply.status, reply.body["status"], reply.body["error"]["code"]) == (
                status,
                "error",
                code,
            )
    reply = await ask(client, "GET", f"{ROOT}/markets", key=READER)
    assert reply.body["status"] == "ok"
