"""What a test can make wrong with the simulated accounts, and the edges that the venues document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from backend.errors import ExchangeRefused, OutcomeUnknown
from backend.trading.rows import Product, Wanted
from tests.book_rows import FLAVOURS, Venue, symbol_of
from tests.integration.private_asking import Client, client
from tests.simulator import Forced, SimulatorClock
from tests.simulator.asking import ask, post
from tests.simulator.private.book import Facts
from tests.simulator.private.faults import Coded, Emptied, Finishing
from tests.simulator.private.generator import NOW, generated
from tests.simulator.private.rows import FINISHED
from tests.simulator.private.rows import Product as Traded
from tests.simulator.private.running import PrivateSimulator, private_simulator
from tests.simulator.times import DAY, HOUR

VENUES = pytest.mark.parametrize("venue", FLAVOURS)
USDT = Product.PERPETUAL_USDT
DAYS = 6
WEEK = Wanted(product=USDT, start=NOW - DAYS * DAY, end=NOW)


@asynccontextmanager
async def asking(venue: Venue, **facts: Any) -> AsyncIterator[tuple[PrivateSimulator, Client]]:
    """A simulator whose clock stands, with a book of six days in USDT, and a client of its account."""
    book = generated(
        seed=31,
        orders=120,
        days=DAYS,
        products=(Traded.USDT,),
        facts=Facts(unified=venue == "unified", **facts),
    )
    clock = SimulatorClock(NOW, frozen=True)
    async with private_simulator(book, clock=clock) as simulator, client(simulator, venue) as asked:
        yield simulator, asked


async def order_ids(asked: Client) -> list[int]:
    rows = await asked.pages(asked.flavour.orders[USDT], WEEK)
    return sorted(int(row.order_id) for row in rows)


def finished(simulator: PrivateSimulator) -> list[int]:
    return [row.number for row in simulator.book.orders.of(Traded.USDT) if row.status in FINISHED]


@VENUES
async def test_a_withheld_row_is_in_no_list(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        everything = finished(simulator)
        assert await order_ids(asked) == everything
        order = simulator.book.orders.of(Traded.USDT)[40]
        fill = simulator.book.fills.of(Traded.USDT)[10]
        simulator.faults.private.withheld |= {order.number, fill.number}
        assert await order_ids(asked) == [number for number in everything if number != order.number]
        found = await asked.ask(asked.flavour.order(USDT, symbol_of(order.pair, venue), order.client_id))
        assert found is not None
        wanted = Wanted(product=USDT, start=WEEK.start, end=NOW, symbol=symbol_of(fill.pair, venue))
        told = {row.fill_id for row in await asked.pages(asked.flavour.fills[USDT], wanted)}
        of_pair = {row.number for row in simulator.book.fills.of(Traded.USDT) if row.pair == fill.pair}
        assert told == {str(number) for number in of_pair - {fill.number}}


@VENUES
async def test_a_withheld_bill_is_not_told(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        bill = next(row for row in simulator.book.bills.of(Traded.USDT) if row.kind == "funding")
        stream = asked.flavour.bills[USDT]
        before = {row.bill_id for row in await asked.pages(stream, WEEK)}
        simulator.faults.private.withheld.add(bill.number)
        after = {row.bill_id for row in await asked.pages(stream, WEEK)}
        assert before - after == {str(bill.number)}


@VENUES
async def test_late_rows_appear_some_time_after_they_happened(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        everything = finished(simulator)
        late = simulator.book.orders.find(everything[30])
        assert late is not None
        wait = NOW - late.time + 1000
        simulator.faults.private.late[late.number] = wait
        assert late.number not in await order_ids(asked)
        simulator.clock.advance(1000)
        assert await order_ids(asked) == everything
        simulator.faults.private.lateness = HOUR
        recent = [row.number for row in simulator.book.orders.of(Traded.USDT) if row.time > NOW + 1000 - HOUR]
        assert set(await order_ids(asked)) == set(everything) - set(recent)


@VENUES
async def test_pages_may_be_smaller_than_documented(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        await order_ids(asked)
        once = simulator.requests.counts()["total"]
        simulator.faults.page_cap = 7
        if venue == "bingx":  # what no cursor leads on from is cut where nobody can see it
            assert len(await order_ids(asked)) == 7
            return
        assert await order_ids(asked) == finished(simulator)
        assert simulator.requests.counts()["total"] - once >= len(finished(simulator)) // 7


@VENUES
async def test_windows_may_be_shorter_than_documented(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        simulator.faults.private.span_cap = DAY
        with pytest.raises(ExchangeRefused, match=r"40705|00001|109400"):
            await order_ids(asked)
        stream = asked.flavour.orders[USDT]
        told: set[int] = set()
        for start in range(WEEK.start, NOW, DAY - 1):
            wanted = Wanted(product=USDT, start=start, end=min(start + DAY - 1, NOW))
            told |= {int(row.order_id) for row in await asked.pages(stream, wanted)}
        assert sorted(told) == finished(simulator)


@VENUES
async def test_an_order_may_finish_while_pages_are_read(venue: Venue) -> None:
    """Who reads the history first and open orders then misses it."""
    async with asking(venue) as (simulator, asked):
        number = next(iter(simulator.book.open))
        path = "allOrders" if venue == "bingx" else "istory"
        simulator.faults.private.finishing.append(Finishing(number, questions=1, path=path))
        first = await asked.ask(asked.flavour.orders[USDT].ask(WEEK))
        assert str(number) not in {row.order_id for row in first.rows}
        page = await asked.ask(asked.flavour.open_orders(USDT, ""))
        assert str(number) in {row.order_id for row in page.rows}
        second = await asked.ask(asked.flavour.orders[USDT].ask(WEEK))
        assert str(number) in {row.order_id for row in second.rows}
        page = await asked.ask(asked.flavour.open_orders(USDT, ""))
        assert str(number) not in {row.order_id for row in page.rows}


@VENUES
async def test_a_list_may_be_empty_once(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        simulator.faults.private.empties.append(Emptied())
        assert await order_ids(asked) == []
        assert await order_ids(asked) == finished(simulator)


@VENUES
async def test_answers_may_fail_as_any_can(venue: Venue) -> None:
    async with asking(venue) as (simulator, asked):
        simulator.faults.forced = Forced(503)
        with pytest.raises(OutcomeUnknown):
            await asked.ask(asked.flavour.uid)
        simulator.faults.reset_rate = 1.0
        with pytest.raises(aiohttp.ClientError):
            await asked.ask(asked.flavour.uid)
        simulator.faults.reset_rate = 0.0
        assert await asked.ask(asked.flavour.uid)


async def test_faults_of_accounts_are_set_from_another_process_too() -> None:
    async with asking("classic") as (simulator, asked):
        order = str(simulator.book.orders.of(Traded.USDT)[3].number)
        faults = {
            "withheld": [order],
            "late": {order: 5},
            "lateness": 7,
            "span_cap": DAY,
            "codes": [{"code": "40015", "path": "info", "count": 1, "message": "busy"}],
            "empties": [{"path": "fills", "count": 2}],
            "finishing": [{"order": order, "questions": 3, "path": "history"}],
        }
        reply = await post(simulator.simulator, "/_sim/faults", {"private": faults})
        assert reply.json["private"] == faults
        assert simulator.faults.private.codes == [Coded("40015", "info", 1, "busy")]
        with pytest.raises(OutcomeUnknown):
            await asked.ask(asked.flavour.uid)
        wrong = await post(simulator.simulator, "/_sim/faults", {"private": {"unheard": 1}})
        assert (wrong.status, "unheard" in wrong.text) == (400, True)
        counted = await ask(simulator.simulator, "/_sim/requests")
        assert counted.json["paths"] == {"/api/v2/spot/account/info": 1}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "40019"),
        ({"productType": "SUSDT-FUTURES"}, "40020"),
        ({"productType": "usdt-futures", "limit": 101}, "40053"),
        ({"productType": "USDT-FUTURES", "limit": "some"}, "40020"),
        ({"productType": "USDT-FUTURES", "startTime": NOW, "endTime": NOW - 1}, "40707"),
        ({"productType": "USDT-FUTURES", "startTime": NOW - 90 * DAY - 1, "endTime": NOW}, "40705"),
        ({"productType": "USDT-FUTURES", "startTime": NOW - 90 * DAY - 1, "endTime": NOW - DAY}, "40704"),
        ({"productType": "usdt-futures", "startTime": NOW - 90 * DAY, "endTime": NOW}, "00000"),
    ],
)
async def test_bitget_checks_the_window_of_orders(params: dict[str, Any], code: str) -> None:
    async with asking("classic") as (_, asked):
        said = await asked.raw("/api/v2/mix/order/orders-history", **params)
    assert said["code"] == code


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/openApi/swap/v2/trade/allOrders", {"startTime": NOW - 7 * DAY - 1, "endTime": NOW}),
        ("/openApi/swap/v2/trade/allOrders", {"limit": 1001}),
        ("/openApi/swap/v2/trade/forceOrders", {"limit": 101}),
        ("/openApi/swap/v2/trade/fillHistory", {"startTs": 1, "endTs": 2}),
        ("/openApi/swap/v2/trade/allFillOrders", {"startTs": 1, "endTs": 2}),
        ("/openApi/swap/v2/trade/order", {"symbol": "BTC-USDT"}),
    ],
)
async def test_bingx_checks_the_parameters_of_histories(path: str, params: dict[str, Any]) -> None:
    async with asking("bingx") as (_, asked):
        said = await asked.raw(path, **params)
    assert said["code"] == 109400


async def test_records_for_taxes_reach_further_back_than_bills() -> None:
    book = generated(seed=41, orders=60, days=200, products=(Traded.USDT,), symbols=1)
    clock = SimulatorClock(NOW, frozen=True)
    async with private_simulator(book, clock=clock) as simulator, client(simulator, "classic") as asked:
        path, told = "/api/v2/tax/future-record", set()
        for start in range(NOW - 201 * DAY, NOW, 30 * DAY):
            said = await asked.raw(path, startTime=start, endTime=start + 30 * DAY)
            assert 0 < len(said["data"]) < 500
            told |= {int(row["id"]) for row in said["data"]}
        assert told == {row.number for row in book.bills}
        too_much = await asked.raw(path, startTime=NOW - 30 * DAY - 1, endTime=NOW)
        assert too_much["code"] == "70008"
        bills = await asked.raw(
            "/api/v2/mix/account/bill", productType="USDT-FUTURES", startTime=1, endTime=2
        )
        assert bills["code"] == "40704"


async def test_bingx_tells_forced_and_open_orders_and_fills_without_ids() -> None:
    book = generated(seed=51, orders=2500, days=6, products=(Traded.USDT, Traded.USDC), symbols=2)
    clock = SimulatorClock(NOW, frozen=True)
    times = {"startTime": NOW - 7 * DAY + 1, "endTime": NOW}
    stamps = {"startTs": NOW - 7 * DAY + 1, "endTs": NOW}
    usdt = book.orders.of(Traded.USDT)
    async with private_simulator(book, clock=clock) as simulator, client(simulator, "bingx") as asked:
        said = await asked.raw("/openApi/swap/v2/trade/forceOrders", autoCloseType="ADL", limit=100, **times)
        adl = {row.number for row in book.orders if row.cause == "adl"}
        assert {row["orderId"] for row in said["data"]["orders"]} == adl != set()
        said = await asked.raw("/openApi/swap/v1/trade/fullOrder", symbol="BTC-USDT", limit=1000, **times)
        told = {row["orderId"] for row in said["data"]["orders"]}
        assert told == {row.number for row in usdt if row.pair.base == "BTC"}
        said = await asked.raw("/openApi/swap/v2/trade/allFillOrders", tradingUnit="COIN", **stamps)
        assert len(said["data"]["fill_orders"]) == len(book.fills)
        assert "tradeId" not in said["data"]["fill_orders"][0]


async def test_bitgets_settings_and_plans_are_told() -> None:
    async with asking("unified", hedged=False) as (simulator, asked):
        settings = await asked.raw("/api/v3/account/settings")
        assert settings["data"]["holdMode"] == "one_way_mode"
        symbols = {row["symbol"] for row in settings["data"]["symbolConfigList"]}
        assert symbols == {f"{pair.base}USDT" for pair in simulator.book.symbols(Traded.USDT)}
        params = {"category": "USDT-FUTURES", "startTime": WEEK.start, "endTime": NOW}
        said = await asked.raw("/api/v3/trade/history-strategy-orders", **params)
        plans = {(row["orderId"], row["executeOrderId"]) for row in said["data"]["list"]}
        assert plans == {(str(plan.number), str(plan.order)) for plan in simulator.book.plans} != set()


async def test_the_demo_account_of_bitget_has_no_old_fills() -> None:
    async with private_simulator() as simulator, client(simulator, "classic", demo=True) as asked:
        said = await asked.raw("/api/v2/mix/order/fill-history", productType="USDT-FUTURES")
    assert said["code"] == "40404"
