"""What happens in accounts at simulated venues is told once, in order, with no hole, whoever did it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from backend.services.history.ports import RowsWanted
from backend.services.watching.ports import Told
from backend.store.mongo import Database
from backend.trading.history import Kind
from backend.trading.intents import is_intent_id
from backend.trading.rows import Fill, Order, Position, Product, Status
from backend.trading.snapshot import NewsKind, Trouble, Wallet
from tests.book_rows import Venue
from tests.ordering import PRICE, VENUES, Floor, floor
from tests.simulator.private.faults import Coded, Emptied
from tests.simulator.private.rows import Order as Placed
from tests.simulator.private.rows import Pair
from tests.simulator.private.rows import Product as Simulated

EVERY_VENUE = pytest.mark.parametrize("venue", VENUES)
BUSY = {"classic": "40725", "unified": "40725", "bingx": "100500", "extended": "1006"}


def elsewhere(here: Floor, *, price: Decimal | None = None) -> Placed:
    """Somebody places an order at the venue, by hand."""
    held = "long" if here.book.facts.hedged else "net"
    product, quote = (Simulated.USDC, "USDC") if here.venue == "extended" else (Simulated.USDT, "USDT")
    return here.book.place(
        *(product, Pair("BTC", quote), "buy", Decimal("0.5"), here.clock.now()),
        price=price,
        held=held,  # type: ignore[arg-type]
        client_id="by-hand",
    )


async def looked(here: Floor, seconds: float = 61) -> None:
    here.clock.advance(seconds)
    await here.first.account_watch.look_at_all()


async def told(here: Floor, after: int = 0) -> Sequence[Told]:
    found = await here.first.snapshots.after(here.account.id, after, 1000)
    assert found is not None
    assert [one.number for one in found] == list(range(after + 1, after + 1 + len(found)))
    return found


def kinds(found: Sequence[Told]) -> list[NewsKind]:
    return [one.news.kind for one in found]


def orders(found: Sequence[Told]) -> list[tuple[str, Status]]:
    rows = [one.news.about for one in found]
    return [(row.order_id, row.status) for row in rows if isinstance(row, Order)]


def fills(found: Sequence[Told]) -> list[Decimal]:
    return [one.news.about.size for one in found if isinstance(one.news.about, Fill)]


def sizes(found: Sequence[Told]) -> list[Decimal]:
    return [one.news.about.size for one in found if isinstance(one.news.about, Position)]


@EVERY_VENUE
async def test_what_is_done_elsewhere_becomes_news_and_rows(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        await looked(here)
        assert await told(here) == []
        resting = elsewhere(here, price=Decimal(20_000))
        await looked(here)
        first = await told(here)
        number = str(resting.number)
        assert orders(first) == [(number, Status.OPEN)]
        here.book.fill(resting.number, Decimal("0.2"), Decimal(20_000), here.clock.now(), maker=True)
        await looked(here)
        second = await told(here, len(first))
        assert orders(second) == [(number, Status.PARTIALLY_FILLED)]
        assert (fills(second), sizes(second)) == ([Decimal("0.2")], [Decimal("0.2")])
        here.book.cancel(resting.number, here.clock.now())
        await looked(here)
        third = await told(here, len(first) + len(second))
        assert orders(third) == [(number, Status.CANCELLED)]
        assert fills(third) == []
        wanted = RowsWanted(account=here.account.id)
        rows = await here.first.history.page(Kind.ORDERS, wanted, None, 10)
        assert [(row.order_id, is_intent_id(row.client_id)) for _, row in rows if isinstance(row, Order)] == [
            (number, False)
        ]
        stored = await here.first.history.page(Kind.FILLS, wanted, None, 10)
        assert [row.size for _, row in stored if isinstance(row, Fill)] == [Decimal("0.2")]


@EVERY_VENUE
async def test_an_order_of_the_service_is_looked_at_at_once(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        await looked(here)
        placed = await here.place()
        await looked(here, 2)
        found = await told(here)
        rows = [one.news.about for one in found]
        assert [row.client_id for row in rows if isinstance(row, Order)] == [placed.id]
        assert (fills(found), sizes(found)) == ([Decimal("0.01")], [Decimal("0.01")])
        await here.first.executor.close(here.account.id, caller="test")
        await looked(here, 2)
        assert sizes(await told(here, len(found))) == [0]


@EVERY_VENUE
async def test_a_question_that_fails_is_no_answer_and_is_told(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        elsewhere(here, price=Decimal(20_000))
        await looked(here)
        before = await here.first.snapshots.standing(here.account.id)
        here.simulator.faults.private.codes = [Coded(BUSY[venue], count=1000)]
        await looked(here)
        await looked(here)
        assert (await here.first.snapshots.standing(here.account.id)).snapshot == before.snapshot
        here.simulator.faults.private.codes = []
        await looked(here)
        found = await told(here)
        assert kinds(found) == [NewsKind.TROUBLE, NewsKind.TROUBLE]
        said = [one.news.about.said for one in found if isinstance(one.news.about, Trouble)]
        assert said[0]
        assert said[1] == ""


@EVERY_VENUE
async def test_an_order_that_is_only_not_shown_has_not_ended(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        resting = elsewhere(here, price=Decimal(20_000))
        await looked(here)
        here.simulator.faults.private.hidden[resting.number] = here.clock.now() + 300_000
        for _ in range(3):
            await looked(here)
        assert orders(await told(here)) == []
        found = (await here.first.snapshots.standing(here.account.id)).snapshot
        assert found is not None
        assert [row.order_id for row in found.orders] == [str(resting.number)]
        await looked(here, 300)
        assert orders(await told(here)) == []
        here.book.cancel(resting.number, here.clock.now())
        await looked(here)
        assert orders(await told(here)) == [(str(resting.number), Status.CANCELLED)]


@EVERY_VENUE
async def test_one_answer_without_a_position_does_not_close_it(venue: Venue, database: Database) -> None:
    paths = {"classic": "all-position", "unified": "current-position"}
    path = paths.get(venue, "positions")
    async with floor(venue, database) as here:
        await here.place()
        await looked(here)
        before = len(await told(here))
        here.simulator.faults.private.empties = [Emptied(path)]
        await looked(here)
        assert sizes(await told(here, before)) == []
        assert [one.count for one in here.simulator.faults.private.empties] == [0]


@EVERY_VENUE
async def test_an_order_that_rested_for_days_is_told_when_it_ends(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        resting = elsewhere(here, price=Decimal(20_000))
        await looked(here)
        here.clock.advance(5 * 86_400)
        here.book.finish(resting.number, here.clock.now())
        await looked(here)
        found = await told(here)
        assert orders(found) == [(str(resting.number), Status.FILLED)]
        assert fills(found) == [Decimal("0.5")]


async def test_a_mark_price_that_moves_is_no_news(database: Database) -> None:
    async with floor("bingx", database) as here:
        elsewhere(here)
        here.book.finish(next(iter(here.book.open)), here.clock.now())
        await looked(here)
        for step in range(3):
            here.book.mark(Simulated.USDT, Pair("BTC", "USDT"), PRICE + step)
            await looked(here)
        assert set(kinds(await told(here))) <= {NewsKind.BALANCE}


async def test_wallets_are_told_with_all_their_coins(database: Database) -> None:
    async with floor("bingx", database) as here:
        await looked(here)
        here.book.transfer(Simulated.SPOT, "DOGE", Decimal(5), here.clock.now())
        await looked(here)
        [one] = await told(here)
        assert isinstance(one.news.about, Wallet)
        assert one.news.about.product is Product.SPOT
        assert {row.coin for row in one.news.about.balances} >= {"DOGE", "USDT"}


async def test_many_processes_tell_each_thing_once(database: Database) -> None:
    async with floor("bingx", database, processes=3) as here:
        await looked(here)
        for _ in range(4):
            elsewhere(here)
            here.book.finish(next(iter(here.book.open)), here.clock.now())
            here.clock.advance(61)
            await asyncio.gather(*(one.account_watch.look_at_all() for one in here.processes))
        found = await told(here)
        assert fills(found) == [Decimal("0.5")] * 4
        assert sizes(found) == [Decimal("0.5") * step for step in range(1, 5)]


async def test_news_that_are_no_longer_kept_are_not_skipped_in_silence(database: Database) -> None:
    async with floor("bingx", database) as here:
        await looked(here)
        for _ in range(3):
            elsewhere(here, price=Decimal(20_000))
            await looked(here)
        count = len(await told(here))
        await database["account_news"].delete_one({"number": 1})
        assert await here.first.snapshots.after(here.account.id, 0, 10) is None
        assert len(await told(here, 1)) == count - 1
        assert await here.first.snapshots.after(here.account.id, count + 1, 10) is None


async def test_a_removed_account_is_watched_no_more(database: Database) -> None:
    async with floor("bingx", database) as here:
        await looked(here)
        await here.first.accounts.remove(here.account.id)
        await looked(here)
        assert await database["account_states"].count_documents({}) == 0


async def test_a_paper_account_is_watched_like_any(database: Database) -> None:
    async with floor("bingx", database, hedged=False) as here:
        account = await here.first.accounts.add_paper("bingx", "", Decimal(10_000))
        await looked(here)
        await here.first.executor.place(account.id, here.ticket(), caller="test")
        await looked(here, 2)
        found = await here.first.snapshots.after(account.id, 0, 100)
        assert found is not None
        assert kinds(found) == [NewsKind.POSITION, NewsKind.BALANCE, NewsKind.ORDER, NewsKind.FILL]
