"""Webhooks, strategies, alarms and operations over HTTP, on paper at the prices of simulated exchanges."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.networks import read_networks
from backend.access.policy import Access
from backend.services.alarms.intake import REFUSALS_PER_MINUTE
from backend.services.service import Service
from backend.settings import Settings
from backend.store.mongo import Database
from backend.web.routes import make_application
from tests.web.client import Reply, error_code, get, post, send
from tests.web.trading import ADMIN, with_accounts

READER = "dummy-reader-key-0123456789"
SENDERS = read_networks("127.0.0.1")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    on = with_accounts(settings, settings.base_urls["BITGET_URL"])
    known = f"admin:{ADMIN}:admin+trade,reader:{READER}:read+write"
    return replace(on, api_keys=read_keys(known), webhook_addresses=SENDERS)


@pytest.fixture
def app(service: Service, settings: Settings) -> Application:
    return make_application(service, access=Access(keys=settings.api_keys, alarm_networks=SENDERS))


async def ask(client: AsyncHTTPServerClient, method: str, path: str, body: object = None) -> Reply:
    text = "" if body is None and method in ("POST", "PATCH") else None if body is None else json.dumps(body)
    return await send(client, path, method=method, body=text, headers={"X-Api-Key": ADMIN})


async def strategy(client: AsyncHTTPServerClient, **more: object) -> str:
    """A paper account with a strategy; its token."""
    assert (await ask(client, "POST", "/accounts", {"venue": "bingx"})).status == 201
    body = {"id": "ema", "sizing": {"by": "alarm", "amount": "0.01"}, **more}
    reply = await ask(client, "POST", "/strategies", body)
    assert reply.status == 201, reply.body
    assert reply.headers["Location"] == "/strategies/ema"
    token: str = reply.body["token"]
    return token


def alarm(**more: object) -> dict[str, object]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "ticker": "BTCUSDT.P",
        "action": "buy",
        "position": "long",
        "position_size": 1,
        "fired_at": now,
        **more,
    }


async def sent(client: AsyncHTTPServerClient, body: object, path: str = "/webhook", **headers: str) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    return await send(
        client, path, method="POST", body=text, headers={"Content-Type": "text/plain", **headers}
    )


async def done(client: AsyncHTTPServerClient, alarm_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            reply = await ask(client, "GET", f"/alarms/{alarm_id}")
            if reply.body["alarm"]["state"] not in ("received", "planned"):
                found: dict[str, Any] = reply.body
                return found
            await asyncio.sleep(0.05)


async def test_from_an_alert_to_an_order_and_back(http_server_client: AsyncHTTPServerClient) -> None:
    client = http_server_client
    token = await strategy(client)
    template = (await ask(client, "GET", "/strategies/ema/alert-template")).body
    assert template["url"].endswith("/webhook")
    assert json.loads(template["message"])["ticker"] == "{{ticker}}"
    reply = await sent(client, alarm(token=token))
    assert (reply.status, reply.body["repeated"]) == (200, False)
    found = await done(client, reply.body["alarm"])
    assert (found["alarm"]["state"], found["alarm"]["symbol"]) == ("done", "BTC-USDT")
    [operation] = found["operations"]
    assert (operation["filled"], operation["order"]["mode"]) == ("0.01", "paper")
    assert Decimal(operation["fees"][0]["paid"]) > 0
    again = await sent(
        client, alarm(token=token, position="flat", position_size="0", action="sell"), f"/webhook/{token}"
    )
    await done(client, again.body["alarm"])
    listed = (await ask(client, "GET", "/alarms?strategy=ema&limit=1")).body
    assert (listed["count"], listed["alarms"][0]["id"]) == (1, again.body["alarm"])
    older = (await ask(client, "GET", f"/alarms?after={listed['next']}")).body
    assert [one["id"] for one in older["alarms"]] == [reply.body["alarm"]]
    operations = (await ask(client, "GET", "/operations")).body["operations"]
    assert [one["order"]["ticket"]["side"] for one in operations] == ["sell", "buy"]
    assert (await ask(client, "GET", "/account/positions?product=perpetual-usdt")).body["positions"] == []


async def test_a_repeated_delivery_is_counted(http_server_client: AsyncHTTPServerClient) -> None:
    token = await strategy(http_server_client)
    body = alarm(token=token)
    first, second = [await sent(http_server_client, body) for _ in range(2)]
    assert (second.body["alarm"], second.body["repeated"]) == (first.body["alarm"], True)
    found = await done(http_server_client, first.body["alarm"])
    assert (found["alarm"]["deliveries"], len(found["operations"])) == (2, 1)


async def test_a_test_goes_the_whole_way_on_paper(http_server_client: AsyncHTTPServerClient) -> None:
    await strategy(http_server_client)
    reply = await ask(http_server_client, "POST", "/strategies/ema/test", {"alarm": alarm()})
    assert (reply.status, reply.body["alarm"]["state"]) == (200, "done"), reply.body
    assert reply.body["operations"][0]["filled"] == "0.01"
    reply = await ask(http_server_client, "POST", "/strategies/ema/test", {"alarm": alarm(quantity="NaN")})
    assert (reply.status, error_code(reply)) == (400, "alarm_refused")


@pytest.mark.parametrize(
    ("body", "path", "status", "code"),
    [
        (alarm(), "/webhook", 403, "alarm_unauthorised"),
        (alarm(token="x" * 43), "/webhook", 403, "alarm_unauthorised"),
        (alarm(), f"/webhook/{'x' * 43}", 403, "alarm_unauthorised"),
        ("BUY", "/webhook", 400, "alarm_refused"),
        ("", "/webhook", 400, "alarm_refused"),
        ("x" * 20_000, "/webhook", 413, "body_too_large"),
        ("[" * 10_000, "/webhook", 400, "alarm_refused"),
    ],
)
async def test_nobody_gets_in(
    http_server_client: AsyncHTTPServerClient, body: object, path: str, status: int, code: str
) -> None:
    await strategy(http_server_client)
    reply = await sent(http_server_client, body, path)
    assert (reply.status, error_code(reply)) == (status, code)
    assert (await ask(http_server_client, "GET", "/operations")).body["count"] == 0


async def test_who_tries_many_tokens_fills_neither_the_database_nor_the_log(
    http_server_client: AsyncHTTPServerClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    client = http_server_client
    token = await strategy(client)
    tries = 3 * REFUSALS_PER_MINUTE
    for number in range(tries):
        reply = await sent(client, alarm(token=f"{number:043}"))
        assert (reply.status, error_code(reply)) == (403, "alarm_unauthorised")
    assert (await sent(client, alarm(token=token))).status == 200
    kept = await database["alarms"].count_documents({"state": "refused"})
    lines = [line for line in caplog.messages if "is refused" in line]
    assert kept == len(lines) == REFUSALS_PER_MINUTE
    figures = (await client.fetch("/metrics", headers={"X-Api-Key": READER})).body.decode()
    assert f'market_data_alarms_total{{outcome="bad_token"}} {tries}.0' in figures


async def test_an_old_body_that_is_sent_again_does_nothing(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    client = http_server_client
    token = await strategy(client, max_age_seconds=60)
    old = alarm(token=token, fired_at=(datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds"))
    reply = await sent(client, old)
    found = await done(client, reply.body["alarm"])
    assert (found["alarm"]["state"], found["operations"]) == ("ignored", [])
    assert "old" in found["alarm"]["reason"]
    figures = (await client.fetch("/metrics", headers={"X-Api-Key": READER})).body.decode()
    assert 'market_data_alarms_total{outcome="late"} 1.0' in figures


async def test_no_key_of_the_service_opens_the_webhook_and_no_token_opens_the_service(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    token = await strategy(http_server_client)
    reply = await sent(http_server_client, alarm(), X_Api_Key=ADMIN)
    assert reply.status == 403
    for path in ("/alarms", "/strategies", "/operations"):
        for headers in ({}, {"X-Api-Key": token}, {"X-Api-Key": READER}):
            assert (await send(http_server_client, path, headers=headers)).status in (401, 403)


class TestElsewhere:
    @pytest.fixture
    def app(self, service: Service, settings: Settings) -> Application:
        access = Access(
            keys=settings.api_keys,
            alarm_networks=read_networks("52.89.214.238"),
            proxies=read_networks("127.0.0.2"),
        )
        return make_application(service, access=access)

    @pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "52.89.214.238"}])
    async def test_an_address_that_is_not_listed_is_refused_whatever_it_claims(
        self, http_server_client: AsyncHTTPServerClient, headers: dict[str, str]
    ) -> None:
        token = await strategy(http_server_client)
        reply = await sent(http_server_client, alarm(token=token), **headers)
        assert (reply.status, error_code(reply)) == (403, "sender_not_allowed")
        assert (await ask(http_server_client, "GET", "/alarms")).body["count"] == 0

    async def test_a_trusted_proxy_tells_who_sent_it(self, http_server_client: AsyncHTTPServerClient) -> None:
        token = await strategy(http_server_client)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", http_server_client.get_http_port(), local_addr=("127.0.0.2", 0)
        )
        body = json.dumps(alarm(token=token)).encode()
        head = (
            f"POST /webhook HTTP/1.0\r\nX-Forwarded-For: 52.89.214.238\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        assert b" 200 " in (await asyncio.wait_for(reader.read(), 60)).split(b"\r\n")[0]
        writer.close()


async def test_no_token_is_in_the_database_an_answer_or_a_log(
    http_server_client: AsyncHTTPServerClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = await strategy(http_server_client)
    replies = [
        await sent(http_server_client, alarm(), f"/webhook/{token}"),
        await sent(http_server_client, alarm(token=token, quantity="{{plot_0}}")),
        await sent(http_server_client, f'{{"token":"{token}", "quantity": NaN'),
        await sent(http_server_client, alarm(passphrase=token)),
        await sent(http_server_client, f"token={token} BUY", f"/webhook/{token}?a=1"),
        await ask(http_server_client, "GET", "/strategies"),
        await ask(http_server_client, "GET", "/strategies/ema/revisions"),
        await ask(http_server_client, "GET", "/alarms"),
    ]
    stored = [await database[name].find().to_list(None) for name in await database.list_collection_names()]
    for text in (*(json.dumps(reply.body) for reply in replies), str(stored), caplog.text):
        assert token not in text
    assert "/webhook/***" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id": "Ema"}, "invalid_id"),
        ({"id": ""}, "invalid_id"),
        ({"sizing": {"by": "luck", "amount": "1"}}, "invalid_sizing"),
        ({"sizing": {"by": "equity", "amount": "1.5"}}, "invalid_sizing"),
        ({"sizing": {"by": "size", "amount": 0.1}}, "invalid_sizing"),
        ({"symbols": {"X": 7}}, "invalid_symbols"),
        ({"leverage": 0}, "invalid_leverage"),
        ({"take_profit": "1"}, "invalid_take_profit"),
        ({"conditions": [{"left": "price", "op": "~", "right": "1"}]}, "invalid_conditions"),
        ({"conditions": [{"left": "__class__", "op": "<", "right": "1"}]}, "invalid_conditions"),
        ({"kind": "guess"}, "unknown_kind"),
        ({"max_age_seconds": 0}, "invalid_max_age_seconds"),
        ({"account": "nobody"}, "unknown_account"),
        ({"password": "x"}, "unknown_parameter"),
    ],
)
async def test_what_is_no_strategy_is_refused(
    http_server_client: AsyncHTTPServerClient, wrong: dict[str, object], code: str
) -> None:
    await ask(http_server_client, "POST", "/accounts", {"venue": "bingx"})
    body = {"id": "ema", "sizing": {"by": "alarm", "amount": "1"}, **wrong}
    reply = await ask(http_server_client, "POST", "/strategies", body)
    assert error_code(reply) == code
    assert (await ask(http_server_client, "GET", "/strategies")).body["count"] == 0


async def test_a_strategy_is_changed_in_revisions_switched_off_and_removed(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    client = http_server_client
    token = await strategy(client, leverage=5, conditions=[{"left": "price", "op": ">", "right": "1"}])
    reply = await ask(client, "PATCH", "/strategies/ema", {"enabled": False, "leverage": None})
    assert (reply.body["strategy"]["revision"], reply.body["strategy"]["leverage"]) == (2, None)
    assert reply.body["strategy"]["conditions"] == [{"left": "price", "op": ">", "right": "1"}]
    off = await sent(client, alarm(token=token))
    assert (off.status, off.body["state"]) == (200, "ignored")
    renewed = await ask(client, "POST", "/strategies/ema/token")
    assert (await sent(client, alarm(token=token))).status == 403
    assert (await sent(client, alarm(token=renewed.body["token"], order="x"))).status == 200
    revisions = (await ask(client, "GET", "/strategies/ema/revisions")).body["revisions"]
    assert [one["revision"] for one in revisions] == [3, 2, 1]
    assert (await ask(client, "DELETE", "/strategies/ema")).status == 200
    assert error_code(await ask(client, "GET", "/strategies/ema")) == "unknown_strategy"
    assert (await sent(client, alarm(token=renewed.body["token"]))).status == 403


async def test_what_is_not_there(http_server_client: AsyncHTTPServerClient) -> None:
    for method, path, code in (
        ("GET", "/alarms/nobody", "unknown_alarm"),
        ("PATCH", "/strategies/nobody", "unknown_strategy"),
        ("DELETE", "/strategies/nobody", "unknown_strategy"),
        ("GET", "/strategies/nobody/alert-template", "unknown_strategy"),
        ("POST", "/strategies/nobody/token", "unknown_strategy"),
    ):
        reply = await ask(http_server_client, method, path, {} if method == "PATCH" else None)
        assert (reply.status, error_code(reply)) == (404, code)
    assert (await get(http_server_client, "/webhook")).status in (401, 405)
    assert (await post(http_server_client, "/webhook", {})).status == 403
