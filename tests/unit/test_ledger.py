"""One series' coverage during a sync: changed in memory, saved, merged with what others saved."""

from __future__ import annotations

import asyncio

import pytest

from backend.core.coverage import Coverage, void_without_data
from backend.errors import DatabaseUnavailable
from backend.services.ledger import Ledger
from tests.fakes import BTC, START, MemoryCoverage, minute, minutes, minutes_of


async def test_a_ledger_begins_with_what_is_saved() -> None:
    store = MemoryCoverage()
    saved = Coverage(since=START, held=(minutes(0, 5),))
    await store.save(BTC, saved, 0)
    assert (await Ledger.load(store, BTC)).coverage == saved


async def test_a_series_that_was_never_synced_has_an_empty_ledger() -> None:
    assert (await Ledger.load(MemoryCoverage(), BTC)).coverage == Coverage()


async def test_what_is_recorded_is_saved_when_recording_returns() -> None:
    store = MemoryCoverage()
    ledger = await Ledger.load(store, BTC)
    await ledger.record(lambda known: known.with_held([minutes(0, 5)]))
    await ledger.record(lambda known: known.with_held([minutes(8, 9)]))
    assert store.known() == ledger.coverage == Coverage(held=(minutes(0, 5), minutes(8, 9)))


async def test_a_change_that_changes_nothing_is_not_written() -> None:
    store = MemoryCoverage()
    ledger = await Ledger.load(store, BTC)
    await ledger.record(lambda known: known.with_held([]))
    assert store.saves == 0


async def test_callers_that_come_together_share_writes_and_each_returns_after_its_own() -> None:
    store = MemoryCoverage()
    ledger = await Ledger.load(store, BTC)

    async def record(number: int) -> None:
        await ledger.record(lambda known: known.with_held([minutes(2 * number, 2 * number + 1)]))
        assert minute(2 * number) in minutes_of(store.known().held)

    await asyncio.gather(*(record(number) for number in range(20)))
    assert minutes_of(store.known().held) == {minute(2 * number) for number in range(20)}
    assert store.saves <= 2


async def test_ledgers_that_save_at_once_lose_nothing_of_each_other() -> None:
    store = MemoryCoverage()
    ledgers = [await Ledger.load(store, BTC) for _ in range(4)]

    async def record(ledger: Ledger, number: int) -> None:
        await ledger.record(lambda known: known.with_held([minutes(3 * number, 3 * number + 1)]))
        await ledger.record(
            lambda known: known.with_voids(
                [void_without_data(minutes(3 * number + 1, 3 * number + 2), START)]
            )
        )

    await asyncio.gather(*(record(ledger, number) for number, ledger in enumerate(ledgers)))
    known = store.known()
    assert minutes_of(known.held) == {minute(3 * number) for number in range(4)}
    assert minutes_of(void.window for void in known.voids) == {minute(3 * number + 1) for number in range(4)}


async def test_after_a_conflict_a_ledger_knows_what_the_other_writer_saved() -> None:
    store = MemoryCoverage()
    mine = await Ledger.load(store, BTC)
    other = await Ledger.load(store, BTC)
    await other.record(lambda known: known.with_held([minutes(0, 5)]).asked(minutes(0, 7)))
    await mine.record(lambda known: known.with_held([minutes(5, 9)]))
    assert mine.coverage == store.known() == Coverage(START, (minutes(0, 9),), until=minute(7))


async def test_a_candle_that_another_writer_held_outweighs_my_void() -> None:
    store = MemoryCoverage()
    mine = await Ledger.load(store, BTC)
    other = await Ledger.load(store, BTC)
    await other.record(lambda known: known.with_held([minutes(0, 5)]))
    await mine.record(lambda known: known.with_voids([void_without_data(minutes(3, 7), START)]))
    assert store.known().held == (minutes(0, 5),)
    assert [void.window for void in store.known().voids] == [minutes(5, 7)]


async def test_a_ledger_that_cannot_be_saved_says_so_and_saves_it_all_the_next_time() -> None:
    store = MemoryCoverage()
    ledger = await Ledger.load(store, BTC)
    store.failure = DatabaseUnavailable("away")
    with pytest.raises(DatabaseUnavailable):
        await ledger.record(lambda known: known.with_held([minutes(0, 5)]))
    assert store.known() == Coverage()
    store.failure = None
    await ledger.record(lambda known: known.with_held([minutes(5, 6)]))
    assert store.known().held == (minutes(0, 6),)
