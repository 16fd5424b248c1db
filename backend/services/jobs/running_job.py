"""A job while it runs in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from backend.clock import Clock
from backend.core.job import Job, Tally
from backend.core.windows import Window
from backend.errors import Cancelled
from backend.services.syncing.stop_signal import StopSignal
from backend.telemetry.traffic import Traffic, counted


class Run:
    """`job` is always the newest state. The work of earlier runs of the job counts too.

    `underway` is set after the first progress.
    """

    def __init__(self, job: Job, clock: Clock) -> None:
        self.job = job
        self.stop_signal = StopSignal()
        self.underway = asyncio.Event()
        self._clock = clock
        self._began = clock.monotonic()
        self._traffic = Traffic()
        self._earlier = Tally()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the requests to exchanges inside the block, on top of earlier runs."""
        self._earlier = replace(self.job.tally, minutes_total=self.job.tally.minutes_done)
        with counted() as self._traffic:
            yield

    def note(self, window: Window, tally: Tally) -> None:
        """Store the progress."""
        traffic = Tally(
            requests=self._traffic.requests,
            retries=self._traffic.retries,
            waits=self._traffic.waits,
            waited=round(self._traffic.waited, 3),
        )
        elapsed = self._clock.monotonic() - self._began
        self.job = replace(
            self.job,
            window=window,
            tally=self._earlier + tally + traffic,
            rate=round(tally.minutes_done / elapsed, 1) if elapsed > 0 else 0.0,
            tries=0 if tally.minutes_done else self.job.tries,
        )
        if tally.minutes_done:
            self.underway.set()

    def cancel(self) -> None:
        """End it after the current pages."""
        self.job = replace(self.job, cancelling=True)
        self.stop_signal.stop(Cancelled("the job was cancelled: what came is stored"))
