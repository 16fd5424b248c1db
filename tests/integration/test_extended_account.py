"""An account at Extended over real HTTP: what is read of it stands in the book, and two foreign clients, the
official SDK and ccxt, speak with the same simulated account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import ccxt.async_support as ccxt
import pytest
from x10.clients.rest.rest_api_client import RestApiClient
from x10.config import MAINNET_CONFIG
from x10.core.stark_account import StarkPerpetualAccount
from x10.models.order import OrderSide, TimeInForce

from backend.errors import ExchangeRefused, InvalidRequest, KeysRefused, OrderAbsent, RateLimited
from backend.exchanges.extended.signing import owner_of
from backend.services.history.window_reading import rows_of
from backend.store.mongo import Database
from backend.trading.account_keys import Keys
from backend.trading.history import Kind
from backend.trading.intents import State
from backend.trading.rows import Bill, Page, Product, Right, Status, Wanted
from backend.trading.tickets import Force
from tests import book_rows
from tests.book_rows import symbol_of, without_words
from tests.integration.private_asking import Client, client
from tests.ordering import PRICE, Floor, floor
from tests.simulator import SimulatorClock
from tests.simulator.private.book import Book, Facts
from tests.simulator.private.faults import Coded
from tests.simulator.private.generator import NOW, generated
from tests.simulator.private.rows import FINISHED
from tests.simulator.private.rows import Product as Traded
from tests.simulator.private.running import (
    DEMO_STARK_KEYS,
    STARK_KEYS,
    PrivateSimulator,
    private_simulator,
)
from tests.simulator.times import DAY

USD = Product.PERPETUAL_USD
KEYS = Keys(*STARK_KEYS)
START = NOW - 40 * DAY
CCXT_BTC = "BTC/USDC:USDC"


@cache
def book() -> Book:
    """A book that no test changes."""
    facts = Facts(hedged=False, rights=("read", "trade"))
    return generated(seed=11, orders=400, days=40, facts=facts, open_orders=8)


@asynccontextmanager
async def asking(
    *, demo: bool = False, keys: Keys | None = None
) -> AsyncIterator[tuple[PrivateSimulator, Client]]:
    """A simulator whose clock stands, and a client of its account."""
    clock = SimulatorClock(NOW, frozen=True)
    async with (
        private_simulator(book(), clock=clock) as simulator,
        client(simulator, "extended", demo=demo, keys=keys) as asked,
    ):
        yield simulator, asked


async def test_the_keys_are_those_of_the_account() -> None:
    async with asking() as (simulator, asked):
        facts = await asked.ask(asked.flavour.key(asked.keys))
        assert facts.rights == {Right.READ, Right.TRADE, Right.TRANSFER}
        assert await asked.ask(asked.flavour.uid) == simulator.book.facts.uid
        wrong_secret = Keys(KEYS.key, "0x1234", KEYS.passphrase)
        wrong_vault = Keys(KEYS.key, KEYS.secret, "7")
        for keys in (wrong_secret, wrong_vault):
            with pytest.raises(KeysRefused, match="not that of the API key's account"):
                await asked.ask(asked.flavour.key(keys))
    async with asking(keys=Keys("unknown", KEYS.secret, KEYS.passphrase)) as (_, asked):
        with pytest.raises(KeysRefused):
            await asked.ask(asked.flavour.uid)


async def test_the_testnet_and_mainnet_know_only_their_own_keys() -> None:
    async with asking(demo=True) as (simulator, asked):
        assert await asked.ask(asked.flavour.uid) == simulator.demo_book.facts.uid
    for demo, keys in ((True, STARK_KEYS), (False, DEMO_STARK_KEYS)):
        async with asking(demo=demo, keys=Keys(*keys)) as (_, asked):
            with pytest.raises(KeysRefused):
                await asked.ask(asked.flavour.uid)


async def test_wallet_positions_fees_and_orders_are_read() -> None:
    async with asking() as (simulator, asked):
        held, flavour = simulator.book, asked.flavour
        [wallet] = await asked.ask(flavour.balances[USD])
        [expected] = [one for one in held.balances(Traded.USDC) if one.coin == "USDC"]
        assert wallet == book_rows.balance(expected, "extended", spot=False)
        positions = await asked.ask(flavour.positions[USD])
        assert positions == tuple(book_rows.position(row, "extended") for row in held.positions(Traded.USDC))
        assert positions
        rates = await asked.ask(flavour.fees(USD, symbol_of(held.symbols(Traded.USDC)[0], "extended")))
        assert (rates.maker, rates.taker) == held.facts.rates[Traded.USDC]
        page = await asked.ask(flavour.open_orders(USD, ""))
        resting = sorted((row for row in held.open.values() if row.product is Traded.USDC), reverse=True)
        assert [without_words(row) for row in page.rows] == [
            book_rows.order(row, "extended") for row in resting
        ]
        assert resting
        for row in [order for order in held.orders.of(Traded.USDC) if order.client_id][::10]:
            found = await asked.ask(flavour.order(USD, symbol_of(row.pair, "extended"), row.client_id))
            assert found is not None
            assert without_words(found) == book_rows.order(row, "extended")
        assert await asked.ask(flavour.order(USD, "BTC-USD", "nobodys")) is None


async def test_an_empty_wallet_is_no_error(database: Database) -> None:
    async with floor("extended", database) as here:
        here.simulator.faults.private.codes = [Coded("404", path="balance")]
        _, source = await here.first.accounts.source(here.account.id)
        assert (await source.balances([USD]))[USD] == ()


@pytest.mark.parametrize("cap", [None, 7])
async def test_the_whole_history_is_read(cap: int | None) -> None:
    async with asking() as (simulator, asked):
        simulator.faults.page_cap = cap
        flavour, held = asked.flavour, simulator.book
        orders = await asked.history(flavour.orders[USD], USD, START, NOW)
        assert {row.order_id: without_words(row) for row in orders} == {
            str(row.number): book_rows.order(row, "extended")
            for row in held.orders.of(Traded.USDC)
            if row.status in FINISHED and (row.filled or row.updated > NOW - 7 * DAY)
        }
        fills = await asked.history(flavour.fills[USD], USD, START, NOW)
        assert {row.fill_id: row for row in fills} == {
            str(row.number): book_rows.fill(row, "extended") for row in held.fills.of(Traded.USDC)
        }
        bills = await asked.history(flavour.bills[USD], USD, START, NOW)
        expected = {
            f"funding-{row.number}": (row.amount, row.time)
            for row in held.bills.of(Traded.USDC)
            if row.kind == "funding"
        } | {
            str(row.number): (row.amount, row.time)
            for row in held.bills.of(Traded.USDC)
            if row.kind.startswith("transfer") and row.coin == "USDC"
        }
        assert {row.bill_id: (row.amount, row.time) for row in bills} == expected
        assert len(orders) > 40
        assert any(one.startswith("funding") for one in expected)
        assert any(not one.startswith("funding") for one in expected)


async def test_the_history_of_two_lists_is_one(database: Database) -> None:
    """Funding stands in one list, and all else that is no trade in another."""
    async with floor("extended", database) as here:
        await here.place()
        here.book.fund(Decimal("0.0001"), here.clock.now())
        here.clock.advance(10)
        _, source = await here.first.accounts.source(here.account.id)
        offer = source.offer(Kind.BILLS, USD)
        assert offer is not None
        wanted = Wanted(product=USD, start=0, end=here.clock.now())
        found = [
            row
            async for came in rows_of(source.bills, wanted, offer.parts)
            for row in came.rows.values()
            if isinstance(row, Bill)
        ]
        assert {row.kind for row in found} == {"funding", "transfer"}


async def test_a_short_window_is_read_with_few_questions() -> None:
    async with asking() as (simulator, asked):
        wanted = Wanted(product=USD, start=NOW - DAY // 24, end=NOW)
        pages = await asked.pages(asked.flavour.fills[USD], wanted)
        assert {row.fill_id for row in pages} >= {
            str(row.number) for row in simulator.book.fills.of(Traded.USDC) if row.time >= wanted.start
        }
        assert simulator.asked("user/trades") <= 2
        old = await asked.ask(
            asked.flavour.fills[USD].ask(replace(wanted, start=NOW + DAY, end=NOW + 2 * DAY))
        )
        assert isinstance(old, Page)
        assert old.cursor is None


async def test_what_no_account_here_trades_is_refused_before_it_is_sent(database: Database) -> None:
    async with floor("extended", database) as here:
        asked = len(here.simulator.requests.records)
        for product in (Product.SPOT, Product.PERPETUAL_USDT, Product.PERPETUAL_COIN):
            ticket = here.ticket(product=product, symbol="BTC-USD", held="net", price=PRICE)
            with pytest.raises(ExchangeRefused, match="trades perpetual-usd"):
                await here.first.executor.place(here.account.id, ticket, caller="test")
        with pytest.raises(ExchangeRefused, match="fill"):
            await here.place(price=PRICE, force=Force.FOK)
        with pytest.raises(InvalidRequest):
            await here.place(size=Decimal("0.00001"))
        paths = {one.path for one in list(here.simulator.requests.records)[asked:]}
        assert not any("order" in path for path in paths)
        assert here.orders() == []


async def test_what_the_engine_ends_at_once_is_known(database: Database) -> None:
    """The gateway takes a post-only order that would take; the engine ends it."""
    async with floor("extended", database) as here:
        placed = await here.place(price=PRICE, force=Force.POST_ONLY)
        assert placed.state is State.ACCEPTED
        here.clock.advance(3)
        await here.first.watch.look()
        found = await here.first.executor.get(placed.id)
        assert found.order is not None
        assert (found.order.status, found.finished) == (Status.CANCELLED, True)
        assert not found.order.filled


@pytest.mark.parametrize("code", ["1140", "1121", "1128", "1101"])
async def test_a_refusal_is_told_in_the_venues_words(code: str, database: Database) -> None:
    async with floor("extended", database) as here:
        here.simulator.faults.private.codes = [Coded(code, path="user/order", message="no way")]
        placed = await here.place()
        assert (placed.state, placed.reason) == (State.REFUSED, f"extended answered {code}: no way")
        assert here.orders() == []


async def test_too_many_questions_hold_up_all_of_the_address(database: Database) -> None:
    async with floor("extended", database) as here:
        here.simulator.faults.private.codes = [Coded("429", path="positions", count=10)]
        _, source = await here.first.accounts.source(here.account.id)
        with pytest.raises(RateLimited):
            await source.positions([USD])


async def test_leverage_is_set_and_read_back(database: Database) -> None:
    async with floor("extended", database) as here:
        setups, symbol = here.first.setups, here.symbol()
        found = await setups.leverage(here.account.id, USD, symbol, "net", 25, caller="test")
        assert (found.long, found.short) == (Decimal(25), Decimal(25))
        assert (found.hedged, found.margin_mode) == (False, "crossed")
        with pytest.raises(ExchangeRefused):
            await setups.leverage(here.account.id, USD, symbol, "net", 126, caller="test")


@asynccontextmanager
async def sdk(here: Floor) -> AsyncIterator[Any]:
    """The official SDK with the same account."""
    url = here.simulator.extended_url
    hosts = replace(MAINNET_CONFIG.endpoints, api_base_url=url, api_base_order_management_url=url)
    config = replace(MAINNET_CONFIG, endpoints=hosts)
    owner = owner_of(KEYS)
    account = StarkPerpetualAccount(owner.vault, hex(owner.private), hex(owner.public), KEYS.key)
    made = RestApiClient(config, account)
    try:
        yield made
    finally:
        await made.close()  # type: ignore[no-untyped-call]


async def test_the_official_sdk_reads_our_orders_and_its_own_mean_the_same(
    database: Database,
) -> None:
    async with floor("extended", database) as here, sdk(here) as client:
        placed = await here.place(price=Decimal(29_000), size=Decimal("0.02"))
        [told] = (await client.account.get_open_orders()).data
        assert (str(told.id), told.external_id, told.side, told.price, told.qty) == (
            *(placed.order_id, placed.id, "BUY"),
            *(Decimal(29_000), Decimal("0.02")),
        )
        taken = await here.place(size=Decimal("0.01"))
        assert taken.state is State.ACCEPTED
        [position] = (await client.account.get_positions()).data
        assert (position.market, position.side, position.size) == ("BTC-USD", "LONG", Decimal("0.01"))
        balance = (await client.account.get_balance()).data
        [expected] = [one for one in here.book.balances(Traded.USDC) if one.coin == "USDC"]
        assert balance.equity == expected.equity
        theirs = await client.place_order(
            market_name="BTC-USD",
            amount_of_synthetic=Decimal("0.03"),
            price=Decimal(28_000),
            side=OrderSide.BUY,
            taker_fee=Decimal("0.0005"),
            time_in_force=TimeInForce.GTT,
            expire_time=_soon(here),
        )
        ours, own = here.orders()[0], here.orders()[-1]
        assert (str(own.number), own.price, own.size, own.side, own.opens) == (
            *(str(theirs.data.id), Decimal(28_000), Decimal("0.03")),
            *(ours.side, ours.opens),
        )
        await client.orders.cancel_order(own.number)
        assert here.orders()[-1].status == "cancelled"


def _soon(here: Floor) -> datetime:
    return datetime.fromtimestamp(here.clock.now() / 1000, UTC) + timedelta(hours=1)


async def test_ccxt_reads_our_orders_and_its_own_mean_the_same(database: Database) -> None:
    async with floor("extended", database) as here:
        own = {"apiKey": KEYS.key, "privateKey": KEYS.secret, "enableRateLimit": False}
        client: Any = ccxt.extended(
            {**own, "options": {"builderFee": False, "starkDomainChainId": "SN_MAIN"}}
        )
        client.milliseconds = here.clock.now
        client.urls["api"] = dict.fromkeys(client.urls["api"], here.simulator.url)
        try:
            placed = await here.place(price=Decimal(29_000), size=Decimal("0.02"))
            [told] = await client.fetch_open_orders(CCXT_BTC)
            assert {name: told[name] for name in ("id", "clientOrderId", "side", "price", "amount")} == {
                "id": placed.order_id,
                "clientOrderId": placed.id,
                "side": "buy",
                "price": 29_000.0,
                "amount": 0.02,
            }
            theirs = await client.create_order(CCXT_BTC, "limit", "buy", 0.03, 28_000)
            ours, own_order = here.orders()
            assert (str(own_order.number), own_order.price, own_order.size) == (
                *(theirs["id"], Decimal(28_000)),
                Decimal("0.03"),
            )
            assert (own_order.side, own_order.opens, own_order.kind) == (ours.side, ours.opens, ours.kind)
        finally:
            await client.close()


async def test_an_order_is_absent_where_the_venue_says_so(database: Database) -> None:
    async with floor("extended", database) as here:
        here.simulator.faults.private.codes = [Coded("NOT_FOUND", path="orders/external")]
        _, source = await here.first.accounts.source(here.account.id)
        assert await source.order(USD, "BTC-USD", "i0") is None
        here.simulator.faults.private.codes = [Coded("NOT_FOUND", path="user/fees", count=5)]
        with pytest.raises(OrderAbsent):
            await source.fees(USD, "BTC-USD")
