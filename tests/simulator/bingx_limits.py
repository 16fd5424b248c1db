"""Request counters of BingX: fixed windows by endpoint, a block after one overflows, a ban for going on.

Source: https://bingx-api.github.io/docs-v3 (rate limits), and headers of real answers, which count down the
requests left and the ms left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.simulator.bingx_rules import BingxRules
from tests.simulator.clock import SimulatorClock

UNLIMITED = 1_000_000_000
"""Shown as the limit when none is in force."""


@dataclass(slots=True)
class Window:
    """One endpoint's window: its start and the end of its block in ms UTC, its requests, its refusals."""

    start: int
    used: int = 0
    refused: int = 0
    blocked_until: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Headers for the answer, and the status of the refusal if it is one."""

    headers: Mapping[str, str]
    refused: int | None = None


class WindowCounter:
    """Count one caller's requests by rules that may change meanwhile."""

    def __init__(self, rules: Callable[[], BingxRules], clock: SimulatorClock, *, limited: bool) -> None:
        self._rules = rules
        self._clock = clock
        self._limited = limited
        self._windows: dict[str, Window] = {}
        self._banned_until = 0

    def take(self, endpoint: str) -> Verdict:
        """Count a request to an endpoint, a refused one too, and say whether it may pass."""
        rules, now = self._rules(), self._clock.now()
        limit = rules.limit if self._limited and rules.limit is not None else UNLIMITED
        window = self._window("" if rules.pooled else endpoint, now, rules.window)
        window.used += 1
        refused = self._refused(window, now, rules) if self._over(window, now, limit) else None
        headers = {
            "x-ratelimit-requests-remain": "0" if refused else str(limit - window.used),
            "x-ratelimit-requests-expire": str(window.start + rules.window - now),
        }
        return Verdict(headers, refused)

    def _window(self, name: str, now: int, length: int) -> Window:
        """Return the running window, or a new one that keeps the block."""
        window = self._windows.get(name)
        if window is None or now >= window.start + length:
            blocked_until = window.blocked_until if window else 0
            refused = window.refused if window and now < blocked_until else 0
            window = self._windows[name] = Window(now, refused=refused, blocked_until=blocked_until)
        return window

    def _over(self, window: Window, now: int, limit: int) -> bool:
        return now < self._banned_until or now < window.blocked_until or window.used > limit

    def _refused(self, window: Window, now: int, rules: BingxRules) -> int:
        """Return the status of a refusal, the ban's for who goes on asking."""
        if now < self._banned_until:
            return 418
        if now >= window.blocked_until:
            window.blocked_until = now + rules.block
        window.refused += 1
        if window.refused <= rules.patience:
            return rules.refusal_status
        window.refused = 0
        self._banned_until = now + rules.ban
        return 418
