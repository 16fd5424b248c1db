"""Connecting to MongoDB, and turning the driver's errors into ours. The only file that names the driver.

The driver is Motor. The rest of `store/` keeps to what Motor and PyMongo's own async client share, so that
moving to the latter means changing this file.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from backend.errors import ConfigurationError, DatabaseUnavailable
from backend.metrics import Metrics

log = logging.getLogger(__name__)

Document: TypeAlias = dict[str, Any]
Database: TypeAlias = AsyncIOMotorDatabase[Document]

FAREWELL_SECONDS = 1.0

UNUSABLE = (
    "MONGODB_URI cannot be used: are user name and password percent-encoded, the port a number, "
    "and the options MongoDB's?"
)
"""Says nothing of the value, which may hold a password."""

AWAY = "the database does not answer: try again in a moment"
STRANGER = "the database refuses our user name or password: see MONGODB_USERNAME and MONGODB_PASSWORD"
REFUSED = "Authentication failed"
"""MongoDB's words, which the driver repeats wherever it cannot connect for that reason."""

DURABLE = WriteConcern("majority", j=True)
"""An acknowledged write survives `kill -9`: the ledger must never claim a candle that a crash can lose."""


class Stopwatch(CommandListener):
    """Tells `metrics` of every command that the driver sends."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def started(self, event: CommandStartedEvent) -> None:
        """A command without an end is not told of."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._metrics.commanded(event.command_name, event.duration_micros / 1e6)

    def failed(self, event: CommandFailedEvent) -> None:
        self._metrics.commanded(event.command_name, event.duration_micros / 1e6, failed=True)


def connect(uri: str, database: str, timeout: float = 10.0, metrics: Metrics | None = None) -> Database:
    """Open a client, lazily: nothing is sent yet. Raises ConfigurationError for a URI that is none.

    No operation takes longer than `timeout` seconds, waiting for a server that is away included. Commands are
    timed in `metrics`, if there are any.
    """
    try:
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri,
            appname="market-data-service",
            timeoutMS=int(timeout * 1000),
            event_listeners=[Stopwatch(metrics)] if metrics else [],
        )
    except (PyMongoError, ValueError, TypeError) as error:
        raise ConfigurationError(UNUSABLE) from error
    return client.get_database(database, write_concern=DURABLE)


async def disconnect(database: Database) -> None:
    """Close the client behind `database`, at once even when the server is away."""
    close: Callable[[], object] = database.client.close
    with pymongo.timeout(FAREWELL_SECONDS):
        if inspect.isawaitable(closing := close()):
            await closing


async def is_connected(database: Database, seconds: float = 1.0) -> bool:
    """Whether the database answers within `seconds`."""
    try:
        with pymongo.timeout(seconds):
            await asyncio.wait_for(database.command("ping"), seconds)
    except (PyMongoError, TimeoutError):
        return False
    return True


async def settled(value: Awaitable[Any] | Any) -> Any:
    """What a driver's method gives: PyMongo's own has to be awaited in places where Motor's must not be."""
    return await value if inspect.isawaitable(value) else value


@contextmanager
def guard(action: str) -> Iterator[None]:
    """Raise DatabaseUnavailable when an operation inside fails."""
    try:
        yield
    except ConnectionFailure as error:
        log.warning("database away while it should %s: %s", action, error)
        raise DatabaseUnavailable(STRANGER if REFUSED in str(error) else AWAY) from error
    except PyMongoError as error:
        log.error("database failed to %s: %s", action, error)
        raise DatabaseUnavailable(f"the database could not {action}") from error
