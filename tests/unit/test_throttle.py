"""The rate budget: never overspent, never idle without need, silent while the venue refuses."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import Banned, RateLimited
from backend.exchanges.base import RateLimit
from backend.net.rest.account_budget import PATIENCE
from backend.net.rest.throttle import DEFAULT_BLOCK, Throttle
from tests.fakes import FakeClock

WEIGHT = RateLimit("weight", 10, 60.0)
CALLS = RateLimit("calls", 4, 8.0)
"""Of a short window: calls are spread over it, one every two seconds."""

PROBES = RateLimit("calls", 400, 8.0)
"""Of a short window that a few calls do not fill: one every 20 ms, or less often at a careful pace."""


class Sent(NamedTuple):
    """One request that was let out: when, which caller's, what it cost."""

    moment: float
    caller: int
    cost: Mapping[str, int]


quarters = st.integers(0, 600).map(lambda quarter: quarter / 4)
"""Moments in seconds that floats hold exactly."""

costs = st.fixed_dictionaries({"weight": st.integers(1, 10)}, optional={"calls": st.integers(1, 4)})
callers = st.lists(st.tuples(quarters, costs), max_size=25)
blocks = st.lists(st.tuples(quarters, st.integers(1, 100).map(float)), max_size=3)


async def sends(
    throttle: Throttle,
    clock: FakeClock,
    demand: Sequence[tuple[float, Mapping[str, int]]],
    refusals: Sequence[tuple[float, float]] = (),
) -> list[Sent | float]:
    """What happened in order: requests let out, and blocks as the moment until which they last.

    `demand` says when each caller comes and what it wants to spend, `refusals` when the venue refuses and
    for how many seconds.
    """
    story: list[Sent | float] = []

    async def call(number: int, start: float, cost: Mapping[str, int]) -> None:
        await clock.sleep(start)
        await throttle.acquire(cost)
        story.append(Sent(clock.monotonic(), number, cost))

    async def refuse(start: float, seconds: float) -> None:
        await clock.sleep(start)
        throttle.block(RateLimited("too many", retry_after=seconds))
        story.append(clock.monotonic() + seconds)

    await asyncio.gather(
        *(call(number, start, cost) for number, (start, cost) in enumerate(demand)),
        *(refuse(start, seconds) for start, seconds in refusals),
    )
    return story


def only_sent(story: Sequence[Sent | float]) -> list[Sent]:
    return [event for event in story if isinstance(event, Sent)]


def spent(sent: Sequence[Sent], unit: str, start: float, seconds: float) -> int:
    """Units that were spent in `[start, start + seconds)`."""
    return sum(one.cost.get(unit, 0) for one in sent if start <= one.moment < start + seconds)


def assert_within(sent: Sequence[Sent], limit: RateLimit, alignment: float) -> None:
    """No window of the limit's length is overspent: those that begin with a request hold the most; those of
    a venue that counts by its own clock are checked beside them."""
    for one in sent:
        assert spent(sent, limit.unit, one.moment, limit.seconds) <= limit.capacity
    for number in range(-1, 60):
        start = alignment + number * limit.seconds
        assert spent(sent, limit.unit, start, limit.seconds) <= limit.capacity


def run(
    demand: Sequence[tuple[float, Mapping[str, int]]],
    refusals: Sequence[tuple[float, float]] = (),
    careful: float = 1.0,
) -> list[Sent | float]:
    clock = FakeClock()
    throttle = Throttle([WEIGHT, CALLS], 1.0, clock, careful=careful)
    return asyncio.run(sends(throttle, clock, demand, refusals))


def most_in_a_window(moments: Iterable[float], seconds: float) -> int:
    """The most of these moments that any window of this length holds, wherever it begins."""
    ordered = sorted(moments)
    return max(bisect_left(ordered, moment + seconds) - number for number, moment in enumerate(ordered))


def spacing(throttle: Throttle, now: float) -> float:
    """The seconds between two calls that come together at `now`."""
    first = throttle.reserve({"calls": 1}, now)
    assert first == now
    return throttle.reserve({"calls": 1}, now) - first


@given(callers, quarters)
def test_no_window_of_any_limit_is_ever_overspent(
    demand: list[tuple[float, dict[str, int]]], alignment: float
) -> None:
    sent = only_sent(run(demand))
    assert len(sent) == len(demand)
    assert_within(sent, WEIGHT, alignment)
    assert_within(sent, CALLS, alignment)


@given(callers, blocks, quarters, st.sampled_from([1.0, 0.5]))
def test_refusals_lead_to_no_burst_and_nobody_sends_before_their_end(
    demand: list[tuple[float, dict[str, int]]],
    refusals: list[tuple[float, float]],
    alignment: float,
    careful: float,
) -> None:
    story = run(demand, refusals, careful)
    sent = only_sent(story)
    assert len(sent) == len(demand)
    assert_within(sent, WEIGHT, alignment)
    assert_within(sent, CALLS, alignment)
    blocked_until = 0.0
    for event in story:
        if isinstance(event, Sent):
            assert event.moment >= blocked_until
        else:
            blocked_until = max(blocked_until, event)


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(1, 10)), max_size=40))
def test_every_request_goes_at_the_first_moment_that_the_limit_allows(steps: list[tuple[int, int]]) -> None:
    throttle = Throttle([WEIGHT], 1.0, FakeClock())
    booked: list[tuple[float, int]] = []
    now = 0.0
    for pause, units in steps:
        now += pause / 4
        moment = throttle.reserve({"weight": units}, now)
        behind = max([now, *(at for at, _ in booked)])
        candidates = [behind, *(at + WEIGHT.seconds for at, _ in booked if at + WEIGHT.seconds > behind)]
        assert moment == min(
            candidate
            for candidate in candidates
            if units + sum(cost for at, cost in booked if at > candidate - WEIGHT.seconds) <= WEIGHT.capacity
        )
        booked.append((moment, units))


@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(1, 10), st.none() | st.integers(0, 15)), max_size=30)
)
def test_what_the_venue_reports_never_lets_a_request_out_earlier(
    steps: list[tuple[int, int, int | None]],
) -> None:
    clock = FakeClock()
    told, untold = Throttle([WEIGHT], 1.0, clock), Throttle([WEIGHT], 1.0, clock)
    for pause, units, used in steps:
        clock.advance(pause / 4)
        if used is not None:
            told.learn({"weight": used})
        cost = {"weight": units}
        assert told.reserve(cost, clock.monotonic()) >= untold.reserve(cost, clock.monotonic())


@given(st.lists(costs, max_size=20))
def test_who_comes_first_goes_first(demand: list[dict[str, int]]) -> None:
    weights = [(0.0, {"weight": cost["weight"]}) for cost in demand]
    assert [one.caller for one in only_sent(run(weights))] == list(range(len(demand)))


@given(callers, blocks)
def test_nobody_goes_before_who_came_first_whatever_is_refused_meanwhile(
    demand: list[tuple[float, dict[str, int]]], refusals: list[tuple[float, float]]
) -> None:
    arrivals = [(start, {"weight": cost["weight"]}) for start, cost in sorted(demand, key=lambda one: one[0])]
    sent = sorted(only_sent(run(arrivals, refusals)), key=lambda one: one.caller)
    assert len(sent) == len(demand)
    assert all(earlier.moment <= later.moment for earlier, later in pairwise(sent))


def test_a_budget_that_everybody_wants_is_spent_in_full() -> None:
    sent = only_sent(run([(0.0, {"weight": 1})] * 45))
    assert [one.moment for one in sent] == [60.0 * (number // 10) for number in range(45)]


def test_units_come_back_one_by_one_as_they_grow_old() -> None:
    demand = [(0.0, 6), (20.0, 4), (30.0, 6), (30.0, 4)]
    sent = only_sent(run([(start, {"weight": units}) for start, units in demand]))
    assert [one.moment for one in sent] == [0.0, 20.0, 60.0, 80.0]


def test_the_scarcer_of_two_limits_decides() -> None:
    sent = only_sent(run([(0.0, {"weight": 2, "calls": 1})] * 6))
    assert [one.moment for one in sent] == [0.0, 2.0, 4.0, 6.0, 8.0, 60.0]


def test_nobody_overtakes_a_request_that_waits_for_another_limit() -> None:
    throttle = Throttle([WEIGHT, CALLS], 1.0, FakeClock())
    both = [throttle.reserve({"weight": 1, "calls": 1}, 0.0) for _ in range(4)]
    assert both == [0.0, 2.0, 4.0, 6.0]
    assert throttle.reserve({"weight": 1}, 0.0) == 6.0


def test_in_a_short_window_requests_are_spread_evenly() -> None:
    sent = only_sent(run([(0.0, {"calls": 1})] * 30))
    assert [one.moment for one in sent] == [2.0 * number for number in range(30)]


def test_in_a_short_window_a_dear_request_keeps_the_next_waiting_for_longer() -> None:
    throttle = Throttle([CALLS], 1.0, FakeClock())
    moments = [throttle.reserve({"calls": calls}, 0.0) for calls in (3, 1, 4, 1)]
    assert moments == [0.0, 6.0, 14.0, 22.0]


def test_who_comes_after_a_pause_goes_at_once() -> None:
    throttle = Throttle([CALLS], 1.0, FakeClock())
    assert [throttle.reserve({"calls": 1}, now) for now in (0.0, 2.0, 5.0, 5.5, 100.0)] == [0, 2, 5, 7, 100]


@pytest.mark.parametrize(("seconds", "spread"), [(10.0, True), (10.5, False)])
def test_a_window_is_short_up_to_ten_seconds(seconds: float, spread: bool) -> None:
    throttle = Throttle([RateLimit("calls", 5, seconds)], 1.0, FakeClock())
    moments = [throttle.reserve({"calls": 1}, 0.0) for _ in range(3)]
    assert moments == ([0.0, 2.0, 4.0] if spread else [0.0, 0.0, 0.0])


@pytest.mark.parametrize("limit", [RateLimit("calls", 20, 1.0), RateLimit("calls", 500, 10.0)])
@given(
    bursts=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 60)), min_size=1, max_size=12),
    random=st.randoms(),
)
def test_requests_that_travel_at_different_speeds_do_not_meet_above_the_limit(
    limit: RateLimit, bursts: list[tuple[float, int]], random: Random
) -> None:
    share = 0.9
    throttle = Throttle([limit], share, FakeClock())
    slowest = limit.seconds / (limit.capacity * share) / 2
    now, arrivals = 0.0, []
    for pause, size in bursts:
        now += pause * limit.seconds
        sent = [throttle.reserve({"calls": 1}, now) for _ in range(size)]
        arrivals += [moment + random.uniform(0, slowest) for moment in sent]
    assert most_in_a_window(arrivals, limit.seconds) <= limit.capacity


def test_a_long_queue_that_travels_at_different_speeds_stays_within_the_limit() -> None:
    limit, random = RateLimit("calls", 500, 10.0), Random(1)
    throttle = Throttle([limit], 0.9, FakeClock())
    arrivals = [throttle.reserve({"calls": 1}, 0.0) + random.uniform(0, 1 / 90) for _ in range(1500)]
    assert most_in_a_window(arrivals, limit.seconds) <= limit.capacity * 0.9 + 1


def test_a_careful_pace_begins_with_its_part_of_the_limit() -> None:
    throttle = Throttle([WEIGHT], 1.0, FakeClock(), careful=0.5)
    assert [throttle.reserve({"weight": 1}, 0.0) for _ in range(11)] == [0.0] * 5 + [60.0] * 5 + [120.0]


def test_a_careful_pace_takes_its_part_of_the_share() -> None:
    throttle = Throttle([WEIGHT], 0.8, FakeClock(), careful=0.5)
    assert [throttle.reserve({"weight": 1}, 0.0) for _ in range(5)] == [0.0] * 4 + [60.0]


def test_a_careful_pace_widens_with_every_window_that_goes_well_up_to_the_limit() -> None:
    throttle = Throttle([PROBES], 1.0, FakeClock(), careful=0.5)
    found = [spacing(throttle, 8.0 * number) for number in range(6)]
    paces = [0.5, 0.5 * 1.25, 0.5 * 1.25**2, 0.5 * 1.25**3, 1.0, 1.0]
    assert found == pytest.approx([0.02 / pace for pace in paces])


def test_a_careful_pace_does_not_widen_within_a_window() -> None:
    throttle = Throttle([PROBES], 1.0, FakeClock(), careful=0.5)
    assert [throttle.reserve({"calls": 1}, 7.75) for _ in range(4)] == pytest.approx([7.75, 7.79, 7.83, 7.87])


def test_the_longest_window_says_when_a_careful_pace_widens() -> None:
    throttle = Throttle([PROBES, WEIGHT], 1.0, FakeClock(), careful=0.5)
    assert [spacing(throttle, now) for now in (8.0, 59.0)] == pytest.approx([0.04, 0.04])
    assert spacing(throttle, 80.0) == pytest.approx(0.032)


def test_a_refusal_brings_a_careful_pace_back_to_its_part() -> None:
    clock = FakeClock()
    throttle = Throttle([PROBES], 1.0, clock, careful=0.5)
    for number in range(5):
        spacing(throttle, 8.0 * number)
    clock.advance(40.0)
    throttle.block(RateLimited("too many", retry_after=30.0))
    assert spacing(throttle, 70.0) == pytest.approx(0.04)
    assert spacing(throttle, 78.0) == pytest.approx(0.032)


def test_after_a_refusal_a_careful_pace_waits_for_a_whole_good_window() -> None:
    clock = FakeClock()
    throttle = Throttle([PROBES], 1.0, clock, careful=0.5)
    throttle.block(RateLimited("too many", retry_after=30.0))
    assert spacing(throttle, 37.75) == pytest.approx(0.04)


def test_a_pace_that_is_not_careful_stays_at_the_limit_after_a_refusal() -> None:
    clock = FakeClock()
    throttle = Throttle([PROBES], 1.0, clock)
    throttle.block(RateLimited("too many", retry_after=30.0))
    assert spacing(throttle, 30.0) == pytest.approx(0.02)


def test_only_the_share_of_the_limit_is_used() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 0.5, clock)
    moments = [throttle.reserve({"weight": 1}, 0.0) for _ in range(6)]
    assert moments == [0.0] * 5 + [60.0]


def test_a_request_dearer_than_the_whole_budget_goes_alone_instead_of_never() -> None:
    throttle = Throttle([WEIGHT], 1.0, FakeClock())
    assert throttle.reserve({"weight": 5}, 0.0) == 0.0
    assert throttle.reserve({"weight": 25}, 0.0) == 60.0
    assert throttle.reserve({"weight": 1}, 0.0) == 120.0


def test_a_unit_that_no_limit_counts_costs_nothing() -> None:
    throttle = Throttle([WEIGHT], 1.0, FakeClock())
    assert [throttle.reserve({"orders": 1000}, 5.0) for _ in range(3)] == [5.0] * 3


def test_what_others_spent_on_this_address_is_not_spent_again() -> None:
    throttle = Throttle([WEIGHT], 1.0, FakeClock())
    throttle.learn({"weight": 8})
    assert [throttle.reserve({"weight": 1}, 0.0) for _ in range(3)] == [0.0, 0.0, 60.0]


def test_what_the_venue_reports_includes_our_own_requests() -> None:
    throttle = Throttle([WEIGHT], 1.0, FakeClock())
    throttle.reserve({"weight": 6}, 0.0)
    throttle.learn({"weight": 8})
    assert [throttle.reserve({"weight": 1}, 0.0) for _ in range(3)] == [0.0, 0.0, 60.0]


def test_a_report_below_our_own_count_or_of_another_unit_changes_nothing() -> None:
    throttle = Throttle([WEIGHT], 1.0, FakeClock())
    throttle.reserve({"weight": 9}, 0.0)
    throttle.learn({"weight": 2, "orders": 10_000})
    assert [throttle.reserve({"weight": 1}, 0.0) for _ in range(2)] == [0.0, 60.0]


def test_a_request_booked_for_later_is_not_taken_for_spent() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    assert [throttle.reserve({"weight": units}, 0.0) for units in (10, 5)] == [0.0, 60.0]
    clock.advance(30.0)
    throttle.learn({"weight": 12})
    assert throttle.reserve({"weight": 5}, 30.0) == 90.0


async def test_everybody_waits_for_the_end_of_a_refusal_and_then_keeps_to_the_budget() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    throttle.block(RateLimited("too many", retry_after=30.0))
    sent = only_sent(await sends(throttle, clock, [(0.0, {"weight": 1})] * 15))
    assert [one.moment for one in sent] == [30.0] * 10 + [90.0] * 5


async def test_who_waits_already_notices_a_refusal_made_meanwhile() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    story = await sends(
        throttle, clock, [(0.0, {"weight": 10}), (1.0, {"weight": 10})], refusals=[(50.0, 40.0)]
    )
    first, second = only_sent(story)
    assert first.moment == 0.0
    assert second.moment >= 90.0


async def test_those_who_wait_when_a_refusal_comes_keep_their_order() -> None:
    clock = FakeClock()
    throttle = Throttle([CALLS], 1.0, clock)
    story = await sends(throttle, clock, [(0.0, {"calls": 1})] * 12, refusals=[(5.0, 6.5), (15.0, 1.0)])
    sent = only_sent(story)
    assert [one.caller for one in sent] == list(range(12))
    assert all(not 5.0 <= one.moment < 11.5 and not 15.0 <= one.moment < 16.0 for one in sent)


async def test_who_waited_before_a_refusal_goes_before_who_comes_after_it() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    demand = [(start, {"weight": 10}) for start in (0.0, 1.0, 20.0)]
    sent = only_sent(await sends(throttle, clock, demand, refusals=[(5.0, 10.0)]))
    assert [(one.caller, one.moment) for one in sent] == [(0, 0.0), (1, 60.0), (2, 120.0)]


async def test_a_refusal_that_names_no_time_lasts_a_minute() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    throttle.block(RateLimited("too many"))
    await throttle.acquire({"weight": 1})
    assert clock.monotonic() == DEFAULT_BLOCK == 60.0


async def test_a_refusal_that_lasts_no_time_stops_nobody() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    throttle.block(RateLimited("too many", retry_after=0.0))
    await throttle.acquire({"weight": 1})
    assert clock.monotonic() == 0.0


async def test_a_later_and_shorter_refusal_does_not_end_a_longer_one() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    throttle.block(RateLimited("too many", retry_after=100.0))
    throttle.block(RateLimited("too many", retry_after=5.0))
    await throttle.acquire({"weight": 1})
    assert clock.monotonic() == 100.0


async def test_a_caller_is_told_of_a_refusal_that_outlasts_its_patience() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    throttle.block(Banned("binance answered 418", retry_after=PATIENCE + 500))
    clock.advance(100)
    with pytest.raises(Banned, match="binance answered 418") as caught:
        await throttle.acquire({"weight": 1})
    assert caught.value.retry_after == PATIENCE + 400
    assert clock.monotonic() == 100.0


async def test_a_refusal_as_long_as_the_patience_is_waited_for() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    throttle.block(RateLimited("too many", retry_after=PATIENCE))
    await throttle.acquire({"weight": 1})
    assert clock.monotonic() == PATIENCE


async def test_who_waits_for_budget_is_told_of_a_ban_made_meanwhile() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    await throttle.acquire({"weight": 10})
    waiting = asyncio.create_task(throttle.acquire({"weight": 10}))
    await asyncio.sleep(0)
    throttle.block(Banned("binance answered 418", retry_after=1000.0))
    with pytest.raises(Banned) as caught:
        await waiting
    assert caught.value.retry_after == 940.0


async def test_after_a_ban_is_over_requests_go_out_again() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    throttle.block(Banned("binance answered 418", retry_after=1000.0))
    clock.advance(1000.0)
    await throttle.acquire({"weight": 1})
    assert clock.monotonic() == 1000.0


async def test_after_a_ban_nobody_waits_for_those_who_gave_up() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    await throttle.acquire({"weight": 10})
    waiting = asyncio.create_task(throttle.acquire({"weight": 10}))
    await asyncio.sleep(0)
    throttle.block(Banned("binance answered 418", retry_after=1000.0))
    with pytest.raises(Banned):
        await waiting
    clock.advance(1000.0 - clock.monotonic())
    await throttle.acquire({"weight": 10})
    assert clock.monotonic() == 1000.0


def test_it_tells_which_part_of_each_limit_is_spent() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT, CALLS], 0.5, clock)
    throttle.reserve({"weight": 2}, clock.monotonic())
    assert throttle.used() == {"weight": 2 / (WEIGHT.capacity * 0.5), "calls": 0.0}
    throttle.take_part(0.5)
    assert throttle.used()["weight"] == 2 / (WEIGHT.capacity * 0.25)
    clock.advance(WEIGHT.seconds)
    assert throttle.used()["weight"] == 0.0


def test_what_is_booked_for_later_is_not_spent() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    for _ in range(2):
        throttle.reserve({"weight": WEIGHT.capacity}, clock.monotonic())
    assert throttle.used() == {"weight": 1.0}


def test_it_tells_for_how_long_nothing_is_let_out() -> None:
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    assert throttle.blocked == 0.0
    throttle.block(RateLimited("too many", retry_after=30.0))
    clock.advance(10.0)
    assert throttle.blocked == 20.0
    clock.advance(30.0)
    assert throttle.blocked == 0.0


async def test_a_caller_who_waits_for_later_takes_nothing_of_what_counts_now() -> None:
    """Its place is booked anew at its own moment; what was spent still counts for who comes before it."""
    clock = FakeClock()
    throttle = Throttle([WEIGHT], 1.0, clock)
    began = clock.monotonic()
    await throttle.acquire({"weight": 10})
    out: list[tuple[str, float]] = []

    async def call(name: str, *, urgent: bool) -> None:
        await throttle.acquire({"weight": 10}, urgent=urgent)
        out.append((name, clock.monotonic() - began))

    waiting = asyncio.create_task(call("ordinary", urgent=False))
    await asyncio.sleep(0)
    throttle.hold_off(0)
    await asyncio.gather(waiting, call("urgent", urgent=True))
    assert out == [("urgent", 60.0), ("ordinary", 120.0)]
