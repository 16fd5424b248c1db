"""One series' coverage while somebody works on it: lent to one holder, changed in memory, saved."""

from __future__ import annotations

import asyncio

import pytest

from backend.clock import SystemClock
from backend.core.coverage import Coverage
from backend.core.minutes import Minutes
from backend.errors import DatabaseUnavailable, LeaseLost, SeriesBusy
from backend.services.ports import Lease
from backend.services.syncing.ledger import Ledger, Ledgers
from tests.fakes import BTC, START, FakeClock, MemoryCoverage, minute, minutes, minutes_of
from tests.syncing import save_ledger


async def leased(store: MemoryCoverage, owner: str = "me") -> Ledger:
    lease = await store.acquire(BTC, owner, 10)
    assert lease is not None
    return Ledger(store, lease)


def ledgers(store: MemoryCoverage, owner: str = "me", seconds: float = 3600) -> Ledgers:
    return Ledgers(store=store, clock=SystemClock(), owner=owner, seconds=seconds)


async def test_a_ledger_begins_with_what_is_saved() -> None:
    store = MemoryCoverage()
    saved = Coverage(since=START, held=Minutes.of((minutes(0, 5),)))
    await save_ledger(store, BTC, saved)
    assert (await leased(store)).coverage == saved


async def test_a_series_that_was_never_synced_has_an_empty_ledger() -> None:
    assert (await leased(MemoryCoverage())).coverage == Coverage()


async def test_what_is_recorded_is_saved_when_recording_returns() -> None:
    store = MemoryCoverage()
    ledger = await leased(store)
    await ledger.record(lambda known: known.with_held([minutes(0, 5)]))
    await ledger.record(lambda known: known.with_held([minutes(8, 9)]))
    assert store.known() == ledger.coverage == Coverage(held=Minutes.of((minutes(0, 5), minutes(8, 9))))


async def test_a_change_that_changes_nothing_is_not_written() -> None:
    store = MemoryCoverage()
    ledger = await leased(store)
    await ledger.record(lambda known: known.with_held([]))
    assert store.saves == 0


async def test_callers_that_come_together_share_writes_and_each_returns_after_its_own() -> None:
    store = MemoryCoverage()
    ledger = await leased(store)

    async def record(number: int) -> None:
        await ledger.record(lambda known: known.with_held([minutes(2 * number, 2 * number + 1)]))
        assert minute(2 * number) in minutes_of(store.known().held)

    await asyncio.gather(*(record(number) for number in range(20)))
    assert minutes_of(store.known().held) == {minute(2 * number) for number in range(20)}
    assert store.saves <= 2


async def test_a_ledger_that_cannot_be_saved_says_so_and_saves_it_all_the_next_time() -> None:
    store = MemoryCoverage()
    ledger = await leased(store)
    store.failure = DatabaseUnavailable("away")
    with pytest.raises(DatabaseUnavailable):
        await ledger.record(lambda known: known.with_held([minutes(0, 5)]))
    assert store.known() == Coverage()
    store.failure = None
    await ledger.record(lambda known: known.with_held([minutes(5, 6)]))
    assert store.known().held == (minutes(0, 6),)


async def test_an_owner_who_slept_while_another_took_over_cannot_write() -> None:
    store = MemoryCoverage()
    sleeper = await leased(store, "sleeper")
    store.pass_seconds(11)
    other = await leased(store, "other")
    await other.record(lambda known: known.with_held([minutes(0, 5)]))
    with pytest.raises(LeaseLost):
        await sleeper.record(lambda known: known.with_held([minutes(5, 9)]))
    assert store.known().held == (minutes(0, 5),)


async def test_an_owner_who_slept_but_was_not_missed_goes_on() -> None:
    store = MemoryCoverage()
    sleeper = await leased(store, "sleeper")
    store.pass_seconds(11)
    await sleeper.record(lambda known: known.with_held([minutes(5, 9)]))
    assert store.known().held == (minutes(5, 9),)


@pytest.mark.parametrize("other", ["me", "another process"])
async def test_a_ledger_is_lent_to_one_holder_in_this_process_and_in_all(other: str) -> None:
    store = MemoryCoverage()
    mine = ledgers(store)
    theirs = mine if other == "me" else ledgers(store, other)
    async with mine.hold(BTC):
        assert await theirs.free([BTC]) == set()
        with pytest.raises(SeriesBusy):
            async with theirs.hold(BTC):
                raise AssertionError("two hold one ledger")
    assert await theirs.free([BTC]) == {BTC}
    async with theirs.hold(BTC) as ledger:
        assert ledger.series == BTC


async def test_a_ledger_is_given_back_when_the_work_fails() -> None:
    store = MemoryCoverage()
    with pytest.raises(DatabaseUnavailable):
        async with ledgers(store).hold(BTC):
            raise DatabaseUnavailable("away")
    assert store.leases == {}


async def test_a_patient_caller_gets_the_ledger_when_it_is_given_back() -> None:
    store = MemoryCoverage()
    lender = ledgers(store)
    held, enough = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with lender.hold(BTC):
            held.set()
            await enough.wait()

    working = asyncio.create_task(work())
    await held.wait()
    asyncio.get_running_loop().call_later(0.05, enough.set)
    async with lender.hold(BTC, patience=60):
        assert working.done()


async def test_a_lease_is_renewed_for_as_long_as_it_is_held() -> None:
    store = MemoryCoverage()
    clock = FakeClock()
    async with Ledgers(store=store, clock=clock, owner="me", seconds=9).hold(BTC):
        first = store.leases[BTC]
        store.pass_seconds(5)
        await clock.sleep(4)
        assert store.leases[BTC][2] == 14 > first[2]


async def test_a_failure_to_lease_leaves_the_series_free() -> None:
    store = MemoryCoverage()
    lender = ledgers(store)
    store.failure = DatabaseUnavailable("away")
    with pytest.raises(DatabaseUnavailable):
        async with lender.hold(BTC):
            raise AssertionError("lent without a database")
    store.failure = None
    async with lender.hold(BTC) as ledger:
        assert ledger.coverage == Coverage()


class Silent(MemoryCoverage):
    """A database that never answers when a lease is given back."""

    async def release(self, lease: Lease) -> None:  # noqa: ARG002
        await asyncio.Event().wait()


async def test_a_database_that_does_not_answer_keeps_nobody_from_leaving() -> None:
    async with ledgers(Silent()).hold(BTC):
        pass


async def test_a_lease_that_could_not_be_renewed_for_a_while_is_renewed_when_it_can_be() -> None:
    store, clock = MemoryCoverage(), FakeClock()
    async with Ledgers(store=store, clock=clock, owner="me", seconds=9).hold(BTC):
        store.failure = DatabaseUnavailable("away")
        store.pass_seconds(20)
        await clock.sleep(20)
        store.failure = None
        await clock.sleep(4)
        assert store.leases[BTC][2] == 29


async def test_a_lease_that_another_has_taken_meanwhile_is_not_claimed() -> None:
    store, clock = MemoryCoverage(), FakeClock()
    async with Ledgers(store=store, clock=clock, owner="me", seconds=9).hold(BTC) as ledger:
        store.pass_seconds(20)
        assert await store.acquire(BTC, "another", 100)
        await clock.sleep(30)
        assert store.leases[BTC][0] == "another"
        with pytest.raises(LeaseLost):
            await ledger.record(lambda known: known.with_held([minutes(0, 5)]))
