"""Many follows that come back together: each gets its newest minutes first, and no exchange refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from backend.app import open_service
from backend.clock import Clock
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE
from backend.settings import Settings
from tests.conftest import NOW
from tests.following import PACE, HandClock, until_complete
from tests.simulator import Simulator, SimulatorClock, synthetic_market

MANY = [Series("binance", "spot", f"C{number}USDT") for number in range(150)]
CLOSED = NOW - NOW % MINUTE


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Binance with its limits and many coins, whose clock hurries."""
    coins = [
        synthetic_market(
            series.symbol.removesuffix("USDT"),
            "USDT",
            "2025-05-01",
            price=100,
            volume=50,
            decimals=(2, 3),
        )
        for series in MANY
    ]
    simulated = Simulator(coins, clock=SimulatorClock(NOW, speed=PACE))
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    return HandClock(simulator)


@pytest.mark.timeout(900)
async def test_each_gets_its_newest_hour_first_and_none_is_refused(
    settings: Settings, simulator: Simulator, clock: Clock
) -> None:
    async with open_service(settings, clock) as service:
        await service.following.follows.add(MANY, CLOSED - 10 * MINUTE)
        await until_complete(service, simulator)
    simulator.clock.advance(5 * HOUR)
    back, before = simulator.clock.now(), len(simulator.requests)
    async with open_service(settings, clock) as service:
        await until_complete(service, simulator)
    requests = list(simulator.requests)
    assert {request.status for request in requests} == {200}
    first: dict[str, int] = {}
    for request in requests[before:]:
        if "symbol" in request.params:
            first.setdefault(request.params["symbol"], int(request.params["startTime"]))
    assert first.keys() == {series.symbol for series in MANY}
    assert all(start > back - 2 * HOUR for start in first.values())
