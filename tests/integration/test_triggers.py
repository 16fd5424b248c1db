"""Orders that wait for a price: each is placed once when the market gets there, whoever places it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from backend.errors import InvalidRequest, KeyReused, UnknownTrigger
from backend.services.orders.cancelling import Step
from backend.store.mongo import Database
from backend.trading.intents import State
from backend.trading.risk import Limits
from backend.trading.trigger import TriggerOrder
from tests.book_rows import Venue
from tests.ordering import PRICE, VENUES, Floor, floor
from tests.simulator.private.faults import Met


async def begun(here: Floor, price: int, key: str | None = None, **changes: Any) -> TriggerOrder:
    begin = here.first.triggers.begin
    return await begin(here.account.id, here.ticket(**changes), price=Decimal(price), caller="test", key=key)


async def moved(here: Floor, price: int) -> None:
    """The market goes to a price, and all processes look."""
    for process in here.processes:
        process.quotes.price = Decimal(price)
    here.clock.advance(2)
    await asyncio.gather(*(process.triggers.look() for process in here.processes))


@pytest.mark.parametrize("venue", VENUES)
async def test_an_order_is_placed_once_when_the_market_gets_there(venue: Venue, database: Database) -> None:
    async with floor(venue, database, processes=2) as here:
        rise, fall = await begun(here, 31_000), await begun(here, 29_000)
        assert (rise.above, fall.above) == (True, False)
        await moved(here, 30_999)
        assert here.orders() == []
        await moved(here, 31_000)
        await moved(here, 32_000)
        found = await here.first.triggers.get(rise.id)
        assert (found.status, len(here.orders())) == ("done", 1)
        intent = await here.first.executor.get(found.intent)
        assert (intent.state, intent.source) == (State.ACCEPTED, f"trigger {rise.id}")
        await moved(here, 28_000)
        assert len(here.orders()) == 2
        assert all(count == 1 for count in here.book.accepted.values())


async def test_a_process_that_dies_after_it_fired_is_followed_by_another(database: Database) -> None:
    async with floor("classic", database, processes=2) as here:
        trigger = await begun(here, 31_000)
        await here.processes[1].executor.place(
            here.account.id, trigger.ticket, caller="test", key=trigger.key, source="the dead"
        )
        await moved(here, 31_500)
        assert len(here.orders()) == 1
        assert (await here.first.triggers.get(trigger.id)).status == "done"


async def test_a_price_that_goes_back_takes_nothing_back(database: Database) -> None:
    async with floor("bingx", database) as here:
        await here.place()
        here.simulator.faults.private.placing = [Met("accept_drop")]
        await here.place()  # unknown: nothing else may open
        trigger = await begun(here, 31_000)
        await moved(here, 31_500)
        assert (await here.first.triggers.get(trigger.id)).status == "fired"
        for _ in range(30):
            await here.first.watch.look()
            await moved(here, 30_000)
        assert (await here.first.triggers.get(trigger.id)).status == "done"


@pytest.mark.parametrize("manner", ["accept_drop", "drop", "accept_error", "refuse"])
async def test_however_the_order_is_met_it_is_there_once(manner: Any, database: Database) -> None:
    async with floor("bingx", database, processes=2) as here:
        trigger = await begun(here, 31_000)
        here.simulator.faults.private.placing = [Met(manner)]
        await moved(here, 31_000)
        found = await here.first.triggers.get(trigger.id)
        decided = await here.decided(await here.first.executor.get(found.intent))
        await moved(here, 31_000)
        is_there = manner.startswith("accept")
        assert here.accepted(decided) == is_there
        assert (await here.first.triggers.get(trigger.id)).status == ("done" if is_there else "failed")


async def test_cancels_and_the_kill_switch_end_what_waits(database: Database) -> None:
    async with floor("bingx", database) as here:
        one, two, three = [await begun(here, 31_000 + step) for step in range(3)]
        assert (await here.first.triggers.cancel(one.id, caller="test")).status == "cancelled"
        gone, left = await here.first.canceller.cancel_all(here.account.id, caller="test", symbol="ETH-USDT")
        assert (gone, left) == (0, ())
        killed = await here.first.canceller.kill(here.account.id, Step.CANCEL, caller="test")
        assert killed.cancelled == 2
        await moved(here, 40_000)
        assert here.orders() == []
        assert {one.status for one in await here.first.triggers.newest(here.account.id, 10)} == {"cancelled"}
        assert (two.status, three.status) == ("waiting", "waiting")


async def test_limits_hold_when_it_fires(database: Database) -> None:
    async with floor("bingx", database) as here:
        trigger = await begun(here, 31_000)
        await here.first.accounts.change(
            here.account.id, label=None, frozen=None, limits=Limits(max_order_value=Decimal(1))
        )
        await moved(here, 31_000)
        found = await here.first.triggers.get(trigger.id)
        assert (found.status, "the limit is 1" in found.reason) == ("failed", True)


async def test_a_repeated_request_is_the_same_trigger_order(database: Database) -> None:
    async with floor("bingx", database) as here:
        first = await begun(here, 31_000, "key")
        assert await begun(here, 31_000, "key") == first
        with pytest.raises(KeyReused):
            await begun(here, 31_001, "key")
        await moved(here, 31_000)
        assert len(here.orders()) == 1


async def test_what_cannot_be_waited_for(database: Database) -> None:
    async with floor("bingx", database) as here:
        with pytest.raises(InvalidRequest, match="already"):
            await begun(here, int(PRICE))
        with pytest.raises(UnknownTrigger):
            await here.first.triggers.get("nobody")
        trigger = await begun(here, 31_000)
        await here.first.accounts.remove(here.account.id)
        await moved(here, 30_500)
        assert (await here.first.triggers.get(trigger.id)).reason == "the account was removed"


async def test_a_paper_account_waits_too(database: Database) -> None:
    async with floor("bingx", database, hedged=False) as here:
        account = await here.first.accounts.add_paper("bingx", "", Decimal(10_000))
        trigger = await here.first.triggers.begin(
            account.id, here.ticket(), price=Decimal(29_000), caller="test"
        )
        await moved(here, 29_000)
        assert (await here.first.triggers.get(trigger.id)).status == "done"
