"""The values of the accounts read the simulator's answers, over real HTTP, as what stands in the book."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import pytest

from backend.errors import (
    ClockRefused,
    ExchangeRefused,
    KeysRefused,
    ModeRefused,
    OrderAbsent,
    OutcomeUnknown,
    RateLimited,
)
from backend.trading.account_keys import Keys
from backend.trading.rows import Fill, Product, Right
from tests import book_rows
from tests.book_rows import FLAVOURS, Venue, symbol_of, without_words
from tests.integration.private_asking import VALUES, Client, client
from tests.simulator import SimulatorClock
from tests.simulator.private.book import Book, Facts
from tests.simulator.private.faults import Coded
from tests.simulator.private.generator import NOW, generated
from tests.simulator.private.rows import FINISHED
from tests.simulator.private.rows import Product as Traded
from tests.simulator.private.running import PrivateSimulator, private_simulator
from tests.simulator.times import DAY

VENUES = pytest.mark.parametrize("venue", FLAVOURS)
PRODUCTS = [Product(traded.value) for traded in Traded]
HEDGED = pytest.mark.parametrize("hedged", [True, False], ids=["hedge", "one-way"])
START = NOW - 40 * DAY
RIGHTS = ("read", "trade", "transfer", "withdraw")


@cache
def book_of(*, unified: bool, hedged: bool) -> Book:
    """A book that no test changes."""
    facts = Facts(unified=unified, hedged=hedged, rights=RIGHTS, addresses=("203.0.113.7",))
    return generated(seed=11, orders=300, days=40, facts=facts, open_orders=8)


@asynccontextmanager
async def asking(
    venue: Venue, *, hedged: bool = True, limits: bool = False
) -> AsyncIterator[tuple[PrivateSimulator, Client]]:
    """A simulator of a venue whose clock stands, and a client of its account."""
    book = book_of(unified=venue == "unified", hedged=hedged)
    clock = SimulatorClock(NOW, frozen=True)
    async with (
        private_simulator(book, clock=clock, limits=limits) as simulator,
        client(simulator, venue) as asked,
    ):
        yield simulator, asked


@VENUES
async def test_what_a_key_may_do_and_whose_it_is_is_read(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        facts = await asked.ask(asked.flavour.key(asked.keys))
        assert await asked.ask(asked.flavour.uid) == simulator.book.facts.uid
    assert facts.rights == {Right.READ, Right.TRADE, Right.TRANSFER, Right.WITHDRAW}
    assert facts.addresses == ("203.0.113.7",)
    assert facts.registered == (None if venue == "bingx" else simulator.book.facts.registered)


@VENUES
async def test_the_kind_of_the_account_is_told(venue: Venue) -> None:
    async with asking(venue) as (_, asked):
        for flavour in asked.venue.flavours:
            if flavour is asked.flavour:
                await asked.ask(flavour.probe)
            else:
                with pytest.raises(ModeRefused, match=r"4008[45]"):
                    await asked.ask(flavour.probe)


@VENUES
@HEDGED
@pytest.mark.parametrize("product", PRODUCTS)
async def test_balances_positions_and_fees_are_read(venue: Venue, hedged: bool, product: Product) -> None:
    async with asking(venue, hedged=hedged) as (simulator, asked):
        book, traded = simulator.book, Traded(product)
        balances = await asked.ask(asked.flavour.balances[product])
        rates = await asked.ask(asked.flavour.fees(product, symbol_of(book.symbols(traded)[0], venue)))
        assert (rates.maker, rates.taker) == book.facts.rates[traded]
        spot = product is Product.SPOT
        expected = [book_rows.balance(row, venue, spot=spot) for row in book.balances(traded)]
        wallet = {one.coin: one for one in balances}
        for one in expected:
            if one.coin != "BGB":  # BingX tells that of USDT and of USDC as one
                assert wallet[one.coin] == one
        if not spot:
            positions = await asked.ask(asked.flavour.positions[product])
            own = [row for row in positions if row.product is product]
            assert own == [book_rows.position(row, venue) for row in book.positions(traded)]
            assert {row.held for row in own} <= ({"long", "short"} if hedged else {"net"})


@VENUES
@HEDGED
@pytest.mark.parametrize("product", PRODUCTS)
async def test_open_orders_and_one_order_are_read(venue: Venue, hedged: bool, product: Product) -> None:
    async with asking(venue, hedged=hedged) as (simulator, asked):
        book, traded = simulator.book, Traded(product)
        page = await asked.ask(asked.flavour.open_orders(product, ""))
        own = [without_words(row) for row in page.rows if row.product is product]
        resting = [row for row in book.open.values() if row.product is traded]
        assert own == [book_rows.order(row, venue) for row in sorted(resting, reverse=True)]
        assert own
        for row in [order for order in book.orders.of(traded) if order.client_id][::10]:
            call = asked.flavour.order(product, symbol_of(row.pair, venue), row.client_id)
            found = await asked.ask(call)
            assert found is not None
            assert without_words(found) == book_rows.order(row, venue)


@VENUES
async def test_an_order_that_is_not_there_is_told_as_absent(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        for traded in (Traded.SPOT, Traded.USDT):
            symbol = symbol_of(simulator.book.symbols(traded)[0], venue)
            with pytest.raises(OrderAbsent):
                await asked.ask(asked.flavour.order(Product(traded), symbol, "nobodys"))


@VENUES
@HEDGED
@pytest.mark.parametrize("product", PRODUCTS)
async def test_the_history_of_orders_is_read(venue: Venue, hedged: bool, product: Product) -> None:
    async with asking(venue, hedged=hedged) as (simulator, asked):
        rows = await asked.history(asked.flavour.orders[product], product, START, NOW)
        told = {row.order_id: without_words(row) for row in rows if row.product is product}
        spot_of_bingx = venue == "bingx" and product is Product.SPOT
        expected = [
            book_rows.order(row, venue)
            for row in simulator.book.orders.of(Traded(product))
            if row.status in FINISHED or spot_of_bingx
        ]
        assert told == {row.order_id: row for row in expected}
        assert len(told) > 40


@VENUES
@HEDGED
@pytest.mark.parametrize("product", PRODUCTS)
async def test_the_history_of_fills_is_read(venue: Venue, hedged: bool, product: Product) -> None:
    async with asking(venue, hedged=hedged) as (simulator, asked):
        book, traded = simulator.book, Traded(product)
        stream = asked.flavour.fills[product]
        rows: list[Fill] = []
        if stream.needs == "symbol":
            for pair in book.symbols(traded):
                rows += await asked.history(stream, product, START, NOW, symbol=symbol_of(pair, venue))
        elif stream.needs == "order":
            for order in book.orders.of(traded):
                rows += await asked.history(stream, product, NOW - DAY, NOW, order_id=str(order.number))
        else:
            rows = await asked.history(stream, product, START, NOW)
        told = {row.fill_id: row for row in rows}
        expected = [book_rows.fill(row, venue) for row in book.fills.of(traded)]
        assert told == {row.fill_id: row for row in expected}
        assert len(told) > 40


@VENUES
@HEDGED
@pytest.mark.parametrize("product", PRODUCTS)
async def test_the_history_of_bills_is_read(venue: Venue, hedged: bool, product: Product) -> None:
    if product not in VALUES[venue][1].bills:
        assert (venue, product) in [("bingx", Product.SPOT), ("bingx", Product.PERPETUAL_COIN)]
        return
    async with asking(venue, hedged=hedged) as (simulator, asked):
        rows = await asked.history(asked.flavour.bills[product], product, START, NOW)
        some = [row for row in rows if row.symbol and row.product is product] if venue == "bingx" else rows
        expected = [
            one
            for row in simulator.book.bills.of(Traded(product))
            for one in book_rows.bills(row, venue)
            if row.pair or venue != "bingx"  # transfers: BingX does not say of which wallet they are
        ]
        told = {row.bill_id: without_words(row) for row in some}
        assert told == {row.bill_id: row for row in expected}
        assert len(told) > 40


@VENUES
async def test_wrong_keys_are_refused(venue: Venue) -> None:
    async with asking(venue) as (simulator, good):
        key, secret, passphrase = simulator.keys
        wrong = [Keys("unknown", secret, passphrase), Keys(key, "wrong", passphrase)]
        if venue != "bingx":
            wrong.append(Keys(key, secret, "wrong"))
        for keys in wrong:
            async with client(simulator, venue, keys=keys) as asked:
                with pytest.raises(KeysRefused):
                    await asked.ask(asked.flavour.uid)
        assert await good.ask(good.flavour.uid)


@VENUES
async def test_a_question_holds_for_a_while(venue: Venue) -> None:
    async with asking(venue) as (_, asked):
        window = 5000 if venue == "bingx" else 30_000
        assert asked.venue.refusal(await asked.answer(asked.flavour.uid, late=window)) is None
        answer = await asked.answer(asked.flavour.uid, late=window + 1)
        assert isinstance(asked.venue.failure(asked.keys)(answer), ClockRefused)


@VENUES
async def test_a_key_that_may_not_read_is_refused(venue: Venue) -> None:
    book = generated(orders=20, facts=Facts(rights=("trade",), unified=venue == "unified"))
    async with private_simulator(book) as simulator, client(simulator, venue) as asked:
        with pytest.raises(KeysRefused, match=r"40014|100004"):
            await asked.ask(asked.flavour.uid)


async def test_bitgets_demo_account_wants_its_header_and_its_key() -> None:
    async with private_simulator() as simulator:
        async with client(simulator, "classic", demo=True) as asked:
            (usdt,) = [
                one
                for one in await asked.ask(asked.flavour.balances[Product.PERPETUAL_USDT])
                if one.coin == "USDT"
            ]
            told = {one.coin: one for one in simulator.demo_book.balances(Traded.USDT)}
            assert usdt.available == told["USDT"].available
        demo, live = Keys(*simulator.demo_keys), Keys(*simulator.keys)
        async with client(simulator, "classic", keys=demo) as asked:
            with pytest.raises(ModeRefused, match="40099"):
                await asked.ask(asked.flavour.uid)
        async with client(simulator, "classic", demo=True, keys=live) as asked:
            with pytest.raises(ModeRefused, match="40099"):
                await asked.ask(asked.flavour.uid)


async def test_bingxs_demo_host_has_its_own_money() -> None:
    async with private_simulator() as simulator:
        async with client(simulator, "bingx", demo=True) as asked:
            coins = {one.coin for one in await asked.ask(asked.flavour.balances[Product.PERPETUAL_USDT])}
            assert coins >= {"VST", "USDC"}
            assert "USDT" not in coins
        async with client(simulator, "bingx", keys=Keys(*simulator.demo_keys)) as asked:
            with pytest.raises(KeysRefused, match="100413"):
                await asked.ask(asked.flavour.uid)


@VENUES
async def test_too_many_questions_a_second_are_refused(venue: Venue) -> None:
    async with asking(venue, limits=True) as (simulator, asked):
        allowed = {"classic": 1, "unified": 5, "bingx": 2}[venue]
        for _ in range(allowed):
            await asked.ask(asked.flavour.uid)
        with pytest.raises(RateLimited):
            await asked.ask(asked.flavour.uid)
        simulator.clock.advance(1000)
        await asked.ask(asked.flavour.uid)


@VENUES
async def test_any_code_can_be_asked_for(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        busy, gone = ("100500", "109400") if venue == "bingx" else ("40015", "40704")
        simulator.faults.private.codes += [Coded(busy), Coded(gone, count=2)]
        with pytest.raises(OutcomeUnknown):
            await asked.ask(asked.flavour.uid)
        for _ in range(2):
            with pytest.raises(ExchangeRefused):
                await asked.ask(asked.flavour.uid)
        assert await asked.ask(asked.flavour.uid) == simulator.book.facts.uid
        assert simulator.asked(asked.flavour.uid.request.path) == 4
