"""The spent part of a limit, in a window that slides over all bookings."""

from __future__ import annotations

from collections import deque

SHORT_WINDOW = 10.0
"""In windows up to this length (seconds) requests are spread evenly."""


class SlidingWindow:
    """Units spent in the last `seconds`; bookings lie in time order and may lie ahead.

    In a short window requests are spread evenly. Otherwise a burst at the end of a window and one at the
    start of the next could arrive together, if the first is slower on the way.
    """

    def __init__(self, capacity: float, seconds: float) -> None:
        self.capacity = capacity
        self.seconds = seconds
        self._bookings: deque[tuple[float, float]] = deque()
        self._booked = 0.0

    def earliest(self, units: float, begin: float, pace: float = 1.0) -> float:
        """The first moment from `begin` on at which `units` more fit, behind everything booked so far.

        `pace` is the part of the capacity to use. Nothing is forgotten here: the next caller may start before
        `begin`, and then earlier spending counts.
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
        """Count `units` at `moment`. It may be before other bookings: `earliest` counted all of them as if
        they were in the same window."""
        later = []
        while self._bookings and self._bookings[-1][0] > moment:
            later.append(self._bookings.pop())
        self._bookings.append((moment, units))
        self._bookings.extend(reversed(later))
        self._booked += units

    def cancel_after(self, now: float) -> None:
        """Cancel bookings later than `now`."""
        while self._bookings and self._bookings[-1][0] > now:
            self._booked -= self._bookings.pop()[1]

    def spent(self, now: float) -> float:
        """Units in the window that ends at `now`; later bookings do not count."""
        self.forget(now)
        return sum(units for moment, units in self._bookings if moment <= now)

    def forget(self, now: float) -> None:
        """Forget bookings that no window from `now` on contains."""
        while self._bookings and self._bookings[0][0] + self.seconds <= now:
            self._booked -= self._bookings.popleft()[1]
