"""Connecting to MongoDB, and turning the driver's errors into ours. The only file that names the driver.

The driver is Motor. The rest of `store/` keeps to what Motor and PyMongo's own async client share, so that
moving to the latter means changing this file.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

import pymongo
from bson.errors import BSONError
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
from backend.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

Document: TypeAlias = dict[str, Any]
Database: TypeAlias = AsyncIOMotorDatabase[Document]

FAREWELL_SECONDS = 1.0
CONNECT_SECONDS = 5.0
HEARTBEAT_SECONDS = 2.0
"""Longest time of an attempt to connect, and time between two looks for a lost server. The driver's own 20
and 10 seconds are longer than most absences."""

UNUSABLE = (
    "MONGODB_URI is not valid: percent-encode the user name and the password, use a number as the port, "
    "and use only MongoDB's options"
)
"""Does not contain the value, which may have a password."""

AWAY = "the database does not answer: try again in a moment"
STRANGER = (
    "the database refuses our user name or password: correct MONGODB_USERNAME, MONGODB_PASSWORD and "
    "MONGODB_AUTH_SOURCE, or MONGODB_URI if you use it instead"
)
REFUSED = "Authentication failed"
"""MongoDB's words. The driver repeats them in every error with this reason."""

AUTHENTICATION_FAILED = 18
REASONS = {
    13: "the user needs the role readWrite",
    14031: "its disk is full",
}
"""Explanations of MongoDB's error codes for the operator."""

DURABLE = WriteConcern("majority", j=True)
"""An acknowledged write survives `kill -9`: the ledger must never claim a candle that a crash can lose."""


class CommandTimer(CommandListener):
    """Reports every command of the driver to `metrics`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def started(self, event: CommandStartedEvent) -> None:
        """Only finished commands count."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._metrics.commanded(event.command_name, event.duration_micros / 1e6)

    def failed(self, event: CommandFailedEvent) -> None:
        self._metrics.commanded(event.command_name, event.duration_micros / 1e6, failed=True)


class LoginWatch(CommandListener):
    """Notices that MongoDB refuses our user, and tells the operator once.

    The driver tells only the caller that opened the connection. Other callers see a paused pool, or wait for
    nothing.
    """

    def __init__(self, uri: str) -> None:
        authority = uri.partition("://")[2].partition("/")[0]
        self._user = unquote_plus(authority.rpartition("@")[0].partition(":")[0])
        self.refuses = False

    def started(self, _event: CommandStartedEvent) -> None:
        """How it ends decides."""

    def succeeded(self, _event: CommandSucceededEvent) -> None:
        self.refuses = False

    def failed(self, event: CommandFailedEvent) -> None:
        if event.failure.get("code") != AUTHENTICATION_FAILED:
            return
        if not self.refuses:
            server, source = f"{event.connection_id[0]}:{event.connection_id[1]}", event.database_name
            log.error("MongoDB at %s, user %r, authSource %s: %s", server, self._user, source, STRANGER)
        self.refuses = True


def connect(
    uri: str, database: str, timeout: float = 10.0, listeners: Sequence[CommandListener] = ()
) -> Database:
    """Open a client, lazily: nothing is sent yet. Raises ConfigurationError for an invalid URI.

    No operation takes longer than `timeout` seconds, including the wait for a lost server. `listeners` get
    every command.
    """
    try:
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri,
            appname="market-data-service",
            timeoutMS=int(timeout * 1000),
            event_listeners=listeners,
            **_haste(uri, timeout),
        )
    except (PyMongoError, ValueError, TypeError) as error:
        raise ConfigurationError(UNUSABLE) from error
    return client.get_database(database, write_concern=DURABLE)


def _haste(uri: str, timeout: float) -> dict[str, Any]:
    """Options that let the driver see a returned server soon, except options that the URI sets."""
    seconds = {
        "connectTimeoutMS": min(timeout, CONNECT_SECONDS),
        "heartbeatFrequencyMS": HEARTBEAT_SECONDS,
    }
    return {name: int(one * 1000) for name, one in seconds.items() if f"{name}=".lower() not in uri.lower()}


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
    """The result of a driver's method. PyMongo's must be awaited in some places where Motor's must not."""
    return await value if inspect.isawaitable(value) else value


@contextmanager
def guard(action: str) -> Iterator[None]:
    """Raise DatabaseUnavailable when an operation inside fails."""
    try:
        yield
    except PyMongoError as error:
        if _is_refusal(error):
            raise DatabaseUnavailable(STRANGER) from error
        if isinstance(error, ConnectionFailure):
            log.warning("the database did not answer (to %s): %s", action, error)
            raise DatabaseUnavailable(AWAY) from error
        log.error("the database could not %s: %s", action, error)
        why = REASONS.get(getattr(error, "code", None) or 0)
        raise DatabaseUnavailable(f"the database could not {action}" + (f": {why}" if why else "")) from error
    except (BSONError, OverflowError) as error:
        log.error("MongoDB cannot store this document (to %s): %s", action, str(error)[:200])
        raise DatabaseUnavailable(
            f"the database could not {action}: MongoDB cannot store this document"
        ) from error


def _is_refusal(error: PyMongoError) -> bool:
    """Whether our user was refused, which LoginWatch has logged already."""
    return getattr(error, "code", None) == AUTHENTICATION_FAILED or REFUSED in str(error)
