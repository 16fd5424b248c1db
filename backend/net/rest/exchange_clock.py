"""An exchange's clock: read from time to time, continued by this machine's monotonic clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from backend.clock import Clock

LASTS = 600.0
"""Seconds after which the exchange is asked again."""

SLEPT_MS = 5_000
"""If the wall clock gains this much on the monotonic clock, the machine slept."""


NEAR_MS = 5_000
"""Two clocks agree within this distance: requests take time, and some answers have only seconds."""


class ClockReading(NamedTuple):
    """The exchange's time (ms), and this machine's clocks when the answer came (ms and seconds)."""

    told: int
    wall: int
    steady: float

    def carried(self, clock: Clock) -> int:
        """The exchange's time now, ms; if inexact, late rather than early."""
        return self.told + int(self._passed(clock) * 1000)

    def is_near(self, moment: int, clock: Clock) -> bool:
        """Whether another clock with the time `moment` (ms) agrees."""
        return abs(self.carried(clock) - moment) < NEAR_MS

    def is_old(self, clock: Clock) -> bool:
        """Whether it is time to ask again."""
        return self._passed(clock) > LASTS

    def is_wrong(self, clock: Clock) -> bool:
        """Whether the machine slept since. A wall clock that was set back says nothing about that."""
        return clock.now() - self.wall - self._passed(clock) * 1000 > SLEPT_MS

    def _passed(self, clock: Clock) -> float:
        return clock.monotonic() - self.steady


def read_now(told: int, clock: Clock) -> ClockReading:
    """A reading of an exchange's time just now."""
    return ClockReading(told, clock.now(), clock.monotonic())


class ExchangeClock:
    """An exchange's time. `ask` asks the exchange for it, in ms."""

    def __init__(self, ask: Callable[[], Awaitable[int]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._reading: ClockReading | None = None

    async def now(self) -> int:
        """The exchange's time in ms, never ahead of it."""
        reading = self._reading
        if reading is None or reading.is_old(self._clock) or reading.is_wrong(self._clock):
            reading = self._reading = await self._read()
        return reading.carried(self._clock)

    def known_now(self) -> int | None:
        """The same without a request; None if it was never read, or not since this machine slept."""
        reading = self._reading
        return None if reading is None or reading.is_wrong(self._clock) else reading.carried(self._clock)

    def forget(self) -> None:
        """Ask the exchange again when its time is needed next."""
        self._reading = None

    async def _read(self) -> ClockReading:
        """One answer is enough if this machine's clock agrees. Otherwise two answers must agree.

        If three answers all differ, the middle one counts: it is neither an old answer nor an early one.
        """
        told = [await self._told()]
        if not told[0].is_near(self._clock.now(), self._clock):
            told.append(await self._told())
            if not told[0].is_near(told[1].carried(self._clock), self._clock):
                told.append(await self._told())
        return sorted(told, key=lambda reading: reading.carried(self._clock))[(len(told) - 1) // 2]

    async def _told(self) -> ClockReading:
        return read_now(await self._ask(), self._clock)
