"""`/stream/account`: all that an account has, then what happens there, resumed with no hole."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.settings import Settings
from tests.sockets import connected
from tests.web.client import error_code, get, post
from tests.web.listening import Ear, listening
from tests.web.trading import with_accounts

PATH = "/stream/account"
SIZE = Decimal("0.01")
ORDER = {"symbol": "BTC-USDT", "side": "buy", "size": "0.01"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Accounts are on, and their venues' rules are told by the simulated markets."""
    return with_accounts(settings, settings.base_urls["BITGET_URL"])


async def opened(client: AsyncHTTPServerClient) -> str:
    reply = await post(client, "/accounts", {"venue": "bingx"})
    made: str = reply.body["account"]["id"]
    return made


def traded(ear: Ear) -> dict[str, Decimal]:
    """The sizes of all fills that were told, by side."""
    found: dict[str, Decimal] = {}
    for name, data in ear.heard:
        if name == "fill":
            found[data["side"]] = found.get(data["side"], Decimal(0)) + Decimal(data["size"])
    return found


async def begun(ear: Ear) -> dict[str, Any]:
    async with asyncio.timeout(60):
        name, data = await ear.next()
    assert name == "begin"
    found: dict[str, Any] = data
    return found


async def test_a_stream_begins_with_all_that_there_is_and_goes_on_after_a_break(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    account = await opened(http_server_client)
    async with listening(http_server_client, PATH) as ear:
        began = await begun(ear)
        assert began == {"account": account, "venue": "bingx", "mode": "paper", "resumed": False}
        snapshot = await ear.until(lambda name, _: name == "snapshot")
        assert (snapshot["orders"], snapshot["positions"]) == ([], [])
        assert {one["product"] for one in snapshot["wallets"]} == {"spot", "perpetual-usdt"}
        assert (await post(http_server_client, "/orders", ORDER)).status == 201
        position = await ear.until(lambda name, _: name == "position")
        assert (position["size"], position["symbol"]) == ("0.01", "BTC-USDT")
        last = ear.last
    assert (await post(http_server_client, "/positions/close", {})).status == 200
    async with listening(http_server_client, PATH, last) as ear:
        assert (await begun(ear))["resumed"] is True
        await ear.until(lambda _, __: traded(ear) == {"buy": SIZE, "sell": SIZE})
        sizes = [data["size"] for name, data in ear.heard if name == "position"]
        assert sizes == ["0"]


async def test_a_place_that_is_not_known_any_more_begins_anew(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    await opened(http_server_client)
    async with listening(http_server_client, f"{PATH}?last_event_id=77") as ear:
        assert (await begun(ear))["resumed"] is False
        await ear.until(lambda name, _: name == "snapshot")


async def test_the_same_as_a_websocket(http_server_client: AsyncHTTPServerClient) -> None:
    await opened(http_server_client)
    async with connected(http_server_client, "", PATH) as socket:
        first, second = await socket.messages(2)
        assert [first["event"], second["event"]] == ["begin", "snapshot"]
        assert second["id"] == "0"


@pytest.mark.parametrize("last", ["x", "1" * 16, "-1", "٣"])
async def test_what_is_no_place_is_refused(http_server_client: AsyncHTTPServerClient, last: str) -> None:
    await opened(http_server_client)
    reply = await get(http_server_client, f"{PATH}?last_event_id={quote(last)}")
    assert (reply.status, error_code(reply)) == (400, "invalid_last_event_id")


async def test_an_unknown_account_has_no_stream(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, f"{PATH}?account=nobody")
    assert (reply.status, error_code(reply)) == (404, "unknown_account")


class TestOff:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, account_watch_seconds=0.0)

    async def test_where_nobody_watches_there_is_no_stream(
        self, http_server_client: AsyncHTTPServerClient
    ) -> None:
        await opened(http_server_client)
        reply = await get(http_server_client, PATH)
        assert (reply.status, error_code(reply)) == (400, "watch_off")
