"""The whole way: a service with keys asks the simulated exchange over HTTP, and has what the book has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from backend.app import open_service
from backend.services.history.ports import Place, RowsWanted
from backend.services.service import Trading
from backend.settings import Settings
from backend.trading.account import Account, Mode
from backend.trading.account_keys import Keys
from backend.trading.extraction import Extraction
from backend.trading.history import SETTLE, Kind, Row
from backend.trading.proof import Check
from backend.trading.rows import Order, Product
from tests import book_rows
from tests.book_rows import Venue
from tests.hurried import HurriedClock
from tests.simulator.clock import SimulatorClock
from tests.simulator.private.book import Book, Facts
from tests.simulator.private.generator import NOW, generated
from tests.simulator.private.running import PrivateSimulator, private_simulator
from tests.simulator.times import DAY
from tests.traded import name_of
from tests.web.trading import with_accounts

pytestmark = pytest.mark.timeout(600)
SPEED = 20
DAYS = 25
START = NOW - (DAYS + 1) * DAY
OURS = {"classic": "bitget", "unified": "bitget", "bingx": "bingx"}


def book_of(venue: Venue, orders: int = 120) -> Book:
    facts = Facts(unified=venue == "unified", registered=START)
    return generated(seed=5, orders=orders, days=DAYS, symbols=2, facts=facts)


@asynccontextmanager
async def extracting(
    settings: Settings, venue: Venue, book: Book, *, limits: bool = False
) -> AsyncIterator[tuple[PrivateSimulator, Trading, Account]]:
    """A service with an account at a simulated exchange; time passes faster for both."""
    clock = SimulatorClock(book.now, speed=SPEED)
    async with private_simulator(book, clock=clock, limits=limits) as simulator:
        ours = with_accounts(settings, simulator.url)
        async with open_service(ours, HurriedClock(SPEED)) as service:
            assert service.trading is not None
            keys = Keys(*simulator.keys)
            account = await service.trading.accounts.add(OURS[venue], Mode.LIVE, "", keys)
            yield simulator, service.trading, account


async def extract(trading: Trading, account: Account, **more: Any) -> Extraction:
    wanted = Extraction(id="", account=account.id, created=0, since=START, **more)
    asked = await trading.extractions.submit(wanted)
    return await trading.extractions.wait(asked.id, 600 * SPEED)


async def stored(trading: Trading, account: Account, kind: Kind) -> dict[tuple[Product, str], Row]:
    found: dict[tuple[Product, str], Row] = {}
    after: Place | None = None
    while page := await trading.histories.page(kind, RowsWanted(account=account.id), after, 500):
        found |= {(row.product, name_of(row)): row for _, row in page}
        after = page[-1][0]
    return found


def truth(book: Book, venue: Venue) -> dict[tuple[Product, str], Order]:
    rows = [book_rows.order(row, venue) for row in book.orders]
    return {(row.product, row.order_id): row for row in rows}


VENUES: tuple[Venue, ...] = ("classic", "unified", "bingx")


@pytest.mark.parametrize("venue", VENUES)
async def test_what_is_stored_is_what_the_exchange_has(settings: Settings, venue: Venue) -> None:
    book = book_of(venue)
    async with extracting(settings, venue, book) as (simulator, trading, account):
        found = await extract(trading, account)
        assert (found.status, found.failure) == ("done", None)
        orders = await stored(trading, account, Kind.ORDERS)
        expected = truth(book, venue)
        assert orders.keys() == expected.keys()
        for key, row in orders.items():
            assert isinstance(row, Order)
            assert replace(row, source="") == expected[key]
        settled = {str(row.number) for row in book.fills if row.time < book.now - SETTLE}
        assert {name for _, name in await stored(trading, account, Kind.FILLS)} >= settled
        known = await trading.histories.completeness(account.id)
        assert known.proof is not None
        assert [one.sentence for one in known.proof.differences] == []
        assert known.proof.checked[Check.FILLS_OF_ORDER] > 50
        missing = {name.text: stands.missing for name, stands in known.streams if stands.missing}
        assert {name for name, windows in missing.items() if any(one.end > START for one in windows)} == set()
        asked = simulator.requests.counts()["total"]
        await HurriedClock(SPEED).sleep(2 * SETTLE / 1000)
        again = await extract(trading, account)
        assert (again.status, again.failure) == ("done", None)
        everything = {str(row.number) for row in book.fills}
        assert {name for _, name in await stored(trading, account, Kind.FILLS)} == everything
        assert simulator.requests.counts()["total"] - asked < asked / 2


@pytest.mark.parametrize("venue", VENUES)
async def test_a_fill_that_the_exchange_withholds_is_named(settings: Settings, venue: Venue) -> None:
    book = book_of(venue, orders=40)
    fills = [row for row in book.fills if Product(row.product) is Product.PERPETUAL_USDT]
    withheld = fills[len(fills) // 2]
    async with extracting(settings, venue, book) as (simulator, trading, account):
        simulator.faults.private.withheld.add(withheld.number)
        assert (await extract(trading, account)).status == "done"
        known = await trading.histories.completeness(account.id)
        assert known.proof is not None
        named = {one.id for one in known.proof.differences if one.check is Check.FILLS_OF_ORDER}
        assert named == {str(withheld.order)}


async def test_a_part_of_a_shared_wallet_is_no_proof_against_it(settings: Settings) -> None:
    """Of four products that share a wallet one is read: its balances do not chain alone."""
    book = book_of("unified", orders=60)
    async with extracting(settings, "unified", book) as (_, trading, account):
        found = await extract(trading, account, products=(Product.PERPETUAL_USDT,))
        assert (found.status, found.failure) == ("done", None)
        known = await trading.histories.completeness(account.id)
        assert known.proof is not None
        assert known.proof.checked[Check.FILLS_OF_ORDER] > 0
        assert known.proof.checked[Check.BALANCE_CHAIN] == 0
        assert known.proof.differences == []


async def test_refusals_and_limits_on_the_way_cost_time_and_no_row(settings: Settings) -> None:
    book = book_of("classic", orders=60)
    async with extracting(settings, "classic", book, limits=True) as (simulator, trading, account):
        simulator.faults.page_cap = 7
        found = await extract(trading, account)
        assert (found.status, found.failure) == ("done", None)
        assert (await stored(trading, account, Kind.ORDERS)).keys() == truth(book, "classic").keys()
