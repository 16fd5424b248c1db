"""Orders in slices: each slice is one order, whoever places it and whatever dies; late ones are left out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from backend.errors import InvalidRequest, UnknownTwap
from backend.services.orders.cancelling import Step
from backend.store.mongo import Database
from backend.trading.rows import Product
from backend.trading.twap import Twap
from tests.ordering import Floor, floor
from tests.simulator.private.faults import Met


async def begun(here: Floor, *, slices: int = 4, seconds: int = 40, **changes: Any) -> Twap:
    ticket = here.ticket(**({"size": Decimal("0.042")} | changes))
    begin = here.first.twaps.begin
    return await begin(here.account.id, ticket, slices=slices, seconds=seconds, caller="test")


async def look(here: Floor) -> None:
    """Both processes look for slices at once."""
    await asyncio.gather(*(process.twaps.look() for process in here.processes))


async def test_slices_are_placed_when_they_are_due_each_once(database: Database) -> None:
    async with floor("classic", database, processes=2) as here:
        twap = await begun(here)
        assert twap.sizes == tuple(map(Decimal, ("0.011", "0.011", "0.010", "0.010")))
        for number in range(1, 5):
            await look(here)
            await look(here)
            assert len(here.orders()) == number
            here.clock.advance(10)
        found = await here.first.twaps.get(twap.id)
        assert (found.status, found.placed, found.skipped) == ("done", 4, 0)
        assert tuple(order.size for order in here.orders()) == twap.sizes
        assert [one.id for one in await here.first.twaps.newest(here.account.id, 10)] == [twap.id]
        records = await here.first.audit.list(here.account.id, None, 100)
        told = [(one.outcome, one.intent) for _, one in records if one.action == "twap"]
        assert told == [("done", twap.id), ("begun", twap.id)]


async def test_a_process_that_dies_after_a_slice_does_not_repeat_it(database: Database) -> None:
    """It placed the slice, and died before it wrote that down."""
    async with floor("classic", database, processes=2) as here:
        twap = await begun(here)
        await here.processes[1].executor.place(
            here.account.id, twap.slice(), caller="test", key=twap.slice_key, source="the dead"
        )
        await here.first.twaps.look()
        found = await here.first.twaps.get(twap.id)
        assert (found.next, found.placed, len(here.orders())) == (1, 1, 1)


async def test_slices_that_are_too_late_or_refused_are_left_out(database: Database) -> None:
    async with floor("classic", database) as here:
        twap = await begun(here)
        here.clock.advance(25)
        for _ in range(5):
            await here.first.twaps.look()
        found = await here.first.twaps.get(twap.id)
        assert (found.next, found.placed, found.skipped, len(here.orders())) == (3, 1, 2, 1)
        assert found.reason == "the slice was too late"
        here.clock.advance(10)
        here.simulator.faults.private.placing = [Met("refuse")]
        await here.first.twaps.look()
        found = await here.first.twaps.get(twap.id)
        assert (found.status, found.placed, found.skipped) == ("done", 1, 3)


async def test_a_slice_waits_while_the_kill_switch_is_on(database: Database) -> None:
    async with floor("classic", database) as here:
        twap = await begun(here)
        await here.first.canceller.kill(here.account.id, Step.ENTRIES, caller="test")
        await here.first.twaps.look()
        assert here.orders() == []
        await here.first.canceller.kill(here.account.id, Step.OFF, caller="test")
        await here.first.twaps.look()
        assert (len(here.orders()), (await here.first.twaps.get(twap.id)).placed) == (1, 1)


async def test_a_cancelled_one_places_no_more_and_a_frozen_account_fails_it(database: Database) -> None:
    async with floor("classic", database) as here:
        twap = await begun(here)
        await here.first.twaps.look()
        cancelled = await here.first.twaps.cancel(twap.id, caller="test")
        assert (cancelled.status, await here.first.twaps.cancel(twap.id, caller="test")) == (
            *("cancelled", cancelled),
        )
        here.clock.advance(10)
        await here.first.twaps.look()
        assert len(here.orders()) == 1
        other = await begun(here)
        await here.first.accounts.change(here.account.id, label=None, frozen=True)
        await here.first.twaps.look()
        found = await here.first.twaps.get(other.id)
        assert (found.status, "frozen" in found.reason, len(here.orders())) == ("failed", True, 1)


async def test_what_cannot_be_cut_is_refused(database: Database) -> None:
    async with floor("classic", database) as here:
        for changes in (
            {"slices": 100},
            {"stop_loss": Decimal(20_000)},
            {"product": Product.SPOT, "size": None, "quote_size": Decimal(5), "held": "net"},
        ):
            with pytest.raises(InvalidRequest):
                await begun(here, **changes)
        with pytest.raises(UnknownTwap):
            await here.first.twaps.get("nothing")
        twap = await begun(here)
        assert not await here.first.twaps._store.change(replace(twap, next=2), twap)
