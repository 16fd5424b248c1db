"""Follows in tests: hurried time that is moved on by hand, and waiting until all is complete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from backend.clock import SystemClock
from backend.core.windows import MINUTE
from backend.services.service import Service
from tests.simulator import Simulator

PATIENCE = 300.0


PACE = 20.0
"""Simulated seconds in a real one."""


class HandClock(SystemClock):
    """Shows the simulated exchanges' time, which runs at `pace` and can be moved on."""

    def __init__(self, simulator: Simulator, pace: float = PACE) -> None:
        self._simulator = simulator
        self._pace = pace

    def now(self) -> int:
        return self._simulator.clock.now()

    def monotonic(self) -> float:
        return self.now() / 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._pace)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until it holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.05)


async def until_complete(service: Service, simulator: Simulator) -> int:
    """Wait until every follow holds all up to the minute that is the last closed one now; the end of it."""
    end = simulator.clock.now() // MINUTE * MINUTE

    async def complete() -> bool:
        for one in await service.following.follows.all():
            if (one.last_minute or 0) + MINUTE < end or one.state != "live":
                return False
            known = await service.reading.queries.known(one.follow.series)
            if known.lacking(known.expected):
                return False
        return True

    await until(complete)
    return end
