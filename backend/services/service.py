"""The use cases together: what the web and the command line are given to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.services.imports import Imports
from backend.services.markets import Markets
from backend.services.queries import Queries
from backend.services.sync import SyncService


@dataclass(frozen=True, slots=True)
class Service:
    """`database_answers` says within two seconds whether the database is there."""

    markets: Markets
    syncs: SyncService
    queries: Queries
    imports: Imports
    database_answers: Callable[[], Awaitable[bool]]
