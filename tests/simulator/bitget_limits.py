"""Bitget's request limits: 20 a second for each endpoint, 6000 a minute over everything.

Source: https://www.bitget.com/api-doc/common/intro (rate limits). Going over the second is forgiven with the
next one; going over the minute is refused for five minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulator.bitget_rules import BitgetRules
from tests.simulator.clock import SimulatorClock
from tests.simulator.times import MINUTE

SECOND = 1000
UNLIMITED = 1_000_000_000
"""Counts as the limit when none is in force."""


@dataclass(slots=True)
class Window:
    """Requests in the current stretch of the clock, `length` ms long and aligned to the epoch."""

    length: int
    number: int = -1
    used: int = 0

    def take(self, now: int) -> int:
        """Count a request and return how many there are in the stretch that holds `now` (ms UTC)."""
        if now // self.length != self.number:
            self.number, self.used = now // self.length, 0
        self.used += 1
        return self.used


@dataclass(slots=True)
class BitgetLimits:
    """Count one caller's requests by rules that may change meanwhile."""

    rules: Callable[[], BitgetRules]
    clock: SimulatorClock
    _endpoints: dict[str, Window] = field(default_factory=dict)
    _minute: Window = field(default_factory=lambda: Window(MINUTE))
    _blocked_until: int = 0

    def take(self, endpoint: str) -> int | None:
        """Count a request; return how many more the endpoint takes in this second, None to refuse it."""
        rules, now = self.rules(), self.clock.now()
        used = self._endpoints.setdefault(endpoint, Window(SECOND)).take(now)
        if self._minute.take(now) > (rules.all or UNLIMITED):
            self._blocked_until = now + rules.block
        left = (rules.each or UNLIMITED) - used
        return None if left < 0 or now < self._blocked_until else left
