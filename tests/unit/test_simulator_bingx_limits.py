"""Request limits of BingX in the simulator: windows by endpoint, a block, a ban."""

from __future__ import annotations

from tests.simulator import BingxRules, Faults, Quirks, Simulator, SimulatorClock
from tests.simulator.asking import Reply, ask
from tests.simulator.times import MINUTE, parse_instant

START = parse_instant("2025-06-03T12:00:03Z")
WINDOW = 10_000


def simulator_of(rules: BingxRules, *, limits: bool = True) -> Simulator:
    faults = Faults(quirks=Quirks(bingx=rules))
    return Simulator(clock=SimulatorClock(START, frozen=True), faults=faults, limits=limits)


async def swap_time(simulator: Simulator) -> Reply:
    return await ask(simulator, "/openApi/swap/v2/server/time")


async def spot_time(simulator: Simulator) -> Reply:
    return await ask(simulator, "/openApi/spot/v1/server/time")


def left(reply: Reply) -> tuple[str, str]:
    return reply.headers["x-ratelimit-requests-remain"], reply.headers["x-ratelimit-requests-expire"]


async def test_headers_count_the_requests_and_the_milliseconds_that_are_left() -> None:
    async with simulator_of(BingxRules()) as simulator:
        first = await swap_time(simulator)
        simulator.clock.advance(4000)
        second = await swap_time(simulator)
    assert (left(first), left(second)) == (("499", "10000"), ("498", "6000"))


async def test_a_window_begins_with_its_first_request() -> None:
    async with simulator_of(BingxRules()) as simulator:
        await swap_time(simulator)
        simulator.clock.advance(WINDOW + 1)
        assert left(await swap_time(simulator)) == ("499", "10000")


async def test_each_endpoint_has_a_window_of_its_own_unless_pooled() -> None:
    async with simulator_of(BingxRules()) as simulator:
        await swap_time(simulator)
        own = await spot_time(simulator)
    async with simulator_of(BingxRules(pooled=True)) as simulator:
        await swap_time(simulator)
        pooled = await spot_time(simulator)
    assert (left(own)[0], left(pooled)[0]) == ("499", "498")


async def test_over_the_limit_the_endpoint_is_blocked_for_five_minutes() -> None:
    async with simulator_of(BingxRules(limit=2)) as simulator:
        statuses = [(await swap_time(simulator)).status for _ in range(2)]
        refused = await swap_time(simulator)
        other = await spot_time(simulator)
        simulator.clock.advance(WINDOW)
        still = await swap_time(simulator)
        simulator.clock.advance(5 * MINUTE - WINDOW - 1)
        nearly = await swap_time(simulator)
        simulator.clock.advance(1)
        after = await swap_time(simulator)
    assert (statuses, refused.status, refused.json["code"]) == ([200, 200], 429, 100410)
    assert left(refused) == ("0", "10000")
    assert "retry-after" not in refused.headers
    assert [reply.status for reply in (other, still, nearly, after)] == [200, 429, 429, 200]


async def test_without_a_block_the_refusal_ends_with_the_window() -> None:
    async with simulator_of(BingxRules(limit=1, block=0)) as simulator:
        statuses = [(await swap_time(simulator)).status for _ in range(3)]
        simulator.clock.advance(WINDOW)
        statuses.append((await swap_time(simulator)).status)
    assert statuses == [200, 429, 429, 200]


async def test_a_refusal_may_come_with_http_200() -> None:
    async with simulator_of(BingxRules(limit=1, refusal_status=200)) as simulator:
        await swap_time(simulator)
        refused = await swap_time(simulator)
    assert (refused.status, refused.json["code"]) == (200, 100410)


async def test_who_goes_on_is_banned_from_every_endpoint() -> None:
    async with simulator_of(BingxRules(limit=1, patience=2)) as simulator:
        statuses = [(await swap_time(simulator)).status for _ in range(4)]
        elsewhere = (await spot_time(simulator)).status
        simulator.clock.advance(5 * MINUTE)
        after = [(await spot_time(simulator)).status, (await swap_time(simulator)).status]
    assert (statuses, elsewhere, after) == ([200, 429, 429, 418], 418, [200, 200])


async def test_without_limits_nothing_is_refused() -> None:
    async with simulator_of(BingxRules(limit=1), limits=False) as simulator:
        switched_off = [(await swap_time(simulator)).status for _ in range(3)]
    async with simulator_of(BingxRules(limit=None)) as simulator:
        unlimited = [(await swap_time(simulator)).status for _ in range(3)]
    assert (switched_off, unlimited) == ([200] * 3, [200] * 3)
