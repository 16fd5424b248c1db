"""Whole histories are extracted and proven; what cannot be had is named, and no single lie hides a row."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from backend.clock import SystemClock
from backend.core.windows import DAY, HOUR, MINUTE, Window
from backend.errors import ExchangeUnavailable
from backend.services.history.extractor import AT_ONCE
from backend.store.mongo import Database
from backend.trading.extraction import Stage
from backend.trading.history import Kind, Row, StreamLedger, StreamName
from backend.trading.proof import Check
from backend.trading.rows import Order, Page, Status
from tests.extracting import ACCOUNT, WHOLE, desk, until
from tests.figures import counted
from tests.traded import USDT, TradedAccount, name_of, traded

pytestmark = pytest.mark.timeout(600)
NOW = SystemClock().now() // HOUR * HOUR
START = NOW - 80 * DAY
BOOK = traded(11, 400, START, NOW - HOUR)
STYLES = [
    {},
    dict.fromkeys(Kind, "halves"),
    {Kind.FILLS: "numbered"},
]
NEEDS = [{}, {Kind.FILLS: "symbol"}, {Kind.FILLS: "order"}]


def names(rows: Sequence[Row]) -> list[str]:
    return sorted(map(name_of, rows))


def account(**more: Any) -> TradedAccount:
    return TradedAccount(BOOK, SystemClock().now, **({"page_size": 20} | more))


async def equal_to_the_book(made: Any) -> None:
    for kind in Kind:
        assert names(await made.rows(kind)) == names(BOOK.rows(kind))
    assert await made.rows(Kind.ORDERS) == sorted(
        BOOK.orders, key=lambda row: (row.created, f"a1/{row.product}/{row.order_id}")
    )


@pytest.mark.parametrize("needs", NEEDS)
@pytest.mark.parametrize("styles", STYLES)
async def test_a_whole_history_is_extracted_and_adds_up(database: Database, styles: Any, needs: Any) -> None:
    told = account(styles=styles, needs=needs)
    async with desk(database, told, SystemClock(), first=START) as made:
        found = await made.extract()
        assert (found.status, found.failure) == ("done", None)
        await equal_to_the_book(made)
        known = await made.completeness()
        assert known.is_complete
        assert known.proof is not None
        assert known.proof.differences == []
        assert known.proof.checked[Check.FILLS_OF_ORDER] > 300
        assert known.proof.checked[Check.BALANCE_CHAIN] > 300
        assert found.rows == sum(len(BOOK.rows(kind)) for kind in Kind)
        assert set(found.found_symbols) == {row.symbol for row in BOOK.orders}


async def test_a_top_up_costs_a_few_questions_whatever_the_history(database: Database) -> None:
    told = account()
    async with desk(database, told, SystemClock(), first=START) as made:
        await made.extract()
        told.told = 0
        found = await made.extract()
        assert found.status == "done"
        assert found.rows == 0
        assert told.told <= 12


@pytest.mark.parametrize("seed", range(6))
async def test_no_single_lie_hides_a_row(database: Database, seed: int) -> None:
    """In each window one question may be answered with nothing, or with the first rows alone."""
    chance = random.Random(seed)
    lied: set[object] = set()

    def lie(kind: Kind, _number: int, page: Page[Row]) -> Page[Row]:
        window = (kind, told.asked[-1][1].start)
        if window in lied or chance.random() > 1 / 3:
            return page
        lied.add(window)
        rows = page.rows[: chance.randrange(5)]
        return Page(rows, cursor=name_of(rows[-1]) if rows else None)

    told = account(lie=lie)
    async with desk(database, told, SystemClock(), first=START) as made:
        assert (await made.extract()).status == "done"
        assert len(lied) > 5
        await equal_to_the_book(made)
        figures = counted(made.metrics)
        assert figures.value("extractions_ended_total", status="done") == 1
        assert figures.value("extractions_running") == 0
        assert figures.value("history_rows_total") == sum(len(BOOK.rows(kind)) for kind in Kind)


async def test_what_retention_hides_is_named_lost_and_never_claimed(database: Database) -> None:
    told = account(retention=30 * DAY, not_offered=frozenset((Kind.BILLS,)))
    async with desk(database, told, SystemClock(), first=START) as made:
        assert (await made.extract()).status == "done"
        streams = {name.kind: stands for name, stands in (await made.completeness()).streams}
        for kind in (Kind.ORDERS, Kind.FILLS):
            (lost,) = streams[kind].lost
            assert lost.reason == "beyond_retention"
            assert lost.window.start == START
            assert abs(lost.window.end - (NOW - 30 * DAY)) < 2 * HOUR
            assert sum(window.end - window.start for window in streams[kind].missing) <= 5 * MINUTE
        assert [one.reason for one in streams[Kind.BILLS].lost] == ["not_offered"]
        stored = names(await made.rows(Kind.ORDERS))
        assert (
            stored
            == names([row for row in BOOK.orders if row.created >= NOW - 30 * DAY + 2 * HOUR])[-len(stored) :]
        )


async def test_what_fails_stays_missing_alone_and_is_read_at_the_next_try(database: Database) -> None:
    told = account(span=5 * DAY)
    healthy = told.bills
    broken = True

    async def bills(wanted: Any) -> Any:
        if broken and wanted.start < START + 20 * DAY:
            raise ExchangeUnavailable("away")
        return await healthy(wanted)

    told.bills = bills  # type: ignore[method-assign]
    async with desk(database, told, SystemClock(), first=START) as made:
        found = await made.extract()
        assert found.status == "failed"
        assert found.failure is not None
        assert found.failure.code == "exchange_unavailable"
        streams = {name.kind: stands for name, stands in (await made.completeness()).streams}
        assert streams[Kind.ORDERS].is_complete
        assert streams[Kind.BILLS].missing
        assert streams[Kind.BILLS].held
        broken = False
        assert (await made.extract()).status == "done"
        await equal_to_the_book(made)


async def test_an_order_that_is_open_keeps_its_place_until_it_has_ended(database: Database) -> None:
    moment = [NOW]
    late = next(row for row in BOOK.orders if row.created > NOW - 20 * DAY)
    told = account(open_until={late.order_id: NOW + 3 * DAY})
    told.clock = lambda: moment[0]
    async with desk(database, told, SystemClock(), first=START) as made:
        await made.extract()
        stored = {name_of(row): row for row in await made.rows(Kind.ORDERS)}
        is_open = stored[late.order_id]
        assert isinstance(is_open, Order)
        assert is_open.status is Status.OPEN
        streams = {name.kind: stands for name, stands in (await made.completeness()).streams}
        assert list(streams[Kind.ORDERS].pending) == [late.order_id]
        assert not (await made.completeness()).is_complete
        moment[0] = NOW + 3 * DAY + MINUTE
        told.asked.clear()
        await made.extract()
        assert {name_of(row): row for row in await made.rows(Kind.ORDERS)}[late.order_id] == late
        streams = {name.kind: stands for name, stands in (await made.completeness()).streams}
        assert streams[Kind.ORDERS].pending == {}
        own = [wanted for kind, wanted in told.asked if kind is Kind.ORDERS and wanted.start == late.created]
        assert own
        assert all(wanted.end == late.created + 1 for wanted in own)


async def test_rows_that_come_late_are_read_by_the_next_visit(database: Database) -> None:
    moment = [NOW]
    fill = BOOK.fills[-1]
    told = account(late={name_of(fill): fill.time + 20 * MINUTE})
    moment[0] = fill.time + 10 * MINUTE
    told.clock = lambda: moment[0]
    async with desk(database, told, SystemClock(), first=START) as made:
        await made.extract()
        assert name_of(fill) not in names(await made.rows(Kind.FILLS))
        moment[0] = fill.time + 40 * MINUTE
        await made.extract()
        assert name_of(fill) in names(await made.rows(Kind.FILLS))


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_row_that_the_venue_withholds_is_named_by_the_proof(database: Database, kind: Kind) -> None:
    filled = [order for order in BOOK.orders if order.filled]
    candidates: dict[Kind, Sequence[Row]] = {
        Kind.ORDERS: [row for row in filled if row.created > START + 1],
        Kind.FILLS: BOOK.fills,
        Kind.BILLS: [bill for bill in BOOK.bills if bill.fee],
    }
    withheld = candidates[kind][len(candidates[kind]) // 2]

    def lie(_kind: Kind, _number: int, page: Page[Row]) -> Page[Row]:
        return replace(page, rows=tuple(row for row in page.rows if row != withheld))

    first = START - 100 * DAY
    told = account(lie=lie, retention=None)
    async with desk(database, told, SystemClock(), first=first) as made:
        await made.extract()
        proof = (await made.completeness()).proof
        assert proof is not None
        assert not proof.holds
        checks = {one.check: one for one in proof.differences}
        if kind is Kind.ORDERS:
            assert checks[Check.ORDER_OF_FILLS].id == name_of(withheld)
        elif kind is Kind.FILLS:
            assert checks[Check.FILLS_OF_ORDER].id == withheld.order_id  # type: ignore[union-attr]
        else:
            assert Check.BALANCE_CHAIN in checks
            assert Check.FEES in checks


def held_up(told: TradedAccount) -> tuple[asyncio.Event, asyncio.Event]:
    """After some answers about orders the account waits for the first event; the second says that it does."""
    gate, busy = asyncio.Event(), asyncio.Event()
    healthy = told.orders
    asked = 0

    async def orders(wanted: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked > 2 * AT_ONCE:
            busy.set()
            await gate.wait()
        return await healthy(wanted)

    told.orders = orders  # type: ignore[method-assign]
    return gate, busy


@pytest.mark.parametrize("removed", [False, True])
async def test_an_extraction_ends_when_its_account_is_frozen_or_removed(
    database: Database, removed: bool
) -> None:
    told = account(span=2 * DAY)
    _, busy = held_up(told)
    async with desk(database, told, SystemClock(), first=START, seconds=1.0) as made:
        begun = await made.extractions.submit(WHOLE)
        await busy.wait()
        made.accounts.is_removed = removed
        made.accounts.account = replace(made.accounts.account, frozen=True)
        found = await made.extractions.wait(begun.id, 500)
        reason = "unknown_account" if removed else "account_frozen"
        assert (found.status, found.failure and found.failure.code) == ("failed", reason)
        made.accounts.is_removed = False
        assert 0 < len(await made.rows(Kind.ORDERS)) < len(BOOK.orders)


async def test_an_extraction_can_be_cancelled_and_the_next_goes_on(database: Database) -> None:
    told = account(span=2 * DAY)
    gate, busy = held_up(told)
    async with desk(database, told, SystemClock(), first=START) as made:
        begun = await made.extractions.submit(WHOLE)
        await busy.wait()
        await made.extractions.cancel(begun.id)
        found = await made.extractions.wait(begun.id, 500)
        assert (found.status, found.failure and found.failure.code) == ("cancelled", "cancelled")
        gate.set()
        assert (await made.extract()).status == "done"
        await equal_to_the_book(made)


async def test_another_process_goes_on_where_one_was_killed(database: Database) -> None:
    """The first never answers again, and never gives its lease back."""
    told = account(span=2 * DAY)
    stuck = account(span=2 * DAY)
    never = asyncio.Event()
    healthy = stuck.bills

    async def bills(wanted: Any) -> Any:
        if wanted.start > START + 40 * DAY:
            await never.wait()
        return await healthy(wanted)

    stuck.bills = bills  # type: ignore[method-assign]
    async with desk(database, stuck, SystemClock(), first=START, seconds=0.5) as dead:
        begun = await dead.extractions.submit(WHOLE)

        async def began() -> object:
            return (await dead.completeness()).streams[0][1].held

        await until(began)
        for task in asyncio.all_tasks():
            if task.get_name() in ("extractions of order histories",) or "_keep" in repr(task):
                task.cancel()
        async with desk(database, told, SystemClock(), first=START) as made:
            found = await made.extractions.wait(begun.id, 500)
            assert found.status == "done"
            await equal_to_the_book(made)
        never.set()


async def test_a_lease_that_was_lost_writes_nothing(database: Database) -> None:
    async with desk(database, account(), SystemClock(), first=START) as made:
        old = await made.history.acquire("a1", "one", 0.01)
        assert old is not None
        await asyncio.sleep(0.1)
        new = await made.history.acquire("a1", "two", 60)
        assert new is not None
        name = StreamName(Kind.ORDERS, USDT)
        held = StreamLedger((Window(0, 5),))
        assert not await made.history.record(old, name, held)
        assert not await made.history.renew(old, 60)
        assert not await made.history.finish(old, 5, None)
        assert await made.history.record(new, name, held)
        await made.history.release(old)
        assert await made.history.acquire("a1", "three", 60) is None


async def test_stages_can_be_run_alone(database: Database) -> None:
    told = account(needs={Kind.FILLS: "symbol"})
    async with desk(database, told, SystemClock(), first=START) as made:
        first = await made.extract(replace(WHOLE, stages=(Stage.COORDINATOR,)))
        assert set(first.found_symbols) == {row.symbol for row in BOOK.orders}
        assert await made.rows(Kind.FILLS) == []
        await made.extract(replace(WHOLE, stages=(Stage.SYMBOLS,), symbols=("COIN1USDT",)))
        assert {row.symbol for row in await made.rows(Kind.FILLS)} == {"COIN1USDT"}
        assert (await made.completeness()).proof is None
        await made.extract(replace(WHOLE, stages=(Stage.COLLECTOR,)))
        assert (await made.completeness()).proof is not None


async def test_who_asks_the_same_joins_and_another_waits_its_turn(database: Database) -> None:
    told = account()
    async with desk(database, told, SystemClock(), first=START) as made:
        one, two = await asyncio.gather(
            made.extractions.submit(WHOLE), made.extractions.submit(replace(WHOLE, since=NOW - DAY))
        )
        again = await made.extractions.submit(WHOLE)
        assert again.id == one.id != two.id
        ended = [await made.extractions.wait(each, 500) for each in (one.id, two.id)]
        assert [each.status for each in ended] == ["done", "done"]


async def test_an_account_is_read_on_by_itself(database: Database) -> None:
    async with desk(database, account(), SystemClock(), first=START, is_visited=True) as made:
        await until(lambda: made.extractions.newest(5, ACCOUNT.id))
        (found,) = await made.extractions.newest(5, ACCOUNT.id)
        assert (await made.extractions.wait(found.id, 500)).status == "done"
        await equal_to_the_book(made)
