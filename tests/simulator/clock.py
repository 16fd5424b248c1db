"""The simulator's clock, which a test may set, freeze or speed up."""

from __future__ import annotations

import time
from email.utils import formatdate


class SimulatorClock:
    """Tell the exchange's time in ms UTC: the machine's time unless it was set or frozen.

    `now` is where it starts (ms UTC, None for the machine's time); `speed` is simulated seconds per real
    second; `frozen` is the same as speed 0.
    """

    def __init__(self, now: int | None = None, *, speed: float = 1.0, frozen: bool = False) -> None:
        self._speed = 0.0 if frozen else speed
        self._real = time.time()
        self._shown = self._real * 1000 if now is None else float(now)
        self._jumps = 0

    @property
    def jumps(self) -> int:
        """How often the clock was set by hand."""
        return self._jumps

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one."""
        return self._speed

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._speed == 0.0

    def now(self) -> int:
        """Return the simulated instant, ms UTC."""
        return int(self._shown + (time.time() - self._real) * 1000 * self._speed)

    def set(self, now: int) -> None:
        """Jump to an instant (ms UTC) and go on at the same speed."""
        self._jumps += 1
        self._show(now)

    def freeze(self, now: int | None = None) -> None:
        """Stand still at an instant (ms UTC), or where the clock is."""
        if now is not None:
            self.set(now)
        self._go_on(0.0)

    def run(self, speed: float = 1.0) -> None:
        """Tick on from where the clock is, `speed` simulated seconds per real second."""
        self._go_on(speed)

    def advance(self, milliseconds: int) -> None:
        """Jump forward by a number of ms."""
        self.set(self.now() + milliseconds)

    def elapse(self, milliseconds: int) -> None:
        """Let so many ms go by at once, which is no jump: who keeps times lives through them."""
        self._show(self.now() + milliseconds)

    def http_date(self) -> str:
        """Return the instant as a `Date` header (RFC 9110, 5.6.7)."""
        return formatdate(self.now() / 1000, usegmt=True)

    def _go_on(self, speed: float) -> None:
        self._show(self.now())
        self._speed = speed

    def _show(self, now: int) -> None:
        self._real = time.time()
        self._shown = float(now)
