"""Request weights of the simulator of Binance spot: counting, 429, 418."""

from __future__ import annotations

import pytest

from tests.simulator import Simulator, SimulatorClock
from tests.simulator.asking import Reply, ask
from tests.simulator.times import DAY, MINUTE, parse_instant
from tests.simulator.weights import Policy, WeightCounter

START = parse_instant("2025-06-03T12:00:15Z")


def simulator_of(weight_limit: int | None, patience: int = 10) -> Simulator:
    clock = SimulatorClock(START, frozen=True)
    return Simulator(clock=clock, weight_limit=weight_limit, patience=patience)


async def ping(simulator: Simulator) -> Reply:
    return await ask(simulator, "/api/v3/ping")


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "1"}, 2),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "1000"}, 2),
        ("/api/v3/klines", {"symbol": "wrong"}, 2),
        ("/api/v3/exchangeInfo", {}, 20),
        ("/api/v3/time", {}, 1),
        ("/api/v3/ping", {}, 1),
    ],
)
async def test_each_path_has_its_weight(path: str, params: dict[str, str], weight: int) -> None:
    async with simulator_of(6000) as simulator:
        reply = await ask(simulator, path, params)
    assert reply.headers["x-mbx-used-weight-1m"] == reply.headers["x-mbx-used-weight"] == str(weight)
    assert simulator.requests[-1].weight == weight


async def test_weight_adds_up_within_a_minute_and_restarts_at_its_edge() -> None:
    async with simulator_of(6000) as simulator:
        used = [(await ping(simulator)).headers["x-mbx-used-weight-1m"] for _ in range(3)]
        simulator.clock.set(START + MINUTE)
        used.append((await ping(simulator)).headers["x-mbx-used-weight-1m"])
    assert used == ["1", "2", "3", "1"]


async def test_weight_over_the_limit_is_refused_until_the_minute_ends() -> None:
    async with simulator_of(2) as simulator:
        passed = [(await ping(simulator)).status for _ in range(2)]
        refused = await ping(simulator)
        simulator.clock.set(START - START % MINUTE + MINUTE)
        later = await ping(simulator)
    assert (passed, refused.status, later.status) == ([200, 200], 429, 200)
    assert refused.headers["retry-after"] == "45"
    assert refused.headers["x-mbx-used-weight-1m"] == "3"
    assert refused.json["code"] == -1003
    assert refused.json["msg"].startswith(
        "Too much request weight used; current limit is 2 request weight per 1 MINUTE."
    )


async def test_who_goes_on_after_429_is_banned() -> None:
    async with simulator_of(1, patience=2) as simulator:
        statuses = [(await ping(simulator)).status for _ in range(4)]
        banned = await ping(simulator)
    end = START + 2 * MINUTE
    assert statuses == [200, 429, 429, 418]
    assert (banned.status, banned.headers["retry-after"]) == (418, "120")
    assert banned.json["code"] == -1003
    assert banned.json["msg"].startswith(f"Way too much request weight used; IP banned until {end}.")


async def test_a_ban_outlasts_the_minute_and_ends_when_it_says() -> None:
    async with simulator_of(1, patience=0) as simulator:
        for _ in range(2):
            await ping(simulator)
        simulator.clock.set(START + 2 * MINUTE - 1)
        during = await ping(simulator)
        simulator.clock.set(START + 2 * MINUTE)
        after = await ping(simulator)
    assert (during.status, during.headers["retry-after"], after.status) == (418, "1", 200)


async def test_without_a_limit_weight_is_counted_but_never_refused() -> None:
    async with simulator_of(None) as simulator:
        replies = [await ask(simulator, "/api/v3/exchangeInfo") for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert replies[-1].headers["x-mbx-used-weight-1m"] == "60"


def test_bans_double_up_to_three_days() -> None:
    clock = SimulatorClock(START, frozen=True)
    counter = WeightCounter(Policy(limit=0, patience=0), clock)
    lengths = []
    for _ in range(13):
        refusal = counter.take(1)
        assert refusal is not None
        assert refusal.banned_until is not None
        lengths.append(refusal.banned_until - clock.now())
        clock.set(refusal.banned_until)
    assert lengths[:3] == [2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert lengths[-1] == 3 * DAY
