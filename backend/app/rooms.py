"""One builder for each room of the use cases. It takes the parts that the room needs and returns its
value."""

from __future__ import annotations

from backend.app.common import Common
from backend.app.stores import Stores
from backend.app.venues import Venues
from backend.clock import SystemClock
from backend.exchanges.binance.archive import named
from backend.exchanges.binance.market import BINANCE
from backend.exchanges.private.registry import PRIVATE_VENUES
from backend.process import is_gone
from backend.services.following.append import Appender
from backend.services.following.confirm import Confirmer
from backend.services.following.follows import Follows
from backend.services.following.keeper import Keeper
from backend.services.following.pushed_candles import LiveCandles
from backend.services.following.visits import Visitor
from backend.services.jobs.submission import Jobs
from backend.services.jobs.worker import Worker
from backend.services.reading.catalogue import Catalogue
from backend.services.reading.kept_hours import KeptHours
from backend.services.reading.mirror import Mirror
from backend.services.reading.overview import Overview
from backend.services.reading.queries import Queries
from backend.services.running.fleet import Fleet, member_of
from backend.services.running.monitor import Monitor
from backend.services.running.processes import Processes
from backend.services.service import Following, Reading, Running, Streaming, Syncing
from backend.services.streaming.change_log import Health
from backend.services.streaming.changes import Changes
from backend.services.streaming.feed import Feeds
from backend.services.streaming.ledger_watch import LedgerWatch
from backend.services.syncing.archive_fill import ArchiveFill
from backend.services.syncing.audit import Auditor
from backend.services.syncing.file_import import Imports
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.removal import Remover, Traces
from backend.services.syncing.sync import SyncService


def build_streaming(common: Common, stores: Stores, venues: Venues) -> Streaming:
    """Everything that sends new candles to readers."""
    live = LiveCandles(venues.streams, common.clock)
    watch = LedgerWatch(stores.coverage, common.clock, common.loops)
    feeds = Feeds(
        candles=stores.candles, coverage=stores.coverage, ledger_watch=watch, clock=common.clock, live=live
    )
    return Streaming(live=live, ledger_watch=watch, feeds=feeds)


def build_kept_hours(common: Common, stores: Stores) -> KeptHours:
    """Hours that were made once, for reads and for the audit."""
    return KeptHours(
        candles=stores.candles,
        revisions=stores.revisions,
        store=stores.hours,
        room=common.settings.rollup_memory << 20,
    )


def build_syncing(
    common: Common, stores: Stores, venues: Venues, appender: Appender, kept_hours: KeptHours
) -> Syncing:
    """Everything that changes stored candles and their ledgers."""
    settings, candles = common.settings, stores.candles
    ledgers = Ledgers(
        store=stores.coverage,
        clock=SystemClock(),
        owner=common.name,
        seconds=settings.lease_seconds,
        loops=common.loops,
    )
    syncs = SyncService(
        venues.markets,
        candles,
        sync_start=settings.sync_start,
        pages_in_flight=settings.pages_in_flight,
        settle_seconds=settings.settle_seconds,
        recheck_minutes=settings.recheck_minutes,
        archives=ArchiveFill(venues.archives, candles, common.precedence),
        precedence=common.precedence,
    )
    traces = Traces(
        candles=candles,
        coverage=stores.coverage,
        revisions=stores.revisions,
        shortfalls=stores.shortfalls,
        follows=stores.follows,
        jobs=stores.jobs,
        hours=stores.hours,
    )
    return Syncing(
        ledgers=ledgers,
        syncs=syncs,
        auditor=Auditor(candles, ledgers, stores.shortfalls, kept_hours),
        imports=Imports(
            venues.markets, candles, ledgers, common.clock, {BINANCE.name: named}, common.precedence
        ),
        remover=Remover(traces, ledgers, appender),
    )


def build_jobs(common: Common, stores: Stores, syncing: Syncing) -> Jobs:
    """Everything that accepts jobs, and the worker that runs them."""
    worker = Worker(
        store=stores.jobs,
        ledgers=syncing.ledgers,
        syncs=syncing.syncs,
        clock=common.clock,
        at_once=common.settings.jobs_at_once,
        metrics=common.metrics,
        everybodys=common.role != "command",
        loops=common.loops,
    )
    return Jobs(stores.jobs, worker, common.clock, common.settings.jobs_queued, common.metrics)


def build_fleet(common: Common, stores: Stores, venues: Venues) -> Fleet:
    """This process among those that share the database."""
    return Fleet(
        store=stores.processes,
        member=member_of(
            common.name, common.settings.egress, common.role, trades=common.settings.accounts_are_on
        ),
        budgets=venues.throttles.values(),
        traded=[
            venues.throttles[venue.budget.name]
            for venue in PRIVATE_VENUES.values()
            if venue.budget.name in venues.throttles
        ],
        clock=SystemClock(),
        seconds=common.settings.lease_seconds,
        is_gone=is_gone,
        loops=common.loops,
    )


def build_following(
    common: Common,
    stores: Stores,
    venues: Venues,
    syncing: Syncing,
    streaming: Streaming,
    appender: Appender,
    fleet: Fleet,
) -> Following:
    """Everything that keeps followed series complete."""
    settings, clock = common.settings, common.clock
    visitor = Visitor(
        store=stores.follows,
        ledgers=syncing.ledgers,
        syncs=syncing.syncs,
        markets=venues.markets,
        appender=appender,
        clock=clock,
        settle_seconds=settings.settle_seconds,
        recheck_minutes=settings.recheck_minutes,
        metrics=common.metrics,
    )
    keeper = Keeper(
        store=stores.follows,
        fleet=fleet,
        visitor=visitor,
        clock=clock,
        at_once=settings.jobs_at_once,
        settle_seconds=settings.settle_seconds,
        live=streaming.live,
        appender=appender,
        seeds=settings.follow,
        loops=common.loops,
    )
    confirmer = Confirmer(
        markets=venues.markets,
        appender=appender,
        clock=clock,
        settle_seconds=settings.settle_seconds,
        loops=common.loops,
    )
    follows = Follows(store=stores.follows, coverage=stores.coverage, markets=venues.markets, clock=clock)
    return Following(follows=follows, keeper=keeper, appender=appender, confirmer=confirmer)


def build_reading(
    common: Common, stores: Stores, venues: Venues, jobs: Jobs, kept_hours: KeptHours
) -> Reading:
    """Everything that reads stored candles, and what the prices are now."""
    clock = common.clock
    queries = Queries(stores.candles, stores.coverage, stores.revisions, stores.shortfalls, kept_hours)
    catalogue = Catalogue(stores.candles, stores.coverage, clock, common.loops)
    mirror = Mirror(
        queries, catalogue, jobs, venues.markets, clock, sync_on_read=common.settings.sync_on_read
    )
    overview = Overview(catalogue, stores.follows, venues.markets, clock)
    return Reading(
        queries=queries, catalogue=catalogue, overview=overview, mirror=mirror, quotes=venues.quotes
    )


def build_running(
    common: Common, stores: Stores, venues: Venues, jobs: Jobs, following: Following
) -> Running:
    """Everything that reports the state of this process."""
    monitor = Monitor(
        ledger=stores.coverage,
        jobs=stores.jobs,
        worker=jobs.worker,
        budgets=venues.throttles,
        database_answers=stores.database_answers,
        follows=following.follows.all,
        clock=common.clock,
        most_series=common.settings.metrics_series,
    )
    processes = Processes(
        name=common.name,
        fleet=stores.processes,
        jobs=stores.jobs,
        coverage=stores.coverage,
        follows=stores.follows,
    )

    async def health() -> Health:
        trouble = await stores.database_trouble()
        troubles = [trouble] if trouble else common.loops.troubles()
        return Health(trouble, jobs.worker.condition, tuple(troubles))

    return Running(
        monitor=monitor,
        metrics=common.metrics,
        loops=common.loops,
        database_answers=stores.database_answers,
        database_trouble=stores.database_trouble,
        health=health,
        processes=processes,
    )


def build_changes(common: Common, jobs: Jobs, reading: Reading, running: Running) -> Changes:
    """Everything that sends changes to open pages."""
    return Changes(
        jobs=jobs, overview=reading.overview, health=running.health, clock=common.clock, loops=common.loops
    )
