"""A signal that stops work in progress."""

from __future__ import annotations

from backend.clock import Clock
from backend.errors import Interrupted, MarketDataError


class StopSignal:
    """Given once, with a reason: the work starts nothing new and finishes what is in flight."""

    def __init__(self) -> None:
        self._stopped: MarketDataError | None = None

    @property
    def reason(self) -> MarketDataError | None:
        """Why to stop, None while the work may go on."""
        return self._stopped

    def stop(self, reason: MarketDataError) -> None:
        """Stop after the current pages. The first reason counts."""
        self._stopped = self._stopped or reason


class TimedStopSignal(StopSignal):
    """A signal that is given by itself after some seconds, or when `outer` is given."""

    def __init__(self, outer: StopSignal, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._outer = outer
        self._clock = clock
        self._end = clock.monotonic() + seconds

    @property
    def reason(self) -> MarketDataError | None:
        return self._stopped or self._outer.reason or (OVER if self.is_over else None)

    @property
    def is_over(self) -> bool:
        """Whether its seconds have passed, and nothing else ended it."""
        others = self._stopped or self._outer.reason
        return others is None and self._clock.monotonic() >= self._end


OVER = Interrupted("its turn is over: newer minutes come first")
