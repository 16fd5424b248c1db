"""Keeps followed series complete to the last closed minute, by REST: each is visited once a minute.

The names of the worker processes decide who keeps which follow. If a process dies, the others take over its
follows as soon as they notice. If two processes disagree for a moment, no harm is done: a visit needs the
lease of the series' ledger. A visit is a plain sync, so a gap, a restart and a new follow need no special
code. If sockets push candles too, visits confirm and complete them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from backend.clock import Clock
from backend.core.follow import Follow, keeper_of, pause_after, until_next_visit
from backend.core.series import Series
from backend.errors import Cancelled
from backend.loops import Loops
from backend.services.following.append import Appender
from backend.services.following.pushed_candles import LiveCandles
from backend.services.following.visits import Outcome, Visitor
from backend.services.jobs.worker import interruption
from backend.services.ports import FollowStore
from backend.services.running.tasks import end
from backend.services.syncing.stop_signal import StopSignal

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Seconds between two looks for due visits. A new follow begins this soon."""

BUSY_PAUSE = 5.0
"""Seconds to wait if somebody else works on the series."""

ENDED_PAUSE = 86_400.0
"""Seconds between two visits of a series that has ended."""

TURN_SECONDS = 60.0
"""How long a visit fetches older minutes before it looks for the newest ones again."""


class KeeperFleet(Protocol):
    """The processes that look after follows."""

    @property
    def name(self) -> str:
        """This one's name."""

    @property
    def keepers(self) -> frozenset[str]:
        """All of them."""


class Keeper:
    """Visits the follows of this process, some of them at once. `seeds` are followed from the start."""

    def __init__(
        self,
        *,
        store: FollowStore,
        fleet: KeeperFleet,
        visitor: Visitor,
        clock: Clock,
        at_once: int,
        settle_seconds: int,
        live: LiveCandles,
        appender: Appender,
        seeds: Sequence[Series] = (),
        loops: Loops | None = None,
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._visitor = visitor
        self._clock = clock
        self._settle_ms = settle_seconds * 1000
        self._live = live
        self._appender = appender
        self._seeds = list(seeds)
        self._loops = loops or Loops(clock)
        self._ours: dict[Series, Follow] = {}
        self._follows = 0
        self._near, self._far = asyncio.Semaphore(at_once), asyncio.Semaphore(at_once)
        self._due: dict[Series, float] = {}
        self._stop_signals: dict[Series, StopSignal] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin visits from now on."""
        self._looking = self._loops.start("looks at follows", self._look_again)

    async def stop(self, seconds: float) -> None:
        """Begin no more visits. Running visits have `seconds` to finish their current pages."""
        if self._looking:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
            self._looking = None
        self._ours = {}
        for stop_signal in self._stop_signals.values():
            stop_signal.stop(interruption())
        await end(self._tasks, seconds)

    def hurry(self, series: Collection[Series]) -> None:
        """Visit these at once, if this process keeps them and no visit is running."""
        self._due.update((one, 0.0) for one in series if one in self._due)
        self._begin_due()

    async def _look_again(self) -> None:
        await self._look()
        await self._clock.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        while self._seeds:
            await self._store.add(Follow(self._seeds[0], None, created=self._clock.now()))
            self._seeds.pop(0)
        follows = await self._store.all()
        ours = {follow.series: follow for follow in follows if self._is_ours(follow.series)}
        for series in self._stop_signals.keys() - {follow.series for follow in follows}:
            self._stop_signals[series].stop(Cancelled(f"{series.name} is not followed any more"))
        self._appender.forget(self._ours.keys() - ours.keys())
        self._ours, self._follows = ours, len(follows)
        self._due = {series: self._due.get(series, 0.0) for series in ours}
        self._live.keep([series for series, follow in ours.items() if not follow.ended])
        self._begin_due()
        await self._tell_sources(ours)

    async def _tell_sources(self, ours: Mapping[Series, Follow]) -> None:
        """Store which series have pushed candles, if that has changed."""
        lost = self._live.take_lost() & ours.keys()
        pushed = {series for series in ours if self._live.is_heard(series)}
        known = {series for series, follow in ours.items() if follow.source == "socket"}
        if lost:
            await self._store.told(lost, "rest", lost=True)
        if silent := known - pushed - lost:
            await self._store.told(silent, "rest", lost=False)
        if heard := pushed - (known - lost):
            await self._store.told(heard, "socket", lost=False)

    def _begin_due(self) -> None:
        now = self._clock.monotonic()
        for series, follow in self._ours.items():
            if self._due[series] <= now and series not in self._stop_signals:
                self._begin(follow, self._follows)

    def _is_ours(self, series: Series) -> bool:
        return keeper_of(series, self._fleet.keepers) == self._fleet.name

    def _begin(self, follow: Follow, follows: int) -> None:
        self._stop_signals[follow.series] = StopSignal()
        task = asyncio.create_task(self._visit(follow, follows))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _visit(self, follow: Follow, follows: int) -> None:
        series, pause = follow.series, BUSY_PAUSE
        try:
            with self._loops.surviving("visits of follows"):
                outcome = await self._outcome(follow, self._stop_signals[series])
                pause = self._pause(follow, outcome, follows)
        finally:
            del self._stop_signals[series]
        self._due[series] = self._clock.monotonic() + pause

    async def _outcome(self, follow: Follow, stop_signal: StopSignal) -> Outcome:
        """Newest minutes first, then older ones for one turn; repeat while there is a free place."""
        while True:
            async with self._near:
                outcome = await self._visitor.visit(follow, stop_signal, 0)
            if not outcome.more or self._far.locked():
                return outcome
            async with self._far:
                outcome = await self._visitor.visit(follow, stop_signal, TURN_SECONDS)
            if not outcome.more:
                return outcome

    def _pause(self, follow: Follow, outcome: Outcome, follows: int) -> float:
        """Seconds until the next visit."""
        if outcome.ended:
            return ENDED_PAUSE
        if outcome.failure:
            return pause_after(follow.failures + 1, outcome.failure.retry_after)
        if outcome.now is None:
            return BUSY_PAUSE
        return until_next_visit(follow.series, outcome.now, self._settle_ms, follows) / 1000
