"""One look at the ledgers for all who listen in this process, and one rhythm for all who wait."""

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
"""Between two looks, however often somebody nudges."""


class LedgerWatch:
    """Looks at the ledgers of all series that anybody listens to: each second, and when nudged.

    `known` is what they said last, `streams` how many listen, `over` whether they are to leave. `news` is set
    when a ledger has changed and when it is over, `second` each second; another event takes its place then.
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
        """Have all who listen leave, and give them `seconds` for it."""
        self.over = True
        self.news.set()
        if self.streams:
            await wait_up_to(seconds, self._left)

    def nudge(self) -> None:
        """Look at once: this process has just written a ledger. Many nudges are one look."""
        self._due.set()

    @contextmanager
    def listening(self, series: Sequence[Series]) -> Iterator[None]:
        """Look at these too for as long as the block lasts."""
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
        """The object of before where nothing changed, by which listeners see it at once."""
        before = self.known.get(series)
        return before if before is not None and before == known else known
