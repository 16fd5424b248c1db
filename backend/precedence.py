"""Who goes first in one process: an order on its way, an alarm that comes in; then the long work.

One event loop does everything. A page of candles keeps it busy for milliseconds, and a sync at full speed has
many pages at hand: an order would wait behind all of them at each of its steps. So while orders are about,
long work is done a piece at a time, and each piece asks before whether something urgent is under way. Where
nobody trades, nothing waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from backend.clock import Clock, SystemClock

LONGEST_WAIT = 0.25
"""Seconds that a piece of long work waits at most: however much is urgent, it goes on."""
ALERT_SECONDS = 60.0
"""For so long after the last urgent work, more is expected, and long work is done a piece at a time."""
PART = 200
"""Rows that the database writes at once then. A whole page of 1,000 keeps an order waiting for 20 ms."""

Row = TypeVar("Row")


class Precedence:
    """Of one process."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._urgent = 0
        self._last: float | None = None
        self._free = asyncio.Event()
        self._free.set()
        self._turn = asyncio.Lock()

    @contextmanager
    def first(self) -> Iterator[None]:
        """Meanwhile, long work waits."""
        self._urgent += 1
        self._free.clear()
        try:
            yield
        finally:
            self._urgent -= 1
            self.expect()
            if not self._urgent:
                self._free.set()

    def expect(self) -> None:
        """Something urgent was under way a moment ago, in another process that shares the database."""
        self._last = self._clock.monotonic()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A piece of long work that asks nobody but the database. It must not take another turn."""
        if not self._is_alert:
            yield
            return
        async with self._turn:
            await self.give_way()
            yield

    async def parts(self, rows: Sequence[Row]) -> AsyncGenerator[Sequence[Row], None]:
        """Rows to be written in one turn: all at once, or in parts where something urgent is expected. Each
        part waits until nothing is urgent."""
        size = PART if self._is_alert else len(rows)
        for start in range(0, len(rows), size or 1):
            await self.give_way()
            yield rows[start : start + size]

    @property
    def _is_alert(self) -> bool:
        if self._urgent or self._last is None:
            return bool(self._urgent)
        return self._clock.monotonic() - self._last <= ALERT_SECONDS

    async def give_way(self) -> None:
        """Wait until nothing is urgent: for work that takes long, or asks an exchange."""
        if self._free.is_set():
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await self._free.wait()
        except TimeoutError:
            return
