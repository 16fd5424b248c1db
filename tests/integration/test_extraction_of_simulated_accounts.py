"""The service reads the whole history of a simulated account over HTTP: it stores what stands in the book."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.clock import SystemClock
from backend.settings import Settings
from tests.book_rows import Venue
from tests.ordering import name_of
from tests.simulator import SimulatorClock
from tests.simulator.private.book import Book, Facts
from tests.simulator.private.generator import generated
from tests.simulator.private.rows import Bill, Product
from tests.simulator.private.running import KEYS, STARK_KEYS, PrivateSimulator, private_simulator
from tests.simulator.times import DAY, MINUTE
from tests.web.client import get, send
from tests.web.trading import added, with_accounts

pytestmark = pytest.mark.timeout(600)
DAYS = 4
PRODUCTS = (Product.SPOT, Product.USDT)
VENUES = pytest.mark.parametrize("venue", ["classic", "unified", "bingx", "extended"], indirect=True)
HISTORIES = {
    "/orders/history": ("orders", "order_id"),
    "/trades": ("trades", "fill_id"),
    "/ledger": ("ledger", "bill_id"),
}


@pytest.fixture
def venue(request: pytest.FixtureRequest) -> Venue:
    found: Venue = request.param
    return found


@pytest.fixture
def account(io_loop: IOLoop, venue: Venue) -> Iterator[PrivateSimulator]:
    """A simulator on the machine's time, with an account that was opened when its book begins."""
    now = SystemClock().now() - 10 * MINUTE
    products = (Product.USDC,) if venue == "extended" else PRODUCTS
    facts = Facts(unified=venue == "unified", hedged=venue != "extended", registered=now - (DAYS + 1) * DAY)
    book = generated(seed=61, orders=150, days=DAYS, now=now, products=products, symbols=2, facts=facts)
    stack = AsyncExitStack()
    running = private_simulator(book, clock=SimulatorClock())
    yield io_loop.run_sync(lambda: stack.enter_async_context(running))
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def settings(settings: Settings, account: PrivateSimulator) -> Settings:
    return with_accounts(settings, account.url)


def bill_ids(bills: list[Bill], venue: Venue) -> list[int] | list[str]:
    """The ids of what the venue tells of bills: BingX tells the amount and the fee each by itself, Extended
    only what is no trade."""
    if venue == "extended":
        named = {"funding": "funding-", "transfer_in": "", "transfer_out": ""}
        return [
            f"{named[bill.kind]}{bill.number}" for bill in bills if bill.kind in named and bill.coin == "USDC"
        ]
    if venue != "bingx":
        return [bill.number for bill in bills]
    swap = [bill for bill in bills if bill.product is Product.USDT]
    parts = [part for bill in swap for part in ((bill.number, bill.amount), (bill.number + 1, bill.fee))]
    return [number for number, amount in parts if amount]


def ids_of(book: Book, venue: Venue) -> dict[str, list[int] | list[str]]:
    """The ids that each history has to have, oldest first."""
    return {
        "/orders/history": [row.number for row in book.orders],
        "/trades": [row.number for row in book.fills],
        "/ledger": bill_ids(list(book.bills), venue),
    }


async def stored(client: AsyncHTTPServerClient, path: str) -> list[dict[str, Any]]:
    """All rows of a history."""
    rows: list[dict[str, Any]] = []
    after = ""
    while True:
        reply = await get(client, f"{path}?limit=500{after}")
        rows += reply.body[HISTORIES[path][0]]
        if reply.body["next"] is None:
            return rows
        after = f"&after={reply.body['next']}"


@VENUES
async def test_a_whole_history_is_extracted(
    http_server_client: AsyncHTTPServerClient, account: PrivateSimulator, venue: Venue
) -> None:
    key, secret, passphrase = STARK_KEYS if venue == "extended" else KEYS
    await added(http_server_client, venue=name_of(venue), key=key, secret=secret, passphrase=passphrase)
    products = ["perpetual-usd"] if venue == "extended" else list(PRODUCTS)
    since = account.book.facts.registered
    if venue == "extended":
        # It forgets orders without a fill after a week.
        since -= 10 * DAY
    wanted = {"wait": 500, "since": since, "products": products}
    reply = await send(
        http_server_client, "/extract-orders", method="POST", body=json.dumps(wanted), request_timeout=550
    )
    assert reply.status == 200, reply.body
    finished = {str(row.number) for row in account.book.orders if row.number not in account.book.open}
    for path, ids in ids_of(account.book, venue).items():
        rows = await stored(http_server_client, path)
        told = [row[HISTORIES[path][1]] for row in rows]
        assert len(set(told)) == len(told)
        expected = set(map(str, ids))
        if path == "/orders/history":
            assert finished <= set(told) <= expected
        else:
            assert set(told) == expected
    assert reply.body["completeness"]["proof"]["differences"] == []
    late = [one["stream"] for one in reply.body["completeness"]["streams"] if one["filled_only"]]
    assert late == (["orders/perpetual-usd"] if venue == "extended" else [])
