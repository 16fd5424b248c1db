"""Opens the database and its stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from backend.app.common import Common, cancel
from backend.clock import Clock
from backend.store.database_check import DatabaseCheck
from backend.store.embedded import EmbeddedMongod
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.follows import MongoFollows
from backend.store.market.hours import MongoHours
from backend.store.market.jobs import MongoJobs
from backend.store.market.processes import MongoFleet
from backend.store.market.revisions import MongoRevisions
from backend.store.market.shortfalls import MongoShortfalls
from backend.store.mongo import CommandTimer, LoginWatch, connect, disconnect, is_connected
from backend.store.trading.accounts import MongoAccounts
from backend.store.trading.alarms import MongoAlarms
from backend.store.trading.audit_trail import MongoAudit
from backend.store.trading.desks import MongoDesks
from backend.store.trading.extractions import MongoExtractions
from backend.store.trading.history import MongoHistory
from backend.store.trading.intents import MongoIntents
from backend.store.trading.notices import MongoNotices
from backend.store.trading.papers import MongoPapers
from backend.store.trading.replays import MongoReplays
from backend.store.trading.snapshots import MongoSnapshots
from backend.store.trading.strategies import MongoStrategies
from backend.store.trading.triggers import MongoTriggers
from backend.store.trading.twaps import MongoTwaps

REVIVE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """`database_answers` and `database_trouble` are those of `services.service.Running`."""

    candles: MongoCandles
    coverage: MongoCoverage
    revisions: MongoRevisions
    shortfalls: MongoShortfalls
    hours: MongoHours
    follows: MongoFollows
    jobs: MongoJobs
    processes: MongoFleet
    accounts: MongoAccounts
    history: MongoHistory
    extractions: MongoExtractions
    intents: MongoIntents
    desks: MongoDesks
    twaps: MongoTwaps
    triggers: MongoTriggers
    papers: MongoPapers
    snapshots: MongoSnapshots
    alarms: MongoAlarms
    strategies: MongoStrategies
    notices: MongoNotices
    replays: MongoReplays
    audit: MongoAudit
    database_answers: Callable[[], Awaitable[bool]]
    database_trouble: Callable[[], Awaitable[str]]


async def open_stores(common: Common, stack: AsyncExitStack) -> Stores:
    """Connect to MongoDB, or to the embedded one if the settings name none; `stack` disconnects and stops
    it."""
    settings, clock = common.settings, common.clock
    uri = settings.database_uri or _start_embedded(common, stack)
    login_watch = LoginWatch(uri)
    listeners = [CommandTimer(common.metrics), login_watch]
    database = connect(uri, settings.mongodb_database, settings.database_timeout, listeners)
    stack.push_async_callback(disconnect, database)
    revisions = MongoRevisions(database, clock)
    return Stores(
        candles=MongoCandles(database, revisions, common.metrics),
        coverage=MongoCoverage(database),
        revisions=revisions,
        shortfalls=MongoShortfalls(database),
        hours=MongoHours(database),
        follows=MongoFollows(database),
        jobs=MongoJobs(database),
        processes=MongoFleet(database),
        accounts=MongoAccounts(database),
        history=MongoHistory(database),
        extractions=MongoExtractions(database),
        intents=MongoIntents(database),
        desks=MongoDesks(database),
        twaps=MongoTwaps(database),
        triggers=MongoTriggers(database),
        papers=MongoPapers(database),
        snapshots=MongoSnapshots(database),
        alarms=MongoAlarms(database),
        strategies=MongoStrategies(database),
        notices=MongoNotices(database),
        replays=MongoReplays(database),
        audit=MongoAudit(database),
        database_answers=partial(is_connected, database),
        database_trouble=DatabaseCheck(database, login_watch, common.name, clock).trouble,
    )


def _start_embedded(common: Common, stack: AsyncExitStack) -> str:
    mongod = EmbeddedMongod(common.settings.data_dir)
    stack.callback(mongod.stop)
    uri = mongod.start()
    revive = partial(look_after, mongod, common.clock)
    reviving = common.loops.start("revival of the embedded database", revive)
    stack.push_async_callback(cancel, reviving)
    return uri


async def look_after(mongod: EmbeddedMongod, clock: Clock) -> None:
    """Check each second, and restart the embedded database if it has died."""
    await clock.sleep(REVIVE_SECONDS)
    mongod.revive()
