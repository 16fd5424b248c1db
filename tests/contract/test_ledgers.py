"""What every store of ledgers does, over both drivers and the tests' own fake.

A mock has no clock that leases could be dated by, so it is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.ioloop import IOLoop

from backend.core.coverage import Coverage, Void
from backend.core.minutes import BLOCK, FULL, Minutes, bits_of
from backend.core.series import Series
from backend.core.windows import DAY, MINUTE, WEEK, Window
from backend.errors import DatabaseUnavailable
from backend.services.ports import CoverageStore
from backend.store.market.coverage import MongoCoverage
from backend.store.market.ledger_document import coverage_of, document_of
from backend.store.mongo import disconnect, settled
from tests.contract.drivers import DRIVERS, NOBODY, connected, empty_database
from tests.fakes import BTC, START, MemoryCoverage, minute, minutes
from tests.syncing import save_ledger

ETH = Series("binance", "spot", "ETHUSDT")
LONG, SHORT = 60.0, 0.001

KNOWN = Coverage(
    since=START,
    until=minute(50),
    held=Minutes.of((minutes(0, 5), minutes(7, 9))),
    voids=(
        Void(Window(0, START), "before_listing", minute(50), None),
        Void(minutes(5, 7), "no_data", minute(51), minute(51) + WEEK),
    ),
)


@pytest.fixture(params=[*DRIVERS, "fake"])
def store(request: pytest.FixtureRequest, io_loop: IOLoop) -> Iterator[CoverageStore]:
    """A store of every kind."""
    if request.param == "fake":
        yield MemoryCoverage()
    else:
        with empty_database(request.param, request.getfixturevalue("mongod_uri"), io_loop) as found:
            yield MongoCoverage(found)


@pytest.fixture(params=DRIVERS)
def database(request: pytest.FixtureRequest, mongod_uri: str, io_loop: IOLoop) -> Iterator[Any]:
    """A database on a real server, through either driver."""
    with empty_database(request.param, mongod_uri, io_loop) as found:
        yield found


async def run_out(store: CoverageStore) -> None:
    """Let a SHORT lease run out, by the clock of the store."""
    if isinstance(store, MemoryCoverage):
        store.pass_seconds(1)
    else:
        while await store.leased([BTC], "nobody"):
            continue


async def test_a_series_that_was_never_synced_has_an_empty_ledger(store: CoverageStore) -> None:
    assert await store.load(BTC) == Coverage()


@pytest.mark.parametrize("coverage", [KNOWN, Coverage(), Coverage(since=0)])
async def test_a_ledger_that_is_saved_is_loaded_again(store: CoverageStore, coverage: Coverage) -> None:
    await save_ledger(store, BTC, coverage)
    assert await store.load(BTC) == coverage
    lease = await store.acquire(BTC, "me", LONG)
    assert lease is not None
    assert lease.coverage == coverage


async def test_each_series_has_a_ledger_and_a_lease_of_its_own(store: CoverageStore) -> None:
    one, two = await store.acquire(BTC, "me", LONG), await store.acquire(ETH, "you", LONG)
    assert one is not None
    assert two is not None
    assert await store.save(one, KNOWN)
    assert await store.save(two, Coverage(since=5))
    assert (await store.load(BTC), await store.load(ETH)) == (KNOWN, Coverage(since=5))


async def test_a_leased_ledger_is_not_leased_to_another(store: CoverageStore) -> None:
    assert await store.acquire(BTC, "me", LONG) is not None
    assert await store.acquire(BTC, "you", LONG) is None


async def test_of_many_who_ask_at_once_exactly_one_gets_the_lease(store: CoverageStore) -> None:
    leases = await asyncio.gather(*(store.acquire(BTC, f"owner {number}", LONG) for number in range(8)))
    assert sum(lease is not None for lease in leases) == 1


async def test_a_lease_that_was_given_back_is_free(store: CoverageStore) -> None:
    lease = await store.acquire(BTC, "me", LONG)
    assert lease is not None
    await store.release(lease)
    assert await store.acquire(BTC, "you", LONG) is not None


async def test_a_lease_that_ran_out_is_free_and_its_token_is_void(store: CoverageStore) -> None:
    old = await store.acquire(BTC, "me", SHORT)
    assert old is not None
    await run_out(store)
    new = await store.acquire(BTC, "you", LONG)
    assert new is not None
    assert not await store.save(old, Coverage(since=1))
    assert not await store.renew(old, LONG)
    await store.release(old)
    assert await store.save(new, KNOWN)
    assert await store.load(BTC) == KNOWN


async def test_a_lease_that_ran_out_but_was_not_taken_still_writes_and_can_be_renewed(
    store: CoverageStore,
) -> None:
    lease = await store.acquire(BTC, "me", SHORT)
    assert lease is not None
    await run_out(store)
    assert await store.save(lease, KNOWN)
    assert await store.renew(lease, LONG)
    assert await store.acquire(BTC, "you", LONG) is None


async def test_an_owner_takes_its_own_lease_anew_and_the_old_token_is_void(store: CoverageStore) -> None:
    old = await store.acquire(BTC, "me", LONG)
    new = await store.acquire(BTC, "me", LONG)
    assert old is not None
    assert new is not None
    assert not await store.save(old, KNOWN)
    assert await store.save(new, KNOWN)


async def test_what_others_hold_is_told(store: CoverageStore) -> None:
    await store.acquire(BTC, "me", LONG)
    assert await store.leased([BTC, ETH], "you") == {BTC}
    assert await store.leased([BTC, ETH], "me") == set()
    assert await store.holders([BTC, ETH]) == {BTC: "me"}


async def test_the_stored_symbols_of_a_market_are_those_with_a_held_minute(store: CoverageStore) -> None:
    held, void = Coverage(START, Minutes.of((minutes(0, 5),))), Coverage(START, voids=KNOWN.voids)
    for exchange, market, symbol, coverage in [
        ("binance", "spot", "BTCUSDT", held),
        ("binance", "spot", "ETHUSDT", KNOWN),
        ("binance", "spot", "NEWUSDT", Coverage(START)),
        ("binance", "spot", "GONEUSDT", void),
        ("binance", "perpetual", "SOLUSDT", held),
        ("bitget", "spot", "XRPUSDT", held),
        ("extended", "perpetual", "BTC-USD", held),
    ]:
        await save_ledger(store, Series(exchange, market, symbol), coverage)
    assert await store.stored_symbols("binance", "spot") == {"BTCUSDT", "ETHUSDT"}
    assert await store.stored_symbols("binance", "perpetual") == {"SOLUSDT"}
    assert await store.stored_symbols("extended", "perpetual") == {"BTC-USD"}
    assert await store.stored_symbols("bitget", "perpetual") == set()


async def test_a_symbol_is_stored_from_its_first_held_minute_to_its_last(store: CoverageStore) -> None:
    await save_ledger(store, BTC, Coverage(START))
    assert await store.stored_symbols("binance", "spot") == set()
    await save_ledger(store, BTC, KNOWN)
    assert await store.stored_symbols("binance", "spot") == {"BTCUSDT"}
    await save_ledger(store, BTC, Coverage(START))
    assert await store.stored_symbols("binance", "spot") == set()


async def test_the_ledger_is_a_document_that_people_can_read(database: Any) -> None:
    await save_ledger(MongoCoverage(database), BTC, KNOWN)
    document = await database["coverage"].find_one()
    assert isinstance(document.pop("stamp"), bson.ObjectId)
    assert document == {
        "_id": "binance.spot.BTCUSDT",
        "exchange": "binance",
        "market": "spot",
        "symbol": "BTCUSDT",
        "since": START,
        "until": minute(50),
        "held": {"674": [28800, 28805, 28807, 28809]},
        "held_to": minute(9),
        "void": [
            {
                "start": 0,
                "end": START,
                "reason": "before_listing",
                "confirmed": minute(50),
                "ask_again": None,
            },
            {
                "start": minute(5),
                "end": minute(7),
                "reason": "no_data",
                "confirmed": minute(51),
                "ask_again": minute(51) + WEEK,
            },
        ],
    }


async def test_a_ledger_that_says_nothing_vanishes_with_its_lease(database: Any) -> None:
    store = MongoCoverage(database)
    lease = await store.acquire(BTC, "me", LONG)
    assert lease is not None
    await store.release(lease)
    assert await database["coverage"].count_documents({}) == 0


@pytest.mark.parametrize("driver", DRIVERS)
async def test_whatever_is_asked_of_a_server_that_is_away_is_unavailable(driver: str) -> None:
    database = connected(driver, NOBODY, "away", 0.2)
    store = MongoCoverage(database)
    found = await asyncio.gather(
        store.load(BTC),
        store.stored_symbols("binance", "spot"),
        store.acquire(BTC, "me", LONG),
        store.leased([BTC], "me"),
        return_exceptions=True,
    )
    assert [type(error) for error in found] == [DatabaseUnavailable] * 4
    await disconnect(database)


async def test_the_newest_are_those_asked_for_up_to_the_latest_moments(
    store: CoverageStore,
) -> None:
    third = Series("bitget", "spot", "BTCUSDT")
    await save_ledger(store, BTC, KNOWN)
    await save_ledger(store, ETH, KNOWN.asked(minutes(50, 60)))
    await save_ledger(store, third, KNOWN)
    assert [series for series, _ in await store.newest(2)] == [ETH, BTC]
    assert dict(await store.newest(9)) == {BTC: KNOWN, ETH: KNOWN.asked(minutes(50, 60)), third: KNOWN}
    assert list(await store.newest(0)) == []
    assert await store.count() == 3


async def test_a_series_that_nobody_asked_for_does_not_count(store: CoverageStore) -> None:
    assert await store.acquire(BTC, "somebody", LONG)
    assert (await store.count(), list(await store.newest(9))) == (0, [])


async def test_several_ledgers_are_loaded_together(store: CoverageStore) -> None:
    known = Coverage(since=START, held=Minutes.of((minutes(0, 3),)), until=minute(3))
    other = Series("bitget", "spot", "ETHUSDT")
    await save_ledger(store, BTC, known)
    assert await store.load_all([BTC, other]) == {BTC: known, other: Coverage()}


GROWING = Coverage(since=START, until=minute(9), held=Minutes.of((minutes(0, 5), minutes(7, 9))))


async def test_a_ledger_grows_by_the_minutes_that_follow(store: CoverageStore) -> None:
    await save_ledger(store, BTC, GROWING)
    await save_ledger(store, ETH, replace(GROWING, held=Minutes.of((minutes(0, 9),))))
    added = {BTC: minutes(9, 10), ETH: minutes(9, 12)}
    assert await store.extend(added) == {BTC, ETH}
    known = await store.load_all([BTC, ETH])
    assert known[BTC] == replace(GROWING, until=minute(10), held=Minutes.of((minutes(0, 5), minutes(7, 10))))
    assert known[ETH] == replace(GROWING, until=minute(12), held=Minutes.of((minutes(0, 12),)))


@pytest.mark.parametrize(
    ("known", "added"),
    [
        (GROWING, minutes(10, 11)),
        (GROWING, minutes(5, 6)),
        (replace(GROWING, until=minute(10)), minutes(9, 10)),
        (Coverage(), minutes(0, 1)),
        (Coverage(since=START, until=START), minutes(0, 1)),
    ],
    ids=["a gap", "an older hole", "asked for further", "nothing known", "nothing held"],
)
async def test_a_ledger_grows_by_nothing_else(store: CoverageStore, known: Coverage, added: Window) -> None:
    await save_ledger(store, BTC, known)
    await save_ledger(store, ETH, GROWING)
    assert await store.extend({BTC: added, ETH: minutes(9, 10)}) == {ETH}
    assert await store.load(BTC) == known


async def test_minutes_that_are_held_already_change_nothing(store: CoverageStore) -> None:
    await save_ledger(store, BTC, GROWING)
    assert await store.extend({BTC: minutes(8, 9), ETH: minutes(8, 9)}) == {BTC}
    assert await store.load(BTC) == GROWING


async def test_a_leased_ledger_does_not_grow(store: CoverageStore) -> None:
    await save_ledger(store, BTC, GROWING)
    assert await store.acquire(BTC, "me", LONG) is not None
    assert await store.extend({BTC: minutes(9, 10)}) == set()
    assert await store.load(BTC) == GROWING


async def test_who_slept_on_a_lease_cannot_write_after_the_ledger_has_grown(store: CoverageStore) -> None:
    await save_ledger(store, BTC, GROWING)
    old = await store.acquire(BTC, "me", SHORT)
    assert old is not None
    await run_out(store)
    assert await store.extend({BTC: minutes(9, 10)}) == {BTC}
    assert not await store.save(old, GROWING)
    assert (await store.load(BTC)).until == minute(10)


async def test_a_ledger_of_another_version_hides_no_other(database: Any) -> None:
    store = MongoCoverage(database)
    await save_ledger(store, BTC, KNOWN)
    strange = {"_id": ETH.name, "since": START, "until": START, "held": "all of it"}
    await database["coverage"].insert_one(strange)
    assert await store.load_all([BTC, ETH]) == {BTC: KNOWN, ETH: Coverage()}
    assert await store.newest(10) == [(BTC, KNOWN)]


# Blocks


def test_of_a_block_is_written_what_is_shortest() -> None:
    everything = Minutes({7: FULL, 8: bits_of(3, 5) | bits_of(9, 100), 9: int("01" * (BLOCK // 2), 2)})
    written = document_of(Coverage(held=everything))["held"]
    assert written["7"] is True
    assert written["8"] == [3, 5, 9, 100]
    assert len(written["9"]) == BLOCK // 8


@given(st.lists(st.tuples(st.integers(0, 3 * BLOCK), st.integers(1, 500)), max_size=300))
def test_what_is_read_is_what_was_written(runs: list[tuple[int, int]]) -> None:
    known = Coverage(START, until=minute(9)).with_held(minutes(first, first + size) for first, size in runs)
    assert coverage_of(bson.decode(bson.encode(document_of(known)))) == known


async def test_a_save_sends_the_blocks_that_changed(database: Any) -> None:
    store = MongoCoverage(database)
    far = Window(minute(0) + 90 * DAY, minute(5) + 90 * DAY)
    await save_ledger(store, BTC, Coverage(START).with_held([minutes(0, 5), far]))
    lease = await store.acquire(BTC, "me", LONG)
    assert lease is not None
    await database["coverage"].update_one({}, {"$set": {"held.674": [1, 2]}})
    assert await store.save(lease, lease.coverage.with_held([Window(far.end, far.end + MINUTE)]))
    found = await database["coverage"].find_one()
    assert found["held"]["674"] == [1, 2], "a block that did not change was sent"
    assert found["held_to"] == far.end + MINUTE


async def test_blocks_without_a_held_minute_go(database: Any) -> None:
    store = MongoCoverage(database)
    await save_ledger(store, BTC, KNOWN)
    lease = await store.acquire(BTC, "me", LONG)
    assert lease is not None
    assert await store.save(lease, lease.coverage.without(minutes(0, 9)))
    found = await database["coverage"].find_one()
    assert (found["held"], found["held_to"]) == ({}, None)


async def test_what_was_pushed_is_in_the_blocks_once_somebody_leases_the_ledger(database: Any) -> None:
    store = MongoCoverage(database)
    await save_ledger(store, BTC, GROWING)
    for number in (9, 10):
        assert await store.extend({BTC: minutes(number, number + 1)}) == {BTC}
    assert (await database["coverage"].find_one())["tail"] == [minute(9), minute(11)]
    lease = await store.acquire(BTC, "me", LONG)
    assert lease is not None
    assert lease.coverage == replace(
        GROWING, until=minute(11), held=Minutes.of([minutes(0, 5), minutes(7, 11)])
    )
    assert "tail" not in await database["coverage"].find_one()
    assert await store.load(BTC) == lease.coverage


async def test_a_ledger_of_old_is_read_and_written_anew_by_its_next_holder(database: Any) -> None:
    old = {
        "_id": BTC.name,
        "exchange": BTC.exchange,
        "market": BTC.market,
        "symbol": BTC.symbol,
        "since": START,
        "until": minute(9),
        "held": [[minute(0), minute(5)], [minute(7), minute(9)]],
        "void": [],
    }
    await database["coverage"].insert_one(dict(old))
    store = MongoCoverage(database)
    assert await store.load(BTC) == GROWING
    assert await store.stored_symbols("binance", "spot") == {"BTCUSDT"}
    assert await store.extend({BTC: minutes(9, 10)}) == set(), "a visit brings it up to date first"
    lease = await store.acquire(BTC, "me", LONG)
    assert lease is not None
    assert lease.coverage == GROWING
    await store.release(lease)
    assert (await database["coverage"].find_one())["held"] == {"674": [28800, 28805, 28807, 28809]}
    assert await store.load(BTC) == GROWING
    assert await store.extend({BTC: minutes(9, 10)}) == {BTC}


async def test_a_ledger_of_every_other_minute_of_fifteen_years_is_far_from_the_limit(database: Any) -> None:
    blocks = dict.fromkeys(range(500, 500 + 183), int("01" * (BLOCK // 2), 2))
    known = Coverage(START, Minutes(blocks), until=minute(9))
    store = MongoCoverage(database)
    await save_ledger(store, BTC, known)
    assert await store.load(BTC) == known
    [size] = await (
        await settled(database["coverage"].aggregate([{"$project": {"size": {"$bsonSize": "$$ROOT"}}}]))
    ).to_list(None)
    assert size["size"] < 1_200_000
    assert known.held.count() > 3_900_000


async def test_a_ledger_that_is_too_large_for_a_document_is_told_as_such(database: Any) -> None:
    voids = tuple(
        Void(minutes(2 * number, 2 * number + 1), "no_data", number, number * WEEK)
        for number in range(200_000)
    )
    with pytest.raises(DatabaseUnavailable, match="cannot store this document"):
        await save_ledger(MongoCoverage(database), BTC, Coverage(START, voids=voids))


async def test_every_write_gives_a_ledger_a_new_mark(store: CoverageStore) -> None:
    """Also one that says the same; nothing else does."""
    seen = set()

    async def is_new() -> bool:
        found = (await store.marks())[BTC]
        assert (await store.marks_of([BTC, ETH])) == {BTC: found}
        is_new = found.version not in seen
        seen.add(found.version)
        return is_new

    whole = Coverage(START, Minutes.of([minutes(0, 5)]), (), minute(5))
    await save_ledger(store, BTC, whole)
    assert await is_new()
    lease = await store.acquire(BTC, "me", LONG)
    assert lease is not None
    assert await is_new()
    assert await store.renew(lease, LONG)
    await store.load(BTC)
    assert not await is_new()
    assert await store.save(lease, whole)
    assert await is_new()
    await store.release(lease)
    await is_new()
    assert await store.extend({BTC: minutes(5, 7)}) == {BTC}
    assert await is_new()
    assert await store.extend({BTC: minutes(5, 7)}) == {BTC}
    assert not await is_new()


async def test_a_ledger_that_was_made_anew_has_none_of_the_marks_before(database: Any) -> None:
    store = MongoCoverage(database)
    await save_ledger(store, BTC, KNOWN)
    before = (await store.marks())[BTC]
    await database["coverage"].delete_many({})
    assert await store.marks() == {}
    await save_ledger(store, BTC, KNOWN)
    assert (await store.marks())[BTC] != before


async def test_the_marks_of_a_market_are_those_of_its_series_by_name(store: CoverageStore) -> None:
    for series in (ETH, Series("bitget", "spot", "BTCUSDT"), BTC, Series("binance", "perpetual", "BTCUSDT")):
        await save_ledger(store, series, KNOWN if series == BTC else Coverage(since=START, until=START))
    assert {one: mark.holds for one, mark in (await store.marks(("binance", "spot"))).items()} == {
        BTC: True,
        ETH: False,
    }
    assert list(await store.marks(("binance", "spot"))) == [BTC, ETH]
    assert len(await store.marks()) == 4


async def test_the_index_alone_tells_all_marks(database: Any) -> None:
    store = MongoCoverage(database)
    await save_ledger(store, BTC, KNOWN)
    await store.marks()
    fields = dict.fromkeys(("exchange", "market", "symbol", "stamp", "since", "until", "held_to"), 1)
    found = {"exchange": "binance", "market": "spot"}
    plan = await database["coverage"].find(found, fields | {"_id": 0}).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 0


async def test_a_ledger_without_a_stamp_may_hold_candles_and_has_a_mark_of_its_times(database: Any) -> None:
    """As older versions left it, or write it still beside this one."""
    store = MongoCoverage(database)
    await save_ledger(store, BTC, KNOWN)
    await database["coverage"].update_one({}, {"$unset": {"stamp": 1, "held_to": 1}})
    before = (await store.marks())[BTC]
    assert before.holds
    await database["coverage"].update_one({}, {"$set": {"until": minute(51)}})
    assert (await store.marks())[BTC] != before
