"""Follows in tests: hurried time that is moved on by hand, and waiting until all is complete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from backend.clock import SystemClock
from backend.core.windows import MINUTE
from backend.services.service import Service
from tests.simulator import Simulator

PATIENCE = 300.0
SLOWING = 0.99
"""How time slows down each time that something is found incomplete: half after four seconds."""

PACE = 20.0
"""Simulated seconds in a real one."""


class HandClock(SystemClock):
    """Shows the simulated exchanges' time, which runs at the simulator's speed and can be moved on.

    Where that time stands still, the service's waits end at `pace`.
    """

    def __init__(self, simulator: Simulator, pace: float = PACE) -> None:
        self._simulator = simulator
        self._pace = pace

    def now(self) -> int:
        return self._simulator.clock.now()

    def monotonic(self) -> float:
        return self.now() / 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / (self._simulator.clock.speed or self._pace))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.05)


async def until_complete(service: Service, simulator: Simulator) -> int:
    """Wait until every follow holds all up to the minute that is the last closed one now; the end of it.

    A slow machine may need longer for a minute of all series than the minute takes. So time goes slower and
    slower until all is complete, and then as before.
    """
    clock = simulator.clock
    end, speed = clock.now() // MINUTE * MINUTE, clock.speed
    try:
        async with asyncio.timeout(PATIENCE):
            while behind := await followed_but_behind(service, end):
                await asyncio.sleep(0.05)
                if clock.speed > 1:
                    clock.run(clock.speed * SLOWING)
    except TimeoutError:
        raise AssertionError(f"not complete: {behind}") from None
    clock.run(speed)
    return end


async def followed_but_behind(service: Service, end: int) -> list[str]:
    """The follows that are not live, or that lack a minute before `end`, in words."""
    behind = []
    for one in await service.following.follows.all():
        known = await service.reading.queries.known(one.follow.series)
        lacking = known.lacking(known.expected)
        if (one.last_minute or 0) + MINUTE < end or one.state != "live" or lacking:
            behind.append(f"{one.follow.series.name}: {one.state} to {one.last_minute}, lacks {lacking}")
    return behind
