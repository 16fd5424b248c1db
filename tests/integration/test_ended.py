"""Symbols that an exchange has ended: told as such, looked for once a day, and back as soon as they are."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from backend.clock import Clock
from backend.core.follow import Standing, State
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE
from backend.services.following.keeper import ENDED_PAUSE
from backend.services.following.visits import REFUSALS
from backend.services.service import Service
from tests.conftest import NOW
from tests.following import PACE, HandClock, until
from tests.simulator import Simulator, SimulatorClock, default_markets
from tests.simulator.bitget_rules import BitgetRules

CLOSED = NOW - NOW % MINUTE
SINCE = CLOSED - 10 * MINUTE
LAST = CLOSED + 4 * MINUTE
"""The last minute of what is delisted."""

DAY = 24 * HOUR
SPOT = Series("binance", "spot", "BTCUSDT")
CONTRACT = Series("bitget", "perpetual", "BTCUSDT")


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges without limits, whose clock hurries. Contracts end soon, and are unknown an hour later."""
    markets = [one.until(LAST + MINUTE) if one.kind == "perpetual" else one for one in default_markets()]
    simulated = Simulator(markets=markets, clock=SimulatorClock(NOW, speed=PACE), limits=False)
    simulated.faults.quirks.bitget = BitgetRules(removed_after=HOUR)
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    return HandClock(simulator)


async def standing(service: Service) -> Standing:
    [found] = await service.following.follows.all()
    return found


async def until_it_is(state: State, service: Service) -> Standing:
    async def is_so() -> bool:
        return (await standing(service)).state == state

    await until(is_so)
    return await standing(service)


async def until_held(service: Service, simulator: Simulator) -> None:
    """Let LAST pass, and wait until it is held."""
    simulator.clock.set(LAST + 2 * MINUTE)

    async def is_held() -> bool:
        return (await standing(service)).last_minute == LAST

    await until(is_held)


async def until_visited(service: Service, moment: int) -> Standing:
    """Wait for a visit after `moment` (ms) that went well."""

    async def is_so() -> bool:
        return ((await standing(service)).follow.checked or 0) > moment

    await until(is_so)
    return await standing(service)


async def test_a_series_that_is_not_listed_and_silent_for_a_day_has_ended_until_it_comes_back(
    service: Service, simulator: Simulator
) -> None:
    await service.following.follows.add([SPOT], SINCE)
    await until_it_is("live", service)
    simulator.faults.outages = [(LAST + MINUTE, LAST + 30 * DAY)]
    simulator.faults.unlisted = ["BTCUSDT"]
    await until_held(service, simulator)
    simulator.clock.advance(2 * HOUR)
    assert (await until_visited(service, simulator.clock.now())).state != "ended"
    simulator.clock.advance(DAY)
    found = await until_it_is("ended", service)
    assert (found.last_minute, found.lag, found.follow.failures) == (LAST, None, 0)
    simulator.faults.outages = []
    simulator.clock.advance(int(ENDED_PAUSE * 1000))
    found = await until_it_is("live", service)
    assert (found.last_minute or 0) > LAST


async def test_a_series_that_is_listed_as_traded_has_not_ended_however_long_it_is_silent(
    service: Service, simulator: Simulator
) -> None:
    await service.following.follows.add([SPOT], SINCE)
    await until_it_is("live", service)
    simulator.faults.outages = [(LAST + MINUTE, LAST + 30 * DAY)]
    await until_held(service, simulator)
    simulator.clock.advance(3 * DAY)
    await until_visited(service, simulator.clock.now())
    assert (await until_it_is("live", service)).last_minute == LAST


async def test_a_series_that_its_exchange_knows_no_more_has_ended_and_is_quiet_about_it(
    service: Service, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    await service.following.follows.add([CONTRACT], SINCE)
    await until_it_is("live", service)

    def warnings() -> int:
        return sum(record.levelno >= logging.WARNING for record in caplog.records)

    await until_held(service, simulator)
    simulator.clock.advance(2 * HOUR)
    found = await until_it_is("ended", service)
    assert (found.last_minute, found.lag, found.follow.failure) == (LAST, None, None)
    assert warnings() == REFUSALS
    for _ in range(2):
        moment = simulator.clock.now()
        simulator.clock.advance(int(ENDED_PAUSE * 1000))
        assert (await until_visited(service, moment)).state == "ended"
    assert warnings() == REFUSALS
