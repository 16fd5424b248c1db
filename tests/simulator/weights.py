"""Request weight by the minute of the clock, refusals for too much of it, and bans for going on."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulator.clock import SimulatorClock
from tests.simulator.times import DAY, MINUTE


@dataclass(frozen=True, slots=True)
class Refusal:
    """Too much weight: seconds until the caller may come back; a ban's end in ms UTC, None when it is no
    ban."""

    retry_after: int
    banned_until: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How strict the limiter is.

    `limit` is the weight of a minute (None for no limit). After `patience` refused requests in a minute
    the caller is banned for `ban` ms, twice as long each further time, at most three days. Binance
    documents bans of two minutes to three days, but not how many requests it bears with.
    """

    limit: int | None = 6000
    patience: int = 10
    ban: int = 2 * MINUTE
    longest_ban: int = 3 * DAY


class WeightCounter:
    """Count one caller's weight; the counter belongs to the clock's minute and restarts at its edge."""

    def __init__(self, policy: Policy, clock: SimulatorClock) -> None:
        self.policy = policy
        self._clock = clock
        self._minute = -1
        self._refused = 0
        self._bans = 0
        self._banned_until = 0
        self.used = 0

    def take(self, weight: int) -> Refusal | None:
        """Count a request and return its refusal, None when it may pass; a banned caller's do not count."""
        now = self._clock.now()
        self._turn(now // MINUTE)
        if now < self._banned_until:
            return self._banned(now)
        self.used += weight
        if self.policy.limit is None or self.used <= self.policy.limit:
            return None
        self._refused += 1
        if self._refused > self.policy.patience:
            return self._ban(now)
        return Refusal(_seconds(MINUTE - now % MINUTE))

    def _turn(self, minute: int) -> None:
        if minute != self._minute:
            self._minute, self.used, self._refused = minute, 0, 0

    def _ban(self, now: int) -> Refusal:
        self._banned_until = now + min(self.policy.ban * 2**self._bans, self.policy.longest_ban)
        self._bans += 1
        self._refused = 0
        return self._banned(now)

    def _banned(self, now: int) -> Refusal:
        return Refusal(_seconds(self._banned_until - now), self._banned_until)


def _seconds(milliseconds: int) -> int:
    return -(-milliseconds // 1000)
