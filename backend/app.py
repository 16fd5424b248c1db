"""Puts the parts together, and takes them apart in reverse order."""

from __future__ import annotations

import asyncio
import gc
import os
import platform
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from uuid import uuid4

from backend import __version__
from backend.clock import Clock, SystemClock
from backend.exchanges import EXCHANGES
from backend.net.client import MarketClient, Session, open_session
from backend.net.throttle import Throttle
from backend.services.audit import Auditor
from backend.services.jobs import Jobs
from backend.services.ledger import Ledgers
from backend.services.markets import Markets
from backend.services.mirror import Mirror
from backend.services.queries import Queries
from backend.services.service import Service
from backend.services.sync import SyncService
from backend.services.worker import Worker
from backend.settings import Settings
from backend.store.candles import MongoCandles
from backend.store.coverage import MongoCoverage
from backend.store.doubts import MongoDoubts
from backend.store.embedded import EmbeddedMongod
from backend.store.jobs import MongoJobs
from backend.store.mongo import connect, disconnect, is_connected
from backend.store.revisions import MongoRevisions

REVIVE_SECONDS = 1.0
GRACE_SECONDS = 7.0
"""How long work in flight may take to finish when the process is told to stop."""

USER_AGENT = f"market-data-service/{__version__}"


@asynccontextmanager
async def open_service(
    settings: Settings, clock: Clock | None = None, *, everybodys_jobs: bool = True
) -> AsyncIterator[Service]:
    """Start what the settings describe, the embedded database included; stop it on the way out.

    Jobs that other processes left are begun too unless `everybodys_jobs` is false.
    """
    clock = clock or SystemClock()
    calm_garbage_collector()
    async with AsyncExitStack() as stack:
        uri = settings.database_uri or await _embedded(settings, clock, stack)
        database = connect(uri, settings.mongodb_database, settings.database_timeout)
        stack.push_async_callback(disconnect, database)
        session = await stack.enter_async_context(open_session(settings.request_timeout, USER_AGENT))
        markets = _markets(settings, session, clock)
        revisions = MongoRevisions(database, clock)
        candles, coverage = MongoCandles(database, revisions), MongoCoverage(database)
        ledgers = Ledgers(coverage, SystemClock(), _process_name(), settings.lease_seconds)
        syncs = SyncService(
            markets,
            candles,
            sync_start=settings.sync_start,
            pages_in_flight=settings.pages_in_flight,
            settle_seconds=settings.settle_seconds,
            recheck_minutes=settings.recheck_minutes,
        )
        job_store = MongoJobs(database)
        worker = Worker(job_store, ledgers, syncs, clock, settings.jobs_at_once, everybodys=everybodys_jobs)
        worker.start()
        stack.push_async_callback(worker.stop, GRACE_SECONDS)
        jobs = Jobs(job_store, worker, clock, settings.jobs_queued)
        queries = Queries(candles, coverage, revisions, MongoDoubts(database))
        yield Service(
            markets,
            jobs,
            worker,
            syncs,
            ledgers,
            Auditor(candles, ledgers),
            queries,
            Mirror(queries, jobs, markets, clock, sync_on_read=settings.sync_on_read),
            partial(is_connected, database),
        )


def calm_garbage_collector() -> None:
    """Collect seldom: thousands of short-lived rows a second make default collections the largest cost."""
    gc.set_threshold(50_000, 20, 100)


def _process_name() -> str:
    """Who holds a lease: no two processes are called the same, on this machine or another."""
    return f"{platform.node()}:{os.getpid()}:{uuid4().hex[:8]}"


async def _embedded(settings: Settings, clock: Clock, stack: AsyncExitStack) -> str:
    mongod = EmbeddedMongod(settings.data_dir)
    stack.callback(mongod.stop)
    uri = mongod.start()
    keeper = asyncio.create_task(_keep_alive(mongod, clock))
    stack.push_async_callback(_cancel, keeper)
    return uri


async def _keep_alive(mongod: EmbeddedMongod, clock: Clock) -> None:
    while True:
        await clock.sleep(REVIVE_SECONDS)
        mongod.revive()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _markets(settings: Settings, session: Session, clock: Clock) -> Markets:
    throttles: dict[str, Throttle] = {}
    sources: dict[str, dict[str, MarketClient]] = {}
    for exchange in EXCHANGES.values():
        for market in exchange.markets.values():
            throttle = throttles.setdefault(
                market.budget.name,
                Throttle(
                    market.budget.limits, settings.rate_limit_share, clock, careful=market.budget.careful
                ),
            )
            sources.setdefault(exchange.name, {})[market.name] = MarketClient(
                exchange.name, market, settings.base_urls[market.url_setting], session, throttle, clock
            )
    return Markets(sources)
