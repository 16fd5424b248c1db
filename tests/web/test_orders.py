"""Orders over HTTP: placed, refused, cancelled, listed; limits, the kill switch, and who may do what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.policy import Access
from backend.services.service import Service
from backend.settings import Settings
from backend.web.routes import make_application
from tests.simulator.private.faults import Met
from tests.simulator.private.running import KEYS, PrivateSimulator
from tests.web.client import Reply, error_code, send
from tests.web.trading import ADMIN, keys, opened_market, with_accounts

TRADER, READER = "dummy-trader-key-0123456789", "dummy-reader-key-0123456789"
ORDER = {"symbol": "BTCUSDT", "side": "buy", "size": "0.01", "position": "long"}
LIMIT = ORDER | {"price": "20000"}


@pytest.fixture
def venue(io_loop: IOLoop) -> Iterator[PrivateSimulator]:
    with opened_market(io_loop, "classic") as running:
        yield running


@pytest.fixture
def settings(settings: Settings, venue: PrivateSimulator) -> Settings:
    known = f"admin:{ADMIN}:admin+trade,trader:{TRADER}:trade,reader:{READER}:read+write"
    on = with_accounts(settings, venue.url)
    return replace(on, api_keys=read_keys(known), live_trading=True)


@pytest.fixture
def app(service: Service, settings: Settings) -> Application:
    return make_application(service, access=Access(keys=settings.api_keys))


@pytest.fixture
def account(io_loop: IOLoop, http_server_client: AsyncHTTPServerClient) -> str:
    key, secret, passphrase = KEYS
    body = keys(key=key, secret=secret, passphrase=passphrase)
    reply = io_loop.run_sync(lambda: ask(http_server_client, "POST", "/accounts", body, X_Api_Key=ADMIN))
    assert reply.status == 201, reply.body
    made: str = reply.body["account"]["id"]
    return made


async def ask(
    client: AsyncHTTPServerClient,
    method: str,
    path: str,
    body: object = None,
    **headers: str,
) -> Reply:
    given = {"X-Api-Key": TRADER} | {name.replace("_", "-"): value for name, value in headers.items()}
    text = None if body is None else json.dumps(body)
    if method == "POST" and text is None:
        text = "{}"
    return await send(client, path, method=method, body=text, headers=given)


def refusal(reply: Reply) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return reply.status, error_code(reply)


async def place(client: AsyncHTTPServerClient, body: object = None, **headers: str) -> dict[str, Any]:
    reply = await ask(client, "POST", "/orders", ORDER if body is None else body, **headers)
    assert reply.status == 201, reply.body
    order: dict[str, Any] = reply.body["order"]
    return order


async def test_an_order_is_placed_read_and_cancelled(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator, account: str
) -> None:
    reply = await ask(http_server_client, "POST", "/orders", LIMIT)
    order = reply.body["order"]
    assert (reply.status, reply.headers["Location"]) == (201, f"/orders/{order['id']}")
    assert {name: order[name] for name in ("account", "venue", "mode", "state", "caller", "source")} == {
        "account": account,
        "venue": "bitget",
        "mode": "live",
        "state": "accepted",
        "caller": "trader",
        "source": "api",
    }
    assert order["ticket"] == {
        "product": "perpetual-usdt",
        "symbol": "BTCUSDT",
        "side": "buy",
        "size": "0.01",
        "quote_size": None,
        "price": "20000",
        "force": "gtc",
        "position": "long",
        "reduce_only": False,
        "take_profit": None,
        "stop_loss": None,
        "margin_mode": "crossed",
    }
    assert order["value"] == "200"
    [made] = venue.book.open.values()
    assert (str(made.number), made.client_id) == (order["order_id"], order["id"])
    listed = await ask(http_server_client, "GET", "/orders")
    told = [(row["client_id"], row["origin"]) for row in listed.body["orders"]]
    assert told == [(order["id"], "ours")]
    amended = await ask(http_server_client, "PATCH", f"/orders/{order['id']}", {"price": "21000"})
    assert (amended.status, amended.body["order"]["ticket"]["price"]) == (201, "21000")
    order = amended.body["order"]
    ended = await ask(http_server_client, "DELETE", f"/orders/{order['id']}")
    assert (ended.status, ended.body["order"]["order"]["status"]) == (200, "cancelled")
    found = await ask(http_server_client, "GET", f"/orders/{order['id']}")
    assert found.body == ended.body
    assert refusal(await ask(http_server_client, "GET", "/orders/i0")) == (404, "unknown_order")


async def test_a_repeated_key_is_the_same_order(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator, account: str
) -> None:
    first = await place(http_server_client, Idempotency_Key="one")
    again = await place(http_server_client, Idempotency_Key="one")
    assert (first["id"], len(venue.book.orders)) == (again["id"], 1)
    other = await ask(http_server_client, "POST", "/orders", LIMIT, Idempotency_Key="one")
    assert refusal(other) == (409, "key_reused")
    wrong = await ask(http_server_client, "POST", "/orders", LIMIT, Idempotency_Key="x" * 201)
    assert refusal(wrong) == (400, "invalid_idempotency_key")
    assert account


async def test_a_refusal_of_the_exchange_and_an_unknown_fate_are_told_apart(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator, account: str
) -> None:
    venue.faults.private.placing = [Met("refuse"), Met("accept_drop")]
    refused = await ask(http_server_client, "POST", "/orders", ORDER)
    assert refusal(refused) == (502, "exchange_refused")
    listed = (await ask(http_server_client, "GET", "/intents")).body["orders"]
    assert [one["state"] for one in listed] == ["refused"]
    assert listed[0]["id"] in refused.body["error"]["message"]
    unknown = await ask(http_server_client, "POST", "/orders", ORDER)
    assert (unknown.status, unknown.body["order"]["state"]) == (202, "unknown")
    entry = await ask(http_server_client, "POST", "/orders", ORDER)
    assert entry.status in (201, 409)
    assert account


NO_ORDERS: tuple[tuple[dict[str, object], str], ...] = (
    ({"size": 0.01}, "invalid_size"),
    ({"size": "-1"}, "invalid_size"),
    ({"size": "1e5000"}, "invalid_size"),
    ({"size": "0"}, "invalid_size"),
    ({"size": None}, "invalid_size"),
    ({"price": "NaN"}, "invalid_price"),
    ({"side": "hold"}, "unknown_side"),
    ({"force": "never"}, "unknown_force"),
    ({"position": "both"}, "unknown_position"),
    ({"product": "futures"}, "unknown_product"),
    ({"reduce_only": "yes"}, "invalid_reduce_only"),
    ({"reduce_only": True}, "invalid_order"),
    ({"force": "ioc"}, "invalid_order"),
    ({"quote_size": "10"}, "invalid_order"),
    ({"size": "0.00000001"}, "invalid_order"),
    ({"leverage": "5"}, "unknown_parameter"),
    ({"product": "spot", "position": "net"}, "invalid_order"),
    ({"product": "spot", "side": "sell"}, "invalid_order"),
)


async def test_what_is_no_order_is_refused_unsent(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator, account: str
) -> None:
    for changes, code in NO_ORDERS:
        reply = await ask(http_server_client, "POST", "/orders", ORDER | changes)
        assert refusal(reply) == (400, code), changes
    for name in ("symbol", "side", "size"):
        lacking = {one: each for one, each in ORDER.items() if one != name}
        reply = await ask(http_server_client, "POST", "/orders", lacking)
        assert (reply.status, name in reply.body["error"]["message"]) == (400, True)
    assert (len(venue.book.orders), bool(account)) == (0, True)


async def test_limits_are_set_shown_and_kept(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator, account: str
) -> None:
    path = f"/accounts/{account}"
    nothing = dict.fromkeys(
        ("max_order_value", "max_position_value", "price_band", "max_leverage", "max_daily_loss")
    )
    before = (await ask(http_server_client, "GET", path)).body["account"]["limits"]
    assert before == nothing | {"entries_per_minute": None, "symbols": []}
    limits = {"max_order_value": "250", "entries_per_minute": 2, "symbols": ["BTCUSDT"]}
    forbidden = await ask(http_server_client, "PATCH", path, {"limits": limits})
    assert refusal(forbidden) == (403, "missing_scope")
    changed = await ask(http_server_client, "PATCH", path, {"limits": limits}, X_Api_Key=ADMIN)
    assert changed.body["account"]["limits"] == nothing | limits
    dry = await ask(http_server_client, "POST", "/orders?dry_run=true", LIMIT | {"size": "0.02"})
    assert (dry.status, dry.body["allowed"], dry.body["refused"]) == (
        *(200, False),
        "the order may be worth 400; the limit is 250",
    )
    assert (dry.body["value"], dry.body["fee"], dry.body["margin"]) == ("400", "0.24", "40")
    refused = await ask(http_server_client, "POST", "/orders", LIMIT | {"size": "0.02"})
    assert refusal(refused) == (409, "risk_refused")
    assert len(venue.book.orders) == 0
    bad: tuple[object, ...] = (
        *({"max_order_value": 5.5}, {"entries_per_minute": 0}, {"symbols": [1]}, {"most": 1}),
        *([], 3),
    )
    for wrong in bad:
        reply = await ask(http_server_client, "PATCH", path, {"limits": wrong}, X_Api_Key=ADMIN)
        assert refusal(reply) == (400, "invalid_limits"), wrong


async def test_intents_and_the_audit_trail_are_paged(
    http_server_client: AsyncHTTPServerClient, account: str
) -> None:
    placed = [(await place(http_server_client))["id"] for _ in range(5)]
    for path, rows, count in (("/intents", "orders", 5), ("/audit", "records", 5)):
        found: list[Any] = []
        after = ""
        while True:
            reply = await ask(http_server_client, "GET", f"{path}?limit=2{after}")
            assert reply.status == 200, reply.body
            found += reply.body[rows]
            if reply.body["next"] is None:
                break
            after = f"&after={reply.body['next']}"
        name = "id" if rows == "orders" else "intent"
        assert [one[name] for one in found] == placed[::-1]
        assert len(found) == count
        strange = await ask(http_server_client, "GET", f"{path}?after=1~{'g' * 5}")
        assert (strange.status, strange.body["count"]) == (200, 0)
        wrong = await ask(http_server_client, "GET", f"{path}?after=1~{'g' * 5}.")
        assert refusal(wrong) == (400, "invalid_after")
    assert [one["outcome"] for one in found] == ["accepted"] * 5
    none = await ask(http_server_client, "GET", "/intents?state=unknown&symbol=ETHUSDT")
    assert (none.body["count"], none.body["account"]) == (0, account)


async def test_positions_are_closed_and_the_kill_switch_turned(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator, account: str
) -> None:
    await place(http_server_client)
    closed = await ask(http_server_client, "POST", "/positions/close", {"symbol": "BTCUSDT"})
    assert [one["ticket"]["side"] for one in closed.body["orders"]] == ["sell"]
    await place(http_server_client)
    await place(http_server_client, LIMIT)
    killed = await ask(http_server_client, "POST", "/kill", {"step": "flatten"})
    assert (killed.status, killed.body["cancelled"], killed.body["open"], killed.body["undecided"]) == (
        *(200, 1),
        *([], []),
    )
    assert len(killed.body["closed"]) == 1
    assert not venue.book.open
    assert refusal(await ask(http_server_client, "POST", "/orders", ORDER)) == (409, "risk_refused")
    assert (await ask(http_server_client, "POST", "/kill", {"step": "off"})).status == 200
    await place(http_server_client, LIMIT)
    gone = await ask(http_server_client, "DELETE", "/orders?symbol=BTCUSDT")
    assert (gone.body["cancelled"], gone.body["open"], gone.body["account"]) == (1, [], account)


async def test_only_a_key_that_may_trade_trades(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator, account: str
) -> None:
    asked = [
        ("POST", "/orders", ORDER),
        ("DELETE", "/orders", None),
        ("DELETE", "/orders/i0", None),
        ("POST", "/positions/close", {}),
        ("POST", "/kill", {}),
        ("GET", "/intents", None),
        ("GET", "/audit", None),
        ("GET", "/orders/i0", None),
    ]
    for method, path, body in asked:
        reply = await ask(http_server_client, method, path, body, X_Api_Key=READER)
        assert refusal(reply) == (403, "missing_scope"), path
    assert (len(venue.book.orders), bool(account)) == (0, True)


async def test_leverage_and_modes_are_set_and_read(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator, account: str
) -> None:
    usual = {"product": "perpetual-usdt", "symbol": "BTCUSDT"}
    body = {"symbol": "BTCUSDT", "leverage": 25}
    found = await ask(http_server_client, "PATCH", "/account/leverage", body)
    assert (found.status, found.body["account"]) == (200, account)
    expected = usual | {"long": "25", "short": "25", "margin_mode": "crossed", "hedged": True}
    assert found.body["setup"] == expected
    mode = {"symbol": "BTCUSDT", "margin_mode": "isolated"}
    found = await ask(http_server_client, "PATCH", "/account/margin-mode", mode)
    assert found.body["setup"]["margin_mode"] == "isolated"
    one_way = {"symbol": "BTCUSDT", "position_mode": "one_way"}
    found = await ask(http_server_client, "PATCH", "/account/position-mode", one_way)
    assert (found.body["setup"]["hedged"], venue.book.facts.hedged) == (False, False)
    read = await ask(http_server_client, "GET", "/account/position-mode?symbol=BTCUSDT")
    assert read.body == found.body
    for path, wrong, code in (
        ("leverage", {"symbol": "BTCUSDT"}, "missing_leverage"),
        ("leverage", body | {"leverage": 0}, "invalid_leverage"),
        ("leverage", body | {"product": "spot"}, "unknown_product"),
        ("margin-mode", {"symbol": "BTCUSDT"}, "missing_margin_mode"),
        ("position-mode", one_way | {"position_mode": "both"}, "unknown_position_mode"),
    ):
        reply = await ask(http_server_client, "PATCH", f"/account/{path}", wrong)
        assert refusal(reply) == (400, code)


async def test_a_twap_order_is_begun_read_and_cancelled(
    http_server_client: AsyncHTTPServerClient, account: str
) -> None:
    body = ORDER | {"size": "0.04", "slices": 4, "seconds": 40}
    begun = await ask(http_server_client, "POST", "/twap", body)
    twap = begun.body["twap"]
    assert (begun.status, begun.headers["Location"]) == (201, f"/twap/{twap['id']}")
    assert (twap["account"], twap["slices"], twap["interval_ms"], twap["caller"]) == (
        *(account, 4),
        *(10_000, "trader"),
    )
    cancelled = await ask(http_server_client, "DELETE", f"/twap/{twap['id']}")
    assert (cancelled.body["twap"]["status"], cancelled.body["twap"]["next"]) == ("cancelled", None)
    found = await ask(http_server_client, "GET", f"/twap/{twap['id']}")
    listed = await ask(http_server_client, "GET", "/twap")
    assert (found.body, listed.body["twaps"]) == (cancelled.body, [found.body["twap"]])
    for wrong, code in (({"slices": 501}, "invalid_slices"), ({"seconds": 0}, "invalid_seconds")):
        assert refusal(await ask(http_server_client, "POST", "/twap", body | wrong)) == (400, code)
    missing = {one: each for one, each in body.items() if one != "slices"}
    assert refusal(await ask(http_server_client, "POST", "/twap", missing)) == (400, "missing_slices")
    assert refusal(await ask(http_server_client, "GET", "/twap/nothing")) == (404, "unknown_twap")
