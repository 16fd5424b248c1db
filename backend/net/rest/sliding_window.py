"""How much of a limit is spent in each window of time that slides over all bookings."""

from __future__ import annotations

from collections import deque

SHORT_WINDOW = 10.0
"""Seconds up to which a limit's requests are spread evenly over its window."""


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

    def earliest(self, units: float, begin: float, pace: float = 1.0) -> float:
        """The first moment from `begin` on at which `units` more fit, behind everything booked so far.

        `pace` is the part of the capacity to use. Nothing is forgotten here: who comes next may be let out
        before `begin`, and what was spent before counts for that.
        """
        capacity = self.capacity * pace
        moment = begin
        if self._bookings:
            last, booked = self._bookings[-1]
            spread = booked * self.seconds / capacity if self.seconds <= SHORT_WINDOW else 0.0
            moment = max(begin, last + spread)
        excess = self._booked + units - capacity
        for booked_at, booked in self._bookings:
            if excess <= 0 and booked_at + self.seconds > moment:
                break
            moment = max(moment, booked_at + self.seconds)
            excess -= booked
        return moment

    def book(self, units: float, moment: float) -> None:
        """Count `units` at `moment`. It may lie before what is booked already: `earliest` counted all of that
        as if it lay in the same window."""
        later = []
        while self._bookings and self._bookings[-1][0] > moment:
            later.append(self._bookings.pop())
        self._bookings.append((moment, units))
        self._bookings.extend(reversed(later))
        self._booked += units

    def cancel_after(self, now: float) -> None:
        """Take back what was booked for later than `now`."""
        while self._bookings and self._bookings[-1][0] > now:
            self._booked -= self._bookings.pop()[1]

    def spent(self, now: float) -> float:
        """Units of the window that ends at `now`; what is booked for later does not count."""
        self.forget(now)
        return sum(units for moment, units in self._bookings if moment <= now)

    def forget(self, now: float) -> None:
        """Count no more what no window from `now` on holds."""
        while self._bookings and self._bookings[0][0] + self.seconds <= now:
            self._booked -= self._bookings.popleft()[1]
