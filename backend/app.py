"""Puts the parts together, and takes them apart in reverse order."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from backend import __version__
from backend.clock import Clock, SystemClock
from backend.core.proxy import proxy_to
from backend.errors import DatabaseUnavailable
from backend.exchanges import EXCHANGES
from backend.exchanges.base import Market
from backend.exchanges.binance.archive import BASE_URL, belongs_to
from backend.exchanges.binance.market import BINANCE
from backend.loops import Loops
from backend.net.proxies import Sessions
from backend.net.rest.archive_client import ArchiveClient
from backend.net.rest.client import MarketClient
from backend.net.rest.requester import open_session
from backend.net.rest.throttle import Throttle
from backend.net.sockets.market_stream import MarketStream
from backend.net.sockets.socket_connection import open_socket_session
from backend.process import is_gone, process_name
from backend.services.following.append import Appender
from backend.services.following.confirm import Confirmer
from backend.services.following.follows import Follows
from backend.services.following.keeper import Keeper
from backend.services.following.pushed_candles import LiveCandles
from backend.services.following.visits import Visitor
from backend.services.jobs.submission import Jobs
from backend.services.jobs.worker import Worker
from backend.services.reading.catalogue import Catalogue
from backend.services.reading.mirror import Mirror
from backend.services.reading.queries import Queries
from backend.services.running.fleet import WORK_WEIGHT, Fleet, Role, member_of
from backend.services.running.monitor import Monitor
from backend.services.service import Service
from backend.services.streaming.feed import Feeds
from backend.services.streaming.ledger_watch import LedgerWatch
from backend.services.syncing.archive_fill import ArchiveFill
from backend.services.syncing.audit import Auditor
from backend.services.syncing.file_import import Imports
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets
from backend.services.syncing.removal import Remover, Stores
from backend.services.syncing.sync import SyncService
from backend.settings import Settings
from backend.store.database_check import DatabaseCheck
from backend.store.embedded import EmbeddedMongod
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.follows import MongoFollows
from backend.store.market.jobs import MongoJobs
from backend.store.market.processes import MongoFleet
from backend.store.market.revisions import MongoRevisions
from backend.store.market.shortfalls import MongoShortfalls
from backend.store.mongo import CommandTimer, LoginWatch, connect, disconnect, is_connected
from backend.telemetry.metrics import Metrics

REVIVE_SECONDS = 1.0
GRACE_SECONDS = 6.0
"""How long work in flight may take to finish when the process is told to stop."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Names in glibc's malloc.h: https://man7.org/linux/man-pages/man3/mallopt.3.html"""

LARGEST_REUSED = 8 << 20
MOST_KEPT = 64 << 20
USER_AGENT = f"market-data-service/{__version__}"


@asynccontextmanager
async def open_service(
    settings: Settings, clock: Clock | None = None, *, role: Role | None = None
) -> AsyncIterator[Service]:
    """Start what the settings describe, the embedded database included; stop it on the way out.

    `role` wins over the settings' one. A "command" leaves its jobs to other processes where there are any
    that do jobs, and does none but its own otherwise; "follow" becomes a worker like any other then.
    """
    clock = clock or SystemClock()
    role = role or settings.role
    calm_garbage_collector()
    keep_freed_memory()
    async with AsyncExitStack() as stack:
        metrics = Metrics(
            (exchange.name, name) for exchange in EXCHANGES.values() for name in exchange.markets
        )
        loops = Loops(clock, metrics)
        uri = settings.database_uri or await _embedded(settings, clock, loops, stack)
        login_watch = LoginWatch(uri)
        listeners = [CommandTimer(metrics), login_watch]
        database = connect(uri, settings.mongodb_database, settings.database_timeout, listeners)
        stack.push_async_callback(disconnect, database)
        sessions = Sessions(partial(open_session, settings.request_timeout, USER_AGENT))
        await stack.enter_async_context(sessions)
        throttles = _throttles(settings, clock)
        clients = _clients(settings, sessions, throttles, clock, metrics)
        for each in (client for markets in clients.values() for client in markets.values()):
            stack.push_async_callback(each.stop)
        markets = Markets(clients)
        revisions = MongoRevisions(database, clock)
        candles, coverage = MongoCandles(database, revisions, metrics), MongoCoverage(database)
        name = process_name()
        ledgers = Ledgers(coverage, SystemClock(), name, settings.lease_seconds, loops)
        syncs = SyncService(
            markets,
            candles,
            sync_start=settings.sync_start,
            pages_in_flight=settings.pages_in_flight,
            settle_seconds=settings.settle_seconds,
            recheck_minutes=settings.recheck_minutes,
            bulk=ArchiveFill(_archives(settings, sessions, clock, metrics), candles),
        )
        job_store = MongoJobs(database)
        worker = Worker(
            job_store,
            ledgers,
            syncs,
            clock,
            settings.jobs_at_once,
            metrics,
            everybodys=role != "command",
            loops=loops,
        )
        fleet = Fleet(
            MongoFleet(database),
            member_of(name, settings.egress, role),
            throttles.values(),
            SystemClock(),
            settings.lease_seconds,
            is_gone,
            loops,
        )
        sockets = await stack.enter_async_context(Sessions(partial(open_socket_session, USER_AGENT)))
        live = LiveCandles(_streams(settings, sockets, clients, clock, metrics, loops), clock)
        ledger_watch = LedgerWatch(coverage, clock, loops)
        appender = Appender(candles, coverage, ledger_watch.nudge, loops)
        confirmer = Confirmer(markets, appender, clock, settings.settle_seconds, loops=loops)
        follow_store = MongoFollows(database)
        keeper = Keeper(
            follow_store,
            fleet,
            Visitor(
                follow_store,
                ledgers,
                syncs,
                markets,
                appender,
                clock,
                settings.settle_seconds,
                settings.recheck_minutes,
                metrics,
            ),
            clock,
            settings.jobs_at_once,
            settings.settle_seconds,
            live,
            appender,
            settings.follow,
            loops,
        )
        if await _enrol(role, fleet, stack):
            worker.start()
            stack.push_async_callback(worker.stop, GRACE_SECONDS)
            if role != "command":
                appender.start(keeper.hurry)
                stack.push_async_callback(appender.stop)
                keeper.start()
                stack.push_async_callback(keeper.stop, GRACE_SECONDS)
        live.start(appender.add, confirmer.ended)
        stack.push_async_callback(confirmer.stop)
        stack.push_async_callback(live.stop)
        jobs = Jobs(job_store, worker, clock, settings.jobs_queued, metrics)
        doubts = MongoShortfalls(database)
        queries = Queries(candles, coverage, revisions, doubts)
        catalogue = Catalogue(candles, coverage, clock, loops)
        if role in ("all", "api"):
            catalogue.start()
            stack.push_async_callback(catalogue.stop)
        ledger_watch.start()
        stack.push_async_callback(ledger_watch.stop)
        follows = Follows(follow_store, coverage, markets, clock)
        database_answers = partial(is_connected, database)
        yield Service(
            markets,
            jobs,
            worker,
            syncs,
            ledgers,
            Auditor(candles, ledgers, doubts),
            queries,
            catalogue,
            Imports(markets, candles, ledgers, clock),
            Remover(Stores(candles, coverage, revisions, doubts, follow_store, job_store), ledgers, appender),
            Mirror(queries, catalogue, jobs, markets, clock, sync_on_read=settings.sync_on_read),
            database_answers,
            DatabaseCheck(database, login_watch, name, clock).trouble,
            Monitor(
                coverage,
                job_store,
                worker,
                throttles,
                database_answers,
                follows.all,
                clock,
                settings.metrics_series,
            ),
            metrics,
            follows,
            keeper,
            Feeds(candles, coverage, ledger_watch, clock, live),
            live,
            loops,
        )


async def _enrol(role: Role, fleet: Fleet, stack: AsyncExitStack) -> bool:
    """Take our place among the processes that share the database; whether we are to do jobs."""
    works = role != "api"
    with suppress(DatabaseUnavailable):
        others = await fleet.join()
        if role in ("command", "follow"):
            works = not any(one.works for one in others)
        if role == "command" and works:
            await fleet.join(WORK_WEIGHT)
        if role == "follow" and works:
            await fleet.become("worker")
    stack.push_async_callback(fleet.leave)
    stack.push_async_callback(_cancel, fleet.stay())
    return works


def calm_garbage_collector() -> None:
    """Collect seldom: thousands of short-lived rows a second make default collections the largest cost."""
    gc.set_threshold(50_000, 20, 100)


def keep_freed_memory() -> None:
    """Have glibc reuse the memory of batches; with another C library nothing happens.

    By default it gives back every large piece and asks for it anew: a sixth of the time of a large read.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_MMAP_THRESHOLD, LARGEST_REUSED)
        mallopt(M_TRIM_THRESHOLD, MOST_KEPT)


async def _embedded(settings: Settings, clock: Clock, loops: Loops, stack: AsyncExitStack) -> str:
    mongod = EmbeddedMongod(settings.data_dir)
    stack.callback(mongod.stop)
    uri = mongod.start()
    reviving = loops.start("revival of the embedded database", partial(look_after, mongod, clock))
    stack.push_async_callback(_cancel, reviving)
    return uri


async def look_after(mongod: EmbeddedMongod, clock: Clock) -> None:
    """Start the embedded database again if it has died by the next second."""
    await clock.sleep(REVIVE_SECONDS)
    mongod.revive()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _throttles(settings: Settings, clock: Clock) -> dict[str, Throttle]:
    """One for each budget; markets may share theirs."""
    markets = [market for exchange in EXCHANGES.values() for market in exchange.markets.values()]
    budgets = {market.budget.name: market.budget for market in markets}
    return {
        name: Throttle(budget.limits, settings.rate_limit_share, clock, careful=budget.careful)
        for name, budget in budgets.items()
    }


def _clients(
    settings: Settings,
    sessions: Sessions,
    throttles: Mapping[str, Throttle],
    clock: Clock,
    metrics: Metrics,
) -> dict[str, dict[str, MarketClient]]:
    clients: dict[str, dict[str, MarketClient]] = {}
    for exchange in EXCHANGES.values():
        for market in exchange.markets.values():
            base_url = settings.base_urls[market.url_setting]
            proxy = proxy_to(exchange.name, base_url, settings.proxies)
            clients.setdefault(exchange.name, {})[market.name] = MarketClient(
                exchange.name,
                market,
                base_url,
                sessions.by(proxy),
                throttles[market.budget.name],
                clock,
                metrics,
                proxy,
            )
    return clients


def _streams(
    settings: Settings,
    sessions: Sessions,
    clients: Mapping[str, Mapping[str, MarketClient]],
    clock: Clock,
    metrics: Metrics,
    loops: Loops,
) -> dict[tuple[str, str], MarketStream]:
    """The sockets of each market whose candles they push. They connect when a candle is wanted."""
    return {
        (exchange, market.name): MarketStream(
            exchange,
            market,
            socket_url,
            sessions.by(proxy := proxy_to(exchange, socket_url, settings.proxies)),
            clients[exchange][market.name].native,
            clock,
            metrics,
            proxy,
            loops,
        )
        for exchange, market, socket_url in pushed_markets(settings)
    }


def pushed_markets(settings: Settings) -> Iterator[tuple[str, Market, str]]:
    """The markets whose candles are to be pushed: exchange, market, base URL of its sockets.

    A market at another address, such as a testnet or a simulator, has other candles than the venue's own
    sockets push, so it is given sockets only when these have another address too.
    """
    for exchange in EXCHANGES.values():
        for market in exchange.markets.values():
            socket, base_url = market.socket, settings.base_urls[market.url_setting]
            if socket is None or settings.live == "rest":
                continue
            socket_url = settings.socket_urls[socket.url_setting]
            own = base_url == market.base_url or (exchange is BINANCE and belongs_to(base_url))
            if own or socket_url != socket.base_url:
                yield exchange.name, market, socket_url


def _archives(
    settings: Settings, sessions: Sessions, clock: Clock, metrics: Metrics
) -> dict[tuple[str, str], ArchiveClient]:
    """The archive of each Binance market whose candles it has.

    A market at another address, such as a testnet or a simulator, has other candles than Binance's own
    archive, so it is given an archive only when that has another address too.
    """
    archive_url = settings.binance_archive_url
    proxy = proxy_to(BINANCE.name, archive_url, settings.proxies)
    session, silence = sessions.by(proxy), settings.request_timeout
    return {
        (BINANCE.name, market.name): ArchiveClient(
            market.name, archive_url, session, clock, silence, metrics, proxy
        )
        for market in BINANCE.markets.values()
        if settings.archive
        and (archive_url != BASE_URL or belongs_to(settings.base_urls[market.url_setting]))
    }
