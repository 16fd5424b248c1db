"""Paper accounts over HTTP, in a service composed as in production, at the prices of simulated exchanges."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.settings import Settings
from tests.web.client import Reply, error_code, get, post, send
from tests.web.trading import with_accounts

SYMBOLS = {"bitget": "BTCUSDT", "bingx": "BTC-USDT"}
VENUE = pytest.mark.parametrize("venue", SYMBOLS)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Accounts are on, and their venues' rules are told by the simulated markets."""
    return with_accounts(settings, settings.base_urls["BITGET_URL"])


async def opened(client: AsyncHTTPServerClient, venue: str, **more: object) -> str:
    reply = await post(client, "/accounts", {"venue": venue, "label": "try", **more})
    assert reply.status == 201, reply.body
    account: dict[str, Any] = reply.body["account"]
    assert (account["mode"], account["flavour"], account["warnings"]) == ("paper", "paper", [])
    made: str = account["id"]
    return made


async def placed(client: AsyncHTTPServerClient, venue: str, **more: object) -> Reply:
    reply = await post(client, "/orders", {"symbol": SYMBOLS[venue], "side": "buy", **more})
    assert reply.status == 201, reply.body
    return reply


@VENUE
async def test_a_paper_account_trades_at_the_prices_of_its_exchange(
    http_server_client: AsyncHTTPServerClient, venue: str
) -> None:
    await opened(http_server_client, venue, balance="5000")
    book = f"/markets/BTCUSDT/orderbook?exchange={venue}&market=perpetual"
    asks = (await get(http_server_client, book)).body["asks"]
    reply = await placed(http_server_client, venue, size="0.01")
    assert reply.body["order"]["mode"] == "paper"
    [position] = (await get(http_server_client, "/account/positions")).body["positions"]
    assert (position["size"], position["margin_mode"]) == ("0.01", "crossed")
    assert Decimal(position["entry_price"]) >= Decimal(asks[0]["price"])
    wallets = (await get(http_server_client, "/account/balance/perpetual-usdt")).body["wallets"]
    assert 4000 < Decimal(wallets[0]["balances"][0]["equity"]) < 5000
    reply = await post(http_server_client, "/positions/close", {})
    assert reply.status == 200
    fresh = "/account/positions?product=perpetual-usdt"  # another question than the one of a moment ago
    assert (await get(http_server_client, fresh)).body["positions"] == []


@VENUE
async def test_what_paper_did_is_extracted_complete_and_proven(
    http_server_client: AsyncHTTPServerClient, venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.trading.history.SETTLE", 0)  # or two minutes of waiting
    account = await opened(http_server_client, venue)
    await placed(http_server_client, venue, size="0.01")
    await placed(http_server_client, venue, size="0.01", price="1000")
    await placed(http_server_client, venue, product="spot", quote_size="500")
    reply = await send(http_server_client, f"/orders?account={account}", method="DELETE")
    assert (reply.status, reply.body["cancelled"], reply.body["mode"]) == (200, 1, "paper")
    reply = await post(http_server_client, "/extract-orders", {"wait": 600})
    assert reply.status == 200, reply.body
    orders = (await get(http_server_client, "/orders/history")).body["orders"]
    assert [(row["status"], row["origin"]) for row in orders] == [
        ("filled", "ours"),
        ("cancelled", "ours"),
        ("filled", "ours"),
    ]
    told = (await get(http_server_client, "/account/completeness")).body["completeness"]
    assert told["complete"] is True
    assert told["proof"]["holds"] is True


async def test_funding_is_asked_for_where_a_position_is_held(
    http_server_client: AsyncHTTPServerClient, database: Any
) -> None:
    for venue in SYMBOLS:
        account = await opened(http_server_client, venue)
        reply = await post(
            http_server_client,
            "/orders",
            {"account": account, "symbol": SYMBOLS[venue], "side": "buy", "size": "0.01"},
        )
        assert reply.status == 201, reply.body
    books = await database["paper_books"].find().to_list(None)
    marks = [mark for book in books for mark in book["book"]["marks"]]
    assert [(mark["funding"].to_decimal(), mark["every"]) for mark in marks] == [
        (Decimal("0.0001"), 28_800_000)
    ] * 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"venue": "binance"}, "unknown_venue"),
        ({"balance": 0.5}, "invalid_balance"),
        ({"balance": "0"}, "invalid_balance"),
        ({"taker_fee": "0.1"}, "invalid_taker_fee"),
        ({"maker_fee": "-0.001"}, "invalid_maker_fee"),
        ({"secret": "s"}, "invalid_key"),
    ],
)
async def test_what_is_no_paper_account_is_refused(
    http_server_client: AsyncHTTPServerClient, wrong: dict[str, object], code: str
) -> None:
    reply = await post(http_server_client, "/accounts", {"venue": "bingx", **wrong})
    assert (reply.status, error_code(reply)) == (400, code)
    assert (await get(http_server_client, "/accounts")).body["count"] == 0


async def test_paper_refuses_what_has_no_price(http_server_client: AsyncHTTPServerClient) -> None:
    await opened(http_server_client, "bingx", taker_fee="0", maker_fee="0")
    for wrong, said in (
        ({"product": "perpetual-coin", "symbol": "BTC-USD"}, "this paper account trades"),
        ({"symbol": "NO-SUCH"}, "lists no market"),
        ({"symbol": "btc/usdt"}, "lists no market"),
        ({"size": "1000"}, "not enough USDT"),
    ):
        body = {"symbol": "BTC-USDT", "side": "buy", "size": "0.01"} | wrong
        reply = await post(http_server_client, "/orders", body)
        assert (reply.status, error_code(reply)) == (502, "exchange_refused"), reply.body
        assert said in json.dumps(reply.body)


async def test_an_order_waits_for_its_price_at_the_service(http_server_client: AsyncHTTPServerClient) -> None:
    await opened(http_server_client, "bingx")
    reply = await placed(http_server_client, "bingx", size="0.01", trigger_price="1")
    trigger = reply.body["trigger"]
    assert reply.headers["Location"] == f"/triggers/{trigger['id']}"
    assert (trigger["status"], trigger["above"], trigger["mode"]) == ("waiting", False, "paper")
    listed = (await get(http_server_client, "/triggers")).body
    assert (listed["count"], listed["triggers"]) == (1, [trigger])
    reply = await send(http_server_client, f"/triggers/{trigger['id']}", method="DELETE")
    assert reply.body["trigger"]["status"] == "cancelled"
    again = await get(http_server_client, f"/triggers/{trigger['id']}")
    assert again.body["trigger"]["status"] == "cancelled"
    reply = await get(http_server_client, "/triggers/nobody")
    assert (reply.status, error_code(reply)) == (404, "unknown_trigger")
    body = {"symbol": "BTC-USDT", "side": "buy", "size": "0.01", "trigger_price": "1"}
    reply = await post(http_server_client, "/orders?dry_run=true", body)
    assert (reply.status, error_code(reply)) == (400, "contradictory_parameters")
