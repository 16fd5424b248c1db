"""Whatever is asked, however the venue meets it, and whatever is killed: the venue sees no more than the
account's limits allow, no intent has two orders, and both books agree in the end."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tornado.ioloop import IOLoop

from backend.errors import MarketDataError
from backend.services.orders.cancelling import Step
from backend.store.mongo import Database
from backend.trading.intents import Intent, State
from backend.trading.risk import Limits
from tests.book_rows import Venue
from tests.integration.test_alarms import alarms, run, strategy, text
from tests.ordering import PRICE, VENUES, Floor, floor
from tests.simulator.private.faults import Manner, Met

LIMITS = (
    Limits(max_order_value=Decimal(900), entries_per_minute=3),
    Limits(max_position_value=Decimal(1000)),
    Limits(max_order_value=Decimal(900), max_position_value=Decimal(2000), entries_per_minute=5),
)
MINUTE = 60_000


class Act(NamedTuple):
    """What happens: orders are asked for at once, each met in a manner; or something else."""

    kind: Literal["place", "alarm", "close", "wait", "look", "kill", "resume", "cancel"]
    sizes: tuple[Decimal, ...] = ()
    targets: tuple[int, ...] = ()
    manners: tuple[Manner, ...] = ()
    base: str = "BTC"
    limit: bool = False
    seconds: int = 0


SIZES = st.sampled_from([Decimal(one) / 1000 for one in (5, 10, 20, 30, 31)])
MANNERS = st.sampled_from([one for one in get_args(Manner) if one != "accept_refuse"])
"""A venue that says "refused" and means "accepted" is found out in time for the books, not for the limits."""
PLACES = st.builds(
    Act,
    kind=st.just("place"),
    sizes=st.lists(SIZES, min_size=1, max_size=6).map(tuple),
    manners=st.lists(MANNERS, max_size=4).map(tuple),
    base=st.sampled_from(["BTC", "ETH"]),
    limit=st.booleans(),
)
ALARMS = st.builds(
    Act,
    kind=st.just("alarm"),
    targets=st.lists(st.integers(-4, 4), min_size=1, max_size=4).map(tuple),
    manners=st.lists(MANNERS, max_size=4).map(tuple),
)
"""Positions in hundredths of a coin, each told by an alarm as the one after the one before."""
OTHERS = st.one_of(
    st.builds(Act, kind=st.just("wait"), seconds=st.sampled_from([1, 5, 20, 61])),
    st.builds(Act, kind=st.sampled_from(["look", "kill", "resume", "cancel", "close"])),
)
ACTS = st.lists(st.one_of(PLACES, ALARMS, OTHERS), min_size=1, max_size=12)


async def _send(here: Floor, act: Act, token: str) -> None:
    """Alarms come, and both processes carry out what is due, as far as it goes now."""
    here.simulator.faults.private.placing += [Met(one, delay=3000, hidden=2000) for one in act.manners]
    for before, after in pairwise((0, *act.targets)):
        if before != after:
            await here.first.intake.receive(text(here, before, after, token=token), token="", sender="test")
    await asyncio.gather(*(one.runner.run() for one in here.processes))


async def _do(here: Floor, act: Act, token: str) -> list[object]:
    first = here.first
    if act.kind == "place":
        here.simulator.faults.private.placing += [Met(one, delay=3000, hidden=2000) for one in act.manners]
        price = {"price": PRICE - 100} if act.limit else {}
        tickets = [here.ticket(symbol=here.symbol(base=act.base), size=size, **price) for size in act.sizes]
        return await asyncio.gather(
            *(
                here.processes[number % 2].executor.place(here.account.id, one, caller="test")
                for number, one in enumerate(tickets)
            ),
            return_exceptions=True,
        )
    if act.kind == "wait":
        here.clock.advance(act.seconds)
    elif act.kind == "alarm":
        await _send(here, act, token)
    elif act.kind == "look":
        await here.processes[1].watch.look()
    elif act.kind == "cancel":
        await first.canceller.cancel_all(here.account.id, caller="test")
    elif act.kind == "close":
        return list(await first.executor.close(here.account.id, caller="test"))
    elif act.kind == "kill":
        await first.canceller.kill(here.account.id, Step.ENTRIES, caller="test")
    else:
        await first.canceller.kill(here.account.id, Step.OFF, caller="test")
    return []


def _check(here: Floor, limits: Limits, intents: list[Intent]) -> None:
    """What the venue has seen."""
    book = here.book
    assert max(book.accepted.values(), default=0) <= 1
    entries = [order for order in book.orders if order.opens]
    if limits.max_order_value is not None:
        assert all(order.size * PRICE <= limits.max_order_value for order in entries)
    moments = sorted(order.created for order in entries)
    for moment in moments if limits.entries_per_minute is not None else ():
        within = sum(moment <= one < moment + MINUTE for one in moments)
        assert within <= (limits.entries_per_minute or 0)
    for base in ("BTC", "ETH"):
        held = sum(
            order.size if order.side == "buy" else -order.size
            for order in book.orders
            if order.pair.base == base and order.status == "filled"
        )
        waiting = sum(order.size for order in book.open.values() if order.pair.base == base)
        if limits.max_position_value is not None:
            assert (held + waiting) * PRICE <= limits.max_position_value
    placed = {one.id for one in intents if one.state is State.ACCEPTED}
    assert placed == {order.client_id for order in book.orders}


async def _run(database: Database, venue: Venue, limits: Limits, acts: list[Act]) -> None:
    for name in ("accounts", "strategies", "alarms"):
        await database[name].delete_many({})
    async with floor(venue, database, processes=2) as here:
        await here.first.accounts.change(here.account.id, label=None, frozen=None, limits=limits)
        token = await strategy(here)
        intents: dict[str, Intent] = {}
        for act in acts:
            for found in await _do(here, act, token):
                if isinstance(found, Intent):
                    intents[found.id] = found
                else:
                    assert isinstance(found, MarketDataError), found
        here.simulator.faults.private.placing.clear()
        await run(here, 150)
        for alarm in await alarms(here):
            intents |= {
                leg.intent: await here.first.executor.get(leg.intent) for leg in alarm.legs if leg.intent
            }
        for one in list(intents):
            intents[one] = await here.decided(intents[one])
        here.clock.advance(120)
        for _ in range(3):
            await here.first.watch.look()
            here.clock.advance(5)
        _check(here, limits, [await here.first.executor.get(one) for one in intents])


@given(venue=st.sampled_from(VENUES), limits=st.sampled_from(LIMITS), acts=ACTS)
@settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_venue_never_sees_more_than_the_limits_allow(
    io_loop: IOLoop, database: Database, venue: Venue, limits: Limits, acts: list[Act]
) -> None:
    io_loop.run_sync(lambda: _run(database, venue, limits, acts))
