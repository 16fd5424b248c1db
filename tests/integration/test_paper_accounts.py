"""Paper accounts in a real database: the same orders lead to the same intents as at a simulated exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from backend.core.quotes import FundingRate, Level, OrderBook
from backend.core.windows import DAY, MINUTE
from backend.errors import ExchangeRefused, InvalidRequest, LiveTradingOff, RiskRefused, UnknownAccount
from backend.services.history.window_reading import rows_of
from backend.services.orders.cancelling import Step
from backend.store.mongo import Database
from backend.trading.account import Account, Mode
from backend.trading.history import Kind
from backend.trading.intents import Intent, State
from backend.trading.money import total
from backend.trading.paper.paper_time import Bar
from backend.trading.risk import Limits
from backend.trading.rows import Product, Status, Wanted
from backend.trading.tickets import Force
from tests.book_rows import Venue
from tests.ordering import NOW, PRICE, VENUES, Floor, floor

USDT = Product.PERPETUAL_USDT


async def paper_account(here: Floor, *, hedged: bool = False, balance: int = 1_000_000) -> Account:
    """A paper account at the prices of the floor's venue."""
    account = await here.first.accounts.add_paper(here.account.venue, "paper", Decimal(balance))
    if hedged:
        await here.first.setups.position_mode(
            account.id, here.product, here.symbol(), hedged=True, caller="test"
        )
    return account


@asynccontextmanager
async def paper(
    database: Database, venue: Venue = "bingx", *, balance: int = 1_000_000, processes: int = 1
) -> AsyncIterator[Floor]:
    """A floor whose account is of paper, with one position a symbol."""
    async with floor(venue, database, hedged=False, processes=processes) as here:
        yield replace(here, account=await paper_account(here, balance=balance))


async def seen(here: Floor, intent: Intent) -> Intent:
    """The intent after the next look of the watch."""
    here.clock.advance(2)
    await here.first.watch.look()
    return await here.first.executor.get(intent.id)


async def story(here: Floor, account: Account, *, hedged: bool) -> list[tuple[Any, ...]]:
    """What an account meets: every kind of order, and how each looks at the end."""
    told: list[tuple[Any, ...]] = []

    async def place(**changes: Any) -> None:
        ticket = here.ticket(**changes)
        try:
            placed = await here.first.executor.place(account.id, ticket, caller="test")
        except ExchangeRefused:
            told.append(("refused", ticket.side))
            return
        found = await seen(here, placed)
        order = found.order
        row: tuple[Any, ...] = ()
        if order is not None:
            # BingX says no average of a spot order.
            average = None if order.product is Product.SPOT else order.average_price
            row = (order.side, order.status, order.filled, average, order.price)
        ends_at_once = found.state is State.REFUSED or (found.finished and order and not order.filled)
        if here.venue == "extended" and ends_at_once:
            # The venue takes some orders and ends them at once, which paper refuses: no one trades anything.
            told.append(("nothing", found.ticket.size))
            return
        told.append((found.state, found.ticket.size, row, found.finished))

    closing: dict[str, Any] = {"side": "sell", "reduce_only": not hedged}
    await place(size=Decimal("0.0123456"))
    await place(price=Decimal(20_000))
    await place(price=Decimal(20_000), force=Force.IOC)
    await place(price=PRICE, force=Force.POST_ONLY)
    await place(price=Decimal(31_000), size=Decimal("0.02"))
    await place(**closing, size=Decimal("0.005"))
    told.append(("cancelled", (await here.first.canceller.cancel_all(account.id, caller="test"))[0]))
    # What is more than there is, Extended refuses as a whole.
    await place(**closing, size=Decimal("0.02734") if here.venue == "extended" else Decimal(5))
    await place(**closing)
    if here.venue != "extended":
        await place(product=Product.SPOT, held="net", size=None, quote_size=Decimal(300))
    _, source = await here.first.accounts.source(account.id)
    for row in await source.positions([here.product]):
        told.append((row.symbol, row.held, row.size, row.entry_price))
    return told


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("hedged", [False, True])
async def test_the_same_orders_have_the_same_fate_on_paper_and_at_the_venue(
    venue: Venue, hedged: bool, database: Database
) -> None:
    async with floor(venue, database, hedged=hedged) as here:
        hedged = here.book.facts.hedged
        real = await story(here, here.account, hedged=hedged)
        mine = await story(here, await paper_account(here, hedged=hedged), hedged=hedged)
        assert mine == real


async def test_paper_needs_neither_keys_nor_live_trading(database: Database) -> None:
    async with paper(database) as here:
        here.first.permission.live_allowed = False
        assert (await here.place()).state is State.ACCEPTED
        assert (here.account.mode, here.account.warnings) == (Mode.PAPER, ())
        assert (await here.first.accounts.check(here.account.id)).uid == here.account.id
        assert await here.first.accounts.rotate() == (0, [])
    async with floor("classic", database) as there:
        there.first.permission.live_allowed = False
        with pytest.raises(LiveTradingOff):
            await there.place()


async def test_a_venue_without_paper_accounts_is_named(database: Database) -> None:
    async with paper(database) as here:
        with pytest.raises(InvalidRequest, match="prices of bingx"):
            await here.first.accounts.add_paper("kraken", "", Decimal(1))


async def test_two_processes_fill_one_order_once(database: Database) -> None:
    async with paper(database, processes=3) as here:
        await here.place(price=Decimal(29_000), size=Decimal("0.1"))
        for process in here.processes:
            process.prices.book = OrderBook(
                (Level(Decimal(28_000), Decimal(1)),), (Level(Decimal(28_500), Decimal(1)),)
            )
        await asyncio.gather(*(process.paper.look() for process in here.processes))
        _, source = await here.first.accounts.source(here.account.id)
        fills = await source.fills(Wanted(product=USDT, start=0, end=NOW + DAY))
        assert [(row.size, row.price) for row in fills.rows] == [(Decimal("0.1"), Decimal(29_000))]
        [position] = await source.positions([USDT])
        assert position.size == Decimal("0.1")


async def test_a_book_that_somebody_else_changed_is_not_overwritten(database: Database) -> None:
    async with paper(database, processes=2) as here:
        first, second = (process.papers for process in here.processes)
        book, version = await first.load(here.account.id)
        assert await second.save(here.account.id, replace(book, number=7), version)
        assert not await first.save(here.account.id, replace(book, number=8), version)
        assert (await first.load(here.account.id))[0].number == 7


async def test_orders_that_many_send_at_once_are_all_there_once(database: Database) -> None:
    async with paper(database, processes=2) as here:
        tickets = [here.ticket(size=Decimal("0.001")) for _ in range(20)]
        placed = await asyncio.gather(
            *(
                here.processes[place % 2].executor.place(here.account.id, ticket, caller="test")
                for place, ticket in enumerate(tickets)
            ),
            return_exceptions=True,
        )
        accepted = [one for one in placed if isinstance(one, Intent)]
        assert accepted
        for one in accepted:
            assert (await here.decided(one)).state is State.ACCEPTED
        _, source = await here.first.accounts.source(here.account.id)
        [position] = await source.positions([USDT])
        assert position.size == Decimal("0.001") * len(accepted)


async def test_what_happened_while_nobody_looked_is_read_from_candles(database: Database) -> None:
    async with paper(database) as here:
        await here.place(price=Decimal(29_000), size=Decimal("0.1"), take_profit=Decimal(31_000))
        prices = here.first.prices
        start = here.clock.now()
        for minute, (low, high) in enumerate([(29_500, 30_500), (28_000, 30_000), (29_000, 32_000)]):
            opened = (start // MINUTE + 2 + minute) * MINUTE
            prices.closed.append(
                Bar(opened + MINUTE, PRICE, Decimal(high), Decimal(low), PRICE, Decimal(100))
            )
        here.clock.advance(20 * 60)
        _, source = await here.first.accounts.source(here.account.id)
        assert await source.positions([USDT]) == ()
        rows = (await source.fills(Wanted(product=USDT, start=0, end=NOW + DAY))).rows
        assert [(row.side, row.price) for row in rows] == [
            ("buy", Decimal(29_000)),
            ("sell", Decimal(31_000)),
        ]
        assert [row.time for row in rows] == [bar.time for bar in prices.closed[1:]]
        assert (prices.asked[0][0] % MINUTE, prices.asked[0][0] > start) == (0, True)


async def test_funding_is_paid_while_a_position_is_open(database: Database) -> None:
    async with paper(database) as here:
        due = (NOW // MINUTE + 10) * MINUTE
        here.first.prices.paid = FundingRate(Decimal("0.001"), due, 480 * MINUTE)
        await here.place(size=Decimal(1))
        await here.first.paper.look()
        here.first.prices.paid = FundingRate(Decimal("0.002"), due + 480 * MINUTE, 480 * MINUTE)
        here.clock.advance(15 * 60)
        await here.first.paper.look()
        _, source = await here.first.accounts.source(here.account.id)
        bills = (await source.bills(Wanted(product=USDT, start=0, end=NOW + DAY))).rows
        assert [row.amount for row in bills if row.kind == "funding"] == [-PRICE / 1000]


async def test_the_history_of_paper_has_every_row_once_in_pages(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.services.paper.paper_source.PAGE", 7)
    async with paper(database) as here:
        for size in range(1, 12):
            await here.place(size=Decimal(size) / 1000)
        _, source = await here.first.accounts.source(here.account.id)
        found: dict[Kind, dict[str, Any]] = {}
        for kind, ask in (
            (Kind.ORDERS, source.orders),
            (Kind.FILLS, source.fills),
            (Kind.BILLS, source.bills),
        ):
            wanted = Wanted(product=USDT, start=0, end=here.clock.now() + 1)
            async for came in rows_of(ask, wanted):
                assert not found.setdefault(kind, {}).keys() & came.rows.keys()
                found[kind] |= came.rows
        assert [len(found[kind]) for kind in Kind] == [11, 11, 12]
        fees = total(fee.paid for row in found[Kind.FILLS].values() for fee in row.fees)
        bills = list(found[Kind.BILLS].values())
        assert max(bills, key=lambda row: int(row.bill_id)).balance == 1_000_000 - fees
        symbol = Wanted(product=USDT, start=0, end=here.clock.now() + 1, symbol="ETH-USDT")
        assert (await source.fills(symbol)).rows == ()


async def test_limits_and_the_kill_switch_hold_on_paper(database: Database) -> None:
    async with paper(database) as here:
        await here.first.accounts.change(
            here.account.id, label=None, frozen=None, limits=Limits(max_position_value=Decimal(700))
        )
        await here.place(size=Decimal("0.02"))
        here.clock.advance(2)
        with pytest.raises(RiskRefused):
            await here.place(size=Decimal("0.01"))
        killed = await here.first.canceller.kill(here.account.id, Step.FLATTEN, caller="test")
        assert [one.state for one in killed.closed] == [State.ACCEPTED]
        _, source = await here.first.accounts.source(here.account.id)
        assert await source.positions([USDT]) == ()


async def test_a_trial_says_what_would_happen_and_changes_nothing(database: Database) -> None:
    async with paper(database, balance=100) as here:
        draft = await here.first.executor.dry_run(here.account.id, here.ticket(), caller="test")
        assert (draft.refused, draft.tried, draft.margin) == (None, True, Decimal(30))
        large = here.ticket(size=Decimal(1))
        draft = await here.first.executor.dry_run(here.account.id, large, caller="test")
        assert draft.refused is not None
        assert "not enough USDT" in draft.refused
        _, source = await here.first.accounts.source(here.account.id)
        assert (await source.orders(Wanted(product=USDT, start=0, end=NOW + DAY))).rows == ()


async def test_modes_change_only_where_nothing_is_open(database: Database) -> None:
    async with paper(database) as here:
        setups, symbol = here.first.setups, here.symbol()
        await setups.leverage(here.account.id, USDT, symbol, "net", 25, caller="test")
        await setups.margin_mode(here.account.id, USDT, symbol, "isolated", caller="test")
        await here.place()
        _, source = await here.first.accounts.source(here.account.id)
        [row] = await source.positions([USDT])
        assert (row.leverage, row.margin_mode) == (Decimal(25), "isolated")
        with pytest.raises(ExchangeRefused, match="while there is"):
            await setups.margin_mode(here.account.id, USDT, symbol, "crossed", caller="test")
        with pytest.raises(ExchangeRefused, match="while there are"):
            await setups.position_mode(here.account.id, USDT, symbol, hedged=True, caller="test")


async def test_a_removed_account_is_gone_with_its_book(database: Database) -> None:
    async with paper(database) as here:
        await here.place(price=Decimal(20_000))
        assert await here.first.papers.watched() == [here.account.id]
        await here.first.accounts.remove(here.account.id)
        assert await here.first.papers.watched() == []
        with pytest.raises(UnknownAccount):
            await here.first.papers.load(here.account.id)


async def test_a_frozen_account_stands_still(database: Database) -> None:
    async with paper(database) as here:
        placed = await here.place(price=Decimal(29_000))
        await here.first.accounts.change(here.account.id, label=None, frozen=True)
        here.first.quotes.price = Decimal(28_000)
        here.clock.advance(10)
        await here.first.paper.look()
        await here.first.accounts.change(here.account.id, label=None, frozen=False)
        _, source = await here.first.accounts.source(here.account.id)
        here.first.quotes.price = PRICE
        [order] = await source.open_orders(USDT)
        assert (order.client_id, order.status) == (placed.id, Status.OPEN)
