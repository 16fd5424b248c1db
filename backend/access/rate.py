"""How many requests one caller may send: a burst of a minute's worth, or evenly ever after (GCRA).

https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm: one number a caller is all there is to remember.
"""

from __future__ import annotations

MINUTE = 60.0
MOST_CALLERS = 10_000
TOLERANCE = 1e-6
"""Seconds that rounding may make of nothing."""


class ClientRateLimit:
    """`per_minute` requests of each caller, 0 for any number. Callers long silent are forgotten first.

    Remembers for each caller when its whole minute's worth will be free again, in seconds.
    """

    def __init__(self, per_minute: int, most_callers: int = MOST_CALLERS) -> None:
        self._per_minute = per_minute
        self._most_callers = most_callers
        self._free: dict[str, float] = {}

    def spend(self, caller: str, now: float) -> float:
        """0 where `caller` may send a request now, which counts; else the seconds until it may."""
        if not self._per_minute:
            return 0.0
        step = MINUTE / self._per_minute
        free = max(self._free.pop(caller, now), now)
        wait = free + step - MINUTE - now
        admitted = wait <= TOLERANCE
        self._free[caller] = free + step if admitted else free
        if len(self._free) > self._most_callers:
            del self._free[next(iter(self._free))]
        return 0.0 if admitted else wait

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._free)
