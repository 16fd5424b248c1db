"""Replays of strategies, as jobs: accepted by any process, carried out by one that does jobs.

A replay is written down before it begins. Whoever carries it out holds it by a lease, and renews the lease.
If that process dies, another one begins the replay again: it comes to the same result.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from backend.clock import Clock, wait_up_to
from backend.core.windows import DAY
from backend.errors import DatabaseUnavailable, InvalidRequest, MarketDataError, TooManyJobs, UnknownReplay
from backend.loops import Loops
from backend.services.accounts.accounts import Accounts
from backend.services.alarms.ports import AlarmStore, AlarmsWanted, ReplayStore
from backend.services.alarms.replay_course import ReplayCourse
from backend.services.alarms.strategies import Strategies
from backend.trading.alarms.alarm import Alarm
from backend.trading.alarms.replay import ReplayRun, in_order
from backend.trading.paper.paper_book import COINS

log = logging.getLogger(__name__)

MOST_ALARMS, LONGEST_DAYS = 5000, 400
MOST_WAITING, AT_ONCE = 20, 2
"""Replays that are not over, of all processes; and those that one process carries out side by side."""
MOST_BEGUN = 3
"""A replay that ends its process so often is not begun again."""
LEASE_MS = 60_000
LOOK_SECONDS = 5.0


class _Lost(Exception):
    """The replay was cancelled, or another process has it."""


class Replays:
    """May raise UnknownStrategy, UnknownAccount, UnknownReplay and DatabaseUnavailable."""

    def __init__(
        self,
        *,
        store: ReplayStore,
        alarms: AlarmStore,
        strategies: Strategies,
        accounts: Accounts,
        course: ReplayCourse,
        clock: Clock,
        loops: Loops,
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._strategies = strategies
        self._accounts = accounts
        self._course = course
        self._clock = clock
        self._loops = loops
        self._holder = uuid4().hex
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def begin(
        self, strategy_id: str, start: int, end: int, balance: Decimal, *, caller: str
    ) -> ReplayRun:
        """Accept a replay of the alarms that came in `[start, end)`, with the present revision of the
        strategy and `balance` dollars. Raises InvalidRequest and TooManyJobs."""
        if not 0 < end - start <= LONGEST_DAYS * DAY:
            raise InvalidRequest(
                f"a replay reaches over up to {LONGEST_DAYS} days", code="invalid_time_range"
            )
        strategy = await self._strategies.get(strategy_id)
        if strategy.product not in COINS:
            raise InvalidRequest(f"there are no stored candles of {strategy.product}", code="unknown_product")
        venue = (await self._accounts.get(strategy.account)).venue
        alarms = await self._alarms_of(strategy_id, start, end)
        if await self._store.waiting() >= MOST_WAITING:
            raise TooManyJobs(f"{MOST_WAITING} replays wait: try again when one is done", retry_after=5)
        now = self._clock.now()
        run = ReplayRun(
            id=uuid4().hex,
            strategy=strategy.id,
            revision=strategy.revision,
            venue=venue,
            start=start,
            end=min(end, now),
            balance=balance,
            caller=caller,
            created=now,
            alarms_found=len(alarms),
        )
        await self._store.add(run)
        self._news.set()
        return run

    async def get(self, run_id: str) -> ReplayRun:
        """A replay as far as it is."""
        if run := await self._store.load(run_id):
            return run
        raise UnknownReplay("there is no such replay")

    async def newest(self, limit: int, strategy: str) -> Sequence[ReplayRun]:
        """The newest replays, of one strategy or of all ("")."""
        return await self._store.newest(limit, strategy)

    async def cancel(self, run_id: str) -> ReplayRun:
        """End a replay that is not over."""
        if run := await self._store.cancel(run_id):
            return run
        return await self.get(run_id)

    def start(self) -> None:
        """Carry out what was accepted, here and elsewhere."""
        self._task = self._loops.start("replays of strategies", self._step)

    async def stop(self) -> None:
        """End what runs: another process, or this one when it is back, begins it again at once."""
        tasks = [*self._running, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(DatabaseUnavailable):
            await self._store.release(self._holder)

    async def _step(self) -> None:
        self._news.clear()
        while len(self._running) < AT_ONCE:
            now = self._clock.now()
            run = await self._store.claim(self._holder, now, now + LEASE_MS)
            if run is None:
                break
            task = asyncio.create_task(self._hold(run), name=f"replay {run.id}")
            self._running.add(task)
            task.add_done_callback(self._over)
        await wait_up_to(LOOK_SECONDS, self._news)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._news.set()

    async def _hold(self, run: ReplayRun) -> None:
        """Carry a replay out and renew its lease until it is over, cancelled, or another's. After an error
        that nobody expects, the lease runs out, and the replay is begun again."""
        with self._loops.surviving("a replay of a strategy"):
            tasks = [asyncio.create_task(one) for one in (self._carry_out(run), self._renew(run))]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            for task in tasks:
                if not task.cancelled():
                    task.result()

    async def _renew(self, run: ReplayRun) -> None:
        """Returns when the replay is ours no more."""
        ours = True
        while ours:
            await self._clock.sleep(LEASE_MS / 3000)
            with suppress(DatabaseUnavailable):
                ours = await self._store.renew(run.id, self._holder, self._clock.now() + LEASE_MS)

    async def _carry_out(self, run: ReplayRun) -> None:
        if run.begun > MOST_BEGUN:
            log.error("replay %s of strategy %s ended its process %d times", run.id, run.strategy, MOST_BEGUN)
            reason = "it was begun again and again, and never came to its end"
            await self._store.report(replace(run, status="failed", reason=reason))
            return
        over = False
        while not over:
            try:
                await self._report(await self._result(run))
                over = True
            except DatabaseUnavailable as error:
                log.info("replay %s begins anew when the database is back: %s", run.id, error)
                await self._clock.sleep(LOOK_SECONDS)
            except _Lost:
                over = True

    async def _result(self, run: ReplayRun) -> ReplayRun:
        """The run when it is over. Raises DatabaseUnavailable and _Lost."""
        try:
            strategy = await self._strategies.revision(run.strategy, run.revision)
            alarms = await self._alarms_of(run.strategy, run.start, run.end)
            begun = replace(run, alarms_found=len(alarms), alarms_done=0)
            return await self._course.go(begun, strategy, alarms, self._report)
        except DatabaseUnavailable:
            raise
        except MarketDataError as error:
            log.warning("replay %s of strategy %s failed: %s", run.id, run.strategy, error)
            return replace(run, status="failed", reason=str(error))

    async def _report(self, run: ReplayRun) -> None:
        if not await self._store.report(run):
            raise _Lost

    async def _alarms_of(self, strategy_id: str, start: int, end: int) -> list[Alarm]:
        wanted = AlarmsWanted(strategy=strategy_id, start=start, end=end - 1)
        alarms = list(in_order(await self._alarms.list(wanted, MOST_ALARMS + 1)))
        if len(alarms) > MOST_ALARMS:
            raise InvalidRequest(f"a replay takes up to {MOST_ALARMS} alarms", code="invalid_time_range")
        return alarms
