"""Accounts over HTTP: added, read, changed, removed; what their keys may do, and that no answer has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.clock import Clock
from backend.settings import Settings
from backend.store.mongo import Database
from tests.account_venue import INFO, ScriptedBitget, refused, told
from tests.bitget_rows import MIX_POSITION
from tests.hurried import HurriedClock
from tests.private import KEYS, SECRETS, shown
from tests.web.client import Reply, error_code, get, post, send
from tests.web.trading import added, keys, opened_venue, with_accounts


@pytest.fixture
def venue(io_loop: IOLoop) -> Iterator[ScriptedBitget]:
    with opened_venue(io_loop) as venue:
        yield venue


@pytest.fixture
def clock() -> Clock:
    """An exchange lets few questions a second by: waiting for the next second takes a twentieth of it."""
    return HurriedClock(20)


@pytest.fixture
def settings(settings: Settings, venue: ScriptedBitget) -> Settings:
    return with_accounts(settings, venue.url)


async def change(client: AsyncHTTPServerClient, account_id: str, **body: object) -> Reply:
    return await send(client, f"/accounts/{account_id}", method="PATCH", body=json.dumps(body))


async def test_an_account_is_what_its_venue_says(http_server_client: AsyncHTTPServerClient) -> None:
    account = await added(http_server_client)
    assert {name: account[name] for name in ("venue", "mode", "label", "flavour", "uid", "rights")} == {
        "venue": "bitget",
        "mode": "live",
        "label": "grid bot",
        "flavour": "classic",
        "uid": "714",
        "rights": ["read"],
    }
    assert account["registered"] == "2023-11-14T22:13:20+00:00"
    assert (account["addresses"], account["warnings"], account["frozen"]) == (["192.0.2.7"], [], False)
    assert (await get(http_server_client, "/accounts")).body["accounts"] == [account]
    assert (await get(http_server_client, f"/accounts/{account['id']}")).body["account"] == account


async def test_a_unified_account_is_told_from_a_classic_one(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget
) -> None:
    venue.become_unified()
    account = await added(http_server_client)
    assert (account["flavour"], account["addresses"]) == ("unified", [])
    assert "from any address" in account["warnings"][0]


async def test_a_key_that_may_withdraw_is_refused(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget
) -> None:
    venue.answers["/api/v2/spot/account/info"] = told(INFO | {"authorities": ["wwow"]})
    reply = await post(http_server_client, "/accounts", keys())
    assert (reply.status, error_code(reply)) == (403, "key_may_withdraw")
    assert (await get(http_server_client, "/accounts")).body["count"] == 0


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (refused("40037", "Apikey does not exist"), 502, "keys_refused"),
        (refused("40018", f"Invalid IP for {KEYS.key}"), 502, "keys_refused"),
        (refused("40099", "exchange environment is incorrect"), 502, "mode_refused"),
        (b"<html>", 503, "outcome_unknown"),
    ],
)
async def test_keys_that_the_venue_refuses_are_not_kept(
    http_server_client: AsyncHTTPServerClient,
    venue: ScriptedBitget,
    database: Database,
    said: Any,
    status: int,
    code: str,
) -> None:
    venue.answers |= dict.fromkeys(
        ("/api/v3/account/assets", "/api/v2/mix/account/accounts", "/api/v2/spot/account/info"), said
    )
    reply = await post(http_server_client, "/accounts", keys())
    assert (reply.status, error_code(reply)) == (status, code)
    assert not shown(json.dumps(reply.body))
    assert await database["accounts"].count_documents({}) == 0


async def test_an_account_is_there_once(http_server_client: AsyncHTTPServerClient) -> None:
    await added(http_server_client)
    reply = await post(http_server_client, "/accounts", keys())
    assert (reply.status, error_code(reply)) == (409, "account_exists")
    await added(http_server_client, mode="demo")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"venue": "nowhere"}, "unknown_venue"),
        ({"mode": "paper"}, "invalid_key"),
        ({"mode": "toy"}, "unknown_mode"),
        ({"label": "x" * 101}, "invalid_label"),
        ({"label": 7}, "invalid_label"),
        ({"key": ""}, "invalid_key"),
        ({"key": "two\nlines"}, "invalid_key"),
        ({"secret": None}, "invalid_secret"),
        ({"passphrase": "p" * 513}, "invalid_passphrase"),
        ({"withdraw": True}, "unknown_parameter"),
    ],
)
async def test_what_is_no_account_is_refused_before_the_venue_is_asked(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget, wrong: dict[str, object], code: str
) -> None:
    reply = await post(http_server_client, "/accounts", keys(**wrong))
    assert (reply.status, error_code(reply)) == (400, code)
    assert venue.paths() == []


async def test_a_frozen_account_asks_nothing(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget
) -> None:
    account = await added(http_server_client)
    reply = await change(http_server_client, account["id"], frozen=True, label="kept")
    assert (reply.body["account"]["frozen"], reply.body["account"]["label"]) == (True, "kept")
    asked = len(venue.asked)
    reply = await get(http_server_client, "/account/balance")
    assert (reply.status, error_code(reply)) == (409, "account_frozen")
    assert len(venue.asked) == asked
    await change(http_server_client, account["id"], frozen=False)
    assert (await get(http_server_client, "/account/balance")).status == 200


async def test_a_removed_account_is_gone_with_its_keys(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    account = await added(http_server_client)
    path = f"/accounts/{account['id']}"
    assert (await send(http_server_client, path, method="DELETE")).status == 200
    for method in ("GET", "DELETE"):
        reply = await send(http_server_client, path, method=method)
        assert (reply.status, error_code(reply)) == (404, "unknown_account")
    assert error_code(await change(http_server_client, account["id"])) == "unknown_account"
    assert await database["accounts"].count_documents({}) == 0


async def test_what_a_key_may_do_is_asked_again(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget
) -> None:
    account = await added(http_server_client)
    venue.answers["/api/v2/spot/account/info"] = told(INFO | {"authorities": ["wwow"], "ips": ""})
    reply = await send(http_server_client, f"/accounts/{account['id']}/check", method="POST", body="")
    found = reply.body["account"]
    assert found["rights"] == ["read", "withdraw"]
    assert any("may withdraw" in warning for warning in found["warnings"])
    assert (await get(http_server_client, f"/accounts/{account['id']}")).body["account"] == found


async def test_wallets_are_read_with_their_age(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget
) -> None:
    account = await added(http_server_client)
    reply = await get(http_server_client, "/account/balance")
    assert {wallet["product"] for wallet in reply.body["wallets"]} == {
        *("spot", "perpetual-usdt", "perpetual-usdc", "perpetual-coin")
    }
    assert (reply.body["account"], reply.body["mode"]) == (account["id"], "live")
    assert 0 <= reply.body["age_ms"] < 60_000
    one = await get(http_server_client, f"/account/balance/spot?account={account['id']}")
    assert one.body["wallets"] == [
        {
            "product": "spot",
            "balances": [{"coin": "USDT", "available": "5", "frozen": "0.3", "equity": None}],
        }
    ]
    before = venue.paths().count("/api/v2/spot/account/assets")
    again = await get(http_server_client, f"/account/balance/spot?account={account['id']}")
    if again.body["read_at"] == one.body["read_at"]:
        assert venue.paths().count("/api/v2/spot/account/assets") == before


async def test_positions_leverage_fees_and_open_orders_are_read(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget
) -> None:
    await added(http_server_client)
    venue.answers["/api/v2/mix/position/all-position"] = told(
        [MIX_POSITION, MIX_POSITION | {"holdSide": "short", "leverage": "5"}]
    )
    positions = (await get(http_server_client, "/account/positions?product=perpetual-usdt")).body["positions"]
    assert [(one["held"], one["size"], one["entry_price"]) for one in positions] == [
        ("long", "0.01", "25000"),
        ("short", "0.01", "25000"),
    ]
    leverage = (await get(http_server_client, "/account/leverage?product=perpetual-usdt")).body["leverage"]
    assert [one["leverage"] for one in leverage] == ["20", "5"]
    fees = (await get(http_server_client, "/account/fees?symbol=BTCUSDT")).body
    assert (fees["product"], fees["maker"], fees["taker"]) == ("perpetual-usdt", "0.0002", "0.0006")
    (order,) = (await get(http_server_client, "/orders")).body["orders"]
    assert (order["order_id"], order["status"], order["filled"], order["fees"]) == (
        "1111",
        "open",
        "0.001",
        [{"coin": "USDT", "paid": "0.0348"}],
    )


async def test_without_a_name_the_only_account_is_meant(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/account/balance")
    assert (reply.status, error_code(reply)) == (400, "missing_account")
    await added(http_server_client)
    assert (await get(http_server_client, "/account/balance")).status == 200
    await added(http_server_client, mode="demo")
    assert error_code(await get(http_server_client, "/account/balance")) == "missing_account"
    assert error_code(await get(http_server_client, "/account/balance?account=x")) == "unknown_account"


async def test_demo_accounts_sign_as_such(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget
) -> None:
    await added(http_server_client, mode="demo")
    signed = [one.headers for one in venue.asked if "ACCESS-SIGN" in one.headers]
    assert signed
    assert {headers.get("paptrading") for headers in signed} == {"1"}


async def test_nothing_of_the_keys_is_in_the_database(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await added(http_server_client)
    dump = ""
    for name in await database.list_collection_names():
        dump += str(await database[name].find().to_list(None))
    assert "grid bot" in dump
    assert [secret for secret in SECRETS if secret in dump] == []


async def test_sealed_keys_of_another_account_do_not_open(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    one, other = await added(http_server_client), await added(http_server_client, mode="demo")
    stolen = await database["accounts"].find_one({"_id": one["id"]})
    assert stolen is not None
    await database["accounts"].update_one({"_id": other["id"]}, {"$set": {"sealed": stolen["sealed"]}})
    reply = await get(http_server_client, f"/account/balance?account={other['id']}")
    assert (reply.status, error_code(reply)) == (503, "keys_sealed")
    assert "another account" in reply.body["error"]["message"]


class TestOff:
    """Without MASTER_KEYS or API_KEYS."""

    @pytest.fixture
    def settings(self, settings: Settings, unset: str) -> Settings:
        return replace(settings, master_keys=()) if unset == "MASTER_KEYS" else replace(settings, api_keys=())

    @pytest.mark.parametrize("unset", ["MASTER_KEYS", "API_KEYS"])
    async def test_accounts_are_off_and_say_so(
        self, http_server_client: AsyncHTTPServerClient, unset: str
    ) -> None:
        for reply in (
            await get(http_server_client, "/accounts"),
            await get(http_server_client, "/account/balance"),
            await post(http_server_client, "/accounts", keys()),
        ):
            assert (reply.status, error_code(reply)) == (403, "trading_off")
            assert unset in reply.body["error"]["message"]
        assert (await get(http_server_client, "/api/series")).status == 200
