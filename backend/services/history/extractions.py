"""Extractions of order histories: requests, progress, cancelling, and the work itself.

Any process that does jobs can do the work. The lease of an account's history says which one does. A process
that dies loses the lease after some time. Then another process continues from what the ledger says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import uuid4

from backend.clock import Clock, wait_up_to
from backend.core.job import Failure, Status
from backend.core.windows import HOUR
from backend.errors import (
    AccountFrozen,
    Cancelled,
    DatabaseUnavailable,
    InvalidRequest,
    KeysSealed,
    LeaseLost,
    MarketDataError,
    TooManyJobs,
    UnknownAccount,
    UnknownExtraction,
)
from backend.loops import Loops
from backend.services.accounts.accounts import Accounts
from backend.services.history.extractor import Course, Extractor
from backend.services.history.ports import ExtractionStore, HistoryLease, HistoryStore
from backend.services.history.prover import Prover
from backend.telemetry.metrics import Metrics
from backend.telemetry.traffic import counted
from backend.trading.account import Account
from backend.trading.extraction import Extraction, Stage
from backend.trading.rows import Product

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
RENEWALS = 3
MOST_QUEUED = 100


@dataclass(frozen=True, slots=True)
class _Running:
    extraction: Extraction
    course: Course
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
        self._prover = Prover(history)
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
            return _current(running)
        if found := await self._store.load(extraction_id):
            return found
        raise UnknownExtraction("there is no such extraction: they are forgotten a week after their end")

    async def newest(self, limit: int, account: str | None = None) -> list[Extraction]:
        """The latest requests, newest first."""
        found = await self._store.newest(limit, account)
        return [_current(self._running[one.id]) if one.id in self._running else one for one in found]

    async def wait(self, extraction_id: str, seconds: float) -> Extraction:
        """The extraction when it is over, or as it stands after `seconds`."""
        deadline = self._clock.monotonic() + seconds
        while True:
            news = self._news
            found = await self.get(extraction_id)
            left = deadline - self._clock.monotonic()
            if found.over or left <= 0:
                return found
            await wait_up_to(min(left, LOOK_SECONDS), news)

    async def cancel(self, extraction_id: str) -> Extraction:
        """End one. Stored rows stay. Raises UnknownExtraction."""
        found = await self._store.cancel(extraction_id, self._clock.now())
        if found is None:
            raise UnknownExtraction("there is no such extraction")
        if running := self._running.get(extraction_id):
            running.task.cancel()
        return found

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
        return any(one.extraction.account == account for one in self._running.values())

    async def _begin(self, extraction: Extraction) -> None:
        lease = await self._history.acquire(extraction.account, self._owner, self._seconds)
        if lease is None:
            return
        if extraction.cancelling:
            await self._end(extraction, extraction, Cancelled("the extraction was cancelled"))
            await self._history.release(lease)
            return
        begun = replace(extraction, status="running", started=extraction.started or self._clock.now())
        await self._store.report(begun, extraction.status)
        course = Course()
        task = asyncio.create_task(self._run(begun, lease, course), name=f"extraction {begun.id}")
        self._running[begun.id] = _Running(begun, course, task)
        self._metrics.extraction_begun()

    async def _run(self, extraction: Extraction, lease: HistoryLease, course: Course) -> None:
        working = asyncio.current_task()
        assert working is not None
        keeper = asyncio.create_task(self._keep(extraction, lease, working))
        error: MarketDataError | None = None
        is_over = True
        try:
            await self._work(extraction, lease, course)
            error = course.errors[0] if course.errors else None
        except asyncio.CancelledError:
            found = await self._store.load(extraction.id)
            is_over = course.barred is not None or (found is not None and found.cancelling)
            error = course.barred or Cancelled("the extraction was cancelled: what came is stored")
            if not is_over:
                raise
        except LeaseLost:
            is_over = False
        except MarketDataError as failure:
            error = failure
        except Exception:
            log.exception("extraction %s met an error that nobody expected", extraction.id)
            error = MarketDataError("a fault of the service: the log says more")
        finally:
            keeper.cancel()
            self._loops.forget(lease.token)
            running = self._running.pop(extraction.id)
            self._metrics.extraction_left()
            with suppress(DatabaseUnavailable):
                if is_over:
                    await self._end(_current(running), extraction, error)
                await self._history.release(lease)
            self._tell()

    async def _keep(self, extraction: Extraction, lease: HistoryLease, working: asyncio.Task[None]) -> None:
        """Renew the lease and write down how far the work is. End it when somebody cancels it, or freezes or
        removes the account.
        """
        running = self._running[extraction.id]
        while True:
            await self._clock.sleep(self._seconds / RENEWALS)
            with self._loops.surviving("renewals of leases", lease.token):
                await self._history.renew(lease, self._seconds)
                running.course.barred = await self._barred(extraction.account)
                if await self._store.report(_current(running), "running") or running.course.barred:
                    working.cancel()

    async def _barred(self, account_id: str) -> MarketDataError | None:
        """The reason why the service must not use an account any more."""
        try:
            account = await self._accounts.get(account_id)
        except UnknownAccount:
            return UnknownAccount("the account was removed: what came of its history is stored")
        return AccountFrozen("the account was frozen: what came is stored") if account.frozen else None

    async def _work(self, extraction: Extraction, lease: HistoryLease, course: Course) -> None:
        account, source = await self._accounts.source(extraction.account)
        first = self._accounts.began(account)
        products = extraction.products or source.products
        work = Extractor(
            account=account, source=source, store=self._history, lease=lease, first=first, course=course
        )
        with counted() as course.traffic:
            now = await source.now()
            if Stage.COORDINATOR in extraction.stages:
                course.stage = Stage.COORDINATOR
                if Stage.SYMBOLS in extraction.stages:
                    await work.read(products, extraction.since, extraction.symbols)
                else:
                    await work.coordinate(products, extraction.since)
            elif Stage.SYMBOLS in extraction.stages:
                course.stage = Stage.SYMBOLS
                await work.process_symbols(products, extraction.since, extraction.symbols)
        if Stage.COLLECTOR in extraction.stages:
            course.stage = Stage.COLLECTOR
            # All wallets whole: a proof stands for the account, and products that share one chain together.
            await self._collect(account, lease, source.wallets, now)

    async def _collect(
        self, account: Account, lease: HistoryLease, wallets: Sequence[Sequence[Product]], now: int
    ) -> None:
        known = await self._history.load(account.id)
        proof = await self._prover.prove(account.id, known.ledger, wallets)
        if not await self._history.finish(lease, now, proof):
            raise LeaseLost(f"another process reads the history of account {account.id} now")
        if not proof.holds:
            log.warning(
                "account %s: %d facts of its history do not add up: %s",
                account.id,
                proof.found,
                proof.differences[0].sentence,
            )

    async def _end(self, extraction: Extraction, begun: Extraction, error: MarketDataError | None) -> None:
        status: Status = "done"
        if error is not None:
            status = "cancelled" if isinstance(error, Cancelled) else "failed"
        ended = replace(
            extraction,
            status=status,
            finished=self._clock.now(),
            failure=None if error is None else Failure(error.code, str(error), error.retry_after),
        )
        await self._store.report(ended, begun.status)
        self._metrics.extraction_ended(status, ended.rows)
        level = logging.WARNING if status == "failed" else logging.INFO
        log.log(
            level,
            "account %s: extraction %s %s: %d of %d windows, %d new rows, %d requests%s",
            ended.account,
            ended.id,
            status,
            ended.done,
            ended.total,
            ended.rows,
            ended.requests,
            f": {error}" if error else "",
        )

    def _tell(self) -> None:
        """Wake who waits for news."""
        self._news.set()
        self._news = asyncio.Event()


def _current(running: _Running) -> Extraction:
    """How a running extraction stands now."""
    course = running.course
    return replace(
        running.extraction,
        stage=course.stage,
        done=course.done,
        total=course.total,
        rows=course.rows,
        requests=course.traffic.requests,
        found_symbols=tuple(sorted(course.symbols)),
    )
