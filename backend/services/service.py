"""The use cases by room. The web and the command line use them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.loops import Loops
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.readings import Readings
from backend.services.alarms.intake import Intake
from backend.services.alarms.operations import Operations
from backend.services.alarms.ports import AlarmStore
from backend.services.alarms.replays import Replays
from backend.services.alarms.runner import AlarmRunner
from backend.services.alarms.strategies import Strategies
from backend.services.following.append import Appender
from backend.services.following.confirm import Confirmer
from backend.services.following.follows import Follows
from backend.services.following.keeper import Keeper
from backend.services.following.pushed_candles import LiveCandles
from backend.services.history.extractions import Extractions
from backend.services.history.histories import Histories
from backend.services.jobs.submission import Jobs
from backend.services.notices.follow_alerts import FollowAlerts
from backend.services.notices.notices import Notices
from backend.services.orders.amending import Amender
from backend.services.orders.cancelling import Canceller
from backend.services.orders.executor import Executor
from backend.services.orders.ports import AuditStore, IntentStore
from backend.services.orders.setups import Setups
from backend.services.orders.triggers import Triggers
from backend.services.orders.twaps import Twaps
from backend.services.orders.watch import OrderWatch
from backend.services.paper.paper_keeper import PaperKeeper
from backend.services.reading.catalogue import Catalogue
from backend.services.reading.mirror import Mirror
from backend.services.reading.overview import Overview
from backend.services.reading.queries import Queries
from backend.services.reading.quotes import Quotes
from backend.services.running.monitor import Monitor
from backend.services.running.processes import Processes
from backend.services.streaming.change_log import Health
from backend.services.streaming.changes import Changes
from backend.services.streaming.feed import Feeds
from backend.services.streaming.ledger_watch import LedgerWatch
from backend.services.syncing.audit import Auditor
from backend.services.syncing.file_import import Imports
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets
from backend.services.syncing.removal import Remover
from backend.services.syncing.sync import SyncService
from backend.services.watching.account_watch import AccountWatch
from backend.services.watching.listening import Listening
from backend.services.watching.ports import WatchStore
from backend.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncing:
    """Everything that changes stored candles and their ledgers."""

    ledgers: Ledgers
    syncs: SyncService
    auditor: Auditor
    imports: Imports
    remover: Remover


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Everything that keeps followed series complete."""

    follows: Follows
    keeper: Keeper
    appender: Appender
    confirmer: Confirmer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that reads stored candles, and what the prices are now."""

    queries: Queries
    catalogue: Catalogue
    overview: Overview
    mirror: Mirror
    quotes: Quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """Everything that sends new candles to readers."""

    live: LiveCandles
    ledger_watch: LedgerWatch
    feeds: Feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How this process is. `database_answers` says within two seconds whether the database is there,
    `database_trouble` what keeps it from doing what the service needs, "" for nothing; `health` tells that
    and which tasks of this process fail."""

    monitor: Monitor
    metrics: Metrics
    loops: Loops
    database_answers: Callable[[], Awaitable[bool]]
    database_trouble: Callable[[], Awaitable[str]]
    health: Callable[[], Awaitable[Health]]
    processes: Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Everything that tells people what they must know."""

    notices: Notices
    follow_alerts: FollowAlerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Everything that places orders, ends them, and tells what became of them."""

    executor: Executor
    canceller: Canceller
    amender: Amender
    setups: Setups
    watch: OrderWatch
    twaps: Twaps
    triggers: Triggers
    intents: IntentStore
    audit: AuditStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Everything that lets alarms in and carries them out."""

    strategies: Strategies
    intake: Intake
    runner: AlarmRunner
    operations: Operations
    replays: Replays
    store: AlarmStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """What speaks for the user's accounts."""

    accounts: Accounts
    readings: Readings
    histories: Histories
    extractions: Extractions
    orders: Orders
    paper: PaperKeeper
    watch: AccountWatch
    listening: Listening
    watch_store: WatchStore
    alarms: Alarms
    now: Callable[[], int]
    """The service's time, ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The use cases of one process; `trading` is None where accounts are off."""

    markets: Markets
    jobs: Jobs
    syncing: Syncing
    following: Following
    reading: Reading
    streaming: Streaming
    running: Running
    changes: Changes
    telling: Telling
    trading: Trading | None = None
