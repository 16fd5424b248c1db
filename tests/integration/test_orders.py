"""Orders at simulated venues over real HTTP: placed at most once, and their fate is known in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, get_args

import pytest

from backend.core.candles import Candle
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.errors import (
    AccountContended,
    EntryUndecided,
    ExchangeError,
    ExchangeRefused,
    InvalidRequest,
    KeyReused,
    LiveTradingOff,
    ModeRefused,
    OrderFinished,
    OrderUndecided,
    RiskRefused,
    UnknownOrder,
)
from backend.services.orders.cancelling import Step
from backend.services.orders.ports import Entry
from backend.store.mongo import Database
from backend.trading.intents import Intent, State
from backend.trading.risk import Limits
from backend.trading.rows import Product, Status
from backend.trading.tickets import Force, Ticket
from tests.book_rows import Venue
from tests.ordering import PRICE, UNDECIDED, VENUES, Floor, Process, floor
from tests.simulator.private.faults import Coded, Manner, Met
from tests.simulator.private.rows import Product as SimulatedProduct

EVERY_VENUE = pytest.mark.parametrize("venue", VENUES)
EVERY_HEDGED_VENUE = pytest.mark.parametrize("venue", [venue for venue in VENUES if venue != "extended"])
"""Those with a position mode and a margin mode, which tell what a day's trades took."""
ACCEPTING: Sequence[Manner] = (
    *("plain", "accept_drop", "accept_error", "accept_forbidden", "accept_garbage", "accept_busy"),
    *("accept_refuse", "late"),
)
MANNERS: tuple[Manner, ...] = get_args(Manner)


@EVERY_VENUE
async def test_an_order_is_placed_filled_and_followed(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        placed = await here.place()
        assert (placed.state, here.accepted(placed)) == (State.ACCEPTED, 1)
        [order] = here.orders()
        assert (str(order.number), order.side, order.held, order.size, order.status) == (
            *(placed.order_id, "buy", here.ticket().held),
            *(Decimal("0.01"), "filled"),
        )
        here.clock.advance(2)
        await here.first.watch.look()
        found = await here.first.executor.get(placed.id)
        assert found.order is not None
        assert (found.order.status, found.order.filled) == (Status.FILLED, Decimal("0.01"))
        assert (found.active, found.finished, found.settled) == (False, True, here.clock.now())


@EVERY_VENUE
@pytest.mark.parametrize("manner", MANNERS)
async def test_however_an_order_is_met_it_is_there_once_at_most_and_its_fate_is_known(
    venue: Venue, manner: Manner, database: Database
) -> None:
    async with floor(venue, database) as here:
        here.simulator.faults.private.placing = [Met(manner, delay=4000)]
        placed = await here.place("the-key")
        assert (placed.state in UNDECIDED) == (manner not in ("plain", "refuse", "accept_refuse"))
        again = await here.place("the-key")
        assert again.id == placed.id
        found = await here.decided(placed)
        expected = 1 if manner in ACCEPTING else 0
        if manner == "accept_refuse":
            here.clock.advance(200)
            await here.first.watch.look()
            found = await here.first.executor.get(placed.id)
        assert here.accepted(placed) == len(here.orders()) == expected
        if expected:
            assert (found.state, found.order_id) == (State.ACCEPTED, str(here.orders()[0].number))
        else:
            assert found.state is (State.REFUSED if manner == "refuse" else State.NEVER_ARRIVED)


@EVERY_VENUE
async def test_an_order_that_nothing_shows_for_seconds_is_not_taken_for_absent(
    venue: Venue, database: Database
) -> None:
    async with floor(venue, database) as here:
        here.simulator.faults.private.placing = [Met("accept_drop", hidden=8000)]
        found = await here.decided(await here.place())
        assert (found.state, here.accepted(found)) == (State.ACCEPTED, 1)


@EVERY_VENUE
async def test_no_single_question_proves_that_an_order_is_not_there(venue: Venue, database: Database) -> None:
    """The question by id says that there is none, time and again; lists show it."""
    code, path = {
        "classic": ("40109", "order/detail"),
        "unified": ("25204", "order-info"),
        "bingx": ("109421", "trade/order"),
        "extended": ("404", "orders/external"),
    }[venue]
    async with floor(venue, database) as here:
        private = here.simulator.faults.private
        private.placing = [Met("accept_drop")]
        placed = await here.place(price=Decimal(20_000))
        private.codes = [Coded(code, path=path, count=1000)]
        found = await here.decided(placed)
        assert (found.state, here.accepted(found)) == (State.ACCEPTED, 1)


@EVERY_VENUE
async def test_while_an_order_is_unknown_nothing_else_opens_there(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        await here.place()
        here.simulator.faults.private.placing = [Met("accept_drop")]
        unknown = await here.place()
        assert unknown.state is State.UNKNOWN
        with pytest.raises(EntryUndecided):
            await here.place()
        closing = await here.place(**here.closing)
        assert closing.state is State.ACCEPTED
        elsewhere = await here.place(symbol=here.symbol(base="ETH"))
        assert elsewhere.state is State.ACCEPTED
        await here.first.watch.look()
        assert here.first.metrics.undecided == 1
        await here.decided(unknown)
        assert (await here.place()).state is State.ACCEPTED


async def _patiently(here: Floor, process: Process, ticket: Ticket, key: str) -> Intent:
    """Place an order, again and again while the service says that another request does it."""
    while True:
        try:
            return await process.executor.place(here.account.id, ticket, caller="test", key=key)
        except AccountContended:
            await asyncio.sleep(0.01)


@EVERY_VENUE
async def test_two_processes_with_one_key_place_one_order(venue: Venue, database: Database) -> None:
    async with floor(venue, database, processes=2) as here:
        ticket = here.ticket()
        placed = await asyncio.gather(
            *(_patiently(here, process, ticket, "k") for process in here.processes * 3)
        )
        assert len({one.id for one in placed}) == 1
        found = await here.decided(placed[0])
        assert (found.state, len(here.orders())) == (State.ACCEPTED, 1)
        with pytest.raises(KeyReused):
            await here.place("k", side="sell")
        changes = here.closing if venue == "extended" else {"product": Product.SPOT, "side": "sell"}
        sale = here.ticket(**changes)
        await asyncio.gather(*(_patiently(here, process, sale, "s") for process in here.processes * 3))
        assert len(here.orders()) == 2
        with pytest.raises(UnknownOrder):
            await here.first.executor.get("i00")


@dataclass(frozen=True)
class Case:
    """A ticket's changes, and how the order stands in the book: product, side, held, opens, kind, status."""

    name: str
    changes: dict[str, Any]
    expected: tuple[str, str, str, bool, str, str]
    hedged: bool = True


LIMIT = {"price": Decimal(20_000)}
HIGH = {"price": Decimal(31_000)}
CASES = (
    Case("open long", {}, ("perpetual-usdt", "buy", "long", True, "market", "filled")),
    Case("close long", {"side": "sell"}, ("perpetual-usdt", "sell", "long", False, "market", "filled")),
    Case(
        "open short",
        {"side": "sell", "held": "short"},
        ("perpetual-usdt", "sell", "short", True, "market", "filled"),
    ),
    Case("close short", {"held": "short"}, ("perpetual-usdt", "buy", "short", False, "market", "filled")),
    Case("limit", LIMIT, ("perpetual-usdt", "buy", "long", True, "limit", "open")),
    Case("limit that takes", HIGH, ("perpetual-usdt", "buy", "long", True, "limit", "filled")),
    Case(
        "post only",
        LIMIT | {"force": Force.POST_ONLY},
        ("perpetual-usdt", "buy", "long", True, "limit", "open"),
    ),
    Case("ioc", LIMIT | {"force": Force.IOC}, ("perpetual-usdt", "buy", "long", True, "limit", "cancelled")),
    Case("fok", HIGH | {"force": Force.FOK}, ("perpetual-usdt", "buy", "long", True, "limit", "filled")),
    Case(
        "with stops",
        {"take_profit": Decimal(40_000), "stop_loss": Decimal(20_000)},
        ("perpetual-usdt", "buy", "long", True, "market", "filled"),
    ),
    Case("one-way buy", {}, ("perpetual-usdt", "buy", "net", True, "market", "filled"), hedged=False),
    Case(
        "one-way sell",
        {"side": "sell"},
        ("perpetual-usdt", "sell", "net", True, "market", "filled"),
        hedged=False,
    ),
    Case(
        "spot sale",
        {"product": Product.SPOT, "side": "sell"},
        ("spot", "sell", "", True, "market", "filled"),
    ),
    Case(
        "spot purchase for quote coins",
        {"product": Product.SPOT, "size": None, "quote_size": Decimal(300)},
        ("spot", "buy", "", True, "market", "filled"),
    ),
    Case("spot limit", {"product": Product.SPOT} | LIMIT, ("spot", "buy", "", True, "limit", "open")),
)


NET_CASES = tuple(
    replace(case, expected=("perpetual-usdc", case.expected[1], "net", *case.expected[3:]), hedged=False)
    for case in CASES
    if not {"held", "product"} & case.changes.keys() and case.name not in ("close long", "fok")
)
"""Those that an account can ask for that has one position a symbol, no spot, and no fill-or-kill."""


@pytest.mark.parametrize(
    ("venue", "case"),
    [(venue, case) for venue in VENUES for case in (NET_CASES if venue == "extended" else CASES)],
    ids=lambda one: one.name if isinstance(one, Case) else one,
)
async def test_a_ticket_means_the_same_at_every_venue(venue: Venue, case: Case, database: Database) -> None:
    async with floor(venue, database, hedged=case.hedged) as here:
        if case.name.startswith("close"):
            held = case.changes.get("held", "long")
            await here.place(held=held, side="buy" if held == "long" else "sell")
        placed = await here.place(**case.changes)
        assert placed.state is State.ACCEPTED, placed.reason
        order = here.orders()[-1]
        assert (order.product, order.side, order.held, order.opens, order.kind, order.status) == case.expected
        assert str(order.number) == placed.order_id
        assert order.size == Decimal("0.01")
        here.clock.advance(3)
        await here.first.watch.look()
        found = await here.first.executor.get(placed.id)
        assert found.order is not None
        assert (found.order.side, found.order.symbol) == (order.side, placed.ticket.symbol)


@EVERY_VENUE
async def test_one_way_reduce_only_closes(venue: Venue, database: Database) -> None:
    async with floor(venue, database, hedged=False) as here:
        await here.place()
        placed = await here.place(side="sell", reduce_only=True)
        assert (placed.state, here.orders()[-1].opens) == (State.ACCEPTED, False)
        refused = await here.place(side="sell", reduce_only=True)
        assert refused.state is State.REFUSED


@EVERY_VENUE
@pytest.mark.parametrize("hedged", [True, False])
async def test_a_ticket_of_the_other_mode_is_refused_and_nothing_is_placed(
    venue: Venue, hedged: bool, database: Database
) -> None:
    async with floor(venue, database, hedged=hedged) as here:
        if venue == "extended":
            with pytest.raises(ExchangeRefused, match="leave position out"):
                await here.place(held="long")
            assert here.orders() == []
            return
        placed = await here.place(held="net" if hedged else "long")
        if venue == "bingx" or hedged:
            assert (placed.state, len(here.orders())) == (State.REFUSED, 0)


@EVERY_VENUE
async def test_sizes_and_prices_are_made_to_fit_and_too_small_ones_are_refused_unsent(
    venue: Venue, database: Database
) -> None:
    async with floor(venue, database) as here:
        placed = await here.place(size=Decimal("0.012345678901"), price=Decimal("20000.123456789"))
        rules = await (await here.first.accounts.source(here.account.id))[1].rules(
            here.product, here.symbol()
        )
        order = here.orders()[-1]
        assert (order.size, order.price) == (placed.ticket.size, placed.ticket.price)
        assert order.size % rules.size_step == 0
        assert order.price is not None
        assert order.price % rules.price_step == 0
        assert Decimal("0.012") <= order.size <= Decimal("0.012345678901")
        with pytest.raises(InvalidRequest, match="smallest size"):
            await here.place(size=Decimal("0.000000001"))
        assert len(here.orders()) == 1


@EVERY_VENUE
async def test_an_order_is_cancelled_and_read(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        placed = await here.place(price=Decimal(20_000))
        found = await here.first.canceller.cancel(placed.id, caller="test")
        assert found.order is not None
        assert (found.order.status, here.orders()[0].status) == (Status.CANCELLED, "cancelled")
        assert (await here.first.canceller.cancel(placed.id, caller="test")).finished
        records = await here.first.audit.list(here.account.id, None, 10)
        assert [(one.action, one.outcome, one.caller) for _, one in records] == [
            ("cancel", "sent", "test"),
            ("place", "accepted", "test"),
        ]


@EVERY_VENUE
async def test_all_orders_of_a_symbol_or_of_the_account_are_cancelled(
    venue: Venue, database: Database
) -> None:
    async with floor(venue, database) as here:
        for base in ("BTC", "ETH"):
            for price in (20_000, 21_000):
                await here.place(symbol=here.symbol(base=base), price=Decimal(price))
        cancel_all = here.first.canceller.cancel_all
        assert await cancel_all(here.account.id, caller="test", symbol=here.symbol()) == (2, ())
        assert len(here.book.open) == 2
        assert await cancel_all(here.account.id, caller="test") == (2, ())
        assert not here.book.open


@EVERY_VENUE
@pytest.mark.parametrize("hedged", [True, False])
async def test_positions_are_closed(venue: Venue, hedged: bool, database: Database) -> None:
    async with floor(venue, database, hedged=hedged) as here:
        await here.place()
        held = "short" if here.book.facts.hedged else "net"
        await here.place(symbol=here.symbol(base="ETH"), side="sell", held=held)
        [closed] = await here.first.executor.close(here.account.id, caller="test", symbol=here.symbol())
        assert (closed.ticket.side, closed.source) == ("sell", "close")
        assert len(await here.first.executor.close(here.account.id, caller="test")) == 1
        assert await here.first.executor.close(here.account.id, caller="test") == []


async def limit(here: Floor, **limits: Any) -> None:
    await here.first.accounts.change(here.account.id, label=None, frozen=None, limits=Limits(**limits))


async def test_the_last_stored_minute_is_the_price_where_the_exchange_tells_none(database: Database) -> None:
    async with floor("classic", database) as here:
        here.first.quotes.is_away = True
        await limit(here, price_band=Decimal("0.1"))
        with pytest.raises(RiskRefused, match="nothing tells it"):
            await here.place(price=Decimal(30_000))
        opened = here.clock.now() // MINUTE * MINUTE - 2 * MINUTE
        stored = Candle(opened, 39_000, 41_000, 38_000, 40_000, 1)
        await here.first.candles.write(Series("bitget", "perpetual", "BTCUSDT"), [stored])
        with pytest.raises(RiskRefused, match="from 36000 to 44000"):
            await here.place(price=Decimal(30_000))
        here.clock.advance(11 * 60)
        with pytest.raises(RiskRefused, match="nothing tells it"):
            await here.place(price=Decimal(40_000))


async def test_orders_beyond_a_limit_are_not_sent(database: Database) -> None:
    async with floor("classic", database) as here:
        await limit(here, max_order_value=Decimal(600))
        assert (await here.place(size=Decimal("0.02"))).state is State.ACCEPTED
        with pytest.raises(RiskRefused, match="limit is 600"):
            await here.place(size=Decimal("0.021"))
        with pytest.raises(RiskRefused, match="limit is 600"):
            await here.place(size=Decimal("0.031"), price=Decimal(20_000))
        with pytest.raises(RiskRefused, match="limit is 600"):
            await here.place(side="sell", held="short", size=Decimal("0.021"), price=Decimal(20_000))
        await limit(here, symbols=("ETHUSDT",))
        with pytest.raises(RiskRefused, match="do not allow BTCUSDT"):
            await here.place()
        await limit(here, price_band=Decimal("0.1"))
        with pytest.raises(RiskRefused, match="from 27000 to 33000"):
            await here.place(price=Decimal(26_999))
        await limit(here, max_position_value=Decimal(1200))
        with pytest.raises(RiskRefused, match="may reach 1500"):  # the venue has not shown the first one yet
            await here.place()
        here.clock.advance(2)
        await here.first.watch.look()
        here.clock.advance(2)
        assert (await here.place(size=Decimal("0.02"))).state is State.ACCEPTED
        here.clock.advance(2)
        await here.first.watch.look()
        here.clock.advance(2)
        with pytest.raises(RiskRefused, match="may reach 1500"):
            await here.place()
        assert (await here.place(side="sell", size=Decimal("0.04"))).state is State.ACCEPTED
        assert [order.size for order in here.orders()] == [Decimal(one) for one in ("0.02", "0.02", "0.04")]


async def test_entries_a_minute_are_counted_over_all_processes(database: Database) -> None:
    async with floor("classic", database, processes=2) as here:
        await limit(here, entries_per_minute=5)
        here.simulator.faults.latency = 0.05
        tickets = [here.ticket(symbol=here.symbol(base=base)) for base in ("BTC", "ETH")] * 10
        placed = await asyncio.gather(
            *(
                here.processes[number % 2].executor.place(here.account.id, ticket, caller="test")
                for number, ticket in enumerate(tickets)
            ),
            return_exceptions=True,
        )
        assert len(here.orders()) == 5
        assert sum(isinstance(one, RiskRefused) for one in placed) == 15
        here.clock.advance(61)
        assert (await here.place()).state is State.ACCEPTED


async def test_a_position_limit_counts_what_is_on_its_way_and_what_rests(database: Database) -> None:
    async with floor("classic", database, processes=2) as here:
        await limit(here, max_position_value=Decimal(2000))
        here.simulator.faults.latency = 0.05
        for price in (None, Decimal(29_000)):
            placed = await asyncio.gather(
                *(
                    here.processes[number % 2].executor.place(
                        here.account.id, here.ticket(size=Decimal("0.02"), price=price), caller="test"
                    )
                    for number in range(10)
                ),
                return_exceptions=True,
            )
            assert sum(not isinstance(one, RiskRefused) for one in placed) == (3 if price is None else 0)
        assert len(here.orders()) == 3


async def test_the_kill_switch_stops_entries_cancels_and_flattens(database: Database) -> None:
    async with floor("classic", database, processes=2) as here:
        await here.place()
        await here.place(price=Decimal(20_000))
        kill = here.first.canceller.kill
        done = await kill(here.account.id, Step.ENTRIES, caller="test")
        assert (done.cancelled, done.open, done.undecided, done.closed) == (0, (), (), ())
        for process in here.processes:
            with pytest.raises(RiskRefused, match="kill switch"):
                await process.executor.place(here.account.id, here.ticket(), caller="test")
        done = await kill(here.account.id, Step.FLATTEN, caller="test")
        assert (done.cancelled, len(done.closed)) == (1, 1)
        assert not here.book.open
        assert here.book.positions(here.orders()[0].product) == []
        await kill(here.account.id, Step.OFF, caller="test")
        assert (await here.place()).state is State.ACCEPTED


async def test_after_the_kill_switch_has_answered_no_entry_arrives(database: Database) -> None:
    """None but those that it names: the venue takes longer than the switch waits."""
    async with floor("classic", database, processes=2) as here:
        tasks = [
            asyncio.create_task(
                here.processes[number % 2].executor.place(here.account.id, here.ticket(), caller="test")
            )
            for number in range(30)
        ]
        here.simulator.faults.latency = here.simulator.faults.jitter = 0.1
        arriving = asyncio.Event()
        here.simulator.faults.private.on_placing = lambda _point: arriving.set()
        await arriving.wait()
        done = await here.first.canceller.kill(here.account.id, Step.ENTRIES, caller="test")
        arrived = len(here.orders())
        placed = await asyncio.gather(*tasks, return_exceptions=True)
        assert {order.client_id for order in here.orders()[arrived:]} <= set(done.undecided)
        assert len(here.orders()) == sum(not isinstance(one, Exception) for one in placed)
        with pytest.raises(RiskRefused):
            await here.place()


async def test_the_kill_switch_names_the_entries_whose_fate_nobody_knows(database: Database) -> None:
    async with floor("classic", database) as here:
        here.simulator.faults.private.placing = [Met("late", delay=60_000)]
        unknown = await here.place()
        assert unknown.state is State.UNKNOWN
        done = await here.first.canceller.kill(here.account.id, Step.ENTRIES, caller="test")
        assert done.undecided == (unknown.id,)


async def test_a_live_account_needs_the_setting(database: Database) -> None:
    async with floor("classic", database) as here:
        here.first.permission.live_allowed = False
        with pytest.raises(LiveTradingOff):
            await here.place()
        assert here.orders() == []


async def test_a_dry_run_tells_and_sends_nothing(database: Database) -> None:
    async with floor("classic", database) as here:
        await limit(here, max_order_value=Decimal(100))
        draft = await here.first.executor.dry_run(here.account.id, here.ticket(), caller="test")
        assert draft.refused == "the order may be worth 300; the limit is 100"
        assert draft.intent.value == PRICE * Decimal("0.01")
        assert (draft.fee, draft.margin) == (Decimal(300) * Decimal("0.0006"), Decimal(30))
        closing = await here.first.executor.dry_run(here.account.id, here.ticket(side="sell"), caller="test")
        assert (closing.refused, closing.margin) == (None, Decimal(0))
        assert here.orders() == []
        with pytest.raises(UnknownOrder):
            await here.first.executor.get(draft.intent.id)


async def test_what_a_dead_process_left_on_the_desk_is_taken_away(database: Database) -> None:
    """It died after the desk was written, and before the intent was: nothing can have been sent."""
    async with floor("classic", database) as here:
        await here.place()
        desk = await here.first.desks.load(here.account.id)
        ticket = here.ticket()
        entry = Entry(
            id="i-of-the-dead",
            product=ticket.product,
            symbol=ticket.symbol,
            side="buy",
            held="long",
            value=None,
            overdue=here.clock.now() + 1000,
        )
        assert await here.first.desks.put(desk, entry)
        assert not await here.first.desks.put(desk, replace(entry, id="another"))
        here.clock.advance(2)
        with pytest.raises(EntryUndecided):
            await here.place()
        await here.first.watch.look()
        assert (await here.place()).state is State.ACCEPTED


@EVERY_VENUE
async def test_flatten_closes_positions_although_nothing_tells_the_open_orders(
    venue: Venue, database: Database
) -> None:
    code, path = {
        "classic": ("40725", "orders-pending"),
        "unified": ("40725", "unfilled-orders"),
        "bingx": ("100500", "openOrders"),
        "extended": ("1006", "user/orders"),
    }[venue]
    async with floor(venue, database) as here:
        await here.place()
        here.clock.advance(2)
        here.simulator.faults.private.codes = [Coded(code, path=path, count=1000)]
        with pytest.raises(ExchangeError):
            await here.first.canceller.kill(here.account.id, Step.FLATTEN, caller="test")
        assert [order.side for order in here.orders()] == ["buy", "sell"]
        assert not any(map(here.book.positions, SimulatedProduct))


@EVERY_HEDGED_VENUE
@pytest.mark.parametrize("hedged", [True, False])
async def test_leverage_and_modes_are_set_and_read_back(
    venue: Venue, hedged: bool, database: Database
) -> None:
    async with floor(venue, database, hedged=hedged) as here:
        setups, account, usdt = here.first.setups, here.account.id, Product.PERPETUAL_USDT
        symbol = here.symbol()
        found = await setups.leverage(account, usdt, symbol, "net", 25, caller="test")
        assert (found.long, found.short, found.hedged) == (Decimal(25), Decimal(25), hedged)
        await limit(here, max_leverage=20)
        with pytest.raises(RiskRefused, match="leverage 20"):
            await setups.leverage(account, usdt, symbol, "net", 21, caller="test")
        await limit(here)
        with pytest.raises(ExchangeRefused):
            await setups.leverage(account, usdt, symbol, "net", 126, caller="test")
        if venue == "unified":
            with pytest.raises(ModeRefused):
                await setups.margin_mode(account, usdt, symbol, "isolated", caller="test")
        else:
            found = await setups.margin_mode(account, usdt, symbol, "isolated", caller="test")
            assert found.margin_mode == "isolated"
        if hedged and venue != "unified":
            found = await setups.leverage(account, usdt, symbol, "short", 5, caller="test")
            assert (found.long, found.short) == (Decimal(25), Decimal(5))
        found = await setups.position_mode(account, usdt, symbol, hedged=not hedged, caller="test")
        assert (found.hedged, here.book.facts.hedged) == (not hedged, not hedged)
        await here.place()
        with pytest.raises((ExchangeRefused, ModeRefused)):
            await setups.position_mode(account, usdt, symbol, hedged=hedged, caller="test")
        assert (await setups.read(account, usdt, symbol)).hedged is not hedged
        records = await here.first.audit.list(account, None, 100)
        assert {(one.action, one.outcome) for _, one in records} >= {("setup", "done"), ("setup", "refused")}


@EVERY_VENUE
async def test_a_setting_whose_answer_is_lost_is_read_back(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        account, usdt, symbol = here.account.id, here.product, here.symbol()
        code = {"classic": "40725", "unified": "25001", "bingx": "100500", "extended": "1006"}[venue]
        here.simulator.faults.private.codes = [Coded(code, path="everage", count=1)]
        with pytest.raises(ExchangeError):
            await here.first.setups.leverage(account, usdt, symbol, "long", 7, caller="test")
        found = await here.first.setups.leverage(account, usdt, symbol, "long", 7, caller="test")
        assert found.long == 7


@EVERY_VENUE
async def test_an_order_is_changed_by_ending_it_first(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        amend = here.first.amender.amend
        placed = await here.place(price=Decimal(20_000), size=Decimal("0.03"))
        first = here.orders()[0]
        here.book.fill(first.number, Decimal("0.01"), Decimal(20_000), here.clock.now())
        here.book.mark(first.product, first.pair, PRICE)
        changed = await amend(placed.id, price=Decimal(21_000), size=None, caller="test", key="one")
        old, new = here.orders()
        assert (old.status, old.filled) == ("cancelled", Decimal("0.01"))
        assert (new.status, new.size, new.price) == ("open", Decimal("0.02"), Decimal(21_000))
        assert (changed.order_id, changed.source) == (str(new.number), f"amend {placed.id}")
        with pytest.raises(OrderFinished):
            await amend(placed.id, price=Decimal(22_000), size=None, caller="test")
        again = await amend(changed.id, price=None, size=Decimal("0.05"), caller="test", key="two")
        repeated = await amend(changed.id, price=None, size=Decimal("0.05"), caller="test", key="two")
        assert (again.id, len(here.orders()), len(here.book.open)) == (repeated.id, 3, 1)
        with pytest.raises(KeyReused):
            await amend(again.id, price=Decimal(1), size=None, caller="test", key="two")
        here.book.fill(here.orders()[-1].number, Decimal("0.04"), Decimal(21_000), here.clock.now())
        with pytest.raises(OrderFinished, match="nothing is left"):
            await amend(again.id, price=None, size=Decimal("0.04"), caller="test")
        assert not here.book.open
        for wrong in ({"price": None, "size": None},):
            with pytest.raises(InvalidRequest):
                await amend(again.id, caller="test", **wrong)


async def test_an_order_that_does_not_end_is_not_placed_anew(database: Database) -> None:
    """The cancel is lost, and the order stays open: nothing is placed beside it."""
    async with floor("classic", database) as here:
        placed = await here.place(price=Decimal(20_000))
        here.simulator.faults.private.codes = [Coded("40725", path="cancel-order")]
        with pytest.raises(OrderUndecided):
            await here.first.amender.amend(placed.id, price=Decimal(21_000), size=None, caller="test")
        assert len(here.orders()) == len(here.book.open) == 1
        here.simulator.faults.private.placing = [Met("accept_drop")]
        unknown = await here.place(price=Decimal(20_000))
        with pytest.raises(OrderUndecided):
            await here.first.amender.amend(unknown.id, price=Decimal(21_000), size=None, caller="test")
        market = await here.place(side="sell")
        with pytest.raises(InvalidRequest, match="market order"):
            await here.first.amender.amend(market.id, price=Decimal(1), size=None, caller="test")


async def test_orders_of_a_removed_or_frozen_account_are_let_be(database: Database) -> None:
    async with floor("classic", database) as here:
        placed = await here.place(price=Decimal(20_000))
        await here.first.accounts.change(here.account.id, label=None, frozen=True)
        here.clock.advance(100)
        await here.first.watch.look()
        assert (await here.first.executor.get(placed.id)).active
        await here.first.accounts.remove(here.account.id)
        here.clock.advance(100)
        await here.first.watch.look()
        found = await here.first.executor.get(placed.id)
        assert (found.active, found.reason) == (False, "the account was removed")
        assert len(here.orders()) == 1


async def test_an_accepted_order_that_the_venue_shows_no_more_is_told_after_days(database: Database) -> None:
    async with floor("classic", database) as here:
        placed = await here.place(price=Decimal(20_000))
        here.simulator.faults.private.hidden[here.orders()[0].number] = 2**62
        for _ in range(3):
            here.clock.advance(24 * 3600)
            await here.first.watch.look()
        found = await here.first.executor.get(placed.id)
        assert (found.state, found.active, found.reason) == (
            *(State.ACCEPTED, False),
            "the exchange does not show the order",
        )


@EVERY_VENUE
async def test_a_dry_run_asks_the_exchange_where_it_can_be_asked(venue: Venue, database: Database) -> None:
    async with floor(venue, database) as here:
        execute = here.first.executor.dry_run
        draft = await execute(here.account.id, here.ticket(), caller="test")
        assert (draft.refused, draft.tried) == (None, venue == "bingx")
        wrong = await execute(here.account.id, here.ticket(held="net"), caller="test")
        assert (wrong.refused is not None) == (venue == "bingx")
        assert here.orders() == []


@EVERY_HEDGED_VENUE
async def test_an_account_that_lost_too_much_today_takes_no_entries(venue: Venue, database: Database) -> None:
    """Lost is what trades, fees and funding took since midnight, and what open positions stand to lose;
    money that is moved is not lost."""
    async with floor(venue, database) as here:
        await limit(here, max_daily_loss=Decimal(60))
        await here.place()
        first = here.orders()[0]
        here.book.mark(first.product, first.pair, PRICE - 5000)
        here.book.transfer(first.product, "USDT", Decimal(-500), here.clock.now())
        here.clock.advance(3)
        await here.place(symbol=here.symbol(base="ETH"), size=Decimal("0.001"))
        here.book.mark(first.product, first.pair, PRICE - 6000)
        here.clock.advance(3)
        with pytest.raises(RiskRefused, match="today; the limit is 60"):
            await here.place(symbol=here.symbol(base="ETH"))
        assert (await here.place(side="sell")).state is State.ACCEPTED
        here.clock.advance(3)
        with pytest.raises(RiskRefused, match="today; the limit is 60"):
            await here.place()
        here.clock.advance(24 * 3600)
        assert (await here.place()).state is State.ACCEPTED


async def test_one_answer_does_not_end_the_watch_of_an_old_order(database: Database) -> None:
    """The order rests for days; then the venue denies it once."""
    async with floor("classic", database) as here:
        placed = await here.place(price=Decimal(20_000))
        here.clock.advance(3 * 24 * 3600)
        await here.first.watch.look()
        number = here.orders()[0].number
        here.simulator.faults.private.hidden[number] = 2**62
        here.clock.advance(100)
        await here.first.watch.look()
        assert (await here.first.executor.get(placed.id)).active
        del here.simulator.faults.private.hidden[number]
        here.book.finish(number, here.clock.now())
        here.clock.advance(100)
        await here.first.watch.look()
        found = await here.first.executor.get(placed.id)
        assert (found.finished, found.absent, found.active) == (True, (), False)


async def test_a_position_that_cannot_be_closed_keeps_no_other_open(database: Database) -> None:
    async with floor("classic", database) as here:
        await here.place()
        await here.place(symbol=here.symbol(base="ETH"))
        for market, known in here.first.facts._rules.items():
            if market[-1] == here.symbol():
                rules = replace(known.rules, least_size=Decimal(1))
                here.first.facts._rules[market] = known._replace(rules=rules)
        with pytest.raises(InvalidRequest, match="smallest size"):
            await here.first.executor.close(here.account.id, caller="test")
        assert [order.pair.base for order in here.orders() if not order.opens] == ["ETH"]
