"""The use cases together: what the web and the command line are given to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.loops import Loops
from backend.services.following.follows import Follows
from backend.services.following.keeper import Keeper
from backend.services.following.pushed_candles import LiveCandles
from backend.services.jobs.submission import Jobs
from backend.services.jobs.worker import Worker
from backend.services.reading.catalogue import Catalogue
from backend.services.reading.mirror import Mirror
from backend.services.reading.queries import Queries
from backend.services.running.monitor import Monitor
from backend.services.streaming.feed import Feeds
from backend.services.syncing.audit import Auditor
from backend.services.syncing.file_import import Imports
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets
from backend.services.syncing.removal import Remover
from backend.services.syncing.sync import SyncService
from backend.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Service:
    """`database_answers` says within two seconds whether the database is there, `database_trouble` what keeps
    it from doing what the service needs, "" for nothing."""

    markets: Markets
    jobs: Jobs
    worker: Worker
    syncs: SyncService
    ledgers: Ledgers
    auditor: Auditor
    queries: Queries
    catalogue: Catalogue
    imports: Imports
    remover: Remover
    mirror: Mirror
    database_answers: Callable[[], Awaitable[bool]]
    database_trouble: Callable[[], Awaitable[str]]
    monitor: Monitor
    metrics: Metrics
    follows: Follows
    keeper: Keeper
    feeds: Feeds
    live: LiveCandles
    loops: Loops
