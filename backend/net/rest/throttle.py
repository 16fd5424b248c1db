"""One venue's rate budget, shared by everything in this process that talks to the venue."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.clock import Clock
from backend.errors import Banned, MarketDataError, RateLimited
from backend.exchanges.base import RateLimit

PATIENCE = 120.0
"""Seconds that a caller waits for a venue that refuses everybody; beyond that it is told instead."""

SHORT_WINDOW = 10.0
"""Seconds up to which a limit's requests are spread evenly over its window."""

WIDENING = 1.25
"""By how much a careful pace grows after each window without a refusal."""

DEFAULT_BLOCK = 60.0
"""Seconds to keep quiet after a refusal that names no time."""

LONGEST_REFUSAL = 900.0
LONGEST_BAN = 3 * 86_400.0
"""Seconds after which a venue that refuses, and one that bans, is asked again whatever time it named. Windows
of limits are minutes long; Binance documents bans of two minutes to three days, the others name no time."""


def sane_wait(failure: MarketDataError) -> float | None:
    """The seconds that a venue says to wait, as far as they can be true."""
    if failure.retry_after is None:
        return None
    return min(failure.retry_after, LONGEST_BAN if isinstance(failure, Banned) else LONGEST_REFUSAL)


class SlidingWindow:
    """Units spent in the last `seconds`; bookings lie in time order and may lie ahead.

    In a short window requests are spread evenly: a burst at its end and one at the beginning of the next
    could otherwise meet at the venue, when the first travels slower.
    """

    def __init__(self, capacity: float, seconds: float) -> None:
        self.capacity = capacity
        self.seconds = seconds
        self._bookings: deque[tuple[float, float]] = deque()
        self._booked = 0.0

    def earliest(self, units: float, now: float, pace: float = 1.0) -> float:
        """The first moment from `now` on at which `units` more fit, behind everything booked so far.

        `pace` is the part of the capacity to use.
        """
        self._forget(now)
        capacity = self.capacity * pace
        moment = now
        if self._bookings:
            last, booked = self._bookings[-1]
            spread = booked * self.seconds / capacity if self.seconds <= SHORT_WINDOW else 0.0
            moment = max(now, last + spread)
        excess = self._booked + units - capacity
        for booked_at, booked in self._bookings:
            if excess <= 0 and booked_at + self.seconds > moment:
                break
            moment = max(moment, booked_at + self.seconds)
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
        while self._bookings and self._bookings[0][0] + self.seconds <= now:
            self._booked -= self._bookings.popleft()[1]


@dataclass(slots=True, eq=False)
class _Waiter:
    """Somebody who waits for a booked moment, which may be moved to a later one."""

    cost: Mapping[str, int]
    moment: float


class Throttle:
    """Lets requests out so that no window of any limit ever holds more than `share` of its capacity.

    Windows slide: they hold for a venue that counts by wall-clock minute as for one that counts by the last
    sixty seconds. Deciding and booking happen in one step, so that no interleaving can overspend. What the
    venue reports can only tighten the budget, and a refusal stops everybody. A venue whose counting is not
    certain is begun with the part `careful` of its limits; the part grows with every window that goes well,
    and a refusal brings it back.
    """

    def __init__(self, limits: Sequence[RateLimit], share: float, clock: Clock, careful: float = 1.0) -> None:
        self._windows = {limit.unit: SlidingWindow(limit.capacity * share, limit.seconds) for limit in limits}
        self._longest = max(limit.seconds for limit in limits)
        self._careful = self._pace = careful
        self._paced_at = clock.monotonic()
        self._clock = clock
        self._blocked_until = 0.0
        self._waiters: list[_Waiter] = []
        self._refusal = RateLimited("")
        self._parts: list[tuple[float, float]] = [(clock.monotonic(), 1.0)]

    @property
    def longest(self) -> float:
        """Seconds after which nothing of what was spent counts any more."""
        return self._longest

    @property
    def blocked(self) -> float:
        """Seconds for which nothing is let out; 0 when the venue does not refuse."""
        return max(0.0, self._blocked_until - self._clock.monotonic())

    def used(self) -> dict[str, float]:
        """For each unit, the part spent of what may be spent; above 1 where others spend as well."""
        now = self._clock.monotonic()
        return {
            unit: window.spent(now) / (window.capacity * self._pace * self._part(window, now))
            for unit, window in self._windows.items()
        }

    async def acquire(self, cost: Mapping[str, int]) -> None:
        """Wait until `cost` may be spent, then return at once for the request to be sent.

        Who comes first goes first. Raises the refusal that blocks the venue when it lasts for more than
        PATIENCE seconds.
        """
        self._refuse_a_long_wait()
        waiter = _Waiter(cost, self.reserve(cost, self._clock.monotonic()))
        self._waiters.append(waiter)
        try:
            while (wait := waiter.moment - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
                self._refuse_a_long_wait()
        except BaseException:
            self._waiters.remove(waiter)
            self._book_anew(self._clock.monotonic())
            raise
        self._waiters.remove(waiter)

    def reserve(self, cost: Mapping[str, int], now: float) -> float:
        """Book `cost` at the earliest moment that every limit allows, and say when that is."""
        self._widen(now)
        return self._book(cost, now)

    def _book(self, cost: Mapping[str, int], now: float) -> float:
        begin = max(now, self._blocked_until)
        spent = [(self._windows[unit], units) for unit, units in cost.items() if unit in self._windows]
        moment = max(
            (window.earliest(units, begin, self._pace * self._part(window, now)) for window, units in spent),
            default=begin,
        )
        for window, units in spent:
            window.book(units, moment)
        return moment

    def block(self, refusal: RateLimited) -> None:
        """Let nothing out until the venue's refusal is over; who waits already keeps the order."""
        now = self._clock.monotonic()
        until = now + (DEFAULT_BLOCK if refusal.retry_after is None else refusal.retry_after)
        if until > self._blocked_until:
            self._blocked_until, self._refusal = until, refusal
        self._pace, self._paced_at = self._careful, self._blocked_until
        self._book_anew(now)

    def learn(self, used: Mapping[str, int]) -> None:
        """Take in what the venue says was spent on this address.

        What others spent counts as ours, but for what is theirs to spend.
        """
        now = self._clock.monotonic()
        for unit, units in used.items():
            if window := self._windows.get(unit):
                theirs = window.capacity * (1 - self._part(window, now))
                if (excess := units - window.spent(now) - theirs) > 0:
                    window.learn(excess, now)

    def take_part(self, part: float) -> None:
        """Spend only this part of the budget from now on: others share it.

        A smaller part counts at once. A larger one counts when what others spent before is out of the window.
        """
        if part == self._parts[-1][1]:
            return
        now = self._clock.monotonic()
        self._parts = [*self._in_force(now - self._longest), (now, part)]
        self._book_anew(now)

    def hold_off(self, seconds: float) -> None:
        """Let nothing out for some seconds: others have yet to learn that we are here."""
        self._blocked_until = max(self._blocked_until, self._clock.monotonic() + seconds)
        self._book_anew(self._clock.monotonic())

    def _part(self, window: SlidingWindow, now: float) -> float:
        """The smallest part that was ours during the window that ends now."""
        return min(part for _, part in self._in_force(now - window.seconds))

    def _in_force(self, since: float) -> list[tuple[float, float]]:
        """The parts that were ours at `since` or later, each with the moment it began."""
        begun = [number for number, (moment, _) in enumerate(self._parts) if moment <= since]
        return self._parts[begun[-1] if begun else 0 :]

    def _book_anew(self, now: float) -> None:
        """Book for all who wait once more, in their order, and for nobody earlier than it was.

        They sleep until the moment they knew of: an earlier one would be booked but not used.
        """
        for window in self._windows.values():
            window.cancel_after(now)
        for waiter in self._waiters:
            waiter.moment = self._book(waiter.cost, max(now, waiter.moment))

    def _refuse_a_long_wait(self) -> None:
        wait = self._blocked_until - self._clock.monotonic()
        if wait > PATIENCE:
            raise type(self._refusal)(str(self._refusal), retry_after=wait)

    def _widen(self, now: float) -> None:
        if self._pace < 1.0 and now - self._paced_at >= self._longest:
            self._pace, self._paced_at = min(self._pace * WIDENING, 1.0), now
