"""An order that was placed elsewhere is seen within seconds, though the next look is an hour away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.settings import Settings
from tests.simulator.private.rows import Pair, Product
from tests.simulator.private.running import KEYS, PrivateSimulator
from tests.web.client import post
from tests.web.test_leaving import until
from tests.web.trading import keys, opened_market, with_accounts


@pytest.fixture
def venue(io_loop: IOLoop) -> Iterator[PrivateSimulator]:
    with opened_market(io_loop, "bingx", hedged=False) as running:
        yield running


@pytest.fixture
def settings(settings: Settings, venue: PrivateSimulator) -> Settings:
    sockets = dict.fromkeys(settings.account_socket_urls, venue.url.replace("http", "ws", 1))
    on = with_accounts(settings, venue.url)
    return replace(on, account_socket_urls=sockets, account_watch_seconds=3600.0)


async def test_what_is_done_elsewhere_is_looked_at_within_seconds(
    http_server_client: AsyncHTTPServerClient, venue: PrivateSimulator
) -> None:
    body = keys(venue="bingx", key=KEYS.key, secret=KEYS.secret)
    del body["passphrase"]
    reply = await post(http_server_client, "/accounts", body)
    assert reply.status == 201, reply.body
    await until(lambda: venue.sockets.open == 2)
    async with asyncio.timeout(60):
        looks = -1
        while venue.asked("openOrders") != looks:
            looks = venue.asked("openOrders")
            await asyncio.sleep(1.5)
    now = venue.clock.now()
    venue.book.place(Product.USDT, Pair("BTC", "USDT"), "buy", Decimal(1), now, price=Decimal(9))
    await until(lambda: venue.asked("openOrders") > looks)
