"""Connects the parts and starts them, one builder for each room; stops them in reverse order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from backend.app.common import Common
from backend.app.memory import calm_garbage_collector, keep_freed_memory
from backend.app.rooms import (
    build_changes,
    build_fleet,
    build_following,
    build_jobs,
    build_kept_hours,
    build_reading,
    build_running,
    build_streaming,
    build_syncing,
)
from backend.app.start import start
from backend.app.stores import open_stores
from backend.app.telling import build_telling
from backend.app.trading import build_trading
from backend.app.venues import open_venues
from backend.clock import Clock, SystemClock
from backend.exchanges import EXCHANGES
from backend.loops import Loops
from backend.precedence import Precedence
from backend.process import process_name
from backend.services.following.append import Appender
from backend.services.running.fleet import Role
from backend.services.service import Service
from backend.settings import Settings
from backend.telemetry.metrics import Metrics


@asynccontextmanager
async def open_service(
    settings: Settings, clock: Clock | None = None, *, role: Role | None = None
) -> AsyncIterator[Service]:
    """Start everything in the settings, including the embedded database; stop it at the end of the block.

    `role` replaces the role in the settings. If other processes run jobs, a "command" leaves its jobs to
    them; otherwise it runs its own jobs only. "follow" becomes a normal worker then.
    """
    calm_garbage_collector()
    keep_freed_memory()
    clock = clock or SystemClock()
    metrics = Metrics((exchange.name, name) for exchange in EXCHANGES.values() for name in exchange.markets)
    common = Common(
        settings=settings,
        role=role or settings.role,
        name=process_name(),
        clock=clock,
        metrics=metrics,
        loops=Loops(clock, metrics),
        precedence=Precedence(clock),
    )
    async with AsyncExitStack() as stack:
        stores = await open_stores(common, stack)
        venues = await open_venues(common, stack)
        streaming = build_streaming(common, stores, venues)
        appender = Appender(stores.candles, stores.coverage, streaming.ledger_watch.nudge, common.loops)
        kept_hours = build_kept_hours(common, stores)
        syncing = build_syncing(common, stores, venues, appender, kept_hours)
        jobs = build_jobs(common, stores, syncing)
        fleet = build_fleet(common, stores, venues)
        following = build_following(common, stores, venues, syncing, streaming, appender, fleet)
        reading = build_reading(common, stores, venues, jobs, kept_hours)
        running = build_running(common, stores, venues, jobs, following)
        telling = await build_telling(common, stores, following, stack)
        service = Service(
            markets=venues.markets,
            jobs=jobs,
            syncing=syncing,
            following=following,
            reading=reading,
            streaming=streaming,
            running=running,
            changes=build_changes(common, jobs, reading, running),
            telling=telling,
            trading=await build_trading(common, stores, venues, fleet, telling.notices, stack),
        )
        await start(service, common.role, fleet, stack)
        yield service
