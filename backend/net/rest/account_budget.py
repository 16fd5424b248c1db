"""The limits that a venue counts for one account, besides those of the address. A call waits here first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from backend.clock import Clock
from backend.errors import RateLimited
from backend.exchanges.base import RateLimit
from backend.net.rest.sliding_window import SlidingWindow

PATIENCE = 120.0
"""Longest time that a caller waits while a venue refuses everybody. Beyond that the caller gets the error."""


def refuse_a_long_wait(wait: float, refusal: RateLimited) -> None:
    """Raise the refusal if everybody would have to wait for more than PATIENCE seconds."""
    if wait > PATIENCE:
        raise type(refusal)(str(refusal), retry_after=wait)


class AccountBudget:
    """A caller that waits here is not in the address's queue yet. So an account with a full budget, or a
    refused one, delays nobody else.

    Callers that spend from the same limits wait in one line. Venues limit each path of an account by itself:
    a full path delays no call of another.
    """

    def __init__(self, limits: Sequence[RateLimit], share: float, clock: Clock) -> None:
        self._windows = {limit.unit: SlidingWindow(limit.capacity * share, limit.seconds) for limit in limits}
        self._clock = clock
        self._lines: dict[frozenset[str], list[_Place]] = {}
        self._refusal = RateLimited("")
        self.blocked_until = 0.0

    async def room_for(self, cost: Mapping[str, int], *, urgent: bool) -> None:
        """Wait for the first place in the line, and for room. Urgent callers come before all others.

        The caller must book before it awaits anything: the next in the line takes the room.
        """
        line = self._lines.setdefault(frozenset(self._windows.keys() & cost.keys()), [])
        place = _Place(urgent)
        ahead = len([one for one in line if one.urgent]) if urgent else len(line)
        line.insert(ahead, place)
        try:
            while True:
                refuse_a_long_wait(self.blocked_until - self._clock.monotonic(), self._refusal)
                if line[0] is not place:
                    await place.called.wait()
                elif (wait := self._moment(cost) - self._clock.monotonic()) > 0:
                    await self._clock.sleep(wait)
                else:
                    return
                place.called.clear()
        finally:
            line.remove(place)
            if line:
                line[0].called.set()

    def block(self, refusal: RateLimited, until: float) -> None:
        """Let nothing out until then."""
        if until > self.blocked_until:
            self.blocked_until, self._refusal = until, refusal

    def spent_by(self, cost: Mapping[str, int]) -> Iterator[tuple[SlidingWindow, int]]:
        """The windows that count units of `cost`, and how many."""
        for unit, units in cost.items():
            if window := self._windows.get(unit):
                yield window, units

    def cancel_after(self, now: float) -> None:
        """Cancel bookings later than `now`."""
        for window in self._windows.values():
            window.cancel_after(now)

    def _moment(self, cost: Mapping[str, int]) -> float:
        now = self._clock.monotonic()
        begin = max(now, self.blocked_until)
        for window, _units in self.spent_by(cost):
            window.forget(now)
        return max((window.earliest(units, begin) for window, units in self.spent_by(cost)), default=begin)


class _Place:
    """A place in the line; `called` when it may have become the first one."""

    def __init__(self, urgent: bool) -> None:
        self.urgent = urgent
        self.called = asyncio.Event()
