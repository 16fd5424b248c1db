"""Extractions of order histories: requests, progress, cancelling, and the work itself.

Any process that does jobs can do the work. The lease of an account's history says which one does. A process
that dies loses the lease after some time. Then another process continues from what the ledger says.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple
from uuid import uuid4

from backend.clock import Clock, wait_up_to
from backend.core.windows import HOUR
from backend.errors import (
    AccountFrozen,
    Cancelled,
    InvalidRequest,
    KeysSealed,
    TooManyJobs,
    UnknownAccount,
    UnknownExtraction,
)
from backend.loops import Loops
from backend.services.accounts.accounts import Accounts
from backend.services.history.extraction_run import ExtractionRun
from backend.services.history.ports import ExtractionStore, HistoryStore
from backend.telemetry.metrics import Metrics
from backend.trading.extraction import Extraction

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
RENEWALS = 3
MOST_QUEUED = 100


class _Running(NamedTuple):
    run: ExtractionRun
    task: asyncio.Task[None]


class Extractions:
    """`seconds` is the length of a lease. After `visit_hours` the service reads what is new of an account."""

    def __init__(
        self,
        *,
        store: ExtractionStore,
        history: HistoryStore,
        accounts: Accounts,
        clock: Clock,
        loops: Loops,
        metrics: Metrics,
        owner: str,
        seconds: float,
        visit_hours: float,
    ) -> None:
        self._store = store
        self._history = history
        self._accounts = accounts
        self._clock = clock
        self._loops = loops
        self._metrics = metrics
        self._owner = owner
        self._seconds = seconds
        self._visit_ms = int(visit_hours * HOUR)
        self._running: dict[str, _Running] = {}
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def submit(self, wanted: Extraction) -> Extraction:
        """Request an extraction, or join a running one that does the same.

        Raises UnknownAccount, TooManyJobs, and InvalidRequest for a product that the account does not have.
        """
        account, source = await self._accounts.source(wanted.account)
        if strange := [product for product in wanted.products if product not in source.products]:
            raise InvalidRequest(
                f"{account.venue} has no {strange[0]} in this account: it has {', '.join(source.products)}",
                code="unknown_product",
            )
        active = await self._store.active()
        for one in active:
            if wanted.asks_the_same(one) and not one.cancelling:
                return one
        if len(active) >= MOST_QUEUED:
            raise TooManyJobs(f"{MOST_QUEUED} extractions wait: try again when some are done", retry_after=10)
        fresh = replace(wanted, id=uuid4().hex, created=self._clock.now())
        await self._store.add(fresh)
        self._tell()
        return fresh

    async def get(self, extraction_id: str) -> Extraction:
        """The present state of one. Raises UnknownExtraction."""
        if running := self._running.get(extraction_id):
            return running.run.current
        if extraction := await self._store.load(extraction_id):
            return extraction
        raise UnknownExtraction("there is no such extraction: they are forgotten a week after their end")

    async def newest(self, limit: int, account: str | None = None) -> list[Extraction]:
        """The latest requests, newest first."""
        extractions = await self._store.newest(limit, account)
        return [self._running[one.id].run.current if one.id in self._running else one for one in extractions]

    async def wait(self, extraction_id: str, seconds: float) -> Extraction:
        """The extraction when it is over, or as it stands after `seconds`."""
        deadline = self._clock.monotonic() + seconds
        while True:
            news = self._news
            extraction = await self.get(extraction_id)
            left = deadline - self._clock.monotonic()
            if extraction.over or left <= 0:
                return extraction
            await wait_up_to(min(left, LOOK_SECONDS), news)

    async def cancel(self, extraction_id: str) -> Extraction:
        """End one. Stored rows stay. Raises UnknownExtraction."""
        extraction = await self._store.cancel(extraction_id, self._clock.now())
        if extraction is None:
            raise UnknownExtraction("there is no such extraction")
        if running := self._running.get(extraction_id):
            running.task.cancel()
        return extraction

    def start(self) -> None:
        """Start to do requests, and to read regularly what is new of every account."""
        self._tasks = [
            self._loops.start("extractions of order histories", self._step),
            self._loops.start("visits of accounts", self._visit),
        ]

    async def stop(self) -> None:
        """Stop. Another process continues what runs, or this one after its next start."""
        running = [one.task for one in self._running.values()]
        for task in (*self._tasks, *running):
            task.cancel()
        for task in (*self._tasks, *running):
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def _step(self) -> None:
        for one in await self._store.active():
            if one.id not in self._running and not self._is_busy(one.account):
                await self._begin(one)
        await wait_up_to(LOOK_SECONDS, self._news)

    async def _visit(self) -> None:
        """Request what is new of every account that was not read recently."""
        now = self._clock.now()
        for account in await self._accounts.all():
            known = await self._history.load(account.id)
            newest = await self._store.newest(1, account.id)
            tried = max([known.read or 0, *(one.created for one in newest)])
            if not account.frozen and now - tried >= self._visit_ms:
                with suppress(AccountFrozen, KeysSealed, TooManyJobs, UnknownAccount):
                    await self.submit(Extraction(id="", account=account.id, created=0))
        await self._clock.sleep(min(60.0, self._visit_ms / 4000))

    def _is_busy(self, account: str) -> bool:
        return any(one.run.extraction.account == account for one in self._running.values())

    async def _begin(self, extraction: Extraction) -> None:
        lease = await self._history.acquire(extraction.account, self._owner, self._seconds)
        if lease is None:
            return
        begun = replace(extraction, status="running", started=extraction.started or self._clock.now())
        run = ExtractionRun(
            begun,
            lease,
            store=self._store,
            history=self._history,
            accounts=self._accounts,
            clock=self._clock,
            loops=self._loops,
            metrics=self._metrics,
            seconds=self._seconds,
        )
        if extraction.cancelling:
            await run.end(extraction.status, Cancelled("the extraction was cancelled"))
            await self._history.release(lease)
            return
        await self._store.report(begun, extraction.status)
        task = asyncio.create_task(run.do(), name=f"extraction {begun.id}")
        self._running[begun.id] = _Running(run, task)
        self._metrics.extraction_begun()
        # Not at the end of the task itself: one that is cancelled before its first step has no end.
        task.add_done_callback(lambda _: self._left(begun.id))

    def _left(self, extraction_id: str) -> None:
        del self._running[extraction_id]
        self._metrics.extraction_left()
        self._tell()

    def _tell(self) -> None:
        """Wake who waits for news."""
        self._news.set()
        self._news = asyncio.Event()
