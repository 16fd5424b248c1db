"""Two lanes and two budgets: nothing is overspent, urgent requests do not wait for others, all are served."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import RateLimited, UnknownAccount
from backend.exchanges.base import RateLimit
from backend.net.rest.account_budget import PATIENCE
from backend.net.rest.throttle import Throttle
from tests.fakes import FakeClock

ADDRESS = (RateLimit("weight", 12, 60.0), RateLimit("calls", 4, 8.0))
ACCOUNT = (RateLimit("orders", 3, 2.0), RateLimit("reads", 20, 60.0))
ORDER: Mapping[str, int] = {"weight": 1, "orders": 1}
CANDLES: Mapping[str, int] = {"weight": 2, "calls": 1}


class Demand(NamedTuple):
    """Who comes when, and what for."""

    moment: float
    cost: Mapping[str, int]
    account: str | None
    urgent: bool


class Sent(NamedTuple):
    moment: float
    demand: Demand


quarters = st.integers(0, 400).map(lambda quarter: quarter / 4)
costs = st.fixed_dictionaries(
    {},
    optional={
        "weight": st.integers(1, 12),
        "calls": st.integers(1, 4),
        "orders": st.integers(1, 3),
        "reads": st.integers(1, 5),
    },
)
demands = st.lists(
    st.builds(Demand, quarters, costs, st.sampled_from([None, "a", "b"]), st.booleans()), max_size=25
)
refusals = st.lists(
    st.tuples(quarters, st.integers(1, 60).map(float), st.sampled_from([None, "a", "b"])), max_size=3
)


async def sends(
    throttle: Throttle,
    clock: FakeClock,
    demand: Sequence[Demand],
    refused: Sequence[tuple[float, float, str | None]] = (),
) -> list[Sent]:
    """What was let out, in order."""
    sent: list[Sent] = []

    async def call(one: Demand) -> None:
        await clock.sleep(one.moment)
        await throttle.acquire(one.cost, one.account, urgent=one.urgent)
        sent.append(Sent(clock.monotonic(), one))

    async def refuse(moment: float, seconds: float, account: str | None) -> None:
        await clock.sleep(moment)
        throttle.block(RateLimited("too many", retry_after=seconds), account)

    await asyncio.gather(*(call(one) for one in demand), *(refuse(*one) for one in refused))
    return sent


def run(demand: Sequence[Demand], refused: Sequence[tuple[float, float, str | None]] = ()) -> list[Sent]:
    clock = FakeClock()
    throttle = Throttle(ADDRESS, 1.0, clock)
    for name in ("a", "b"):
        throttle.open_account(name, ACCOUNT)
    return asyncio.run(sends(throttle, clock, demand, refused))


def most_spent(sent: Sequence[Sent], limit: RateLimit) -> int:
    """The most units of any window of the limit: it begins with a request."""
    return max(
        (
            sum(
                other.demand.cost.get(limit.unit, 0)
                for other in sent
                if one.moment <= other.moment < one.moment + limit.seconds
            )
            for one in sent
        ),
        default=0,
    )


@given(demands, refusals)
@settings(deadline=None)
def test_no_window_of_any_budget_is_overspent_and_everybody_is_served(
    demand: list[Demand], refused: list[tuple[float, float, str | None]]
) -> None:
    sent = run(demand, refused)
    assert len(sent) == len(demand)
    for limit in ADDRESS:
        assert most_spent(sent, limit) <= limit.capacity
    for account in ("a", "b"):
        own = [one for one in sent if one.demand.account == account]
        for limit in ACCOUNT:
            assert most_spent(own, limit) <= limit.capacity


@given(st.lists(st.tuples(quarters, st.booleans()), min_size=1, max_size=40))
@settings(deadline=None)
def test_who_is_urgent_waits_for_nobody_who_is_not(arrivals: list[tuple[float, bool]]) -> None:
    """Of equal requests nobody else leaves between the moment an urgent one comes and the one it leaves."""
    sent = run([Demand(moment, CANDLES, None, urgent) for moment, urgent in arrivals])
    for one in (each for each in sent if each.demand.urgent):
        overtaken_by = [
            other
            for other in sent
            if not other.demand.urgent and one.demand.moment < other.moment < one.moment
        ]
        assert not overtaken_by


async def test_an_urgent_request_goes_before_those_that_wait() -> None:
    clock = FakeClock()
    throttle = Throttle([RateLimit("weight", 1, 60.0)], 1.0, clock)
    demand = [Demand(number, {"weight": 1}, None, False) for number in range(3)]
    sent = await sends(throttle, clock, [*demand, Demand(10.0, {"weight": 1}, None, True)])
    assert [(one.moment, one.demand.urgent) for one in sent] == [
        (0.0, False),
        (60.0, True),
        (120.0, False),
        (180.0, False),
    ]


async def test_an_urgent_request_goes_before_those_of_its_account_that_wait() -> None:
    clock = FakeClock()
    throttle = Throttle(ADDRESS, 1.0, clock)
    throttle.open_account("a", [RateLimit("orders", 1, 60.0)])
    demand = [Demand(number, {"orders": 1}, "a", False) for number in range(3)]
    sent = await sends(throttle, clock, [*demand, Demand(10.0, {"orders": 1}, "a", True)])
    assert [(one.moment, one.demand.urgent) for one in sent] == [
        (0.0, False),
        (60.0, True),
        (120.0, False),
        (180.0, False),
    ]


async def test_an_account_that_is_refused_holds_up_nobody_else() -> None:
    clock = FakeClock()
    throttle = Throttle(ADDRESS, 1.0, clock)
    throttle.open_account("a", ACCOUNT)
    throttle.open_account("b", ACCOUNT)
    throttle.block(RateLimited("too many orders", retry_after=30.0), "a")
    sent = await sends(
        throttle,
        clock,
        [Demand(0.0, ORDER, "a", True), Demand(1.0, ORDER, "b", False), Demand(1.0, CANDLES, None, False)],
    )
    assert [(one.moment, one.demand.account) for one in sent] == [(1.0, "b"), (1.0, None), (30.0, "a")]
    assert throttle.blocked == 0.0


async def test_an_account_that_has_spent_all_holds_up_nobody_else() -> None:
    clock = FakeClock()
    throttle = Throttle(ADDRESS, 1.0, clock)
    throttle.open_account("a", [RateLimit("orders", 1, 600.0)])
    sent = await sends(
        throttle,
        clock,
        [Demand(0.0, ORDER, "a", False), Demand(1.0, ORDER, "a", False), Demand(2.0, CANDLES, None, False)],
    )
    assert [one.moment for one in sent] == [0.0, 2.0, 600.0]


async def test_an_account_that_is_refused_for_long_is_told_so() -> None:
    throttle = Throttle(ADDRESS, 1.0, FakeClock())
    throttle.open_account("a", ACCOUNT)
    throttle.block(RateLimited("frozen", retry_after=PATIENCE + 1), "a")
    with pytest.raises(RateLimited, match="frozen"):
        await throttle.acquire(ORDER, "a")
    await throttle.acquire(CANDLES)


async def test_who_gives_up_in_the_line_lets_the_next_one_through() -> None:
    clock = FakeClock()
    throttle = Throttle(ADDRESS, 1.0, clock)
    throttle.open_account("a", [RateLimit("orders", 1, 60.0)])
    await throttle.acquire({"orders": 1}, "a")
    first, second = (asyncio.create_task(throttle.acquire({"orders": 1}, "a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert clock.monotonic() == 60.0


async def test_what_a_venue_says_of_an_account_tightens_its_budget_alone() -> None:
    clock = FakeClock()
    throttle = Throttle(ADDRESS, 1.0, clock)
    throttle.open_account("a", ACCOUNT)
    throttle.open_account("b", ACCOUNT)
    throttle.learn({"orders": 3}, "a")
    sent = await sends(throttle, clock, [Demand(0.0, ORDER, "a", False), Demand(0.0, ORDER, "b", False)])
    assert [(one.moment, one.demand.account) for one in sent] == [(0.0, "b"), (2.0, "a")]


async def test_a_full_path_of_an_account_delays_no_call_of_another_path() -> None:
    """Both paths are used to their limits: an account is read at the venue's own pace."""
    clock = FakeClock()
    throttle = Throttle([RateLimit("weight", 10_000, 60.0)], 1.0, clock)
    throttle.open_account("a", [RateLimit("slow", 1, 10.0), RateLimit("fast", 10, 10.0)])
    demand = [Demand(0.0, {"weight": 1, "slow": 1}, "a", False) for _ in range(5)]
    demand += [Demand(0.0, {"weight": 1, "fast": 1}, "a", False) for _ in range(40)]
    sent = await sends(throttle, clock, demand)
    last = {unit: max(one.moment for one in sent if unit in one.demand.cost) for unit in ("slow", "fast")}
    assert last == {"slow": 40.0, "fast": 39.0}


async def test_for_a_closed_account_no_more_is_let_out() -> None:
    clock = FakeClock()
    throttle = Throttle(ADDRESS, 1.0, clock)
    throttle.open_account("a", ACCOUNT)
    throttle.close_account("a")
    with pytest.raises(UnknownAccount):
        await throttle.acquire(ORDER, "a")
    throttle.block(RateLimited("too many", retry_after=5), "a")
    throttle.learn(ORDER, "a")
    assert throttle.blocked == 0


async def test_who_waits_for_an_account_that_is_closed_meanwhile_is_not_let_out() -> None:
    clock = FakeClock()
    throttle = Throttle(ADDRESS, 1.0, clock)
    throttle.open_account("a", [RateLimit("orders", 1, 60.0)])
    await throttle.acquire(ORDER, "a")

    async def close() -> None:
        await clock.sleep(30)
        throttle.close_account("a")

    with pytest.raises(UnknownAccount):
        await asyncio.gather(throttle.acquire(ORDER, "a"), close())
