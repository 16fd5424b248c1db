"""Puts the parts together, and takes them apart in reverse order."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from backend import __version__
from backend.clock import Clock, SystemClock
from backend.exchanges import EXCHANGES
from backend.exchanges.binance import BINANCE
from backend.exchanges.binance_archive import BASE_URL, belongs_to
from backend.net.archive import ArchiveClient
from backend.net.client import MarketClient, Session, open_session
from backend.net.throttle import Throttle
from backend.services.bulk import Bulk
from backend.services.imports import Imports
from backend.services.markets import Markets
from backend.services.queries import Queries
from backend.services.service import Service
from backend.services.sync import SyncService
from backend.settings import Settings
from backend.store.candles import MongoCandles
from backend.store.coverage import MongoCoverage
from backend.store.doubts import MongoDoubts
from backend.store.embedded import EmbeddedMongod
from backend.store.mongo import connect, disconnect, is_connected
from backend.store.revisions import MongoRevisions

REVIVE_SECONDS = 1.0
USER_AGENT = f"market-data-service/{__version__}"


@asynccontextmanager
async def open_service(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Service]:
    """Start what the settings describe, the embedded database included; stop it on the way out."""
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
        syncs = SyncService(
            markets,
            candles,
            coverage,
            sync_start=settings.sync_start,
            pages_in_flight=settings.pages_in_flight,
            settle_seconds=settings.settle_seconds,
            recheck_minutes=settings.recheck_minutes,
            bulk=Bulk(_archives(settings, session, clock), candles),
        )
        queries = Queries(candles, coverage, revisions, MongoDoubts(database))
        imports = Imports(markets, candles, coverage, clock)
        yield Service(markets, syncs, queries, imports, partial(is_connected, database))


def calm_garbage_collector() -> None:
    """Collect seldom: thousands of short-lived rows a second make default collections the largest cost."""
    gc.set_threshold(50_000, 20, 100)


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


def _archives(settings: Settings, session: Session, clock: Clock) -> dict[tuple[str, str], ArchiveClient]:
    """The archive of each Binance market whose candles it has.

    A market at another address, such as a testnet or a simulator, has other candles than Binance's own
    archive, so it is given an archive only when that has another address too.
    """
    archive_url = settings.binance_archive_url
    return {
        (BINANCE.name, market.name): ArchiveClient(
            market.name, archive_url, session, clock, settings.request_timeout
        )
        for market in BINANCE.markets.values()
        if settings.archive
        and (archive_url != BASE_URL or belongs_to(settings.base_urls[market.url_setting]))
    }
