"""One venue's rate budget, shared by everything in this process that talks to the venue."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from backend.clock import Clock
from backend.errors import RateLimited
from backend.exchanges.base import RateLimit

PATIENCE = 120.0
"""Seconds that a caller waits for a venue that refuses everybody; beyond that it is told instead."""

DEFAULT_BLOCK = 60.0
"""Seconds to keep quiet after a refusal that names no time."""


class SlidingWindow:
    """Units spent in the last `seconds`; bookings lie in time order and may lie ahead."""

    def __init__(self, capacity: float, seconds: float) -> None:
        self._capacity = capacity
        self._seconds = seconds
        self._bookings: deque[tuple[float, float]] = deque()
        self._booked = 0.0

    def earliest(self, units: float, now: float) -> float:
        """The first moment from `now` on at which `units` more fit, behind everything booked so far."""
        self._forget(now)
        moment = max(now, self._bookings[-1][0]) if self._bookings else now
        excess = self._booked + units - self._capacity
        for booked_at, booked in self._bookings:
            if excess <= 0 and booked_at + self._seconds > moment:
                break
            moment = max(moment, booked_at + self._seconds)
            excess -= booked
        return moment

    def book(self, units: float, moment: float) -> None:
        self._bookings.append((moment, units))
        self._booked += units

    def cancel_after(self, now: float) -> None:
        """Take back what was booked for later than `now`."""
        while self._bookings and self._bookings[-1][0] > now:
            self._booked -= self._bookings.pop()[1]

    def spent(self, now: float) -> float:
        """Units of the window that ends at `now`; what is booked for later does not count."""
        self._forget(now)
        return sum(units for moment, units in self._bookings if moment <= now)

    def learn(self, units: float, now: float) -> None:
        """Book units that somebody else spent up to `now`."""
        later = [booking for booking in self._bookings if booking[0] > now]
        for _ in later:
            self._bookings.pop()
        self._bookings.append((now, units))
        self._bookings.extend(later)
        self._booked += units

    def _forget(self, now: float) -> None:
        while self._bookings and self._bookings[0][0] + self._seconds <= now:
            self._booked -= self._bookings.popleft()[1]


class Throttle:
    """Lets requests out so that no window of any limit ever holds more than `share` of its capacity.

    Windows slide: they hold for a venue that counts by wall-clock minute as for one that counts by the last
    sixty seconds. Deciding and booking happen in one step, so that no interleaving can overspend. What the
    venue reports can only tighten the budget, and a refusal stops everybody.
    """

    def __init__(self, limits: Iterable[RateLimit], share: float, clock: Clock) -> None:
        self._windows = {limit.unit: SlidingWindow(limit.capacity * share, limit.seconds) for limit in limits}
        self._clock = clock
        self._blocked_until = 0.0
        self._blocks = 0
        self._refusal = RateLimited("")

    async def acquire(self, cost: Mapping[str, int]) -> None:
        """Wait until `cost` may be spent, then return at once for the request to be sent.

        Raises the refusal that blocks the venue when it lasts for more than PATIENCE seconds.
        """
        while True:
            await self._unblocked()
            blocks = self._blocks
            moment = self.reserve(cost, self._clock.monotonic())
            await self._until(moment)
            if blocks == self._blocks:
                return

    def reserve(self, cost: Mapping[str, int], now: float) -> float:
        """Book `cost` at the earliest moment that every limit allows, and say when that is."""
        spent = [(self._windows[unit], units) for unit, units in cost.items() if unit in self._windows]
        moment = max((window.earliest(units, now) for window, units in spent), default=now)
        for window, units in spent:
            window.book(units, moment)
        return moment

    def block(self, refusal: RateLimited) -> None:
        """Let nothing out until the venue's refusal is over; everybody who waits books anew then."""
        now = self._clock.monotonic()
        self._blocks += 1
        for window in self._windows.values():
            window.cancel_after(now)
        until = now + (DEFAULT_BLOCK if refusal.retry_after is None else refusal.retry_after)
        if until > self._blocked_until:
            self._blocked_until, self._refusal = until, refusal

    def learn(self, used: Mapping[str, int]) -> None:
        """Take in what the venue says was spent: what others spent on this address counts as ours."""
        now = self._clock.monotonic()
        for unit, units in used.items():
            if (window := self._windows.get(unit)) and (excess := units - window.spent(now)) > 0:
                window.learn(excess, now)

    async def _unblocked(self) -> None:
        while (wait := self._blocked_until - self._clock.monotonic()) > 0:
            if wait > PATIENCE:
                raise type(self._refusal)(str(self._refusal), retry_after=wait)
            await self._clock.sleep(wait)

    async def _until(self, moment: float) -> None:
        while (wait := moment - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)
