"""One look at the ledgers for all listeners of this process, and one rhythm for all that wait."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from backend.clock import Clock, wait_up_to
from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.loops import Loops
from backend.services.ports import CoverageStore
from backend.services.running.tasks import end

LOOK_SECONDS = 1.0
LEAST_SECONDS = 0.05
"""Shortest time between two looks, even with many nudges."""


class LedgerWatch:
    """Looks at the ledgers of all series with listeners: each second, and when nudged.

    `known` are the last read ledgers, `streams` is the number of listeners, `over` says that they must leave.
    `news` is set when a ledger has changed and at the end, `second` each second; a new event then replaces
    it.
    """

    def __init__(self, coverage: CoverageStore, clock: Clock, loops: Loops | None = None) -> None:
        self._coverage = coverage
        self._clock = clock
        self._loops = loops or Loops(clock)
        self._listened: Counter[Series] = Counter()
        self._tasks: list[asyncio.Task[None]] = []
        self._due = asyncio.Event()
        self._left = asyncio.Event()
        self.known: dict[Series, Coverage] = {}
        self.streams = 0
        self.over = False
        self.news = asyncio.Event()
        self.second = asyncio.Event()

    def start(self) -> None:
        """Look from now on."""
        self._tasks = [
            self._loops.start("looks at ledgers", self._look_when_due),
            self._loops.start("seconds of streams", self._beat),
        ]

    async def stop(self) -> None:
        """Look no longer."""
        await end(self._tasks, 0)

    async def dismiss(self, seconds: float) -> None:
        """Make all listeners leave, and give them `seconds` for it."""
        self.over = True
        self.news.set()
        if self.streams:
            await wait_up_to(seconds, self._left)

    def nudge(self) -> None:
        """Look at once: this process has just written a ledger. Many nudges are one look."""
        self._due.set()

    @contextmanager
    def listening(self, series: Sequence[Series]) -> Iterator[None]:
        """Watch these series too while the block runs."""
        self.streams += 1
        self._left.clear()
        self._listened.update(series)
        self.nudge()
        try:
            yield
        finally:
            self.streams -= 1
            self._listened.subtract(series)
            self._listened += Counter()
            if not self.streams:
                self._left.set()

    async def _beat(self) -> None:
        await self._clock.sleep(LOOK_SECONDS)
        self.second.set()
        self.second = asyncio.Event()
        self.nudge()

    async def _look_when_due(self) -> None:
        await self._due.wait()
        self._due.clear()
        await self._look()
        await self._clock.sleep(LEAST_SECONDS)

    async def _look(self) -> None:
        ledgers = dict(await self._coverage.load_all(list(self._listened))) if self._listened else {}
        if ledgers != self.known:
            self.known = {series: self._same(series, known) for series, known in ledgers.items()}
            self.news.set()
            self.news = asyncio.Event()

    def _same(self, series: Series, known: Coverage) -> Coverage:
        """The old object if nothing changed, so that listeners see that at once."""
        before = self.known.get(series)
        return before if before is not None and before == known else known
