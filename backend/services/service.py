"""The use cases together: what the web and the command line are given to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.loops import Loops
from backend.metrics import Metrics
from backend.services.audit import Auditor
from backend.services.feed import Feeds
from backend.services.follows import Follows
from backend.services.imports import Imports
from backend.services.jobs import Jobs
from backend.services.keeper import Keeper
from backend.services.ledger import Ledgers
from backend.services.live import Live
from backend.services.markets import Markets
from backend.services.mirror import Mirror
from backend.services.monitor import Monitor
from backend.services.queries import Queries
from backend.services.removal import Remover
from backend.services.sync import SyncService
from backend.services.worker import Worker


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
    live: Live
    loops: Loops
