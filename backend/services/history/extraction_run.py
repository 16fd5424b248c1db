"""One extraction: the work under the lease of an account's history, from its beginning to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from backend.clock import Clock
from backend.core.job import Failure, Status
from backend.errors import (
    AccountFrozen,
    Cancelled,
    DatabaseUnavailable,
    LeaseLost,
    MarketDataError,
    UnknownAccount,
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

RENEWALS = 3


class ExtractionRun:
    """`seconds` is the length of the lease, which is renewed three times before it would end."""

    def __init__(
        self,
        extraction: Extraction,
        lease: HistoryLease,
        *,
        store: ExtractionStore,
        history: HistoryStore,
        accounts: Accounts,
        clock: Clock,
        loops: Loops,
        metrics: Metrics,
        seconds: float,
    ) -> None:
        self.extraction = extraction
        self._lease = lease
        self._store = store
        self._history = history
        self._accounts = accounts
        self._clock = clock
        self._loops = loops
        self._metrics = metrics
        self._seconds = seconds
        self._course = Course()

    @property
    def current(self) -> Extraction:
        """The extraction with its present progress."""
        course = self._course
        if course.stage is None:
            return self.extraction
        return replace(
            self.extraction,
            stage=course.stage,
            done=course.done,
            total=course.total,
            rows=course.rows,
            requests=course.traffic.requests,
            found_symbols=tuple(sorted(course.symbols)),
        )

    async def do(self) -> None:
        """All of it, up to the end of the lease. Raises CancelledError when the process stops: then another
        one continues."""
        extraction, course = self.extraction, self._course
        working = asyncio.current_task()
        assert working is not None
        keeper = asyncio.create_task(self._keep(working))
        error: MarketDataError | None = None
        is_over = True
        try:
            await self._work()
            error = course.errors[0] if course.errors else None
        except asyncio.CancelledError:
            stored = await self._store.load(extraction.id)
            is_over = course.barred is not None or (stored is not None and stored.cancelling)
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
            self._loops.forget(self._lease.token)
            with suppress(DatabaseUnavailable):
                if is_over:
                    await self.end("running", error)
                await self._history.release(self._lease)

    async def end(self, before: Status, error: MarketDataError | None) -> None:
        """Write down the end of one that had the status `before`."""
        status: Status = "done"
        if error is not None:
            status = "cancelled" if isinstance(error, Cancelled) else "failed"
        ended = replace(
            self.current,
            status=status,
            finished=self._clock.now(),
            failure=None if error is None else Failure(error.code, str(error), error.retry_after),
        )
        await self._store.report(ended, before)
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

    async def _keep(self, working: asyncio.Task[None]) -> None:
        """Renew the lease and write down how far the work is. End it when somebody cancels it, or freezes or
        removes the account.
        """
        lease, course = self._lease, self._course
        while True:
            await self._clock.sleep(self._seconds / RENEWALS)
            with self._loops.surviving("renewals of leases", lease.token):
                await self._history.renew(lease, self._seconds)
                course.barred = await self._barred()
                if await self._store.report(self.current, "running") or course.barred:
                    working.cancel()

    async def _barred(self) -> MarketDataError | None:
        """The reason why the service must not use the account any more."""
        try:
            account = await self._accounts.get(self.extraction.account)
        except UnknownAccount:
            return UnknownAccount("the account was removed: what came of its history is stored")
        return AccountFrozen("the account was frozen: what came is stored") if account.frozen else None

    async def _work(self) -> None:
        extraction, course = self.extraction, self._course
        account, source = await self._accounts.source(extraction.account)
        first = self._accounts.began(account)
        products = extraction.products or source.products
        work = Extractor(
            account=account, source=source, store=self._history, lease=self._lease, first=first, course=course
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
            await self._collect(account, source.wallets, now)

    async def _collect(self, account: Account, wallets: Sequence[Sequence[Product]], now: int) -> None:
        known = await self._history.load(account.id)
        proof = await Prover(self._history).prove(account.id, known.ledger, wallets)
        if not await self._history.finish(self._lease, now, proof):
            raise LeaseLost(f"another process reads the history of account {account.id} now")
        if not proof.holds:
            log.warning(
                "account %s: %d facts of its history do not add up: %s",
                account.id,
                proof.found,
                proof.differences[0].sentence,
            )
