"""One reading of an exchange's clock, carried on by this machine's steady one."""

from __future__ import annotations

from typing import NamedTuple

from backend.clock import Clock

LASTS = 600.0
"""Seconds for which a reading is carried on before the exchange is asked again."""

SLEPT_MS = 5_000
"""So much more passed by the wall clock than by the steady one: the machine slept, the steady one stood."""


NEAR_MS = 5_000
"""So far apart may be what says the same: requests take time, and some answers tell seconds only."""


class ClockReading(NamedTuple):
    """What the exchange told (ms), and what this machine's clocks showed when that came (ms and seconds)."""

    told: int
    wall: int
    steady: float

    def carried(self, clock: Clock) -> int:
        """The exchange's time now, ms; behind it rather than ahead."""
        return self.told + int(self._passed(clock) * 1000)

    def is_near(self, moment: int, clock: Clock) -> bool:
        """Whether another clock that shows `moment` (ms) now says the same."""
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
    """What an exchange told just now."""
    return ClockReading(told, clock.now(), clock.monotonic())
